//! The rules of an update that need the registry's state (XDS Metadata Update §3.57.4.1.3.3).

use uuid::Uuid;
use xds::error::{ErrorCode, Finding};
use xds::metadata::{Association, AssociationType, AvailabilityStatus, DocumentEntry, DocumentType, Folder};
use xds::rules::Rule;
use xds::submission::made_too_early;
use xds::update::{NewVersion, StatusChange, ValidUpdate};
use xds::value::uuid_urn;

use super::{Scope, State};
use crate::iti42::rules::differs;
use crate::sql::{Detail, EqualId, Instance, Stored};

use ErrorCode::UnresolvedReferenceException as Unresolved;
use ErrorCode::XDSMetadataIdentifierError as Identifier;
use ErrorCode::XDSMetadataUpdateError as Refused;
use ErrorCode::XDSMetadataVersionError as Version;

/// Every uniqueId of the update.
pub fn unique_ids(update: &ValidUpdate) -> Vec<&str> {
    let documents = update.documents.iter().map(|v| v.object.unique_id.as_str());
    let folders = update.folders.iter().map(|v| v.object.unique_id.as_str());
    std::iter::once(update.submission_set.unique_id.as_str()).chain(documents).chain(folders).collect()
}

/// Everything that is wrong with the update as the registry stands now. What is about versions comes last.
pub fn check(scope: Scope, update: &ValidUpdate, state: &State, equal: &[EqualId]) -> Vec<Finding> {
    let mut checker = Checker { scope, update, state, findings: Vec::new() };
    checker.new_ids();
    checker.new_unique_id(equal);
    update.documents.iter().for_each(|version| checker.document(version, equal));
    update.folders.iter().for_each(|version| checker.folder(version));
    update.additions.iter().for_each(|association| checker.addition(association));
    let mut changed = Vec::new();
    update.statuses.iter().for_each(|change| checker.status(change, &mut changed));
    checker.previous_versions();
    checker.findings
}

struct Checker<'a> {
    scope: Scope,
    update: &'a ValidUpdate,
    state: &'a State,
    findings: Vec<Finding>,
}

impl Checker<'_> {
    fn wrong(&mut self, code: ErrorCode, object: Uuid, context: impl Into<String>) {
        self.findings.push(Finding::error(code, Some(&self.update.submitted_id(object)), context));
    }

    /// V15.
    fn new_ids(&mut self) {
        let update = self.update;
        let documents = update.documents.iter().map(|v| v.object.entry_uuid);
        let folders = update.folders.iter().map(|v| v.object.entry_uuid);
        let associations = update.associations.iter().map(|a| a.entry_uuid);
        let set = std::iter::once(update.submission_set.entry_uuid);
        for id in set.chain(documents).chain(folders).chain(associations) {
            if self.state.get(id).is_some() {
                let context =
                    format!("the id {} already belongs to an object of this registry", uuid_urn(id));
                self.wrong(ErrorCode::XDSRegistryMetadataError, id, context);
            }
        }
    }

    /// V12.
    fn new_unique_id(&mut self, equal: &[EqualId]) {
        let set = &self.update.submission_set;
        if equal.iter().any(|e| e.unique_id == set.unique_id) {
            let context =
                format!("SubmissionSet.uniqueId {} is already used in this registry", set.unique_id);
            self.wrong(ErrorCode::XDSDuplicateUniqueIdInRegistry, set.entry_uuid, context);
        }
    }

    fn document(&mut self, new: &NewVersion<DocumentEntry>, equal: &[EqualId]) {
        let (entry, id) = (&new.object, new.object.entry_uuid);
        let Some(Stored { detail: Detail::DocumentEntry { version, on_demand }, .. }) =
            self.state.current_document(new.logical_id)
        else {
            return self.unknown("DocumentEntry", id, new.logical_id);
        };
        self.same_unique_id("DocumentEntry", id, &entry.unique_id, version);
        let now_on_demand = entry.document_type == DocumentType::OnDemand;
        if *on_demand != now_on_demand {
            // A restricted update has a code of its own for it.
            if self.scope == Scope::Full {
                let context = "DocumentEntry.objectType: differs from that of the registered versions";
                self.wrong(Identifier, id, context);
            }
            return;
        }
        if now_on_demand {
            self.made_too_early(entry);
        }
        // A document whose octets were not there when it was registered gets hash and size later.
        let delayed = |e: &EqualId| e.logical_id == Some(new.logical_id) && e.size == Some(0);
        let (unique_id, hash) = (entry.unique_id.as_str(), entry.hash.as_deref());
        let found = equal
            .iter()
            .filter(|e| e.unique_id == unique_id && !delayed(e))
            .find_map(|other| differs(unique_id, now_on_demand, hash, entry.size, other));
        if let Some((rule, context)) = found {
            self.wrong(rule.code(), id, context);
        }
    }

    /// V25, also of a later version. Looked at here: a Stable document that is called On-Demand has another fault.
    fn made_too_early(&mut self, entry: &DocumentEntry) {
        let sent = [
            ("creationTime", entry.creation_time.is_some()),
            ("hash", entry.hash.is_some()),
            ("size", entry.size.is_some()),
        ];
        for (name, _) in sent.into_iter().filter(|(_, there)| *there) {
            self.wrong(Rule::V25.code(), entry.entry_uuid, made_too_early(name));
        }
    }

    fn folder(&mut self, new: &NewVersion<Folder>) {
        let (folder, id) = (&new.object, new.object.entry_uuid);
        let Some(current) = self.state.current_folder(new.logical_id) else {
            return self.unknown("Folder", id, new.logical_id);
        };
        if let Some(version) = current.version() {
            self.same_unique_id("Folder", id, &folder.unique_id, version);
        }
        if current.status != AvailabilityStatus::Approved {
            let context = format!("the Folder {} is deprecated", uuid_urn(current.entry_uuid));
            self.wrong(Refused, id, context);
        }
    }

    /// No version of the logical object is here. Some expect this to be told as a reference that leads nowhere, some as a
    /// version that is not the current one; it is both.
    fn unknown(&mut self, kind: &str, id: Uuid, logical_id: Uuid) {
        let context = format!("{kind}.logicalID {} is not that of a registered {kind}", uuid_urn(logical_id));
        self.wrong(Unresolved, id, context.clone());
        self.wrong(Version, id, context);
    }

    fn same_unique_id(&mut self, kind: &str, id: Uuid, sent: &str, registered: &Instance) {
        if registered.unique_id != sent {
            let context = format!(
                "{kind}.uniqueId {sent} differs from {}, that of the registered versions",
                registered.unique_id
            );
            self.wrong(Identifier, id, context);
        }
    }

    fn previous_versions(&mut self) {
        let documents =
            self.update.documents.iter().map(|v| (v.object.entry_uuid, v.logical_id, v.previous_version));
        let folders =
            self.update.folders.iter().map(|v| (v.object.entry_uuid, v.logical_id, v.previous_version));
        for (id, logical_id, previous) in documents.chain(folders).collect::<Vec<_>>() {
            let current = self.state.current(logical_id).and_then(Stored::version).map(|v| v.number);
            if let Some(current) = current.filter(|number| i64::from(*number) != i64::from(previous)) {
                let context = format!("PreviousVersion is {previous}, but the current version is {current}");
                self.wrong(Version, id, context);
            }
        }
    }

    /// `changed` holds the logical objects, or associations, whose status this update has changed already.
    fn status(&mut self, change: &StatusChange, changed: &mut Vec<Uuid>) {
        let by = change.asked_by;
        let renewed = self.update.logical_id_of(change.target);
        // A new version begins with the status of the current one.
        let target = match renewed {
            Some(logical_id) => self.state.current(logical_id),
            None => self.state.get(change.target),
        };
        let Some(target) = target else {
            // That a new version has no predecessor is told with the version.
            if renewed.is_none() {
                let context = format!("targetObject {} is not in this registry", uuid_urn(change.target));
                self.wrong(Unresolved, by, context);
            }
            return;
        };
        let urn = uuid_urn(target.entry_uuid);
        let object = target.version().map_or(target.entry_uuid, |version| version.logical_id);
        if changed.contains(&object) {
            return self.wrong(Refused, by, "a second change of status of the same object in one update");
        }
        changed.push(object);
        match &target.detail {
            Detail::SubmissionSet { .. } => {
                return self.wrong(
                    Refused,
                    by,
                    format!("{urn} is a SubmissionSet, whose status never changes"),
                );
            }
            Detail::Association { association_type, source, .. } => {
                let from_set =
                    self.state.get(*source).is_none_or(|s| matches!(s.detail, Detail::SubmissionSet { .. }));
                if from_set || association_type.is_none_or(AssociationType::is_of_update) {
                    let context =
                        format!("{urn} is an association of a SubmissionSet, whose status never changes");
                    return self.wrong(Refused, by, context);
                }
            }
            Detail::DocumentEntry { .. } | Detail::Folder { .. } => {
                if !self.state.is_newest(target) {
                    let context =
                        format!("{urn} is not the newest version, and only that one's status changes");
                    return self.wrong(Refused, by, context);
                }
            }
        }
        if change.new.is_national() && !matches!(target.detail, Detail::DocumentEntry { .. }) {
            let context =
                format!("NewStatus: {urn} is no document, and only documents are {}", change.new.name());
            self.wrong(Refused, by, context);
        }
        if target.status != change.original {
            // Told as what it is, a refused update, and as what some expect of a wrong annotation.
            let context = format!("OriginalStatus: {urn} is {:?}", target.status);
            self.wrong(ErrorCode::XDSMetadataUpdateOperationError, by, context.clone());
            self.wrong(Refused, by, context);
        }
    }

    fn addition(&mut self, a: &Association) {
        let name = a.association_type.name();
        let (source, target) = (self.state.get(a.source), self.state.get(a.target));
        for (end, id, found) in [("sourceObject", a.source, source), ("targetObject", a.target, target)] {
            let urn = uuid_urn(id);
            match found {
                None => {
                    let context = format!("{name}: {end} {urn} is not in this registry");
                    self.wrong(Unresolved, a.entry_uuid, context);
                }
                Some(stored) => {
                    let superseded = stored.version().is_some_and(|v| self.update.renews(v.logical_id));
                    if stored.status == AvailabilityStatus::Deprecated || superseded {
                        let context = format!("{name}: {end} {urn} is deprecated");
                        self.wrong(Refused, a.entry_uuid, context);
                    }
                }
            }
        }
        let (Some(source), Some(target)) = (source, target) else { return };
        let on_demand =
            |stored: &Stored| matches!(stored.detail, Detail::DocumentEntry { on_demand: true, .. });
        let fits = match a.association_type {
            AssociationType::HasMember => source.is_folder() && target.is_document(),
            AssociationType::IsSnapshotOf => source.is_document() && !on_demand(source) && on_demand(target),
            _ => source.is_document() && target.is_document(),
        };
        if !fits {
            let context = format!("{name}: does not fit the kinds of the objects that it joins");
            self.wrong(Refused, a.entry_uuid, context);
        }
    }
}

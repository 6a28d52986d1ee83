//! Symbolic ids become UUIDs, the same one everywhere (TF-3 §4.1.12.3; rules V3, V4, V16, V17).

use std::collections::HashMap;

use uuid::Uuid;

use crate::ebxml::{Common, SubmitObjects};
use crate::error::Finding;
use crate::rules::Rule;
use crate::value::{parse_uuid_urn, uuid_urn};

/// Which id became which.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Ids {
    /// Submitted → UUID URN.
    resolved: HashMap<String, String>,
    /// UUID URN → submitted.
    submitted: HashMap<String, String>,
}

impl Ids {
    /// The id as the sender knows it, from the URN that it became.
    pub fn submitted(&self, urn: &str) -> String {
        self.submitted.get(urn).map_or_else(|| urn.to_owned(), Clone::clone)
    }

    /// True for objects of this submission.
    pub fn is_own(&self, id: Uuid) -> bool {
        self.submitted.contains_key(&uuid_urn(id))
    }

    fn add(&mut self, submitted: &str, urn: String) {
        self.resolved.insert(submitted.to_owned(), urn.clone());
        self.submitted.insert(urn, submitted.to_owned());
    }
}

const UUID: &str = "urn:uuid:";

/// Replaces every symbolic id. Ids that lead nowhere and ids used twice become findings.
pub fn resolve(
    mut objects: SubmitObjects,
    fresh: &mut dyn FnMut() -> Uuid,
    findings: &mut Vec<Finding>,
) -> (SubmitObjects, Ids) {
    let mut ids = Ids::default();
    for common in commons(&mut objects) {
        let submitted = common.id.clone();
        if submitted.is_empty() {
            // An Association that nothing refers to.
            common.id = uuid_urn(fresh());
            ids.add(&common.id.clone(), common.id.clone());
            continue;
        }
        let urn = match parse_uuid_urn(&submitted) {
            Some(uuid) => uuid_urn(uuid),
            None => {
                if submitted.starts_with(UUID) {
                    findings.push(
                        Rule::V3.broken(Some(&submitted), format!("the id \"{submitted}\" is not a UUID")),
                    );
                }
                uuid_urn(fresh())
            }
        };
        let taken = ids.submitted.contains_key(&urn) || ids.resolved.contains_key(&submitted);
        if taken {
            let context = format!("the id \"{submitted}\" is used by two objects of the submission");
            findings.push(Rule::V16.broken(Some(&submitted), context));
        }
        ids.add(&submitted, urn);
    }
    for common in commons(&mut objects) {
        adopt_inner(common, &ids, fresh, findings);
        if let Some(urn) = ids.resolved.get(&common.id) {
            common.id = urn.clone();
        }
        // A lid is never symbolic; that of a first version is its id.
        common.lid = common.lid.take().map(|lid| ids.resolved.get(&lid).cloned().unwrap_or(lid));
    }
    for association in &mut objects.associations {
        let location = ids.submitted(&association.common.id);
        for (end, name) in [
            (&mut association.source_object, "sourceObject"),
            (&mut association.target_object, "targetObject"),
        ] {
            match (ids.resolved.get(end), parse_uuid_urn(end)) {
                (Some(urn), _) => *end = urn.clone(),
                (None, Some(uuid)) => *end = uuid_urn(uuid),
                (None, None) => findings.push(Rule::V17.broken(
                    Some(&location),
                    format!("Association.{name}: \"{end}\" is no object of this submission and no urn:uuid: of another"),
                )),
            }
        }
    }
    (objects, ids)
}

/// Classifications and ExternalIdentifiers: they belong to the object that holds them (V4), and get ids of their own.
fn adopt_inner(common: &mut Common, ids: &Ids, fresh: &mut dyn FnMut() -> Uuid, findings: &mut Vec<Finding>) {
    let (owner, location) = (common.id.clone(), ids.submitted(&common.id));
    let urn = ids.resolved.get(&owner).cloned().unwrap_or_else(|| owner.clone());
    let mut settle = |id: &mut Option<String>, belongs_to: &mut Option<String>, what: &str| {
        if belongs_to.as_deref().is_some_and(|other| !other.is_empty() && other != owner) {
            let other = belongs_to.as_deref().unwrap_or_default();
            let context = format!("{what} \"{other}\" is not the id of the object that contains it");
            findings.push(Rule::V4.broken(Some(&location), context));
        }
        *belongs_to = Some(urn.clone());
        let kept = id.as_deref().and_then(parse_uuid_urn);
        *id = Some(uuid_urn(kept.unwrap_or_else(&mut *fresh)));
    };
    for c in &mut common.classifications {
        settle(&mut c.id, &mut c.classified_object, "Classification.classifiedObject");
    }
    for e in &mut common.external_identifiers {
        settle(&mut e.id, &mut e.registry_object, "ExternalIdentifier.registryObject");
    }
}

fn commons(objects: &mut SubmitObjects) -> impl Iterator<Item = &mut Common> {
    let documents = objects.extrinsic_objects.iter_mut().map(|o| &mut o.common);
    let packages = objects.packages.iter_mut().map(|o| &mut o.common);
    let associations = objects.associations.iter_mut().map(|o| &mut o.common);
    documents.chain(packages).chain(associations)
}

//! Whether exactly what is expected comes back, and as it was sent.

use super::{Judge, sorted};
use crate::answer::{Response, Retrieved};
use crate::entry::{Entry, Kind};
use crate::scenario::{Expect, Link, OneOrMany};
use crate::transaction::association_type;

impl Judge<'_> {
    pub(super) fn results(&mut self, expect: &Expect, response: &Response) {
        if let Some(expected) = expect.count {
            let count = match self.context.patient_is_shared {
                true => self.own(response),
                false => response.results(),
            };
            self.check(count == expected, || format!("{expected} results are expected, came {count}"));
        }
        match response.object_refs.is_empty() {
            true => {
                let lists = [
                    (Kind::Document, &expect.documents),
                    (Kind::SubmissionSet, &expect.sets),
                    (Kind::Folder, &expect.folders),
                ];
                for (kind, expected) in lists {
                    if let Some(expected) = expected {
                        self.objects(kind, expected, response);
                    }
                }
                if let Some(expected) = &expect.associations {
                    self.associations(expected, response);
                }
            }
            false => self.references(expect, response),
        }
        for name in &expect.as_sent {
            match (self.context.objects.get(name), self.find(name, response)) {
                (Some(sent), Some(entry)) => self.wrong.extend(entry.differences(&sent.entry)),
                _ => self.wrong.push(format!("{name} did not come back")),
            }
        }
        for (name, attributes) in &expect.entry {
            match self.find(name, response).cloned() {
                None => self.wrong.push(format!("{name} did not come back")),
                Some(entry) => {
                    for (attribute, expected) in attributes {
                        self.values(&format!("{name}.{attribute}"), entry.values(attribute), expected);
                    }
                }
            }
        }
        for (name, parts) in &expect.retrieved {
            let id = self.unique_id(name);
            match response.documents.iter().find(|document| document.unique_id == id) {
                None => self.wrong.push(format!("{name} did not come back")),
                Some(document) => {
                    for (part, expected) in parts {
                        let is: Vec<String> = document.part(part).into_iter().collect();
                        self.values(&format!("{name}: {part}"), &is, expected);
                    }
                }
            }
        }
    }

    fn values(&mut self, what: &str, is: &[String], expected: &OneOrMany) {
        let filled: Result<Vec<String>, _> =
            expected.values().into_iter().map(|value| self.context.placeholders.text(value)).collect();
        match filled {
            Err(error) => self.wrong.push(error.to_string()),
            Ok(expected) => {
                let expected = sorted(expected);
                let same = is.len() == expected.len()
                    && is.iter().zip(&expected).all(|(is, expected)| matches(is, expected));
                self.check(same, || format!("{what}: expected {expected:?}, came {is:?}"));
            }
        }
    }

    /// Results that are documents of this scenario.
    fn own(&self, response: &Response) -> usize {
        let is_own = |attribute: &str, value: &str| {
            self.context.objects.values().any(|sent| sent.entry.value(attribute) == value)
        };
        response.entries.iter().filter(|entry| is_own("uniqueId", entry.value("uniqueId"))).count()
            + response.object_refs.iter().filter(|id| is_own("entryUUID", id)).count()
            + response.documents.iter().filter(|document| is_own("uniqueId", &document.unique_id)).count()
    }

    /// Exactly these objects of a kind come back.
    fn objects(&mut self, kind: Kind, expected: &[String], response: &Response) {
        if kind == Kind::Document && !response.documents.is_empty() {
            return self.documents(expected, response);
        }
        let mut came: Vec<&Entry> = response.entries.iter().filter(|entry| entry.kind == kind).collect();
        let mut missing = Vec::new();
        for name in expected {
            let is = |entry: &&Entry| match self.context.permanent_id(name) {
                Some(id) => entry.value("entryUUID") == id,
                None => [entry.value("uniqueId"), entry.value("entryUUID")]
                    .contains(&self.unique_id(name).as_str()),
            };
            match came.iter().position(is) {
                Some(position) => drop(came.swap_remove(position)),
                None => missing.push(name.as_str()),
            }
        }
        let missing = missing.join(", ");
        self.check(missing.is_empty(), || format!("missing: {missing} (came: {})", response.summary()));
        let is_own = |entry: &&Entry| {
            let sent = |attribute: &str, sent: &Entry| sent.value(attribute) == entry.value(attribute);
            let mut objects = self.context.objects.values();
            objects.any(|other| sent("uniqueId", &other.entry) || sent("entryUUID", &other.entry))
        };
        if self.context.patient_is_shared {
            came.retain(is_own);
        }
        let surplus: Vec<String> = came
            .into_iter()
            .map(|entry| self.name_of(entry.value("entryUUID"), entry.value("uniqueId")))
            .collect();
        self.check(surplus.is_empty(), || format!("should not have come: {}", surplus.join(", ")));
    }

    /// Exactly these references, of whatever kind.
    fn references(&mut self, expect: &Expect, response: &Response) {
        let mut expected: Vec<String> = Vec::new();
        let lists = [&expect.documents, &expect.sets, &expect.folders];
        expected.extend(lists.into_iter().flatten().flatten().cloned());
        for link in expect.associations.iter().flatten() {
            match link {
                Link::Name(name) => expected.push(name.clone()),
                Link::Ends(_) => {
                    self.wrong.push("an ObjectRef does not tell the ends of an Association".into())
                }
            }
        }
        if lists.iter().all(|list| list.is_none()) && expect.associations.is_none() {
            return;
        }
        let mut came: Vec<&String> = response.object_refs.iter().collect();
        let mut missing = Vec::new();
        for name in &expected {
            let id = match self.context.objects.get(name) {
                Some(sent) => sent.entry.value("entryUUID").to_owned(),
                None => self.context.placeholders.text(name).unwrap_or_default(),
            };
            match came.iter().position(|other| **other == id) {
                Some(position) => drop(came.swap_remove(position)),
                None => missing.push(name.as_str()),
            }
        }
        let missing = missing.join(", ");
        self.check(missing.is_empty(), || format!("missing: {missing} (came: {})", response.summary()));
        if self.context.patient_is_shared {
            came.retain(|id| self.context.ids.values().any(|sent| sent == *id));
        }
        let surplus: Vec<String> = came.into_iter().map(|id| self.name_of(id, id)).collect();
        self.check(surplus.is_empty(), || format!("should not have come: {}", surplus.join(", ")));
    }

    /// Exactly these documents come back with their octets.
    fn documents(&mut self, expected: &[String], response: &Response) {
        let mut came: Vec<&str> =
            response.documents.iter().map(|document| document.unique_id.as_str()).collect();
        let mut missing = Vec::new();
        for name in expected {
            let id = self.unique_id(name);
            match came.iter().position(|other| *other == id) {
                Some(position) => drop(came.swap_remove(position)),
                None => missing.push(name.as_str()),
            }
            for document in response.documents.iter().filter(|document| document.unique_id == id) {
                self.octets(name, document);
            }
        }
        let missing = missing.join(", ");
        self.check(missing.is_empty(), || format!("missing: {missing} (came: {})", response.summary()));
        let surplus: Vec<String> = came.into_iter().map(|id| self.name_of("", id)).collect();
        self.check(surplus.is_empty(), || format!("should not have come: {}", surplus.join(", ")));
    }

    fn associations(&mut self, expected: &[Link], response: &Response) {
        let is_association = |entry: &&Entry| entry.kind == Kind::Association;
        let all: Vec<&Entry> = response.entries.iter().filter(is_association).collect();
        let mut came = all.clone();
        let mut missing = Vec::new();
        for link in expected {
            let ids = self.ids_of(link, &all);
            match came.iter().position(|entry| ids.iter().any(|id| id == entry.value("entryUUID"))) {
                Some(position) => drop(came.swap_remove(position)),
                None => missing.push(describe(link)),
            }
        }
        let missing = missing.join(", ");
        self.check(missing.is_empty(), || format!("missing: {missing} (came: {})", response.summary()));
        let surplus: Vec<String> = came
            .into_iter()
            .map(|entry| {
                let end = |name| self.name_of(entry.value(name), "");
                let kind = entry.value("type").rsplit(':').next().unwrap_or_default();
                format!("{kind} {} {}", end("source"), end("target"))
            })
            .collect();
        self.check(surplus.is_empty(), || format!("should not have come: {}", surplus.join(", ")));
    }

    /// Ids that the link can mean: of the object with its name, or of every Association with its type and ends.
    fn ids_of(&mut self, link: &Link, associations: &[&Entry]) -> Vec<String> {
        match link {
            Link::Name(name) => {
                let id = self.context.id(name);
                self.context.placeholders.text(&id).into_iter().collect()
            }
            Link::Ends(ends) => {
                let [Link::Name(kind), source, target] = ends.as_slice() else {
                    self.wrong.push("an Association is a name, or [type, source, target]".into());
                    return Vec::new();
                };
                let kind = association_type(kind);
                let (sources, targets) =
                    (self.ids_of(source, associations), self.ids_of(target, associations));
                let has = |entry: &&&Entry| {
                    entry.value("type") == kind
                        && sources.iter().any(|id| id == entry.value("source"))
                        && targets.iter().any(|id| id == entry.value("target"))
                };
                associations.iter().filter(has).map(|entry| entry.value("entryUUID").to_owned()).collect()
            }
        }
    }

    /// The uniqueId of an object, or the text itself when it names none.
    pub(super) fn unique_id(&self, name: &str) -> String {
        match self.context.objects.get(name) {
            Some(sent) => sent.entry.value("uniqueId").to_owned(),
            None => self.context.placeholders.clone().text(name).unwrap_or_default(),
        }
    }

    /// What the scenario calls an object.
    fn name_of(&self, entry_uuid: &str, unique_id: &str) -> String {
        let named = |attribute: &str, id: &str| {
            let mut objects = self.context.objects.iter();
            objects
                .find(|(_, sent)| !id.is_empty() && sent.entry.value(attribute) == id)
                .map(|(name, _)| name)
        };
        let name = named("entryUUID", entry_uuid).or_else(|| named("uniqueId", unique_id));
        name.cloned().unwrap_or_else(|| if unique_id.is_empty() { entry_uuid } else { unique_id }.to_owned())
    }

    fn octets(&mut self, name: &str, document: &Retrieved) {
        let Some(sent) = self.context.objects.get(name).cloned() else { return };
        if let Some(octets) = &sent.octets {
            self.check(document.octets == octets, || {
                format!(
                    "{name}: {} bytes came back, not the {} that were sent",
                    document.octets.len(),
                    octets.len()
                )
            });
        }
        self.equal(&format!("{name}: mimeType"), &document.mime_type, sent.entry.value("mimeType"));
        if let Ok(repository) = self.context.placeholders.text("{{repository|}}") {
            self.equal(&format!("{name}: RepositoryUniqueId"), &document.repository, &repository);
        }
    }

    fn find<'r>(&self, name: &str, response: &'r Response) -> Option<&'r Entry> {
        if let Some(id) = self.context.permanent_id(name) {
            // Several entries may share a uniqueId.
            return response.entries.iter().find(|entry| entry.value("entryUUID") == id);
        }
        let id = self.unique_id(name);
        let is = |entry: &&Entry| [entry.value("uniqueId"), entry.value("entryUUID")].contains(&id.as_str());
        response.entries.iter().find(is)
    }
}

fn describe(link: &Link) -> String {
    match link {
        Link::Name(name) => name.clone(),
        Link::Ends(ends) => format!("({})", ends.iter().map(describe).collect::<Vec<_>>().join(" ")),
    }
}

/// `*` at either end stands for anything.
fn matches(is: &str, expected: &str) -> bool {
    match (expected.strip_prefix('*'), expected.strip_suffix('*')) {
        (_, Some("")) => true,
        (Some(rest), Some(_)) => is.contains(rest.trim_end_matches('*')),
        (Some(end), None) => is.ends_with(end),
        (None, Some(start)) => is.starts_with(start),
        (None, None) => is == expected,
    }
}

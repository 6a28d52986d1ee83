//! One event for each patient whose objects a removal concerns; what nobody knows has no patient.

use access::Requester;
use atna::{Act, Event, Object, Outcome, RegistryObjectKind, Source};
use xds::message::RemoveObjects;
use xds::metadata::AssociationType;
use xds::value::{parse_uuid_urn, uuid_urn};

use crate::Failure;
use crate::sql::{Removable, What};

pub fn removed(requester: &Requester, source: &Source, objects: &[Removable]) -> Vec<Event> {
    per_patient(objects, &Event::new(Act::Iti62Registry, Outcome::Success, requester, source))
}

pub fn failed(
    requester: &Requester,
    source: &Source,
    request: &RemoveObjects,
    objects: &[Removable],
    failure: &Failure,
) -> Vec<Event> {
    let outcome = match failure.is_refusal() {
        true => Outcome::MinorFailure,
        false => Outcome::SeriousFailure,
    };
    let event = Event::new(Act::Iti62Registry, outcome, requester, source).described(failure.codes());
    let known = |id: &str| objects.iter().any(|object| Some(object.entry_uuid) == parse_uuid_urn(id));
    let mut events = per_patient(objects, &event);
    let unknown: Vec<Object> = request
        .0
        .iter()
        .filter(|id| !known(id))
        .map(|id| Object::RegistryObject { entry_uuid: id.clone(), kind: RegistryObjectKind::Reference })
        .collect();
    if !unknown.is_empty() {
        events.push(Event { objects: unknown, ..event });
    }
    events
}

/// `objects` come in the order of their records.
fn per_patient(objects: &[Removable], event: &Event) -> Vec<Event> {
    objects
        .chunk_by(|a, b| a.record == b.record)
        .map(|group| {
            let patient = group.first().and_then(|object| object.patient_id.as_deref());
            let event = Event { id: uuid::Uuid::new_v4(), ..event.clone() }.patient(patient);
            group.iter().fold(event, |event, object| {
                event.object(Object::RegistryObject {
                    entry_uuid: uuid_urn(object.entry_uuid),
                    kind: kind(&object.what),
                })
            })
        })
        .collect()
}

fn kind(what: &What) -> RegistryObjectKind {
    match what {
        What::DocumentEntry { on_demand: false } => RegistryObjectKind::DocumentEntry,
        What::DocumentEntry { on_demand: true } => RegistryObjectKind::OnDemandDocumentEntry,
        What::SubmissionSet => RegistryObjectKind::SubmissionSet,
        What::Folder => RegistryObjectKind::Folder,
        What::Association(link) => match AssociationType::from_urn(&link.association_type) {
            Some(AssociationType::HasMember) => RegistryObjectKind::HasMember,
            Some(AssociationType::Rplc) => RegistryObjectKind::Replacement,
            Some(AssociationType::Xfrm) => RegistryObjectKind::Transformation,
            Some(AssociationType::Apnd) => RegistryObjectKind::Addendum,
            Some(AssociationType::XfrmRplc) => RegistryObjectKind::TransformationAndReplacement,
            Some(AssociationType::Signs) => RegistryObjectKind::Signature,
            Some(AssociationType::IsSnapshotOf) => RegistryObjectKind::Snapshot,
            _ => RegistryObjectKind::Reference,
        },
    }
}

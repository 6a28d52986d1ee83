//! Documents in traces: one event for each patient.

use atna::{Event, Object};
use uuid::Uuid;
use xds::message::DocumentRequest;

/// A document that was asked for, and its patient (CX) as far as known.
pub type Touched = (Option<String>, DocumentRequest);

/// `event` for each patient, with the patient's documents.
pub fn events(event: &Event, mut touched: Vec<Touched>) -> Vec<Event> {
    touched.sort_by(|(a, _), (b, _)| a.cmp(b));
    touched
        .chunk_by(|(a, _), (b, _)| a == b)
        .map(|group| {
            let patient = group.first().and_then(|(patient, _)| patient.as_deref());
            let event = Event { id: Uuid::new_v4(), ..event.clone() }.patient(patient);
            group.iter().fold(event, |event, (_, request)| {
                event.object(Object::Document {
                    unique_id: request.document_unique_id.clone(),
                    repository_unique_id: request.repository_unique_id.clone(),
                    home_community_id: request.home_community_id.clone(),
                })
            })
        })
        .collect()
}

//! Documents in traces: one event for each patient.

use atna::{Event, Object};
use uuid::Uuid;
use xds::message::DocumentRequest;

/// A document that was asked for, and what is known of it.
#[derive(Debug, Clone)]
pub struct Touched {
    pub request: DocumentRequest,
    /// CX.
    pub patient: Option<String>,
    pub title: Option<String>,
}

impl Touched {
    pub fn unknown(request: DocumentRequest) -> Self {
        Touched { request, patient: None, title: None }
    }
}

/// `event` for each patient, with the patient's documents.
pub fn events(event: &Event, mut touched: Vec<Touched>) -> Vec<Event> {
    touched.sort_by(|a, b| a.patient.cmp(&b.patient));
    touched
        .chunk_by(|a, b| a.patient == b.patient)
        .map(|group| {
            let patient = group.first().and_then(|touched| touched.patient.as_deref());
            let event = Event { id: Uuid::new_v4(), ..event.clone() }.patient(patient);
            group.iter().fold(event, |event, Touched { request, title, .. }| {
                event.object(Object::Document {
                    unique_id: request.document_unique_id.clone(),
                    repository_unique_id: request.repository_unique_id.clone(),
                    home_community_id: request.home_community_id.clone(),
                    title: title.clone(),
                })
            })
        })
        .collect()
}

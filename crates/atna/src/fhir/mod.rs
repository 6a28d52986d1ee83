//! FHIR R4 AuditEvent (RESTful ATNA): what is answered to searches, and what a feed brings.

pub mod balp;
mod outcome;
pub mod patient;
mod receive;
mod render;
pub mod search;
mod shape;
mod system;
mod xml;

pub use outcome::{Issue, bundle, operation_outcome};
pub use receive::{Encoding, batch, batch_response, read, received};
pub use xml::to_xml;

use serde_json::{Value, json};

use crate::entry::Unreadable;
use crate::{Entry, Format, Message, Received, dicom};

/// The entry as an AuditEvent, under its own id. What came as an AuditEvent is given as it came.
pub fn audit_event(entry: &Entry) -> Result<Value, Unreadable> {
    let mut resource = match entry {
        Entry::Own(event) => render::audit_event(&Message::from(event)),
        Entry::Received(received) => self::told(received)?,
    };
    if let Some(object) = resource.as_object_mut() {
        object.insert("id".to_owned(), json!(entry.id().to_string()));
    }
    Ok(resource)
}

fn told(received: &Received) -> Result<Value, Unreadable> {
    match received.format {
        Format::Dicom => Ok(render::audit_event(&dicom::parse(&received.octets, usize::MAX)?)),
        Format::FhirJson => receive::read(&received.octets, Encoding::Json, usize::MAX).map_err(Into::into),
        Format::FhirXml => receive::read(&received.octets, Encoding::Xml, usize::MAX).map_err(Into::into),
    }
}

#[cfg(test)]
mod tests;

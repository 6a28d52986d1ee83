//! DICOM audit messages (PS3.15 A.5.1) as XML.

mod read;
mod write;

pub use read::{Error, parse};
pub(crate) use write::allowed;
pub use write::write;

use crate::{Event, Message};

/// The event as `<AuditMessage>` XML, without an XML declaration. Only what the event holds goes into it, so that it is
/// the same wherever and whenever it is made.
pub fn render(event: &Event) -> String {
    write(&Message::from(event))
}

#[cfg(test)]
mod tests;

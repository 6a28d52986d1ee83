//! DICOM audit message (PS3.15 A.5).

use crate::Event;

/// The event as `<AuditMessage>` XML.
pub fn render(_event: &Event) -> String {
    todo!()
}

//! Syslog as audit trails travel in it (ITI-20): messages of RFC 5424, and their frames on a stream, RFC 5425.
//!
//! Pure: octets in, values out. [`Framer`] takes octets as they arrive and gives complete messages; [`Message::parse`] reads
//! one; [`Header`] writes one and [`frame`] makes it ready for a stream.

mod framing;
mod message;
mod structured_data;
mod write;

pub use framing::{FrameError, Framer, frame};
pub use message::{Error, Field, Message};
pub use write::Header;

/// MSGID of an audit message (ITI TF-2 §3.20.4.1.2.1).
pub const AUDIT_MESSAGE_ID: &str = "IHE+RFC-3881";
/// Facility 10 (security), severity 5 (notice).
pub const AUDIT_PRIORITY: u8 = 85;

//! HL7 v2 as a patient identity feed needs it (ITI-8, TF-2 §3.8 and Appendix C): MLLP frames, messages, acknowledgements.
//!
//! Pure: octets in, values out. [`Framer`] takes octets as they arrive and gives complete messages; [`Message::parse`]
//! reads one; [`adt::read`] says what it asks for; [`Ack`] writes the answer. Nothing here keeps more than a message.

mod ack;
pub mod adt;
mod charset;
mod message;
mod mllp;

pub use ack::{Ack, AckCode, Problem, ProblemCode};
pub use charset::Charset;
pub use message::{Header, Message, ParseError, Segment, Value};
pub use mllp::{Frame, Framer, wrap};

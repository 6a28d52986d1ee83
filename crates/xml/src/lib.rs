//! The one strict door for XML.
//!
//! Everything that Carnet reads as XML (SOAP envelopes, ebXML metadata, CDA documents) enters through
//! [`decode`] and [`Document::parse`]: well-formed, namespace-aware, without a DTD, bounded in size and depth.
//! Everything it writes leaves through [`Writer`], which knows how to escape.

mod budget;
mod read;
mod write;

pub use read::{Document, Element, Error, Limits, decode, decode_as};
pub use write::{Writer, escape_attribute, escape_text};

//! Reads the header of a clinical document (HL7 CDA R2) and says it in the words of XDS.
//!
//! [`read`] turns octets into a [`Header`]: a plain account of what the document says about itself, without
//! judgement. [`metadata::document_entry`] turns a header into a DocumentEntry by the rules of the French profile
//! (CI-SIS, *volet Structuration minimale*). [`facts::HeaderFacts`] is what a registry wants to know of a header beyond
//! XDS metadata.
//!
//! Pure: no I/O, no clock. The body of a document is never looked at, except for its kind.

pub mod facts;
mod header;
pub mod metadata;
mod read;
mod tables;
mod time;

pub use header::{
    Act, Agent, AgentName, Author, Body, Coded, Header, Id, Organisation, Parent, Patient, Relation,
};
pub use read::{Error, read};

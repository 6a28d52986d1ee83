//! The XDS metadata model: what a document, a submission, a folder and an association say, how ebXML carries it,
//! and which rules it must obey (IHE ITI TF-3 chapter 4). Pure: no I/O, no clock, no randomness of its own.
//!
//! Two layers. [`ebxml`] is the wire form, read and written without loss, so that what was submitted comes back.
//! [`metadata`] is the typed view of it; [`submission::ValidSubmission`] is the only thing that can be registered.

pub mod affinity;
pub mod constants;
pub mod ebxml;
pub mod error;
pub mod fragment;
pub mod message;
pub mod metadata;
pub mod query;
pub mod rules;
pub mod submission;
pub mod update;
pub mod value;

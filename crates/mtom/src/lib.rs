//! MTOM packages as streams (ITI TF-2 Appendix V.8): a part is never held in memory as a whole.

mod base64;
mod read;
mod write;

pub use read::{Error, Limits, Package as ReceivedPackage, PartSink, read_package};
pub use write::{Package, Part};

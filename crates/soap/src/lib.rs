//! SOAP 1.2 with WS-Addressing, and the heads of MTOM packages (ITI TF-2 Appendix V). Pure: no I/O.

mod content_type;
#[cfg(test)]
mod corpus;
mod envelope;
mod fault;
pub mod multipart;
pub mod package;

pub use content_type::{ContentType, Encoding};
pub use envelope::{Header, Message, read, write};
pub use fault::{FAULT_ACTION, Fault, FaultCode, ReceivedFault, Subcode, read_fault};

pub const SOAP_1_2: &str = "http://www.w3.org/2003/05/soap-envelope";
pub const SOAP_1_1: &str = "http://schemas.xmlsoap.org/soap/envelope/";
pub const ADDRESSING: &str = "http://www.w3.org/2005/08/addressing";
pub const ANONYMOUS: &str = "http://www.w3.org/2005/08/addressing/anonymous";
/// The address of an answer that nobody wants.
pub const NONE: &str = "http://www.w3.org/2005/08/addressing/none";
pub const WSSE: &str = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd";

/// `Content-Type` of plain SOAP.
pub fn simple_content_type(action: &str) -> String {
    format!("application/soap+xml; charset=UTF-8; action=\"{action}\"")
}

//! Message bodies of the XDS.b transactions: reading and writing (TF-2 §3.18, §3.41 to §3.43, §3.61; RMD §3.62, §3.86;
//! schema order).
//!
//! What is written declares its own namespaces, so that it can stand in any envelope. Readers accept what the schema
//! allows and what senders are known to do; they refuse what could be understood in two ways.

mod content;
#[cfg(test)]
mod corpus;
mod provide_and_register;
mod query;
mod remove_objects;
mod response;
mod retrieve;
#[cfg(test)]
mod tests;

pub use content::Content;
pub use provide_and_register::ProvideAndRegister;
pub use query::{QueryResult, ReceivedQuery, read_query_response, write_query_response};
pub use remove_objects::RemoveObjects;
pub use response::{ReceivedError, ReceivedResponse, RegistryResponse, ResponseStatus};
pub use retrieve::{
    DocumentRequest, DocumentResponse, Made, RemoveDocuments, RetrieveRequest, read_retrieve_response,
    write_retrieve_response,
};

use xml::Element;

/// Why a recognisable body cannot be used at all; becomes a RegistryResponse with a metadata error.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct MessageError(pub String);

fn expect(element: Element<'_>, namespace: &str, name: &str) -> Result<(), MessageError> {
    match element.is(namespace, name) {
        true => Ok(()),
        false => Err(MessageError(format!("not a {name} of namespace {namespace}"))),
    }
}

fn child<'d>(parent: Element<'d>, namespace: &str, name: &str) -> Result<Element<'d>, MessageError> {
    parent
        .child(namespace, name)
        .ok_or_else(|| MessageError(format!("{} has no {name} of namespace {namespace}", parent.name())))
}

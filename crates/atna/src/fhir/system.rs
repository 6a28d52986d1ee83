//! Code systems: DICOM has names where FHIR has URIs.

use std::borrow::Cow;

pub const DCM: &str = "http://dicom.nema.org/resources/ontology/DCM";
/// IHE transactions.
pub const TRANSACTIONS: &str = "urn:ihe:event-type-code";

const NAMES: [(&str, &str); 3] =
    [("DCM", DCM), ("IHE Transactions", TRANSACTIONS), ("RFC-3881", "urn:ietf:rfc:3881")];
/// Under which names without a URI of their own are put.
const OTHER: &str = "urn:carnet:code-system:";

pub fn uri(name: &str) -> Cow<'_, str> {
    if let Some((_, uri)) = NAMES.iter().find(|(known, _)| *known == name) {
        return Cow::Borrowed(uri);
    }
    let is_oid = name.contains('.') && name.chars().all(|c| c.is_ascii_digit() || c == '.');
    match name {
        name if name.contains(':') && !name.contains(char::is_whitespace) => Cow::Borrowed(name),
        name if is_oid => Cow::Owned(format!("urn:oid:{name}")),
        name => Cow::Owned(format!("{OTHER}{}", name.replace(char::is_whitespace, "-"))),
    }
}

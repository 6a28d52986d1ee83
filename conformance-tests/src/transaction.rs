//! The transactions: their actions, where they go, in which encoding, and what answers them (TF-2 Appendix V).

use serde::Deserialize;

use crate::scenario::{Encoding, Endpoint};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize)]
pub enum Transaction {
    #[serde(rename = "ITI-8")]
    Iti8,
    #[serde(rename = "ITI-18")]
    Iti18,
    #[serde(rename = "ITI-41")]
    Iti41,
    #[serde(rename = "ITI-42")]
    Iti42,
    #[serde(rename = "ITI-43")]
    Iti43,
    #[serde(rename = "ITI-44")]
    Iti44,
    #[serde(rename = "ITI-51")]
    Iti51,
    #[serde(rename = "ITI-57")]
    Iti57,
    #[serde(rename = "ITI-61")]
    Iti61,
    #[serde(rename = "ITI-62")]
    Iti62,
    #[serde(rename = "ITI-86")]
    Iti86,
    #[serde(rename = "ITI-92")]
    Iti92,
}

impl Transaction {
    /// wsa:Action of the request. Of ITI-44 it depends on the event; ITI-8 has none.
    pub fn action(self) -> &'static str {
        match self {
            Transaction::Iti8 => "",
            Transaction::Iti18 => "urn:ihe:iti:2007:RegistryStoredQuery",
            Transaction::Iti41 => "urn:ihe:iti:2007:ProvideAndRegisterDocumentSet-b",
            Transaction::Iti42 => "urn:ihe:iti:2007:RegisterDocumentSet-b",
            Transaction::Iti43 => "urn:ihe:iti:2007:RetrieveDocumentSet",
            Transaction::Iti44 => "urn:hl7-org:v3:PRPA_IN201301UV02",
            Transaction::Iti51 => "urn:ihe:iti:2009:MultiPatientStoredQuery",
            Transaction::Iti57 => "urn:ihe:iti:2010:UpdateDocumentSet",
            Transaction::Iti61 => "urn:ihe:iti:2010:RegisterOnDemandDocumentEntry",
            Transaction::Iti62 => "urn:ihe:iti:2010:DeleteDocumentSet",
            Transaction::Iti86 => "urn:ihe:iti:2017:RemoveDocuments",
            Transaction::Iti92 => "urn:ihe:iti:2018:RestrictedUpdateDocumentSet",
        }
    }

    /// wsa:Action of the answer: the request's with `Response`, but for two.
    pub fn response_actions(self) -> Vec<String> {
        match self {
            Transaction::Iti44 => vec!["urn:hl7-org:v3:MCCI_IN000002UV01".into()],
            // Printed without "Entry" in TF-2 3.61; the naming rule of Appendix V asks for it.
            Transaction::Iti61 => vec![
                "urn:ihe:iti:2010:RegisterOnDemandDocumentResponse".into(),
                "urn:ihe:iti:2010:RegisterOnDemandDocumentEntryResponse".into(),
            ],
            other => vec![format!("{}Response", other.action())],
        }
    }

    /// Local name of the element in the body of the answer.
    pub fn answer(self) -> &'static str {
        match self {
            Transaction::Iti8 => "ACK",
            Transaction::Iti18 | Transaction::Iti51 => "AdhocQueryResponse",
            Transaction::Iti43 => "RetrieveDocumentSetResponse",
            Transaction::Iti44 => "MCCI_IN000002UV01",
            _ => "RegistryResponse",
        }
    }

    /// TF-2 Appendix V.8.1.
    pub fn encoding(self) -> Encoding {
        match self {
            Transaction::Iti41 | Transaction::Iti43 => Encoding::Mtom,
            _ => Encoding::Simple,
        }
    }

    pub fn endpoint(self) -> Endpoint {
        match self {
            Transaction::Iti8 => Endpoint::Feed,
            Transaction::Iti41 | Transaction::Iti43 | Transaction::Iti86 => Endpoint::Repository,
            _ => Endpoint::Registry,
        }
    }

    /// Whether the request carries objects to be stored.
    pub fn submits(self) -> bool {
        use Transaction::{Iti41, Iti42, Iti57, Iti61, Iti92};
        matches!(self, Iti41 | Iti42 | Iti57 | Iti61 | Iti92)
    }

    /// Whether the objects are new versions of objects that are there.
    pub fn updates(self) -> bool {
        matches!(self, Transaction::Iti57 | Transaction::Iti92)
    }
}

/// The URN of a short name; anything else as it stands.
pub fn association_type(kind: &str) -> String {
    match kind {
        "HasMember" => "urn:oasis:names:tc:ebxml-regrep:AssociationType:HasMember".into(),
        "RPLC" | "XFRM" | "APND" | "XFRM_RPLC" | "signs" => {
            format!("urn:ihe:iti:2007:AssociationType:{kind}")
        }
        "IsSnapshotOf" | "UpdateAvailabilityStatus" | "SubmitAssociation" => {
            format!("urn:ihe:iti:2010:AssociationType:{kind}")
        }
        other => other.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_names_of_associations_become_urns() {
        assert_eq!(association_type("signs"), "urn:ihe:iti:2007:AssociationType:signs");
        assert_eq!(association_type("urn:x"), "urn:x");
    }
}

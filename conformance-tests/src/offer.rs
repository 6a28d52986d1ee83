//! What a server offers. A scenario says what it needs; what is not offered is reported as such, never as passed.

use serde::Deserialize;

/// Something that not every server has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum Need {
    /// A submission opens the record of a patient that is not known.
    #[serde(alias = "unknown patients opened")]
    #[value(skip)]
    UnknownPatientsOpened,
    /// A submission for a patient that is not known is refused.
    #[serde(alias = "unknown patients refused")]
    #[value(skip)]
    UnknownPatientsRefused,
    /// Patient Identity Feed, HL7 v2 (ITI-8).
    Feed,
    /// Patient Identity Feed, HL7 v3 (ITI-44).
    #[serde(alias = "feed v3")]
    FeedV3,
    /// Update Document Set (ITI-57).
    Update,
    /// Restricted Update Document Set (ITI-92).
    #[serde(alias = "restricted update")]
    RestrictedUpdate,
    /// Remove Metadata (ITI-62).
    #[serde(alias = "removal of metadata")]
    RemovalOfMetadata,
    /// Remove Documents (ITI-86).
    #[serde(alias = "removal of documents")]
    RemovalOfDocuments,
    /// Register On-Demand Document Entry (ITI-61).
    #[serde(alias = "on-demand")]
    OnDemand,
    /// A repository that answers ITI-43 for on-demand entries with assembled documents.
    #[serde(alias = "on-demand documents")]
    OnDemandDocuments,
    /// On-demand documents are kept as snapshots.
    Snapshots,
    /// Multi-Patient Stored Query (ITI-51).
    #[serde(alias = "multi-patient")]
    MultiPatient,
    /// FindDocumentsByReferenceId.
    #[serde(alias = "reference id")]
    ReferenceId,
    /// Codes and media types are restricted, to value sets that have those of the sample documents. Never asked for.
    #[serde(alias = "value sets")]
    ValueSets,
    /// A complete answer holds at most two objects, and a query that finds more is refused. Never asked for.
    #[serde(alias = "few results")]
    FewResults,
    /// Names of extra Slots are URNs outside urn:ihe: (V27). Never asked for.
    #[serde(alias = "strict slot names")]
    StrictSlotNames,
    /// The metadata rules of the French shared record (F1 to F11). Never asked for.
    CiSis,
    /// WS-Addressing with a ReplyTo of the caller's.
    Asynchronous,
    /// Content-Encoding: gzip.
    Gzip,
}

impl Need {
    /// As on the command line.
    pub fn name(self) -> String {
        match self {
            Need::UnknownPatientsOpened => "unknown-patients-opened".into(),
            Need::UnknownPatientsRefused => "unknown-patients-refused".into(),
            other => clap::ValueEnum::to_possible_value(&other)
                .map_or_else(String::new, |value| value.get_name().to_owned()),
        }
    }

    /// Everything that a server can offer or not.
    pub fn options() -> &'static [Need] {
        <Need as clap::ValueEnum>::value_variants()
    }
}

//! The typed view of XDS metadata (TF-3 §4.2.3, Tables 4.3.1-3 and 4.3.2.1-3).

mod from_ebxml;
mod read;
mod to_ebxml;

pub(crate) use from_ebxml::ANNOTATIONS;

use uuid::Uuid;

use crate::constants::{
    AVAILABILITY_OFFLINE, AVAILABILITY_ONLINE, STATUS_APPROVED, STATUS_ARCHIVED, STATUS_DELETED,
    STATUS_DEPRECATED,
};
use crate::value::{Cx, Dtm};

/// A coded value: `code^^scheme` in queries (TF-3 §4.2.3.1.2).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Code {
    pub code: String,
    pub scheme: String,
    pub display: String,
}

/// An author: at least one of person, institution, telecommunication (TF-3 §4.2.3.1.4).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Author {
    /// XCN as sent.
    pub person: Option<String>,
    /// XON as sent.
    pub institutions: Vec<String>,
    pub roles: Vec<String>,
    pub specialties: Vec<String>,
    /// XTN as sent.
    pub telecommunications: Vec<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DocumentType {
    Stable,
    OnDemand,
}

/// Whether a document can be retrieved now (Metadata Update, TF-3 §4.2.3.2.30).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Availability {
    #[default]
    Online,
    Offline,
}

/// `availabilityStatus` of an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AvailabilityStatus {
    Approved,
    Deprecated,
    /// Up to date, and put away: a document of the French shared record.
    Archived,
    /// Withdrawn, and kept: a document of the French shared record.
    Deleted,
}

/// A Slot that XDS does not know: kept and returned (TF-3 §4.2.3.1.6).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExtraSlot {
    pub name: String,
    pub values: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DocumentEntry {
    pub entry_uuid: Uuid,
    pub logical_id: Option<Uuid>,
    pub document_type: DocumentType,
    pub authors: Vec<Author>,
    /// `documentAvailability`: Online when nothing is said.
    pub availability: Option<Availability>,
    pub class_code: Code,
    pub comments: Option<String>,
    pub confidentiality_codes: Vec<Code>,
    pub creation_time: Option<Dtm>,
    pub event_codes: Vec<Code>,
    pub format_code: Code,
    /// SHA-1, 40 hexadecimal digits in lower case.
    pub hash: Option<String>,
    pub healthcare_facility_type_code: Code,
    pub home_community_id: Option<String>,
    pub language_code: String,
    pub legal_authenticator: Option<String>,
    pub mime_type: String,
    pub patient_id: Cx,
    pub practice_setting_code: Code,
    /// CXi values as sent.
    pub reference_ids: Vec<String>,
    pub repository_unique_id: Option<String>,
    pub service_start_time: Option<Dtm>,
    pub service_stop_time: Option<Dtm>,
    pub size: Option<u64>,
    pub source_patient_id: Option<Cx>,
    /// `PID-n|value` as sent.
    pub source_patient_info: Vec<String>,
    pub title: Option<String>,
    pub type_code: Code,
    pub unique_id: String,
    pub uri: Option<String>,
    pub extra: Vec<ExtraSlot>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SubmissionSet {
    pub entry_uuid: Uuid,
    pub authors: Vec<Author>,
    pub comments: Option<String>,
    pub content_type_code: Code,
    pub home_community_id: Option<String>,
    /// `XON|XCN|XTN` values as sent.
    pub intended_recipients: Vec<String>,
    pub patient_id: Cx,
    pub source_id: String,
    pub submission_time: Dtm,
    pub title: Option<String>,
    pub unique_id: String,
    pub extra: Vec<ExtraSlot>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Folder {
    pub entry_uuid: Uuid,
    pub logical_id: Option<Uuid>,
    pub codes: Vec<Code>,
    pub comments: Option<String>,
    pub home_community_id: Option<String>,
    pub patient_id: Cx,
    pub title: String,
    pub unique_id: String,
    pub extra: Vec<ExtraSlot>,
}

/// Association types (TF-3 §4.2.2). The last two say what a metadata update is to do and occur in ITI-57 only.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum AssociationType {
    HasMember,
    Rplc,
    Xfrm,
    Apnd,
    XfrmRplc,
    Signs,
    IsSnapshotOf,
    UpdateAvailabilityStatus,
    SubmitAssociation,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SubmissionSetStatus {
    Original,
    Reference,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Association {
    pub entry_uuid: Uuid,
    pub association_type: AssociationType,
    pub source: Uuid,
    pub target: Uuid,
    pub submission_set_status: Option<SubmissionSetStatus>,
    /// Association documentation.
    pub documentation: Option<Code>,
    pub extra: Vec<ExtraSlot>,
}

impl Code {
    pub fn new(code: &str, scheme: &str, display: &str) -> Self {
        Code { code: code.to_owned(), scheme: scheme.to_owned(), display: display.to_owned() }
    }

    /// `code^^scheme`: how queries name it, and how the registry stores it for them.
    pub fn key(&self) -> String {
        format!("{}^^{}", self.code, self.scheme)
    }
}

impl AssociationType {
    pub fn urn(self) -> &'static str {
        match self {
            AssociationType::HasMember => "urn:oasis:names:tc:ebxml-regrep:AssociationType:HasMember",
            AssociationType::Rplc => "urn:ihe:iti:2007:AssociationType:RPLC",
            AssociationType::Xfrm => "urn:ihe:iti:2007:AssociationType:XFRM",
            AssociationType::Apnd => "urn:ihe:iti:2007:AssociationType:APND",
            AssociationType::XfrmRplc => "urn:ihe:iti:2007:AssociationType:XFRM_RPLC",
            AssociationType::Signs => "urn:ihe:iti:2007:AssociationType:signs",
            AssociationType::IsSnapshotOf => "urn:ihe:iti:2010:AssociationType:IsSnapshotOf",
            AssociationType::UpdateAvailabilityStatus => {
                "urn:ihe:iti:2010:AssociationType:UpdateAvailabilityStatus"
            }
            AssociationType::SubmitAssociation => "urn:ihe:iti:2010:AssociationType:SubmitAssociation",
        }
    }

    /// The last part of the URN, for sentences.
    pub fn name(self) -> &'static str {
        self.urn().rsplit(':').next().unwrap_or_default()
    }

    pub fn from_urn(urn: &str) -> Option<Self> {
        use AssociationType::*;
        [
            HasMember,
            Rplc,
            Xfrm,
            Apnd,
            XfrmRplc,
            Signs,
            IsSnapshotOf,
            UpdateAvailabilityStatus,
            SubmitAssociation,
        ]
        .into_iter()
        .find(|t| t.urn() == urn)
    }

    /// Says what a metadata update is to do.
    pub fn is_of_update(self) -> bool {
        matches!(self, AssociationType::UpdateAvailabilityStatus | AssociationType::SubmitAssociation)
    }

    /// From a document to another: neither a membership nor a word about an update.
    pub fn is_relationship(self) -> bool {
        self != AssociationType::HasMember && !self.is_of_update()
    }

    /// RPLC and XFRM_RPLC deprecate their target.
    pub fn replaces(self) -> bool {
        matches!(self, AssociationType::Rplc | AssociationType::XfrmRplc)
    }
}

impl Availability {
    pub fn urn(self) -> &'static str {
        match self {
            Availability::Online => AVAILABILITY_ONLINE,
            Availability::Offline => AVAILABILITY_OFFLINE,
        }
    }

    pub fn from_urn(urn: &str) -> Option<Self> {
        [Availability::Online, Availability::Offline].into_iter().find(|a| a.urn() == urn)
    }
}

impl AvailabilityStatus {
    const ALL: [AvailabilityStatus; 4] = [
        AvailabilityStatus::Approved,
        AvailabilityStatus::Deprecated,
        AvailabilityStatus::Archived,
        AvailabilityStatus::Deleted,
    ];

    /// The last part of the URN.
    pub fn name(self) -> &'static str {
        self.urn().rsplit(':').next().unwrap_or_default()
    }

    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.name() == name)
    }

    /// Only documents of the French shared record have them.
    pub fn is_national(self) -> bool {
        matches!(self, AvailabilityStatus::Archived | AvailabilityStatus::Deleted)
    }

    pub fn urn(self) -> &'static str {
        match self {
            AvailabilityStatus::Approved => STATUS_APPROVED,
            AvailabilityStatus::Deprecated => STATUS_DEPRECATED,
            AvailabilityStatus::Archived => STATUS_ARCHIVED,
            AvailabilityStatus::Deleted => STATUS_DELETED,
        }
    }

    pub fn from_urn(urn: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.urn() == urn)
    }
}

//! The validation table: every rule that a submission must obey, with its number, its code and who checks it (TF-3
//! §4.2.4.1, TF-2 §3.41.4.1.3, §3.42.4.1.3, §3.61.4.1.3; the `F` rules: CI-SIS, volet Partage de documents de santé).
//!
//! A finding about a submission is made by [`Rule::broken`], so it cannot carry another code than its rule's.
//! `docs/validation.md` is this table for readers, and a test holds the two together.

use crate::error::{ErrorCode, Finding, Severity};

/// Who checks a rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// The registry, in what was sent alone.
    Submission,
    /// The registry, against what is registered.
    State,
    /// The registry, under `affinity_domain.profile = "ci-sis"`.
    Profile,
    Repository,
}

/// One row of the table.
#[derive(Debug, PartialEq, Eq)]
pub struct Row {
    /// As tests, scenarios and documents name it; rules with two codes have two rows of one number.
    pub number: &'static str,
    pub side: Side,
    pub code: ErrorCode,
    pub what: &'static str,
}

macro_rules! table {
    ($($rule:ident = $number:literal, $side:ident, $code:ident, $what:literal;)*) => {
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Rule { $($rule),* }

        impl Rule {
            pub const ALL: &[Rule] = &[$(Rule::$rule),*];

            pub const fn row(self) -> &'static Row {
                match self {
                    $(Rule::$rule => {
                        &Row { number: $number, side: Side::$side, code: ErrorCode::$code, what: $what }
                    })*
                }
            }
        }
    };
}

table! {
    V1 = "V1", Submission, XDSRegistryMetadataError,
        "There is exactly one SubmissionSet; every RegistryPackage is marked as SubmissionSet or as Folder, and nothing else is in the list.";
    V2 = "V2", Submission, XDSRegistryMetadataError,
        "Attributes that are required are there.";
    V3 = "V3", Submission, XDSRegistryMetadataError,
        "Attributes are there no more often than allowed, and their values have the form of their data type. UUIDs in upper case are read as lower case.";
    V4 = "V4", Submission, XDSRegistryMetadataError,
        "Slot names are there once in an object; Classifications and ExternalIdentifiers belong to the object that holds them; a code has a value, one codingScheme and a display name.";
    V5 = "V5", Submission, XDSRegistryMetadataError,
        "A code is in the value set of the Affinity Domain, if there is one for its attribute (`affinity_domain.codes`). The display name is not looked at.";
    V6 = "V6", Submission, XDSRegistryMetadataError,
        "mimeType is one of the Affinity Domain's, if it lists any.";
    V7 = "V7", Submission, XDSRegistryMetadataError,
        "serviceStartTime is not later than serviceStopTime, compared as far as both are precise.";
    V8 = "V8", State, XDSUnknownPatientId,
        "The patient's record is open: known, neither closed nor merged away, and of an authority that is allowed (`affinity_domain.restrict_authorities`).";
    V9 = "V9", State, XDSPatientIdDoesNotMatch,
        "Everything in a submission, and everything that it links, is of one patient; only a SubmissionSet may refer to a document of another (HasMember, Reference).";
    V10Hash = "V10", State, XDSNonIdenticalHash,
        "A uniqueId that a DocumentEntry has already returns only with the same hash.";
    V10Size = "V10", State, XDSNonIdenticalSize,
        "A uniqueId that a DocumentEntry has already returns only with the same size.";
    V11 = "V11", State, XDSRegistryMetadataError,
        "Several DocumentEntries may share a uniqueId, hash and size; a DocumentEntry may not have the uniqueId of a SubmissionSet or Folder.";
    V12 = "V12", State, XDSDuplicateUniqueIdInRegistry,
        "SubmissionSet.uniqueId is new among the uniqueIds of all objects.";
    V13 = "V13", State, XDSDuplicateUniqueIdInRegistry,
        "Folder.uniqueId is new among the uniqueIds of all objects.";
    V14 = "V14", Submission, XDSRegistryDuplicateUniqueIdInMessage,
        "No uniqueId is there twice in a submission.";
    V15 = "V15", State, XDSRegistryMetadataError,
        "The id of a new object is new.";
    V16 = "V16", Submission, XDSRegistryMetadataError,
        "No id is there twice in a submission.";
    V17 = "V17", State, UnresolvedReferenceException,
        "Both ends of an association are in the submission or registered; a relationship comes from a document of the submission and leads to a document; what is replaced, or of what a snapshot was made, is registered already.";
    V18 = "V18", State, XDSRegistryDeprecatedDocumentError,
        "No relationship and no Reference leads to a deprecated document.";
    V19Document = "V19", State, XDSRegistryDeprecatedDocumentError,
        "No deprecated document is put into a Folder.";
    V19Folder = "V19", State, XDSRegistryMetadataError,
        "No document is put into a deprecated Folder.";
    V20 = "V20", State, XDSRegistryMetadataError,
        "A snapshot is a Stable document, and of an On-Demand document.";
    V21 = "V21", Submission, XDSRegistryMetadataError,
        "The type of an association is known, may be submitted, and suits two different objects at its ends; nothing of a metadata update (logicalID of another object, PreviousVersion, …) is submitted.";
    V22 = "V22", Submission, XDSRegistryMetadataError,
        "A HasMember takes no association documentation.";
    V23 = "V23", Submission, XDSRegistryMetadataError,
        "HasMember from the SubmissionSet to a document has SubmissionSetStatus: Original for a new one, Reference for one that is registered.";
    V24 = "V24", Submission, XDSRegistryMetadataError,
        "ITI-41 and ITI-42 register Stable documents, ITI-61 On-Demand ones.";
    V25 = "V25", Submission, XDSRegistryMetadataError,
        "An On-Demand document has no creationTime, hash or size: it does not exist yet.";
    V26 = "V26", State, XDSRegistryMetadataError,
        "On-Demand documents may share a uniqueId; a Stable and an On-Demand document may not.";
    V27 = "V27", Submission, XDSRegistryMetadataError,
        "The name of an extra Slot is a URN outside urn:ihe: (only with `metadata.strict_slot_names`).";
    V28 = "V28", Submission, XDSExtraMetadataNotSaved,
        "A warning when extra metadata are not stored. Never given: they are stored and come back.";
    V29 = "V29", Submission, XDSRegistryMetadataError,
        "A Slot name, Slot value, nodeRepresentation or identifier has at most 256 characters, a name at most 1024.";
    S2 = "S2", Submission, XDSRegistryMetadataError,
        "A submission submits something: a document, a Folder, or a document for a Folder.";
    S3 = "S3", Submission, XDSRegistryMetadataError,
        "The SubmissionSet has exactly one HasMember to each new document, each new Folder, and each HasMember of a Folder.";
    S4 = "S4", Submission, XDSRegistryMetadataError,
        "Nothing is marked as limited metadata, which other profiles know.";
    F1 = "F1", Profile, XDSRegistryMetadataError,
        "A document has an author with authorPerson; a SubmissionSet has exactly one author, with authorPerson.";
    F2 = "F2", Profile, XDSRegistryMetadataError,
        "A document has legalAuthenticator, title and serviceStartTime.";
    F3 = "F3", Profile, XDSRegistryMetadataError,
        "patientId is an INS: `INS^^^&OID&ISO^NH`, with an OID of the INS. Its key is what `patients.ins_key` is about.";
    F4 = "F4", Profile, XDSRegistryMetadataError,
        "creationTime is precise to the second.";
    F5 = "F5", Profile, XDSRegistryMetadataError,
        "The uniqueId of a document is an OID, without an extension.";
    F6 = "F6", Profile, XDSRegistryMetadataError,
        "languageCode is fr-FR; that of a signature is art.";
    F7 = "F7", Profile, XDSRegistryMetadataError,
        "A document has at most four confidentialityCodes.";
    F8 = "F8", Profile, XDSRegistryMetadataError,
        "mimeType is text/xml, application/xslt+xml or application/dicom.";
    F9 = "F9", Profile, XDSRegistryMetadataError,
        "No addendum (APND) is submitted.";
    F10 = "F10", Profile, XDSRegistryMetadataError,
        "authorPerson and legalAuthenticator have id, family name, authority, type of name (D, U) and type of id (IDNPS, EI, RI, NH).";
    F11 = "F11", Profile, InvalidDocumentContent,
        "The INS in the header of a CDA document is that of DocumentEntry.patientId. In other profiles a warning.";
    R1 = "R1", Repository, XDSMissingDocumentMetadata,
        "Each document has its ExtrinsicObject.";
    R2 = "R2", Repository, XDSMissingDocument,
        "Each ExtrinsicObject has its document.";
    R3 = "R3", Repository, XDSRepositoryMetadataError,
        "hash and size, if sent, are those of the octets.";
    R4Hash = "R4", Repository, XDSNonIdenticalHash,
        "A uniqueId that is stored returns only with the same octets.";
    R4Size = "R4", Repository, XDSNonIdenticalSize,
        "A uniqueId that is stored returns only with as many octets.";
    R5 = "R5", Repository, XDSRegistryNotAvailable,
        "The registry answers.";
    R6 = "R6", Repository, XDSRepositoryError,
        "SubmissionSet.sourceId is one that may submit. Not restricted: every sourceId is taken.";
    R7 = "R7", Repository, XDSRegistryMetadataError,
        "The repository judges no other metadata: what is wrong with them, the registry says.";
}

impl Rule {
    pub fn code(self) -> ErrorCode {
        self.row().code
    }

    /// What is wrong with the object `location` (the id that the sender knows).
    pub fn broken(self, location: Option<&str>, context: impl Into<String>) -> Finding {
        Finding { rule: Some(self), ..Finding::error(self.code(), location, context) }
    }

    /// What is odd, and accepted.
    pub fn remarked(self, location: Option<&str>, context: impl Into<String>) -> Finding {
        Finding { severity: Severity::Warning, ..self.broken(location, context) }
    }
}

/// `docs/validation.md`.
pub fn document() -> String {
    let mut text = String::from(
        "<!-- Made from crates/xds/src/rules.rs: UPDATE_DOCS=1 cargo test -p xds --test validation -->\n\n\
         # What is checked\n\n\
         A submission that breaks rules is refused as a whole, and its answer lists every rule that it breaks: one error each, with the code of\n\
         this table, the id of the object as it was sent, and a sentence that names the attribute. Tests and scenarios carry the numbers of the rules.\n",
    );
    for (side, heading) in [
        (Side::Submission, "The registry, in the submission alone"),
        (Side::State, "The registry, against what is registered"),
        (Side::Profile, "The registry, with `affinity_domain.profile = \"ci-sis\"`"),
        (Side::Repository, "The repository"),
    ] {
        text.push_str(&format!("\n## {heading}\n\n| rule | what | code |\n|---|---|---|\n"));
        for Row { number, code, what, .. } in
            Rule::ALL.iter().map(|rule| rule.row()).filter(|r| r.side == side)
        {
            text.push_str(&format!("| {number} | {what} | {code} |\n"));
        }
    }
    text
}

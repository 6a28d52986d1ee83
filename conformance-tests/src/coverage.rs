//! Whether there is a scenario for everything that the standard asks for: rules, errors, queries with their parameters,
//! shapes of submissions, transactions.

use std::collections::BTreeSet;

use xds::rules::{Rule, Side};

use crate::scenario::Step;
use crate::transaction::{Transaction, query_id};
use crate::{embedded, scenarios};

/// All steps of all scenarios.
fn steps() -> Vec<Step> {
    scenarios().unwrap().into_iter().flat_map(|scenario| scenario.steps).collect()
}

/// What no request from outside shows: a setting that is not usual (V27), a server that does not keep what it is sent
/// (V28), a registry that is away (R5), a rule that restricts nothing (R6).
const NOT_FROM_OUTSIDE: [&str; 4] = ["V27", "V28", "R5", "R6"];

#[test]
fn every_rule_of_the_validation_table_has_a_scenario_named_after_it() {
    let scenarios = scenarios().unwrap();
    let words: BTreeSet<String> = scenarios
        .iter()
        .flat_map(|s| {
            format!("{} {}", s.name, s.title)
                .split(|c: char| !c.is_alphanumeric())
                .map(word)
                .collect::<Vec<_>>()
        })
        .collect();
    let rows = Rule::ALL.iter().map(|rule| rule.row());
    for row in rows.filter(|row| row.side != Side::Profile && !NOT_FROM_OUTSIDE.contains(&row.number)) {
        assert!(words.contains(&word(row.number)), "no scenario for {}: {}", row.number, row.what);
    }
}

/// `v09` and `V9` are the same word.
fn word(text: &str) -> String {
    let letters = text.trim_end_matches(|c: char| c.is_ascii_digit());
    let number = text[letters.len()..].trim_start_matches('0');
    format!("{}{number}", letters.to_ascii_uppercase())
}

#[test]
fn every_error_code_is_expected_somewhere() {
    // Not here: what a gateway or a recipient of XDR says (TF-3 Table 4.2.4.1-2), what nobody can bring about from
    // outside (Busy, OutOfResources, NotAvailable, RepositoryError, RemoveDocumentsError), XDSTooManyResults, whose
    // number is a setting, XDSExtraMetadataNotSaved of servers that do not keep what they are sent, and
    // InvalidDocumentContent, which only national profiles ask for.
    let codes = [
        "ReferencesExistException",
        "UnmodifiableMetadataError",
        "UnresolvedReferenceException",
        "XDSDocumentUniqueIdError",
        "XDSDuplicateUniqueIdInRegistry",
        "XDSInvalidRequestException",
        "XDSMetadataIdentifierError",
        "XDSMetadataUpdateError",
        "XDSMetadataUpdateOperationError",
        "XDSMetadataVersionError",
        "XDSMissingDocument",
        "XDSMissingDocumentMetadata",
        "XDSNonIdenticalHash",
        "XDSNonIdenticalSize",
        "XDSPatientIDReconciliationError",
        "XDSPatientIdDoesNotMatch",
        "XDSRegistryDeprecatedDocumentError",
        "XDSRegistryDuplicateUniqueIdInMessage",
        "XDSRegistryError",
        "XDSRegistryMetadataError",
        "XDSRepositoryMetadataError",
        "XDSResultNotSinglePatient",
        "XDSStoredQueryMissingParam",
        "XDSStoredQueryParamNumber",
        "XDSUnknownPatientId",
        "XDSUnknownRepositoryId",
        "XDSUnknownStoredQuery",
        "XDSUnreferencedObjectException",
    ];
    let steps = steps();
    let expected: BTreeSet<&str> = steps
        .iter()
        .flat_map(|step| [&step.expect.errors, &step.expect.errors_among].into_iter().flatten().flatten())
        .map(String::as_str)
        .collect();
    for code in codes {
        assert!(expected.contains(code), "{code} is expected nowhere");
    }
}

/// Query → parameters (TF-2 3.18.4.1.2.3.7, 3.51.4.1.2.3). `~` is the parameter's usual beginning.
const PARAMETERS: [(&str, &str, &str); 16] = [
    (
        "FindDocuments",
        "$XDSDocumentEntry",
        "PatientId Status ClassCode TypeCode PracticeSettingCode HealthcareFacilityTypeCode FormatCode EventCodeList ConfidentialityCode AuthorPerson CreationTimeFrom CreationTimeTo ServiceStartTimeFrom ServiceStartTimeTo ServiceStopTimeFrom ServiceStopTimeTo Type",
    ),
    (
        "FindSubmissionSets",
        "$XDSSubmissionSet",
        "PatientId SourceId SubmissionTimeFrom SubmissionTimeTo AuthorPerson ContentType Status",
    ),
    ("FindFolders", "$XDSFolder", "PatientId LastUpdateTimeFrom LastUpdateTimeTo CodeList Status"),
    (
        "GetAll",
        "$",
        "patientId XDSDocumentEntryStatus XDSSubmissionSetStatus XDSFolderStatus XDSDocumentEntryFormatCode XDSDocumentEntryConfidentialityCode XDSDocumentEntryType",
    ),
    ("GetDocuments", "$XDSDocumentEntry", "EntryUUID UniqueId LogicalID"),
    ("GetFolders", "$XDSFolder", "EntryUUID UniqueId LogicalID"),
    ("GetAssociations", "$", "uuid"),
    ("GetDocumentsAndAssociations", "$XDSDocumentEntry", "EntryUUID UniqueId"),
    ("GetSubmissionSets", "$", "uuid"),
    (
        "GetSubmissionSetAndContents",
        "$XDS",
        "SubmissionSetEntryUUID SubmissionSetUniqueId DocumentEntryFormatCode DocumentEntryConfidentialityCode DocumentEntryType",
    ),
    (
        "GetFolderAndContents",
        "$XDS",
        "FolderEntryUUID FolderUniqueId DocumentEntryFormatCode DocumentEntryConfidentialityCode DocumentEntryType",
    ),
    ("GetFoldersForDocument", "$XDSDocumentEntry", "EntryUUID UniqueId"),
    (
        "GetRelatedDocuments",
        "$",
        "XDSDocumentEntryEntryUUID XDSDocumentEntryUniqueId AssociationTypes XDSDocumentEntryType",
    ),
    ("FindDocumentsByReferenceId", "$XDSDocumentEntry", "PatientId Status ReferenceIdList ClassCode"),
    (
        "FindDocumentsForMultiplePatients",
        "$XDSDocumentEntry",
        "PatientId Status ClassCode TypeCode PracticeSettingCode HealthcareFacilityTypeCode FormatCode EventCodeList ConfidentialityCode AuthorPerson CreationTimeFrom CreationTimeTo ServiceStartTimeFrom ServiceStartTimeTo ServiceStopTimeFrom ServiceStopTimeTo Type",
    ),
    (
        "FindFoldersForMultiplePatients",
        "$XDSFolder",
        "PatientId Status CodeList LastUpdateTimeFrom LastUpdateTimeTo",
    ),
];

#[test]
fn every_query_is_asked_with_each_of_its_parameters() {
    let steps = steps();
    for (name, beginning, parameters) in PARAMETERS {
        let of_query = steps.iter().filter(|step| {
            matches!(step.send, Some(Transaction::Iti18 | Transaction::Iti51))
                && query_id(&step.query.id) == query_id(name)
        });
        let used: BTreeSet<&str> = of_query
            .flat_map(|step| step.query.slots.iter().flatten().chain(&step.query.and))
            .filter_map(|slot| slot.first().map(String::as_str))
            .collect();
        for parameter in parameters.split(' ') {
            // Without Slots a step asks for the patient's approved documents.
            let is_usual = name == "FindDocuments" && ["PatientId", "Status"].contains(&parameter);
            let parameter = format!("{beginning}{parameter}");
            assert!(is_usual || used.contains(parameter.as_str()), "{name} is never asked with {parameter}");
        }
    }
}

#[test]
fn every_association_and_every_transaction_is_sent() {
    let steps = steps();
    let types: BTreeSet<&str> =
        steps.iter().flat_map(|step| &step.submission.association).map(|a| a.kind.as_str()).collect();
    for kind in [
        "HasMember",
        "RPLC",
        "APND",
        "XFRM",
        "XFRM_RPLC",
        "signs",
        "IsSnapshotOf",
        "UpdateAvailabilityStatus",
        "SubmitAssociation",
    ] {
        assert!(types.contains(kind), "{kind} is never sent");
    }
    use Transaction::*;
    for transaction in [Iti8, Iti18, Iti41, Iti42, Iti43, Iti44, Iti51, Iti57, Iti61, Iti62, Iti86, Iti92] {
        assert!(steps.iter().any(|step| step.send == Some(transaction)), "{transaction:?} is never sent");
    }
}

#[test]
fn there_are_at_least_150_scenarios() {
    let probes = embedded::SCENARIOS.iter().filter(|(name, _)| name.starts_with(crate::OFFERS)).count();
    assert!(embedded::SCENARIOS.len() - probes >= 150);
}

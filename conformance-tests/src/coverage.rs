//! Whether there is a scenario for everything that the standard asks for: rules, errors, queries with their parameters,
//! shapes of submissions, transactions.

use std::collections::BTreeSet;

use xds::rules::Rule;

use crate::scenario::Step;
use crate::stored_query::{STORED_QUERIES, query_id};
use crate::transaction::Transaction;
use crate::{embedded, scenarios};

/// All steps of all scenarios.
fn steps() -> Vec<Step> {
    scenarios().unwrap().into_iter().flat_map(|scenario| scenario.steps).collect()
}

/// What no request shows: R5 is about a registry that does not answer, which no message makes it; R6 restricts nothing, and
/// another server may restrict what it likes.
const NOT_FROM_OUTSIDE: [&str; 2] = ["R5", "R6"];

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
    for row in rows.filter(|row| !NOT_FROM_OUTSIDE.contains(&row.number)) {
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
    // Not here: what a gateway or a recipient of XDR says (TF-3 Table 4.2.4.1-2); what tells of the state of a server, not of
    // a request (Busy, OutOfResources, NotAvailable, RepositoryError, RemoveDocumentsError); XDSExtraMetadataNotSaved, which a
    // server that keeps everything never says.
    let codes = [
        "InvalidDocumentContent",
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
        "XDSRepositoryDuplicateUniqueIdInMessage",
        "XDSRepositoryMetadataError",
        "XDSResultNotSinglePatient",
        "XDSStoredQueryMissingParam",
        "XDSStoredQueryParamNumber",
        "XDSTooManyResults",
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

#[test]
fn every_query_is_asked_with_each_of_its_parameters() {
    let steps = steps();
    for query in &STORED_QUERIES {
        let of_query = steps.iter().filter(|step| {
            matches!(step.send, Some(Transaction::Iti18 | Transaction::Iti51))
                && query_id(&step.query.id) == query.id
        });
        let used: BTreeSet<&str> = of_query
            .flat_map(|step| step.query.slots.iter().flatten().chain(&step.query.and))
            .filter_map(|slot| slot.first().map(String::as_str))
            .collect();
        for (parameter, _) in query.parameters() {
            // Without Slots a step asks for the patient's approved documents.
            let usual = ["$XDSDocumentEntryPatientId", "$XDSDocumentEntryStatus"];
            let is_usual = query.name == "FindDocuments" && usual.contains(&parameter.as_str());
            assert!(
                is_usual || used.contains(parameter.as_str()),
                "{}: never asked with {parameter}",
                query.name
            );
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

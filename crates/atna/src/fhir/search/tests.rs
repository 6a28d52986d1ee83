use serde_json::json;

use super::*;

fn resource() -> Value {
    json!({
        "resourceType": "AuditEvent",
        "id": "6f1f2f0c-7d3e-4a55-9a2c-1f0d7a3b9c11",
        "type": {"system": "http://dicom.nema.org/resources/ontology/DCM", "code": "110106"},
        "subtype": [
            {"system": "urn:ihe:event-type-code", "code": "ITI-43"},
            {"code": "odd,one|two"}
        ],
        "action": "R",
        "recorded": "2026-11-24T10:11:12.500Z",
        "outcome": "0",
        "agent": [
            {
                "who": {"identifier": {"value": "dr-martin"}}, "name": "Anne Martin", "altId": "42",
                "requestor": true, "network": {"address": "192.0.2.7", "type": "2"}
            },
            {"who": {"reference": "https://h/fhir/Device/7"}, "requestor": false}
        ],
        "source": {"site": "region", "observer": {"identifier": {"system": "urn:x", "value": "carnet"}}},
        "entity": [
            {
                "what": {
                    "type": "Patient",
                    "identifier": {"system": "urn:oid:1.2.250.1.213.1.4.10", "value": "123"}
                },
                "type": {"system": "http://terminology.hl7.org/CodeSystem/audit-entity-type", "code": "1"},
                "role": {"system": "http://terminology.hl7.org/CodeSystem/object-role", "code": "1"}
            },
            {
                "what": {"identifier": {"value": "1.2.4"}},
                "type": {"system": "http://terminology.hl7.org/CodeSystem/audit-entity-type", "code": "2"},
                "role": {"system": "http://terminology.hl7.org/CodeSystem/object-role", "code": "3"},
                "name": "Compte rendu"
            }
        ]
    })
}

fn parse(pairs: &[(&str, &str)]) -> Result<Parameters, Vec<String>> {
    Parameters::parse(pairs.iter().copied())
        .map_err(|issues| issues.iter().map(ToString::to_string).collect())
}

/// Whether the resource is found by all of these.
fn finds(pairs: &[(&str, &str)]) -> bool {
    parse(pairs).unwrap().matches(&resource())
}

#[track_caller]
fn found_by(name: &str, yes: &[&str], no: &[&str]) {
    yes.iter().for_each(|value| assert!(finds(&[(name, value)]), "{name}={value}"));
    no.iter().for_each(|value| assert!(!finds(&[(name, value)]), "{name}={value}"));
}

#[test]
fn a_date_stands_for_all_its_moments() {
    found_by(
        "date",
        &[
            "2026",
            "2026-11",
            "2026-11-24",
            "2026-11-24T10:11Z",
            "2026-11-24T10:11:12",
            "2026-11-24T11:11:12.5+01:00",
        ],
        &[
            "2025",
            "2026-12",
            "2026-11-25",
            "2026-11-24T10:12",
            "2026-11-24T10:11:13Z",
            "2026-11-24T10:11:12.6Z",
        ],
    );
    found_by(
        "date",
        &["ge2026-11-24", "gt2026-11-23", "sa2026-10", "ne2025"],
        &["gt2026-11-24", "gt2026", "ge2026-11-25", "ne2026"],
    );
    found_by(
        "date",
        &["le2026-11-24", "lt2026-11-25", "eb2026-12", "le2026"],
        &["lt2026-11-24", "le2026-11-23", "eb2026"],
    );
}

#[test]
fn dates_that_are_none_are_told() {
    for wrong in [
        "26",
        "2026-13",
        "2026-02-30",
        "ap2026",
        "2026-11-24T",
        "2026-11-24T10",
        "2026-11-24T25:00:00Z",
        "gé2026",
    ] {
        assert!(parse(&[("date", wrong)]).is_err(), "{wrong}");
    }
    assert_eq!(
        parse(&[("date", "SECRET"), ("_count", "many")]).unwrap_err(),
        ["date: is not a date (2026, 2026-03, 2026-03-31, 2026-03-31T08:00:00Z)", "_count: is not a number"]
    );
}

#[test]
fn the_store_is_told_the_time_in_which_to_look() {
    let range = |pairs: &[(&str, &str)]| {
        let Range { from, before } = parse(pairs).unwrap().range();
        [from, before]
            .map(|end| end.map(|end| end.format("%Y-%m-%dT%H:%M:%S").to_string()).unwrap_or_default())
    };
    assert_eq!(range(&[]), ["", ""]);
    assert_eq!(range(&[("date", "2026-11")]), ["2026-11-01T00:00:00", "2026-12-01T00:00:00"]);
    assert_eq!(
        range(&[("date", "ge2026-11-03"), ("date", "le2026-11-24"), ("date", "gt2026-10")]),
        ["2026-11-03T00:00:00", "2026-11-25T00:00:00"]
    );
    assert_eq!(range(&[("date", "2026-01,2026-03")]), ["2026-01-01T00:00:00", "2026-04-01T00:00:00"]);
    assert_eq!(range(&[("date", "2026-01,lt2025")]), ["", "2026-02-01T00:00:00"]);
}

#[test]
fn a_token_may_name_its_system() {
    found_by(
        "type",
        &[
            "110106",
            "http://dicom.nema.org/resources/ontology/DCM|110106",
            "http://dicom.nema.org/resources/ontology/DCM|",
            "110107,110106",
        ],
        &["110107", "|110106", "urn:x|110106", "1101"],
    );
    found_by(
        "subtype",
        &["urn:ihe:event-type-code|ITI-43", "ITI-43", r"odd\,one\|two", r"|odd\,one\|two"],
        &["ITI-42", "odd,one|two"],
    );
    found_by(
        "outcome",
        &["0", "4,0", "http://terminology.hl7.org/CodeSystem/audit-event-outcome|0"],
        &["4", "4,8"],
    );
    found_by("action", &["R"], &["C"]);
    found_by("entity-type", &["1", "http://terminology.hl7.org/CodeSystem/audit-entity-type|2"], &["4"]);
    found_by("entity-role", &["3", "http://terminology.hl7.org/CodeSystem/object-role|1"], &["20"]);
    found_by("altid", &["42"], &["4"]);
    found_by("site", &["region"], &["reg"]);
    found_by("_id", &["6f1f2f0c-7d3e-4a55-9a2c-1f0d7a3b9c11,1"], &["1"]);
}

#[test]
fn an_address_is_found_by_its_beginning() {
    found_by("address", &["192.0.2.7", "192.0", "10.0,192"], &["2.7", "192.0.2.70"]);
    found_by("address:exact", &["192.0.2.7"], &["192.0"]);
    found_by("address:contains", &["2.7"], &["2.8"]);
    found_by("agent-name", &["anne", "ANNE MARTIN"], &["martin"]);
    found_by("entity-name", &["compte"], &["rendu"]);
}

#[test]
fn those_who_took_part_are_found_by_identifier_or_reference() {
    found_by("agent.identifier", &["dr-martin", "|dr-martin"], &["urn:x|dr-martin", "Device/7"]);
    found_by("agent", &["dr-martin", "Device/7", "7", "https://h/fhir/Device/7"], &["evice/7", "Patient/7"]);
    found_by("source.identifier", &["carnet", "urn:x|carnet"], &["|carnet", "car"]);
    found_by("source:identifier", &["urn:x|carnet"], &["urn:y|carnet"]);
    found_by("entity.identifier", &["1.2.4", "123"], &["1.2"]);
}

#[test]
fn a_patient_is_found_by_identifier_and_authority() {
    let oid = "urn:oid:1.2.250.1.213.1.4.10|123";
    for name in ["patient.identifier", "patient:Patient.identifier", "patient:identifier", "patient"] {
        found_by(name, &[oid, "123"], &["urn:oid:1.2|123", "1.2.4", "12"]);
    }
    found_by("patient", &["123^^^&1.2.250.1.213.1.4.10&ISO"], &["123^^^&1.2&ISO"]);
    let asked = parse(&[("patient", oid)]).unwrap();
    assert_eq!(asked.patients(), Some(vec![("123".to_owned(), Some("1.2.250.1.213.1.4.10".to_owned()))]));
    assert_eq!(
        parse(&[("patient", "Patient/9")]).unwrap().patients(),
        Some(vec![("Patient/9".to_owned(), None)])
    );
    assert_eq!(parse(&[("type", "1")]).unwrap().patients(), None);
}

#[test]
fn a_patient_is_found_under_the_identifiers_that_the_registry_adds() {
    let mut asked = parse(&[("patient.identifier", "urn:oid:1.2|9")]).unwrap();
    assert!(!asked.matches(&resource()));
    asked.also_known_as(&[("123".to_owned(), "1.2.250.1.213.1.4.10".to_owned())]);
    assert!(asked.matches(&resource()));
}

#[test]
fn all_parameters_must_hold() {
    assert!(finds(&[("type", "110106"), ("subtype", "ITI-43"), ("subtype", "ITI-43,ITI-42")]));
    assert!(!finds(&[("type", "110106"), ("subtype", "ITI-43"), ("subtype", "ITI-42")]));
}

#[test]
fn what_is_not_known_is_passed_over_and_a_modifier_that_is_not_supported_is_told() {
    assert!(finds(&[("type", ""), ("date", ","), ("_count", "")]));
    assert!(finds(&[("_sort", "-date"), ("anything", "at all"), ("agent.practitioner", "x")]));
    assert_eq!(parse(&[("type:not", "110106")]).unwrap_err(), ["type:not: this modifier is not supported"]);
}

#[test]
fn a_patient_is_asked_for_once() {
    assert_eq!(
        parse(&[("patient", "1"), ("patient.identifier", "2")]).unwrap_err(),
        ["patient.identifier: is there twice; alternatives stand between commas"]
    );
}

#[test]
fn every_parameter_that_is_known_is_understood_and_no_other() {
    for (name, _) in known() {
        let value = if name == "date" { "2026" } else { "x" };
        assert_eq!(
            parse(&[(name, value), ("other", "x")]).unwrap().used,
            [(name.to_owned(), value.to_owned())]
        );
    }
}

#[test]
fn the_page_and_the_form_are_told() {
    let asked = parse(&[("_count", "50"), ("_cursor", "abc"), ("_format", "application/fhir xml")]).unwrap();
    assert_eq!((asked.count, asked.cursor.as_deref(), asked.xml), (Some(50), Some("abc"), Some(true)));
    assert_eq!(parse(&[("_format", "json")]).unwrap().xml, Some(false));
    assert_eq!(parse(&[("_format", "turtle")]).unwrap_err(), ["_format: is neither json nor xml"]);
}

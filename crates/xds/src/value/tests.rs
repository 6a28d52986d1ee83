use super::*;

#[test]
fn a_cx_is_identified_by_its_id_and_its_authority() {
    let plain = Cx::parse("123^^^&1.2.250.1.213.1.4.10&ISO").unwrap();
    let dressed = Cx::parse("123^^^DMP&1.2.250.1.213.1.4.10&ISO^NH^^20100907").unwrap();
    assert_eq!(plain, dressed);
    assert_eq!(dressed.text, "123^^^DMP&1.2.250.1.213.1.4.10&ISO^NH^^20100907");
    assert_ne!(plain, Cx::parse("124^^^&1.2.250.1.213.1.4.10&ISO").unwrap());
    assert_ne!(plain, Cx::parse("123^^^&1.2.250.1.213.1.4.8&ISO").unwrap());
    assert_eq!(Cx::parse("a\\S\\b^^^&1.2&ISO").unwrap().id, "a^b");
}

#[test]
fn a_cx_without_id_or_authority_is_refused_without_being_quoted() {
    for text in
        ["", "123", "^^^&1.2.3&ISO", "SECRET^^^", "SECRET^^^&1.02&ISO", "SECRET^^^&1.2.3&DNS", "SECRET^^^X"]
    {
        let error = Cx::parse(text).unwrap_err();
        assert!(!error.0.contains("SECRET"), "{error}");
    }
    assert!(!format!("{:?}", Cx::new("SECRET", "1.2")).contains("SECRET"));
}

#[test]
fn a_dtm_has_four_to_fourteen_digits_of_a_time_that_exists() {
    for text in ["2024", "202402", "20240229", "2024022923", "202402292359", "20240229235959"] {
        assert_eq!(Dtm::parse(text).unwrap().as_str(), text);
    }
    for text in [
        "",
        "202",
        "20240",
        "20240230",
        "20230229",
        "202413",
        "2024022924",
        "20240229235960",
        "2024-02-29",
        "20240229+0100",
    ] {
        assert!(Dtm::parse(text).is_err(), "{text}");
    }
    assert_eq!(Dtm::parse("2024").unwrap().padded(), "20240101000000");
    assert_eq!(Dtm::parse("202402292359").unwrap().padded(), "20240229235900");
}

#[test]
fn each_type_takes_what_it_should_and_nothing_else() {
    type Check = fn(&str) -> Result<(), ValueError>;
    let cases: [(Check, &[&str], &[&str]); 12] = [
        (
            check_oid,
            &["1.2.3", "2.25.0", "1.42.20100709101812.3", "3.4.5"],
            &["", "1", "1..2", "1.02", "a.b", &"1.2".repeat(30)],
        ),
        (check_home, &["urn:oid:1.2.3"], &["1.2.3", "urn:oid:", "urn:oid:x"]),
        (
            check_sha1,
            &["DA39a3ee5e6b4b0d3255bfef95601890afd80709"],
            &["", "da39", "zz39a3ee5e6b4b0d3255bfef95601890afd80709"],
        ),
        (check_size, &["0", "18446744073709551615"], &["", "-1", "1.5", "18446744073709551616", "+1"]),
        (check_language, &["fr", "fr-FR", "art"], &["", "f", "fr_FR", "français", "fr-"]),
        (check_mime_type, &["text/xml", "text/goofy", "application/pdf"], &["", "text", "/xml", "text/"]),
        (
            check_xcn,
            &["801^DUPONT^Jeanne^^^^^^&1.2.250.1.71.4.2.1&ISO^D^^^IDNPS", "^DUPONT"],
            &["", "^^", "^^Jeanne", "1^A^^^^^^^&x&ISO"],
        ),
        (
            check_xon,
            &["Hospital", "Hospital^^^^^^^^^1.2.3", "H^^^^^&1.2&ISO^IDNST^^^45"],
            &["", "^^^^^&1.2&ISO^^^^45", "Hospital^^^^^^^^^45", "Hospital^L", "H^^^^^^^^^1.2^x"],
        ),
        (
            check_xtn,
            &["^^Internet^a@b.fr", "^NET^Internet^a@b.fr", "^^PH^^^^0144", "^PRN^CP^^33^1^4400000^12"],
            &[
                "",
                "^^PH",
                "^^Internet",
                "^PRN^Internet^a@b.fr",
                "^^^^^^0144",
                "0144",
                "^^PH^^^^0144^^^^^0144",
            ],
        ),
        (
            check_cx,
            &["1^^^&1.2&ISO", "1^^^&1.2&ISO^NH^^20100907", "1^^^&1.2&ISO^^^"],
            &[
                "",
                "1",
                "1^2^^&1.2&ISO",
                "1^^M10^&1.2&ISO",
                "1^^^NS&1.2&ISO",
                "1^^^&1.2&ISO&x",
                "1^^^&1.2&ISO^^&1.3&ISO",
            ],
        ),
        (
            check_cxi,
            &["1^^^&1.2&ISO^urn:ihe:iti:xds:2013:accession", "1^^^^urn:x", "1^^^&1.2&ISO^urn:x^&1.3&ISO"],
            &["", "1^^^&1.2&ISO", "^^^^x", "1^2^^^x"],
        ),
        (check_pid_field, &["PID-5|DUPONT^Jeanne", "PID-8|F"], &["", "PID-5", "5|X", "PID-x|1"]),
    ];
    for (number, (check, good, bad)) in cases.iter().enumerate() {
        good.iter().for_each(|text| assert_eq!(check(text), Ok(()), "case {number}: {text}"));
        bad.iter().for_each(|text| assert!(check(text).is_err(), "case {number}: {text} was taken"));
    }
    assert_eq!(check_recipient("Hospital^^^^^^^^^1.2.3|801^DUPONT|^^Internet^a@b.fr"), Ok(()));
    assert_eq!(check_recipient("|^DUPONT"), Ok(()));
    assert!(check_recipient("||").is_err());
}

#[test]
fn a_uuid_urn_is_read_in_either_case_and_written_in_lower_case() {
    let text = "urn:uuid:7EDCA82F-054D-47F2-A032-9B2A5B5186C1";
    assert_eq!(uuid_urn(parse_uuid_urn(text).unwrap()), text.to_lowercase());
    assert_eq!(parse_uuid_urn("urn:uuid:7edca82f054d47f2a0329b2a5b5186c1"), None);
    assert_eq!(parse_uuid_urn("Document01"), None);
}

#[test]
fn an_id_with_separators_is_escaped_and_read_back() {
    let cx = Cx::new("a^b&c|d~e\\f", "1.2.3");
    assert_eq!(cx.text, "a\\S\\b\\T\\c\\F\\d\\R\\e\\E\\f^^^&1.2.3&ISO");
    for id in [&cx.id, "\\F\\", "\\E\\", "\\", "a\\.br\\b"] {
        assert_eq!(Cx::parse(&Cx::new(id, "1.2.3").text).unwrap().id, id);
    }
}

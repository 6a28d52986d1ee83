use super::*;

const IHE: &str = r#"<?xml version="1.0"?>
<Codes>
  <AssigningAuthority id="&amp;1.3.6.1.4.1.21367.2005.13.20.1000&amp;ISO"/>
  <CodeType name="classCode" classScheme="urn:uuid:41a5887f-8865-4c09-adf7-e362475b143a">
    <Code code="REPORTS" display="Reports" codingScheme="1.2.3"/>
    <Code code="REPORTS" display="Reports" codingScheme="Connect-a-thon classCodes"/>
    <Code code="REPORTS" display="again" codingScheme="1.2.3"/>
  </CodeType>
  <CodeType name="mimeType"><Code code="text/plain" ext="txt"/></CodeType>
  <CodeType name="folderCodeList"><Code code="STAY" display="Stay" codingScheme="1.2.3"/></CodeType>
  <CodeType name="colour"><Code code="red"/></CodeType>
  <Other/>
</Codes>"#;

const SVS: &str = r#"<RetrieveValueSetResponse xmlns="urn:ihe:iti:svs:2008">
  <ValueSet id="1.2.250.1.213.1.1.5.6" displayName="JDV_J57-ClassCode-DMP" version="1">
    <ConceptList xml:lang="fr-FR"><Concept code="10" codeSystem="1.2.3" displayName="Compte rendu"/></ConceptList>
    <ConceptList xml:lang="en"><Concept code="10" codeSystem="1.2.3" displayName="Report"/></ConceptList>
  </ValueSet>
</RetrieveValueSetResponse>"#;

fn read(name: &str, text: &str) -> Result<CodeFile, Error> {
    CodeFile::read(name, text.as_bytes(), None)
}

fn codes(file: &CodeFile, attribute: CodedAttribute) -> Vec<(&str, &str)> {
    let set = file.sets.iter().find(|set| set.attribute == attribute).unwrap();
    set.codes.iter().map(|code| (code.code.as_str(), code.scheme.as_str())).collect()
}

#[test]
fn the_codes_of_a_test_event_are_read_and_what_is_ignored_is_told() {
    let file = read("codes.xml", IHE).unwrap();
    assert_eq!(file.format, Format::Ihe);
    assert_eq!(
        codes(&file, CodedAttribute::ClassCode),
        [("REPORTS", "1.2.3"), ("REPORTS", "Connect-a-thon classCodes")]
    );
    assert_eq!(codes(&file, CodedAttribute::MimeType), [("text/plain", "")]);
    assert_eq!(codes(&file, CodedAttribute::CodeList), [("STAY", "1.2.3")]);
    assert_eq!(file.authorities, ["1.3.6.1.4.1.21367.2005.13.20.1000"]);
    assert_eq!(
        file.remarks,
        [
            "classCode: 1 repeated, counted once",
            "line 11: CodeType \"colour\" is no attribute that is restricted",
            "line 12: Other is not read"
        ]
    );
}

#[test]
fn a_value_set_says_by_its_name_what_it_is_for() {
    let file = read("set.xml", SVS).unwrap();
    assert_eq!((file.format, codes(&file, CodedAttribute::ClassCode)), (Format::Svs, vec![("10", "1.2.3")]));
    let csv = "code,codeSystem,displayName\n10,1.2.3,\"Compte rendu, et plus\"\n";
    let file = read("JDV_J57_ClassCode_DMP.csv", csv).unwrap();
    assert_eq!((file.format, file.sets[0].codes[0].display.as_str()), (Format::Csv, "Compte rendu, et plus"));
    for (name, expected) in [
        ("JDV_J02_XdsHealthcareFacilityTypeCode_CISIS.csv", CodedAttribute::HealthcareFacilityTypeCode),
        ("eventCodeList.csv", CodedAttribute::EventCodeList),
        ("folderCodeList.csv", CodedAttribute::CodeList),
        ("JDV_J59_ContentTypeCode_DMP.csv", CodedAttribute::ContentTypeCode),
    ] {
        assert_eq!(read(name, csv).unwrap().sets[0].attribute, expected, "{name}");
    }
}

#[test]
fn an_entry_may_say_what_a_file_is_for() {
    assert_eq!(entry("a/b.csv"), Ok((None, "a/b.csv")));
    assert_eq!(entry("classCode=a/b.csv"), Ok((Some(CodedAttribute::ClassCode), "a/b.csv")));
    assert!(
        entry("class=a/b.csv")
            .unwrap_err()
            .to_string()
            .starts_with("\"class\" is none of the attributes classCode, ")
    );
    let csv = b"code,codeSystem,displayName\n10,1.2.3,x\n";
    let file = CodeFile::read("anything.csv", csv, Some(CodedAttribute::TypeCode)).unwrap();
    assert_eq!(file.sets[0].attribute, CodedAttribute::TypeCode);
}

#[test]
fn a_bad_file_is_told_by_its_line() {
    let ihe = |content: &str| format!("<Codes>\n{content}\n</Codes>");
    for (name, text, expected) in [
        (
            "c.xml",
            ihe("<CodeType name='classCode'>\n<Code code='1'/></CodeType>"),
            "line 3: Code has no attribute codingScheme",
        ),
        ("c.xml", ihe("<CodeType name='classCode'/>"), "line 2: there is no code for classCode"),
        ("c.xml", ihe("<AssigningAuthority id='1.2.3'/>"), "line 2: AssigningAuthority/@id is not &OID&ISO"),
        ("c.xml", ihe(""), "line 1: there is no CodeType"),
        (
            "c.xml",
            "<Code/>".to_owned(),
            "line 1: Code is neither Codes (IHE) nor RetrieveValueSetResponse (SVS)",
        ),
        ("c.xml", "<Codes>\n".to_owned(), "not well-formed XML"),
        ("classCode.csv", "a,b\n1,2\n".to_owned(), "line 1: the first line must name the columns code"),
        ("classCode.csv", "code,codeSystem,displayName\n1,1.2,x\n2,,y\n".to_owned(), "line 3: no codeSystem"),
        (
            "classCode.csv",
            "code,codeSystem,displayName\n1,1.2\n".to_owned(),
            "line 2: 2 columns, the first line has 3",
        ),
        (
            "classCode.csv",
            "code,codeSystem,displayName\n".to_owned(),
            "line 1: there is no code for classCode",
        ),
        (
            "other.csv",
            "code,codeSystem,displayName\n1,1.2,x\n".to_owned(),
            "its name does not say which attribute",
        ),
        (
            "classCode-typeCode.csv",
            "code,codeSystem,displayName\n1,1.2,x\n".to_owned(),
            "its name does not say which",
        ),
    ] {
        let error = read(name, &text).unwrap_err().to_string();
        assert!(error.starts_with(expected), "{error}");
    }
}

#[test]
fn corpus_the_value_sets_of_the_dmp_are_read() {
    let Some(corpus) = std::env::var_os("CARNET_CORPUS") else {
        eprintln!("skipped: CARNET_CORPUS is not set");
        return;
    };
    let folder = std::path::Path::new(&corpus).join("data/jdv");
    for (name, attribute, count) in [
        ("JDV_J57_ClassCode_DMP.csv", CodedAttribute::ClassCode, 12),
        ("JDV_J58_ConfidentialityCode_DMP.csv", CodedAttribute::ConfidentialityCode, 6),
        ("JDV_J59_ContentTypeCode_DMP.csv", CodedAttribute::ContentTypeCode, 100),
        ("JDV_J60_FormatCode_DMP.csv", CodedAttribute::FormatCode, 62),
        ("JDV_J61_HealthcareFacilityTypeCode_DMP.csv", CodedAttribute::HealthcareFacilityTypeCode, 68),
        ("JDV_J62_PracticeSettingCode_DMP.csv", CodedAttribute::PracticeSettingCode, 11),
        ("JDV_J66_TypeCode_DMP.csv", CodedAttribute::TypeCode, 108),
    ] {
        let octets = std::fs::read(folder.join(name)).unwrap();
        let file = CodeFile::read(name, &octets, None).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!((file.sets[0].attribute, file.sets[0].codes.len()), (attribute, count), "{name}");
    }
}

//! Value sets, from their files to the answer of a submission.

use xds::metadata::Code;

use crate::harness::{Server, Submission, assert_filed, codes, patient};

#[actix_web::test]
async fn v5_the_registry_takes_only_codes_of_the_value_sets() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("JDV_ClassCode.csv");
    std::fs::write(&file, "code,codeSystem,displayName\nclass,1.2.250.1.999.1,Class\n").unwrap();
    let settings =
        [("CARNET_PATIENTS__UNKNOWN", "open"), ("CARNET_AFFINITY_DOMAIN__CODES", file.to_str().unwrap())];
    let server = Server::with(&settings).await;
    let patient = patient();
    assert_filed(&server.file(&Submission::new(&patient, "allowed")).await);
    let mut other = Submission::new(&patient, "not allowed");
    other.entry.class_code = Code::new("class", "1.2.250.1.999.2", "Class");
    let response = server.file(&other).await;
    assert_eq!(codes(&response), ["XDSRegistryMetadataError"]);
    assert!(
        response.errors[0].context.contains("DocumentEntry.classCode: the code \"class\""),
        "{response:?}"
    );
    assert_eq!(server.count("select count(*) from document_entry").await, 1);
    server.stop().await;
}

//! The conformance scenarios, against servers of this process.

use std::path::{Path, PathBuf};

use conformance_tests::{
    Need, Options, Outcome, Report, Snapshot, UnknownPatients, Watch, prove, run, run_watched, validate,
};
use futures_util::future::LocalBoxFuture;

use crate::harness::{REPOSITORY, Server, Submission, assert_filed, patient};

/// Needs a server that refuses unknown patients; all others need one that opens their records.
const REFUSING: &str = "v08-unknown-patient";

/// What the server has by its settings only.
const PROBED: [Need; 6] = [
    Need::Asynchronous,
    Need::Snapshots,
    Need::ValueSets,
    Need::FewResults,
    Need::StrictSlotNames,
    Need::CiSis,
];

/// A server that opens records by itself and takes the patients of the scenarios.
async fn serve() -> Server {
    let authority = Options::new(String::new(), String::new()).authority;
    Server::with(&[
        ("CARNET_PATIENTS__UNKNOWN", "open"),
        ("CARNET_ASYNCHRONOUS__REPLY_TO", "http://127.0.0.1:*"),
        ("CARNET_FEED__MLLP", "127.0.0.1:0"),
        ("CARNET_FEED__AUTHORITY", &authority),
    ])
    .await
}

fn options(server: &Server) -> Options {
    let url = |service: &str| format!("{}/services/{service}", server.url);
    let mut options = Options::new(url("registry"), url("repository"));
    options.repository_unique_id = Some(REPOSITORY.to_owned());
    options.feed = server.feed.map(|address| address.to_string());
    // Not asked for: what is missing fails.
    options.offers = Need::options().iter().copied().filter(|need| !PROBED.contains(need)).collect();
    options
}

fn judge(report: &Report, elsewhere: &str) {
    println!("{report}");
    for check in report.checks.iter().filter(|check| !check.scenario.contains(elsewhere)) {
        if let Outcome::Skipped(reason) = &check.outcome {
            eprintln!("skipped: {}, {}: {reason}", check.scenario, check.step);
        }
    }
    assert_eq!(report.failed(), 0);
    assert!(report.passed() > 0);
}

/// The scenarios about a server that is set as no server is by itself: they pass, and each notices a mutation.
async fn pass_and_look(settings: &[(&str, &str)], offers: &[Need], only: &[&str]) {
    let settings = [&[("CARNET_PATIENTS__UNKNOWN", "open")], settings].concat();
    let server = Server::with(&settings).await;
    for only in only {
        let mut options = options(&server);
        options.offers.extend(offers);
        options.only = Some((*only).to_owned());
        let report = run_watched(&options, &server).await.unwrap();
        judge(&report, "nowhere");
        every_message_is_valid(&report).await;
        look(&options).await;
    }
    server.stop_without_documents().await;
}

/// Each scenario that the options name is run, and notices a mutation.
async fn look(options: &Options) {
    let matrix = prove(options, false).await.unwrap();
    println!("{matrix}");
    assert_eq!(matrix.left_out(), [""; 0]);
    assert_eq!(matrix.unbroken(), [""; 0]);
}

#[actix_web::test]
async fn the_scenarios_of_value_sets_and_of_strict_slot_names_pass_and_look() {
    let folder = test_support::folder();
    let file = folder.path().join("codes.xml");
    std::fs::write(&file, VALUE_SETS).unwrap();
    let settings = [
        ("CARNET_AFFINITY_DOMAIN__CODES", file.to_str().unwrap()),
        ("CARNET_METADATA__STRICT_SLOT_NAMES", "true"),
    ];
    pass_and_look(&settings, &[Need::ValueSets, Need::StrictSlotNames], &["v05-", "v06-", "v27-"]).await;
}

#[actix_web::test]
async fn the_scenario_of_too_many_results_passes_and_looks() {
    pass_and_look(
        &[("CARNET_LIMITS__QUERY_RESULTS", "2")],
        &[Need::FewResults],
        &["iti-18/too-many-results"],
    )
    .await;
}

#[actix_web::test]
async fn the_scenarios_of_the_french_profile_pass_and_look() {
    pass_and_look(&[("CARNET_AFFINITY_DOMAIN__PROFILE", "ci-sis")], &[Need::CiSis], &["ci-sis/"]).await;
}

#[actix_web::test]
async fn the_scenario_of_snapshots_passes_and_looks() {
    pass_and_look(&[("CARNET_ON_DEMAND__PERSIST", "true")], &[Need::Snapshots], &["iti-61/kept"]).await;
}

/// The codes of the templates.
const VALUE_SETS: &str = r#"<Codes>
  <CodeType name="classCode" classScheme="urn:uuid:41a5887f-8865-4c09-adf7-e362475b143a">
    <Code code="11" display="Compte rendu" codingScheme="1.2.250.1.213.1.1.4.1"/>
  </CodeType>
  <CodeType name="typeCode" classScheme="urn:uuid:f0306f51-975f-434e-a61c-c59651d33983">
    <Code code="34112-3" display="Compte rendu hospitalier" codingScheme="2.16.840.1.113883.6.1"/>
  </CodeType>
  <CodeType name="mimeType"><Code code="text/plain" ext="txt"/></CodeType>
</Codes>"#;

/// Sees into the server: everything in the database but the traces, and the document store.
impl Watch for Server {
    fn snapshot(&self) -> LocalBoxFuture<'_, Option<Snapshot>> {
        Box::pin(async {
            let rows = self.database.get().await.unwrap().query(DUMP, &[]).await.unwrap();
            let mut snapshot: Snapshot =
                rows.iter().map(|row| (format!("table {}", row.get::<_, &str>(0)), row.get(1))).collect();
            let mut documents = Vec::new();
            list(&self.folder.path().join("documents"), &mut documents);
            documents.sort();
            snapshot.insert("the document store".to_owned(), documents.join("\n"));
            Some(snapshot)
        })
    }
}

/// Of every table its name, how many rows it has, and a digest of all of them. Traces and answers under way are no part of the
/// record.
const DUMP: &str = "
    select t.table_name::text,
           query_to_xml(format('select count(*) as n, bit_xor(hashtextextended(r::text, 0)) as h from %I r',
                               t.table_name), false, true, '')::text
      from information_schema.tables t
     where t.table_schema = 'public' and t.table_type = 'BASE TABLE' and t.table_name not like 'audit%'
        and t.table_name <> 'outbox'";

fn list(folder: &Path, files: &mut Vec<String>) {
    for entry in std::fs::read_dir(folder).into_iter().flatten() {
        let path = entry.unwrap().path();
        match path.is_dir() {
            true => list(&path, files),
            false => files.push(path.display().to_string()),
        }
    }
}

#[actix_web::test]
async fn every_scenario_passes_and_no_refused_request_changes_anything() {
    let server = serve().await;
    let mut options = options(&server);
    options.corpus = std::env::var_os("CARNET_CORPUS").map(PathBuf::from);
    let report = run_watched(&options, &server).await.unwrap();
    judge(&report, REFUSING);
    every_message_is_valid(&report).await;
    server.stop_without_documents().await;
}

async fn every_message_is_valid(report: &Report) {
    let Some(corpus) = std::env::var_os("CARNET_CORPUS").map(PathBuf::from) else {
        eprintln!("skipped: without CARNET_CORPUS no message is held against the XML schemas");
        return;
    };
    let verdict = validate(report, &corpus.join("schemas")).await.unwrap();
    println!("{} messages held against the XML schemas", verdict.messages);
    assert!(verdict.messages > report.passed());
    assert_eq!(verdict.invalid, [""; 0]);
}

#[actix_web::test]
async fn the_scenario_of_the_unknown_patient_passes_and_looks() {
    let opening = Server::start().await;
    let patient = patient();
    assert_filed(&opening.file(&Submission::new(&patient, "opens the record")).await);
    let refusing = opening.restart(&[("CARNET_PATIENTS__UNKNOWN", "refuse")]).await;
    let mut options = options(&refusing);
    options.unknown_patients = UnknownPatients::Refuse;
    options.patient = Some(patient.text.clone());
    options.only = Some(REFUSING.to_owned());
    judge(&run(&options).await.unwrap(), "nowhere");
    look(&options).await;
    refusing.stop_without_documents().await;
}

#[actix_web::test]
async fn a_snapshot_sees_what_is_filed() {
    let server = Server::start().await;
    let before = server.snapshot().await.unwrap();
    assert_filed(&server.file(&Submission::new(&patient(), "seen")).await);
    let after = server.snapshot().await.unwrap();
    for part in ["table document_entry", "table document", "table association", "the document store"] {
        assert_ne!(before[part], after[part], "{part}");
    }
    assert!(before.keys().all(|part| !part.contains("audit")));
    server.stop_without_documents().await;
}

#[actix_web::test]
async fn every_mutation_is_noticed_and_every_scenario_notices_one() {
    let server = serve().await;
    let mut options = options(&server);
    // Many documents, one scenario: a few stand for all.
    options.except = Some("cda/".to_owned());
    let thorough = std::env::var_os("CARNET_WHOLE_MATRIX").is_some();
    let matrix = prove(&options, thorough).await.unwrap();
    println!("{matrix}");
    assert!(matrix.mutations() >= 40);
    assert_eq!(matrix.unnoticed(), [""; 0]);
    assert_eq!(matrix.unbroken(), [""; 0]);
    server.stop_without_documents().await;
}

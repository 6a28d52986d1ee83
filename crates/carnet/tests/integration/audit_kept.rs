//! Traces that are exported, expire and are blanked, as the server and the command line do it.

use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::Path;
use std::time::{Duration, Instant};

use atna::log::{CheckpointFile, Sequencer, Verification};
use nix::sys::signal::Signal;
use serde_json::Value;
use tempfile::TempDir;
use test_support::TestDatabase;
use transparency::Signer;

use crate::command_line::Installation;
use crate::harness::Server;

const INS: &str = "257041995001259";

/// An installation with a record, whose server has stopped.
fn with_a_record() -> Installation {
    let mut carnet = Installation::new("");
    carnet.start();
    carnet.good(&["patient", "open", INS]);
    assert_eq!(carnet.end(Signal::SIGTERM), Some(0));
    carnet
}

#[test]
fn an_export_is_verified_without_the_database_and_its_first_bad_line_is_named() {
    let carnet = with_a_record();
    carnet.good(&["audit", "export", "--to", "all.ndjson"]);
    let said = carnet.good(&["audit", "verify", "--export", "all.ndjson"]);
    let text = std::fs::read_to_string(carnet.path("all.ndjson")).unwrap();
    let events = text.lines().count() - 2;
    assert!(events >= 3 && said.contains(&format!("{events} events are in the log")), "{said}");
    assert!(text.contains(INS));
    let mode = std::fs::metadata(carnet.path("all.ndjson")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);

    // On another machine, with nothing but the key.
    let elsewhere = Installation::new("");
    std::fs::write(elsewhere.path("key.pub"), std::fs::read(carnet.path("var/audit/key.pub")).unwrap())
        .unwrap();
    let bent = text.replacen(&format!("{INS}^"), "257041995001260^", 1);
    let line = 1 + bent.lines().zip(text.lines()).position(|(bent, line)| bent != line).unwrap();
    for (name, text) in [("good", &text), ("bent", &bent)] {
        std::fs::write(elsewhere.path(name), text).unwrap();
    }
    elsewhere.good(&["audit", "verify", "--export", "good", "--key", "key.pub"]);
    let refused = elsewhere.bad(&["audit", "verify", "--export", "bent", "--key", "key.pub"]);
    assert!(refused.contains(&format!("line {line}: ")), "{refused}");
    let refused = elsewhere.bad(&["audit", "verify", "--export", "good"]);
    assert!(refused.contains("public key"), "{refused}");
    assert!(!elsewhere.path("var").exists());

    let access = carnet.good(&["audit", "export", "--kind", "access"]);
    assert_eq!(access.lines().count(), 3, "{access}");
    let another_month = carnet.good(&["audit", "export", "--month", "2020-02"]);
    assert_eq!(another_month.lines().count(), 2, "{another_month}");
    let traces = carnet.good(&["audit", "--json"]);
    assert_eq!(traces.matches("\"act\":\"audit-exported\"").count(), 3, "{traces}");
}

#[test]
fn the_traces_of_a_record_that_is_over_are_blanked_when_it_is_confirmed() {
    let mut carnet = with_a_record();
    let told = carnet.good(&["audit", "blank", "--patient", INS]);
    assert!(told.starts_with("1 events from ") && told.contains("--confirm"), "{told}");
    // Asking left an event about the patient, which no server has signed yet.
    let refused = carnet.bad(&["audit", "blank", "--patient", INS, "--confirm"]);
    assert!(refused.contains("try again in some seconds"), "{refused}");
    assert!(carnet.good(&["audit", "--json"]).contains(INS));

    carnet.start();
    assert_eq!(carnet.end(Signal::SIGTERM), Some(0));
    let told = carnet.good(&["audit", "blank", "--patient", INS, "--confirm"]);
    assert!(told.starts_with("2 events from ") && told.contains("Secret: "), "{told}");
    carnet.start();
    assert_eq!(carnet.end(Signal::SIGTERM), Some(0));

    let traces = carnet.good(&["audit", "--json"]);
    assert!(!traces.contains(INS), "{traces}");
    let blanking = traces.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let blanking = blanking.into_iter().find(|event| event["act"] == "audit-blanked").unwrap();
    assert_eq!(blanking["patient"], Value::Null);
    let report: Value = serde_json::from_str(&carnet.good(&["audit", "verify", "--json"])).unwrap();
    assert_eq!((&report["good"], &report["blanked"]), (&Value::Bool(true), &Value::from(2)), "{report}");
    carnet.good(&["audit", "export", "--to", "all.ndjson"]);
    assert!(!std::fs::read_to_string(carnet.path("all.ndjson")).unwrap().contains(INS));
    let said = carnet.good(&["audit", "verify", "--export", "all.ndjson"]);
    assert!(said.contains("2 were blanked"), "{said}");
    let refused = carnet.bad(&["audit", "blank", "--patient", INS, "--confirm"]);
    assert!(refused.contains("no events of this patient"), "{refused}");
    let traces = carnet.good(&["audit", "--json"]);
    let refused =
        |line: &&str| line.contains("audit-blanked") && line.contains("\"outcome\":\"minor-failure\"");
    assert_eq!(traces.lines().filter(refused).count(), 2, "{traces}");
    assert!(!traces.contains(INS), "{traces}");
}

/// The key of an installation that is not there yet.
pub fn key_in(folder: &Path) -> Signer {
    let pem = Signer::generate("carnet").unwrap().to_pem().unwrap();
    let id = Signer::from_pem("carnet", &pem).unwrap().verifier().unwrap().id();
    std::fs::create_dir(folder.join("audit")).unwrap();
    let file =
        std::fs::File::options().write(true).create_new(true).mode(0o600).open(folder.join("audit/key.pem"));
    std::io::Write::write_all(&mut file.unwrap(), &pem).unwrap();
    Signer::from_pem(&format!("carnet-{id:08x}"), &pem).unwrap()
}

/// A log whose first event is of 2010 and whose second is of 2024, and the key of the server that will go on with it.
pub async fn old_log(folder: &TempDir) -> TestDatabase {
    let test = TestDatabase::create().await;
    let database = test.open();
    let checkpoints = CheckpointFile::new(folder.path().join("audit/checkpoints"));
    let mut sequencer = Sequencer::new(database.clone(), key_in(folder.path()), checkpoints).unwrap();
    for (patient, at) in [("old", "2010-05-06T00:00:00Z"), ("young", "2024-05-06T00:00:00Z")] {
        let requester = access::Requester::local("operator", "carnet");
        let source = atna::Source::here("carnet", None);
        let event = atna::Event::new(atna::Act::PatientOpened, atna::Outcome::Success, &requester, &source);
        let event = event.patient(Some(&format!("{patient}^^^&1.2.3&ISO")));
        atna::record(&database.get().await.unwrap(), &[event]).await.unwrap();
        sequencer.round_at(at.parse().unwrap()).await.unwrap();
    }
    test
}

pub async fn until(server: &Server, counted: &str) {
    let began = Instant::now();
    while server.count(counted).await == 0 {
        assert!(began.elapsed() < Duration::from_secs(20), "{counted}");
        tokio::task::yield_now().await;
    }
}

#[actix_web::test]
async fn a_server_lets_months_go_that_were_kept_long_enough() {
    let folder = test_support::folder();
    let log = old_log(&folder).await;
    let archive = folder.path().join("elsewhere");
    let settings =
        [("CARNET_AUDIT__ARCHIVE", archive.to_str().unwrap()), ("CARNET_AUDIT__KEEP_ACCESS_YEARS", "9")];
    let server = Server::on(&log.url, log.open(), folder, &settings).await;
    until(&server, "select count(*) from audit_trail where act = 'audit-expired'").await;
    assert_eq!(server.count("select count(*) from audit_trail where patient_id = 'old'").await, 0);
    assert_eq!(server.count("select count(*) from audit_trail where patient_id = 'young'").await, 1);
    assert!(std::fs::read_to_string(archive.join("access-2010-05.ndjson")).unwrap().contains("old^^^"));
    let database = server.database.clone();
    let key = std::fs::read_to_string(server.folder.path().join("audit/key.pub")).unwrap();
    server.stop().await;
    let verification =
        Verification { keys: vec![key.trim().parse().unwrap()], checkpoints: None, since: None };
    let report = verification.run(&database, |_, _| ()).await.unwrap();
    assert_eq!((report.finding, report.expired), (None, 1));
}

#[actix_web::test]
async fn a_month_that_cannot_be_archived_stays_and_an_event_says_so() {
    let folder = test_support::folder();
    let file = folder.path().join("a-file");
    std::fs::write(&file, "").unwrap();
    let log = old_log(&folder).await;
    let server =
        Server::on(&log.url, log.open(), folder, &[("CARNET_AUDIT__ARCHIVE", file.to_str().unwrap())]).await;
    let failed =
        "select count(*) from audit_trail where act = 'audit-expired' and outcome = 'serious-failure'";
    until(&server, failed).await;
    assert_eq!(server.count("select count(*) from audit_trail where patient_id = 'old'").await, 1);
    server.stop().await;
}

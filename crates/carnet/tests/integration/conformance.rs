//! The conformance scenarios, against servers of this process.

use std::path::PathBuf;

use conformance_tests::{Options, Outcome, Report, UnknownPatients, run};

use crate::harness::{REPOSITORY, Server, Submission, assert_filed, patient};

/// Needs a server that refuses unknown patients; all others need one that opens their records.
const REFUSING: &str = "v08-unknown-patient";

fn options(server: &Server) -> Options {
    let url = |service: &str| format!("{}/services/{service}", server.url);
    let mut options = Options::new(url("registry"), url("repository"));
    options.repository_unique_id = Some(REPOSITORY.to_owned());
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

#[actix_web::test]
async fn every_scenario_passes() {
    let server = Server::start().await;
    let mut options = options(&server);
    options.corpus = std::env::var_os("CARNET_CORPUS").map(PathBuf::from);
    judge(&run(&options).await.unwrap(), REFUSING);
    server.stop().await;
}

#[actix_web::test]
async fn the_scenario_of_the_unknown_patient_passes() {
    let opening = Server::start().await;
    let patient = patient();
    assert_filed(&opening.file(&Submission::new(&patient, "opens the record")).await);
    let refusing = opening.restart(&[("CARNET_PATIENTS__UNKNOWN", "refuse")]).await;
    let mut options = options(&refusing);
    options.unknown_patients = UnknownPatients::Refuse;
    options.patient = Some(patient.text.clone());
    options.only = Some(REFUSING.to_owned());
    judge(&run(&options).await.unwrap(), "nowhere");
    refusing.stop().await;
}

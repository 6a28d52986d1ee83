//! What `carnet fsck` finds, and that it finds nothing where nothing is wrong.

mod columns;
mod octets;
mod read_only;
mod resume;
mod tables;
pub mod traffic;

use std::process::Output;

use carnet::commands::fsck::state::{Counts, State};
use carnet::commands::fsck::walk::Walk;
use indicatif::ProgressBar;
use repository::check::Depth;
use serde_json::{Value, json};

use crate::command_line::Installation;
use crate::harness::{REPOSITORY, Server, Submission, assert_filed, patient};

/// The findings, and what was counted.
pub async fn check(server: &Server, depth: Depth) -> (Vec<Value>, Counts) {
    let bar = ProgressBar::hidden();
    let walk = Walk::new(&server.config, &server.database, server.folder.path(), depth, &bar);
    let (mut state, mut all) = (State::begin(), Vec::new());
    while let Some(findings) = walk.step(&mut state).await.unwrap() {
        all.extend(findings.iter().map(|finding| finding.as_json()));
    }
    (all, state.counts)
}

/// The names of the findings, in their order.
pub async fn names(server: &Server) -> Vec<String> {
    let (findings, _) = check(server, Depth::Octets).await;
    findings.iter().map(|finding| finding["finding"].as_str().unwrap().to_owned()).collect()
}

pub async fn execute(server: &Server, sql: &str) {
    server.database.get().await.unwrap().batch_execute(sql).await.unwrap();
}

#[actix_web::test]
async fn nothing_is_wrong_after_what_a_server_sees_in_its_life() {
    let server = Server::start().await;
    traffic::live(&server).await;
    for depth in [Depth::Length, Depth::Octets] {
        let (findings, counts) = check(&server, depth).await;
        assert_eq!(findings, Vec::<Value>::new());
        assert!(counts.entries_held >= 7, "{counts:?}");
        assert_eq!((counts.entries_on_demand, counts.entries_elsewhere), (1, 1), "{counts:?}");
        assert_eq!((counts.entries_removed, counts.documents_removed), (1, 1), "{counts:?}");
        assert_eq!(counts.blobs, counts.documents, "{counts:?}");
        assert!(counts.octets > 6 << 20, "{counts:?}");
    }
    server.stop().await;
}

#[actix_web::test]
async fn a_check_beside_a_busy_server_finds_nothing_that_is_only_half_done() {
    let server = Server::start().await;
    let patient = patient();
    let writing = async {
        for number in 0..40 {
            let submission = Submission::new(&patient, format!("lettre {number}"));
            assert_filed(&server.file(&submission).await);
            let removed = server.client.remove_documents(&[traffic::request(&submission)]).await.unwrap();
            assert_filed(&removed);
        }
    };
    let checking = async {
        for _ in 0..8 {
            assert_eq!(check(&server, Depth::Octets).await.0, Vec::<Value>::new());
        }
    };
    futures_util::future::join(writing, checking).await;
    server.stop().await;
}

#[test]
fn the_command_tells_a_good_installation_from_a_damaged_one() {
    let mut carnet = Installation::new(&format!(
        "[patients]\nunknown = \"open\"\n[repository]\nunique_id = \"{REPOSITORY}\"\n"
    ));
    carnet.start();
    let documents = concat!(env!("CARGO_MANIFEST_DIR"), "/../../conformance-tests/documents");
    carnet.good(&["submit", &format!("{documents}/lettre-de-liaison-sortie.xml")]);
    let good = carnet.good(&["fsck", "--resume", "state"]);
    assert!(good.contains("Everything is as it should be") && good.contains("CHECKED"), "{good}");
    assert!(!carnet.path("state").exists());

    let store = carnet.path("var/documents");
    let files = std::fs::read_dir(store).unwrap().flat_map(|e| std::fs::read_dir(e.unwrap().path()).unwrap());
    let file = files.map(|entry| entry.unwrap().path()).next().unwrap();
    let whole = std::fs::read(&file).unwrap();
    let mut octets = whole.clone();
    octets[100] ^= 1;
    std::fs::write(&file, octets).unwrap();
    assert!(carnet.good(&["fsck", "--quick"]).contains("as it should be"), "octets were not to be read");
    let lines = told(&carnet.run(&["fsck", "--json"]));
    assert_eq!((&lines[0]["finding"], &lines[0]["chunk"]), (&"damaged".into(), &0.into()), "{lines:?}");
    assert_eq!((&lines[1]["good"], &lines[1]["findings"]["damaged"]), (&false.into(), &1.into()));

    // Of a check that was cut off behind the octets, what it had found and counted is not forgotten: nothing is wrong now.
    std::fs::write(&file, whole).unwrap();
    let state = json!({ "place": "audit", "counts": lines[1]["counts"], "findings": { "damaged": 1 } });
    std::fs::write(carnet.path("state"), state.to_string()).unwrap();
    let resumed = told(&carnet.run(&["fsck", "--json", "--resume", "state"]));
    assert_eq!(resumed.len(), 1, "it has not begun anew: {resumed:?}");
    assert_eq!(resumed[0]["findings"], lines[1]["findings"]);
    assert_eq!(counted(&resumed[0]["counts"]), counted(&lines[1]["counts"]));
    assert!(!carnet.path("state").exists());
    assert!(carnet.good(&["fsck"]).contains("as it should be"));
}

/// The lines of a check that has found something.
fn told(output: &Output) -> Vec<Value> {
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    std::str::from_utf8(&output.stdout).unwrap().lines().map(|l| serde_json::from_str(l).unwrap()).collect()
}

/// What does not change by itself: a running server signs traces that waited.
fn counted(counts: &Value) -> Value {
    let mut counts = counts.clone();
    let waiting = counts.as_object_mut().unwrap().remove("traces_waiting").unwrap();
    counts["traces"] = (counts["traces"].as_u64().unwrap() + waiting.as_u64().unwrap()).into();
    counts
}

//! Backup and restore at the command line, and what the checkpoints tell that were shipped from the lost installation.

use std::time::{Duration, Instant};

use nix::sys::signal::Signal;
use serde_json::{Value, json};
use transparency::Record;

use super::manifest;
use crate::audit_log::{filed, verifier};
use crate::command_line::Installation;
use crate::harness::REPOSITORY;

/// The exit code of a verification with the shipped checkpoints, its report, and what people are told.
fn verify(new: &Installation) -> (Option<i32>, Value, String) {
    let command = ["audit", "verify", "--checkpoint", "shipped"];
    let told = String::from_utf8(new.run(&command).stdout).unwrap();
    let output = new.run(&[&command[..], &["--json"]].concat());
    (output.status.code(), serde_json::from_slice(&output.stdout).unwrap(), told)
}

#[test]
fn at_the_command_line_with_the_key_kept_elsewhere() {
    let settings = format!("[patients]\nunknown = \"open\"\n[repository]\nunique_id = \"{REPOSITORY}\"\n");
    let mut carnet = Installation::new(&settings);
    carnet.start();
    let documents = concat!(env!("CARGO_MANIFEST_DIR"), "/../../conformance-tests/documents");
    let said = carnet.good(&["submit", &format!("{documents}/lettre-de-liaison-sortie.xml")]);
    let id = said.trim().strip_prefix("Filed as ").unwrap().to_owned();
    // Something is signed before the backup.
    let deadline = Instant::now() + Duration::from_secs(60);
    while filed(&carnet.path("var")) == 0 {
        assert!(Instant::now() < deadline, "nothing is signed");
        std::thread::yield_now();
    }
    let made = carnet.run(&["backup", "kept"]);
    let (out, note) = (String::from_utf8(made.stdout).unwrap(), String::from_utf8(made.stderr).unwrap());
    assert!(out.contains("1 documents") && note.contains("private key"), "{out}{note}");
    let names = std::fs::read_dir(carnet.path("kept")).unwrap().map(|e| e.unwrap().file_name());
    assert!(names.into_iter().all(|name| !name.to_str().unwrap().ends_with(".pem")));
    // Signed in the meantime, and lost with this installation.
    carnet.good(&["patient", "open", "257041995001259"]);
    assert_eq!(carnet.end(Signal::SIGTERM), Some(0));

    let mut new = Installation::new(&settings);
    let dir = carnet.path("kept");
    let dir = dir.to_str().unwrap();
    let refused = new.bad(&["restore", dir]);
    assert!(refused.contains("put the audit key"), "{refused}");
    let key = new.path("var/audit/key.pem");
    std::fs::create_dir_all(key.parent().unwrap()).unwrap();
    std::fs::copy(carnet.path("var/audit/key.pem"), &key).unwrap();
    let restored = new.good(&["restore", dir]);
    assert!(restored.contains("1 documents") && restored.contains("says that it was restored"), "{restored}");
    assert!(new.good(&["fsck"]).contains("Everything is as it should be"));

    // The checkpoints that were shipped from the lost installation say that something is missing.
    let shipped = std::fs::read(carnet.path("var/audit/checkpoints")).unwrap();
    std::fs::write(new.path("shipped"), &shipped).unwrap();
    let (known, signed) =
        (filed(&carnet.path("var")), manifest(&carnet.path("kept"))["signed"].as_i64().unwrap());
    assert!(known > signed && signed > 0, "{known} {signed}");
    let (code, report, told) = verify(&new);
    assert_eq!(code, Some(1), "{report}");
    let missing = json!({ "finding": "truncated", "known": known, "found": signed });
    assert_eq!((&report["good"], &report["finding"]), (&false.into(), &missing));
    assert_eq!((&report["outside"], &report["restored"]), (&known.into(), &json!([])));
    assert!(told.contains(&format!("know of {known} events, the database has signed {signed}")), "{told}");
    assert!(!told.contains("A backup was restored"), "{told}");

    // With the record of the restore behind them they say why.
    let own = std::fs::read(new.path("var/audit/checkpoints")).unwrap();
    let keys = [verifier(&new.path("var"))];
    let last = transparency::records(&own, &keys).last().unwrap().unwrap();
    let Record::Restoration(restoration) = &last.record else { panic!("{last:?}") };
    assert_eq!(restoration.size as i64, signed);
    std::fs::write(new.path("shipped"), [&shipped[..], &own[last.start..last.end]].concat()).unwrap();
    let is_told = |new: &Installation| {
        let (code, report, told) = verify(new);
        assert_eq!((code, &report["finding"]), (Some(0), &Value::Null), "{report}");
        let restored = json!([{ "at": restoration.at, "size": signed }]);
        assert_eq!((&report["restored"], &report["outside"]), (&restored, &signed.into()));
        let sentence =
            format!("A backup was restored at {}: the log went on from {signed} events.", restoration.at);
        assert!(told.contains(&sentence), "{told}");
    };
    is_told(&new);

    new.start();
    new.good(&["get", &id, "-o", "back.xml"]);
    assert_eq!(
        std::fs::read(new.path("back.xml")).unwrap(),
        std::fs::read(format!("{documents}/lettre-de-liaison-sortie.xml")).unwrap()
    );
    assert_eq!(new.end(Signal::SIGTERM), Some(0));
    let verified: Value = serde_json::from_str(&new.good(&["audit", "verify", "--json"])).unwrap();
    assert_eq!((&verified["good"], verified["restored"].as_array().unwrap().len()), (&true.into(), 1));
    // The log has gone on, and not as the lost one did.
    is_told(&new);
    std::fs::write(new.path("shipped"), &shipped).unwrap();
    let (code, report, _) = verify(&new);
    assert_eq!((code, &report["good"]), (Some(1), &false.into()), "{report}");
}

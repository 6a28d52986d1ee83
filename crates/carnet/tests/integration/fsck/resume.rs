//! A check that was cut off goes on where it was, and ends as one that was not.

use std::fs;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::{Duration, Instant};

use carnet::commands::fsck::state::State;
use carnet::commands::fsck::walk::Walk;
use indicatif::ProgressBar;
use nix::sys::stat::Mode;
use nix::unistd::mkfifo;
use repository::check::Depth;
use serde_json::{Value, json};

use super::{check, counted, execute, told, traffic};
use crate::harness::{Server, Submission, assert_filed, patient};

/// The files of all documents, in the order in which they were filed.
async fn files(server: &Server) -> Vec<PathBuf> {
    let client = server.database.get().await.unwrap();
    let rows = client.query("select blob from document where purged_at is null order by document", &[]).await;
    let store = server.folder.path().join("documents");
    let blobs = rows.unwrap().iter().map(|row| row.get::<_, String>(0)).collect::<Vec<_>>();
    blobs.iter().map(|blob| store.join(&blob[..2]).join(blob)).collect()
}

fn damage(file: &PathBuf) {
    let mut octets = fs::read(file).unwrap();
    *octets.last_mut().unwrap() ^= 1;
    fs::write(file, octets).unwrap();
}

#[actix_web::test]
async fn a_check_may_be_cut_off_between_any_two_steps() {
    let server = Server::start().await;
    traffic::live(&server).await;
    damage(&files(&server).await[0]);
    execute(
        &server,
        "update document_entry set mime_type = 'text/xml' where version = 2;
         insert into object (entry_uuid, record, kind) values (gen_random_uuid(), 7, 'Folder');
         insert into unique_id (value, kind, entry_uuid, record) values ('1.2.3', 'Folder', gen_random_uuid(), 7)",
    )
    .await;
    let (expected, counts) = check(&server, Depth::Octets).await;
    let names: Vec<&Value> = expected.iter().map(|finding| &finding["finding"]).collect();
    assert_eq!(names, ["column", "key-of-nothing", "unique-id-of-nothing", "damaged"]);

    let (bar, file) = (ProgressBar::hidden(), server.folder.path().join("state"));
    let (mut findings, mut steps) = (Vec::new(), 0);
    loop {
        let mut state = State::load(Some(&file)).unwrap();
        let walk = Walk::new(&server.config, &server.database, server.folder.path(), Depth::Octets, &bar);
        let Some(found) = walk.step(&mut state).await.unwrap() else {
            assert_eq!(state.found(), expected.len() as u64);
            let whole = serde_json::to_value(&counts).unwrap();
            assert_eq!(counted(&serde_json::to_value(&state.counts).unwrap()), counted(&whole));
            break;
        };
        found.iter().for_each(|finding| state.add(finding.name()));
        findings.extend(found.iter().map(|finding| finding.as_json()));
        state.save(Some(&file)).unwrap();
        steps += 1;
        assert!(steps < 1000, "it begins anew each time");
    }
    assert_eq!(findings, expected);
    // Each kind of place was left behind: the store alone has 256 parts.
    assert!(steps > 262, "{steps}");
    server.stop_broken().await;
}

#[actix_web::test]
async fn a_check_that_is_killed_in_the_middle_ends_as_if_it_had_not_been() {
    let server = Server::start().await;
    for text in ["un", "deux", "trois"] {
        assert_filed(&server.file(&Submission::new(&patient(), text)).await);
    }
    let files = files(&server).await;
    damage(&files[2]);
    execute(&server, "update document_entry set mime_type = 'text/xml'").await;
    let whole = told(&server.command(&["fsck", "--json"]));
    let (summary, findings) = whole.split_last().unwrap();
    assert_eq!(summary["findings"], json!({ "column": 3, "damaged": 1 }));

    // A disk that does not answer: a pipe into which nobody writes holds the check back among the documents.
    let octets = fs::read(&files[1]).unwrap();
    fs::remove_file(&files[1]).unwrap();
    mkfifo(&files[1], Mode::S_IRWXU).unwrap();
    let mut cut = server.prepare(&["fsck", "--json", "--resume", "state"]);
    let mut cut = cut.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let state = server.folder.path().join("state");
    let deadline = Instant::now() + Duration::from_secs(60);
    loop {
        let kept = fs::read(&state).unwrap_or_default();
        let place = serde_json::from_slice(&kept).map(|state: Value| state["place"].clone());
        if place.is_ok_and(|place| place == json!({ "documents": 0 })) {
            break;
        }
        assert!(cut.try_wait().unwrap().is_none() && Instant::now() < deadline, "it did not come so far");
        tokio::task::yield_now().await;
    }
    cut.kill().unwrap();
    let cut = cut.wait_with_output().unwrap();
    assert_eq!(cut.status.code(), None, "it was killed");
    fs::remove_file(&files[1]).unwrap();
    fs::write(&files[1], octets).unwrap();

    // What was found before is right again: only the file can tell of it.
    execute(&server, "update document_entry set mime_type = 'text/plain'").await;
    let rest = told(&server.command(&["fsck", "--json", "--resume", "state"]));
    let (resumed, found) = rest.split_last().unwrap();
    assert_eq!(resumed["findings"], summary["findings"]);
    assert_eq!(counted(&resumed["counts"]), counted(&summary["counts"]));
    let before = std::str::from_utf8(&cut.stdout).unwrap().lines();
    let all: Vec<Value> =
        before.map(|line| serde_json::from_str(line).unwrap()).chain(found.to_vec()).collect();
    assert_eq!(all, findings);
    assert!(!state.exists());
    assert_eq!(told(&server.command(&["fsck", "--json"])).len(), 2, "the damaged octets and the summary");
    server.stop_broken().await;
}

//! The log of traces as the server and the command line keep it.

use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::Value;
use transparency::{InclusionProof, Verifier, record_hash};

use crate::command_line::Installation;
use crate::harness::{Server, Submission, assert_filed, patient};

pub fn verifier(folder: &Path) -> Verifier {
    std::fs::read_to_string(folder.join("audit/key.pub")).unwrap().trim().parse().unwrap()
}

/// The size in the last checkpoint of the file.
pub fn filed(folder: &Path) -> i64 {
    let octets = std::fs::read(folder.join("audit/checkpoints")).unwrap_or_default();
    match transparency::records(&octets, &[verifier(folder)]).last() {
        Some(Ok(located)) => match located.record {
            transparency::Record::Checkpoint(checkpoint) => checkpoint.size as i64,
            transparency::Record::Restoration(_) => panic!("nothing was restored"),
        },
        _ => 0,
    }
}

#[actix_web::test]
async fn a_running_server_signs_its_traces_and_the_file_follows() {
    let server = Server::start().await;
    assert_filed(&server.file(&Submission::new(&patient(), "lettre")).await);
    let written = server.count("select count(*) from audit_trail").await;
    let began = Instant::now();
    while filed(server.folder.path()) < written {
        assert!(began.elapsed() < Duration::from_secs(20), "events are not signed");
        tokio::task::yield_now().await;
    }
    assert_eq!(server.count("select count(*) from audit_inbox").await, 0);
    server.stop().await;
}

#[actix_web::test]
async fn a_stop_leaves_no_event_unsigned() {
    let server = Server::start().await;
    let (database, folder) = (server.database.clone(), server.folder.path().to_owned());
    server.stop().await;
    let client = database.get().await.unwrap();
    let row = client
        .query_one(
            "select (select count(*) from audit_inbox), (select count(*) from audit_trail where act = 'server-stopped')",
            &[],
        )
        .await
        .unwrap();
    assert_eq!((row.get::<_, i64>(0), row.get::<_, i64>(1)), (0, 1));
    drop(folder);
}

#[actix_web::test]
async fn when_no_trace_can_be_written_the_server_says_that_it_is_not_ready() {
    let server = Server::start().await;
    let ready = format!("{}/ready", server.url);
    let ask = async || {
        let mut answer = awc::Client::default().get(&ready).send().await.unwrap();
        let body: Value = serde_json::from_slice(&answer.body().await.unwrap()).unwrap();
        (answer.status().as_u16(), body["reason"].as_str().unwrap_or_default().to_owned())
    };
    assert_eq!(ask().await.0, 200);
    let before = server.count("select count(*) from audit_trail").await;
    let execute = async |sql| server.database.get().await.unwrap().batch_execute(sql).await.unwrap();
    execute(
        "create function refuse() returns trigger language plpgsql as $$ begin raise exception 'full'; end $$;
        create trigger refuse before insert on audit_inbox for each row execute function refuse()",
    )
    .await;
    // What was found out before is kept for a second.
    let until = async |wanted: u16| {
        let deadline = Instant::now() + Duration::from_secs(60);
        loop {
            match ask().await {
                (status, reason) if status == wanted => return reason,
                other => assert!(Instant::now() < deadline, "{other:?}"),
            }
        }
    };
    let reason = until(503).await;
    assert!(reason.contains("traces cannot be written"), "{reason}");
    execute("drop trigger refuse on audit_inbox").await;
    until(200).await;
    assert_eq!(server.count("select count(*) from audit_trail").await, before, "asking leaves no event");
    server.stop().await;
}

#[test]
fn the_log_is_verified_and_an_event_proven_at_the_command_line() {
    let mut carnet = Installation::new("");
    carnet.start();
    carnet.good(&["patient", "open", "257041995001259"]);
    assert_eq!(carnet.end(nix::sys::signal::Signal::SIGTERM), Some(0));

    let report: Value = serde_json::from_str(&carnet.good(&["audit", "verify", "--json"])).unwrap();
    assert_eq!(report["good"], true, "{report}");
    assert!(report["events"].as_u64().unwrap() >= 3, "{report}");
    assert_eq!(report["outside"], report["signed"]);

    let traces = carnet.good(&["audit", "--json"]);
    let opened = traces.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let opened = opened.into_iter().find(|event| event["act"] == "patient-opened").unwrap();
    let proof: InclusionProof =
        carnet.good(&["audit", "prove", opened["id"].as_str().unwrap()]).parse().unwrap();
    let record = proof.extra.clone().unwrap();
    let folder = carnet.path("var");
    proof.verify(&record_hash(&record), &[verifier(&folder)]).unwrap();
    let event: Value = serde_json::from_slice(&record[16..]).unwrap();
    assert_eq!(event["id"], opened["id"]);

    let unknown = carnet.bad(&["audit", "prove", "00000000-0000-4000-8000-000000000000"]);
    assert!(unknown.contains("there is no event"), "{unknown}");

    // Whoever alters the checkpoints that are kept outside is told so, too.
    let file = folder.join("audit/checkpoints");
    let text = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, text.replacen("time 2", "time 3", 1)).unwrap();
    let refused = carnet.bad(&["audit", "verify"]);
    assert!(refused.contains("damaged"), "{refused}");
}

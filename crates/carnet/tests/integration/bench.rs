//! `carnet bench` measures a server by its endpoints, and loads databases that answer like filled ones.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use bench::cells::cells;
use bench::limits::Limits;
use bench::load::Loaded;
use bench::process::Processes;
use bench::report::Report;
use bench::run::{Settings, Target, measure};
use bench::stage::Scale;
use client::Endpoints;
use xds::query::{Request, ReturnType, Status};

use crate::command_line::Installation;
use crate::harness::{REPOSITORY, Server};

/// Loaded documents that get octets.
const READABLE: u64 = 40;

fn settings(only: &[&str]) -> Settings {
    let only: Vec<String> = only.iter().map(|name| (*name).to_owned()).collect();
    Settings { cells: cells(&only, &[2]), time: Duration::from_millis(300), seed: 5, scale: Scale::SMOKE }
}

fn target(server: &Server, loaded: Option<Arc<Loaded>>) -> Target {
    let processes = Processes(vec![std::process::id()]);
    Target { endpoints: Endpoints::of_server(&server.url), processes, feed: true, loaded }
}

const TEST_DOMAIN: (&str, &str) = ("CARNET_PATIENTS__INS_AUTHORITY", "1.2.250.1.213.1.4.10");

#[actix_web::test]
async fn every_kind_of_work_is_answered_without_a_failure() {
    let server = Server::with(&[TEST_DOMAIN]).await;
    let settings = settings(&["submit", "find-10-", "get-30k", "mix"]);
    let rows = measure(&target(&server, None), &settings, &Limits::default(), |_| {}).await.unwrap();
    assert_eq!(rows.len(), 6);
    for row in &rows {
        assert_eq!(row.outcome.failures, 0, "{row:?}");
        assert!(row.outcome.requests > 0 && row.outcome.p50 > 0.0, "{row:?}");
        assert!(row.cpu_per_1000.is_some() && row.peak_mib.is_some(), "{row:?}");
    }
    let events = server.count("select count(*) from audit_trail where act = 'iti43-repository'").await;
    let gets = rows.iter().find(|row| row.workload == "get-30k").unwrap().outcome.requests;
    assert!(events as u64 >= gets, "{events} traces of {gets} retrievals");
    server.stop().await;
}

#[actix_web::test]
async fn a_server_that_refuses_is_not_fast() {
    // Patients are not told to the registry, which does not open records by itself.
    let server = Server::with(&[TEST_DOMAIN]).await;
    let target = Target { feed: false, ..target(&server, None) };
    let rows = measure(&target, &settings(&["submit-1"]), &Limits::default(), |_| {}).await.unwrap();
    let outcome = &rows[0].outcome;
    assert!(outcome.requests == 0 && outcome.failures > 0, "{outcome:?}");
    assert!(outcome.first_failure.as_ref().unwrap().contains("no record is open"), "{outcome:?}");
    server.stop().await;
}

#[actix_web::test]
async fn loaded_records_are_found_and_measured_like_filed_ones() {
    let server = Server::with(&[TEST_DOMAIN]).await;
    let mut loaded = Loaded::new(7, 2500, REPOSITORY).unwrap();
    let mut client = server.database.get().await.unwrap();
    loaded.into_database(&mut client, |_, _| {}).await.unwrap();
    let store = blob::LocalStore::existing(&server.folder.path().join("documents"));
    loaded.with_octets(&client, &store, READABLE).await.unwrap();
    drop(client);
    let loaded = Arc::new(loaded);
    let entries = loaded.entries();
    for table in ["document_entry", "association", "document", "header_fact"] {
        assert_eq!(server.count(&format!("select count(*) from {table}")).await as u64, entries, "{table}");
    }
    // Fragments say what the columns say: complete answers read back to the same objects.
    let ins = loaded.patient_with(&mut fastrand::Rng::with_seed(1), 100);
    let patient = bench::people::cx(&ins);
    let request = Request::find_documents(&patient, &[Status::Approved], ReturnType::LeafClass);
    let answer = server.client.query(&request).await.unwrap();
    assert_eq!(answer.documents.len(), 100);
    let unique_id = "select count(*) from unique_id where value = any($1) and kind = 'DocumentEntry'";
    let values: Vec<&str> = answer
        .documents
        .iter()
        .filter_map(|document| document.common.external_identifier(xds::constants::DOCUMENT_ENTRY_UNIQUE_ID))
        .collect();
    let client = server.database.get().await.unwrap();
    assert_eq!(client.query_one(unique_id, &[&values]).await.unwrap().get::<_, i64>(0), 100);
    drop(client);
    assert_eq!(loaded.readable.len() as u64, READABLE);
    let settings = settings(&["submit-1", "find-10-", "get-30k"]);
    let target = target(&server, Some(loaded));
    for row in measure(&target, &settings, &Limits::default(), |_| {}).await.unwrap() {
        assert_eq!(row.outcome.failures, 0, "{row:?}");
        assert!(row.outcome.requests > 0, "{row:?}");
    }
    // All that is wrong with the database is what was said: octets of most loaded documents are absent.
    let (findings, _) = crate::fsck::check(&server, repository::check::Depth::Octets).await;
    assert!(findings.iter().all(|finding| finding["finding"] == "no-octets"), "{findings:?}");
    assert_eq!(findings.len() as u64, entries - READABLE);
    server.stop_broken().await;
}

#[actix_web::test]
async fn the_command_measures_a_server_that_it_knows_by_its_endpoints() {
    let mut carnet =
        Installation::new("[patients]\nunknown = \"open\"\nins_authority = \"1.2.250.1.213.1.4.10\"\n");
    carnet.start();
    let (registry, repository) =
        (format!("{}/services/registry", carnet.url()), format!("{}/services/repository", carnet.url()));
    let pid = carnet.pid().to_string();
    let mut arguments =
        vec!["bench", "--registry", &registry, "--repository", &repository, "--pid", &pid, "--no-feed"];
    arguments.extend(["--smoke", "--no-limits", "--seconds", "1", "--clients", "2", "--json"]);
    arguments.extend(["--only", "submit-1", "--only", "find-10-refs", "--only", "get-30k"]);
    let report: Report = serde_json::from_str(&carnet.good(&arguments)).unwrap();
    let names: Vec<&str> = report.rows.iter().map(|row| row.workload.as_str()).collect();
    assert_eq!(names, ["find-10-refs", "get-30k", "submit-1"]);
    for row in &report.rows {
        assert!(row.outcome.requests > 0 && row.outcome.failures == 0, "{row:?}");
        assert!(row.cpu_per_1000.is_some_and(|cpu| cpu > 0.0) && row.peak_mib.is_some(), "{row:?}");
    }
    assert_eq!(report.start_ms, None);
}

/// Every index and constraint as a statement, with its number, which is another once it was made anew. Those of the log
/// apart: a server opens months when it likes.
async fn keys(server: &Server) -> BTreeMap<String, u32> {
    let sql = "
        select indexdef, to_regclass(quote_ident(indexname))::oid from pg_indexes
        where schemaname = 'public' and tablename not like 'audit%'
        union all
        select format('%s %I %s %s', conrelid::regclass, conname, pg_get_constraintdef(oid), convalidated), oid
        from pg_constraint where connamespace = 'public'::regnamespace and conrelid::regclass::text not like 'audit%'";
    let rows = server.database.get().await.unwrap().query(sql, &[]).await.unwrap();
    rows.iter().map(|row| (row.get(0), row.get(1))).collect()
}

#[actix_web::test]
async fn indexes_and_constraints_that_go_while_rows_are_loaded_are_all_there_again() {
    let server = Server::with(&[TEST_DOMAIN]).await;
    let before = keys(&server).await;
    let loaded = Loaded::new(7, 2500, REPOSITORY).unwrap().rebuilding_from(2500);
    let mut client = server.database.get().await.unwrap();
    loaded.into_database(&mut client, |_, _| {}).await.unwrap();
    drop(client);
    assert_eq!(server.count("select count(*) from document_entry").await as u64, loaded.entries());
    let after = keys(&server).await;
    assert_eq!(before.keys().collect::<Vec<_>>(), after.keys().collect::<Vec<_>>());
    let made_anew: Vec<&String> = before.keys().filter(|key| before[*key] != after[*key]).collect();
    // Of each kind, so that it is known that they went.
    for kind in
        ["CREATE INDEX document_entry_", "CREATE UNIQUE INDEX", "PRIMARY KEY", "FOREIGN KEY", "UNIQUE ("]
    {
        assert!(made_anew.iter().any(|key| key.contains(kind)), "{kind}: {made_anew:?}");
    }
    let (findings, _) = crate::fsck::check(&server, repository::check::Depth::Length).await;
    assert!(findings.iter().all(|finding| finding["finding"] == "no-octets"), "{findings:?}");
    server.stop_broken().await;
}

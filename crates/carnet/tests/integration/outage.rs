//! The database goes away and comes back.

use std::time::{Duration, Instant};

use client::{Client, Endpoints, RawAnswer};
use nix::sys::signal::Signal;
use private_postgres::PrivatePostgres;
use xds::message::ResponseStatus;
use xds::query::{Request, ReturnType, Status};

use crate::command_line::Installation;
use crate::harness::{Server, Submission, assert_filed, codes, patient};
use crate::metrics;

/// Asks whether the server is ready until it says so, or that it is not; what it found out before is kept for a second.
async fn until(server: &Server, status: u16) -> RawAnswer {
    let deadline = Instant::now() + Duration::from_secs(60);
    loop {
        let page = server.client.page(&format!("{}/ready", server.url)).await.unwrap();
        if page.status == status {
            return page;
        }
        assert!(Instant::now() < deadline, "it answers {}", page.status);
    }
}

#[actix_web::test]
async fn the_server_says_so_and_recovers_by_itself() {
    let postgres_folder = test_support::folder();
    let options = private_postgres::Options::new(postgres_folder.path().join("postgres"));
    let postgres = PrivatePostgres::start(&options).await.unwrap();
    let url = postgres.connection();
    let database = database::Database::connect(&url, &database::Options::default()).unwrap();
    let settings = [("CARNET_PATIENTS__UNKNOWN", "open")];
    let server = Server::on(&url, database, test_support::folder(), &settings).await;
    let patient = patient();
    let before = Submission::new(&patient, "before");
    assert_filed(&server.file(&before).await);
    let ready = format!("{}/ready", server.url);
    assert_eq!(server.client.page(&ready).await.unwrap().status, 200);

    postgres.stop().await.unwrap();
    let during = Submission::new(&patient, "during");
    assert_eq!(codes(&server.file(&during).await), ["XDSRegistryNotAvailable"]);
    let request = Request::find_documents(&patient, &[Status::Approved], ReturnType::LeafClass);
    let answer = server.client.query(&request).await.unwrap();
    assert_eq!(codes(&answer.response), ["XDSRegistryBusy"]);
    assert_eq!(server.read(&before.entry.unique_id).await, None);
    let page = until(&server, 503).await;
    assert!(String::from_utf8_lossy(&page.body).contains("database"));
    assert_eq!(server.client.page(&format!("{}/health", server.url)).await.unwrap().status, 200);
    assert_eq!(server.blobs(), 1, "the refused document left nothing");

    let told = metrics::page(&server).await;
    let failed = |transaction: &str| {
        let of = format!("carnet_transactions_total{{transaction=\"{transaction}\",outcome=\"failed\"}}");
        metrics::value(&told, &of).unwrap()
    };
    assert_eq!((failed("ITI-41"), failed("ITI-18"), failed("ITI-43")), (1.0, 1.0, 1.0));
    assert_eq!(metrics::value(&told, "carnet_audit_inbox"), None, "{told}");

    let postgres = PrivatePostgres::start(&options).await.unwrap();
    until(&server, 200).await;
    assert_filed(&server.file(&during).await);
    assert_eq!(server.read(&before.entry.unique_id).await.unwrap(), b"before");
    let answer = server.client.query(&request).await.unwrap();
    assert_eq!((answer.response.status, answer.documents.len()), (ResponseStatus::Success, 2));
    server.stop().await;
    postgres.stop().await.unwrap();
}

/// Wherever the disk is full, and whichever statement of the many that go together is heard first.
#[actix_web::test]
async fn a_full_database_refuses_a_submission_as_unavailable_and_is_no_internal_error() {
    let server = Server::start().await;
    let (patient, mut filed) = (patient(), 0);
    for table in
        ["object", "unique_id", "submission_set", "document_entry", "association", "document", "audit_inbox"]
    {
        let full = format!(
            "create or replace function full_disk() returns trigger language plpgsql as
                $$ begin raise exception 'No space left on device' using errcode = '53100'; end $$;
            create trigger full_disk before insert on {table} for each row execute function full_disk()"
        );
        server.database.get().await.unwrap().batch_execute(&full).await.unwrap();
        for _ in 0..5 {
            let refused = server.file(&Submission::new(&patient, "lettre")).await;
            assert_eq!(codes(&refused), ["XDSRegistryNotAvailable"], "{table}: {refused:?}");
        }
        let emptied = format!("drop trigger full_disk on {table}");
        server.database.get().await.unwrap().batch_execute(&emptied).await.unwrap();
        assert_filed(&server.file(&Submission::new(&patient, "lettre")).await);
        filed += 1;
        assert_eq!(server.count("select count(*) from submission_set").await, filed);
    }
    assert_eq!(server.blobs() as i64, filed);
    server.stop().await;
}

#[actix_web::test]
async fn the_log_tells_once_that_the_database_is_away_and_once_that_it_is_back() {
    let postgres_folder = test_support::folder();
    let options = private_postgres::Options::new(postgres_folder.path().join("postgres"));
    let postgres = PrivatePostgres::start(&options).await.unwrap();
    let mut carnet = Installation::new(&format!("[database]\nurl = \"{}\"\n", postgres.connection()));
    carnet.start();
    let client = Client::new(Endpoints::of_server(&carnet.url()));
    let request = Request::find_documents(&patient(), &[Status::Approved], ReturnType::LeafClass);
    let ask = async || client.query(&request).await.unwrap().response;
    assert_eq!(ask().await.status, ResponseStatus::Success);

    postgres.stop().await.unwrap();
    const REFUSED: usize = 30;
    for _ in 0..REFUSED {
        assert_eq!(codes(&ask().await), ["XDSRegistryBusy"]);
    }
    let postgres = PrivatePostgres::start(&options).await.unwrap();
    let deadline = Instant::now() + Duration::from_secs(60);
    while ask().await.status != ResponseStatus::Success {
        assert!(Instant::now() < deadline, "{}", carnet.log());
    }
    assert_eq!(carnet.end(Signal::SIGTERM), Some(0));
    postgres.stop().await.unwrap();

    let log = carnet.log();
    let with = |text: &str| log.lines().filter(|line| line.contains(text)).collect::<Vec<_>>();
    let [back] = with("the database is back")[..] else { panic!("{log}") };
    let refused: usize = back.split("refused=").nth(1).unwrap().split(' ').next().unwrap().parse().unwrap();
    assert!(refused >= REFUSED, "{back}");
    // The signing of the log of traces says for itself that it waits.
    let errors: Vec<&str> = with(" ERROR ")
        .into_iter()
        .filter(|line| !line.contains("the audit log is not signed now"))
        .collect();
    let reminders = errors.iter().filter(|line| line.contains("the database is still away")).count();
    let away = with("the database is away");
    assert_eq!((away.len(), errors.len()), (1, 1 + reminders), "{log}");
    assert!(reminders <= 2, "one in half a minute: {log}");
    assert!(with("outcome=\"failed\"").len() >= REFUSED, "each transaction has its line: {log}");
}

#[actix_web::test]
async fn monitors_that_ask_at_once_share_one_look_at_the_database() {
    let server = Server::start().await;
    let client = server.database.get().await.unwrap();
    // What is rolled back counts here all the same.
    client
        .batch_execute(
            "create sequence probes;
            create function count_probe() returns trigger language plpgsql as
                $$ begin if new.leaf = '' then perform nextval('probes'); end if; return new; end $$;
            create trigger count_probe before insert on audit_inbox for each row execute function count_probe()",
        )
        .await
        .unwrap();
    let began = Instant::now();
    let ready = format!("{}/ready", server.url);
    for _ in 0..10 {
        let pages = futures_util::future::join_all((0..20).map(|_| server.client.page(&ready))).await;
        assert!(pages.iter().all(|page| page.as_ref().unwrap().status == 200));
    }
    let home = server.client.page(&format!("{}/", server.url)).await.unwrap();
    assert_eq!(home.status, 200);
    let seconds = began.elapsed().as_secs() as i64;
    let probes = server.count("select case when is_called then last_value else 0 end from probes").await;
    assert!((1..=seconds + 1).contains(&probes), "{probes} looks in {seconds} seconds");
    drop(client);
    server.stop().await;
}

//! A server asks for no more connections than its PostgreSQL takes.

use database::{Database, Options};
use futures_util::future::join_all;
use nix::sys::signal::Signal;
use private_postgres::PrivatePostgres;
use tempfile::TempDir;

use crate::command_line::Installation;
use crate::harness::{Server, Submission, assert_filed, config, patient};

/// With so few connections, three of which are kept for administrators.
async fn postgres(connections: &str) -> (PrivatePostgres, TempDir) {
    let folder = test_support::folder();
    let settings =
        [("max_connections", connections), ("fsync", "off"), ("superuser_reserved_connections", "3")];
    let options = private_postgres::Options {
        settings: settings.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec(),
        ..private_postgres::Options::new(folder.path().join("postgres"))
    };
    (PrivatePostgres::start(&options).await.unwrap(), folder)
}

const WIDE: (&str, &str) = ("CARNET_DATABASE__POOL", "64");
const OPEN: (&str, &str) = ("CARNET_PATIENTS__UNKNOWN", "open");

#[actix_web::test]
async fn a_server_gives_each_thread_fewer_when_postgresql_takes_few_and_works_under_load() {
    let (postgres, _folder) = postgres("20").await;
    let url = postgres.connection();
    let database = Database::connect(&url, &Options { pool: 2, ..Options::default() }).unwrap();
    let server = Server::on(&url, database, test_support::folder(), &[WIDE, OPEN]).await;
    // Two threads and the one beside them: (20 - 3 reserved - 3) / 3 - 1 for the traces of each.
    let patient = patient();
    let submissions: Vec<Submission> =
        (0..60).map(|number| Submission::new(&patient, format!("lettre {number}"))).collect();
    let most = async {
        let (mut most, began) = (0, std::time::Instant::now());
        while began.elapsed().as_secs() < 60
            && server.count("select count(*) from document").await < submissions.len() as i64
        {
            let sql = "select count(*) from pg_stat_activity where application_name = 'carnet'";
            most = server.count(sql).await.max(most);
        }
        most
    };
    let (answers, most) = futures_util::future::join(
        join_all(submissions.iter().map(|submission| server.file(submission))),
        most,
    )
    .await;
    answers.iter().for_each(assert_filed);
    // Two are those of this test.
    assert!((4..=17 + 2).contains(&most), "{most} connections");
    let page = server.client.page(&format!("{}/metrics", server.url)).await.unwrap();
    let page = String::from_utf8(page.body.to_vec()).unwrap();
    let line = page.lines().find(|line| line.starts_with("carnet_database_connections_max ")).unwrap();
    let pools: usize = line.split(' ').nth(1).unwrap().parse().unwrap();
    assert!([3, 6, 9].contains(&pools), "3 of each thread that has asked: {pools}");
    server.stop().await;
    postgres.stop().await.unwrap();
}

#[test]
fn commands_that_read_by_one_connection_what_they_hold_by_another_have_two() {
    let mut carnet = Installation::new("[database]\npool = 1\n");
    carnet.start();
    carnet.good(&["patient", "open", "257041995001259"]);
    assert_eq!(carnet.end(Signal::SIGTERM), Some(0));
    carnet.good(&["audit", "verify"]);
    carnet.good(&["fsck"]);
    carnet.good(&["audit", "export", "--to", "all.ndjson"]);
}

#[actix_web::test]
async fn a_server_that_cannot_have_two_for_each_thread_does_not_start_and_says_what_to_set() {
    let (postgres, _folder) = postgres("12").await;
    let folder = test_support::folder();
    let with = |workers: &str| {
        let settings = [WIDE, ("CARNET_SERVER__WORKERS", workers)];
        config(folder.path(), Some(&postgres.connection()), &settings)
    };
    let refused = carnet::serve::start(&with("2")).await.err().unwrap().to_string();
    assert!(refused.contains("PostgreSQL takes 9 connections"), "{refused}");
    assert!(refused.contains("max_connections") && refused.contains("server.workers"), "{refused}");
    let running = carnet::serve::start(&with("1")).await.unwrap();
    let handle = running.handle();
    let done = actix_web::rt::spawn(running.until_stopped());
    handle.stop(true).await;
    done.await.unwrap().unwrap();
    postgres.stop().await.unwrap();
}

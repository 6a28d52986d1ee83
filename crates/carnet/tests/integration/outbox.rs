//! `carnet outbox` as its operator uses it.

use std::time::Instant;

use client::{Client, Endpoints};
use nix::sys::signal::Signal;
use serde_json::Value;

use crate::asynchronous::{PATIENCE, Reader, ask_at, reply_to};
use crate::command_line::Installation;

fn listed(carnet: &Installation) -> Vec<Value> {
    serde_json::from_str(&carnet.good(&["outbox", "--json"])).unwrap()
}

#[actix_web::test]
async fn what_was_given_up_is_listed_and_tried_again() {
    let reader = Reader::start(&[503, 202]);
    let settings = format!(
        "[patients]\nunknown = \"open\"\n[asynchronous]\nreply_to = [\"{}\"]\nattempts = 1\n",
        reader.url
    );
    let mut carnet = Installation::new(&settings);
    carnet.start();
    assert_eq!(carnet.good(&["outbox"]), "No answers wait.\n");
    assert_eq!(carnet.good(&["outbox", "--json"]), "[]\n");

    let client = Client::new(Endpoints::of_server(&carnet.url()));
    assert_eq!(ask_at(&client, &carnet.url(), &reply_to(&reader.url)).await.status, 202);
    let began = Instant::now();
    let letter = loop {
        // The answer is given to the reader by the runtime of this thread.
        reader.wait_for(1).await;
        let letters = listed(&carnet);
        match letters.first() {
            Some(letter) if letter["state"] == "given up" => break letter.clone(),
            _ => assert!(began.elapsed() < PATIENCE, "{letters:?}"),
        }
        tokio::task::yield_now().await;
    };
    assert_eq!((&letter["attempts"], &letter["to"]), (&1.into(), &reader.url.clone().into()));
    assert!(letter["lastError"].as_str().unwrap().contains("503"), "{letter}");
    let table = carnet.good(&["outbox"]);
    for word in ["NUMBER", "LAST ERROR", "given up", &reader.url, "503"] {
        assert!(table.contains(word), "{word}: {table}");
    }
    assert!(!table.contains("AdhocQueryResponse"), "{table}");

    let retry = carnet.run(&["outbox", "--retry"]);
    assert!(retry.status.success());
    assert!(String::from_utf8_lossy(&retry.stderr).contains("1 answers are tried again"), "{retry:?}");
    assert_eq!(reader.wait_for(2).await.len(), 2);
    let began = Instant::now();
    while !listed(&carnet).is_empty() {
        assert!(began.elapsed() < PATIENCE, "it still waits");
        tokio::task::yield_now().await;
    }
    carnet.end(Signal::SIGTERM);
    reader.handle.stop(false).await;
}

//! How long a patient's traces take when there are many of others. Not run by itself:
//!
//! `VOLUME=10000000 cargo test --release -p carnet --test integration -- --ignored --nocapture ten_million`

use std::time::{Duration, Instant};

use atna::Filter;

use super::{Reader, read};
use crate::harness::Server;

/// Months over which the events are spread.
const MONTHS: i64 = 24;
/// Of the patient that is asked for; every other patient has about a hundred.
const OWN: i64 = 500;
const ROUNDS: usize = 21;

/// One event as it is stored, with `ID`, `PATIENT` and `AT` for what differs.
fn template() -> String {
    let mut event = read("2026-01-05T10:00:00Z", "PATIENT^^^&1.2.250.1.999.3&ISO");
    event.id = uuid::Uuid::nil();
    let text = serde_json::to_string(&atna::Entry::Own(event)).unwrap();
    text.replace(&uuid::Uuid::nil().to_string(), "ID").replace("2026-01-05T10:00:00Z", "AT")
}

async fn fill(server: &Server, volume: i64) {
    let client = server.database.get().await.unwrap();
    client.batch_execute("set statement_timeout = 0; set synchronous_commit = off").await.unwrap();
    let per_month = volume / MONTHS;
    for month in 0..MONTHS {
        let first = format!("(date '2024-01-01' + interval '{month} months')::date");
        client.batch_execute(&format!("select audit_open_month({first})")).await.unwrap();
        let sql = format!(
            "insert into audit_event (position, month, kind, id, at, patient_id, patient_authority, salt, content)
            select $1::bigint * $2::bigint + number, {first}, 1, id, at, patient, '1.2.250.1.999.3',
                decode('000102030405060708090a0b0c0d0e0f', 'hex'),
                convert_to(replace(replace(replace($3, 'ID', id::text), 'PATIENT', patient),
                    'AT', to_char(at at time zone 'utc', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"')), 'UTF8')
            from (
                select number, gen_random_uuid() as id,
                    {first}::timestamptz + number * interval '28 days' / $2::bigint as at,
                    case when number % ($2::bigint / $5::bigint) = 0 then 'own'
                        else 'p' || (hashint8(number * 7919) & 2147483647) % ($4::bigint / 100) end as patient
                from generate_series(0, $2::bigint - 1) as number
            ) as event"
        );
        let own = (OWN / MONTHS).max(1);
        client.execute(&sql, &[&month, &per_month, &template(), &volume.max(100), &own]).await.unwrap();
    }
    client.batch_execute("vacuum analyze audit_event").await.unwrap();
    client.batch_execute("reset statement_timeout").await.unwrap();
}

/// The middle of several rounds, and the worst.
fn report(what: &str, mut times: Vec<Duration>) -> Duration {
    times.sort();
    let middle = times[times.len() / 2];
    println!(
        "{what}: {:.1} ms (median), {:.1} ms (worst)",
        middle.as_secs_f64() * 1e3,
        times[times.len() - 1].as_secs_f64() * 1e3
    );
    middle
}

#[actix_web::test]
#[ignore = "takes minutes and gigabytes"]
async fn the_traces_of_one_patient_among_ten_million_take_twenty_milliseconds() {
    let volume: i64 = std::env::var("VOLUME").map_or(100_000, |volume| volume.parse().unwrap());
    let server = Server::start().await;
    let began = Instant::now();
    fill(&server, volume).await;
    let (events, own) = (
        server.count("select count(*) from audit_event").await,
        server.count("select count(*) from audit_event where patient_id = 'own'").await,
    );
    println!("{events} events in {MONTHS} months, {own} of the patient; filled in {:?}", began.elapsed());

    let token = Reader::of(&server).token;
    // One for all: to make one reads the certificates of the system, which takes longer than an answer.
    let client = awc::Client::default();
    let mut medians = Vec::new();
    for (what, query, found) in [
        ("ITI-81 by patient, 200 events", "patient.identifier=urn:oid:1.2.250.1.999.3|own", 200),
        ("ITI-81 by patient, 20 events", "patient.identifier=urn:oid:1.2.250.1.999.3|own&_count=20", 20),
        ("ITI-81 by patient and month", "patient.identifier=urn:oid:1.2.250.1.999.3|own&date=2025-03", 200),
        ("ITI-81 by a patient's bare id", "patient=own&_count=20", 20),
        ("ITI-81 by day", "date=2025-03-05&_count=20", 20),
    ] {
        let mut times = Vec::new();
        for _ in 0..ROUNDS {
            let began = Instant::now();
            let url = format!("{}/fhir/AuditEvent?{query}", server.url);
            let mut answer = client.get(url).bearer_auth(&token).send().await.unwrap();
            let body = answer.body().limit(64 << 20).await.unwrap();
            times.push(began.elapsed());
            let page: serde_json::Value = serde_json::from_slice(&body).unwrap();
            assert!((1..=found).contains(&page["entry"].as_array().unwrap().len()), "{what}");
        }
        medians.push((what, report(what, times)));
    }
    let filter = Filter {
        patients: vec![("own".to_owned(), "1.2.250.1.999.3".to_owned())],
        limit: Some(1000),
        ..Filter::default()
    };
    let mut times = Vec::new();
    for _ in 0..ROUNDS {
        let began = Instant::now();
        let client = server.database.get().await.unwrap();
        let rows = atna::search(&client, &filter).await.unwrap();
        times.push(began.elapsed());
        assert!(rows.len() as i64 >= own);
    }
    medians.push(("the store, all of the patient", report("the store, all of the patient", times)));
    let mut times = Vec::new();
    for _ in 0..ROUNDS {
        let began = Instant::now();
        let output = server.command(&["audit", "--patient", "own^^^&1.2.250.1.999.3&ISO", "--json"]);
        times.push(began.elapsed());
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        assert!(output.stdout.split(|octet| *octet == b'\n').count() > 1);
    }
    let median = report("carnet audit --patient, as a process of its own", times);
    assert!(median < Duration::from_millis(100), "starting and connecting included: {median:?}");
    for (what, median) in medians {
        assert!(median < Duration::from_millis(20), "{what}: {median:?}");
    }
    // Of what was filled in by hand the log has no leaves.
    server.stop_broken().await;
}

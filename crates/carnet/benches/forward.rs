//! How fast a queue of a million events drains to an audit record repository on the same machine, over TLS.
//!
//! `cargo bench -p carnet --bench forward`, with EVENTS=100000 for fewer of them. It fails below 10,000 events a second.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a measurement that cannot be set up has failed"
)]

use std::io::Read;
use std::net::TcpListener;
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use access::Requester;
use atna::{Act, Entry, Event, Object, Outcome, Source};
use carnet::config::Config;
use openssl::ssl::{SslAcceptor, SslFiletype, SslMethod};
use test_support::TestDatabase;
use test_support::certificates::{NOW, Node};

const EVENTS: u64 = 1_000_000;
/// Events a second.
const LEAST: f64 = 10_000.0;

/// Copies of one event, each with an id of its own.
const FILL: &str = "
    insert into audit_inbox (id, at, kind, patient_id, patient_authority, salt, content, leaf)
    select id, now(), 1, '123', '1.2.250.1.213.1.4.8', salt, content, sha256('\\x00'::bytea || salt || content)
    from (
        select id, decode(md5(id::text), 'hex') as salt,
            convert_to(replace($1, '00000000-0000-0000-0000-000000000000', id::text), 'UTF8') as content
        from (select gen_random_uuid() as id from generate_series(1, $2::bigint)) as ids
    ) as events";

fn main() {
    let events = std::env::var("EVENTS").map_or(EVENTS, |events| events.parse().unwrap());
    actix_web::rt::System::new().block_on(measure(events));
}

async fn measure(events: u64) {
    let (folder, test) = (test_support::folder(), TestDatabase::create().await);
    let authority = Node::authority("authority");
    authority.write(folder.path(), "authority");
    authority.issue("arr", NOW).write(folder.path(), "arr");
    let database = test.open();
    let client = database.get().await.unwrap();

    let began = Instant::now();
    let count = i64::try_from(events).unwrap();
    client.batch_execute("set statement_timeout = 0").await.unwrap();
    client.execute(FILL, &[&event(), &count]).await.unwrap();
    let server = carnet::serve::start(&config(&test.url, folder.path(), &[])).await.unwrap();
    let waiting =
        async || -> i64 { client.query_one("select count(*) from audit_inbox", &[]).await.unwrap().get(0) };
    while waiting().await > 0 {
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    let handle = server.handle();
    let done = actix_web::rt::spawn(server.until_stopped());
    handle.stop(true).await;
    done.await.unwrap().unwrap();
    client.batch_execute("vacuum analyze audit_event").await.unwrap();
    println!("{events} events were put into the log in {:.1} s", began.elapsed().as_secs_f64());

    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let target = format!("tls://{}", listener.local_addr().unwrap());
    let arrived = receive(listener, folder.path(), events);
    let all = "insert into audit_forward (target, position) values ($1, 0)";
    client.execute(all, &[&target]).await.unwrap();
    let authorities = folder.path().join("authority.pem").display().to_string();
    let settings = [
        ("CARNET_AUDIT__FORWARD", target.as_str()),
        ("CARNET_AUDIT__FORWARD_AUTHORITIES", authorities.as_str()),
    ];
    let server = carnet::serve::start(&config(&test.url, folder.path(), &settings)).await.unwrap();
    let arrived = actix_web::rt::task::spawn_blocking(move || arrived.recv().unwrap()).await.unwrap();
    let handle = server.handle();
    let done = actix_web::rt::spawn(server.until_stopped());
    handle.stop(true).await;
    done.await.unwrap().unwrap();

    let rate = events as f64 / arrived.took.as_secs_f64();
    let (seconds, each) = (arrived.took.as_secs_f64(), arrived.octets as u64 / events);
    println!("{events} events of {each} octets arrived in {seconds:.1} s: {rate:.0} a second");
    assert!(rate >= LEAST, "less than {LEAST} a second");
}

/// A document that was read.
fn event() -> String {
    let source = Source::here("carnet", Some("region".to_owned()));
    let address = "192.0.2.7".parse().unwrap();
    let requester = Requester::remote(Some(address), "https://host.example/services/repository");
    let mut event = Event::new(Act::Iti43Repository, Outcome::Success, &requester, &source)
        .patient(Some("123^^^&1.2.250.1.213.1.4.8&ISO^NH"))
        .object(Object::Document {
            unique_id: "2.25.91472305518762093841526072519384620517".to_owned(),
            repository_unique_id: "2.25.187301219829430276148936201540268459203".to_owned(),
            home_community_id: None,
            title: Some("Compte rendu".to_owned()),
        });
    event.id = uuid::Uuid::nil();
    serde_json::to_string(&Entry::Own(event)).unwrap()
}

fn config(database: &str, folder: &Path, settings: &[(&str, &str)]) -> Config {
    let folder = folder.display().to_string();
    let fixed = [
        ("CARNET_SERVER__LISTEN", "127.0.0.1:0"),
        ("CARNET_DATA__DIR", folder.as_str()),
        ("CARNET_DATABASE__URL", database),
    ];
    let all = fixed.iter().chain(settings).map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    Config::load(None, all).unwrap()
}

struct Arrived {
    took: Duration,
    octets: usize,
}

/// A repository that counts what comes.
fn receive(listener: TcpListener, folder: &Path, events: u64) -> Receiver<Arrived> {
    let mut acceptor = SslAcceptor::mozilla_intermediate_v5(SslMethod::tls_server()).unwrap();
    acceptor.set_certificate_chain_file(folder.join("arr.pem")).unwrap();
    acceptor.set_private_key_file(folder.join("arr.key"), SslFiletype::PEM).unwrap();
    let acceptor = Arc::new(acceptor.build());
    let (done, arrived) = channel();
    std::thread::spawn(move || {
        let (stream, _) = listener.accept().unwrap();
        let mut stream = acceptor.accept(stream).unwrap();
        let (mut framer, mut octets) = (syslog::Framer::new(1 << 20), vec![0; 64 << 10]);
        let (began, mut count, mut total) = (Instant::now(), 0, 0);
        while count < events {
            let length = stream.read(&mut octets).unwrap();
            assert!(length > 0, "the connection ended after {count} events");
            total += length;
            let mut portion = octets.get(..length).unwrap();
            while framer.next(&mut portion).unwrap().is_some() {
                count += 1;
            }
        }
        done.send(Arrived { took: began.elapsed(), octets: total }).unwrap();
        // Until the other side ends it.
        while stream.read(&mut octets).is_ok_and(|length| length > 0) {}
    });
    arrived
}

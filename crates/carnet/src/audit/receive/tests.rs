use std::pin::Pin;
use std::sync::Mutex;

use atna::Entry;
use atna::rejected::Rejected;
use openssl::ssl::Ssl;
use test_support::certificates::{NOW, Node};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_openssl::SslStream;

use super::store::Failure;
use super::*;
use crate::config::ClientCertificates;

const HEADER: &str = "<85>1 2026-01-02T03:04:05.678Z host.example app 42 IHE+RFC-3881 -";

fn audit_message(patient: &str) -> String {
    format!(
        "<AuditMessage><EventIdentification EventActionCode=\"R\" EventDateTime=\"2026-01-02T03:04:05.678Z\" \
         EventOutcomeIndicator=\"0\"><EventID csd-code=\"110106\" codeSystemName=\"DCM\" originalText=\"Export\"/>\
         </EventIdentification><ActiveParticipant UserID=\"a\" UserIsRequestor=\"true\"/>\
         <AuditSourceIdentification AuditSourceID=\"s\"/><ParticipantObjectIdentification ParticipantObjectID=\"{patient}\" \
         ParticipantObjectTypeCode=\"1\" ParticipantObjectTypeCodeRole=\"1\"><ParticipantObjectIDTypeCode csd-code=\"2\" \
         codeSystemName=\"RFC-3881\" originalText=\"Patient Number\"/></ParticipantObjectIdentification></AuditMessage>"
    )
}

fn message(patient: &str) -> String {
    format!("{HEADER} {}", audit_message(patient))
}

/// What was stored, and whether it can be.
#[derive(Clone, Default)]
struct Memory(Arc<Mutex<Contents>>);

#[derive(Default)]
struct Contents {
    entries: Vec<Entry>,
    rejected: Vec<Rejected>,
    is_away: bool,
    /// Contents that are refused for good.
    poison: Option<String>,
}

impl Store for Memory {
    async fn store(&mut self, entries: &[Entry], rejected: &[Rejected]) -> Result<(), Failure> {
        let mut contents = self.0.lock().unwrap();
        let failed = |unavailable| Err(Failure { reason: "no".to_owned(), unavailable });
        if contents.is_away {
            return failed(true);
        }
        if contents
            .poison
            .as_deref()
            .is_some_and(|poison| entries.iter().any(|e| received(e).octets.contains(poison)))
        {
            return failed(false);
        }
        contents.entries.extend_from_slice(entries);
        contents.rejected.extend_from_slice(rejected);
        Ok(())
    }
}

fn received(entry: &Entry) -> &atna::Received {
    match entry {
        Entry::Received(received) => received,
        Entry::Own(_) => panic!("an event of our own"),
    }
}

struct Repository {
    folder: tempfile::TempDir,
    authority: Node,
    receivers: Receivers,
    store: Memory,
    metrics: Arc<Metrics>,
}

impl Repository {
    async fn start(change: impl FnOnce(&mut config::Receive)) -> Repository {
        let folder = tempfile::tempdir().unwrap();
        let authority = Node::authority("authority");
        let (authorities, _) = authority.write(folder.path(), "authorities");
        let (certificate, key) = authority.issue("arr", NOW).write(folder.path(), "arr");
        let tls = config::Tls {
            certificate,
            key,
            authorities: Some(authorities),
            client_certificates: ClientCertificates::Required,
        };
        let (tls, _) = Tls::load(&tls, true).unwrap();
        let any = Some("127.0.0.1:0".parse().unwrap());
        let mut settings = config::Receive {
            tls: any,
            udp: any,
            message: 1 << 20,
            connections: 8,
            idle: Duration::from_secs(60),
        };
        change(&mut settings);
        let (store, metrics) = (Memory::default(), Arc::<Metrics>::default());
        let sockets = Sockets::bind(&settings).unwrap();
        let receivers = Receivers::start(sockets, &settings, Some(tls), store.clone(), metrics.clone());
        Repository { folder, authority, receivers: receivers.unwrap().unwrap(), store, metrics }
    }

    async fn connect(&self) -> SslStream<TcpStream> {
        let identity = client::Identity {
            authorities: Some(self.folder.path().join("authorities.pem")),
            certificate: Some(self.authority.issue("gateway", NOW).write(self.folder.path(), "gateway")),
            check_host: true,
        };
        let ssl: Ssl = identity.connector().unwrap().configure().unwrap().into_ssl("127.0.0.1").unwrap();
        let stream = TcpStream::connect(self.receivers.tls.unwrap()).await.unwrap();
        let mut stream = SslStream::new(ssl, stream).unwrap();
        Pin::new(&mut stream).connect().await.unwrap();
        stream
    }

    /// Over a connection of its own, which the repository must have closed afterwards if `closes`.
    async fn send(&self, octets: &[u8], closes: bool) {
        let mut stream = self.connect().await;
        stream.write_all(octets).await.unwrap();
        if closes {
            let mut answer = Vec::new();
            let ended = tokio::time::timeout(Duration::from_secs(20), stream.read_to_end(&mut answer)).await;
            assert!(ended.is_ok() && answer.is_empty());
        } else {
            stream.shutdown().await.unwrap();
        }
    }

    /// Entries and rejected ones, as soon as there are so many.
    async fn has(&self, entries: usize, rejected: usize) -> (Vec<Entry>, Vec<Rejected>) {
        for _ in 0..1000 {
            let found = self.stored();
            if (found.0.len(), found.1.len()) == (entries, rejected) {
                return found;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        let found = self.stored();
        panic!("{} entries and {} rejected ones came", found.0.len(), found.1.len());
    }

    fn stored(&self) -> (Vec<Entry>, Vec<Rejected>) {
        let contents = self.store.0.lock().unwrap();
        (contents.entries.clone(), contents.rejected.clone())
    }
}

fn frames(messages: &[String]) -> Vec<u8> {
    let mut octets = Vec::new();
    messages.iter().for_each(|message| syslog::frame(message, &mut octets));
    octets
}

#[tokio::test]
async fn messages_over_tls_become_entries_that_say_who_sent_them() {
    let repository = Repository::start(|_| {}).await;
    let patient = "123^^^&amp;1.2.3&amp;ISO";
    repository.send(&frames(&[message(patient), message("7")]), false).await;
    let (entries, _) = repository.has(2, 0).await;
    let first = received(&entries[0]);
    assert_eq!((first.peer.as_str(), first.header.as_deref()), ("127.0.0.1 CN=gateway", Some(HEADER)));
    assert_eq!(first.octets, audit_message(patient));
    assert_eq!(first.patients, ["123^^^&1.2.3&ISO"]);
    assert_eq!(first.at, "2026-01-02T03:04:05.678Z".parse::<DateTime<Utc>>().unwrap());
    assert_eq!(received(&entries[1]).patients, ["7"]);
    assert_eq!(repository.metrics.get(&metrics::RECEIVED, "tls"), 2);
    repository.receivers.stop().await;
    assert_eq!(repository.metrics.get(&metrics::RECEIVE_CONNECTIONS, ""), 0);
}

#[tokio::test]
async fn a_datagram_is_a_message() {
    let repository = Repository::start(|_| {}).await;
    let socket = tokio::net::UdpSocket::bind("127.0.0.1:0").await.unwrap();
    socket.connect(repository.receivers.udp.unwrap()).await.unwrap();
    socket.send(message(&"1".repeat(60_000)).as_bytes()).await.unwrap();
    socket.send(b"hello").await.unwrap();
    socket.send(b"").await.unwrap();
    let (entries, rejected) = repository.has(1, 2).await;
    assert_eq!((received(&entries[0]).peer.as_str(), rejected[0].transport), ("127.0.0.1", "udp"));
    assert_eq!(rejected[0].octets, b"hello");
    repository.receivers.stop().await;
}

#[tokio::test]
async fn what_is_no_audit_message_is_kept_apart_with_the_reason_and_the_connection_goes_on() {
    let repository = Repository::start(|_| {}).await;
    let good = message("7");
    let mut stream = frames(&[
        "<85>Jan  2 03:04:05 host su: text".to_owned(),
        format!("{HEADER} not XML"),
        format!("{HEADER} <!DOCTYPE a [<!ENTITY b SYSTEM \"file:///etc/passwd\">]>{}", audit_message("&b;")),
        format!("{HEADER} <FileMessage/>"),
        format!("{HEADER} {}", audit_message("7").replace("EventDateTime", "When")),
    ]);
    let invalid = [HEADER.as_bytes(), b" <AuditMessage>\xFF</AuditMessage>"].concat();
    stream.extend([invalid.len().to_string().as_bytes(), b" ", &invalid].concat());
    stream.extend(frames(&[good]));
    repository.send(&stream, false).await;
    let (_, rejected) = repository.has(1, 6).await;
    let reasons: Vec<&str> = rejected.iter().map(|one| one.reason.as_str()).collect();
    for (reason, expected) in
        reasons.iter().zip(["version 1", "", "DTD", "AuditMessage", "EventDateTime", "not UTF-8, from octet"])
    {
        assert!(reason.contains(expected), "{reason:?} does not speak of {expected}");
    }
    assert_eq!(rejected[5].octets, invalid);
    assert_eq!(repository.metrics.get(&metrics::REJECTED, "tls"), 6);
    repository.receivers.stop().await;
}

#[tokio::test]
async fn a_connection_whose_frames_are_wrong_is_closed_and_what_came_before_is_kept() {
    let repository = Repository::start(|_| {}).await;
    let good = frames(&[message("7")]);
    let long = 10 << 20;
    for (count, bad) in
        ["0 ", "007 message", "12x", "-5 hello", &format!("{long} <85>1"), "99999999999999999999999 "]
            .into_iter()
            .enumerate()
    {
        repository.send(&[&good, bad.as_bytes()].concat(), true).await;
        repository.has(count + 1, count + 1).await;
    }
    let (_, rejected) = repository.has(6, 6).await;
    assert!(rejected[4].reason.contains("longer than 1048576 octets"), "{}", rejected[4].reason);
    assert_eq!(repository.metrics.get(&metrics::RECEIVE_CONNECTIONS, ""), 0);
    repository.receivers.stop().await;
}

#[tokio::test]
async fn a_message_that_is_cut_off_is_noted() {
    let repository = Repository::start(|_| {}).await;
    let frame = frames(&[message("7")]);
    repository.send(&frame[..frame.len() - 1], false).await;
    let (_, rejected) = repository.has(0, 1).await;
    assert_eq!(rejected[0].reason, "the connection ended in the middle of a message");
    repository.receivers.stop().await;
}

#[tokio::test]
async fn connections_over_the_limit_and_idle_ones_are_closed() {
    let repository = Repository::start(|settings| {
        settings.connections = 1;
        settings.idle = Duration::from_secs(1);
    })
    .await;
    let mut first = repository.connect().await;
    let mut second = TcpStream::connect(repository.receivers.tls.unwrap()).await.unwrap();
    let mut octets = Vec::new();
    let _ = second.read_to_end(&mut octets).await;
    assert!(octets.is_empty());
    let ended = tokio::time::timeout(Duration::from_secs(20), first.read_to_end(&mut octets)).await;
    assert!(ended.is_ok());
    repository.receivers.stop().await;
}

#[tokio::test]
async fn while_the_database_is_away_connections_wait_datagrams_are_dropped_and_nothing_else_is_lost() {
    let repository = Repository::start(|_| {}).await;
    repository.store.0.lock().unwrap().is_away = true;
    let socket = tokio::net::UdpSocket::bind("127.0.0.1:0").await.unwrap();
    socket.connect(repository.receivers.udp.unwrap()).await.unwrap();
    // More than there is room for.
    let large = message(&"1".repeat(900_000));
    let mut stream = repository.connect().await;
    let octets = frames(&vec![large; 40]);
    let sending = async {
        stream.write_all(&octets).await.unwrap();
        stream.shutdown().await.unwrap();
    };
    let dropping = async {
        while repository.metrics.get(&metrics::RECEIVE_DROPPED, "") == 0 {
            socket.send(message(&"1".repeat(60_000)).as_bytes()).await.unwrap();
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        repository.store.0.lock().unwrap().is_away = false;
    };
    tokio::join!(sending, dropping);
    let count = async {
        loop {
            let (entries, _) = repository.stored();
            let from_tls = entries.iter().filter(|entry| received(entry).peer.contains("CN=")).count();
            if from_tls == 40 {
                return;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    assert!(tokio::time::timeout(Duration::from_secs(30), count).await.is_ok());
    repository.receivers.stop().await;
}

#[tokio::test]
async fn one_message_that_cannot_be_stored_does_not_take_the_others_with_it() {
    let repository = Repository::start(|_| {}).await;
    repository.store.0.lock().unwrap().poison = Some("666".to_owned());
    repository.send(&frames(&[message("1"), message("666"), message("2")]), false).await;
    let (entries, _) = repository.has(2, 0).await;
    assert_eq!(received(&entries[1]).patients, ["2"]);
    repository.receivers.stop().await;
}

#[tokio::test]
async fn what_has_come_is_stored_before_the_end() {
    let repository = Repository::start(|_| {}).await;
    repository.send(&frames(&vec![message("7"); 500]), false).await;
    while repository.metrics.get(&metrics::RECEIVE_CONNECTIONS, "") > 0 {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    repository.receivers.stop().await;
    assert_eq!(repository.store.0.lock().unwrap().entries.len(), 500);
}

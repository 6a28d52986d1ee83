//! Audit messages on their way from one Carnet to another, and from strangers to one.

use std::time::{Duration, Instant};

use atna::{Entry, Received};
use database::Database;
use tempfile::TempDir;
use test_support::certificates::{NOW, Node};
use tokio::net::UdpSocket;
use uuid::Uuid;

use crate::harness::{Server, Submission, assert_filed, patient};

/// The certificates of two nodes that believe one authority.
struct Files(TempDir);

impl Files {
    fn new() -> Files {
        let folder = test_support::folder();
        let authority = Node::authority("authority");
        authority.write(folder.path(), "authorities");
        for node in ["repository", "hospital"] {
            authority.issue(node, NOW).write(folder.path(), node);
        }
        Files(folder)
    }

    fn path(&self, name: &str) -> String {
        self.0.path().join(name).display().to_string()
    }

    /// Takes audit messages of others.
    async fn repository(&self) -> Server {
        Server::with(&[
            ("CARNET_TLS__CERTIFICATE", &self.path("repository.pem")),
            ("CARNET_TLS__KEY", &self.path("repository.key")),
            ("CARNET_TLS__AUTHORITIES", &self.path("authorities.pem")),
            ("CARNET_TLS__CLIENT_CERTIFICATES", "required"),
            ("CARNET_AUDIT__RECEIVE_TLS", "127.0.0.1:0"),
        ])
        .await
    }

    /// Settings of a node that sends its own there.
    fn sending_to(&self, repository: &Server) -> Vec<(&'static str, String)> {
        vec![
            ("CARNET_PATIENTS__UNKNOWN", "open".to_owned()),
            ("CARNET_AUDIT__FORWARD", format!("tls://{}", repository.receivers.0.unwrap())),
            ("CARNET_AUDIT__FORWARD_AUTHORITIES", self.path("authorities.pem")),
            ("CARNET_AUDIT__FORWARD_CERTIFICATE", self.path("hospital.pem")),
            ("CARNET_AUDIT__FORWARD_KEY", self.path("hospital.key")),
        ]
    }
}

fn borrowed<'a>(settings: &'a [(&'static str, String)]) -> Vec<(&'static str, &'a str)> {
    settings.iter().map(|(key, value)| (*key, value.as_str())).collect()
}

/// Everything that has its place in the log.
async fn log(database: &Database) -> Vec<Entry> {
    let client = database.get().await.unwrap();
    let rows = atna::forward::read(&**client, 0, 10_000, 1 << 30).await.unwrap();
    rows.into_iter().map(|(_, entry)| entry).collect()
}

async fn received(server: &Server) -> Vec<Received> {
    let of_others = |entry| match entry {
        Entry::Received(received) => Some(received),
        Entry::Own(_) => None,
    };
    log(&server.database).await.into_iter().filter_map(of_others).collect()
}

/// The events that have come, in the order in which they came first, and how many came again.
async fn told(server: &Server) -> (Vec<Uuid>, usize) {
    let mut ids: Vec<Uuid> = Vec::new();
    let mut doubles = 0;
    for message in received(server).await {
        let id = message.octets.rsplit_once("<!-- ").unwrap().1.trim_end_matches(" -->").parse().unwrap();
        match ids.contains(&id) {
            true => doubles += 1,
            false => ids.push(id),
        }
    }
    (ids, doubles)
}

async fn eventually(what: &str, condition: impl AsyncFn() -> bool) {
    let began = Instant::now();
    while !condition().await {
        assert!(began.elapsed() < Duration::from_secs(60), "{what}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// Waits until the log has all events and the repository was told of each, in their order.
async fn all_told(repository: &Server, database: &Database) -> usize {
    let complete = async || {
        let client = database.get().await.unwrap();
        let waiting: i64 = client.query_one("select count(*) from audit_inbox", &[]).await.unwrap().get(0);
        let own: Vec<Uuid> = log(database).await.iter().map(Entry::id).collect();
        waiting == 0 && !own.is_empty() && told(repository).await.0 == own
    };
    eventually("not everything was told in its order", complete).await;
    told(repository).await.1
}

#[actix_web::test]
async fn what_happens_at_one_node_is_known_at_the_other_also_what_happened_while_it_was_not_there() {
    let files = Files::new();
    let repository = files.repository().await;
    let settings = files.sending_to(&repository);
    let server = Server::with(&borrowed(&settings)).await;
    assert_filed(&server.file(&Submission::new(&patient(), "one")).await);
    assert_eq!(all_told(&repository, &server.database).await, 0);
    let first = received(&repository).await.remove(0);
    assert_eq!(first.peer, "127.0.0.1 CN=hospital");
    assert!(first.octets.contains("110120"), "the start of the server is the first event");
    let header = first.header.unwrap();
    assert!(header.starts_with("<85>1 ") && header.ends_with(" IHE+RFC-3881 -"), "{header}");

    let settings: Vec<_> =
        borrowed(&settings).into_iter().filter(|(key, _)| !key.ends_with("FORWARD")).collect();
    let server = server.restart(&settings).await;
    assert_filed(&server.file(&Submission::new(&patient(), "two")).await);
    let settings = files.sending_to(&repository);
    let server = server.restart(&borrowed(&settings)).await;
    assert_filed(&server.file(&Submission::new(&patient(), "three")).await);
    let doubles = all_told(&repository, &server.database).await;
    assert!(doubles > 0, "what was sent in the last moments was sent again");
    let page = server.client.page(&format!("{}/metrics", server.url)).await.unwrap();
    let page = String::from_utf8(page.body.to_vec()).unwrap();
    let target = format!("{{target=\"{}\"}}", settings[1].1);
    assert!(page.contains(&format!("carnet_audit_forward_backlog{target} 0\n")), "{page}");
    server.stop().await;
    repository.stop().await;
}

#[actix_web::test]
async fn of_servers_that_share_a_database_one_sends() {
    let files = Files::new();
    let repository = files.repository().await;
    let mut settings = files.sending_to(&repository);
    settings.push(("CARNET_AUDIT__KEY", files.path("audit.pem")));
    let test = test_support::TestDatabase::create().await;
    let start =
        async || Server::on(&test.url, test.open(), test_support::folder(), &borrowed(&settings)).await;
    let first = start().await;
    assert_eq!(all_told(&repository, &first.database).await, 0);
    let second = start().await;
    for server in [&first, &second, &first] {
        assert_filed(&server.file(&Submission::new(&patient(), "one")).await);
    }
    assert_eq!(all_told(&repository, &first.database).await, 0, "each was told once");
    first.stop_broken().await;
    assert_filed(&second.file(&Submission::new(&patient(), "one")).await);
    all_told(&repository, &second.database).await;
    second.stop_broken().await;
    repository.stop().await;
}

const HEADER: &str = "<85>1 2026-01-02T03:04:05.678Z host.example app 42 IHE+RFC-3881 -";
const MESSAGE: &str = "<AuditMessage><EventIdentification EventActionCode=\"R\" \
    EventDateTime=\"2026-01-02T03:04:05.678Z\" EventOutcomeIndicator=\"0\"><EventID csd-code=\"110106\" \
    codeSystemName=\"DCM\" originalText=\"Export\"/></EventIdentification><ActiveParticipant UserID=\"a\" \
    UserIsRequestor=\"true\"/><AuditSourceIdentification AuditSourceID=\"s\"/></AuditMessage>";

#[actix_web::test]
async fn messages_in_datagrams_are_in_the_log_and_what_is_none_is_kept_apart() {
    let server = Server::with(&[("CARNET_AUDIT__RECEIVE_UDP", "127.0.0.1:0")]).await;
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    socket.connect(server.receivers.1.unwrap()).await.unwrap();
    socket.send(format!("{HEADER} {MESSAGE}").as_bytes()).await.unwrap();
    socket.send(format!("{HEADER} <!DOCTYPE a>{MESSAGE}").as_bytes()).await.unwrap();
    let long = format!("{HEADER} <a>{}", "x".repeat(20_000));
    socket.send(long.as_bytes()).await.unwrap();
    eventually("the message is not in the log", async || received(&server).await.len() == 1).await;
    eventually("not kept apart", async || server.count("select count(*) from audit_rejected").await == 2)
        .await;
    let message = received(&server).await.remove(0);
    assert_eq!((message.octets.as_str(), message.header.as_deref()), (MESSAGE, Some(HEADER)));
    let client = server.database.get().await.unwrap();
    let sql = "select peer, transport, reason, length, octets from audit_rejected order by length";
    let rows = client.query(sql, &[]).await.unwrap();
    let text = |row: usize, column: usize| rows[row].get::<_, &str>(column);
    assert_eq!((text(0, 0), text(0, 1)), ("127.0.0.1", "udp"));
    assert!(text(0, 2).contains("DTD"), "{}", text(0, 2));
    assert_eq!(rows[1].get::<_, i64>(3), long.len() as i64);
    assert_eq!(rows[1].get::<_, &[u8]>(4), &long.as_bytes()[..8192]);
    let page = server.client.page(&format!("{}/metrics", server.url)).await.unwrap();
    let page = String::from_utf8(page.body.to_vec()).unwrap();
    for line in [
        "carnet_audit_received_total{transport=\"udp\"} 1",
        "carnet_audit_rejected_total{transport=\"udp\"} 2",
    ] {
        assert!(page.lines().any(|found| found == line), "{line} is not in {page}");
    }
    drop(client);
    server.stop().await;
}

//! HTTPS with certificates on both sides.

use std::path::Path;
use std::pin::Pin;
use std::time::{Duration, Instant};

use client::{Client, Encoding, Endpoints, Identity, Timeouts};
use openssl::ssl::{SslConnector, SslMethod, SslVerifyMode, SslVersion};
use openssl::x509::X509;
use test_support::certificates::{EXPIRED, NOW, Node};
use tokio::net::TcpStream;
use tokio_openssl::SslStream;

use crate::harness::{Server, Submission, assert_filed, patient};

/// The files of a server that wants certificates of its clients.
struct Files {
    folder: tempfile::TempDir,
    authority: Node,
}

impl Files {
    fn new() -> Files {
        let folder = tempfile::tempdir().unwrap();
        let authority = Node::authority("authority");
        authority.write(folder.path(), "authorities");
        authority.issue("server", NOW).write(folder.path(), "server");
        Files { folder, authority }
    }

    fn path(&self, name: &str) -> String {
        self.folder.path().join(name).to_str().unwrap().to_owned()
    }

    async fn server(&self, client_certificates: &str) -> Server {
        Server::with(&[
            ("CARNET_PATIENTS__UNKNOWN", "open"),
            ("CARNET_TLS__CERTIFICATE", &self.path("server.pem")),
            ("CARNET_TLS__KEY", &self.path("server.key")),
            ("CARNET_TLS__AUTHORITIES", &self.path("authorities.pem")),
            ("CARNET_TLS__CLIENT_CERTIFICATES", client_certificates),
        ])
        .await
    }

    /// A client that believes our authority and shows this node's certificate.
    fn client(&self, server: &Server, node: Option<&Node>) -> Client {
        let own = tempfile::tempdir().unwrap();
        let identity = Identity {
            authorities: Some(self.path("authorities.pem").into()),
            certificate: node.map(|node| node.write(own.path(), "client")),
            check_host: true,
        };
        client(server, &identity)
    }
}

fn client(server: &Server, identity: &Identity) -> Client {
    let tls = identity.connector().unwrap();
    Client::with_tls(Endpoints::of_server(&server.url), Timeouts::default(), tls)
}

async fn is_refused(client: &Client) -> bool {
    let submission = Submission::new(&patient(), "lettre");
    let refused = submission.try_send(client, Encoding::Mtom).await;
    matches!(refused, Err(client::Error::Connect { .. } | client::Error::Interrupted { .. }))
}

#[actix_web::test]
async fn who_shows_a_good_certificate_is_served_and_its_fingerprint_is_in_the_trace() {
    let files = Files::new();
    let server = files.server("required").await;
    assert!(server.url.starts_with("https://127.0.0.1:"), "{}", server.url);
    let node = files.authority.issue("hospital", NOW);
    let client = files.client(&server, Some(&node));
    let submission = Submission::new(&patient(), "lettre");
    assert_filed(&submission.send(&client, Encoding::Mtom).await);
    let traced = format!(
        "select count(*) from audit_trail where content -> 'requester' ->> 'certificate_fingerprint' = '{}'
            and content -> 'requester' ->> 'certificate_subject' = 'CN=hospital'",
        node.fingerprint()
    );
    assert_eq!(server.count(&traced).await, 2);
    server.stop().await;
}

#[actix_web::test]
async fn who_shows_none_or_a_bad_one_is_not_let_in() {
    let files = Files::new();
    let server = files.server("required").await;
    let stranger = Node::authority("another authority").issue("stranger", NOW);
    let expired = files.authority.issue("expired", EXPIRED);
    for node in [None, Some(&stranger), Some(&expired)] {
        assert!(is_refused(&files.client(&server, node)).await);
    }
    assert_eq!(server.count("select count(*) from document").await, 0);
    let alerts = async |reason| server.messages(&["110126", reason]).await;
    let began = Instant::now();
    while alerts("expired").await + alerts("issuer").await < 2 {
        assert!(began.elapsed() < Duration::from_secs(20), "no security alert was written");
    }
    server.stop().await;
}

#[actix_web::test]
async fn where_certificates_are_optional_only_bad_ones_are_refused() {
    let files = Files::new();
    let server = files.server("optional").await;
    assert!(!is_refused(&files.client(&server, None)).await);
    assert!(!is_refused(&files.client(&server, Some(&files.authority.issue("hospital", NOW)))).await);
    assert!(is_refused(&files.client(&server, Some(&files.authority.issue("expired", EXPIRED)))).await);
    server.stop().await;
}

#[actix_web::test]
async fn a_node_may_be_trusted_by_its_own_certificate() {
    let files = Files::new();
    let node = Node::self_signed("hospital");
    let both = [files.authority.certificate.to_pem().unwrap(), node.certificate.to_pem().unwrap()].concat();
    std::fs::write(files.path("authorities.pem"), both).unwrap();
    let server = files.server("required").await;
    assert!(!is_refused(&files.client(&server, Some(&node))).await);
    assert!(is_refused(&files.client(&server, Some(&Node::self_signed("hospital")))).await);
    server.stop().await;
}

#[actix_web::test]
async fn a_client_goes_on_only_with_a_server_it_believes() {
    let files = Files::new();
    let server = files.server("off").await;
    let other = Files::new();
    assert!(is_refused(&other.client(&server, None)).await);
    server.stop().await;

    files.authority.issue_for("elsewhere.example").write(files.folder.path(), "server");
    let server = files.server("off").await;
    for (check_host, refused) in [(true, true), (false, false)] {
        let authorities = Some(files.path("authorities.pem").into());
        let identity = Identity { authorities, certificate: None, check_host };
        assert_eq!(is_refused(&client(&server, &identity)).await, refused);
    }
    server.stop().await;
}

/// A handshake; the certificate that the server showed.
async fn handshake(server: &Server, newest: Option<SslVersion>) -> Result<X509, openssl::ssl::Error> {
    let mut builder = SslConnector::builder(SslMethod::tls_client()).unwrap();
    builder.set_verify(SslVerifyMode::NONE);
    // The old versions need the weak digests that this level allows.
    builder.set_cipher_list("ALL:@SECLEVEL=0").unwrap();
    builder.set_min_proto_version(None).unwrap();
    builder.set_max_proto_version(newest).unwrap();
    let ssl = builder.build().configure().unwrap().into_ssl("localhost").unwrap();
    let stream = TcpStream::connect(server.url.trim_start_matches("https://")).await.unwrap();
    let mut stream = SslStream::new(ssl, stream).unwrap();
    Pin::new(&mut stream).connect().await?;
    let certificate = stream.ssl().peer_certificate().unwrap();
    Ok(certificate)
}

#[actix_web::test]
async fn versions_before_1_2_are_refused() {
    let files = Files::new();
    let server = files.server("off").await;
    for (version, is_good) in [
        (SslVersion::TLS1, false),
        (SslVersion::TLS1_1, false),
        (SslVersion::TLS1_2, true),
        (SslVersion::TLS1_3, true),
    ] {
        let result = handshake(&server, Some(version)).await;
        assert_eq!(result.is_ok(), is_good, "{version:?}: {result:?}");
        if let Err(error) = result {
            assert!(
                error.to_string().contains("version"),
                "{version:?} was refused for another reason: {error}"
            );
        }
    }
    server.stop().await;
}

#[actix_web::test]
async fn new_files_are_used_without_a_restart() {
    let files = Files::new();
    let server = files.server("required").await;
    let old = handshake(&server, None).await.unwrap();
    let newcomer = Node::authority("newcomers");
    let node = newcomer.issue("newcomer", NOW);
    assert!(is_refused(&files.client(&server, Some(&node))).await);
    let earlier = files.authority.issue("hospital", NOW);
    assert!(!is_refused(&files.client(&server, Some(&earlier))).await);

    let renewed = files.authority.issue("renewed", NOW);
    renewed.write(files.folder.path(), "server");
    std::fs::write(files.path("authorities.pem"), newcomer.certificate.to_pem().unwrap()).unwrap();
    let began = Instant::now();
    while handshake(&server, None).await.unwrap() == old {
        assert!(began.elapsed() < Duration::from_secs(20), "the new certificate is not shown");
    }
    // The client believes the server's authority, the server its newcomers.
    let trust = |folder: &Path| {
        let path = folder.join("trust.pem");
        std::fs::write(&path, files.authority.certificate.to_pem().unwrap()).unwrap();
        Some(path)
    };
    let own = tempfile::tempdir().unwrap();
    for (node, refused) in [(&node, false), (&earlier, true)] {
        let certificate = Some(node.write(own.path(), "client"));
        let identity = Identity { authorities: trust(own.path()), certificate, check_host: true };
        assert_eq!(is_refused(&client(&server, &identity)).await, refused);
    }
    server.stop().await;
}

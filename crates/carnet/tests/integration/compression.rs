//! gzip in both directions.

use async_compression::tokio::bufread::{GzipDecoder, GzipEncoder};
use client::{Client, Endpoints, RawAnswer};
use tokio::io::{AsyncRead, AsyncReadExt};

use crate::command_line::Installation;
use crate::harness::{REPOSITORY, Server, Submission, assert_filed, patient};
use crate::large::peak;
use crate::wire::{ACTION, request, text};

const PACKAGE: (&str, &str) = ("Content-Type", "multipart/related; boundary=b");
const GZIP: (&str, &str) = ("Content-Encoding", "gzip");

async fn gzip(octets: impl AsyncRead + Unpin) -> Vec<u8> {
    let mut packed = Vec::new();
    GzipEncoder::new(tokio::io::BufReader::new(octets)).read_to_end(&mut packed).await.unwrap();
    packed
}

pub async fn gunzip(octets: &[u8]) -> Vec<u8> {
    let mut unpacked = Vec::new();
    GzipDecoder::new(octets).read_to_end(&mut unpacked).await.unwrap();
    unpacked
}

fn header<'a>(answer: &'a RawAnswer, name: &str) -> Option<&'a str> {
    answer.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
}

#[actix_web::test]
async fn a_packed_package_is_filed_as_it_was_before_it_was_packed() {
    let server = Server::start().await;
    for coding in ["gzip", "X-GZIP"] {
        let request = request("lettre", ACTION, "cid:1");
        let body =
            format!("--b\r\n\r\n{}\r\n--b\r\nContent-ID: <1>\r\n\r\nlettre\r\n--b--", request.envelope);
        let packed = gzip(body.as_bytes()).await;
        let url = format!("{}/services/repository", server.url);
        let answer =
            server.client.post(&url, &[PACKAGE, ("Content-Encoding", coding)], packed).await.unwrap();
        assert!(text(&answer).contains("ResponseStatusType:Success"), "{}", text(&answer));
        assert_eq!(server.read(&request.submission.entry.unique_id).await.unwrap(), b"lettre");
    }
    server.stop().await;
}

#[actix_web::test]
async fn what_is_not_gzip_is_refused() {
    let server = Server::start().await;
    let url = format!("{}/services/repository", server.url);
    for coding in ["br", "deflate", "gzip, gzip", ""] {
        let headers = [PACKAGE, ("Content-Encoding", coding)];
        let answer = server.client.post(&url, &headers, "x").await.unwrap();
        assert_eq!(answer.status, 415, "{coding}");
        assert!(text(&answer).contains("gzip"), "{}", text(&answer));
    }
    let soap = ("Content-Type", "application/soap+xml");
    let whole = gzip(&b"<a/>"[..]).await;
    for broken in [b"<a/>".to_vec(), whole[..whole.len() - 4].to_vec()] {
        let answer = server.client.post(&url, &[soap, GZIP], broken).await.unwrap();
        assert_eq!(answer.status, 400);
        assert!(text(&answer).contains("could not be read"), "{}", text(&answer));
    }
    assert_eq!(server.blobs(), 0);
    server.stop().await;
}

#[actix_web::test]
async fn a_small_request_that_unpacks_to_a_huge_one_is_refused_in_little_memory() {
    let settings = format!(
        "[repository]\nunique_id = \"{REPOSITORY}\"\n[limits]\nrequest = \"64MiB\"\nenvelope = \"1MiB\"\n\
         inline_document = \"1MiB\"\n"
    );
    let mut carnet = Installation::new(&settings);
    carnet.start();
    let client = Client::new(Endpoints::of_server(&carnet.url()));
    let before = peak(carnet.pid());
    let zeros = gzip(tokio::io::repeat(b' ').take(1 << 30)).await;
    assert!(zeros.len() < 2 << 20);
    let root = "--b\r\nContent-ID: <root>\r\n\r\n<e/>\r\n--b\r\nContent-ID: <1>\r\n\r\n";
    let package = [gzip(root.as_bytes()).await, zeros.clone()].concat();
    // The smaller limit of an envelope is met before it is seen how well it is packed.
    for (kind, body, why) in [
        ("application/soap+xml", zeros, "larger than this server takes"),
        (PACKAGE.1, package, "200 times its size"),
    ] {
        let url = format!("{}/services/repository", carnet.url());
        let answer = client.post(&url, &[("Content-Type", kind), GZIP], body).await.unwrap();
        assert!(text(&answer).contains("XDSRepositoryOutOfResources"), "{kind}: {}", text(&answer));
        assert!(text(&answer).contains(why), "{kind}: {}", text(&answer));
    }
    let grown = peak(carnet.pid()) - before;
    assert!(grown < 32 << 20, "{} MiB more", grown >> 20);
}

#[actix_web::test]
async fn an_answer_is_packed_where_its_reader_takes_that_and_it_is_worth_it() {
    let server = Server::start().await;
    let letter = "une longue lettre ".repeat(1000);
    let submission = Submission::new(&patient(), letter.as_bytes());
    assert_filed(&server.file(&submission).await);
    let envelope = format!(
        "<s:Envelope xmlns:s='http://www.w3.org/2003/05/soap-envelope'><s:Body>\
         <RetrieveDocumentSetRequest xmlns='urn:ihe:iti:xds-b:2007'><DocumentRequest>\
         <RepositoryUniqueId>{REPOSITORY}</RepositoryUniqueId><DocumentUniqueId>{}</DocumentUniqueId>\
         </DocumentRequest></RetrieveDocumentSetRequest></s:Body></s:Envelope>",
        submission.entry.unique_id
    );
    let body = format!("--b\r\n\r\n{envelope}\r\n--b--");
    let url = format!("{}/services/repository", server.url);
    let packed =
        server.client.post(&url, &[PACKAGE, ("Accept-Encoding", "gzip")], body.clone()).await.unwrap();
    assert_eq!(header(&packed, "content-encoding"), Some("gzip"));
    assert_eq!(header(&packed, "vary"), Some("Accept-Encoding"));
    assert!(packed.body.len() < 4000, "{}", packed.body.len());
    let unpacked = gunzip(&packed.body).await;
    assert!(unpacked.windows(letter.len()).any(|window| window == letter.as_bytes()));
    for accept in ["gzip;q=0", "identity"] {
        let plain = server.client.post(&url, &[PACKAGE, ("Accept-Encoding", accept)], body.clone()).await;
        assert_eq!(header(&plain.unwrap(), "content-encoding"), None);
    }
    let small = server.client.post(&url, &[PACKAGE, ("Accept-Encoding", "gzip")], "--b\r\n\r\n<a/>\r\n--b--");
    assert_eq!(header(&small.await.unwrap(), "content-encoding"), None);
    server.stop().await;
}

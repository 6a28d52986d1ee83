#![allow(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

//! Memory does not follow size. Alone in its process, since it looks at the memory of the whole of it.

use std::convert::Infallible;
use std::io::Write;
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};

use actix_web::body::SizedStream;
use actix_web::{App, HttpRequest, HttpResponse, HttpServer, rt, web};
use bytes::Bytes;
use client::{Client, Encoding, Endpoints, Outgoing};
use soap::ContentType;
use tokio::fs::File;
use tokio_util::io::ReaderStream;
use xds::ebxml::SubmitObjects;
use xds::message::{
    Content, DocumentRequest, DocumentResponse, RegistryResponse, ResponseStatus, write_retrieve_response,
};

const SIZE: u64 = 64 << 20;
/// What client and server together may take for a transfer, in octets.
const ALLOWED: u64 = 16 << 20;

/// Counts octets and adds them up.
#[derive(Default)]
struct Checker(u64, u64);

impl mtom::PartSink for Checker {
    type Part = (u64, u64);
    type Error = Infallible;

    async fn begin(&mut self, _: &str) -> Result<(), Infallible> {
        Ok(())
    }

    async fn chunk(&mut self, bytes: Bytes) -> Result<(), Infallible> {
        self.0 += bytes.len() as u64;
        self.1 += checksum(&bytes);
        Ok(())
    }

    async fn end(&mut self) -> Result<(u64, u64), Infallible> {
        Ok((self.0, self.1))
    }
}

fn checksum(octets: &[u8]) -> u64 {
    octets.iter().map(|octet| u64::from(*octet)).sum()
}

/// Answers ITI-41 with what the document adds up to, and ITI-43 with the file.
async fn answer(request: HttpRequest, payload: web::Payload, file: web::Data<PathBuf>) -> HttpResponse {
    let content_type = request.headers().get("content-type").unwrap().to_str().unwrap();
    let limits = mtom::Limits { root_bytes: 1 << 20, total_bytes: 2 * SIZE, parts: 2 };
    let content_type = ContentType::parse(content_type).unwrap();
    let package = mtom::read_package(&content_type, payload, &limits, &mut Checker::default()).await.unwrap();
    let header = soap::Header::response("urn:x", None);
    let (envelope, parts) = match package.parts.values().next() {
        Some((size, sum)) => {
            assert_eq!((*size, *sum), expected());
            (soap::write(&header, |w| RegistryResponse::of(vec![]).write(w)), Vec::new())
        }
        None => {
            let document = DocumentResponse {
                request: wanted(),
                made: None,
                mime_type: "application/pdf".to_owned(),
                content: Content::Part("1@x".to_owned()),
            };
            let body = ReaderStream::new(File::open(file.as_path()).await.unwrap());
            let part = mtom::Part::new("1@x", "application/pdf", Some(SIZE), body);
            let write = |w: &mut xml::Writer| {
                write_retrieve_response(w, &RegistryResponse::of(vec![]), &[document]);
            };
            (soap::write(&header, write), vec![part])
        }
    };
    let package = mtom::Package::new(envelope, "urn:x", parts);
    let content_type = package.content_type();
    let body = SizedStream::new(package.size().unwrap(), package.into_stream());
    HttpResponse::Ok().content_type(content_type).body(body)
}

fn wanted() -> DocumentRequest {
    DocumentRequest {
        home_community_id: None,
        repository_unique_id: "1.9".to_owned(),
        document_unique_id: "1.2".to_owned(),
    }
}

const PIECE: usize = 1 << 20;

fn piece() -> Vec<u8> {
    (0..PIECE).map(|n| (n % 251) as u8).collect()
}

/// Size and sum of the file.
fn expected() -> (u64, u64) {
    (SIZE, checksum(&piece()) * (SIZE / PIECE as u64))
}

fn write_file(path: &Path) {
    let mut file = std::fs::File::create(path).unwrap();
    for _ in 0..SIZE / PIECE as u64 {
        file.write_all(&piece()).unwrap();
    }
}

/// The most memory that this process has ever had, in octets.
fn peak() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() << 10
}

#[actix_web::test]
async fn a_document_of_64_mib_goes_out_and_in_within_16() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("large");
    write_file(&file);
    let data = web::Data::new(file.clone());
    let server = HttpServer::new(move || App::new().app_data(data.clone()).default_service(web::to(answer)))
        .workers(1)
        .disable_signals()
        .bind((Ipv4Addr::LOCALHOST, 0))
        .unwrap();
    let client = Client::new(Endpoints::of_server(&format!("http://{}", server.addrs()[0])));
    rt::spawn(server.run());

    let before = peak();
    let outgoing = vec![Outgoing::file("D", "application/pdf", &file)];
    let filed =
        client.provide_and_register(SubmitObjects::default(), outgoing, Encoding::Mtom).await.unwrap();
    assert_eq!(filed.status, ResponseStatus::Success);
    let retrieved = client.retrieve(&[wanted()], Encoding::Mtom, folder.path()).await.unwrap();
    let grown = peak() - before;
    assert_eq!(retrieved.documents[0].size, SIZE);
    let octets = std::fs::read(&retrieved.documents[0].path).unwrap();
    assert_eq!((octets.len() as u64, checksum(&octets)), expected());
    assert!(grown < ALLOWED, "{} MiB more memory", grown >> 20);
}

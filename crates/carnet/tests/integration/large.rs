//! Memory does not follow the size of a document, nor the number of what is answered.

use std::io::Write;

use bench::load::Loaded;
use client::{Client, Encoding, Endpoints, Outgoing};
use futures_util::future::join_all;
use openssl::sha::Sha256;
use test_support::TestDatabase;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use xds::constants::action::ITI_18;
use xds::message::DocumentRequest;
use xds::query::{Request, ReturnType, Status};
use xds::value::uuid_urn;

use crate::command_line::Installation;
use crate::harness::{REPOSITORY, Submission, assert_filed, patient};

const SIZE: u64 = 1 << 30;
/// The bound for both directions together.
const MOST: u64 = 150 << 20;

/// Peak of resident memory, in octets.
pub fn peak(pid: u32) -> u64 {
    memory(pid, "VmHWM:")
}

fn memory(pid: u32, which: &str) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix(which)).unwrap();
    line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() << 10
}

fn digest(path: &std::path::Path) -> [u8; 32] {
    let mut sha = Sha256::new();
    let mut file = std::fs::File::open(path).unwrap();
    let mut buffer = vec![0; 1 << 20];
    loop {
        match std::io::Read::read(&mut file, &mut buffer).unwrap() {
            0 => return sha.finish(),
            length => sha.update(&buffer[..length]),
        }
    }
}

#[actix_web::test]
async fn a_gibibyte_goes_in_and_out_in_little_memory() {
    let settings = format!("[patients]\nunknown = \"open\"\n[repository]\nunique_id = \"{REPOSITORY}\"\n");
    let mut carnet = Installation::new(&settings);
    carnet.start();
    let path = carnet.path("large.bin");
    let mut file = std::fs::File::create(&path).unwrap();
    for block in 0..SIZE >> 20 {
        let pattern: Vec<u8> = (0..1u64 << 10).map(|n| ((n * 31 + block) % 256) as u8).collect();
        file.write_all(&pattern.repeat(1 << 10)).unwrap();
    }
    drop(file);

    let client = Client::new(Endpoints::of_server(&carnet.url()));
    let submission = Submission::new(&patient(), "");
    let outgoing = Outgoing::file(&uuid_urn(submission.entry.entry_uuid), "application/octet-stream", &path);
    let response =
        client.provide_and_register(submission.objects(), vec![outgoing], Encoding::Mtom).await.unwrap();
    assert_filed(&response);
    let request = request(&submission);
    let folder = test_support::folder();
    let retrieved = client.retrieve(&[request], Encoding::Mtom, folder.path()).await.unwrap();
    assert_eq!(digest(&retrieved.documents[0].path), digest(&path));
    let peak = peak(carnet.pid());
    eprintln!("peak memory of the server: {} MiB for a document of {} MiB", peak >> 20, SIZE >> 20);
    assert!(peak < MOST, "{} MiB", peak >> 20);
}

fn request(submission: &Submission) -> DocumentRequest {
    DocumentRequest {
        home_community_id: None,
        repository_unique_id: REPOSITORY.to_owned(),
        document_unique_id: submission.entry.unique_id.clone(),
    }
}

/// Each is as large as what is read of it before the first leaves.
#[actix_web::test]
async fn many_documents_leave_one_after_the_other() {
    let settings = format!("[patients]\nunknown = \"open\"\n[repository]\nunique_id = \"{REPOSITORY}\"\n");
    let mut carnet = Installation::new(&settings);
    carnet.start();
    let client = Client::new(Endpoints::of_server(&carnet.url()));
    let patient = patient();
    let mut requests = Vec::new();
    for octet in 0..64 {
        let submission = Submission::new(&patient, vec![octet; 1 << 20]);
        assert_filed(&submission.send(&client, Encoding::Mtom).await);
        requests.push(request(&submission));
    }
    let before = peak(carnet.pid());
    let folder = test_support::folder();
    let retrieved = client.retrieve(&requests, Encoding::Mtom, folder.path()).await.unwrap();
    assert_eq!(retrieved.documents.len(), 64);
    for (octet, document) in (0..64).zip(&retrieved.documents) {
        assert!(std::fs::read(&document.path).unwrap() == vec![octet; 1 << 20], "document {octet}");
    }
    let grown = peak(carnet.pid()) - before;
    assert!(grown < 16 << 20, "{} MiB more", grown >> 20);
}

const FOUND: usize = 1000;
const READERS: usize = 32;

/// Asks, and reads the first octet of the answer. Of what follows, the system takes little before it is read.
async fn begun(port: u16, envelope: &str) -> TcpStream {
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(32 << 10).unwrap();
    let mut stream = socket.connect(([127, 0, 0, 1], port).into()).await.unwrap();
    let head = format!(
        "POST /services/registry HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\
         Content-Type: application/soap+xml\r\nContent-Length: {}\r\n\r\n",
        envelope.len()
    );
    stream.write_all((head + envelope).as_bytes()).await.unwrap();
    assert_eq!(stream.read_u8().await.unwrap(), b'H');
    stream
}

#[actix_web::test]
async fn a_thousand_entries_leave_in_less_than_a_mebibyte_for_each_reader() {
    let test = TestDatabase::create().await;
    let settings = format!("[database]\nurl = {:?}\n[repository]\nunique_id = \"{REPOSITORY}\"\n", test.url);
    let mut carnet = Installation::new(&settings);
    let loaded = Loaded::new(7, 70 + FOUND as u64, REPOSITORY).unwrap();
    let database = test.open();
    loaded.into_database(&mut database.get().await.unwrap(), |_, _| {}).await.unwrap();
    let ins = loaded.patient_with(&mut fastrand::Rng::with_seed(1), FOUND as u64);
    let patient = bench::people::cx(&ins);
    let mut w = xml::Writer::new();
    Request::find_documents(&patient, &[Status::Approved], ReturnType::LeafClass).write(&mut w);
    let envelope = soap::write(&soap::Header::request(ITI_18, "urn:uuid:1", ""), |e| {
        e.raw(&w.finish());
    });

    carnet.start();
    let (port, envelope) = (carnet.port, envelope.as_str());
    // What the threads keep, such as their connections to the database, is no request's.
    read_slowly(port, envelope, 4).await;
    let before = memory(carnet.pid(), "VmRSS:");
    let size = read_slowly(port, envelope, READERS).await;
    let grown = (peak(carnet.pid()) - before) / READERS as u64;
    eprintln!("memory of the server: {} KiB for an answer of {} KiB", grown >> 10, size >> 10);
    assert!(grown < 1 << 20, "{} KiB", grown >> 10);
}

/// Octets of the answer, of which so many are under way at a time.
async fn read_slowly(port: u16, envelope: &str, readers: usize) -> usize {
    let answers = join_all((0..readers).map(|_| begun(port, envelope))).await;
    let mut size = 0;
    for mut answer in answers {
        let mut text = String::new();
        answer.read_to_string(&mut text).await.unwrap();
        assert_eq!(text.matches("<rim:ExtrinsicObject ").count(), FOUND);
        size = text.len();
    }
    size
}

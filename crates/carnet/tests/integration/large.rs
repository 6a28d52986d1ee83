//! Memory does not follow the size of a document, nor the number of what is answered.

use std::io::Write;

use client::{Client, Encoding, Endpoints, Outgoing};
use openssl::sha::Sha256;
use xds::message::DocumentRequest;
use xds::value::uuid_urn;

use crate::command_line::Installation;
use crate::harness::{REPOSITORY, Submission, assert_filed, patient};

const SIZE: u64 = 1 << 30;
/// The bound for both directions together.
const MOST: u64 = 150 << 20;

/// Peak of resident memory, in octets.
pub fn peak(pid: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
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

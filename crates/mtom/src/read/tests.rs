use std::convert::Infallible;
use std::io;

use futures_util::TryStreamExt;
use futures_util::stream;

use super::*;
use crate::write;

#[derive(Default)]
struct Memory(Vec<u8>);

impl PartSink for Memory {
    type Part = Vec<u8>;
    type Error = Infallible;

    async fn begin(&mut self, _: &str) -> Result<(), Infallible> {
        self.0.clear();
        Ok(())
    }

    async fn chunk(&mut self, bytes: Bytes) -> Result<(), Infallible> {
        self.0.extend_from_slice(&bytes);
        Ok(())
    }

    async fn end(&mut self) -> Result<Vec<u8>, Infallible> {
        Ok(std::mem::take(&mut self.0))
    }
}

const LIMITS: Limits = Limits { root_bytes: 1000, total_bytes: 1 << 20, parts: 3 };

async fn read(content_type: &str, body: &str) -> Result<Package<Vec<u8>>, Error<Infallible, io::Error>> {
    let pieces: Vec<Result<Bytes, io::Error>> =
        body.as_bytes().chunks(5).map(|piece| Ok(Bytes::copy_from_slice(piece))).collect();
    let content_type = ContentType::parse(content_type).unwrap();
    read_package(&content_type, stream::iter(pieces), &LIMITS, &mut Memory::default()).await
}

const DOCUMENT_FIRST: &str =
    "--b\r\nContent-ID: <doc@x>\r\n\r\nletter\r\n--b\r\nContent-ID: <root@x>\r\n\r\n<e/>\r\n--b--\r\n";

#[tokio::test]
async fn the_envelope_is_the_part_that_start_names_wherever_it_stands() {
    for start in ["\"<root@x>\"", "root@x", "<root@x>"] {
        let package =
            read(&format!("multipart/related; boundary=b; start={start}"), DOCUMENT_FIRST).await.unwrap();
        assert_eq!(package.root, b"<e/>");
        assert_eq!(package.parts["doc@x"], b"letter");
    }
    let first = read("multipart/related; boundary=b", DOCUMENT_FIRST).await.unwrap();
    assert_eq!(first.root, b"letter", "without start the first part is the envelope");
}

#[tokio::test]
async fn a_package_that_is_wrong_is_refused_with_its_reason() {
    let related = "multipart/related; boundary=b";
    let missing = read("multipart/related; boundary=b; start=other", DOCUMENT_FIRST).await.unwrap_err();
    assert!(matches!(missing, Error::NoRoot(id) if id == "other"));
    let twice =
        "--b\r\n\r\n<e/>\r\n--b\r\nContent-ID: 1\r\n\r\na\r\n--b\r\nContent-ID: <1>\r\n\r\nb\r\n--b--";
    assert!(matches!(read(related, twice).await.unwrap_err(), Error::Duplicate(id) if id == "1"));
    let as_the_envelope = "--b\r\nContent-ID: 1\r\n\r\n<e/>\r\n--b\r\nContent-ID: 1\r\n\r\na\r\n--b--";
    assert!(matches!(read(related, as_the_envelope).await.unwrap_err(), Error::Duplicate(id) if id == "1"));
    let nameless = "--b\r\n\r\n<e/>\r\n--b\r\n\r\na\r\n--b--";
    assert!(matches!(read(related, nameless).await.unwrap_err(), Error::NoContentId));
    let quoted = "--b\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n<e/>\r\n--b--";
    assert!(matches!(read(related, quoted).await.unwrap_err(), Error::Encoding(_)));
    for wrong in ["bGV0dGV", "bGV0dG!y", "bGV0dA==bGV0", "bGV0dA==bG", "<e/>"] {
        let package = format!("--b\r\n\r\n<e/>\r\n{}", base64_part(wrong));
        let refused = read(related, &package).await.unwrap_err();
        assert!(matches!(&refused, Error::Base64(id) if id == "1"), "{wrong}: {refused}");
    }
    assert!(matches!(read("multipart/related", "").await.unwrap_err(), Error::Multipart(_)));
    assert!(matches!(read(related, "--b\r\n\r\n<e/>").await.unwrap_err(), Error::Multipart(_)));
}

fn base64_part(text: &str) -> String {
    format!("--b\r\nContent-ID: <1>\r\nContent-Transfer-Encoding: Base64\r\n\r\n{text}\r\n--b--")
}

#[tokio::test]
async fn parts_in_base64_are_decoded_as_they_come() {
    let related = "multipart/related; boundary=b";
    for (written, octets) in
        [("bGV0dGVy", "letter"), ("bGV0\r\ndGU=\r\n", "lette"), ("bGV0dA\n==", "lett"), ("", "")]
    {
        let package = format!("--b\r\n\r\n<e/>\r\n{}", base64_part(written));
        let package = read(related, &package).await.unwrap();
        assert_eq!(package.parts["1"], octets.as_bytes());
    }
    let root =
        read(related, "--b\r\nContent-Transfer-Encoding: base64\r\n\r\nPGUvPg==\r\n--b--").await.unwrap();
    assert_eq!(root.root, b"<e/>");
}

#[tokio::test]
async fn limits_are_kept() {
    let related = "multipart/related; boundary=b";
    let long = format!("--b\r\n\r\n{}\r\n--b--", "x".repeat(1001));
    assert!(matches!(read(related, &long).await.unwrap_err(), Error::TooLarge("the envelope")));
    let many: String = (0..4).map(|n| format!("--b\r\nContent-ID: {n}\r\n\r\nx\r\n")).collect();
    assert!(matches!(
        read(related, &(many + "--b--")).await.unwrap_err(),
        Error::TooLarge("the number of parts")
    ));
    let large = format!("--b\r\n\r\n<e/>\r\n--b\r\nContent-ID: 1\r\n\r\n{}\r\n--b--", "x".repeat(1 << 20));
    assert!(matches!(read(related, &large).await.unwrap_err(), Error::TooLarge("the request")));
}

#[tokio::test]
async fn what_is_written_is_read_and_is_as_long_as_was_said() {
    let octets: Vec<u8> = (0..100_000).map(|n| (n % 256) as u8).collect();
    let chunks: Vec<Result<Bytes, io::Error>> =
        octets.chunks(7000).map(|chunk| Ok(Bytes::copy_from_slice(chunk))).collect();
    let part = write::Part::new("1@carnet", "text/goofy", Some(octets.len() as u64), stream::iter(chunks));
    let package = write::Package::new("<e/>".to_owned(), "urn:x", vec![part]);
    let (content_type, size) = (package.content_type(), package.size().unwrap());
    let written: Vec<Bytes> = package.into_stream().try_collect().await.unwrap();
    assert_eq!(written.iter().map(Bytes::len).sum::<usize>() as u64, size);
    let content_type = ContentType::parse(&content_type).unwrap();
    assert_eq!(content_type.parameter("start-info"), Some("application/soap+xml"));
    let body = stream::iter(written.into_iter().map(Ok::<_, io::Error>));
    let read = read_package(&content_type, body, &LIMITS, &mut Memory::default()).await.unwrap();
    assert_eq!(read.root, b"<e/>");
    assert!(read.parts["1@carnet"] == octets);
}

/// The octet at each place of a large part: no period that a chunk could have too.
fn octet(position: u64) -> u8 {
    (position % 251) as u8
}

/// Looks at octets and keeps none.
#[derive(Default)]
struct Checker {
    position: u64,
}

impl PartSink for Checker {
    type Part = u64;
    type Error = Infallible;

    async fn begin(&mut self, _: &str) -> Result<(), Infallible> {
        self.position = 0;
        Ok(())
    }

    async fn chunk(&mut self, bytes: Bytes) -> Result<(), Infallible> {
        assert!(bytes.len() <= 2 * CHUNK as usize, "a chunk of {} octets", bytes.len());
        for byte in bytes {
            assert_eq!(byte, octet(self.position), "at {}", self.position);
            self.position += 1;
        }
        Ok(())
    }

    async fn end(&mut self) -> Result<u64, Infallible> {
        Ok(self.position)
    }
}

const CHUNK: u64 = 64 << 10;

#[tokio::test]
async fn a_part_of_50_mib_streams_through() {
    let size = 50 << 20;
    let chunks =
        (0..size / CHUNK).map(|n| Ok::<_, io::Error>((n * CHUNK..(n + 1) * CHUNK).map(octet).collect()));
    let part = write::Part::new("1@carnet", "application/pdf", Some(size), stream::iter(chunks));
    let package = write::Package::new("<e/>".to_owned(), "urn:x", vec![part]);
    let content_type = ContentType::parse(&package.content_type()).unwrap();
    let body = package.into_stream().map_err(|error| error.to_string());
    let limits = Limits { total_bytes: size + 1000, ..LIMITS };
    let read = read_package(&content_type, body, &limits, &mut Checker::default()).await.unwrap();
    assert_eq!(read.parts["1@carnet"], size);
}

#[tokio::test]
async fn a_package_whose_part_is_of_unknown_size_is_of_unknown_size() {
    let part =
        |size| write::Part::new("1", "a/b", size, stream::iter([Ok::<_, io::Error>(Bytes::from("x"))]));
    let package = |parts| write::Package::new("<e/>".to_owned(), "urn:x", parts);
    assert!(package(vec![part(Some(1))]).size().is_some());
    assert_eq!(package(vec![part(Some(1)), part(None)]).size(), None);
}

#[tokio::test]
async fn a_part_that_cannot_be_read_ends_the_package() {
    let body = stream::iter([Ok(Bytes::from("x")), Err(io::Error::other("the disk is gone"))]);
    let package =
        write::Package::new("<e/>".to_owned(), "urn:x", vec![write::Part::new("1", "a/b", None, body)]);
    let written: Result<Vec<Bytes>, _> = package.into_stream().try_collect().await;
    assert_eq!(written.unwrap_err().to_string(), "the disk is gone");
}

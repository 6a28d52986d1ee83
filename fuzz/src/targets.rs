use bytes::Bytes;
use futures_util::{FutureExt, stream};
use hl7v2::adt::{self, Events};
use hl7v2::{Ack, Frame, Framer};
use soap::ContentType;
use transparency::{ConsistencyProof, InclusionProof, Note, Verifier};
use uuid::Uuid;
use xds::ebxml::SubmitObjects;
use xds::query::Request;
use xds::submission::{Rules, Transaction, ValidSubmission};

/// One reader of foreign octets. Its corpus is the folder of its name.
#[derive(Debug, Clone, Copy)]
pub struct Target {
    pub name: &'static str,
    pub run: fn(&[u8]),
}

pub const TARGETS: &[Target] = &[
    Target { name: "soap_envelope", run: soap_envelope },
    Target { name: "mtom_package", run: mtom_package },
    Target { name: "ebxml", run: ebxml },
    Target { name: "stored_query", run: stored_query },
    Target { name: "hl7v2", run: hl7_v2 },
    Target { name: "cda_header", run: cda_header },
    Target { name: "syslog", run: syslog_stream },
    Target { name: "signed_records", run: signed_records },
    Target { name: "audit_message", run: audit_message },
    Target { name: "audit_event", run: audit_event },
];

fn with_document(octets: &[u8], read: impl FnOnce(&xml::Document<'_>)) {
    let Ok(text) = xml::decode(octets) else { return };
    if let Ok(document) = xml::Document::parse(&text, &xml::Limits::default()) {
        read(&document);
    }
}

/// SOAP envelopes with WS-Addressing headers, alone and as the root of a package.
fn soap_envelope(octets: &[u8]) {
    with_document(octets, |document| {
        for in_package in [false, true] {
            match soap::read(document, in_package) {
                Ok(message) => drop(message.body.to_xml()),
                Err(fault) => drop(fault.to_envelope(None)),
            }
        }
    });
}

/// A `multipart/related` body. The first line of the input is its Content-Type, the first octet of the body says in
/// what portions it comes in.
fn mtom_package(octets: &[u8]) {
    let Some(end) = octets.iter().position(|octet| *octet == b'\n') else { return };
    let (head, body) = octets.split_at(end);
    let Some(content_type) = std::str::from_utf8(head).ok().and_then(ContentType::parse) else { return };
    let body = body.get(1..).unwrap_or_default();
    let portion = usize::from(body.first().copied().unwrap_or_default()) + 1;
    let portions =
        stream::iter(body.chunks(portion).map(|chunk| Ok::<_, String>(Bytes::copy_from_slice(chunk))));
    let limits = mtom::Limits { root_bytes: 1 << 20, total_bytes: 1 << 24, parts: 100 };
    // Nothing waits here, so one poll reads it all.
    let mut sink = Forgetful;
    let package = mtom::read_package(&content_type, portions, &limits, &mut sink).now_or_never();
    assert!(package.is_some(), "reading from memory waited");
}

/// Counts the octets of a part and keeps none.
struct Forgetful;

impl mtom::PartSink for Forgetful {
    type Part = ();
    type Error = std::convert::Infallible;

    async fn begin(&mut self, _: &str) -> Result<(), Self::Error> {
        Ok(())
    }

    async fn chunk(&mut self, _: Bytes) -> Result<(), Self::Error> {
        Ok(())
    }

    async fn end(&mut self) -> Result<(), Self::Error> {
        Ok(())
    }
}

/// `lcm:SubmitObjectsRequest`: read, checked, and made into the fragments that are stored.
fn ebxml(octets: &[u8]) {
    with_document(octets, |document| {
        let Ok(objects) = SubmitObjects::read(document.root()) else { return };
        let mut number = 0;
        let mut fresh = || {
            number += 1;
            Uuid::from_u128(number)
        };
        if let Ok(valid) = ValidSubmission::check(objects, Transaction::Iti42, &Rules::default(), &mut fresh)
        {
            let fragment = valid.fragment(valid.submission_set.entry_uuid);
            assert!(fragment.is_some(), "a valid submission has a fragment of its SubmissionSet");
        }
    });
}

/// A stored query as XML; or, when the input does not begin like XML, its id and then its parameters line by line,
/// name and values separated by tabs.
fn stored_query(octets: &[u8]) {
    if octets.first() == Some(&b'<') {
        return with_document(octets, |document| {
            if let Ok(request) = Request::read(document.root()) {
                judge(&request);
            }
        });
    }
    let Ok(text) = std::str::from_utf8(octets) else { return };
    let mut lines = text.lines();
    let id = lines.next().unwrap_or_default().to_owned();
    let parameters = lines.map(|line| {
        let mut words = line.split('\t').map(str::to_owned);
        (words.next().unwrap_or_default(), words.collect())
    });
    judge(&Request { id, return_type: "LeafClass".to_owned(), home: None, parameters: parameters.collect() });
}

fn judge(request: &Request) {
    drop(request.patient_ids());
    drop(request.parse());
}

/// An MLLP stream in portions; the first octet says how large they are. Each message in it is read and answered.
fn hl7_v2(octets: &[u8]) {
    let Some((first, stream)) = octets.split_first() else { return };
    let mut framer = Framer::new(1 << 20);
    for portion in stream.chunks(usize::from(*first) + 1) {
        for frame in framer.push(portion) {
            if let Frame::Message(message) = frame {
                match adt::read(&message, &Events { a28: true, a31: true }) {
                    Ok(notice) => drop(Ack::accept().write(&notice.header, "20260102030405", "1")),
                    Err(refusal) => drop(refusal.ack.write(&refusal.header, "20260102030405", "1")),
                }
            }
        }
    }
}

/// A stream of syslog frames in portions; the first octet says how large they are. Each audit message in it is read.
fn syslog_stream(octets: &[u8]) {
    let Some((first, stream)) = octets.split_first() else { return };
    let mut framer = syslog::Framer::new(1 << 20);
    for mut portion in stream.chunks(usize::from(*first) + 1) {
        while let Ok(Some(message)) = framer.next(&mut portion) {
            if let Ok(message) = syslog::Message::parse(&message) {
                assert!(message.header.len() + message.text.len() <= octets.len());
                drop(atna::dicom::parse(message.text, 1 << 20));
            }
        }
    }
}

/// An audit message of another node; what is read of it is written and read again.
fn audit_message(octets: &[u8]) {
    let Ok(text) = std::str::from_utf8(octets) else { return };
    let Ok(message) = atna::dicom::parse(text, 1 << 20) else { return };
    let again = atna::dicom::parse(&atna::dicom::write(&message), usize::MAX).map(|again| again.objects);
    assert_eq!(again, Ok(message.objects));
    let taken = atna::Received::dicom(text.to_owned(), None, arrival(), 1 << 20);
    assert!(taken.map(shown).is_ok());
}

/// What a FHIR feed brings, as JSON or XML, alone or as a batch; and, behind a question mark, a search.
fn audit_event(octets: &[u8]) {
    use atna::fhir::{self, Encoding};
    let Ok(text) = std::str::from_utf8(octets) else { return };
    if let Some(query) = text.strip_prefix('?') {
        let pairs = query.split('&').filter_map(|pair| pair.split_once('='));
        if let Ok(asked) = fhir::search::Parameters::parse(pairs) {
            let _ = (asked.range(), asked.patients());
            let _ = asked.matches(&serde_json::json!({"resourceType": "AuditEvent"}));
        }
        return;
    }
    for encoding in [Encoding::Json, Encoding::Xml] {
        let Ok(resource) = fhir::read(text, encoding, 1 << 20) else { continue };
        let _ = fhir::to_xml(&resource);
        if let Ok(members) = fhir::batch(&resource, &arrival()) {
            members.into_iter().flatten().for_each(shown);
        }
        if let Ok(received) = fhir::received(&resource, text.to_owned(), encoding, arrival()) {
            shown(received);
        }
    }
}

fn arrival() -> atna::Arrival {
    atna::Arrival { at: chrono::DateTime::UNIX_EPOCH, peer: "192.0.2.9".to_owned() }
}

/// What was taken is stored, shown and told without trouble.
fn shown(received: atna::Received) {
    let entry = atna::Entry::Received(received);
    let stored = serde_json::to_vec(&entry).unwrap_or_default();
    assert!(serde_json::from_slice::<atna::Entry>(&stored).is_ok_and(|read| read == entry));
    let resource = atna::fhir::audit_event(&entry);
    let again = resource.map(|resource| {
        let _ = atna::fhir::to_xml(&resource);
        atna::fhir::read(&resource.to_string(), atna::fhir::Encoding::Json, usize::MAX)
            .map(|again| again == resource)
    });
    assert!(matches!(again, Ok(Ok(true))));
    let told = atna::sentence::sentence(&entry, atna::sentence::Language::Fr, &chrono::Utc);
    assert!(!told.contains(char::is_control));
}

/// A file of checkpoints that was kept elsewhere, and what is in it: notes and proofs. What is read is written as it was.
fn signed_records(octets: &[u8]) {
    let key =
        "audit.example.org+51aab9ab+AbBQDTkqiCoP8Fcddqex1fxU8D59juXHmAXSGAYtcYTz".parse::<Verifier>().ok();
    let mut end = 0;
    for found in transparency::records(octets, key.as_slice()).flatten() {
        assert!(found.start == end && found.end <= octets.len());
        end = found.end;
    }
    if let Ok(note) = Note::parse(octets) {
        assert_eq!(note.to_string().as_bytes(), octets);
    }
    let Ok(text) = std::str::from_utf8(octets) else { return };
    if let Ok(proof) = text.parse::<InclusionProof>() {
        assert_eq!(proof.to_string(), text);
    }
    if let Ok(proof) = text.parse::<ConsistencyProof>() {
        assert_eq!(proof.to_string(), text);
    }
}

/// A CDA document: its header, what is wrong with the INS in it, and the DocumentEntry that it amounts to.
fn cda_header(octets: &[u8]) {
    if let Ok(header) = cda::read(octets, &xml::Limits::default()) {
        drop(header.ins_findings());
        drop(cda::metadata::document_entry(&header, &cda::metadata::Defaults::default(), Uuid::nil()));
    }
}

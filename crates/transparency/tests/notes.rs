//! Keys, signed notes and the records made of them.

#![allow(clippy::unwrap_used, reason = "a test stops at what it does not expect")]

use chrono::{DateTime, TimeDelta, Utc};
use proptest::prelude::*;
use transparency::*;

/// The verifier key, the text and the note that the documentation of `golang.org/x/mod/sumdb/note` gives.
const PETER: &str = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
const PETERS_TEXT: &str =
    "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n";
const PETERS_SIGNATURE: &str = "— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n";

fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

fn checkpoint() -> Checkpoint {
    let leaves: Vec<_> = (0u8..5).map(|number| record_hash(&[number])).collect();
    Checkpoint {
        origin: "audit.example.org".to_owned(),
        size: 105,
        root: tree_hash(&leaves),
        at: at("2026-11-25T01:02:03.004Z"),
        leaves: leaves.iter().map(Hash::mark).collect(),
    }
}

fn restoration() -> Restoration {
    let Checkpoint { origin, size, root, at, .. } = checkpoint();
    Restoration { origin, size, root, at }
}

fn signer() -> (Signer, Vec<Verifier>) {
    let signer = Signer::generate("audit.example.org").unwrap();
    let keys = vec![signer.verifier().unwrap()];
    (signer, keys)
}

#[test]
fn a_note_that_go_signed_is_read() {
    let key: Verifier = PETER.parse().unwrap();
    assert_eq!((key.name(), key.id()), ("PeterNeumann", 0xc74f_20a3));
    assert_eq!(key.to_string(), PETER);
    let text = format!("{PETERS_TEXT}\n{PETERS_SIGNATURE}");
    let note = Note::open(text.as_bytes(), &[key]).unwrap();
    assert_eq!(note.text(), PETERS_TEXT);
    assert_eq!(note.to_string(), text);
}

#[test]
fn a_verifier_key_that_was_mistyped_is_refused() {
    for text in [
        "",
        "PeterNeumann",
        "PeterNeumann+c74f20a3",
        "PeterNeumann+c74f20a3+",
        "PeterNeumann+c74f20a3+ARpc",
        "PeterNeumann+c74f20a3+AhpcxQcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
        "PeterNeumann+c74f20a+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
        "PeterNeumann++74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
    ] {
        assert!(matches!(text.parse::<Verifier>(), Err(KeyError::Verifier)), "{text}");
    }
    let other_name = PETER.replace("Neumann", "Newman").parse::<Verifier>();
    assert!(matches!(other_name, Err(KeyError::Hash { found: 0xc74f_20a3, .. })));
    let no_name = "+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW".parse::<Verifier>();
    assert!(matches!(no_name, Err(KeyError::Name(_))));
}

#[test]
fn a_key_goes_through_pem_and_its_text() {
    let (signer, keys) = signer();
    let pem = signer.to_pem().unwrap();
    assert!(pem.starts_with(b"-----BEGIN PRIVATE KEY-----\n"));
    let again = Signer::from_pem("audit.example.org", &pem).unwrap();
    assert_eq!(again.verifier().unwrap().to_string(), keys[0].to_string());
    let note = again.sign("text\n").unwrap();
    let reread: Verifier = keys[0].to_string().parse().unwrap();
    assert_eq!(Note::open(note.to_string().as_bytes(), &[reread]).unwrap(), note);
    let shown = format!("{signer:?}");
    assert_eq!(shown, format!("Signer(audit.example.org+{:08x})", keys[0].id()));
}

#[test]
fn what_is_not_an_unencrypted_ed25519_key_is_refused() {
    let other = openssl::pkey::PKey::generate_x25519().unwrap();
    let other = Signer::from_pem("log", &other.private_key_to_pem_pkcs8().unwrap());
    assert!(matches!(other, Err(KeyError::NotEd25519)));
    let key = openssl::pkey::PKey::generate_ed25519().unwrap();
    let cipher = openssl::symm::Cipher::aes_256_cbc();
    let encrypted = key.private_key_to_pem_pkcs8_passphrase(cipher, b"secret").unwrap();
    assert!(matches!(Signer::from_pem("log", &encrypted), Err(KeyError::Pem(_))));
    assert!(matches!(Signer::from_pem("log", &key.public_key_to_pem().unwrap()), Err(KeyError::Pem(_))));
    assert!(matches!(Signer::from_pem("log", b""), Err(KeyError::Pem(_))));
}

#[test]
fn a_key_has_a_name_without_spaces_and_plus_signs() {
    for name in ["", "a b", "a+b", "a\u{a0}b", "a\nb", "a\tb"] {
        assert!(matches!(Signer::generate(name), Err(KeyError::Name(_))), "{name:?}");
    }
    Signer::generate("audit.exämple.org/4").unwrap();
}

#[test]
fn a_note_is_believed_when_a_known_key_signed_it_and_no_known_key_is_abused() {
    let (signer, keys) = signer();
    let (stranger, strange_keys) = (Signer::generate("stranger").unwrap(), Vec::<Verifier>::new());
    let note = signer.sign("text\n").unwrap().to_string();
    let strange = stranger.sign("text\n").unwrap().to_string();
    let strange_line = strange.strip_prefix("text\n\n").unwrap();
    let line = note.strip_prefix("text\n\n").unwrap();

    for good in [note.clone(), format!("{note}{strange_line}"), format!("{strange}{line}")] {
        Note::open(good.as_bytes(), &keys).unwrap();
    }
    let error = Note::open(strange.as_bytes(), &keys).unwrap_err();
    assert!(error.to_string().contains("stranger+"), "{error}");
    assert!(matches!(Note::open(note.as_bytes(), &strange_keys), Err(NoteError::UnknownKeys { .. })));

    // A good signature does not make up for a wrong one.
    let elsewhere = signer.sign("another\n").unwrap().to_string();
    let wrong = elsewhere.strip_prefix("another\n\n").unwrap();
    for bad in [format!("text\n\n{wrong}"), format!("{note}{wrong}"), format!("text\n\n{wrong}{line}")] {
        assert!(matches!(Note::open(bad.as_bytes(), &keys), Err(NoteError::WrongSignature(_))), "{bad}");
    }
}

#[test]
fn a_malformed_note_is_refused() {
    let shapes: [&str; 7] =
        ["", "\n", "text\n", "text\n\n", "text\n— a AAAAAAA=\n", "text\n\n— a AAAAAAA=", "— a AAAAAAA=\n"];
    for text in shapes {
        assert!(Note::parse(text.as_bytes()).is_err(), "{text:?}");
    }
    for line in [
        "- a AAAAAAA=",
        "—a AAAAAAA=",
        "— AAAAAAA=",
        "— a  AAAAAAA=",
        "— a+b AAAAAAA=",
        "— a AAAAAA==",
        "— a *",
        "x",
    ] {
        let text = format!("text\n\n{line}\n");
        assert!(matches!(Note::parse(text.as_bytes()), Err(NoteError::Signature { line: 1 })), "{text:?}");
    }
    Note::parse("text\n\n— a AAAAAAA=\n".as_bytes()).unwrap();
    assert!(matches!(Note::parse(b"t\xff\n\n"), Err(NoteError::NotText)));
    assert!(matches!(Note::parse("t\r\n\n— a AAAAAAA=\n".as_bytes()), Err(NoteError::NotText)));
    let many = format!("text\n\n{}", "— a AAAAAAA=\n".repeat(101));
    assert!(matches!(Note::parse(many.as_bytes()), Err(NoteError::TooManySignatures(101))));
    assert!(matches!(Note::parse(&vec![b'a'; MAX_NOTE + 1]), Err(NoteError::TooLong(_))));
}

#[test]
fn only_a_text_that_can_be_read_again_is_signed() {
    let (signer, keys) = signer();
    for text in ["", "no newline", "a\rb\n", "a\0\n"] {
        assert!(signer.sign(text).is_err(), "{text:?}");
    }
    assert!(signer.sign(&"a\n".repeat(MAX_NOTE / 2)).is_err());
    let lines = "a\n\n— like a signature AAAAAAA=\n\n";
    let note = signer.sign(lines).unwrap();
    assert_eq!(Note::open(note.to_string().as_bytes(), &keys).unwrap().text(), lines);
}

proptest! {
    #[test]
    fn any_text_that_is_signed_is_read_again(text in "([^\\x00-\\x1f]|\n){0,200}\n", name in "[^\\s\\pC+]{1,20}") {
        let signer = Signer::generate(&name).unwrap();
        let note = signer.sign(&text).unwrap();
        let read = Note::open(note.to_string().as_bytes(), &[signer.verifier().unwrap()]).unwrap();
        prop_assert_eq!(read.text(), text);
        prop_assert_eq!(read, note);
    }

    #[test]
    fn a_note_with_another_octet_is_not_believed(at: prop::sample::Index, turned in 1u8..) {
        let (signer, keys) = signer();
        let mut octets = checkpoint().sign(&signer).unwrap().to_string().into_bytes();
        let at = at.index(octets.len());
        octets[at] ^= turned;
        prop_assert!(Record::open(&octets, &keys).is_err());
    }

    #[test]
    fn no_octets_stop_the_readers(octets: Vec<u8>, text in "[a—\n +=0-9A]{0,60}") {
        let _ = Note::parse(&octets);
        let _ = Note::parse(text.as_bytes());
        let _ = text.parse::<Verifier>();
        let _ = text.parse::<InclusionProof>();
        let _ = text.parse::<ConsistencyProof>();
        let found: Vec<_> = records(&octets, &[]).collect();
        prop_assert_eq!(found.len(), usize::from(!octets.is_empty()));
    }

    #[test]
    fn a_checkpoint_is_read_as_it_was_written(
        size: u64, root: [u8; 32], seconds in 0i64..4_000_000_000, millis in 0i64..1000, leaves: Vec<[u8; 8]>,
    ) {
        let (signer, keys) = signer();
        let at = DateTime::from_timestamp(seconds, 0).unwrap() + TimeDelta::milliseconds(millis);
        let size = size.max(leaves.len() as u64);
        let checkpoint = Checkpoint { origin: signer.name().to_owned(), size, root: root.into(), at, leaves };
        let note = checkpoint.sign(&signer).unwrap();
        prop_assert_eq!(note.text(), checkpoint.text());
        prop_assert_eq!(Record::open(note.to_string().as_bytes(), &keys).unwrap(), Record::Checkpoint(checkpoint));
    }
}

#[test]
fn a_checkpoint_has_the_lines_of_c2sp_and_two_of_its_own() {
    let text = checkpoint().text();
    let lines: Vec<_> = text.lines().collect();
    assert_eq!(lines[..2], ["audit.example.org", "105"]);
    assert_eq!(lines[2], checkpoint().root.to_string());
    assert_eq!(lines[3], "time 2026-11-25T01:02:03.004Z");
    assert!(lines[4].starts_with("leaves ") && lines.len() == 5);
    assert_eq!(checkpoint().first_marked(), 100);
    let nothing_new = Checkpoint { leaves: Vec::new(), ..checkpoint() };
    assert_eq!(nothing_new.text().lines().count(), 4);
}

#[test]
fn a_restoration_is_not_a_checkpoint() {
    let (signer, keys) = signer();
    let note = restoration().sign(&signer).unwrap().to_string();
    assert!(note.starts_with("audit.example.org restore\n105\n"));
    assert_eq!(Record::open(note.as_bytes(), &keys).unwrap(), Record::Restoration(restoration()));
}

#[test]
fn a_record_is_signed_by_the_key_of_its_log() {
    let (signer, keys) = signer();
    let other = Checkpoint { origin: "other.example.org".to_owned(), ..checkpoint() };
    assert!(matches!(other.sign(&signer), Err(RecordError::NotItsKey { .. })));
    let note = signer.sign(&other.text()).unwrap().to_string();
    let error = Record::open(note.as_bytes(), &keys).unwrap_err();
    assert_eq!(
        error.to_string(),
        "the log is other.example.org, and the keys that signed are of others: audit.example.org"
    );
}

#[test]
fn a_record_that_is_not_written_as_it_must_be_is_refused() {
    let (signer, keys) = signer();
    let good = checkpoint().text();
    let open = |text: &str| Record::open(signer.sign(text).unwrap().to_string().as_bytes(), &keys);
    open(&good).unwrap();
    let root = checkpoint().root.to_string();
    for (from, to) in [
        ("audit.example.org", "audit.example.org restored"),
        ("audit.example.org", "audit.example.org restore restore"),
        ("audit.example.org\n", ""),
        ("105", "0105"),
        ("105", "+105"),
        ("105", ""),
        ("105", "18446744073709551616"),
        ("105", "4"),
        (root.as_str(), ""),
        (root.as_str(), &root[1..]),
        ("time ", "at "),
        ("03.004Z", "03Z"),
        ("03.004Z", "03.0040Z"),
        ("03.004Z", "03.004+00:00"),
        ("2026-11", "2026-13"),
        ("leaves ", "leaf "),
        ("leaves ", "leaves AAAA"),
        ("leaves ", "\nleaves "),
        ("time ", "more\ntime "),
    ] {
        assert!(open(&good.replacen(from, to, 1)).is_err(), "{from:?} as {to:?}");
    }
    assert!(open(&format!("{good}more\n")).is_err());
    assert!(open(&format!("{good}\n")).is_err());
    // A restoration marks no leaves.
    assert!(open(&good.replacen("org", "org restore", 1)).is_err());
}

#[test]
fn a_checkpoint_marks_no_more_leaves_than_a_note_holds() {
    let (signer, keys) = signer();
    let full = |marked| Checkpoint { size: 1 << 20, leaves: vec![[7; 8]; marked], ..checkpoint() };
    let note = full(MAX_LEAVES).sign(&signer).unwrap();
    assert_eq!(
        Record::open(note.to_string().as_bytes(), &keys).unwrap(),
        Record::Checkpoint(full(MAX_LEAVES))
    );
    assert!(matches!(full(MAX_LEAVES + 1).sign(&signer), Err(RecordError::TooManyLeaves(_))));
    let small = Checkpoint { size: 4, ..checkpoint() };
    assert!(matches!(small.sign(&signer), Err(RecordError::MoreLeavesThanSize { size: 4, marked: 5 })));
}

/// A file of a checkpoint, a restoration and another checkpoint, and where each ends.
fn file(signer: &Signer) -> (Vec<u8>, Vec<usize>) {
    let last = Checkpoint { size: 110, ..checkpoint() };
    let notes = [checkpoint().sign(signer), restoration().sign(signer), last.sign(signer)];
    let mut octets = Vec::new();
    let ends = notes.into_iter().map(|note| {
        octets.extend(record_octets(&note.unwrap()));
        octets.len()
    });
    let ends = ends.collect();
    (octets, ends)
}

#[test]
fn a_file_of_records_is_read_with_their_places() {
    let (signer, keys) = signer();
    let (octets, ends) = file(&signer);
    let found: Vec<_> = records(&octets, &keys).map(Result::unwrap).collect();
    assert_eq!(found.iter().map(|found| found.end).collect::<Vec<_>>(), ends);
    assert_eq!(found.iter().map(|found| found.start).collect::<Vec<_>>(), [0, ends[0], ends[1]]);
    assert_eq!(found[1].record, Record::Restoration(restoration()));
    assert!(matches!(&found[2].record, Record::Checkpoint(last) if last.size == 110));
    assert_eq!(records(b"", &keys).count(), 0);
}

/// Whatever the crash left behind: the whole records are read, and the file is cut back to them and goes on.
#[test]
fn a_file_that_was_torn_anywhere_reads_to_the_last_whole_record() {
    let (signer, keys) = signer();
    let (octets, ends) = file(&signer);
    let more = record_octets(&restoration().sign(&signer).unwrap());
    for cut in 0..octets.len() {
        let whole = ends.iter().filter(|end| **end <= cut).count();
        let last = if whole == 0 { 0 } else { ends[whole - 1] };
        let mut zeroed = octets[..cut].to_vec();
        zeroed.resize(octets.len(), 0);
        for torn in [&octets[..cut], &zeroed] {
            let found: Vec<_> = records(torn, &keys).collect();
            assert!(found[..whole].iter().all(Result::is_ok), "cut at {cut}");
            let rest = &found[whole..];
            if torn.len() == last {
                assert!(rest.is_empty(), "cut at {cut}");
            } else {
                assert!(
                    matches!(rest, [Err(RecordsError::Torn { start })] if *start == last),
                    "cut at {cut}: {rest:?}"
                );
            }
            let again = [&torn[..last], &more].concat();
            assert_eq!(records(&again, &keys).filter(Result::is_ok).count(), whole + 1);
        }
    }
    // A page of the last record that never reached the disk, while those around it did.
    let mut hole = octets.clone();
    hole[ends[1] + 20..ends[1] + 60].fill(0);
    let found: Vec<_> = records(&hole, &keys).collect();
    assert!(matches!(found[2], Err(RecordsError::Torn { start }) if start == ends[1]));
}

#[test]
fn a_file_that_was_damaged_is_not_taken_for_a_torn_one() {
    let (signer, keys) = signer();
    let (octets, ends) = file(&signer);
    // Every octet of the first two records, changed or taken away.
    for at in 0..ends[1] {
        let start = if at < ends[0] { 0 } else { ends[0] };
        let mut changed = octets.clone();
        changed[at] ^= 1;
        let mut shorter = octets.clone();
        shorter.remove(at);
        for damaged in [changed, shorter] {
            let last = records(&damaged, &keys).last().unwrap();
            assert!(
                matches!(last, Err(RecordsError::Malformed { start: found, .. }) if found == start),
                "{at}: {last:?}"
            );
        }
    }
    // What was appended to a torn file without cutting it back.
    let appended = [&octets[..ends[2] - 40], &octets[..ends[0]]].concat();
    let last = records(&appended, &keys).last().unwrap();
    assert!(matches!(last, Err(RecordsError::Malformed { start, .. }) if start == ends[1]));
    // Zeros in the middle are no torn write.
    let mut hole = octets.clone();
    hole[10..20].fill(0);
    assert!(matches!(records(&hole, &keys).next(), Some(Err(RecordsError::Malformed { start: 0, .. }))));
    // Nothing that is longer than a record can be is waited for.
    let endless = vec![b'a'; MAX_NOTE + 2];
    assert!(matches!(records(&endless, &keys).next(), Some(Err(RecordsError::Malformed { start: 0, .. }))));
}

/// A log of ten leaves, proven.
fn proven() -> (Vec<Verifier>, Vec<Hash>, InclusionProof, ConsistencyProof) {
    let (signer, keys) = signer();
    let leaves: Vec<_> = (0u8..10).map(|number| leaf_hash(&[number; SALT_LENGTH], b"event")).collect();
    let mut edge = Edge::empty();
    leaves.iter().for_each(|leaf| edge.push(*leaf));
    let tiles = edge.take_changed().into_iter().collect();
    let checkpoint = Checkpoint { size: 10, root: edge.root(), ..checkpoint() }.sign(&signer).unwrap();
    let hashes = Plan::inclusion(6, 10).unwrap().prove(&tiles).unwrap();
    let inclusion = InclusionProof {
        extra: Some(vec![6; SALT_LENGTH]),
        index: 6,
        hashes,
        checkpoint: checkpoint.clone(),
    };
    let hashes = Plan::consistency(7, 10).unwrap().prove(&tiles).unwrap();
    (keys, leaves, inclusion, ConsistencyProof { old: 7, hashes, checkpoint })
}

#[test]
fn a_proof_in_text_is_read_as_it_was_written_and_holds() {
    let (keys, leaves, inclusion, consistency) = proven();
    let text = inclusion.to_string();
    assert!(text.starts_with("c2sp.org/tlog-proof@v1\nextra BgYGBgYGBgYGBgYGBgYGBg==\nindex 6\n"), "{text}");
    assert_eq!(text.parse::<InclusionProof>().unwrap(), inclusion);
    assert_eq!(inclusion.verify(&leaves[6], &keys).unwrap().size, 10);
    let bare = InclusionProof { extra: None, ..inclusion };
    assert_eq!(bare.to_string().parse::<InclusionProof>().unwrap(), bare);

    let text = consistency.to_string();
    assert!(text.starts_with("old 7\n"), "{text}");
    assert_eq!(text.parse::<ConsistencyProof>().unwrap(), consistency);
    assert_eq!(consistency.verify(&tree_hash(&leaves[..7]), &keys).unwrap().size, 10);
}

#[test]
fn a_proof_of_a_lone_leaf_has_no_hashes() {
    let (signer, keys) = signer();
    let leaf = record_hash(b"alone");
    let checkpoint =
        Checkpoint { size: 1, root: leaf, leaves: vec![leaf.mark()], ..checkpoint() }.sign(&signer).unwrap();
    let proof = InclusionProof { extra: None, index: 0, hashes: Vec::new(), checkpoint };
    let read: InclusionProof = proof.to_string().parse().unwrap();
    assert_eq!(read, proof);
    read.verify(&leaf, &keys).unwrap();
}

#[test]
fn a_proof_in_text_that_was_tampered_with_is_refused() {
    let (keys, leaves, inclusion, _) = proven();
    let text = inclusion.to_string();
    let verify = |text: &str, leaf: &Hash| text.parse::<InclusionProof>()?.verify(leaf, &keys);
    verify(&text, &leaves[6]).unwrap();
    assert!(matches!(verify(&text, &leaves[7]), Err(ProofTextError::Proof(ProofError::NotIncluded))));
    for (from, to) in [
        ("@v1", "@v2"),
        ("c2sp.org/tlog-proof@v1\n", ""),
        ("extra B", "extra *"),
        ("index 6", "index 06"),
        ("index 6", "index 7"),
        ("index 6", "index 10"),
        ("index 6\n", ""),
        ("index 6\n", "index 6\n\n"),
        ("\n10\n", "\n11\n"),
        ("\n\n", "\n"),
    ] {
        let changed = text.replacen(from, to, 1);
        assert_ne!(changed, text);
        assert!(verify(&changed, &leaves[6]).is_err(), "{from:?} as {to:?}");
    }
    let hash = inclusion.hashes[0].to_string();
    assert!(verify(&text.replacen(&hash, &leaves[0].to_string(), 1), &leaves[6]).is_err());
    assert!(verify(&text.replacen(&format!("{hash}\n"), "", 1), &leaves[6]).is_err());

    let (signer, keys) = signer();
    let restored = InclusionProof { checkpoint: restoration().sign(&signer).unwrap(), ..inclusion };
    assert!(matches!(restored.verify(&leaves[6], &keys), Err(ProofTextError::NotACheckpoint)));
}

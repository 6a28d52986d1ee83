//! Documents whose octets are damaged in the document store: none of them is given out as something else than what was
//! filed, all others are, and `carnet fsck` names each and nothing else.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, ensure};
use client::{Client, Encoding, Endpoints};
use fastrand::Rng;
use nix::sys::signal::Signal;
use openssl::sha::sha256;
use serde_json::{Value, json};

use crate::answer::of_response;
use crate::ledger::answers::NONE;
use crate::ledger::{Act, Answer, Digest, Entry};
use crate::load::{Load, Tally};
use crate::report::Row;
use crate::server::Server;
use crate::source::{Source, TIMEOUTS};
use crate::{checks, message};

/// Of a document; four chunks of 1 MiB, of which the last is shorter.
const SIZE: usize = (3 << 20) + 1000;
/// In front of the first chunk, and behind each.
const HEADER: u64 = 16;
const DIGEST: u64 = 32;
const CHUNK: u64 = 1 << 20;
/// What is written at once; a crash can leave one empty.
const PAGE: usize = 4096;
const CODE: &str = "XDSRepositoryError";
const CANNOT_BE_READ: &str = "the stored document cannot be read";

/// What happens to a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Damage {
    Nothing,
    /// A bit of this chunk.
    Bit(u64),
    /// A bit of the digest behind this chunk.
    DigestBit(u64),
    /// A page of this chunk is zero.
    Torn(u64),
    /// It ends in the middle of this chunk.
    Cut(u64),
    /// It begins with zeros.
    NoHeader,
    Gone,
}

const ALL: [Damage; 11] = [
    Damage::Nothing,
    Damage::Bit(0),
    Damage::Bit(1),
    Damage::Bit(3),
    Damage::DigestBit(2),
    Damage::Torn(0),
    Damage::Torn(2),
    Damage::Cut(0),
    Damage::Cut(3),
    Damage::NoHeader,
    Damage::Gone,
];

impl Damage {
    fn inflict(self, path: &Path, rng: &mut Rng) -> anyhow::Result<()> {
        let begin = |chunk: u64| HEADER + chunk * (CHUNK + DIGEST);
        let length = |chunk: u64| (SIZE as u64 - chunk * CHUNK).min(CHUNK);
        let file = File::options().read(true).write(true).open(path)?;
        let flip = |place: u64, rng: &mut Rng| -> std::io::Result<()> {
            let mut octet = [0_u8];
            file.read_exact_at(&mut octet, place)?;
            file.write_all_at(&[octet[0] ^ (1 << rng.u32(0..8))], place)
        };
        match self {
            Damage::Nothing => {}
            Damage::Bit(chunk) => flip(begin(chunk) + rng.u64(0..length(chunk)), rng)?,
            Damage::DigestBit(chunk) => flip(begin(chunk) + length(chunk) + rng.u64(0..DIGEST), rng)?,
            Damage::Torn(chunk) => file.write_all_at(&[0; PAGE], begin(chunk) + CHUNK / 2)?,
            Damage::Cut(chunk) => file.set_len(begin(chunk) + length(chunk) / 2)?,
            Damage::NoHeader => file.write_all_at(&[0; HEADER as usize], 0)?,
            Damage::Gone => fs::remove_file(path)?,
        }
        Ok(())
    }

    /// Noticed before anything of the document has left: an answer can still say so.
    fn is_seen_at_once(self) -> bool {
        match self {
            Damage::Nothing => false,
            Damage::Bit(chunk) | Damage::DigestBit(chunk) | Damage::Torn(chunk) => chunk == 0,
            // The length of a file tells.
            Damage::Cut(_) | Damage::NoHeader | Damage::Gone => true,
        }
    }
}

struct Document {
    damage: Damage,
    unique_id: String,
    digest: Digest,
    file: PathBuf,
}

pub async fn hold(binary: &Path, clients: usize, rng: &mut Rng) -> anyhow::Result<Row> {
    let mut server = Server::new(binary)?;
    server.start().await?;
    let mut tally = Tally::default();
    let load = Load::start(&server, clients, rng)?;
    let patient = message::patient(rng);
    let mut ledger = Source::open_record(&server.addresses, rng, &patient).await?;
    let client = Client::with_timeouts(Endpoints::of_server(&server.addresses.url), TIMEOUTS);
    let mut documents = Vec::new();
    for damage in ALL {
        let entry = Source::file(&client, rng, &patient, &[SIZE]).await;
        documents.push(document(&server, damage, &entry).await?);
        ledger.0.push(entry);
    }
    let kept = server.scratch()?.join("kept");
    for (number, Document { damage, file, .. }) in documents.iter().enumerate() {
        fs::copy(file, kept.with_extension(number.to_string()))?;
        damage.inflict(file, rng)?;
    }
    for document in &documents {
        for encoding in [Encoding::Mtom, Encoding::Simple] {
            let told = document.told(&client, encoding, &server.scratch()?).await?;
            tally.faults.extend(told.map(|fault| format!("{:?} by {encoding:?}: {fault}", document.damage)));
        }
    }
    tally.faults.extend(named(&server, &documents).await?);
    for (number, Document { file, .. }) in documents.iter().enumerate() {
        fs::rename(kept.with_extension(number.to_string()), file)?;
    }
    let mut done = load.stop().await?;
    done.ledgers.push(ledger);
    done.judge(&server, NONE, &mut tally).await?;
    tally.faults.extend(checks::all(&server).await?);
    server.end(Signal::SIGTERM).await?;
    let damaged = documents.len() - 1;
    let at_once = documents.iter().filter(|document| document.damage.is_seen_at_once()).count();
    Ok(Row {
        scenario: "damaged documents".to_owned(),
        done: format!("{damaged} documents, {clients} clients at work"),
        result: format!(
            "{at_once} refused, {} cut off where the damage begins; carnet fsck names {damaged}; {}",
            damaged - at_once,
            tally.sentence()
        ),
        numbers: json!({ "damaged": damaged, "refused": at_once, "cut_off": damaged - at_once }),
        faults: tally.faults,
    })
}

/// The document of a submission, and its file.
async fn document(server: &Server, damage: Damage, filed: &Entry) -> anyhow::Result<Document> {
    ensure!(filed.answer == Answer::Acknowledged, "a document is not filed: {:?}", filed.answer);
    let Act::Submit { documents, .. } = &filed.act else { anyhow::bail!("no submission") };
    let sent = documents.first().context("no document was sent")?;
    let sql = "select blob from document where unique_id = $1";
    let blob: String = server.database().await?.query_one(sql, &[&sent.unique_id]).await?.try_get(0)?;
    let file = server.data().join("documents").join(blob.get(..2).unwrap_or_default()).join(&blob);
    Ok(Document { damage, unique_id: sent.unique_id.clone(), digest: sent.digest, file })
}

impl Document {
    /// What is wrong with what a reader is told.
    async fn told(
        &self,
        client: &Client,
        encoding: Encoding,
        scratch: &Path,
    ) -> anyhow::Result<Option<String>> {
        let request = [message::retrieval(&self.unique_id)];
        let answer = client.retrieve(&request, encoding, scratch).await;
        let given = answer.as_ref().map(|answer| answer.documents.as_slice()).unwrap_or_default();
        let whole = match given {
            [] => None,
            [document] => Some(sha256(&fs::read(&document.path)?) == self.digest),
            _ => return Ok(Some("more than one document".to_owned())),
        };
        let answer = of_response(answer.as_ref().map(|answer| &answer.response));
        let cannot = matches!(&answer, Answer::Refused(reason)
            if reason.starts_with(CODE) && reason.contains(CANNOT_BE_READ));
        let is_right = match (self.damage, whole) {
            (Damage::Nothing, whole) => whole == Some(true) && answer == Answer::Acknowledged,
            (_, Some(_)) => false,
            (damage, None) if damage.is_seen_at_once() => cannot,
            // A package breaks off. Base64 is not sent before all of it is read.
            (_, None) => match encoding {
                Encoding::Mtom => answer == Answer::Open,
                Encoding::Simple => matches!(&answer, Answer::Refused(_)),
            },
        };
        Ok((!is_right).then(|| format!("{answer:?}, whole: {whole:?}")))
    }
}

/// Whether `carnet fsck` names what is damaged, and nothing else.
async fn named(server: &Server, documents: &[Document]) -> anyhow::Result<Vec<String>> {
    let output = server.command(&["fsck", "--json"]).output().await?;
    let said = String::from_utf8_lossy(&output.stdout);
    let lines: Vec<Value> = said.lines().map(serde_json::from_str).collect::<Result<_, _>>()?;
    let found: BTreeSet<&str> = lines
        .iter()
        .filter(|line| line.get("finding").is_some())
        .map(|line| line.get("unique_id").and_then(Value::as_str).unwrap_or("not a document"))
        .collect();
    let expected: BTreeSet<&str> = documents
        .iter()
        .filter(|document| document.damage != Damage::Nothing)
        .map(|document| document.unique_id.as_str())
        .collect();
    let mut faults = Vec::new();
    if output.status.success() {
        faults.push("carnet fsck is content".to_owned());
    }
    if found != expected {
        faults.push(format!("carnet fsck names {found:?} and not {expected:?}: {said}"));
    }
    Ok(faults)
}

//! A disk that is full: that of the documents, or that of the database. Both are small file systems in memory, which somebody
//! else fills to the last octet and empties again.

use std::fs::{self, File};
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use fastrand::Rng;
use nix::sys::signal::Signal;
use nix::unistd::User;
use serde_json::json;
use tokio::time::sleep;

use crate::checks;
use crate::ledger::{Act, Answer, Entry, Ledger};
use crate::load::{Load, Tally};
use crate::report::Row;
use crate::server::Server;

const BEFORE: Duration = Duration::from_secs(2);
const FULL: Duration = Duration::from_secs(4);
const AFTERWARDS: Duration = Duration::from_secs(2);
/// What was begun while there was room.
const OVER: Duration = Duration::from_millis(500);
const OUT_OF_RESOURCES: &str = "XDSRepositoryOutOfResources";
/// Words that tell the other side nothing.
const INTERNAL: &str = "Internal error";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Disk {
    Documents,
    Database,
}

impl Disk {
    fn name(self) -> &'static str {
        match self {
            Disk::Documents => "document store",
            Disk::Database => "database",
        }
    }

    fn folder(self) -> &'static str {
        match self {
            Disk::Documents => "documents",
            Disk::Database => "postgres",
        }
    }

    fn size(self) -> &'static str {
        match self {
            Disk::Documents => "size=64m",
            Disk::Database => "size=512m",
        }
    }
}

/// A file system that goes away with this.
struct Mounted(PathBuf);

impl Mounted {
    fn at(folder: &Path, size: &str) -> anyhow::Result<Mounted> {
        fs::create_dir_all(folder)?;
        let mut mount = Command::new("mount");
        // Documents are the server's, and the database makes its own folder its account's.
        mount.args(["-t", "tmpfs", "-o", size, "carnet-torture"]).arg(folder);
        let output = mount.output().context("mount")?;
        ensure!(output.status.success(), "no file system can be mounted here: this needs to be root");
        Ok(Mounted(folder.to_owned()))
    }

    fn ballast(&self) -> PathBuf {
        self.0.join("ballast")
    }

    /// To the last octet.
    fn fill(&self) -> anyhow::Result<()> {
        let mut file = File::create(self.ballast())?;
        for size in [1 << 20, 1 << 12, 1] {
            let octets = vec![0; size];
            while file.write_all(&octets).is_ok() {}
        }
        Ok(())
    }

    fn empty(&self) -> anyhow::Result<()> {
        Ok(fs::remove_file(self.ballast())?)
    }
}

impl Drop for Mounted {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("--lazy").arg(&self.0).status();
    }
}

pub async fn hold(binary: &Path, disk: Disk, clients: usize, rng: &mut Rng) -> anyhow::Result<Row> {
    let mut server = Server::new(binary)?;
    let mounted = Mounted::at(&server.data().join(disk.folder()), disk.size())?;
    if disk == Disk::Database {
        own_by_postgres(&mounted.0)?;
    }
    server.start().await?;
    let mut tally = Tally::default();
    let load = Load::start(&server, clients, rng)?;
    sleep(BEFORE).await;
    mounted.fill()?;
    sleep(OVER).await;
    let from = load.lengths();
    sleep(FULL).await;
    let to = load.lengths();
    mounted.empty()?;
    let emptied = Instant::now();
    server.until_ready().await?;
    let recovered = emptied.elapsed();
    let done = load.stop().await?;
    let meanwhile = slices(&done.ledgers, &from, &to);
    let (changes, reads) = (count(&meanwhile, is_submission), count(&meanwhile, |act| !act.is_change()));
    match disk {
        Disk::Documents => documents(&meanwhile, &mut tally.faults),
        Disk::Database => database(&meanwhile, &mut tally.faults),
    }
    // Clients that may change something again: those of before have an open question.
    let afterwards = Load::start(&server, clients, rng)?;
    sleep(AFTERWARDS).await;
    let afterwards = afterwards.stop().await?;
    let filed = |entry: &&Entry| is_submission(&entry.act) && entry.answer == Answer::Acknowledged;
    if !afterwards.ledgers.iter().flat_map(|ledger| &ledger.0).any(|entry| filed(&entry)) {
        tally.faults.push("nothing is filed after there is room again".to_owned());
    }
    afterwards.judge(&server, &mut tally).await?;
    done.judge(&server, &mut tally).await?;
    tally.faults.extend(checks::all(&server).await?);
    server.end(Signal::SIGTERM).await?;
    Ok(Row {
        scenario: format!("{} full", disk.name()),
        done: format!("{} s", FULL.as_secs()),
        result: format!(
            "meanwhile {} submissions and {} reads acknowledged, {} and {} refused; ready {:.1} s after there was room; {}",
            changes.acknowledged,
            reads.acknowledged,
            changes.others,
            reads.others,
            recovered.as_secs_f64(),
            tally.sentence()
        ),
        numbers: json!({
            "submissions_acknowledged": changes.acknowledged,
            "submissions_refused": changes.others,
            "reads_acknowledged": reads.acknowledged,
            "reads_refused": reads.others,
            "ready_again_s": recovered.as_secs_f64(),
        }),
        faults: tally.faults,
    })
}

/// Submissions are refused for this reason, and what is there can be found and read. A small one may find the room that a
/// removal has made.
fn documents(meanwhile: &[&Entry], faults: &mut Vec<String>) {
    let full =
        |answer: &Answer| matches!(answer, Answer::Refused(reason) if reason.starts_with(OUT_OF_RESOURCES));
    if !meanwhile.iter().any(|entry| is_submission(&entry.act) && full(&entry.answer)) {
        faults.push("the document store was never full".to_owned());
    }
    for entry in meanwhile.iter().filter(|entry| !entry.act.is_change()) {
        if entry.answer != Answer::Acknowledged {
            faults.push(format!("a read while there is no room for documents: {:?}", entry.answer));
        }
    }
    unclear(meanwhile, faults);
}

/// Whatever is not done with its trace is refused in words that tell the other side to come again. What still fits into
/// pages that were there before may be done.
fn database(meanwhile: &[&Entry], faults: &mut Vec<String>) {
    if meanwhile.iter().all(|entry| entry.answer == Answer::Acknowledged) {
        faults.push("the database was never full".to_owned());
    }
    unclear(meanwhile, faults);
}

fn unclear(meanwhile: &[&Entry], faults: &mut Vec<String>) {
    let is_internal =
        |answer: &&Answer| matches!(answer, Answer::Refused(reason) if reason.contains(INTERNAL));
    let answers = meanwhile.iter().map(|entry| &entry.answer);
    faults.extend(answers.filter(is_internal).map(|answer| format!("no clear error: {answer:?}")));
}

fn is_submission(act: &Act) -> bool {
    matches!(act, Act::Submit { .. })
}

/// The lines of all ledgers between two moments; the last before the second moment may have been answered after it.
fn slices<'a>(ledgers: &'a [Ledger], from: &[usize], to: &[usize]) -> Vec<&'a Entry> {
    let mut entries = Vec::new();
    for ((ledger, from), to) in ledgers.iter().zip(from).zip(to) {
        entries.extend(ledger.0.get(*from..to.saturating_sub(1)).unwrap_or_default());
    }
    entries
}

/// The private PostgreSQL takes no folder of another account.
fn own_by_postgres(folder: &Path) -> anyhow::Result<()> {
    let account = User::from_name("postgres")?.context("there is no account of PostgreSQL")?;
    std::os::unix::fs::chown(folder, Some(account.uid.as_raw()), Some(account.gid.as_raw()))?;
    Ok(fs::set_permissions(folder, fs::Permissions::from_mode(0o700))?)
}

struct Counts {
    acknowledged: usize,
    others: usize,
}

fn count(entries: &[&Entry], of: impl Fn(&Act) -> bool) -> Counts {
    let mut counts = Counts { acknowledged: 0, others: 0 };
    for entry in entries.iter().filter(|entry| of(&entry.act)) {
        match entry.answer {
            Answer::Acknowledged => counts.acknowledged += 1,
            _ => counts.others += 1,
        }
    }
    counts
}

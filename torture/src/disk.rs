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
use crate::ledger::answers::{BUSY, Excuses, FULL as NO_ROOM, NONE, is_excused, late};
use crate::ledger::{Act, Answer, Entry};
use crate::load::{Load, Tally};
use crate::report::Row;
use crate::server::Server;

const BEFORE: Duration = Duration::from_secs(2);
const FULL: Duration = Duration::from_secs(4);
const AFTERWARDS: Duration = Duration::from_secs(2);
/// What was begun while there was room.
const OVER: Duration = Duration::from_millis(500);
/// Whoever works while the database is full gets an answer within this time.
const LONGEST_ACT: Duration = Duration::from_secs(15);
/// Small acts find room in pages that are there already; so many are refused for each of those at least.
const REFUSED_FOR_EACH: usize = 3;

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

    /// What clients are told.
    fn excuses(self) -> Excuses {
        match self {
            Disk::Documents => NO_ROOM,
            Disk::Database => BUSY,
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
    let from = Instant::now();
    sleep(FULL).await;
    let to = Instant::now();
    mounted.empty()?;
    let emptied = Instant::now();
    server.until_ready().await?;
    let recovered = emptied.elapsed();
    let done = load.stop().await?;
    let meanwhile: Vec<&Entry> = done
        .entries()
        .filter(|entry| entry.began >= from && entry.ended.is_some_and(|ended| ended <= to))
        .collect();
    let (changes, reads) = (count(&meanwhile, is_submission), count(&meanwhile, |act| !act.is_change()));
    match disk {
        Disk::Documents => documents(&meanwhile, &mut tally.faults),
        Disk::Database => database(&meanwhile, &mut tally.faults),
    }
    tally.faults.extend(late(done.entries(), LONGEST_ACT));
    // Clients that may change something again: those of before have an open question.
    let afterwards = Load::start(&server, clients, rng)?;
    sleep(AFTERWARDS).await;
    let afterwards = afterwards.stop().await?;
    let filed = |entry: &Entry| is_submission(&entry.act) && entry.answer == Answer::Acknowledged;
    if !afterwards.entries().any(filed) {
        tally.faults.push("nothing is filed after there is room again".to_owned());
    }
    afterwards.judge(&server, NONE, &mut tally).await?;
    done.judge(&server, disk.excuses(), &mut tally).await?;
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
    if !meanwhile.iter().any(|entry| is_submission(&entry.act) && is_excused(&entry.answer, NO_ROOM)) {
        faults.push("the document store was never full".to_owned());
    }
    let (mut octets, mut found) = (false, false);
    for Entry { act, answer, .. } in meanwhile.iter().copied() {
        match (act, answer) {
            (Act::Get { .. }, Answer::Acknowledged) => octets = true,
            (Act::Find { .. }, Answer::Acknowledged) => found = true,
            (_, Answer::Acknowledged) | (Act::Submit { .. }, _) => {}
            _ => faults.push(format!("while there is no room for documents: {answer:?} to {act:?}")),
        }
    }
    if !octets || !found {
        faults.push("nothing was found and read while there is no room for documents".to_owned());
    }
}

/// Whatever is not done with its trace is refused in words that tell the other side to come again. What still fits into
/// pages that were there before may be done.
fn database(meanwhile: &[&Entry], faults: &mut Vec<String>) {
    let refused = |of: fn(&Act) -> bool| {
        meanwhile.iter().filter(|entry| of(&entry.act) && is_excused(&entry.answer, BUSY)).count()
    };
    let (submissions, reads) = (refused(is_submission), refused(|act| matches!(act, Act::Get { .. })));
    let queries = refused(|act| matches!(act, Act::Find { .. }));
    if submissions == 0 || reads == 0 || queries == 0 {
        faults.push(format!(
            "while the database is full {submissions} submissions, {queries} queries and {reads} retrievals were refused as busy"
        ));
    }
    let done = meanwhile.iter().filter(|entry| entry.answer == Answer::Acknowledged).count();
    if done * REFUSED_FOR_EACH > refused(|_| true) {
        faults.push(format!("the database was never full: {done} acts were acknowledged meanwhile"));
    }
}

fn is_submission(act: &Act) -> bool {
    matches!(act, Act::Submit { .. })
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger::Sent;

    fn submit() -> Act {
        Act::Submit {
            patient: "p".to_owned(),
            set: "1".to_owned(),
            set_id: uuid::Uuid::nil(),
            documents: Vec::<Sent>::new(),
            links: vec![],
            replaced: None,
        }
    }

    fn get() -> Act {
        Act::Get { unique_id: "1".to_owned() }
    }

    fn find() -> Act {
        Act::Find { patient: "p".to_owned() }
    }

    fn refused(code: &str) -> Answer {
        Answer::Refused(format!("{code} a sentence"))
    }

    fn faults(judge: fn(&[&Entry], &mut Vec<String>), lines: Vec<(Act, Answer)>) -> usize {
        let entry = |(act, answer)| {
            let mut entry = Entry::new(act);
            entry.answered(answer);
            entry
        };
        let entries: Vec<Entry> = lines.into_iter().map(entry).collect();
        let mut faults = Vec::new();
        judge(&entries.iter().collect::<Vec<_>>(), &mut faults);
        faults.len()
    }

    #[test]
    fn a_full_document_store_refuses_documents_and_nothing_else() {
        let full = || (submit(), refused(NO_ROOM[0]));
        let reads = || vec![(get(), Answer::Acknowledged), (find(), Answer::Acknowledged)];
        let with = |line| [reads(), vec![full(), line]].concat();
        assert_eq!(faults(documents, with(full())), 0);
        assert_eq!(faults(documents, with((get(), refused("XDSRegistryBusy")))), 1);
        assert_eq!(faults(documents, reads()), 1, "it was not full");
        assert_eq!(faults(documents, vec![full()]), 1, "nobody read");
    }

    #[test]
    fn a_full_database_refuses_every_kind_of_access() {
        let busy = || refused(BUSY[0]);
        let all = || vec![(submit(), busy()), (get(), busy()), (find(), busy())];
        assert_eq!(faults(database, all()), 0);
        for left_out in 0..3 {
            let mut lines = all();
            lines.remove(left_out);
            assert_eq!(faults(database, lines), 1, "{left_out}");
        }
        let done = (find(), Answer::Acknowledged);
        assert_eq!(faults(database, [all(), vec![done.clone()]].concat()), 0);
        assert_eq!(faults(database, [all(), vec![done.clone(), done]].concat()), 1);
    }
}

//! A backup that is taken under load, and what an empty installation shows that was restored from it.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::ensure;
use fastrand::Rng;
use nix::sys::signal::Signal;
use serde_json::json;
use tokio::time::sleep;

use crate::checks;
use crate::ledger::answers::NONE;
use crate::ledger::{Act, Answer, Entry, Ledger, Seen, World, judge};
use crate::load::{Done, Load, Tally, records};
use crate::readback;
use crate::report::Row;
use crate::server::Server;

const BEFORE: Duration = Duration::from_secs(2);
const AFTERWARDS: Duration = Duration::from_millis(300);

pub async fn hold(binary: &Path, clients: usize, rng: &mut Rng) -> anyhow::Result<Row> {
    let mut server = Server::new(binary)?;
    server.start().await?;
    let folder = Server::folder()?;
    let backup = folder.path().join("backup").display().to_string();
    let load = Load::start(&server, clients, rng)?;
    sleep(BEFORE).await;
    let begun = Instant::now();
    run(&server, &["backup", "--with-key", &backup]).await?;
    let took = begun.elapsed();
    sleep(AFTERWARDS).await;
    let done = load.stop().await?;
    let mut tally = Tally::default();
    let (before, kept) = (answered(&done, begun), done.clone());
    done.judge(&server, NONE, &mut tally).await?;
    tally.faults.extend(checks::all(&server).await?);
    server.end(Signal::SIGTERM).await?;

    let mut restored = Server::new(binary)?;
    run(&restored, &["restore", &backup]).await?;
    // As it was restored, before a server does anything.
    tally.faults.extend(checks::all(&restored).await?);
    restored.start().await?;
    let traces = readback::traces(&restored.database().await?, kept.since).await?;
    let mut more = 0;
    for (ledger, before) in kept.ledgers.iter().zip(&before) {
        let seen = Seen { records: records(&restored, ledger).await?, traces: traces.clone() };
        match moment(ledger, *before, &seen) {
            Ok(length) => more += length - before,
            Err(faults) => tally.faults.extend(faults.into_iter().map(|fault| format!("restored: {fault}"))),
        }
    }
    tally.faults.extend(checks::all(&restored).await?);
    restored.end(Signal::SIGTERM).await?;
    let before: usize = before.iter().sum();
    Ok(Row {
        scenario: "backup under load".to_owned(),
        done: format!("once, {clients} clients at work"),
        result: format!(
            "taken in {:.1} s; restored with all {before} acts that were answered before it began, and {more} of those after",
            took.as_secs_f64()
        ),
        numbers: json!({ "answered_before": before, "and_after": more, "backup_s": took.as_secs_f64() }),
        faults: tally.faults,
    })
}

async fn run(server: &Server, arguments: &[&str]) -> anyhow::Result<()> {
    let output = server.command(arguments).output().await?;
    let said = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "carnet {}: {said}", arguments.join(" "));
    Ok(())
}

/// How many lines of each ledger had their answer before.
fn answered(done: &Done, moment: Instant) -> Vec<usize> {
    let is_before = |ledger: &Ledger| {
        ledger.0.iter().take_while(|entry| entry.ended.is_some_and(|ended| ended < moment)).count()
    };
    done.ledgers.iter().map(is_before).collect()
}

/// A backup is of one moment: it shows all that the client was told until then, and nothing of what came later. How many
/// lines that is; if there is no such moment, what is wrong with the first.
fn moment(ledger: &Ledger, before: usize, seen: &Seen) -> Result<usize, Vec<String>> {
    let mut first = None;
    for length in before..=ledger.0.len() {
        let mut until = ledger.clone();
        for entry in until.0.iter_mut().skip(length) {
            entry.answer = Answer::Refused("after the backup".to_owned());
        }
        let later = ledger.0.get(length..).unwrap_or_default();
        let faults = judge(&until, &before_removals(&until, later, seen)).faults;
        if faults.is_empty() {
            return Ok(length);
        }
        first.get_or_insert(faults);
    }
    Err(first.unwrap_or_default())
}

/// What would be seen if nobody had removed documents later. Their octets are gone when the backup comes to copy them, and no restore
/// brings them back.
fn before_removals(until: &Ledger, later: &[Entry], seen: &Seen) -> Seen {
    let mut seen = seen.clone();
    let World(expected) = until.world();
    for entry in later.iter().filter(|entry| !matches!(entry.answer, Answer::Refused(_))) {
        let Act::RemoveDocument { unique_id, .. } = &entry.act else { continue };
        for (patient, record) in &expected {
            if let (Some(digest), Some(shown)) = (record.octets.get(unique_id), seen.records.get_mut(patient))
            {
                shown.octets.entry(unique_id.clone()).or_insert(*digest);
            }
        }
    }
    seen
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger::{Sent, Traces};

    fn seen(ledger: &Ledger, length: usize) -> Seen {
        let until = Ledger(ledger.0.iter().take(length).cloned().collect());
        let World(records) = until.world();
        let mut traces = Traces::default();
        for key in until.0.iter().flat_map(|entry| entry.act.traces()) {
            *traces.done.entry(key).or_default() += 1;
        }
        Seen { records, traces }
    }

    #[test]
    fn a_backup_is_of_a_moment_that_is_not_before_it_began() {
        let open = |patient: &str| {
            let (patient, control_id) = (patient.to_owned(), format!("open {patient}"));
            let mut entry = Entry::new(Act::Open { patient, control_id });
            entry.answered(Answer::Acknowledged);
            entry
        };
        let merge =
            Act::Merge { subsumed: "p".to_owned(), surviving: "q".to_owned(), control_id: "m".to_owned() };
        let mut merged = Entry::new(merge);
        merged.answered(Answer::Acknowledged);
        let ledger = Ledger(vec![open("p"), open("q"), merged, open("r")]);
        for length in 2..=4 {
            assert_eq!(moment(&ledger, 2, &seen(&ledger, length)), Ok(length));
        }
        assert!(moment(&ledger, 2, &seen(&ledger, 1)).is_err());
        let mut half = seen(&ledger, 3);
        half.traces.done.clear();
        assert!(moment(&ledger, 2, &half).is_err());
    }
    #[test]
    fn octets_may_be_gone_whose_removal_came_later_and_no_others() {
        let id = |n| uuid::Uuid::from_u128(n);
        let entry = |act| {
            let mut entry = Entry::new(act);
            entry.answered(Answer::Acknowledged);
            entry
        };
        let (patient, unique_id) = ("p".to_owned(), "1.2".to_owned());
        let sent = Sent { id: id(1), unique_id: unique_id.clone(), title: "t".to_owned(), digest: [7; 32] };
        let filed = Act::Submit {
            patient: patient.clone(),
            set: "s".to_owned(),
            set_id: id(2),
            documents: vec![sent],
            links: vec![],
            replaced: None,
        };
        let opened = Act::Open { patient: patient.clone(), control_id: "o".to_owned() };
        let removed = Act::RemoveDocument { patient, unique_id };
        let ledger = Ledger(vec![entry(opened), entry(filed), entry(removed)]);
        let mut seen = seen(&ledger, 2);
        assert_eq!(moment(&ledger, 2, &seen), Ok(2));
        seen.records.get_mut("p").unwrap().octets.clear();
        assert_eq!(moment(&ledger, 2, &seen), Ok(2));
        assert!(moment(&Ledger(ledger.0[..2].to_vec()), 2, &seen).is_err());
    }
}

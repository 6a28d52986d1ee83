#![allow(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

use std::time::Duration;

use atna::Act as Traced;
use uuid::Uuid;

use super::*;
use crate::ledger::answers::{BUSY, NONE, due, late, longest, refusals};
use crate::ledger::{Act, Sent, key};

fn submit(n: u128, replaced: Option<Uuid>) -> Act {
    let sent = |n: u128| Sent {
        id: Uuid::from_u128(n),
        unique_id: format!("1.{n}"),
        title: format!("title {n}"),
        digest: [n as u8; 32],
    };
    Act::Submit {
        patient: "p".to_owned(),
        set: format!("2.{n}"),
        set_id: Uuid::from_u128(n + 500),
        documents: vec![sent(n), sent(n + 100)],
        links: vec![Uuid::from_u128(n + 1000)],
        replaced,
    }
}

fn open(patient: &str) -> Act {
    Act::Open { patient: patient.to_owned(), control_id: format!("open {patient}") }
}

fn ledger(acts: &[(Act, Answer)]) -> Ledger {
    let entry = |(act, answer)| {
        let mut entry = Entry::new(act);
        entry.answered(answer);
        entry
    };
    Ledger(acts.iter().cloned().map(entry).collect())
}

/// What a server shows that did all that was acknowledged, and those.
fn shown(ledger: &Ledger, and: &[usize]) -> Seen {
    let mut ledger = ledger.clone();
    for index in and {
        ledger.0[*index].answer = Answer::Acknowledged;
    }
    let mut seen = Seen { records: ledger.world().0, ..Seen::default() };
    for Entry { act, answer, .. } in &ledger.0 {
        let traces = match answer {
            Answer::Acknowledged => &mut seen.traces.done,
            Answer::Refused(_) => &mut seen.traces.failed,
            Answer::NotKnown | Answer::Open => continue,
        };
        for key in act.traces() {
            *traces.entry(key).or_default() += 1;
        }
    }
    seen
}

/// A ledger with every kind of act, all acknowledged but the refused one.
fn everything() -> Ledger {
    let first = Uuid::from_u128(1);
    let get = Act::Get { unique_id: "1.1".to_owned() };
    let update = Act::Update {
        patient: "p".to_owned(),
        set: "2.9".to_owned(),
        document: Uuid::from_u128(2),
        from: 1,
        title: "new".to_owned(),
    };
    let removal = Act::RemoveMetadata {
        patient: "p".to_owned(),
        set: "2.3".to_owned(),
        set_id: Uuid::from_u128(503),
        documents: vec![Uuid::from_u128(3), Uuid::from_u128(103)],
        links: vec![Uuid::from_u128(1003)],
    };
    let merge =
        Act::Merge { subsumed: "p".to_owned(), surviving: "q".to_owned(), control_id: "merge".to_owned() };
    let done = |act| (act, Answer::Acknowledged);
    ledger(&[
        done(open("p")),
        done(open("q")),
        done(submit(1, None)),
        done(get),
        done(submit(2, Some(first))),
        (submit(4, Some(first)), Answer::Refused("XDSRegistryDeprecatedDocumentError".to_owned())),
        done(update),
        done(submit(3, None)),
        done(removal),
        done(Act::RemoveDocument { patient: "p".to_owned(), unique_id: "1.101".to_owned() }),
        done(merge),
        done(Act::Find { patient: "q".to_owned() }),
        done(Act::Audit { digest: "5e".to_owned() }),
    ])
}

fn the_faults(ledger: &Ledger, seen: &Seen) -> Vec<String> {
    judge(ledger, seen).faults
}

#[test]
fn a_server_that_did_what_it_said_has_no_faults() {
    let ledger = everything();
    let seen = shown(&ledger, &[]);
    assert_eq!(judge(&ledger, &seen), Verdict::default());
    let record = &seen.records["q"];
    let status = |id, version| record.documents[&(Uuid::from_u128(id), version)].approved;
    assert_eq!((status(1, 1), status(2, 1), status(2, 2)), (false, false, true));
    assert_eq!(record.octets.keys().collect::<Vec<_>>(), ["1.1", "1.102", "1.2"]);
}

#[test]
fn each_acknowledged_act_that_is_lost_is_noticed() {
    let ledger = everything();
    for lost in 0..ledger.0.len() {
        let mut other = ledger.clone();
        if other.0[lost].answer != Answer::Acknowledged {
            continue;
        }
        other.0[lost].answer = Answer::Refused("lost".to_owned());
        assert!(!the_faults(&ledger, &shown(&other, &[])).is_empty(), "{:?} was lost", ledger.0[lost].act);
    }
}

#[test]
fn a_lost_document_is_named() {
    let ledger = everything();
    let mut seen = shown(&ledger, &[]);
    seen.records.get_mut("q").unwrap().documents.remove(&(Uuid::from_u128(1), 1));
    let faults = the_faults(&ledger, &seen);
    assert_eq!(faults.len(), 1, "{faults:?}");
    assert!(faults[0].starts_with("lost: document (00000000-0000-0000-0000-000000000001, 1)"), "{faults:?}");
}

#[test]
fn every_part_of_a_record_that_is_lost_changed_or_too_many_is_noticed() {
    let ledger = everything();
    let breaks: [fn(&mut Record); 10] = [
        |record| drop(record.sets.pop_first()),
        |record| {
            record.sets.insert("2.77".to_owned());
        },
        |record| {
            record.links.pop_first();
        },
        |record| {
            record.links.insert(Uuid::from_u128(77));
        },
        |record| drop(record.octets.pop_first()),
        |record| {
            record.octets.insert("1.77".to_owned(), [0; 32]);
        },
        |record| record.octets.values_mut().next().unwrap()[31] ^= 1,
        |record| record.documents.values_mut().next().unwrap().approved ^= true,
        |record| record.documents.values_mut().next().unwrap().title.push('x'),
        |record| record.documents.values_mut().next().unwrap().unique_id.push('1'),
    ];
    for (number, break_it) in breaks.iter().enumerate() {
        let mut seen = shown(&ledger, &[]);
        break_it(seen.records.get_mut("q").unwrap());
        assert_eq!(the_faults(&ledger, &seen).len(), 1, "break {number}");
    }
}

#[test]
fn what_was_refused_and_appears_is_noticed() {
    let ledger = everything();
    let refused = ledger.0.iter().position(|entry| matches!(entry.answer, Answer::Refused(_))).unwrap();
    let faults = the_faults(&ledger, &shown(&ledger, &[refused]));
    assert!(faults.iter().any(|fault| fault.starts_with("not to be there: document")), "{faults:?}");
    assert!(faults.iter().any(|fault| fault.contains("Iti41Repository 2.4")), "{faults:?}");
}

#[test]
fn a_lost_trace_of_a_change_or_a_read_is_noticed() {
    let ledger = everything();
    let whole = shown(&ledger, &[]);
    for lost in whole.traces.done.keys() {
        let mut seen = whole.clone();
        seen.traces.done.remove(lost);
        assert_eq!(the_faults(&ledger, &seen).len(), 1, "{lost}");
        // Written twice is no better.
        *seen.traces.done.entry(lost.clone()).or_default() = 2;
        assert_eq!(the_faults(&ledger, &seen).len(), 1, "{lost}");
    }
}

#[test]
fn a_trace_of_a_refusal_that_is_lost_or_too_many_is_noticed() {
    let ledger = everything();
    let whole = shown(&ledger, &[]);
    let refused = key(Traced::Iti41Repository, "2.4");
    for count in [0, 2] {
        let mut seen = whole.clone();
        seen.traces.failed.insert(refused.clone(), count);
        assert_eq!(the_faults(&ledger, &seen).len(), 1, "{count}");
    }
    // What was done did not fail.
    for done in whole.traces.done.keys().filter(|key| !key.contains("2.4")) {
        let mut seen = whole.clone();
        // The octets of a removed document may have stayed for a while, and one trace says so.
        let may_be = u32::from(*done == key(Traced::Iti86Repository, "1.101"));
        seen.traces.failed.insert(done.clone(), may_be);
        assert_eq!(the_faults(&ledger, &seen), Vec::<String>::new(), "{done}");
        seen.traces.failed.insert(done.clone(), may_be + 1);
        assert_eq!(the_faults(&ledger, &seen).len(), 1, "{done}");
    }
}

#[test]
fn what_clients_were_told_is_due_or_excused() {
    let refused = |reason: &str| Answer::Refused(reason.to_owned());
    let (find, unknown) = (Act::Find { patient: "p".to_owned() }, "XDSUnknownPatientId p");
    let start = [(open("p"), Answer::Acknowledged), (submit(1, None), Answer::Acknowledged)];
    let faults = |act: Act, reason: &str, excuses| {
        let mut acts = start.to_vec();
        acts.push((act, refused(reason)));
        refusals(&ledger(&acts), excuses).len()
    };
    assert_eq!(faults(find.clone(), "XDSRegistryBusy later", BUSY), 0);
    assert_eq!(faults(find.clone(), "XDSRegistryBusy later", NONE), 1);
    assert_eq!(faults(find.clone(), "XDSRegistryError Internal error of the registry", BUSY), 1);
    assert_eq!(faults(open("q"), "207 internal error of the registry; HTTP 503", BUSY), 1);
    assert_eq!(faults(find, unknown, BUSY), 1, "the record is open");
    let mut nobody = submit(2, None);
    let Act::Submit { patient, .. } = &mut nobody else { unreachable!() };
    *patient = "nobody".to_owned();
    assert_eq!(faults(nobody.clone(), unknown, NONE), 0);
    assert_eq!(faults(nobody.clone(), "XDSRegistryBusy later", NONE), 1, "it has another reason");
    assert_eq!(faults(nobody, "XDSRepositoryError Internal error", BUSY), 1);
    let replaced = [
        (submit(2, Some(Uuid::from_u128(1))), Answer::Acknowledged),
        (submit(3, Some(Uuid::from_u128(1))), refused("XDSRegistryDeprecatedDocumentError")),
    ];
    let acts = [&start[..], &replaced].concat();
    assert!(refusals(&ledger(&acts), NONE).is_empty());
    assert_eq!(due(&ledger(&acts)), [false, false, false, true]);
}

#[test]
fn a_read_may_be_refused_for_what_a_change_of_unknown_outcome_has_done() {
    let get = Act::Get { unique_id: "1.1".to_owned() };
    let removal = Act::RemoveDocument { patient: "p".to_owned(), unique_id: "1.1".to_owned() };
    for (outcome, expected) in [(Answer::NotKnown, true), (Answer::Refused("busy".to_owned()), false)] {
        let acts = [
            (open("p"), Answer::Acknowledged),
            (submit(1, None), Answer::Acknowledged),
            (removal.clone(), outcome),
            (get.clone(), Answer::Refused("XDSDocumentUniqueIdError".to_owned())),
        ];
        assert_eq!(due(&ledger(&acts))[3], expected);
    }
}

#[test]
fn an_answer_that_is_late_or_does_not_come_is_noticed() {
    let mut told = ledger(&[(open("p"), Answer::NotKnown), (open("q"), Answer::Acknowledged)]);
    let limit = Duration::from_secs(10);
    assert!(late(told.0.iter(), limit).is_empty());
    told.0[1].ended = Some(told.0[1].began + Duration::from_secs(11));
    assert_eq!(late(told.0.iter(), limit).len(), 1);
    assert_eq!(longest(told.0.iter()), Duration::from_secs(11));
    told.0[0].answer = Answer::Open;
    assert_eq!(late(told.0.iter(), limit).len(), 2);
    told.0.push(Entry::new(open("r")));
    assert_eq!(late(told.0.iter(), limit).len(), 3);
}

#[test]
fn a_change_without_an_answer_is_whole_or_absent() {
    let ledger = ledger(&[(open("p"), Answer::Acknowledged), (submit(1, None), Answer::Open)]);
    assert_eq!(judge(&ledger, &shown(&ledger, &[])), Verdict { faults: vec![], took_effect: Some(false) });
    assert_eq!(judge(&ledger, &shown(&ledger, &[1])), Verdict { faults: vec![], took_effect: Some(true) });
    let mut half = shown(&ledger, &[1]);
    half.records.get_mut("p").unwrap().documents.pop_first();
    let verdict = judge(&ledger, &half);
    assert_eq!(verdict.took_effect, None);
    assert!(verdict.faults.iter().any(|fault| fault.starts_with("neither whole nor absent")), "{verdict:?}");
    let mut untraced = shown(&ledger, &[1]);
    untraced.traces.done.retain(|key, _| !key.starts_with("Iti42Registry"));
    assert!(!judge(&ledger, &untraced).faults.is_empty());
}

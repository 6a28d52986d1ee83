use chrono::FixedOffset;

use super::*;
use crate::{Arrival, Object, Outcome, RegistryObjectKind, Source};

const PATIENT: &str = "123^^^&1.2.250.1.213.1.4.10&ISO";

fn doctor() -> Requester {
    Requester {
        who: Some("801234567897".to_owned()),
        name: Some("Dr Anne Martin".to_owned()),
        profession: Some("médecin".to_owned()),
        organisation: Some("CHU de Rennes".to_owned()),
        ..Requester::remote("192.0.2.7".parse().ok(), "https://dmp.example.org/services/repository")
    }
}

fn event(act: Act, requester: &Requester) -> Event {
    let mut event =
        Event::new(act, Outcome::Success, requester, &Source::here("carnet", None)).patient(Some(PATIENT));
    event.at = "2026-11-25T01:02:03Z".parse().unwrap();
    event
}

fn document(number: u32, title: Option<&str>) -> Object {
    Object::Document {
        unique_id: format!("1.2.{number}"),
        repository_unique_id: "1.2".to_owned(),
        home_community_id: None,
        title: title.map(str::to_owned),
    }
}

fn set(titles: &[&str]) -> Object {
    let titles = titles.iter().map(|title| (*title).to_owned()).collect();
    Object::SubmissionSet { unique_id: "1.2.3".to_owned(), titles }
}

/// In French, with no-break spaces as plain ones, and in English.
fn both(event: Event) -> [String; 2] {
    let entry = Entry::Own(event);
    [Language::Fr, Language::En].map(|language| sentence(&entry, language, &Utc).replace('\u{a0}', " "))
}

#[test]
fn somebody_read_a_document() {
    assert_eq!(
        both(event(Act::Iti43Repository, &doctor()).object(document(4, Some("Compte rendu")))),
        [
            "Dr Anne Martin, médecin, CHU de Rennes, a lu « Compte rendu » le 25/11/2026 à 01:02 (UTC)",
            "Dr Anne Martin, médecin, CHU de Rennes, read \"Compte rendu\" on 25/11/2026 at 01:02 (UTC)",
        ]
    );
}

#[test]
fn what_has_no_title_is_told_by_its_id() {
    assert_eq!(
        both(event(Act::Iti43Repository, &doctor()).object(document(4, None))),
        [
            "Dr Anne Martin, médecin, CHU de Rennes, a lu le document 1.2.4 le 25/11/2026 à 01:02 (UTC)",
            "Dr Anne Martin, médecin, CHU de Rennes, read document 1.2.4 on 25/11/2026 at 01:02 (UTC)",
        ]
    );
}

fn did_in_both(event: Event) -> [String; 2] {
    both(event).map(|text| text.split("Rennes, ").nth(1).unwrap().split(" (UTC)").next().unwrap().to_owned())
}

#[test]
fn of_several_documents_some_are_named() {
    let five = [Some("A"), None, Some("B"), Some("C"), Some("D")];
    let many = (1..).zip(five).fold(event(Act::Iti43Repository, &doctor()), |event, (number, title)| {
        event.object(document(number, title))
    });
    assert_eq!(
        did_in_both(many),
        [
            "a lu 5 documents (« A », « B », « C »…) le 25/11/2026 à 01:02",
            "read 5 documents (\"A\", \"B\", \"C\"…) on 25/11/2026 at 01:02",
        ]
    );
    let two = event(Act::Iti86Repository, &doctor()).object(document(1, None)).object(document(2, None));
    assert_eq!(
        did_in_both(two),
        ["a supprimé 2 documents le 25/11/2026 à 01:02", "deleted 2 documents on 25/11/2026 at 01:02"]
    );
}

#[test]
fn a_submission_is_told_by_its_documents() {
    assert_eq!(
        did_in_both(event(Act::Iti41Repository, &doctor()).object(set(&["Lettre", "Bilan"]))),
        [
            "a déposé 2 documents (« Lettre », « Bilan ») le 25/11/2026 à 01:02",
            "filed 2 documents (\"Lettre\", \"Bilan\") on 25/11/2026 at 01:02",
        ]
    );
    assert_eq!(
        did_in_both(event(Act::Iti57Registry, &doctor()).object(set(&[]))),
        [
            "a modifié la description de l'envoi 1.2.3 le 25/11/2026 à 01:02",
            "updated the description of submission 1.2.3 on 25/11/2026 at 01:02",
        ]
    );
}

#[test]
fn objects_that_are_removed_are_counted() {
    let object = || Object::RegistryObject {
        entry_uuid: "urn:uuid:1".to_owned(),
        kind: RegistryObjectKind::DocumentEntry,
    };
    assert_eq!(
        did_in_both(event(Act::Iti62Registry, &doctor()).object(object()).object(object())),
        [
            "a retiré 2 objets du dossier le 25/11/2026 à 01:02",
            "removed 2 objects from the record on 25/11/2026 at 01:02",
        ]
    );
}

#[test]
fn who_failed_could_not_and_is_told_why() {
    let failed = |outcome| Event {
        outcome,
        ..event(Act::Iti43Repository, &doctor()).object(document(4, Some("Bilan")))
    };
    assert_eq!(
        did_in_both(failed(Outcome::MinorFailure)),
        [
            "n'a pas pu lire « Bilan » (refusé) le 25/11/2026 à 01:02",
            "could not read \"Bilan\" (refused) on 25/11/2026 at 01:02",
        ]
    );
    assert_eq!(
        did_in_both(failed(Outcome::SeriousFailure)),
        [
            "n'a pas pu lire « Bilan » (erreur du serveur) le 25/11/2026 à 01:02",
            "could not read \"Bilan\" (error of the server) on 25/11/2026 at 01:02",
        ]
    );
    assert_eq!(
        did_in_both(failed(Outcome::MinorFailure).described("XDSRepositoryError")),
        [
            "n'a pas pu lire « Bilan » (XDSRepositoryError) le 25/11/2026 à 01:02",
            "could not read \"Bilan\" (XDSRepositoryError) on 25/11/2026 at 01:02",
        ]
    );
}

#[test]
fn who_is_not_known_by_name_is_known_by_certificate_or_address() {
    let who = |requester: &Requester| {
        both(event(Act::Iti18Registry, requester)).map(|text| {
            text.split(" a cherché").next().unwrap().split(" searched").next().unwrap().to_owned()
        })
    };
    let remote = Requester::remote("192.0.2.7".parse().ok(), "https://h/x");
    assert_eq!(who(&remote), ["192.0.2.7"; 2]);
    let subject = "CN=gateway, O=hospital".to_owned();
    assert_eq!(
        who(&Requester { certificate_subject: Some(subject), ..remote.clone() }),
        ["CN=gateway, O=hospital"; 2]
    );
    assert_eq!(who(&Requester::remote(None, "https://h/x")), ["Un inconnu", "Somebody unknown"]);
    assert_eq!(
        who(&Requester { authentication: Authentication::Unverified, ..remote }),
        ["192.0.2.7 (identité non vérifiée)", "192.0.2.7 (identity not verified)"]
    );
    assert_eq!(
        who(&Requester::local("operator", "carnet find")),
        ["operator, à la console du serveur,", "operator, at the server's console,"]
    );
}

#[test]
fn the_time_is_that_of_the_zone() {
    let paris = FixedOffset::east_opt(3600).unwrap();
    let entry = Entry::Own(event(Act::PatientOpened, &doctor()));
    assert!(sentence(&entry, Language::Fr, &paris).ends_with(" le 25/11/2026 à 02:02 (UTC+01:00)"));
    let west = FixedOffset::west_opt(9000).unwrap();
    assert!(sentence(&entry, Language::En, &west).ends_with(" on 24/11/2026 at 22:32 (UTC-02:30)"));
}

#[test]
fn no_sentence_names_the_patient_or_breaks_the_line() {
    for act in Act::ALL {
        for outcome in [Outcome::Success, Outcome::MinorFailure] {
            let mut requester = doctor();
            requester.name = Some("Dr\n\u{1b}[31m\u{202e}Martin".to_owned());
            let event = Event { outcome, ..event(*act, &requester).object(document(1, Some("A\tB"))) };
            for text in both(event) {
                assert!(!text.contains("123^^^") && !text.contains("{}"), "{text}");
                assert!(text.starts_with("Dr  [31mMartin, ") && !text.contains(char::is_control), "{text}");
            }
        }
    }
}

#[test]
fn a_summary_is_what_was_done_without_who_and_when() {
    let read = event(Act::Iti43Repository, &doctor()).object(document(4, Some("Bilan")));
    assert_eq!(read.summary(), "read \"Bilan\"");
}

fn received(event: &Event) -> Entry {
    let arrival = Arrival { at: Utc::now(), peer: "192.0.2.9".to_owned() };
    Entry::Received(Received::dicom(crate::dicom::render(event), None, arrival, 1 << 20).unwrap())
}

#[test]
fn what_another_node_tells_is_told_as_its_own() {
    let read = event(Act::Iti43Repository, &doctor()).object(document(4, Some("Bilan")));
    assert_eq!(
        sentence(&received(&read), Language::En, &Utc),
        "Dr Anne Martin read \"Bilan\" (as told by carnet) on 25/11/2026 at 01:02 (UTC)"
    );
    let machine = event(Act::PatientOpened, &Requester::remote("192.0.2.7".parse().ok(), "https://h/x"));
    assert_eq!(
        sentence(&received(&machine), Language::Fr, &Utc),
        "192.0.2.7 a ouvert le dossier (d'après carnet) le 25/11/2026 à 01:02 (UTC)"
    );
}

#[test]
fn what_nobody_here_does_is_told_by_its_action() {
    let read =
        crate::dicom::render(&event(Act::Iti43Repository, &doctor()).object(document(4, Some("Bilan"))));
    let foreign = read.replace("ITI-43", "ITI-99").replace("110106", "110103");
    let arrival = Arrival { at: Utc::now(), peer: "192.0.2.9".to_owned() };
    let entry = Entry::Received(Received::dicom(foreign, None, arrival, 1 << 20).unwrap());
    assert_eq!(
        sentence(&entry, Language::Fr, &Utc).replace('\u{a0}', " "),
        "Dr Anne Martin a consulté « Bilan » (d'après carnet) le 25/11/2026 à 01:02 (UTC)"
    );
}

/// An entry some minutes later.
fn later(minutes: i64, mut event: Event) -> Entry {
    event.at += chrono::TimeDelta::minutes(minutes);
    Entry::Own(event)
}

fn read(number: u32) -> Event {
    event(Act::Iti43Repository, &doctor()).object(document(number, Some(&format!("D{number}"))))
}

fn lines(entries: &[Entry]) -> Vec<(String, usize)> {
    let lines = group(entries, Language::En, &Utc);
    lines
        .iter()
        .map(|line| (line.text.replace("Dr Anne Martin, médecin, CHU de Rennes, ", ""), line.parts.len()))
        .collect()
}

#[test]
fn a_consultation_of_ten_documents_is_one_line_that_unfolds() {
    let mut entries = vec![later(0, event(Act::Iti18Registry, &doctor()))];
    entries.extend((1..=10).map(|number| later(i64::from(number), read(number))));
    assert_eq!(
        lines(&entries),
        [("read 10 documents (\"D1\", \"D2\", \"D3\"…) on 25/11/2026 at 01:02 (UTC)".to_owned(), 11)]
    );
    let unfolded = &group(&entries, Language::En, &Utc)[0];
    assert_eq!(unfolded.events.len(), 11);
    assert!(
        unfolded.parts[0].text.contains("searched the record") && unfolded.parts[10].text.contains("\"D10\"")
    );
    assert_eq!(unfolded.parts[10].events, [entries[10].id()]);
}

#[test]
fn a_long_pause_another_patient_another_person_and_a_failure_begin_a_new_line() {
    let other_patient = read(2).patient(Some("9^^^&1.2&ISO"));
    let other_person = Event { requester: Requester { name: None, ..doctor() }, ..read(2) };
    let failed = Event { outcome: Outcome::MinorFailure, ..read(2) };
    let filed = event(Act::Iti41Repository, &doctor()).object(set(&["D2"]));
    for (minutes, second) in [(11, read(2)), (1, other_patient), (1, other_person), (1, failed), (1, filed)] {
        let lines = lines(&[later(0, read(1)), later(minutes, second)]);
        assert_eq!(lines.iter().map(|(_, parts)| *parts).collect::<Vec<_>>(), [0, 0], "{lines:?}");
    }
    let same = [later(0, read(1)), later(1, read(1))];
    assert_eq!(lines(&same), [("read \"D1\" on 25/11/2026 at 01:02 (UTC)".to_owned(), 2)]);
}

#[test]
fn searches_alone_are_one_line_too() {
    let searches =
        [later(0, event(Act::Iti18Registry, &doctor())), later(1, event(Act::Iti18Registry, &doctor()))];
    assert_eq!(lines(&searches), [("searched the record on 25/11/2026 at 01:02 (UTC)".to_owned(), 2)]);
}

#[test]
fn the_lines_of_a_secret_session_are_marked() {
    let secret = Event { requester: Requester { secret_session: true, ..doctor() }, ..read(1) };
    let hidden: Vec<bool> = group(&[later(0, secret), later(1, read(2))], Language::Fr, &Utc)
        .iter()
        .map(|line| line.hidden_from_legal_representatives)
        .collect();
    assert_eq!(hidden, [true, false]);
}

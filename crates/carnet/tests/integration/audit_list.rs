//! `carnet audit`: traces as people read them.

use atna::fhir::{self, Encoding};
use atna::{Arrival, Entry, Event, Outcome};
use chrono::Utc;
use serde_json::{Value, json};

use crate::audit_http::{read, write, write_entries};
use crate::harness::Server;

const PATIENT: &str = "1001^^^&1.2.250.1.999.3&ISO";

fn said(server: &Server, more: &[&str]) -> String {
    let arguments = ["audit", "--patient", PATIENT].iter().chain(more).copied().collect::<Vec<_>>();
    let output = server.command(&arguments);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// The lines, without those about the reading of the traces themselves.
fn lines(server: &Server, more: &[&str]) -> Vec<String> {
    let said = said(server, more);
    said.lines().filter(|line| !line.contains("the traces")).map(str::to_owned).collect()
}

/// Three documents in one go, one in a secret session, and a refusal of somebody else.
async fn world() -> (Server, Vec<Event>) {
    let server = Server::start().await;
    let mut events: Vec<Event> =
        (0..3).map(|minute| read(&format!("2026-01-05T10:0{minute}:00Z"), PATIENT)).collect();
    let mut secret = read("2026-02-05T10:00:00Z", PATIENT);
    secret.requester.secret_session = true;
    let mut refused = read("2026-03-05T10:00:00Z", PATIENT);
    refused.requester.name = Some("=Paul".to_owned());
    refused.requester.organisation = Some("Clinique".to_owned());
    refused.outcome = Outcome::MinorFailure;
    events.extend([secret, refused]);
    write(&server, &events).await;
    (server, events)
}

#[actix_web::test]
async fn a_consultation_is_one_line_that_unfolds() {
    let (server, _) = world().await;
    assert_eq!(
        lines(&server, &[]),
        [
            "Anne Martin read \"Compte rendu\" on 05/01/2026 at 10:00 (UTC) [3 events]",
            "Anne Martin read \"Compte rendu\" on 05/02/2026 at 10:00 (UTC) [hidden from legal representatives]",
            "=Paul, Clinique, could not read \"Compte rendu\" (refused) on 05/03/2026 at 10:00 (UTC)",
        ]
    );
    let details = lines(&server, &["--details"]);
    assert_eq!(details.len(), 6);
    assert_eq!(details[3], "    Anne Martin read \"Compte rendu\" on 05/01/2026 at 10:02 (UTC)");
    let flat = lines(&server, &["--flat"]);
    assert_eq!(flat.len(), 5);
    assert_eq!(flat[0], "Anne Martin read \"Compte rendu\" on 05/01/2026 at 10:00 (UTC)");
    let french = said(&server, &["--lang", "fr"]);
    for text in [
        "Anne Martin a lu «\u{a0}Compte rendu\u{a0}» le 05/01/2026 à 10:00 (UTC) [3 traces]",
        "[caché aux représentants légaux]",
    ] {
        assert!(french.contains(text), "{french}");
    }
    server.stop().await;
}

#[actix_web::test]
async fn every_option_decides_what_is_shown() {
    let (server, events) = world().await;
    let found = |more: &[&str]| {
        let arguments: Vec<&str> = more.iter().chain(&["--json"]).copied().collect();
        let said = said(&server, &arguments);
        let ids = said.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()["id"].clone());
        let number = |id: Value| events.iter().position(|event| id == event.id.to_string());
        ids.filter_map(number).collect::<Vec<_>>()
    };
    for (options, expected) in [
        (&[][..], &[0, 1, 2, 3, 4][..]),
        (&["--since", "2026-01-05T10:01:00Z"], &[1, 2, 3, 4]),
        (&["--until", "2026-02-05"], &[0, 1, 2]),
        (&["--who", "anne martin"], &[0, 1, 2, 3]),
        (&["--who", "clinique"], &[4]),
        (&["--who", "192.0.2.7", "--what", "could not"], &[4]),
        (&["--what", "ITI-43"], &[0, 1, 2, 3, 4]),
        (&["--what", "iti-42"], &[]),
        (&["--what", "n'a pas pu", "--lang", "fr"], &[4]),
        (&["--for", "legal-representative"], &[0, 1, 2, 4]),
        (&["--for", "legal-representative", "--who", "Anne M", "--limit", "2"], &[1, 2]),
        (&["--what", "compte", "--limit", "3"], &[2, 3, 4]),
    ] {
        assert_eq!(found(options), expected, "{options:?}");
    }
    assert_eq!(said(&server, &["--until", "2020-01-01"]), "No events.\n");
    assert_eq!(said(&server, &["--until", "2020-01-01", "--lang", "fr"]), "Aucune trace.\n");
    assert!(!server.command(&["audit", "--limit", "0"]).status.success());
    let read = "select count(*) from audit_trail where act = 'audit-read' and patient_id = '1001'";
    assert_eq!(server.count(read).await, 14);
    server.stop().await;
}

#[actix_web::test]
async fn programs_and_spreadsheets_get_every_event() {
    let (server, events) = world().await;
    let json = said(&server, &["--json", "--until", "2026-02-06"]);
    let last: Value = serde_json::from_str(json.lines().last().unwrap()).unwrap();
    assert_eq!(last["id"], events[3].id.to_string());
    assert_eq!(last["sentence"], "Anne Martin read \"Compte rendu\" on 05/02/2026 at 10:00 (UTC)");
    assert_eq!(last["hidden_from_legal_representatives"], true);
    assert!(last["message"].as_str().unwrap().starts_with("<AuditMessage>"));

    let csv = said(&server, &["--csv", "--until", "2026-04-01"]);
    let rows: Vec<&str> = csv.lines().collect();
    assert_eq!(rows.len(), 6);
    assert_eq!(rows[0], "time,outcome,who,transaction,sentence,hidden_from_legal_representatives,id");
    assert_eq!(
        rows[5],
        format!(
            "2026-03-05T10:00:00.000Z,refused,'=Paul,ITI-43,\"'=Paul, Clinique, could not read \"\"Compte rendu\"\" \
             (refused) on 05/03/2026 at 10:00 (UTC)\",no,{}",
            events[4].id
        )
    );
    assert!(rows[4].contains(",yes,"));
    server.stop().await;
}

#[actix_web::test]
async fn what_another_node_told_is_found_by_who_and_what() {
    let server = Server::start().await;
    let text = json!({
        "resourceType": "AuditEvent", "type": {"code": "rest"}, "subtype": [{"code": "vread"}], "action": "R",
        "recorded": "2026-01-05T11:00:00Z", "agent": [{"name": "Zoé", "requestor": true}],
        "source": {"observer": {"display": "PACS"}},
        "entity": [{"what": {"type": "Patient", "identifier": {"system": "urn:oid:1.2.250.1.999.3", "value": "1001"}}}]
    })
    .to_string();
    let arrival = Arrival { at: Utc::now(), peer: "192.0.2.9".to_owned() };
    let resource = fhir::read(&text, Encoding::Json, 1 << 20).unwrap();
    let received = fhir::received(&resource, text, Encoding::Json, arrival).unwrap();
    write_entries(&server, &[Entry::Received(received)]).await;
    let sentence = "Zoé read the record (as told by PACS) on 05/01/2026 at 11:00 (UTC)";
    for options in
        [&["--who", "zoé"][..], &["--who", "192.0.2.9"], &["--what", "vread"], &["--what", "as told by pacs"]]
    {
        assert_eq!(lines(&server, options), [sentence], "{options:?}");
    }
    assert!(said(&server, &["--csv"]).contains(",told,192.0.2.9,"));
    assert_eq!(lines(&server, &["--who", "anne"]), ["No events."]);
    server.stop().await;
}

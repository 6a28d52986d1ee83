//! ITI-82.

use atna::{Arrival, Entry, Event, Received};
use serde_json::json;

use super::{JSON, Reader, XML, read, traces, write, write_entries};
use crate::harness::Server;

const P1: &str = "1001^^^&1.2.250.1.999.3&ISO";

/// What another node sent over syslog.
fn told(event: &Event) -> Entry {
    let arrival = Arrival { at: event.at, peer: "192.0.2.9".to_owned() };
    let header = "<84>1 2026-02-01T10:00:00Z pacs.example PACS 7 other [a b=\"c\"]".to_owned();
    let text = atna::dicom::render(event).replace("Compte rendu", "Scanner");
    Entry::Received(Received::dicom(text, Some(header), arrival, 1 << 20).unwrap())
}

async fn found(reader: &Reader, query: &str) -> Vec<String> {
    let answer = reader.get(&format!("/fhir/syslogsearch?{query}")).await;
    assert_eq!((answer.status, answer.header("content-type")), (200, Some("application/json")), "{query}");
    answer.json().as_array().unwrap().iter().map(|text| text.as_str().unwrap().to_owned()).collect()
}

#[actix_web::test]
async fn the_answer_depends_on_every_parameter_and_holds_no_event_of_the_fhir_feed() {
    let server = Server::start().await;
    let reader = Reader::of(&server);
    let own = read("2026-01-05T10:00:00Z", P1);
    let other = told(&read("2026-02-01T10:00:00Z", P1));
    write(&server, std::slice::from_ref(&own)).await;
    write_entries(&server, std::slice::from_ref(&other)).await;
    let fed = json!({
        "resourceType": "AuditEvent", "type": {"code": "rest"}, "recorded": "2026-01-05T11:00:00Z",
        "agent": [{"requestor": true}], "source": {"observer": {"display": "x"}}
    });
    assert_eq!(reader.post("/fhir/AuditEvent", JSON, fed.to_string()).await.status, 201);
    let span = "date=ge2026-01-01&date=lt2026-03-01";
    let hostname = nix::unistd::gethostname().unwrap().to_string_lossy().into_owned();
    let own_host = format!("{span}&hostname={hostname}");
    for (query, expected) in [
        (span, "ot"),
        ("date=2026-01-05", "o"),
        ("date=2026-02", "t"),
        (&format!("{span}&pri=85"), "o"),
        (&format!("{span}&pri=84"), "t"),
        (&format!("{span}&version=1"), "ot"),
        (&format!("{span}&version=2"), ""),
        (&own_host, "o"),
        (&format!("{span}&hostname=pacs.example"), "t"),
        (&format!("{span}&app-name=PACS"), "t"),
        (&format!("{span}&procid=41"), "o"),
        (&format!("{span}&procid=7,41"), "ot"),
        (&format!("{span}&msg-id=IHE%2BRFC-3881"), "o"),
        (&format!("{span}&msg=Scanner"), "t"),
        (&format!("{span}&msg=Compte+rendu"), "o"),
        (&format!("{span}&unknown=1"), "ot"),
    ] {
        let found = found(&reader, query).await;
        let letter = |text: &String| if text.contains("<84>1") { 't' } else { 'o' };
        let mut letters: Vec<char> = found.iter().map(letter).collect();
        letters.sort();
        assert_eq!(letters.into_iter().collect::<String>(), expected, "{query}");
    }
    let texts = found(&reader, span).await;
    // The latest first; what came goes as it came, and ours as it would be sent.
    assert!(
        texts[0].starts_with("<84>1 2026-02-01T10:00:00Z pacs.example PACS 7 other [a b=\"c\"] <"),
        "{}",
        texts[0]
    );
    assert!(texts[1].ends_with(&format!("<!-- {} -->", own.id)), "{}", texts[1]);
    assert!(traces(&server, "iti82-audit-repository", "outcome = 'success'").await >= 17);
    server.stop().await;
}

#[actix_web::test]
async fn what_does_not_fit_one_answer_is_behind_a_link() {
    let server = Server::start().await;
    let reader = Reader::of(&server);
    let events: Vec<Event> = (0..5).map(|second| read(&format!("2026-01-05T10:00:0{second}Z"), P1)).collect();
    write(&server, &events).await;
    let mut next = Some(format!("{}/syslogsearch?date=2026-01-05&_count=2", server.url));
    let mut pages = Vec::new();
    while let Some(url) = next {
        let answer = reader.get(&url).await;
        pages.push(answer.json().as_array().unwrap().len());
        let link = answer.header("link").map(|link| link.strip_suffix(">; rel=\"next\"").unwrap());
        next = link.map(|link| link.strip_prefix('<').unwrap().to_owned());
    }
    assert_eq!(pages, [2, 2, 1]);
    server.stop().await;
}

#[actix_web::test]
async fn what_cannot_be_understood_is_told() {
    let server = Server::start().await;
    let reader = Reader::of(&server);
    for (path, status) in [
        ("/fhir/syslogsearch", 400),
        ("/syslogsearch?pri=85", 400),
        ("/syslogsearch?date=x", 400),
        ("/syslogsearch?date=2026&_cursor=x", 400),
    ] {
        assert_eq!(reader.get(path).await.refusal().0, status, "{path}");
    }
    assert_eq!(reader.get_as("/syslogsearch?date=2026", XML).await.refusal().0, 406);
    assert_eq!(traces(&server, "iti82-audit-repository", "outcome = 'minor-failure'").await, 5);
    server.stop().await;
}

//! The audit over HTTP: ITI-81, ITI-82 and the FHIR feed of ITI-20.

mod feed;
mod search;
mod syslog;
mod token;
mod volume;

use std::path::Path;

use access::Requester;
use atna::{Act, Entry, Event, Object, Outcome, Source};
use awc::ClientRequest;
use serde_json::Value;

use crate::harness::Server;

pub const JSON: &str = "application/fhir+json";
pub const XML: &str = "application/fhir+xml";

pub struct Answer {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Answer {
    async fn to(request: ClientRequest, body: Vec<u8>) -> Answer {
        let mut answer = request.send_body(body).await.unwrap();
        let text = |value: &awc::http::header::HeaderValue| value.to_str().unwrap().to_owned();
        let headers = answer.headers().iter().map(|(name, value)| (name.to_string(), text(value))).collect();
        let body = answer.body().limit(64 << 20).await.unwrap().to_vec();
        Answer { status: answer.status().as_u16(), headers, body }
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    /// The sentences of an OperationOutcome, after its status.
    #[track_caller]
    pub fn refusal(&self) -> (u16, String) {
        let outcome = self.json();
        assert_eq!(outcome["resourceType"], "OperationOutcome");
        let issues = outcome["issue"].as_array().unwrap();
        let sentences: Vec<&str> =
            issues.iter().map(|issue| issue["diagnostics"].as_str().unwrap()).collect();
        (self.status, sentences.join("; "))
    }
}

/// The token that the server made at its first start.
pub fn token(folder: &Path) -> String {
    let text = std::fs::read_to_string(folder.join("audit/token")).unwrap();
    text.lines().last().unwrap().split(' ').next().unwrap().to_owned()
}

/// A user of the audit.
pub struct Reader {
    pub base: String,
    pub token: String,
}

impl Reader {
    pub fn of(server: &Server) -> Reader {
        Reader { base: server.url.clone(), token: token(server.folder.path()) }
    }

    fn request(&self, method: awc::http::Method, path: &str) -> ClientRequest {
        let url = if path.starts_with("http") { path.to_owned() } else { format!("{}{path}", self.base) };
        let request = awc::Client::default().request(method, url).bearer_auth(&self.token);
        request.timeout(std::time::Duration::from_secs(60))
    }

    pub async fn get(&self, path: &str) -> Answer {
        Answer::to(self.request(awc::http::Method::GET, path), Vec::new()).await
    }

    pub async fn get_as(&self, path: &str, accept: &str) -> Answer {
        let request = self.request(awc::http::Method::GET, path).insert_header(("Accept", accept));
        Answer::to(request, Vec::new()).await
    }

    pub async fn post(&self, path: &str, content_type: &str, body: impl Into<Vec<u8>>) -> Answer {
        let request =
            self.request(awc::http::Method::POST, path).insert_header(("Content-Type", content_type));
        Answer::to(request, body.into()).await
    }

    /// The AuditEvents of a search, and the URL of the next page.
    pub async fn page(&self, path: &str) -> (Vec<Value>, Option<String>) {
        let answer = self.get(path).await;
        let bundle = answer.json();
        assert_eq!((answer.status, bundle["type"].as_str()), (200, Some("searchset")), "{bundle}");
        let entries = bundle["entry"].as_array().cloned().unwrap_or_default();
        let next = bundle["link"].as_array().unwrap().iter().find(|link| link["relation"] == "next");
        let events = entries.into_iter().map(|entry| entry["resource"].clone()).collect();
        (events, next.map(|link| link["url"].as_str().unwrap().to_owned()))
    }

    /// Everything that a search finds.
    pub async fn search(&self, path: &str) -> Vec<Value> {
        let (mut all, mut next) = self.page(path).await;
        while let Some(url) = next {
            let (more, after) = self.page(&url).await;
            all.extend(more);
            next = after;
        }
        all
    }
}

/// Somebody who read a document of this patient.
pub fn read(at: &str, patient: &str) -> Event {
    let mut requester = Requester::remote("192.0.2.7".parse().ok(), "http://h/services/repository");
    requester.who = Some("anne".to_owned());
    requester.name = Some("Anne Martin".to_owned());
    let source = Source { id: "carnet-a".to_owned(), enterprise_site: Some("north".to_owned()), process: 41 };
    let mut event = Event::new(Act::Iti43Repository, Outcome::Success, &requester, &source)
        .patient(Some(patient))
        .object(Object::Document {
            unique_id: "1.2.4".to_owned(),
            repository_unique_id: "1.2.5".to_owned(),
            home_community_id: None,
            title: Some("Compte rendu".to_owned()),
        });
    event.at = at.parse().unwrap();
    event
}

/// Writes events as they are.
pub async fn write(server: &Server, events: &[Event]) {
    let client = server.database.get().await.unwrap();
    atna::record(&client, events).await.unwrap();
}

pub async fn write_entries(server: &Server, entries: &[Entry]) {
    let client = server.database.get().await.unwrap();
    atna::log::record_entries(&client, entries).await.unwrap();
}

pub fn ids(events: &[Value]) -> Vec<String> {
    events.iter().map(|event| event["id"].as_str().unwrap().to_owned()).collect()
}

/// How many events of an act have this name of a token, of those that say this.
pub async fn traces(server: &Server, act: &str, condition: &str) -> i64 {
    server.count(&format!("select count(*) from audit_trail where act = '{act}' and {condition}")).await
}

//! One client: a source, a consumer and a patient identity source in one, which does one thing after another and writes
//! each into its ledger.

use std::cell::{Cell, RefCell};
use std::path::PathBuf;
use std::rc::Rc;
use std::time::Duration;

use client::mllp::Connection;
use client::{Client, Encoding, Endpoints, Timeouts};
use fastrand::Rng;
use openssl::sha::sha256;
use uuid::Uuid;
use xds::message::RemoveObjects;
use xds::query::{Request, ReturnType, Status};
use xds::value::Cx;

use crate::answer::{of_acknowledgement, of_page, of_response};
use crate::ledger::{Act, Answer, Entry, Ledger, World};
use crate::message;
use crate::server::Addresses;

/// After an answer that is no success.
const REST: Duration = Duration::from_millis(20);
/// A server that was killed answers no more.
pub const TIMEOUTS: Timeouts = Timeouts {
    connect: Duration::from_secs(5),
    answer: Duration::from_secs(60),
    idle: Duration::from_secs(15),
};

pub struct Source {
    rng: Rng,
    client: Client,
    addresses: Addresses,
    feed: Option<Connection>,
    folder: PathBuf,
    ledger: Rc<RefCell<Ledger>>,
    /// What was read and was not what it should be.
    pub faults: Rc<RefCell<Vec<String>>>,
}

impl Source {
    pub fn new(seed: u64, addresses: &Addresses, folder: PathBuf, ledger: Rc<RefCell<Ledger>>) -> Source {
        Source {
            rng: Rng::with_seed(seed),
            client: Client::with_timeouts(Endpoints::of_server(&addresses.url), TIMEOUTS),
            addresses: addresses.clone(),
            feed: None,
            folder,
            ledger,
            faults: Rc::default(),
        }
    }

    /// Opens a record; the first line of a ledger.
    pub async fn open_record(addresses: &Addresses, rng: &mut Rng, patient: &Cx) -> anyhow::Result<Ledger> {
        let (act, text) = message::open(rng, patient);
        let mut entry = Entry::new(act);
        let ack = Connection::open(&addresses.feed, &TIMEOUTS).await?.acknowledged(text.as_bytes()).await?;
        anyhow::ensure!(ack.code == "AA", "a record cannot be opened: {ack:?}");
        entry.answered(Answer::Acknowledged);
        Ok(Ledger(vec![entry]))
    }

    /// Files documents of these sizes; a line of a ledger.
    pub async fn file(client: &Client, rng: &mut Rng, patient: &Cx, sizes: &[usize]) -> Entry {
        let (act, objects, documents) = message::submission(rng, patient, sizes, None);
        let mut entry = Entry::new(act);
        let response = client.provide_and_register(objects, documents, Encoding::Mtom).await;
        entry.answered(of_response(response.as_ref()));
        entry
    }

    /// Until it is told to stop, or a connection ends without an answer.
    pub async fn run(mut self, stop: Rc<Cell<bool>>) {
        while !stop.get() {
            let world = self.ledger.borrow().world();
            let may_change = self.ledger.borrow().open_change().is_none();
            let answer = match self.rng.u32(0..100) {
                _ if may_change && world.0.len() < 2 => self.open().await,
                n if may_change && n < 72 => self.change(n, &world).await,
                n if n < 76 => self.report().await,
                n if n < 88 => self.find(&world).await,
                _ => self.get(&world).await,
            };
            match answer {
                Some(Answer::Acknowledged) => {}
                // The server cannot do it now, or there is nothing yet that could be done.
                Some(_) | None => tokio::time::sleep(REST).await,
            }
        }
    }

    async fn change(&mut self, n: u32, world: &World) -> Option<Answer> {
        match n {
            0..36 => self.submit(world).await,
            36..42 => self.submit_what_is_refused(world).await,
            42..54 => self.update(world).await,
            54..60 => self.remove_submission(world).await,
            60..64 => self.remove_document(world).await,
            64..68 => self.merge(world).await,
            _ => self.open().await,
        }
    }

    /// A line of the ledger is written before anything is sent.
    fn note(&self, act: Act) -> usize {
        let mut ledger = self.ledger.borrow_mut();
        ledger.0.push(Entry::new(act));
        ledger.0.len() - 1
    }

    fn answered(&self, line: usize, answer: Answer) -> Option<Answer> {
        if let Some(entry) = self.ledger.borrow_mut().0.get_mut(line) {
            entry.answered(answer.clone());
        }
        Some(answer)
    }

    async fn open(&mut self) -> Option<Answer> {
        let patient = message::patient(&mut self.rng);
        let (act, text) = message::open(&mut self.rng, &patient);
        self.tell(act, &text).await
    }

    async fn merge(&mut self, world: &World) -> Option<Answer> {
        let patients: Vec<&String> = world.0.keys().collect();
        let [subsumed, surviving] = self.rng.choose_multiple(patients, 2)[..] else { return None };
        let (act, text) = message::merge(&mut self.rng, &cx(subsumed)?, &cx(surviving)?);
        self.tell(act, &text).await
    }

    async fn tell(&mut self, act: Act, text: &str) -> Option<Answer> {
        let mut connection = match self.feed.take() {
            Some(connection) if !connection.is_closed() => connection,
            _ => match Connection::open(&self.addresses.feed, &TIMEOUTS).await {
                Ok(connection) => connection,
                Err(error) => return Some(Answer::Refused(error.to_string())),
            },
        };
        let line = self.note(act);
        let ack = connection.acknowledged(text.as_bytes()).await;
        if ack.is_ok() {
            self.feed = Some(connection);
        }
        self.answered(line, of_acknowledgement(ack.as_ref()))
    }

    async fn submit(&mut self, world: &World) -> Option<Answer> {
        let patient = self.rng.choice(world.0.keys())?;
        let replaced = match self.rng.u32(0..3) {
            0 => self.first_version(world, patient, true),
            _ => None,
        };
        let count = self.rng.usize(1..=4);
        self.send(&cx(patient)?, count, replaced).await
    }

    /// For a record that is not open, or in place of a document that was replaced before.
    async fn submit_what_is_refused(&mut self, world: &World) -> Option<Answer> {
        let patient = self.rng.choice(world.0.keys())?;
        match self.first_version(world, patient, false) {
            Some(old) => self.send(&cx(patient)?, 2, Some(old)).await,
            None => {
                let nobody = message::patient(&mut self.rng);
                self.send(&nobody, 1, None).await
            }
        }
    }

    async fn send(&mut self, patient: &Cx, count: usize, replaced: Option<Uuid>) -> Option<Answer> {
        let sizes = message::sizes(&mut self.rng, count);
        let (act, objects, documents) = message::submission(&mut self.rng, patient, &sizes, replaced);
        let line = self.note(act);
        let response = self.client.provide_and_register(objects, documents, Encoding::Mtom).await;
        self.answered(line, of_response(response.as_ref()))
    }

    /// A document of that record of which there is one version, in that status.
    fn first_version(&mut self, world: &World, patient: &str, approved: bool) -> Option<Uuid> {
        let record = world.0.get(patient)?;
        let only = record
            .documents
            .iter()
            .filter(|((id, version), document)| {
                *version == 1 && document.approved == approved && !record.documents.contains_key(&(*id, 2))
            })
            .map(|((id, _), _)| *id);
        self.rng.choice(only.collect::<Vec<_>>())
    }

    async fn update(&mut self, world: &World) -> Option<Answer> {
        let patient = self.rng.choice(world.0.keys())?;
        let approved = world.0.get(patient)?.documents.iter().filter(|(_, document)| document.approved);
        let ((document, from), _) = self.rng.choice(approved.collect::<Vec<_>>())?;
        // What is updated is read first.
        let line = self.note(Act::Find { patient: patient.clone() });
        let answer = self.client.query(&message::versions(*document)).await;
        let read = of_response(answer.as_ref().map(|answer| &answer.response));
        self.answered(line, read.clone());
        let version = from.to_string();
        let current = answer.ok().and_then(|answer| {
            answer.documents.into_iter().find(|object| object.common.version_name.as_ref() == Some(&version))
        });
        let Some(current) = current else {
            if read == Answer::Acknowledged {
                self.faults.borrow_mut().push(format!("lost: version {version} of {document}"));
            }
            return Some(read);
        };
        let (act, objects) = message::update(&mut self.rng, &cx(patient)?, *document, *from, &current);
        let line = self.note(act);
        let response = self.client.update(&objects).await;
        self.answered(line, of_response(response.as_ref()))
    }

    /// A submission of which nothing was replaced or updated.
    async fn remove_submission(&mut self, world: &World) -> Option<Answer> {
        let candidates = self.removable(world);
        let act = self.rng.choice(candidates)?;
        let Act::RemoveMetadata { set_id, documents, links, .. } = &act else { return None };
        let ids: Vec<Uuid> = documents.iter().chain(links).chain([set_id]).copied().collect();
        let line = self.note(act.clone());
        let response = self.client.remove_metadata(&RemoveObjects::of(ids)).await;
        self.answered(line, of_response(response.as_ref()))
    }

    fn removable(&self, world: &World) -> Vec<Act> {
        let ledger = self.ledger.borrow();
        let acknowledged = ledger.0.iter().filter(|entry| entry.answer == Answer::Acknowledged);
        acknowledged
            .filter_map(|entry| {
                let Act::Submit { set, set_id, documents, links, replaced: None, .. } = &entry.act else {
                    return None;
                };
                let (patient, record) = world.0.iter().find(|(_, record)| record.sets.contains(set))?;
                let untouched = documents.iter().all(|sent| {
                    record.documents.get(&(sent.id, 1)).is_some_and(|document| document.approved)
                        && !record.documents.contains_key(&(sent.id, 2))
                });
                untouched.then(|| Act::RemoveMetadata {
                    patient: patient.clone(),
                    set: set.clone(),
                    set_id: *set_id,
                    documents: documents.iter().map(|sent| sent.id).collect(),
                    links: links.clone(),
                })
            })
            .collect()
    }

    async fn remove_document(&mut self, world: &World) -> Option<Answer> {
        let (patient, unique_id) = self.any_octets(world)?;
        let line = self.note(Act::RemoveDocument { patient, unique_id: unique_id.clone() });
        let response = self.client.remove_documents(&[message::retrieval(&unique_id)]).await;
        self.answered(line, of_response(response.as_ref()))
    }

    fn any_octets(&mut self, world: &World) -> Option<(String, String)> {
        let patient = self.rng.choice(world.0.keys())?;
        let unique_id = self.rng.choice(world.0.get(patient)?.octets.keys())?;
        Some((patient.clone(), unique_id.clone()))
    }

    /// Tells of something that happened elsewhere.
    async fn report(&mut self) -> Option<Answer> {
        let (act, event) = message::audit_event(&mut self.rng);
        let line = self.note(act);
        let url = format!("{}/fhir/AuditEvent", self.addresses.url);
        let token = format!("Bearer {}", self.addresses.token);
        let headers = [("Content-Type", "application/fhir+json"), ("Authorization", &token)];
        let page = self.client.post(&url, &headers, event).await;
        self.answered(line, of_page(page.as_ref()))
    }

    async fn find(&mut self, world: &World) -> Option<Answer> {
        let patient = self.rng.choice(world.0.keys())?;
        let request = Request::find_documents(&cx(patient)?, &[Status::Approved], ReturnType::ObjectRef);
        let line = self.note(Act::Find { patient: patient.clone() });
        let answer = self.client.query(&request).await;
        self.answered(line, of_response(answer.as_ref().map(|answer| &answer.response)))
    }

    async fn get(&mut self, world: &World) -> Option<Answer> {
        let (patient, unique_id) = self.any_octets(world)?;
        let line = self.note(Act::Get { unique_id: unique_id.clone() });
        let request = [message::retrieval(&unique_id)];
        let retrieved = self.client.retrieve(&request, Encoding::Mtom, &self.folder).await;
        let answer = of_response(retrieved.as_ref().map(|retrieved| &retrieved.response));
        if let Some(document) = retrieved.ok().and_then(|retrieved| retrieved.documents.into_iter().next()) {
            let octets = tokio::fs::read(&document.path).await.unwrap_or_default();
            let _ = tokio::fs::remove_file(&document.path).await;
            let expected = world.0.get(&patient).and_then(|record| record.octets.get(&unique_id));
            if expected != Some(&sha256(&octets)) && answer == Answer::Acknowledged {
                self.faults.borrow_mut().push(format!("changed: octets of {unique_id}"));
            }
        }
        self.answered(line, answer)
    }
}

fn cx(text: &str) -> Option<Cx> {
    Cx::parse(text).ok()
}

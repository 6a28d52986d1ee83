//! The connection to the database breaks during a commit: nobody is told that nothing was done when something was.

use client::Timeouts;
use client::mllp::Connection;
use hl7v2::adt::{self, Identifier};
use test_support::TestDatabase;
use uuid::Uuid;
use xds::constants::{STATUS_APPROVED, STATUS_DEPRECATED};
use xds::message::{DocumentRequest, ReceivedResponse, RemoveObjects, ResponseStatus};
use xds::value::{Cx, uuid_urn};

use crate::harness::{AUTHORITY, REPOSITORY, Server, Submission, assert_filed, patient};
use crate::relay::{Loss, Relay};
use crate::update::Update;

/// A change that a client asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Iti8Add,
    Iti8Merge,
    Iti41,
    Iti44Merge,
    Iti57,
    Iti62,
    Iti86,
}

use Kind::*;

const ALL: [Kind; 7] = [Iti8Add, Iti8Merge, Iti41, Iti44Merge, Iti57, Iti62, Iti86];

impl Kind {
    /// The act in its trace.
    fn act(self) -> &'static str {
        match self {
            Iti8Add => "iti8-added",
            Iti8Merge => "iti8-survived",
            Iti41 => "iti41-repository",
            Iti44Merge => "iti44-survived",
            Iti57 => "iti57-registry",
            Iti62 => "iti62-registry",
            Iti86 => "iti86-repository",
        }
    }

    /// What is said to whom sends again what was done.
    fn done_before(self) -> Result<(), &'static str> {
        match self {
            Iti8Add => Ok(()),
            Iti8Merge | Iti44Merge => Err("the record of the subsumed identifier is merged"),
            Iti41 => Err("XDSDuplicateUniqueIdInRegistry"),
            Iti57 => Err("XDSMetadataUpdate"),
            Iti62 => Err("UnresolvedReferenceException"),
            Iti86 => Err("XDSDocumentUniqueIdError"),
        }
    }
}

/// A request that can be sent again as it is.
struct Change {
    kind: Kind,
    patient: Cx,
    subsumed: Cx,
    message: String,
    submission: Submission,
    update: Update,
}

struct Scene {
    server: Server,
    relay: Relay,
}

impl Scene {
    async fn new() -> Scene {
        let test = TestDatabase::create().await;
        let relay = Relay::start(&test.url).await;
        let settings = [
            ("CARNET_PATIENTS__UNKNOWN", "open"),
            ("CARNET_FEED__MLLP", "127.0.0.1:0"),
            ("CARNET_FEED__AUTHORITY", AUTHORITY),
        ];
        let server = Server::on(&relay.url(&test.url), test.open(), test_support::folder(), &settings).await;
        Scene { server, relay }
    }

    /// Everything that the change needs is there.
    async fn prepare(&self, kind: Kind) -> Change {
        let (patient, subsumed) = (patient(), patient());
        let submission = Submission::new(&patient, "lettre");
        if matches!(kind, Iti57 | Iti62 | Iti86) {
            assert_filed(&self.server.file(&submission).await);
        }
        if matches!(kind, Iti8Merge | Iti44Merge) {
            for patient in [&patient, &subsumed] {
                assert_filed(&self.server.file(&Submission::new(patient, "lettre")).await);
            }
        }
        let identifier = |patient: &Cx| Identifier::new(&patient.id, &patient.authority);
        let id = Uuid::new_v4().simple().to_string();
        let message = match kind {
            Iti8Add => adt::add("A01", &id, &[identifier(&patient)]),
            _ => adt::merge(&id, &identifier(&patient), &identifier(&subsumed)),
        };
        let entry = uuid_urn(submission.entry.entry_uuid);
        let update = Update::of(&patient).status(&entry, STATUS_APPROVED, STATUS_DEPRECATED);
        Change { kind, patient, message, submission, update, subsumed }
    }

    /// Sends it; when it was not done, what was said.
    async fn send(&self, change: &Change) -> Result<(), String> {
        let client = &self.server.client;
        match change.kind {
            Iti8Add | Iti8Merge => {
                let address = self.server.feed.unwrap().to_string();
                let mut feed = Connection::open(&address, &Timeouts::default()).await.unwrap();
                let ack = feed.acknowledged(change.message.as_bytes()).await.unwrap();
                if ack.code == "AA" { Ok(()) } else { Err(ack.texts.join(" ")) }
            }
            Iti44Merge => {
                let answer = client.merge_patients("1.2.250.1.999.55", &change.subsumed, &change.patient);
                let answer = answer.await.unwrap();
                if answer.code == "CA" { Ok(()) } else { Err(format!("{:?}", answer.details)) }
            }
            Iti41 => said(self.server.file(&change.submission).await),
            Iti57 => said(change.update.send(&self.server).await),
            Iti62 => {
                let Submission { set, entry, associations, .. } = &change.submission;
                let links = associations.iter().map(|association| association.entry_uuid);
                let ids = [set.entry_uuid, entry.entry_uuid].into_iter().chain(links);
                said(client.remove_metadata(&RemoveObjects::of(ids)).await.unwrap())
            }
            Iti86 => {
                let request = DocumentRequest {
                    home_community_id: None,
                    repository_unique_id: REPOSITORY.to_owned(),
                    document_unique_id: change.submission.entry.unique_id.clone(),
                };
                said(client.remove_documents(&[request]).await.unwrap())
            }
        }
    }

    /// The outcomes in the traces of the change, in alphabetical order.
    async fn outcomes(&self, change: &Change) -> Vec<String> {
        // A removal that failed knows the document only.
        let sql = "select outcome from audit_trail
            where act = $1 and (patient_id = $2 or strpos(content::text, $3) > 0) order by outcome";
        let client = self.server.database.get().await.unwrap();
        let (act, document) = (change.kind.act(), &change.submission.entry.unique_id);
        let rows = client.query(sql, &[&act, &change.patient.id, document]).await.unwrap();
        rows.iter().map(|row| row.get(0)).collect()
    }

    async fn send_and_lose(&self, change: &Change, loss: Loss) -> Result<(), String> {
        self.relay.lose(loss, change.kind.act());
        let said = self.send(change).await;
        assert!(self.relay.has_lost(), "{:?}", change.kind);
        said
    }

    async fn assert_done_before(&self, change: &Change) {
        match (self.send(change).await, change.kind.done_before()) {
            (Ok(()), Ok(())) => {}
            (Err(said), Err(expected)) if said.contains(expected) => {}
            (said, expected) => panic!("{:?}: {said:?}, not {expected:?}", change.kind),
        }
    }
}

fn said(response: ReceivedResponse) -> Result<(), String> {
    match response.status {
        ResponseStatus::Success => Ok(()),
        _ => Err(format!("{:?}", response.errors)),
    }
}

#[actix_web::test]
async fn what_was_committed_is_found_out_and_acknowledged() {
    let scene = Scene::new().await;
    for kind in ALL {
        let change = scene.prepare(kind).await;
        assert_eq!(scene.send_and_lose(&change, Loss::Answer).await, Ok(()), "{kind:?}");
        assert_eq!(scene.outcomes(&change).await, ["success"], "{kind:?}");
        scene.assert_done_before(&change).await;
    }
    assert_eq!(scene.server.blobs() as i64, scene.server.count(KEPT).await);
    scene.server.stop().await;
}

const KEPT: &str = "select count(*) from document where state = 'registered'";

#[actix_web::test]
async fn what_was_not_committed_is_not_done_and_can_be_sent_again() {
    let scene = Scene::new().await;
    for kind in ALL {
        let change = scene.prepare(kind).await;
        let said = scene.send_and_lose(&change, Loss::Commit).await.unwrap_err();
        assert!(!said.contains("not known"), "{kind:?}: {said}");
        assert_eq!(scene.outcomes(&change).await, ["serious-failure"], "{kind:?}");
        assert_eq!(scene.send(&change).await, Ok(()), "{kind:?}");
        assert_eq!(scene.outcomes(&change).await, ["serious-failure", "success"], "{kind:?}");
    }
    assert_eq!(scene.server.blobs() as i64, scene.server.count(KEPT).await);
    scene.server.stop().await;
}

#[actix_web::test]
async fn what_cannot_be_found_out_is_not_known_and_no_failure_is_traced() {
    let scene = Scene::new().await;
    for kind in ALL {
        let change = scene.prepare(kind).await;
        let said = scene.send_and_lose(&change, Loss::AnswerAndWay).await.unwrap_err();
        assert!(said.contains("not known"), "{kind:?}: {said}");
        assert_eq!(scene.outcomes(&change).await, ["success"], "{kind:?}");
        scene.relay.reconnect();
        scene.assert_done_before(&change).await;
    }
    scene.server.stop().await;
}

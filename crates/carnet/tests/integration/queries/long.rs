//! Answers of many documents, which leave in portions.

use atna::{Source, TraceWriter};
use registry::Registry;
use registry::iti18::answer::{Answered, PORTION, Portions};
use xds::constants::QUERY_FIND_DOCUMENTS_FOR_MULTIPLE_PATIENTS;
use xds::message::RemoveObjects;
use xds::query::{Request, ReturnType, Status, find_documents};
use xds::value::Cx;

use super::world::{APPROVED, Batch, ask, document};
use crate::compression::gunzip;
use crate::harness::{Server, assert_filed, patient};

/// Two portions and a piece of a third.
const MANY: usize = 2 * PORTION + 5;

async fn many(server: &Server) -> (Cx, Batch) {
    let patient = patient();
    let mut batch = Batch::new(&patient);
    for _ in 0..MANY {
        batch.document(document(&patient));
    }
    batch.register(server).await;
    (patient, batch)
}

fn find(patient: &Cx) -> Request {
    Request::find_documents(patient, &[Status::Approved], ReturnType::LeafClass)
}

async fn portions(server: &Server, patient: &Cx) -> Portions {
    let source = Source::here("carnet", None);
    let traces = TraceWriter::new(&server.database);
    let registry = Registry::new(server.database.clone(), server.config.registry_settings(), source, traces);
    let requester = access::Requester::local("operator", "a test");
    match registry.query(&requester, &find(patient), "<query/>").await.unwrap() {
        Answered::Long(portions) => portions,
        Answered::Whole(_) => panic!("not in portions"),
    }
}

#[actix_web::test]
async fn an_answer_in_portions_says_what_the_same_answer_says_as_a_whole() {
    let server = Server::start().await;
    let (patient, _) = many(&server).await;
    let long = server.client.query(&find(&patient)).await.unwrap();
    assert_eq!(long.documents.len(), MANY);
    let whole = ask(QUERY_FIND_DOCUMENTS_FOR_MULTIPLE_PATIENTS)
        .with_list(find_documents::PATIENT_ID, [&patient.text])
        .with_list(find_documents::STATUS, APPROVED);
    let whole = server.client.multi_patient_query(&whole).await.unwrap();
    assert_eq!(long.documents, whole.documents);
    server.stop().await;
}

#[actix_web::test]
async fn an_answer_in_portions_is_packed_for_who_wants_it_packed() {
    let server = Server::start().await;
    let (patient, batch) = many(&server).await;
    let mut w = xml::Writer::new();
    find(&patient).write(&mut w);
    let envelope =
        soap::write(&soap::Header::request(xds::constants::action::ITI_18, "urn:uuid:1", ""), |e| {
            e.raw(&w.finish());
        });
    let url = format!("{}/services/registry", server.url);
    let headers = [("Content-Type", "application/soap+xml"), ("Accept-Encoding", "gzip")];
    let answer = server.client.post(&url, &headers, envelope).await.unwrap();
    assert!(answer.headers.iter().any(|(name, value)| name == "content-encoding" && value == "gzip"));
    let text = String::from_utf8(gunzip(&answer.body).await).unwrap();
    for entry in &batch.documents {
        assert_eq!(text.matches(&entry.unique_id).count(), 1, "{}", entry.unique_id);
    }
    assert!(text.ends_with("Envelope>"), "{}", &text[text.len() - 100..]);
    server.stop().await;
}

/// What comes next belongs to another moment, and so may its text.
#[actix_web::test]
async fn an_answer_that_has_begun_is_cut_where_a_document_was_removed_and_came_again() {
    let server = Server::start().await;
    let (patient, mut batch) = many(&server).await;
    let mut portions = portions(&server, &patient).await;
    portions.next().await.unwrap().unwrap();
    let documents = batch.documents.iter().map(|entry| entry.entry_uuid);
    let memberships = batch.associations.iter().map(|association| association.entry_uuid);
    let all = documents.chain(memberships).chain([batch.set.entry_uuid]);
    let removed = server.client.remove_metadata(&RemoveObjects::of(all)).await.unwrap();
    assert_filed(&removed);
    batch.documents.iter_mut().for_each(|entry| entry.title = Some("Another".to_owned()));
    batch.register(&server).await;
    assert!(portions.next().await.is_err());
    server.stop().await;
}

#[actix_web::test]
async fn an_answer_that_has_begun_holds_no_connection_and_is_cut_where_a_document_is_gone() {
    let server = Server::start().await;
    let (patient, batch) = many(&server).await;
    let mut portions = portions(&server, &patient).await;
    assert_eq!(portions.next().await.unwrap().unwrap().matches("<rim:ExtrinsicObject ").count(), PORTION);
    assert_eq!(server.database.connections().in_use, 0);

    let gone = server.database.get().await.unwrap();
    let statement = "delete from document_entry where entry_uuid = any($1)";
    let ids: Vec<uuid::Uuid> = batch.documents.iter().map(|entry| entry.entry_uuid).collect();
    gone.execute(statement, &[&ids]).await.unwrap();
    drop(gone);
    assert!(portions.next().await.is_err());
    server.stop_broken().await;
}

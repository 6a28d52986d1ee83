//! ITI-51.

use std::collections::BTreeSet;

use uuid::Uuid;
use xds::constants::*;
use xds::message::ResponseStatus;
use xds::query::*;
use xds::value::Cx;

use super::world::{APPROVED, Batch, ask, code, document, folder, ids, set};
use crate::harness::{AUTHORITY, Server, oid, patient};

const SCHEME: &str = "^^1.2.250.1.999.1";

async fn found(server: &Server, request: &Request) -> BTreeSet<Uuid> {
    let leaf = ids(&server.client.multi_patient_query(request).await.unwrap());
    let refs = Request { return_type: "ObjectRef".to_owned(), ..request.clone() };
    assert_eq!(leaf, ids(&server.client.multi_patient_query(&refs).await.unwrap()));
    leaf
}

async fn refused(server: &Server, request: &Request) -> Vec<String> {
    let answer = server.client.multi_patient_query(request).await.unwrap();
    assert_eq!(answer.response.status, ResponseStatus::Failure, "{answer:?}");
    answer.response.errors.iter().map(|error| error.code.clone()).collect()
}

fn documents() -> Request {
    ask(QUERY_FIND_DOCUMENTS_FOR_MULTIPLE_PATIENTS).with_list(find_documents::STATUS, APPROVED)
}

fn folders() -> Request {
    ask(QUERY_FIND_FOLDERS_FOR_MULTIPLE_PATIENTS).with_list(find_folders::STATUS, APPROVED)
}

/// A document of two events and a folder of two codes.
async fn record(server: &Server, patient: &Cx, word: &str) -> [Uuid; 2] {
    let mut batch = Batch::new(patient);
    let mut entry = document(patient);
    entry.class_code = code(word);
    entry.healthcare_facility_type_code = code(word);
    entry.event_codes = vec![code(word), code("event")];
    let entry = batch.document(entry);
    let mut folder = folder(patient);
    folder.codes = vec![code(word), code("folder")];
    let folder = batch.folder(folder);
    batch.register(server).await;
    [entry, folder]
}

#[actix_web::test]
async fn several_patients_are_asked_for_by_name_and_by_code() {
    let server = Server::start().await;
    let (a, b, c) = (patient(), patient(), patient());
    let [document_a, folder_a] = record(&server, &a, "a").await;
    let [document_b, folder_b] = record(&server, &b, "b").await;
    let [document_c, folder_c] = record(&server, &c, "c").await;
    let nobody = Cx::new(&oid(), AUTHORITY);
    let names = [&a.text, &b.text, &nobody.text];
    let key = |word: &str| format!("{word}{SCHEME}");
    use find_documents::*;
    let cases: Vec<(Request, BTreeSet<Uuid>)> = vec![
        (documents().with_list(PATIENT_ID, names), set([document_a, document_b])),
        (
            documents().with_list(PATIENT_ID, names).with_list(CLASS_CODE, [key("b"), key("c")]),
            set([document_b]),
        ),
        (documents().with_list(CLASS_CODE, [key("b"), key("c")]), set([document_b, document_c])),
        (documents().with_list(HEALTHCARE_FACILITY_TYPE_CODE, [key("a")]), set([document_a])),
        (documents().with_list(EVENT_CODE_LIST, [key("event")]), set([document_a, document_b, document_c])),
        (
            documents().with_list(EVENT_CODE_LIST, [key("event")]).with_list(EVENT_CODE_LIST, [key("c")]),
            set([document_c]),
        ),
        (folders().with_list(find_folders::PATIENT_ID, names), set([folder_a, folder_b])),
        (folders().with_list(find_folders::CODE_LIST, [key("folder")]), set([folder_a, folder_b, folder_c])),
        (
            folders()
                .with_list(find_folders::CODE_LIST, [key("folder")])
                .with_list(find_folders::CODE_LIST, [key("c")]),
            set([folder_c]),
        ),
    ];
    for (request, expected) in cases {
        assert_eq!(found(&server, &request).await, expected, "{request:?}");
    }
    assert_eq!(refused(&server, &documents()).await, ["XDSStoredQueryMissingParam"]);
    assert_eq!(refused(&server, &folders()).await, ["XDSStoredQueryMissingParam"]);
    let without_status =
        ask(QUERY_FIND_FOLDERS_FOR_MULTIPLE_PATIENTS).with_list(find_folders::PATIENT_ID, names);
    assert_eq!(refused(&server, &without_status).await, ["XDSStoredQueryMissingParam"]);
    server.stop().await;
}

#[actix_web::test]
async fn each_transaction_has_its_own_queries() {
    let server = Server::start().await;
    let a = patient();
    let request = Request::find_documents(&a, &[Status::Approved], ReturnType::LeafClass);
    assert_eq!(refused(&server, &request).await, ["XDSUnknownStoredQuery"]);
    let several = documents().with_list(find_documents::PATIENT_ID, [&a.text]);
    assert_eq!(super::world::refused(&server, &several).await, ["XDSUnknownStoredQuery"]);
    server.stop().await;
}

#[actix_web::test]
async fn each_patient_has_a_trace_and_a_query_for_all_has_those_it_found() {
    let server = Server::start().await;
    let (a, b, silent) = (patient(), patient(), patient());
    record(&server, &a, "a").await;
    record(&server, &b, "b").await;
    let ask_for = documents().with_list(find_documents::PATIENT_ID, [&a.text, &silent.text]);
    server.client.multi_patient_query(&ask_for).await.unwrap();
    let of = |condition: &str| {
        format!(
            "select count(*) from audit_trail where act = 'iti51-registry' and outcome = 'success' and {condition}"
        )
    };
    let patient = |patient: &Cx| of(&format!("patient_id = '{}'", patient.id));
    assert_eq!(server.count(&patient(&a)).await, 1);
    assert_eq!(server.count(&patient(&silent)).await, 1);
    assert_eq!(server.count(&patient(&b)).await, 0);
    let for_all = |word: &str| documents().with_list(find_documents::CLASS_CODE, [format!("{word}{SCHEME}")]);
    server.client.multi_patient_query(&for_all("b")).await.unwrap();
    assert_eq!(server.count(&patient(&b)).await, 1);
    server.client.multi_patient_query(&for_all("nothing")).await.unwrap();
    assert_eq!(server.count(&of("patient_id is null")).await, 1);
    server.stop().await;
}

/// (outcome, patient) of the traces of queries.
async fn traced(server: &Server) -> Vec<(String, Option<String>)> {
    let client = server.database.get().await.unwrap();
    let sql = "select outcome, patient_id from audit_trail where act in ('iti18-registry', 'iti51-registry')
        order by outcome, patient_id";
    client.query(sql, &[]).await.unwrap().iter().map(|row| (row.get(0), row.get(1))).collect()
}

#[actix_web::test]
async fn a_query_for_more_patients_than_the_limit_is_refused_and_has_one_trace() {
    let server = Server::start().await;
    let nobody: Vec<Cx> = (0..101).map(|_| patient()).collect();
    let names: Vec<&str> = nobody.iter().map(|patient| patient.text.as_str()).collect();
    let several = documents().with_list(find_documents::PATIENT_ID, &names);
    assert_eq!(refused(&server, &several).await, ["XDSRegistryOutOfResources"]);
    let failed = ("minor-failure".to_owned(), None);
    assert_eq!(traced(&server).await, std::slice::from_ref(&failed));
    let in_its_text =
        format!("select count(*) from audit_trail where content::text like '%{}%'", nobody[100].id);
    assert_eq!(server.count(&in_its_text).await, 1);

    let one = ask(QUERY_FIND_DOCUMENTS)
        .with_list(find_documents::STATUS, APPROVED)
        .with_list(find_documents::PATIENT_ID, &names);
    let all_that_is_wrong = ["XDSStoredQueryParamNumber", "XDSRegistryOutOfResources"];
    assert_eq!(super::world::refused(&server, &one).await, all_that_is_wrong);
    assert_eq!(traced(&server).await, [failed.clone(), failed.clone()]);

    let hundred = documents().with_list(find_documents::PATIENT_ID, &names[1..]);
    server.client.multi_patient_query(&hundred).await.unwrap();
    assert_eq!(traced(&server).await.iter().filter(|(_, patient)| patient.is_some()).count(), 100);
    // Each trace would repeat what the registry does not know, too.
    let long = hundred.with_string("$Unknown", &"x".repeat(50 << 10));
    assert_eq!(refused(&server, &long).await, ["XDSRegistryOutOfResources"]);
    assert_eq!(traced(&server).await.len(), 103);
    server.stop().await;
}

#[actix_web::test]
async fn an_answer_about_more_patients_than_the_limit_is_not_given() {
    let server =
        Server::with(&[("CARNET_PATIENTS__UNKNOWN", "open"), ("CARNET_LIMITS__PATIENTS", "2")]).await;
    let mut entries = Vec::new();
    for word in ["a", "a", "b"] {
        entries.push(record(&server, &patient(), word).await[0]);
    }
    let with_code = |name: &str, code: &str| documents().with_list(name, [format!("{code}{SCHEME}")]);
    let two = with_code(find_documents::CLASS_CODE, "a");
    assert_eq!(found(&server, &two).await, set([entries[0], entries[1]]));
    let three = with_code(find_documents::EVENT_CODE_LIST, "event");
    assert_eq!(refused(&server, &three).await, ["XDSTooManyResults"]);
    let by_id = Request::get_documents_by_entry_uuid(entries, ReturnType::ObjectRef);
    assert_eq!(super::world::refused(&server, &by_id).await, ["XDSTooManyResults"]);
    let (given, failed): (Vec<_>, Vec<_>) =
        traced(&server).await.into_iter().partition(|(outcome, _)| outcome == "success");
    assert!(given.len() == 4 && given.iter().all(|(_, patient)| patient.is_some()), "{given:?}");
    assert_eq!(failed, [("minor-failure".to_owned(), None), ("minor-failure".to_owned(), None)]);
    server.stop().await;
}

/// Without patients even the ids are bounded: the cost of such a query has no record to follow.
#[actix_web::test]
async fn a_query_for_all_stops_at_the_limit() {
    let server =
        Server::with(&[("CARNET_PATIENTS__UNKNOWN", "open"), ("CARNET_LIMITS__QUERY_RESULTS", "2")]).await;
    for _ in 0..3 {
        record(&server, &patient(), "a").await;
    }
    let all = documents().with_list(find_documents::CLASS_CODE, [format!("a{SCHEME}")]);
    let all_folders = folders().with_list(find_folders::CODE_LIST, [format!("a{SCHEME}")]);
    for request in [all, all_folders] {
        for return_type in ["LeafClass", "ObjectRef"] {
            let request = Request { return_type: return_type.to_owned(), ..request.clone() };
            assert_eq!(refused(&server, &request).await, ["XDSTooManyResults"], "{return_type}");
        }
    }
    server.stop().await;
}

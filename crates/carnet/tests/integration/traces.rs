//! Every access leaves its trace, and without a trace there is no access.

use client::Encoding;
use xds::message::{DocumentRequest, ResponseStatus};
use xds::query::{Request, ReturnType, Status};

use crate::harness::{REPOSITORY, Server, Submission, assert_filed, codes, oid, patient};

/// (act, outcome) of a patient's events, in order.
async fn events(server: &Server, patient: &str) -> Vec<(String, String)> {
    let client = server.database.get().await.unwrap();
    let sql = "select act, outcome from audit_trail where patient_id = $1 order by at, act";
    client.query(sql, &[&patient]).await.unwrap().iter().map(|row| (row.get(0), row.get(1))).collect()
}

#[actix_web::test]
async fn each_transaction_is_traced_for_its_patient_with_its_outcome() {
    let server = Server::start().await;
    let patient = patient();
    let submission = Submission::new(&patient, "lettre");
    assert_filed(&server.file(&submission).await);
    let request = Request::find_documents(&patient, &[Status::Approved], ReturnType::LeafClass);
    server.client.query(&request).await.unwrap();
    server.read(&submission.entry.unique_id).await.unwrap();
    let mut wrong = Submission::new(&patient, "lettre");
    wrong.set.unique_id = submission.set.unique_id.clone();
    assert_eq!(server.file(&wrong).await.status, ResponseStatus::Failure);
    let expected = [
        ("iti41-repository", "success"),
        ("iti42-registry", "success"),
        ("iti18-registry", "success"),
        ("iti43-repository", "success"),
        ("iti42-registry", "minor-failure"),
        ("iti41-repository", "minor-failure"),
    ];
    let expected: Vec<(String, String)> = expected.map(|(a, b)| (a.to_owned(), b.to_owned())).to_vec();
    let mut found = events(&server, &patient.id).await;
    let mut sorted = expected.clone();
    found.sort();
    sorted.sort();
    assert_eq!(found, sorted);
    // What was filed, and what was read, goes by its title.
    for (act, path) in
        [("iti41-repository", "{0,submission-set,titles,0}"), ("iti43-repository", "{0,document,title}")]
    {
        let titled = format!(
            "select count(*) from audit_trail where act = '{act}' and outcome = 'success'
                and content -> 'objects' #>> '{path}' = 'Lettre'"
        );
        assert_eq!(server.count(&titled).await, 1, "{act}");
    }
    server.stop().await;
}

#[actix_web::test]
async fn a_document_that_is_not_there_is_traced_as_a_failure() {
    let server = Server::start().await;
    assert_eq!(server.read(&oid()).await, None);
    let failures =
        "select count(*) from audit_trail where act = 'iti43-repository' and outcome = 'minor-failure'";
    assert_eq!(server.count(failures).await, 1);
    server.stop().await;
}

#[actix_web::test]
async fn a_document_that_is_too_large_for_plain_soap_was_not_read() {
    let settings = [("CARNET_PATIENTS__UNKNOWN", "open"), ("CARNET_LIMITS__INLINE_DOCUMENT", "30KiB")];
    let server = Server::with(&settings).await;
    let patient = patient();
    let submission = Submission::new(&patient, vec![b'x'; 40 << 10]);
    assert_filed(&server.file(&submission).await);
    // Nothing of it is opened, so it makes no difference that it is not there.
    let document = server.folder.path().join("documents");
    std::fs::rename(&document, server.folder.path().join("elsewhere")).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let request = DocumentRequest {
        home_community_id: None,
        repository_unique_id: REPOSITORY.to_owned(),
        document_unique_id: submission.entry.unique_id.clone(),
    };
    let answer = server.client.retrieve(&[request], Encoding::Simple, folder.path()).await.unwrap();
    assert_eq!(codes(&answer.response), ["XDSRepositoryOutOfResources"]);
    std::fs::rename(server.folder.path().join("elsewhere"), &document).unwrap();
    let mut expected = [
        ("iti41-repository", "success"),
        ("iti42-registry", "success"),
        ("iti43-repository", "minor-failure"),
    ];
    expected.sort();
    let expected = expected.map(|(act, outcome)| (act.to_owned(), outcome.to_owned()));
    let mut found = events(&server, &patient.id).await;
    found.sort();
    assert_eq!(found, expected);
    server.stop().await;
}

#[actix_web::test]
async fn without_a_trace_nothing_is_given_and_nothing_is_stored() {
    let server = Server::start().await;
    let patient = patient();
    let submission = Submission::new(&patient, "lettre");
    assert_filed(&server.file(&submission).await);
    let block = "create function refuse() returns trigger language plpgsql as
        $$ begin raise exception 'no more traces'; end $$;
        create trigger refuse before insert on audit_inbox for each row execute function refuse()";
    server.database.get().await.unwrap().batch_execute(block).await.unwrap();

    assert_eq!(server.read(&submission.entry.unique_id).await, None);
    let request = Request::find_documents(&patient, &[Status::Approved], ReturnType::LeafClass);
    let answer = server.client.query(&request).await.unwrap();
    assert_eq!(answer.response.status, ResponseStatus::Failure);
    assert!(answer.documents.is_empty());
    let more = Submission::new(&patient, "more");
    assert_eq!(server.file(&more).await.status, ResponseStatus::Failure);
    assert_eq!(server.count("select count(*) from document_entry").await, 1);
    assert_eq!(server.blobs(), 1);

    server.database.get().await.unwrap().batch_execute("drop trigger refuse on audit_inbox").await.unwrap();
    assert_eq!(server.read(&submission.entry.unique_id).await.unwrap(), b"lettre");
    server.stop().await;
}

fn envelope(action: &str, body: &str) -> String {
    format!(
        "<s:Envelope xmlns:s='http://www.w3.org/2003/05/soap-envelope' xmlns:a='http://www.w3.org/2005/08/addressing'>\
         <s:Header><a:Action>{action}</a:Action></s:Header><s:Body>{body}</s:Body></s:Envelope>"
    )
}

/// What no transaction can be made of, by the service it is sent to.
fn unreadable() -> Vec<(&'static str, &'static str, String)> {
    const SOAP: &str = "application/soap+xml";
    let empty = |action: &str, namespace: &str, name: &str| {
        let body = format!("<{name} xmlns='{namespace}'><nonsense xmlns=''/></{name}>");
        envelope(&format!("urn:ihe:iti:{action}"), &body)
    };
    const LCM: &str = "urn:oasis:names:tc:ebxml-regrep:xsd:lcm:3.0";
    const QUERY: &str = "urn:oasis:names:tc:ebxml-regrep:xsd:query:3.0";
    let of_registry = [
        empty("2007:RegistryStoredQuery", QUERY, "AdhocQueryRequest"),
        empty("2009:MultiPatientStoredQuery", QUERY, "AdhocQueryRequest"),
        empty("2007:RegisterDocumentSet-b", LCM, "SubmitObjectsRequest"),
        empty("2010:UpdateDocumentSet", LCM, "SubmitObjectsRequest"),
        empty("2010:RegisterOnDemandDocumentEntry", LCM, "SubmitObjectsRequest"),
        empty("2018:RestrictedUpdateDocumentSet", LCM, "SubmitObjectsRequest"),
        empty("2010:DeleteDocumentSet", LCM, "RemoveObjectsRequest"),
        envelope("urn:hl7-org:v3:PRPA_IN201301UV02", "<PRPA_IN201301UV02 xmlns='urn:hl7-org:v3'/>"),
        empty("2007:Wrong", QUERY, "AdhocQueryRequest"),
        envelope("x", "<unknown/>"),
        "<not closed".to_owned(),
        "<!DOCTYPE s:Envelope []><s:Envelope xmlns:s='http://www.w3.org/2003/05/soap-envelope'/>".to_owned(),
    ];
    let of_repository = [
        empty(
            "2007:ProvideAndRegisterDocumentSet-b",
            "urn:ihe:iti:xds-b:2007",
            "ProvideAndRegisterDocumentSetRequest",
        ),
        empty("2007:RetrieveDocumentSet", "urn:ihe:iti:xds-b:2007", "RetrieveDocumentSetRequest"),
        empty("2017:RemoveDocuments", "urn:ihe:iti:rmd:2017", "RemoveDocumentsRequest"),
    ];
    let at = |service: &'static str| move |body| (service, SOAP, body);
    let mut all: Vec<_> = of_registry.into_iter().map(at("registry")).collect();
    all.extend(of_repository.into_iter().map(at("repository")));
    for service in ["registry", "repository"] {
        all.push((service, "text/plain", "hello".to_owned()));
        all.push((service, "multipart/related", "hello".to_owned()));
    }
    all
}

#[actix_web::test]
async fn what_no_transaction_can_be_made_of_leaves_its_trace_too() {
    let server = Server::start().await;
    for (service, kind, body) in unreadable() {
        let sql = "select count(*) from audit_trail where outcome <> 'success'";
        let before = server.count(sql).await;
        let url = format!("{}/services/{service}", server.url);
        let answer = server.client.post(&url, &[("Content-Type", kind)], body.clone()).await.unwrap();
        let text = String::from_utf8_lossy(&answer.body);
        assert!(!text.contains("ResponseStatusType:Success"), "{body}: {text}");
        assert_eq!(server.count(sql).await, before + 1, "{service}, {kind}: {body}\n{text}");
    }
    // Without a trace not even the reason is given away.
    let block = "create function refuse() returns trigger language plpgsql as
        $$ begin raise exception 'no more traces'; end $$;
        create trigger refuse before insert on audit_inbox for each row execute function refuse()";
    server.database.get().await.unwrap().batch_execute(block).await.unwrap();
    for (service, kind, body) in unreadable() {
        let url = format!("{}/services/{service}", server.url);
        let answer = server.client.post(&url, &[("Content-Type", kind)], body.clone()).await.unwrap();
        let text = String::from_utf8_lossy(&answer.body);
        assert!(
            text.contains("trace") || text.to_lowercase().contains("internal error"),
            "{service}, {kind}: {body}\n{text}"
        );
    }
    server.database.get().await.unwrap().batch_execute("drop trigger refuse on audit_inbox").await.unwrap();
    server.stop().await;
}

#[actix_web::test]
async fn a_start_tells_its_configuration_and_that_code_sets_have_changed() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("JDV_ClassCode.csv");
    std::fs::write(&file, "code,codeSystem,displayName\nclass,1.2.250.1.999.1,Class\n").unwrap();
    let codes = [("CARNET_AFFINITY_DOMAIN__CODES", file.to_str().unwrap())];
    let told = async |server: &Server, act: &str| {
        server.count(&format!("select count(*) from audit_trail where act = '{act}'")).await
    };
    let server = Server::with(&[]).await;
    assert_eq!((told(&server, "configuration-loaded").await, told(&server, "codes-changed").await), (1, 0));
    let server = server.restart(&codes).await;
    assert_eq!((told(&server, "configuration-loaded").await, told(&server, "codes-changed").await), (2, 1));
    let server = server.restart(&codes).await;
    assert_eq!(told(&server, "codes-changed").await, 1, "nothing has changed");
    std::fs::write(&file, "code,codeSystem,displayName\nother,1.2.250.1.999.1,Other\n").unwrap();
    let server = server.restart(&codes).await;
    assert_eq!(told(&server, "codes-changed").await, 2);
    let server = server.restart(&[]).await;
    assert_eq!(told(&server, "codes-changed").await, 3, "that nothing is restricted any more is told, too");
    server.stop().await;
}

/// The connection ends between the effect and its event.
#[actix_web::test]
async fn an_effect_whose_event_was_lost_with_the_database_is_lost_with_it() {
    let server = Server::start().await;
    let patient = patient();
    let filed = Submission::new(&patient, "lettre");
    assert_filed(&server.file(&filed).await);
    let before = server.count("select count(*) from audit_trail").await;
    let cut = "create function cut() returns trigger language plpgsql as
        $$ begin perform pg_terminate_backend(pg_backend_pid()); return new; end $$;
        create trigger cut before insert on audit_inbox for each row execute function cut()";
    server.database.get().await.unwrap().batch_execute(cut).await.unwrap();

    assert_eq!(server.file(&Submission::new(&patient, "more")).await.status, ResponseStatus::Failure);
    assert_eq!(server.read(&filed.entry.unique_id).await, None);
    let request = Request::find_documents(&patient, &[Status::Approved], ReturnType::LeafClass);
    assert!(server.client.query(&request).await.unwrap().documents.is_empty());

    server.database.get().await.unwrap().batch_execute("drop trigger cut on audit_inbox").await.unwrap();
    assert_eq!(server.count("select count(*) from document_entry").await, 1);
    assert_eq!(server.count("select count(*) from document").await, 1);
    assert_eq!(server.count("select count(*) from audit_trail").await, before);
    assert_eq!(server.read(&filed.entry.unique_id).await.unwrap(), b"lettre");
    server.stop().await;
}

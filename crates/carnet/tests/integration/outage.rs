//! The database goes away and comes back.

use private_postgres::PrivatePostgres;
use xds::message::ResponseStatus;
use xds::query::{Request, ReturnType, Status};

use crate::harness::{Server, Submission, assert_filed, codes, patient};

#[actix_web::test]
async fn the_server_says_so_and_recovers_by_itself() {
    let postgres_folder = test_support::folder();
    let options = private_postgres::Options::new(postgres_folder.path().join("postgres"));
    let postgres = PrivatePostgres::start(&options).await.unwrap();
    let url = postgres.connection();
    let database = database::Database::connect(&url, &database::Options::default()).unwrap();
    let settings = [("CARNET_PATIENTS__UNKNOWN", "open")];
    let server = Server::on(&url, database, test_support::folder(), &settings).await;
    let patient = patient();
    let before = Submission::new(&patient, "before");
    assert_filed(&server.file(&before).await);
    let ready = format!("{}/ready", server.url);
    assert_eq!(server.client.page(&ready).await.unwrap().status, 200);

    postgres.stop().await.unwrap();
    let during = Submission::new(&patient, "during");
    assert_eq!(codes(&server.file(&during).await), ["XDSRegistryNotAvailable"]);
    let request = Request::find_documents(&patient, &[Status::Approved], ReturnType::LeafClass);
    let answer = server.client.query(&request).await.unwrap();
    assert_eq!(codes(&answer.response), ["XDSRegistryBusy"]);
    assert_eq!(server.read(&before.entry.unique_id).await, None);
    let page = server.client.page(&ready).await.unwrap();
    assert_eq!(page.status, 503);
    assert!(String::from_utf8_lossy(&page.body).contains("database"));
    assert_eq!(server.client.page(&format!("{}/health", server.url)).await.unwrap().status, 200);
    assert_eq!(server.blobs(), 1, "the refused document left nothing");

    let postgres = PrivatePostgres::start(&options).await.unwrap();
    assert_eq!(server.client.page(&ready).await.unwrap().status, 200);
    assert_filed(&server.file(&during).await);
    assert_eq!(server.read(&before.entry.unique_id).await.unwrap(), b"before");
    let answer = server.client.query(&request).await.unwrap();
    assert_eq!((answer.response.status, answer.documents.len()), (ResponseStatus::Success, 2));
    server.stop().await;
    postgres.stop().await.unwrap();
}

/// Wherever the disk is full, and whichever statement of the many that go together is heard first.
#[actix_web::test]
async fn a_full_database_refuses_a_submission_as_unavailable_and_is_no_internal_error() {
    let server = Server::start().await;
    let (patient, mut filed) = (patient(), 0);
    for table in
        ["object", "unique_id", "submission_set", "document_entry", "association", "document", "audit_inbox"]
    {
        let full = format!(
            "create or replace function full_disk() returns trigger language plpgsql as
                $$ begin raise exception 'No space left on device' using errcode = '53100'; end $$;
            create trigger full_disk before insert on {table} for each row execute function full_disk()"
        );
        server.database.get().await.unwrap().batch_execute(&full).await.unwrap();
        for _ in 0..5 {
            let refused = server.file(&Submission::new(&patient, "lettre")).await;
            assert_eq!(codes(&refused), ["XDSRegistryNotAvailable"], "{table}: {refused:?}");
        }
        let emptied = format!("drop trigger full_disk on {table}");
        server.database.get().await.unwrap().batch_execute(&emptied).await.unwrap();
        assert_filed(&server.file(&Submission::new(&patient, "lettre")).await);
        filed += 1;
        assert_eq!(server.count("select count(*) from submission_set").await, filed);
    }
    assert_eq!(server.blobs() as i64, filed);
    server.stop().await;
}

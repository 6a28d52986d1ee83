//! Merged records: what is shown, what is refused, and what happens at the same time.

use std::slice::from_ref;
use std::time::{Duration, Instant};

use access::Requester;
use database::Database;
use futures_util::future::{join, join_all};
use registry::patients::State;
use registry::patients::feed::{Change, Door, Error, Refusal, Side};
use uuid::Uuid;
use xds::constants::{DOCUMENT_ENTRY_PATIENT_ID, STATUS_APPROVED, STATUS_DEPRECATED};
use xds::ebxml::ExtrinsicObject;
use xds::message::ResponseStatus;
use xds::metadata::{Association, AssociationType, Code, Folder};
use xds::query::{Request, ReturnType, Status};
use xds::value::Cx;

use crate::harness::{Server, Submission, assert_filed, codes, oid, patient};

async fn add(database: &Database, patient: &Cx) -> Result<(), Error> {
    let requester = Requester::local("test", "test");
    let source = atna::Source::here("test", None);
    let change = Change { requester: &requester, source: &source, door: Door::CommandLine, message: None };
    change.add(database, from_ref(patient)).await
}

pub async fn merge(database: &Database, subsumed: &Cx, surviving: &Cx) -> Result<(), Error> {
    let requester = Requester::local("test", "test");
    let source = atna::Source::here("test", None);
    let change = Change { requester: &requester, source: &source, door: Door::CommandLine, message: None };
    change.merge(database, from_ref(subsumed), from_ref(surviving)).await
}

async fn refusal(database: &Database, subsumed: &Cx, surviving: &Cx) -> Refusal {
    match merge(database, subsumed, surviving).await {
        Err(Error::Refused(refusal)) => refusal,
        other => panic!("{other:?}"),
    }
}

async fn documents(server: &Server, patient: &Cx) -> Vec<ExtrinsicObject> {
    let all = [Status::Approved, Status::Deprecated];
    let request = Request::find_documents(patient, &all, ReturnType::LeafClass);
    server.client.query(&request).await.unwrap().documents
}

fn status_of(documents: &[ExtrinsicObject], id: Uuid) -> &str {
    let object = documents.iter().find(|o| o.common.id.ends_with(&id.to_string())).unwrap();
    object.common.status.as_deref().unwrap()
}

/// Waits until that many transactions wait for a lock.
async fn until_waiting(server: &Server, wanted: i64) {
    let deadline = Instant::now() + Duration::from_secs(30);
    let waiting = "select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'";
    while server.count(waiting).await < wanted {
        assert!(Instant::now() < deadline, "{wanted} transactions should wait for a lock");
    }
}

#[actix_web::test]
async fn the_surviving_record_shows_the_union_and_the_subsumed_one_takes_no_more() {
    let server = Server::start().await;
    let (a, b) = (patient(), patient());
    let (of_a, of_b) = (Submission::new(&a, "of a"), Submission::new(&b, "of b"));
    assert_filed(&server.file(&of_a).await);
    assert_filed(&server.file(&of_b).await);
    merge(&server.database, &a, &b).await.unwrap();

    let union = documents(&server, &b).await;
    assert_eq!(union.len(), 2);
    for object in &union {
        let shown = object.common.external_identifier(DOCUMENT_ENTRY_PATIENT_ID);
        assert_eq!(shown, Some(b.text.as_str()));
    }
    assert!(documents(&server, &a).await.is_empty());
    assert_eq!(server.read(&of_a.entry.unique_id).await.unwrap(), b"of a");
    let read_of = |patient: &Cx| {
        format!(
            "select count(*) from audit_trail where act = 'iti43-repository' and outcome = 'success'
                and patient_id = '{}'",
            patient.id
        )
    };
    assert_eq!(server.count(&read_of(&b)).await, 1);
    assert_eq!(server.count(&read_of(&a)).await, 0, "the patient is who survives");
    // Although this server opens records of patients it does not know.
    let refused = server.file(&Submission::new(&a, "too late")).await;
    assert_eq!(codes(&refused), ["XDSUnknownPatientId"]);
    assert!(refused.errors[0].context.contains("merged into another"), "{refused:?}");
    assert!(matches!(add(&server.database, &a).await, Err(Error::Refused(Refusal::StaysSo(State::Merged)))));
    assert_filed(&server.file(&Submission::new(&b, "after")).await);
    assert_eq!(documents(&server, &b).await.len(), 3);
    server.stop().await;
}

#[actix_web::test]
async fn merges_form_chains_and_never_cycles() {
    let server = Server::start().await;
    let (a, b, c) = (patient(), patient(), patient());
    for patient in [&a, &b, &c] {
        assert_filed(&server.file(&Submission::new(patient, "one")).await);
    }
    merge(&server.database, &a, &b).await.unwrap();
    merge(&server.database, &b, &c).await.unwrap();
    assert_eq!(documents(&server, &c).await.len(), 3);
    for dead in [&a, &b] {
        assert!(documents(&server, dead).await.is_empty());
        let expected = Refusal::NotOpen(Side::Surviving, State::Merged);
        assert_eq!(refusal(&server.database, &c, dead).await, expected);
        let expected = Refusal::NotOpen(Side::Subsumed, State::Merged);
        assert_eq!(refusal(&server.database, dead, &c).await, expected);
    }
    let known = registry::patients::identifiers(&server.database, &b).await.unwrap();
    assert_eq!(known.len(), 3);
    server.stop().await;
}

#[actix_web::test]
async fn a_merge_that_is_refused_changes_nothing_and_is_traced_for_both() {
    let server = Server::start().await;
    let (a, b, unknown) = (patient(), patient(), patient());
    add(&server.database, &a).await.unwrap();
    add(&server.database, &b).await.unwrap();
    let close = "update record set state = 'closed' from patient_identifier i where i.record = record.record and value = $1";
    server.database.get().await.unwrap().execute(close, &[&b.id]).await.unwrap();
    let database = &server.database;
    assert_eq!(refusal(database, &a, &a).await, Refusal::Same);
    assert_eq!(refusal(database, &unknown, &a).await, Refusal::Unknown(Side::Subsumed));
    assert_eq!(refusal(database, &a, &unknown).await, Refusal::Unknown(Side::Surviving));
    assert_eq!(refusal(database, &a, &b).await, Refusal::NotOpen(Side::Surviving, State::Closed));
    assert_eq!(refusal(database, &b, &a).await, Refusal::NotOpen(Side::Subsumed, State::Closed));
    assert_eq!(server.count("select count(*) from record where survivor is not null").await, 0);
    assert_eq!(server.count("select count(*) from record").await, 2);
    for act in ["patient-survived", "patient-subsumed"] {
        let traced = format!(
            "select count(*) from audit_trail where act = '{act}' and outcome = 'minor-failure' and patient_id is not null"
        );
        assert_eq!(server.count(&traced).await, 5);
    }
    server.stop().await;
}

#[actix_web::test]
async fn without_its_trace_there_is_no_merge() {
    let server = Server::start().await;
    let (a, b) = (patient(), patient());
    add(&server.database, &a).await.unwrap();
    add(&server.database, &b).await.unwrap();
    let block = "create function refuse() returns trigger language plpgsql as
        $$ begin raise exception 'no more traces'; end $$;
        create trigger refuse before insert on audit_inbox for each row execute function refuse()";
    server.database.get().await.unwrap().batch_execute(block).await.unwrap();
    assert!(matches!(merge(&server.database, &a, &b).await, Err(Error::Failed(_))));
    assert!(matches!(merge(&server.database, &a, &a).await, Err(Error::Failed(_))));
    assert!(matches!(add(&server.database, &patient()).await, Err(Error::Failed(_))));
    let allow = "drop trigger refuse on audit_inbox";
    server.database.get().await.unwrap().batch_execute(allow).await.unwrap();
    assert_eq!(server.count("select count(*) from record where survivor is not null").await, 0);
    assert_eq!(server.count("select count(*) from record").await, 2);
    server.stop().await;
}

#[actix_web::test]
async fn documents_of_a_merged_record_are_replaced_and_put_into_folders_by_the_survivor() {
    let server = Server::start().await;
    let (a, b, other) = (patient(), patient(), patient());
    let old = Submission::new(&a, "old");
    assert_filed(&server.file(&old).await);
    let folder = Folder {
        entry_uuid: Uuid::new_v4(),
        logical_id: None,
        codes: vec![Code::new("code", "1.2.250.1.999.1", "text")],
        comments: None,
        home_community_id: None,
        patient_id: a.clone(),
        title: "Suivi".to_owned(),
        unique_id: oid(),
        extra: vec![],
    };
    let member = |source: Uuid, target: Uuid| Association {
        entry_uuid: Uuid::new_v4(),
        association_type: AssociationType::HasMember,
        source,
        target,
        submission_set_status: None,
        ..Submission::new(&a, "").associations.remove(0)
    };
    let holder = Submission::new(&a, "");
    let mut objects = holder.objects();
    objects.extrinsic_objects.clear();
    objects.packages.push(folder.to_ebxml());
    let in_folder = member(folder.entry_uuid, old.entry.entry_uuid);
    objects.associations = [
        member(holder.set.entry_uuid, folder.entry_uuid),
        member(holder.set.entry_uuid, in_folder.entry_uuid),
        in_folder,
    ]
    .iter()
    .map(Association::to_ebxml)
    .collect();
    assert_filed(&server.client.register(&objects).await.unwrap());
    add(&server.database, &b).await.unwrap();
    merge(&server.database, &a, &b).await.unwrap();

    // An addendum by the survivor, which the replacement deprecates with its target.
    let mut addendum = Submission::new(&b, "addendum");
    addendum.associations.push(Association {
        entry_uuid: Uuid::new_v4(),
        association_type: AssociationType::Apnd,
        ..member(addendum.entry.entry_uuid, old.entry.entry_uuid)
    });
    assert_filed(&server.file(&addendum).await);
    let stranger = Submission::new(&other, "stranger").replacing(old.entry.entry_uuid);
    assert_eq!(codes(&server.file(&stranger).await), ["XDSPatientIdDoesNotMatch"]);
    let mut new = Submission::new(&b, "new").replacing(old.entry.entry_uuid);
    let by_sender = member(folder.entry_uuid, addendum.entry.entry_uuid);
    new.associations.push(member(new.set.entry_uuid, by_sender.entry_uuid));
    new.associations.push(by_sender);
    assert_filed(&server.file(&new).await);

    let union = documents(&server, &b).await;
    assert_eq!(union.len(), 3);
    assert_eq!(status_of(&union, old.entry.entry_uuid), STATUS_DEPRECATED);
    assert_eq!(status_of(&union, addendum.entry.entry_uuid), STATUS_DEPRECATED);
    assert_eq!(status_of(&union, new.entry.entry_uuid), STATUS_APPROVED);
    // The old document, the addendum by the sender, and the new document by the registry.
    let members = format!("select count(*) from association where source = '{}'", folder.entry_uuid);
    assert_eq!(server.count(&members).await, 3);
    // An association lives with its source.
    let astray = "select count(*) from association a join object o on o.entry_uuid = a.source where a.record <> o.record
        and a.association_type like '%HasMember' and o.kind = 'Folder'";
    assert_eq!(server.count(astray).await, 0);
    server.stop().await;
}

#[actix_web::test]
async fn a_submission_that_meets_a_running_merge_waits_and_is_refused() {
    let server = Server::start().await;
    let (a, b) = (patient(), patient());
    assert_filed(&server.file(&Submission::new(&a, "before")).await);
    add(&server.database, &b).await.unwrap();
    let record =
        |patient: &Cx| format!("(select record from patient_identifier where value = '{}')", patient.id);
    let mut client = server.database.get().await.unwrap();
    let running = client.transaction().await.unwrap();
    let mark = format!("update record set survivor = {} where record = {}", record(&b), record(&a));
    running.batch_execute(&mark).await.unwrap();
    let submission = Submission::new(&a, "too late");
    let (answer, ()) = join(server.file(&submission), async {
        until_waiting(&server, 1).await;
        running.commit().await.unwrap();
    })
    .await;
    assert_eq!(codes(&answer), ["XDSUnknownPatientId"]);
    assert_eq!(documents(&server, &b).await.len(), 1);
    drop(client);
    server.stop().await;
}

#[actix_web::test]
async fn a_merge_that_meets_a_running_submission_waits_for_it() {
    let server = Server::start().await;
    let (a, b) = (patient(), patient());
    add(&server.database, &a).await.unwrap();
    add(&server.database, &b).await.unwrap();
    let mut client = server.database.get().await.unwrap();
    let obstacle = client.transaction().await.unwrap();
    obstacle.batch_execute("lock table association in exclusive mode").await.unwrap();
    let submission = Submission::new(&a, "in time");
    let merged = async {
        until_waiting(&server, 1).await;
        merge(&server.database, &a, &b).await.unwrap();
        server.count("select count(*) from document_entry").await
    };
    let release = async {
        until_waiting(&server, 2).await;
        obstacle.commit().await.unwrap();
    };
    let (answer, (seen_after_merge, ())) = join(server.file(&submission), join(merged, release)).await;
    assert_filed(&answer);
    assert_eq!(seen_after_merge, 1, "the merge came before the submission that it met");
    assert_eq!(documents(&server, &b).await.len(), 1);
    drop(client);
    server.stop().await;
}

/// Twelve records are merged two by two into one while documents are filed for all of them.
#[actix_web::test]
async fn no_document_is_lost_by_merges_while_submissions_run() {
    const PATIENTS: usize = 12;
    const EACH: usize = 6;
    let server = Server::start().await;
    let patients: Vec<Cx> = (0..PATIENTS).map(|_| patient()).collect();
    for patient in &patients {
        add(&server.database, patient).await.unwrap();
    }
    let submissions: Vec<Submission> =
        (0..PATIENTS * EACH).map(|n| Submission::new(&patients[n % PATIENTS], format!("{n}"))).collect();
    let merges = async {
        let mut alive: Vec<&Cx> = patients.iter().collect();
        while let [_, _, ..] = alive[..] {
            let pairs: Vec<(&Cx, &Cx)> = alive.chunks_exact(2).map(|pair| (pair[0], pair[1])).collect();
            let rest = alive.chunks_exact(2).remainder().to_vec();
            for merged in join_all(pairs.iter().map(|(a, b)| merge(&server.database, a, b))).await {
                merged.unwrap();
            }
            alive = pairs.iter().map(|(_, b)| *b).chain(rest).collect();
        }
        alive[0]
    };
    let answers = join_all(submissions.iter().map(|submission| server.file(submission)));
    let (answers, survivor) = join(answers, merges).await;
    let mut filed: Vec<String> = Vec::new();
    for (answer, submission) in answers.iter().zip(&submissions) {
        match answer.status {
            ResponseStatus::Success => filed.push(format!("urn:uuid:{}", submission.entry.entry_uuid)),
            _ => assert_eq!(codes(answer), ["XDSUnknownPatientId"]),
        }
    }
    let mut found: Vec<String> =
        documents(&server, survivor).await.into_iter().map(|object| object.common.id).collect();
    filed.sort();
    found.sort();
    assert!(!filed.is_empty());
    assert_eq!(filed, found);
    assert_eq!(server.count("select count(*) from record where survivor is null").await, 1);
    server.stop().await;
}

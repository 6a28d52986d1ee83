//! Who may use the audit.

use std::os::unix::fs::PermissionsExt;

use super::{Answer, JSON, Reader, token, traces};
use crate::harness::Server;

const DATED: &str = "/fhir/AuditEvent?date=2026";

async fn with(server: &Server, authorization: &[&str]) -> Answer {
    let mut request = awc::Client::default().get(format!("{}{DATED}", server.url));
    for value in authorization {
        request = request.append_header(("Authorization", *value));
    }
    Answer::to(request, Vec::new()).await
}

#[actix_web::test]
async fn nobody_gets_in_without_a_token_and_each_attempt_leaves_a_trace() {
    let server = Server::start().await;
    let good = format!("Bearer {}", token(server.folder.path()));
    let wrong = good.replace("Bearer ", "Bearer x");
    let basic = good.replace("Bearer", "Basic");
    for (given, sentence) in [
        (&[][..], "the audit needs a bearer token"),
        (&["Bearer"][..], "the audit needs a bearer token, and no other authorization"),
        (&["Bearer "][..], "the audit needs a bearer token, and no other authorization"),
        (&[wrong.as_str()][..], "the bearer token is not known here"),
        (&[basic.as_str()][..], "the audit needs a bearer token, and no other authorization"),
        (&[good.as_str(), good.as_str()][..], "more than one Authorization header"),
    ] {
        let answer = with(&server, given).await;
        assert_eq!(answer.refusal(), (401, sentence.to_owned()), "{given:?}");
        assert_eq!(answer.header("www-authenticate"), Some("Bearer realm=\"carnet audit\""));
        assert_eq!(answer.header("cache-control"), Some("no-store"));
    }
    assert_eq!(traces(&server, "authentication-failed", "outcome = 'minor-failure'").await, 6);
    assert_eq!(traces(&server, "iti81-audit-repository", "true").await, 0);
    assert_eq!(with(&server, &[&good.replace("Bearer", "bearer")]).await.status, 200);
    let secret = good.strip_prefix("Bearer ").unwrap();
    let told = format!("select count(*) from audit_trail where content::text like '%{secret}%'");
    assert_eq!(server.count(&told).await, 0);
    server.stop().await;
}

#[actix_web::test]
async fn every_door_but_the_statement_of_what_the_server_does_needs_a_token() {
    let server = Server::start().await;
    let stranger = Reader { base: server.url.clone(), token: "x".to_owned() };
    for path in [DATED, "/fhir/AuditEvent/1", "/fhir/syslogsearch?date=2026", "/syslogsearch?date=2026"] {
        assert_eq!(stranger.get(path).await.refusal().0, 401, "{path}");
    }
    for path in ["/fhir", "/fhir/", "/fhir/AuditEvent", "/fhir/AuditEvent/_search"] {
        assert_eq!(stranger.post(path, JSON, "{}").await.refusal().0, 401, "{path}");
    }
    assert_eq!(stranger.get("/fhir/metadata").await.status, 200);
    assert_eq!(server.count("select count(*) from audit_rejected").await, 0);
    server.stop().await;
}

#[actix_web::test]
async fn a_token_may_be_for_reading_or_for_writing_only_and_is_taken_back_at_once() {
    let server = Server::start().await;
    let path = server.folder.path().join("audit/token");
    let given = |name: &str| format!("{name}-0123456789012345678901234567890123");
    let [anne, pacs, eve] = ["anne", "pacs", "eve"].map(given);
    std::fs::write(&path, format!("{anne} anne read\n{pacs} pacs write\n{eve} eve\n")).unwrap();
    let [anne, pacs, eve] = [anne, pacs, eve].map(|token| Reader { base: server.url.clone(), token });
    assert_eq!(anne.get(DATED).await.status, 200);
    let refused = pacs.get(DATED).await;
    assert_eq!(refused.refusal(), (403, "this token does not give the right to read the audit".to_owned()));
    let challenge = refused.header("www-authenticate").unwrap();
    assert!(challenge.ends_with("error=\"insufficient_scope\""), "{challenge}");
    let wrong = anne.post("/fhir/AuditEvent", JSON, "{}").await;
    assert_eq!(wrong.refusal(), (403, "this token does not give the right to write the audit".to_owned()));
    assert_eq!(pacs.post("/fhir/AuditEvent", JSON, "{}").await.status, 400);
    let who = |name: &str| format!("content -> 'requester' ->> 'who' = '{name}'");
    assert_eq!(traces(&server, "authentication-failed", &who("anne")).await, 1);
    assert_eq!(traces(&server, "authentication-failed", &who("pacs")).await, 1);
    assert_eq!(traces(&server, "iti81-audit-repository", &who("anne")).await, 1);

    assert_eq!(eve.get(DATED).await.status, 200);
    std::fs::write(&path, format!("{} anne read\n", anne.token)).unwrap();
    assert_eq!((eve.get(DATED).await.status, anne.get(DATED).await.status), (401, 200));
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
    assert_eq!(anne.get(DATED).await.refusal(), (500, "internal error of the server".to_owned()));
    server.stop().await;
}

#[actix_web::test]
async fn the_doors_can_be_closed_and_the_token_kept_elsewhere() {
    let folder = test_support::folder();
    let file = folder.path().join("tokens");
    let closed = Server::with(&[
        ("CARNET_AUDIT__HTTP", "false"),
        ("CARNET_AUDIT__TOKEN_FILE", file.to_str().unwrap()),
    ])
    .await;
    let reader = Reader { base: closed.url.clone(), token: "x".to_owned() };
    for path in ["/fhir/metadata", DATED, "/syslogsearch?date=2026"] {
        assert_eq!(reader.get(path).await.status, 404, "{path}");
    }
    assert!(!file.exists() && !closed.folder.path().join("audit/token").exists());
    let open = closed.restart(&[("CARNET_AUDIT__TOKEN_FILE", file.to_str().unwrap())]).await;
    let text = std::fs::read_to_string(&file).unwrap();
    let token = text.lines().last().unwrap().split(' ').next().unwrap().to_owned();
    let reader = Reader { base: open.url.clone(), token };
    assert_eq!(reader.get(DATED).await.status, 200);
    assert!(!open.folder.path().join("audit/token").exists());
    open.stop().await;
}

//! Octets that go before their document is filed: nobody is told that it was.

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::harness::Server;
use crate::wire::{ACTION, request};

#[actix_web::test]
async fn a_submission_whose_first_document_was_lost_while_the_rest_came_is_refused() {
    let server = Server::start().await;
    let request = request("lettre", ACTION, "cid:1");
    let first = format!(
        "--b\r\n\r\n{}\r\n--b\r\nContent-ID: <1>\r\n\r\nlettre\r\n--b\r\nContent-ID: <2>\r\n\r\nand",
        request.envelope
    );
    let rest = " more\r\n--b--";
    let head = format!(
        "POST /services/repository HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\
         Content-Type: multipart/related; boundary=b\r\nContent-Length: {}\r\n\r\n",
        first.len() + rest.len()
    );
    let mut stream = TcpStream::connect(server.url.strip_prefix("http://").unwrap()).await.unwrap();
    stream.write_all(format!("{head}{first}").as_bytes()).await.unwrap();
    let stored = stored_file(&server).await;
    std::fs::remove_file(stored).unwrap();
    stream.write_all(rest.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    assert!(answer.contains("ResponseStatusType:Failure"), "{answer}");
    assert!(answer.contains("XDSRepositoryError") && answer.contains("send it again"), "{answer}");
    for table in ["document", "document_entry"] {
        assert_eq!(server.count(&format!("select count(*) from {table}")).await, 0, "{table}");
    }
    server.stop().await;
}

/// The octets of the first document, once they are in their place.
async fn stored_file(server: &Server) -> std::path::PathBuf {
    let documents = server.folder.path().join("documents");
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(30);
    loop {
        let parts = std::fs::read_dir(&documents).unwrap().map(|part| part.unwrap().path());
        let parts = parts.filter(|part| !part.ends_with("tmp"));
        if let Some(file) = parts.into_iter().find_map(|part| std::fs::read_dir(part).unwrap().next()) {
            return file.unwrap().path();
        }
        assert!(std::time::Instant::now() < deadline, "nothing is stored");
        tokio::task::yield_now().await;
    }
}

#[actix_web::test]
async fn a_server_whose_requests_could_become_as_old_as_what_the_sweep_takes_does_not_start() {
    let folder = test_support::folder();
    for (minutes, is_good) in [("719", true), ("720", false)] {
        let settings = [("CARNET_LIMITS__REQUEST_MINUTES", minutes)];
        let database = test_support::TestDatabase::create().await;
        let config = crate::harness::config(folder.path(), Some(&database.url), &settings);
        assert_eq!(config.check().is_ok(), is_good);
        if !is_good {
            let refused = carnet::serve::start(&config).await.err().unwrap().to_string();
            assert!(
                refused.contains("limits.request_minutes") && refused.contains("less than 720"),
                "{refused}"
            );
        }
    }
}

//! A server that is told to stop: at any moment it answers what it has begun, and ends well.

use std::io::{BufRead, BufReader};
use std::os::unix::net::UnixDatagram;
use std::process::{Child, Stdio};
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::command_line::Installation;
use crate::harness::Server;

fn serve(carnet: &Installation, environment: &[(&str, &str)]) -> Child {
    let mut command = carnet.command(&["serve"]);
    command.envs(environment.iter().copied()).stdin(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap()
}

fn send(server: &Child, signal: Signal) {
    kill(Pid::from_raw(server.id() as i32), signal).unwrap();
}

/// Reads the log until a line says this.
fn until(log: &mut impl BufRead, text: &str) {
    let mut all = String::new();
    while !all.contains(text) {
        assert!(log.read_line(&mut all).unwrap() > 0, "the log ended:\n{all}");
    }
}

fn stops_in_the_audit(carnet: &Installation) -> usize {
    let events = carnet.good(&["audit", "--json"]);
    let acts = events.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()["act"].clone());
    acts.filter(|act| act == "server-stopped").count()
}

#[test]
fn a_signal_at_the_moment_when_the_server_is_ready_stops_it_well() {
    let carnet = Installation::new("");
    for (round, signal) in [Signal::SIGTERM, Signal::SIGINT, Signal::SIGTERM].into_iter().enumerate() {
        let mut server = serve(&carnet, &[]);
        let mut log = BufReader::new(server.stderr.take().unwrap());
        until(&mut log, "Carnet is ready");
        send(&server, signal);
        until(&mut log, "Carnet has stopped");
        assert_eq!(server.wait().unwrap().code(), Some(0));
        assert_eq!(stops_in_the_audit(&carnet), round + 1);
    }
}

#[test]
fn a_signal_before_the_server_is_ready_ends_it_too() {
    let carnet = Installation::new("");
    // Whoever makes the first database takes a while.
    let mut server = serve(&carnet, &[]);
    let postgres = carnet.path("var/postgres");
    while !postgres.exists() {
        assert!(server.try_wait().unwrap().is_none());
    }
    send(&server, Signal::SIGTERM);
    let mut log = BufReader::new(server.stderr.take().unwrap());
    until(&mut log, "stopped");
    assert_eq!(server.wait().unwrap().code(), Some(0));
    // What was begun is no obstacle.
    let mut server = serve(&carnet, &[]);
    let mut log = BufReader::new(server.stderr.take().unwrap());
    until(&mut log, "Carnet is ready");
    send(&server, Signal::SIGTERM);
    until(&mut log, "Carnet has stopped");
    assert_eq!(server.wait().unwrap().code(), Some(0));
}

#[test]
fn a_service_manager_is_told_when_the_server_is_ready_and_when_it_stops() {
    let carnet = Installation::new("");
    let path = carnet.path("notify");
    let manager = UnixDatagram::bind(&path).unwrap();
    manager.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
    let told = || {
        let mut octets = [0; 64];
        let length = manager.recv(&mut octets).unwrap();
        String::from_utf8(octets[..length].to_vec()).unwrap()
    };
    let mut server = serve(&carnet, &[("NOTIFY_SOCKET", path.to_str().unwrap())]);
    assert_eq!(told(), "READY=1");
    assert!(carnet.run(&["status"]).status.success(), "it answers");
    send(&server, Signal::SIGTERM);
    assert_eq!(told(), "STOPPING=1");
    assert_eq!(server.wait().unwrap().code(), Some(0));
}

async fn connect(server: &str) -> TcpStream {
    TcpStream::connect(server.strip_prefix("http://").unwrap()).await.unwrap()
}

const HEALTH: &[u8] = b"GET /health HTTP/1.1\r\nHost: h\r\n\r\n";

/// Reads one answer with a body. `None`: the connection was closed before its first octet. Anything between is a half answer.
async fn answer(stream: &mut TcpStream) -> Option<String> {
    let mut octets = Vec::new();
    loop {
        let text = String::from_utf8_lossy(&octets);
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head.lines().find_map(|line| {
                let (name, value) = line.split_once(": ")?;
                name.eq_ignore_ascii_case("content-length").then(|| value.parse::<usize>().unwrap())
            });
            if body.len() == length.unwrap() {
                return Some(text.into_owned());
            }
        }
        // Whoever closes a connection that has unread octets resets it.
        let read = stream.read_buf(&mut octets).await.unwrap_or(0);
        if read == 0 {
            assert!(octets.is_empty(), "half an answer: {}", String::from_utf8_lossy(&octets));
            return None;
        }
    }
}

fn says_close(answer: &str) -> bool {
    answer.lines().any(|line| line.eq_ignore_ascii_case("connection: close"))
}

#[actix_web::test]
async fn what_was_begun_is_answered_and_idle_connections_are_closed() {
    let server = Server::start().await;
    let url = server.url.clone();
    let mut idle = connect(&url).await;
    idle.write_all(HEALTH).await.unwrap();
    assert!(!says_close(&answer(&mut idle).await.unwrap()), "it stays open for the next request");
    // Its body is not there yet; the server says that it waits for it.
    let mut begun = connect(&url).await;
    let head = "POST /services/registry HTTP/1.1\r\nHost: h\r\nContent-Type: application/soap+xml\r\nContent-Length: 4\r\n";
    begun.write_all(format!("{head}Expect: 100-continue\r\n\r\n").as_bytes()).await.unwrap();
    let mut expected = *b"HTTP/1.1 100 Continue\r\n\r\n";
    begun.read_exact(&mut expected).await.unwrap();
    assert_eq!(&expected, b"HTTP/1.1 100 Continue\r\n\r\n");

    let meanwhile = async {
        assert_eq!(answer(&mut idle).await, None, "the idle connection is closed");
        begun.write_all(b"<a/>").await.unwrap();
        let last = answer(&mut begun).await.unwrap();
        assert!(last.starts_with("HTTP/1.1 400 ") && last.contains("Fault"), "{last}");
        assert!(says_close(&last), "{last}");
        assert_eq!(answer(&mut begun).await, None);
    };
    tokio::join!(server.stop_broken(), meanwhile);
    assert!(TcpStream::connect(url.strip_prefix("http://").unwrap()).await.is_err());
}

#[actix_web::test]
async fn a_client_that_never_pauses_gets_whole_answers_until_its_connection_is_closed() {
    let server = Server::start().await;
    let url = server.url.clone();
    let (started, begins) = tokio::sync::oneshot::channel();
    let busy = async {
        let mut stream = connect(&url).await;
        let mut started = Some(started);
        let mut answers = 0;
        loop {
            if stream.write_all(HEALTH).await.is_err() {
                return answers;
            }
            match answer(&mut stream).await {
                None => return answers,
                Some(whole) => {
                    answers += 1;
                    if answers == 100 {
                        started.take().unwrap().send(()).unwrap();
                    }
                    if says_close(&whole) {
                        assert_eq!(answer(&mut stream).await, None);
                        return answers;
                    }
                }
            }
        }
    };
    let stopped = async {
        begins.await.unwrap();
        server.stop_broken().await;
    };
    let (answers, ()) = tokio::join!(busy, stopped);
    assert!(answers >= 100, "{answers}");
}

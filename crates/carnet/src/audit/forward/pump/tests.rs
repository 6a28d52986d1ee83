//! Repositories that misbehave.

use std::collections::HashSet;
use std::net::SocketAddr;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use access::Requester;
use atna::{Act, Event, Outcome, Source};
use openssl::ssl::Ssl;
use test_support::certificates::{NOW, Node};
use tokio::io::AsyncReadExt;
use tokio::net::{TcpSocket, TcpStream, UdpSocket};
use tokio_openssl::SslStream;

use super::*;
use crate::config::{self, ClientCertificates, Transport};
use crate::tls::Tls;

/// Events in memory.
#[derive(Default)]
struct Memory {
    events: Vec<Event>,
    position: u64,
    /// Every position that was kept.
    kept: Vec<u64>,
}

impl Memory {
    fn of(count: usize, text: &str) -> Memory {
        let source = Source::here("carnet", None);
        let requester = Requester::remote(None, "https://host.example/services/registry");
        let event =
            || Event::new(Act::Iti18Registry, Outcome::MinorFailure, &requester, &source).described(text);
        Memory { events: (0..count).map(|_| event()).collect(), ..Memory::default() }
    }

    fn ids(&self) -> Vec<Uuid> {
        self.events.iter().map(|event| event.id).collect()
    }
}

impl Queue for Memory {
    type Error = String;

    async fn size(&mut self) -> Result<u64, String> {
        Ok(self.events.len() as u64)
    }

    async fn read(&mut self, from: u64) -> Result<Vec<(u64, Entry)>, String> {
        let rest = self.events.iter().enumerate().skip(from as usize).take(100);
        Ok(rest.map(|(position, event)| (position as u64, event.clone().into())).collect())
    }

    async fn position(&mut self) -> Result<u64, String> {
        Ok(self.position)
    }

    async fn advance(&mut self, position: u64) -> Result<(), String> {
        self.position = position;
        self.kept.push(position);
        Ok(())
    }
}

/// What a repository does with one connection.
#[derive(Debug, Clone, Copy)]
enum Manner {
    /// Closes it before TLS.
    NoTls,
    /// Shakes hands and closes.
    Nothing,
    /// Reads so many octets and closes it, in the middle of a frame or not.
    Octets(usize),
    /// Never reads.
    Silent,
    /// Reads everything.
    Good,
}

/// A repository on loopback, and what it got, connection by connection.
struct Arr {
    folder: tempfile::TempDir,
    address: SocketAddr,
    got: Arc<Mutex<Vec<Vec<Uuid>>>>,
    /// Connections that the other side ended as TLS wants it.
    ended: Arc<AtomicUsize>,
}

impl Arr {
    /// The last manner is that of all further connections.
    async fn start(manners: &'static [Manner]) -> Arr {
        let folder = tempfile::tempdir().unwrap();
        let authority = Node::authority("authority");
        let (authorities, _) = authority.write(folder.path(), "authorities");
        let (certificate, key) = authority.issue("arr", NOW).write(folder.path(), "arr");
        authority.issue("carnet", NOW).write(folder.path(), "carnet");
        let settings = config::Tls {
            certificate,
            key,
            authorities: Some(authorities),
            client_certificates: ClientCertificates::Required,
        };
        let (tls, _) = Tls::load(&settings, true).unwrap();
        let socket = TcpSocket::new_v4().unwrap();
        socket.set_recv_buffer_size(64 << 10).unwrap();
        socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
        let listener = socket.listen(8).unwrap();
        let address = listener.local_addr().unwrap();
        let got: Arc<Mutex<Vec<Vec<Uuid>>>> = Arc::default();
        let (all, ended) = (got.clone(), Arc::<AtomicUsize>::default());
        let peaceful = ended.clone();
        tokio::spawn(async move {
            let mut silent = Vec::new();
            for number in 0.. {
                let manner = manners.get(number).or(manners.last()).copied().unwrap();
                let (stream, _) = listener.accept().await.unwrap();
                all.lock().unwrap().push(Vec::new());
                if let Manner::NoTls = manner {
                    continue;
                }
                let mut stream = SslStream::new(Ssl::new(&tls.context()).unwrap(), stream).unwrap();
                if std::pin::Pin::new(&mut stream).accept().await.is_err() {
                    continue;
                }
                match manner {
                    Manner::NoTls | Manner::Nothing => {}
                    Manner::Silent => silent.push(stream),
                    Manner::Octets(count) => drop(read(stream, count, &all, number).await),
                    Manner::Good => drop(tokio::spawn({
                        let (all, peaceful) = (all.clone(), peaceful.clone());
                        async move {
                            if read(stream, usize::MAX, &all, number).await.is_ok() {
                                peaceful.fetch_add(1, Ordering::Relaxed);
                            }
                        }
                    })),
                }
            }
        });
        Arr { folder, address, got, ended }
    }

    fn pump(&self) -> Pump {
        let path = |name: &str| self.folder.path().join(name);
        let identity = Identity {
            authorities: Some(path("authorities.pem")),
            certificate: Some((path("carnet.pem"), path("carnet.key"))),
            check_host: true,
        };
        pump(Transport::Tls, self.address, identity)
    }

    fn got(&self) -> Vec<Vec<Uuid>> {
        self.got.lock().unwrap().clone()
    }

    /// Runs the pump until the repository has everything.
    async fn gets(&self, pump: &Pump, queue: &mut Memory) {
        let all: HashSet<Uuid> = queue.ids().into_iter().collect();
        let complete = async {
            // Looking costs more than it tells as long as too few have come.
            while self.got.lock().unwrap().iter().map(Vec::len).sum::<usize>() < all.len()
                || self.got().concat().iter().collect::<HashSet<_>>().len() < all.len()
            {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        tokio::select! {
            ended = pump.run(queue) => panic!("{ended:?}"),
            () = complete => {}
            () = tokio::time::sleep(Duration::from_secs(600)) => panic!("not everything came"),
        }
    }
}

/// Reads frames until `count` octets have come, and keeps the ids of their events.
async fn read(
    mut stream: SslStream<TcpStream>,
    count: usize,
    all: &Mutex<Vec<Vec<Uuid>>>,
    number: usize,
) -> std::io::Result<()> {
    let mut framer = syslog::Framer::new(1 << 20);
    let (mut octets, mut left) = (vec![0; 16 << 10], count);
    while left > 0 {
        let length = left.min(octets.len());
        let length = stream.read(&mut octets[..length]).await?;
        if length == 0 {
            return Ok(());
        }
        left -= length;
        let mut portion = &octets[..length];
        while let Some(frame) = framer.next(&mut portion).unwrap() {
            let text = syslog::Message::parse(&frame).unwrap().text.to_owned();
            let id = text.rsplit_once("<!-- ").unwrap().1.trim_end_matches(" -->").parse().unwrap();
            all.lock().unwrap()[number].push(id);
        }
    }
    Ok(())
}

fn pump(transport: Transport, address: SocketAddr, identity: Identity) -> Pump {
    let target = Target { transport, host: address.ip().to_string(), port: address.port() };
    let settings = Forward {
        targets: vec![],
        replay: Duration::from_secs(60),
        timeout: Duration::from_secs(1),
        retry: Duration::from_secs(1),
        received: false,
        authorities: None,
        certificate: None,
    };
    let (hostname, metrics) = ("host.example".to_owned(), Arc::default());
    let (stop, stopped) = watch::channel(false);
    // Without it everything stops.
    std::mem::forget(stop);
    Pump { name: target.to_string(), target, settings, identity, hostname, metrics, stopped }
}

/// Everything came, in order, whatever came twice.
fn assert_complete(got: &[Vec<Uuid>], queue: &Memory) {
    let ids = queue.ids();
    let mut seen = HashSet::new();
    let first: Vec<Uuid> = got.concat().into_iter().filter(|id| seen.insert(*id)).collect();
    assert!(first == ids, "{} of {} events came, or in another order", first.len(), ids.len());
    for connection in got.iter().filter(|connection| !connection.is_empty()) {
        let start = ids.iter().position(|id| *id == connection[0]).unwrap();
        assert!(ids[start..].starts_with(connection), "a connection left something out");
    }
}

#[tokio::test]
async fn a_repository_that_takes_everything_gets_everything_once() {
    let arr = Arr::start(&[Manner::Good]).await;
    let (pump, mut queue) = (arr.pump(), Memory::of(2_000, "refused"));
    arr.gets(&pump, &mut queue).await;
    assert_eq!(arr.got(), [queue.ids()]);
    assert_eq!(pump.metrics.get(&metrics::FORWARDED, &pump.name), 2_000);
    assert_eq!(pump.metrics.get(&metrics::FORWARD_RECONNECTS, &pump.name), 0);
    assert_eq!(queue.kept, [0_u64; 0], "nothing is settled yet");
}

#[tokio::test]
async fn one_that_refuses_tls_gets_everything_when_it_does_not() {
    let arr = Arr::start(&[Manner::NoTls, Manner::Nothing, Manner::Good]).await;
    let (pump, mut queue) = (arr.pump(), Memory::of(1_000, "refused"));
    arr.gets(&pump, &mut queue).await;
    assert_complete(&arr.got(), &queue);
    assert_eq!(pump.metrics.get(&metrics::FORWARD_RECONNECTS, &pump.name), 2);
}

#[tokio::test]
async fn one_that_closes_in_the_middle_of_a_frame_gets_the_last_moments_again() {
    let arr = Arr::start(&[Manner::Octets(100_001), Manner::Octets(300_003), Manner::Good]).await;
    let (pump, mut queue) = (arr.pump(), Memory::of(3_000, "refused"));
    arr.gets(&pump, &mut queue).await;
    let got = arr.got();
    assert_complete(&got, &queue);
    assert!(got[0].len() > 10 && got[1].starts_with(&got[0]) && got[2].starts_with(&got[1]));
}

#[tokio::test]
async fn one_that_never_reads_is_left_and_loses_nothing() {
    let arr = Arr::start(&[Manner::Silent, Manner::Good]).await;
    // More than the buffers on the way hold.
    let (pump, mut queue) = (arr.pump(), Memory::of(3_000, &"x".repeat(5_000)));
    arr.gets(&pump, &mut queue).await;
    assert_eq!(arr.got(), [vec![], queue.ids()]);
}

#[tokio::test]
async fn one_that_comes_back_after_a_hundred_thousand_events_gets_them_all() {
    let arr = Arr::start(&[Manner::NoTls, Manner::Octets(5_000_001), Manner::Good]).await;
    let (pump, mut queue) = (arr.pump(), Memory::of(100_000, "refused"));
    arr.gets(&pump, &mut queue).await;
    assert_complete(&arr.got(), &queue);
}

#[tokio::test]
async fn what_is_settled_is_not_sent_again() {
    let arr = Arr::start(&[Manner::Good]).await;
    let (mut pump, mut queue) = (arr.pump(), Memory::of(500, "refused"));
    pump.settings.replay = Duration::from_millis(1);
    arr.gets(&pump, &mut queue).await;
    // The position is kept when the queue is looked at next.
    while queue.position < 500 {
        let _ = tokio::time::timeout(Duration::from_millis(1200), pump.run(&mut queue)).await;
    }
    let before = arr.got().concat().len();
    queue.events.extend(Memory::of(10, "refused").events);
    arr.gets(&pump, &mut queue).await;
    assert_eq!(arr.got().concat().len(), before + 10);
    assert!(queue.kept.is_sorted());
}

#[tokio::test]
async fn a_connection_is_ended_in_peace_when_the_server_stops() {
    let arr = Arr::start(&[Manner::Good]).await;
    let (mut pump, mut queue) = (arr.pump(), Memory::of(10, "refused"));
    let (stop, stopped) = watch::channel(false);
    pump.stopped = stopped;
    let stopping = async {
        while arr.got().concat().len() < 10 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        stop.send(true).unwrap();
    };
    let (outcome, ()) = tokio::join!(pump.run(&mut queue), stopping);
    assert_eq!(outcome, Ok(()));
    let ended = async {
        while arr.ended.load(Ordering::Relaxed) == 0 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), ended).await.unwrap();
    assert_eq!(pump.metrics.get(&metrics::FORWARD_RECONNECTS, &pump.name), 0);
}

#[tokio::test]
async fn what_a_stranger_says_is_not_believed() {
    let (arr, other) = (Arr::start(&[Manner::Good]).await, Arr::start(&[Manner::Good]).await);
    let (mut pump, mut queue) = (arr.pump(), Memory::of(10, "refused"));
    pump.identity = other.pump().identity;
    let _ = tokio::time::timeout(Duration::from_secs(1), pump.run(&mut queue)).await;
    assert!(arr.got().concat().is_empty());
    assert!(pump.metrics.get(&metrics::FORWARD_RECONNECTS, &pump.name) > 0);
    assert_eq!(pump.metrics.get(&metrics::FORWARD_BACKLOG, &pump.name), 10);
}

#[tokio::test]
async fn a_datagram_is_one_message_and_one_that_fits_none_is_counted() {
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let pump = pump(Transport::Udp, socket.local_addr().unwrap(), Identity::default());
    let mut queue = Memory::of(3, "refused");
    queue.events[1].outcome_description = Some("x".repeat(65_507));
    queue.events[2].outcome_description = Some("x".repeat(60_000));
    let mut octets = vec![0; 70_000];
    let mut ids: Vec<Uuid> = Vec::new();
    let reading = async {
        while ids.len() < 2 {
            let length = socket.recv(&mut octets).await.unwrap();
            let message = syslog::Message::parse(&octets[..length]).unwrap();
            ids.push(message.text.rsplit_once("<!-- ").unwrap().1.trim_end_matches(" -->").parse().unwrap());
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    };
    tokio::select! {
        ended = pump.run(&mut queue) => panic!("{ended:?}"),
        () = reading => {}
    }
    assert_eq!(ids, [queue.events[0].id, queue.events[2].id]);
    assert_eq!(pump.metrics.get(&metrics::FORWARD_OVERSIZE, &pump.name), 1);
    assert_eq!(queue.position, 3);
}

#[test]
fn waits_double_up_to_the_longest_and_are_never_the_same_for_all() {
    let longest = Duration::from_secs(60);
    for (failures, full) in [(1, 250), (2, 500), (5, 4_000), (20, 60_000), (100, 60_000)] {
        for _ in 0..50 {
            let full = Duration::from_millis(full);
            assert!((full / 2..=full).contains(&wait(failures, longest)), "{failures}");
        }
    }
    assert!((0..50).map(|_| wait(9, longest)).collect::<HashSet<_>>().len() > 5);
}

//! A crash at any moment: what was acknowledged is there.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use client::{Client, Encoding, Endpoints};
use nix::sys::signal::Signal;
use xds::message::ResponseStatus;

use crate::command_line::Installation;
use crate::harness::{REPOSITORY, Submission, patient, read};

const CLIENTS: usize = 8;
const SUBMISSIONS: usize = 200;

/// (uniqueId, octets) of what was acknowledged.
type Acknowledged = Arc<Mutex<Vec<(String, Vec<u8>)>>>;

/// Files documents from several clients at once, on threads of their own, until all are filed or the server is gone.
/// `started` counts answers, so that the caller can kill the server in the middle.
fn load(
    url: &str,
    acknowledged: &Acknowledged,
    answers: &Arc<AtomicUsize>,
) -> Vec<std::thread::JoinHandle<()>> {
    (0..CLIENTS)
        .map(|number| {
            let (url, acknowledged, answers) = (url.to_owned(), acknowledged.clone(), answers.clone());
            std::thread::spawn(move || {
                actix_web::rt::System::new().block_on(async move {
                    let client = Client::new(Endpoints::of_server(&url));
                    let patient = patient();
                    for round in 0..SUBMISSIONS / CLIENTS {
                        let octets: Vec<u8> =
                            (0..30_000).map(|n| ((n * 7 + round * 13 + number * 29) % 251) as u8).collect();
                        let submission = Submission::new(&patient, octets);
                        match submission.try_send(&client, Encoding::Mtom).await {
                            Ok(response) if response.status == ResponseStatus::Success => acknowledged
                                .lock()
                                .unwrap()
                                .push((submission.entry.unique_id.clone(), submission.octets.clone())),
                            Ok(response) => panic!("{response:?}"),
                            Err(_) => return,
                        }
                        answers.fetch_add(1, Ordering::SeqCst);
                    }
                });
            })
        })
        .collect()
}

#[actix_web::test]
async fn every_acknowledged_document_is_read_back_after_kill_9() {
    let settings = format!("[patients]\nunknown = \"open\"\n[repository]\nunique_id = \"{REPOSITORY}\"\n");
    let mut carnet = Installation::new(&settings);
    carnet.start();
    let acknowledged = Acknowledged::default();
    let answers = Arc::new(AtomicUsize::new(0));
    for thread in load(&carnet.url(), &acknowledged, &answers) {
        thread.join().unwrap();
    }
    assert_eq!(acknowledged.lock().unwrap().len(), SUBMISSIONS);

    answers.store(0, Ordering::SeqCst);
    let threads = load(&carnet.url(), &acknowledged, &answers);
    let deadline = Instant::now() + Duration::from_secs(60);
    while answers.load(Ordering::SeqCst) < SUBMISSIONS / 3 {
        assert!(Instant::now() < deadline, "{}", carnet.log());
        std::thread::yield_now();
    }
    carnet.end(Signal::SIGKILL);
    for thread in threads {
        thread.join().unwrap();
    }
    let acknowledged = acknowledged.lock().unwrap().clone();
    assert!(
        (SUBMISSIONS + SUBMISSIONS / 3..2 * SUBMISSIONS).contains(&acknowledged.len()),
        "{}",
        acknowledged.len()
    );

    carnet.start();
    let client = Client::new(Endpoints::of_server(&carnet.url()));
    for (unique_id, octets) in &acknowledged {
        assert!(
            read(&client, unique_id, Encoding::Mtom).await.as_ref() == Some(octets),
            "{unique_id} is lost"
        );
    }
    assert_eq!(carnet.end(Signal::SIGTERM), Some(0));
}

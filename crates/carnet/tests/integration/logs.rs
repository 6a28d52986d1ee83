//! No log line of the whole run names a patient: every server of these tests writes its log into [`Watched`], at a level
//! where it says more than in production. The first line that gives something away ends the run.

use std::collections::HashSet;
use std::io::{self, Write};
use std::sync::{LazyLock, Mutex, Once};

/// Of the documents that tests file, the signs of any CX, and headers that carry secrets.
const PRIVATE: [&str; 10] = [
    "257041995001259",
    "279035121518989",
    "LAURENGEOT",
    "Camille",
    "Imposteur",
    "^^^&",
    "^^^&amp;",
    "ClinicalDocument",
    "<rim:",
    "Bearer ",
];

static PATIENTS: LazyLock<Mutex<HashSet<String>>> = LazyLock::new(Mutex::default);

/// A patient whose identifier must not be logged.
pub fn keep_private(id: &str) {
    PATIENTS.lock().unwrap().insert(id.to_owned());
}

/// Watches all that is logged in this process from now on.
pub fn watch() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let logs =
            tracing_subscriber::fmt().with_env_filter("debug").with_ansi(false).with_writer(|| Watched);
        logs.try_init().unwrap();
    });
}

/// What a line gives away.
pub fn given_away(line: &str) -> Option<String> {
    let fixed = PRIVATE.iter().find(|private| line.contains(**private)).map(|private| (*private).to_owned());
    fixed.or_else(|| PATIENTS.lock().unwrap().iter().find(|id| line.contains(id.as_str())).cloned())
}

/// A log that is read and not kept.
struct Watched;

impl Write for Watched {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        let text = String::from_utf8_lossy(line);
        if let Some(private) = given_away(&text) {
            eprintln!("a log line gives {private} away:\n{text}");
            // A panic in a task of the server would fail no test.
            std::process::abort();
        }
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_line_that_names_a_patient_is_noticed() {
    keep_private("5b8f0a51d4");
    assert_eq!(given_away("transaction=\"ITI-18\" id=5b8f0a51d4").as_deref(), Some("5b8f0a51d4"));
    assert_eq!(given_away("found 123^^^&1.2.3&ISO").as_deref(), Some("^^^&"));
    assert_eq!(given_away("transaction=\"ITI-18\" id=urn:uuid:1 ms=3"), None);
}

//! The `carnet` binary as a person uses it: a server of its own with a private PostgreSQL.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;
use tempfile::TempDir;

use crate::logs;

const INS: &str = "279035121518989";
const DOCUMENTS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../conformance-tests/documents");

/// An installation in a folder of its own.
pub struct Installation {
    pub folder: TempDir,
    pub port: u16,
    server: Option<Child>,
}

impl Installation {
    pub fn new(settings: &str) -> Installation {
        let folder = test_support::folder();
        // The port is free now; nobody else is given it in the moment until the server takes it.
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let text = format!(
            "[server]\nlisten = \"127.0.0.1:{port}\"\n[client]\nserver = \"http://127.0.0.1:{port}\"\n{settings}"
        );
        std::fs::write(folder.path().join("carnet.toml"), text).unwrap();
        Installation { folder, port, server: None }
    }

    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_carnet"));
        command.args(arguments).current_dir(self.folder.path()).env("LC_ALL", "C.UTF-8");
        command
    }

    /// Starts the server and returns when it is ready.
    pub fn start(&mut self) {
        let log = std::fs::File::options()
            .create(true)
            .append(true)
            .open(self.folder.path().join("server.log"))
            .unwrap();
        let mut server = self.command(&["serve"]).stderr(log).stdin(Stdio::null()).spawn().unwrap();
        let deadline = Instant::now() + Duration::from_secs(60);
        while !self.run(&["status", "--quiet"]).status.success() {
            assert!(server.try_wait().unwrap().is_none() && Instant::now() < deadline, "{}", self.log());
        }
        self.server = Some(server);
    }

    pub fn pid(&self) -> u32 {
        self.server.as_ref().unwrap().id()
    }

    /// Sends a signal and waits for the end.
    pub fn end(&mut self, signal: Signal) -> Option<i32> {
        let mut server = self.server.take().unwrap();
        kill(Pid::from_raw(server.id() as i32), signal).unwrap();
        server.wait().unwrap().code()
    }

    pub fn run(&self, arguments: &[&str]) -> Output {
        self.command(arguments).stdin(Stdio::null()).output().unwrap()
    }

    /// Standard output of a command that succeeds.
    pub fn good(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }

    /// Standard error of a command that fails with status 1.
    pub fn bad(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        assert_eq!(output.status.code(), Some(1), "{arguments:?}");
        String::from_utf8(output.stderr).unwrap()
    }

    pub fn log(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("server.log")).unwrap_or_default()
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }
}

impl Drop for Installation {
    /// No line of its log may have named a patient.
    fn drop(&mut self) {
        if let Some(mut server) = self.server.take() {
            let _ = kill(Pid::from_raw(server.id() as i32), Signal::SIGTERM);
            let _ = server.wait();
        }
        let log = self.log();
        let told = log.lines().find_map(|line| logs::given_away(line).map(|private| (private, line)));
        // In the middle of a panic another would hide it.
        assert!(std::thread::panicking() || told.is_none(), "{told:?}");
    }
}

fn document(name: &str) -> String {
    Path::new(DOCUMENTS).join(name).display().to_string()
}

#[test]
fn a_letter_is_filed_found_read_and_its_traces_are_shown() {
    let mut carnet = Installation::new("[patients]\nins_authority = \"1.2.250.1.213.1.4.10\"\n");
    // Before the server runs, a command starts the database for its moment.
    let opened = carnet.good(&["patient", "open", "257041995001259"]);
    assert!(opened.contains("is open"), "{opened}");
    carnet.start();
    assert!(carnet.good(&["patient", "open", "257041995001259"]).contains("open already"));
    assert!(carnet.bad(&["patient", "open", "257041995001258"]).contains("should be 59"));

    let letter = document("lettre-de-liaison-sortie.xml");
    let filed = carnet.good(&["submit", &letter]);
    let id = filed.trim().strip_prefix("Filed as ").unwrap().to_owned();
    let table = carnet.good(&["find", "--patient", "257041995001259"]);
    assert!(table.contains(&id) && table.contains("UNIQUE ID"), "{table}");
    let found: Value =
        serde_json::from_str(&carnet.good(&["find", "--patient", "257041995001259", "--json"])).unwrap();
    assert_eq!(found[0]["uniqueId"], *id);
    carnet.good(&["get", &id, "-o", "back.xml"]);
    assert_eq!(std::fs::read(carnet.path("back.xml")).unwrap(), std::fs::read(&letter).unwrap());
    let piped = carnet.run(&["get", &id, "--inline"]);
    assert_eq!(piped.stdout, std::fs::read(&letter).unwrap());

    let audit = carnet.good(&["audit", "--patient", "257041995001259", "--details"]);
    for line in ["opened the record", "filed \"", "registered \"", "searched the record", "read \""] {
        assert!(audit.contains(line), "{line} is missing in\n{audit}");
    }
    let first = carnet.good(&["audit", "--json", "--limit", "1"]);
    let event: Value = serde_json::from_str(first.trim()).unwrap();
    assert_eq!(event["act"], "audit-read", "reading the traces leaves one");
    assert!(event["message"].as_str().unwrap().starts_with("<AuditMessage>"));

    let log = carnet.log();
    assert!(log.contains("ITI-41") && log.contains("ITI-43"), "{log}");
    for private in ["257041995001259", "LAURENGEOT", "Camille"] {
        assert!(!log.contains(private), "{private} is in the log");
    }
    assert_eq!(carnet.end(Signal::SIGINT), Some(0));
}

#[test]
fn a_summary_is_registered_and_made_when_it_is_read() {
    // The settings begin inside [client].
    let settings = "facility_code = \"SA07\"\npractice_setting_code = \"AMBULATOIRE\"\n\
        [patients]\nins_authority = \"1.2.250.1.213.1.4.10\"\n";
    let mut carnet = Installation::new(settings);
    carnet.good(&["patient", "open", "257041995001259"]);
    carnet.start();
    carnet.good(&["submit", &document("lettre-de-liaison-sortie.xml")]);
    let registered = carnet.good(&["on-demand", "register", "--patient", "257041995001259"]);
    let id = registered.trim().strip_prefix("Registered as ").unwrap().to_owned();
    let summary = carnet.run(&["get", &id, "--inline"]);
    let text = String::from_utf8(summary.stdout).unwrap();
    assert!(text.contains("1 document") && text.contains("Synthèse du dossier"), "{text}");
    assert_eq!(carnet.end(Signal::SIGINT), Some(0));
}

#[test]
fn what_goes_wrong_says_what_to_do_next() {
    let mut carnet = Installation::new("[patients]\nins_authority = \"1.2.250.1.213.1.4.10\"\n");
    let letter = document("lettre-de-liaison-sortie.xml");
    assert!(carnet.bad(&["submit", &letter]).contains("is the server running?"));
    carnet.start();
    let unknown = carnet.bad(&["submit", &letter]);
    assert!(unknown.contains("carnet patient open 257041995001259"), "{unknown}");
    std::fs::write(carnet.path("scan.pdf"), "%PDF").unwrap();
    assert!(carnet.bad(&["submit", "scan.pdf"]).contains("--metadata"));
    assert!(carnet.bad(&["get", "1.2.3", "-o", "x"]).contains("no document 1.2.3"));
    assert!(carnet.bad(&["find", "--patient", "123"]).contains("not an INS"));
    assert!(carnet.bad(&["patient", "open", "257041995001258"]).contains("the key of the INS"));
    let wrong_key = carnet.run(&["find", "--patient", "257041995001258"]);
    assert!(
        wrong_key.status.success()
            && String::from_utf8_lossy(&wrong_key.stderr).contains("the key of the INS")
    );
    std::fs::write(carnet.path("bad.toml"), "[server]\nlissten = 1\n").unwrap();
    assert!(carnet.bad(&["check-config", "--config", "bad.toml"]).contains("server.listen"));
    let open = carnet.run(&["serve", "--config", "open.toml"]);
    assert_eq!(open.status.code(), Some(1));
}

#[test]
fn a_file_that_is_not_cda_is_filed_with_its_metadata() {
    let mut carnet = Installation::new("[patients]\nins_authority = \"1.2.250.1.213.1.4.10\"\n");
    carnet.good(&["patient", "open", INS]);
    carnet.start();
    std::fs::write(carnet.path("scan.pdf"), b"%PDF-1.4 \x00\xFF").unwrap();
    let metadata = concat!(env!("CARGO_MANIFEST_DIR"), "/../../config/metadata.toml");
    let filed = carnet.good(&["submit", "scan.pdf", "--metadata", metadata, "--json"]);
    let filed: Value = serde_json::from_str(&filed).unwrap();
    let id = filed["uniqueId"].as_str().unwrap();
    carnet.good(&["get", id, "-o", "back.pdf"]);
    assert_eq!(std::fs::read(carnet.path("back.pdf")).unwrap(), b"%PDF-1.4 \x00\xFF");
}

#[test]
fn a_replacement_goes_with_rplc_when_its_parent_is_there_and_says_so_when_not() {
    let (first, second) = (document("imagerie-version-1-pdf.xml"), document("imagerie-version-2-pdf.xml"));
    for with_parent in [true, false] {
        let mut carnet =
            Installation::new("[patients]\nunknown = \"open\"\nins_authority = \"1.2.250.1.213.1.4.10\"\n");
        carnet.start();
        if with_parent {
            carnet.good(&["submit", &first]);
        }
        let output = carnet.run(&["submit", &second]);
        assert!(output.status.success());
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(said.contains("filed without RPLC"), !with_parent, "{said}");
        let all = carnet.good(&["find", "--patient", "290089995001331", "--status", "all"]);
        assert_eq!(all.matches("replaced").count(), usize::from(with_parent), "{all}");
    }
}

#[test]
fn a_document_whose_id_is_a_uuid_is_found_by_either_form() {
    let mut carnet = Installation::new("[patients]\nunknown = \"open\"\n");
    carnet.start();
    let text = std::fs::read_to_string(document("lettre-de-liaison-sortie.xml")).unwrap();
    let header = cda::read(text.as_bytes(), &xml::Limits::default()).unwrap();
    let own = format!("<id root=\"{}\"", header.id.unique_id());
    assert!(text.contains(&own));
    let uuid = "9ED10155-A2AA-459C-8351-A61AD25FC78D";
    std::fs::write(carnet.path("letter.xml"), text.replacen(&own, &format!("<id root=\"{uuid}\""), 1))
        .unwrap();
    let filed = carnet.good(&["submit", "letter.xml"]);
    assert_eq!(filed.trim(), "Filed as 2.25.211103240444596321968137817179123861389");
    carnet.good(&["get", uuid, "-o", "1.xml"]);
    carnet.good(&["get", "2.25.211103240444596321968137817179123861389", "-o", "2.xml"]);
    assert_eq!(
        std::fs::read(carnet.path("1.xml")).unwrap(),
        std::fs::read(carnet.path("letter.xml")).unwrap()
    );
}

#[test]
fn changing_the_repositorys_id_on_existing_data_is_refused() {
    let carnet = Installation::new(
        "[repository]\nunique_id = \"1.2.3\"\n[patients]\nins_authority = \"1.2.250.1.213.1.4.10\"\n",
    );
    carnet.good(&["patient", "open", INS]);
    let text = std::fs::read_to_string(carnet.path("carnet.toml")).unwrap().replace("1.2.3\"", "1.2.4\"");
    std::fs::write(carnet.path("carnet.toml"), text).unwrap();
    let refused = carnet.bad(&["serve"]);
    assert!(refused.contains("repository.unique_id is 1.2.3 in the existing data"), "{refused}");
}

#[test]
fn conformance_is_told_as_table_json_junit_and_page() {
    let mut carnet = Installation::new("[patients]\nunknown = \"open\"\n");
    carnet.start();
    let (registry, repository) =
        (format!("{}/services/registry", carnet.url()), format!("{}/services/repository", carnet.url()));
    let endpoints = ["conformance", "--registry", &registry, "--repository", &repository];
    let with = |more: &[&'static str]| [&endpoints[..], more].concat();
    let table = carnet.good(&with(&["--only", "iti-43/retrieve", "--junit", "r.xml", "--html", "r.html"]));
    assert!(table.contains("0 failed, 0 skipped, 0 not offered"), "{table}");
    assert!(std::fs::read_to_string(carnet.path("r.xml")).unwrap().contains("<testsuite "));
    let page = std::fs::read_to_string(carnet.path("r.html")).unwrap();
    assert!(page.contains("RetrieveDocumentSetResponse") && page.contains("iti-43/retrieve"));
    let json = carnet.good(&with(&["--only", "iti-8/", "--json"]));
    let json: Value = serde_json::from_str(&json).unwrap();
    assert_eq!(json["failed"], 0);
    // Something that is not there fails, whatever the scenario.
    let nobody = with(&["--only", "iti-43/retrieve"]);
    let nobody: Vec<&str> =
        nobody.iter().map(|a| if *a == repository { "http://127.0.0.1:1/" } else { a }).collect();
    assert!(carnet.bad(&nobody).contains("checks failed"));
}

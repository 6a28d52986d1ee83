//! A server of one test, and documents to file.

use std::net::SocketAddr;
use std::path::Path;

use actix_web::dev::ServerHandle;
use actix_web::rt::task::JoinHandle;
use carnet::config::Config;
use client::{Client, Encoding, Endpoints, Outgoing};
use database::Database;
use tempfile::TempDir;
use test_support::TestDatabase;
use uuid::Uuid;
use xds::ebxml::SubmitObjects;
use xds::message::{DocumentRequest, ReceivedResponse, ResponseStatus};
use xds::metadata::{
    Association, AssociationType, Author, Code, DocumentEntry, DocumentType, SubmissionSet,
    SubmissionSetStatus,
};
use xds::value::{Cx, Dtm, uuid_urn};

use crate::audit_schema::assert_traces_are_valid;
use crate::{fsck, logs};

pub const AUTHORITY: &str = "1.2.250.1.213.1.4.10";
pub const REPOSITORY: &str = "1.2.250.1.999.7";

/// A server in this process.
pub struct Server {
    pub url: String,
    database_url: String,
    pub client: Client,
    pub database: Database,
    pub folder: TempDir,
    /// Where MLLP is listened on.
    pub feed: Option<SocketAddr>,
    pub config: Config,
    /// Where audit messages of others are taken: over TLS, over UDP.
    pub receivers: (Option<SocketAddr>, Option<SocketAddr>),
    handle: ServerHandle,
    done: JoinHandle<anyhow::Result<()>>,
}

impl Server {
    /// A server that opens records by itself.
    pub async fn start() -> Server {
        Self::with(&[("CARNET_PATIENTS__UNKNOWN", "open")]).await
    }

    pub async fn with(settings: &[(&str, &str)]) -> Server {
        let test = TestDatabase::create().await;
        Self::on(&test.url, test.open(), test_support::folder(), settings).await
    }

    pub async fn on(
        database_url: &str,
        database: Database,
        folder: TempDir,
        settings: &[(&str, &str)],
    ) -> Server {
        logs::watch();
        let config = config(folder.path(), Some(database_url), settings);
        let running = carnet::serve::start(&config).await.unwrap();
        let url = running.url().to_owned();
        let feed = running.feed_address();
        let receivers = running.receiver_addresses();
        let handle = running.handle();
        let done = actix_web::rt::spawn(running.until_stopped());
        let client = Client::new(Endpoints::of_server(&url));
        Server {
            url,
            database_url: database_url.to_owned(),
            client,
            database,
            folder,
            feed,
            config,
            receivers,
            handle,
            done,
        }
    }

    /// What `carnet` says of the data of this server, in English and UTC unless the arguments say otherwise.
    pub fn command(&self, arguments: &[&str]) -> std::process::Output {
        self.prepare(arguments).output().unwrap()
    }

    /// `carnet` with the data of this server.
    pub fn prepare(&self, arguments: &[&str]) -> std::process::Command {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_carnet"));
        command.args(arguments).env("CARNET_DATABASE__URL", &self.database_url);
        command.env("CARNET_DATA__DIR", self.folder.path()).env("CARNET_REPOSITORY__UNIQUE_ID", REPOSITORY);
        command.env("LC_ALL", "C.UTF-8").env("TZ", "UTC").current_dir(self.folder.path());
        command
    }

    /// The same data under other settings.
    pub async fn restart(self, settings: &[(&str, &str)]) -> Server {
        self.assert_whole().await;
        self.restart_broken(settings).await
    }

    /// The same, when a test has damaged what is stored.
    pub async fn restart_broken(self, settings: &[(&str, &str)]) -> Server {
        self.handle.stop(true).await;
        self.done.await.unwrap().unwrap();
        assert_traces_are_valid(&self.database).await;
        Self::on(&self.database_url, self.database, self.folder, settings).await
    }

    pub async fn stop(self) {
        self.assert_whole().await;
        self.stop_broken().await;
    }

    /// Whatever a test did, what is stored is whole.
    async fn assert_whole(&self) {
        let (findings, _) = fsck::check(self, repository::check::Depth::Length).await;
        assert!(findings.is_empty(), "{findings:?}");
    }

    /// Stops the server of a test that has registered documents which nobody has filed.
    pub async fn stop_without_documents(self) {
        let (findings, _) = fsck::check(&self, repository::check::Depth::Length).await;
        assert!(findings.iter().all(|finding| finding["finding"] == "no-document"), "{findings:?}");
        self.stop_broken().await;
    }

    /// Stops the server of a test that has damaged what is stored.
    pub async fn stop_broken(self) {
        self.handle.stop(true).await;
        self.done.await.unwrap().unwrap();
    }

    /// Files one document.
    pub async fn file(&self, submission: &Submission) -> ReceivedResponse {
        submission.send(&self.client, Encoding::Mtom).await
    }

    /// The octets of a document.
    pub async fn read(&self, unique_id: &str) -> Option<Vec<u8>> {
        read(&self.client, unique_id, Encoding::Mtom).await
    }

    /// One number out of the database.
    pub async fn count(&self, sql: &str) -> i64 {
        self.database.get().await.unwrap().query_one(sql, &[]).await.unwrap().get(0)
    }

    /// The audit messages that have all of these texts.
    pub async fn messages(&self, with: &[&str]) -> usize {
        let client = self.database.get().await.unwrap();
        let rows = atna::search(&client, &atna::Filter::default()).await.unwrap();
        let messages = rows.iter().filter_map(|row| match &row.entry {
            atna::Entry::Own(event) => Some(atna::dicom::render(event)),
            atna::Entry::Received(_) => None,
        });
        messages.filter(|message| with.iter().all(|text| message.contains(text))).count()
    }

    /// Files in the document store.
    pub fn blobs(&self) -> usize {
        files(&self.folder.path().join("documents"))
    }
}

pub fn files(folder: &Path) -> usize {
    std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .map(|path| if path.is_dir() { files(&path) } else { 1 })
        .sum()
}

pub fn config(folder: &Path, database: Option<&str>, settings: &[(&str, &str)]) -> Config {
    let fixed = [
        ("CARNET_SERVER__LISTEN", "127.0.0.1:0"),
        ("CARNET_SERVER__WORKERS", "2"),
        ("CARNET_DATA__DIR", folder.to_str().unwrap()),
        ("CARNET_REPOSITORY__UNIQUE_ID", REPOSITORY),
    ];
    let all = fixed.iter().chain(settings).map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    let url = database.map(|url| ("CARNET_DATABASE__URL".to_owned(), url.to_owned()));
    Config::load(None, all.chain(url)).unwrap()
}

pub async fn read(client: &Client, unique_id: &str, encoding: Encoding) -> Option<Vec<u8>> {
    let folder = tempfile::tempdir().unwrap();
    let request = DocumentRequest {
        home_community_id: None,
        repository_unique_id: REPOSITORY.to_owned(),
        document_unique_id: unique_id.to_owned(),
    };
    let retrieved = client.retrieve(&[request], encoding, folder.path()).await.unwrap();
    retrieved.documents.first().map(|document| std::fs::read(&document.path).unwrap())
}

/// A patient of one test.
pub fn patient() -> Cx {
    let patient = Cx::new(&Uuid::new_v4().simple().to_string(), AUTHORITY);
    logs::keep_private(&patient.id);
    patient
}

pub fn oid() -> String {
    identity::Oid::from_uuid(Uuid::new_v4()).to_string()
}

/// One document with its metadata, to be changed before it is sent.
pub struct Submission {
    pub entry: DocumentEntry,
    pub set: SubmissionSet,
    pub associations: Vec<Association>,
    pub octets: Vec<u8>,
}

impl Submission {
    pub fn new(patient: &Cx, octets: impl Into<Vec<u8>>) -> Submission {
        let code = |code: &str| Code::new(code, "1.2.250.1.999.1", "text");
        let author = Author { person: Some("801234567897^MARTIN^Claire".to_owned()), ..Author::default() };
        let entry = DocumentEntry {
            entry_uuid: Uuid::new_v4(),
            logical_id: None,
            document_type: DocumentType::Stable,
            authors: vec![author.clone()],
            availability: None,
            class_code: code("class"),
            comments: None,
            confidentiality_codes: vec![code("N")],
            creation_time: Some(Dtm::parse("20260102030405").unwrap()),
            event_codes: vec![],
            format_code: code("format"),
            hash: None,
            healthcare_facility_type_code: code("facility"),
            home_community_id: None,
            language_code: "fr-FR".to_owned(),
            legal_authenticator: None,
            mime_type: "text/plain".to_owned(),
            patient_id: patient.clone(),
            practice_setting_code: code("practice"),
            reference_ids: vec![],
            repository_unique_id: None,
            service_start_time: None,
            service_stop_time: None,
            size: None,
            source_patient_id: Some(patient.clone()),
            source_patient_info: vec![],
            title: Some("Lettre".to_owned()),
            type_code: code("type"),
            unique_id: oid(),
            uri: None,
            extra: vec![],
        };
        let set = SubmissionSet {
            entry_uuid: Uuid::new_v4(),
            authors: vec![author],
            comments: None,
            content_type_code: code("content"),
            home_community_id: None,
            intended_recipients: vec![],
            patient_id: patient.clone(),
            source_id: "1.2.250.1.999.2".to_owned(),
            submission_time: Dtm::parse("20260102030405").unwrap(),
            title: None,
            unique_id: oid(),
            extra: vec![],
        };
        let member = Association {
            entry_uuid: Uuid::new_v4(),
            association_type: AssociationType::HasMember,
            source: set.entry_uuid,
            target: entry.entry_uuid,
            submission_set_status: Some(SubmissionSetStatus::Original),
            documentation: None,
            extra: vec![],
        };
        Submission { entry, set, associations: vec![member], octets: octets.into() }
    }

    /// The new document replaces a registered one.
    pub fn replacing(mut self, target: Uuid) -> Submission {
        self.associations.push(Association {
            entry_uuid: Uuid::new_v4(),
            association_type: AssociationType::Rplc,
            source: self.entry.entry_uuid,
            target,
            submission_set_status: None,
            documentation: None,
            extra: vec![],
        });
        self
    }

    pub fn objects(&self) -> SubmitObjects {
        SubmitObjects {
            extrinsic_objects: vec![self.entry.to_ebxml()],
            packages: vec![self.set.to_ebxml()],
            associations: self.associations.iter().map(Association::to_ebxml).collect(),
            findings: vec![],
        }
    }

    pub async fn send(&self, client: &Client, encoding: Encoding) -> ReceivedResponse {
        self.try_send(client, encoding).await.unwrap()
    }

    pub async fn try_send(
        &self,
        client: &Client,
        encoding: Encoding,
    ) -> Result<ReceivedResponse, client::Error> {
        let id = uuid_urn(self.entry.entry_uuid);
        let outgoing = Outgoing::bytes(&id, &self.entry.mime_type, self.octets.clone());
        client.provide_and_register(self.objects(), vec![outgoing], encoding).await
    }
}

/// The codes of a refusal.
pub fn codes(response: &ReceivedResponse) -> Vec<&str> {
    assert_eq!(response.status, ResponseStatus::Failure, "{response:?}");
    response.errors.iter().map(|error| error.code.as_str()).collect()
}

pub fn assert_filed(response: &ReceivedResponse) {
    assert_eq!(response.status, ResponseStatus::Success, "{response:?}");
}

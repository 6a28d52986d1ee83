//! Data of every earlier version of the tables are brought up to date, and are whole then.
//!
//! The files beside this one hold rows as the program of their time wrote them; each is named after the version of the tables
//! that made them possible. Holes of fragments are written `{status}` and so on.

use std::fs;
use std::path::Path;

use blob::format;
use refinery::Target;
use repository::check::Depth;
use serde_json::Value;
use test_support::TestDatabase;
use tokio_postgres::NoTls;
use xds::constants::AVAILABILITY_OFFLINE;
use xds::query::{Request, ReturnType, Status};
use xds::value::Cx;

use crate::fsck::check;
use crate::harness::{AUTHORITY, Server, Submission, assert_filed};

mod embedded {
    refinery::embed_migrations!("../../schemas/migrations");
}

/// From a version of the tables on, up to another if the rows have another form then.
struct Rows {
    from: i32,
    until: i32,
    sql: &'static str,
}

const fn rows(from: i32, sql: &'static str) -> Rows {
    Rows { from, until: i32::MAX, sql }
}

const ROWS: [Rows; 9] = [
    rows(1, include_str!("1-records.sql")),
    // Before there was a repository its documents were nowhere.
    rows(3, include_str!("2-registry.sql")),
    rows(3, include_str!("3-repository.sql")),
    Rows { from: 4, until: 11, sql: include_str!("4-traces.sql") },
    rows(6, include_str!("6-versions.sql")),
    rows(7, include_str!("7-removal.sql")),
    rows(9, include_str!("9-statuses.sql")),
    rows(10, include_str!("10-wire.sql")),
    rows(12, include_str!("12-traces.sql")),
];

/// The last version of the tables whose program gave every document a hole for its availability.
const AVAILABILITY_HOLE: i32 = 11;
const OCTETS: [&str; 3] = ["lettre", "lettre corrigée", "hors ligne"];

fn filled_in(sql: &str, version: i32) -> String {
    let slot = |value: &str| {
        let name = "documentAvailability";
        format!(
            r#"<rim:Slot name="{name}"><rim:ValueList><rim:Value>{value}</rim:Value></rim:ValueList></rim:Slot>"#
        )
    };
    let (online, offline) = match version <= AVAILABILITY_HOLE {
        true => (slot("\u{4}"), slot("\u{4}")),
        false => (String::new(), slot(AVAILABILITY_OFFLINE)),
    };
    sql.replace("{online}", &online)
        .replace("{offline}", &offline)
        .replace("{status}", "\u{1}")
        .replace("{patient}", "\u{2}")
        .replace("{time}", "\u{3}")
}

/// A database as the program of that version left it.
async fn made_by(version: i32) -> TestDatabase {
    let test = TestDatabase::empty().await;
    let (mut client, connection) = tokio_postgres::connect(&test.url, NoTls).await.unwrap();
    let driver = actix_web::rt::spawn(connection);
    let runner = embedded::migrations::runner().set_target(Target::Version(version));
    runner.run_async(&mut client).await.unwrap();
    for rows in ROWS.iter().filter(|rows| (rows.from..=rows.until).contains(&version)) {
        client.batch_execute(&filled_in(rows.sql, version)).await.unwrap_or_else(|error| {
            panic!("version {version}: {error:?}\n{}", rows.sql.lines().next().unwrap())
        });
    }
    drop(client);
    driver.await.unwrap().unwrap();
    test
}

/// The octets of its documents.
async fn store(folder: &Path, test: &TestDatabase) {
    let database = test.open();
    let client = database.get().await.unwrap();
    for row in client.query("select blob, size from document where state <> 'removed'", &[]).await.unwrap() {
        let (blob, size): (String, i64) = (row.get(0), row.get(1));
        let octets = OCTETS.into_iter().find(|octets| octets.len() as i64 == size).unwrap();
        let mut file = format::header().to_vec();
        format::seal(octets.as_bytes(), &mut file);
        let path = folder.join("documents").join(&blob[..2]);
        fs::create_dir_all(&path).unwrap();
        fs::write(path.join(&blob), file).unwrap();
    }
}

#[actix_web::test]
async fn data_of_every_earlier_version_are_whole_when_they_are_brought_up_to_date() {
    let patient = Cx::new("279035121518989", AUTHORITY);
    let mut versions: Vec<i32> =
        embedded::migrations::runner().get_migrations().iter().map(|m| m.version()).collect();
    versions.sort_unstable();
    for version in versions {
        let test = made_by(version).await;
        let folder = test_support::folder();
        if version >= 3 {
            store(folder.path(), &test).await;
        }
        let server = Server::on(&test.url, test.open(), folder, &[]).await;
        let (findings, counts) = check(&server, Depth::Octets).await;
        assert_eq!(findings, Vec::<Value>::new(), "version {version}");

        let request =
            Request::find_documents(&patient, &[Status::Approved, Status::Deprecated], ReturnType::LeafClass);
        let found = server.client.query(&request).await.unwrap().documents;
        let expected = match version {
            ..3 => 0,
            // Two and the one in the folder; at most the removed one; the offline one and earlier versions are not shown.
            3..7 => 3,
            7..9 => 4,
            // An archived one is found by its status alone.
            _ => 3,
        };
        assert_eq!(found.len(), expected, "version {version}");
        if version >= 3 {
            assert!(counts.entries_held >= 4, "version {version}: {counts:?}");
            let mut octets = Vec::new();
            for document in &found {
                assert!(document.common.slot("documentAvailability").is_empty(), "version {version}");
                let id =
                    document.common.external_identifier(xds::constants::DOCUMENT_ENTRY_UNIQUE_ID).unwrap();
                octets.extend(server.read(id).await);
            }
            assert!(octets.iter().any(|octets| octets == b"lettre"), "version {version}");
            let mut request = request.clone();
            request.parameters.push(("$MetadataLevel".to_owned(), vec!["2".to_owned()]));
            let all = server.client.query(&request).await.unwrap().documents;
            let offline = all.iter().filter_map(|d| d.common.slot_value("documentAvailability"));
            assert_eq!(offline.collect::<Vec<_>>(), [AVAILABILITY_OFFLINE], "version {version}");
        }
        if version >= 4 {
            assert_eq!(server.messages(&["1.2.3.7", "4711"]).await, 1, "version {version}");
        }
        // And life goes on.
        assert_filed(&server.file(&Submission::new(&patient, "nouvelle")).await);
        server.stop().await;
    }
}

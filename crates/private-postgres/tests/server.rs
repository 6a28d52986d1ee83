//! A real PostgreSQL in a temporary folder.

mod common;

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown, symlink};

use common::{connect, count, folder, is_root};
use private_postgres::{Error, Options, PrivatePostgres};

#[tokio::test]
async fn data_are_there_after_a_stop_and_a_second_start() {
    let (_folder, options) = folder();
    let server = PrivatePostgres::start(&options).await.unwrap();
    connect(&server.connection()).await.batch_execute("create table kept as select 1").await.unwrap();
    server.stop().await.unwrap();
    assert_eq!(PrivatePostgres::running(&options).await, None);
    let server = PrivatePostgres::start(&options).await.unwrap();
    assert_eq!(PrivatePostgres::running(&options).await, Some(server.connection()));
    assert_eq!(count(&server.connection()).await, 1);
    server.stop().await.unwrap();
}

#[tokio::test]
async fn it_keeps_what_it_acknowledged_and_listens_nowhere() {
    let (_folder, options) = folder();
    let server = PrivatePostgres::start(&options).await.unwrap();
    let client = connect(&server.connection()).await;
    for (setting, value) in [
        ("fsync", "on"),
        ("full_page_writes", "on"),
        ("synchronous_commit", "on"),
        ("data_checksums", "on"),
        ("listen_addresses", ""),
        ("server_encoding", "UTF8"),
    ] {
        let shown: String = client.query_one(&format!("show {setting}"), &[]).await.unwrap().get(0);
        assert_eq!(shown, value, "{setting}");
    }
    server.stop().await.unwrap();
}

#[tokio::test]
async fn data_of_a_version_that_is_not_installed_are_refused() {
    let (_folder, options) = folder();
    PrivatePostgres::start(&options).await.unwrap().stop().await.unwrap();
    fs::write(options.data.join("cluster/PG_VERSION"), "9\n").unwrap();
    let refused = PrivatePostgres::start(&options).await.err().unwrap();
    assert!(matches!(&refused, Error::WrongVersion { found, .. } if found == "9"), "{refused}");
}

#[tokio::test]
async fn one_server_at_a_time() {
    let (_folder, options) = folder();
    let server = PrivatePostgres::start(&options).await.unwrap();
    let refused = PrivatePostgres::start(&options).await.err().unwrap();
    assert!(matches!(refused, Error::InUse { .. }), "{refused}");
    assert_eq!(PrivatePostgres::running(&options).await, Some(server.connection()));
    server.stop().await.unwrap();
}

#[tokio::test]
async fn a_folder_that_its_account_cannot_enter_is_refused_by_name() {
    if !is_root() {
        return;
    }
    let (folder, _) = folder();
    let closed = folder.path().join("closed");
    fs::create_dir(&closed).unwrap();
    fs::set_permissions(&closed, fs::Permissions::from_mode(0o700)).unwrap();
    assert!(!private_postgres::account_can_reach(&closed.join("data")));
    let refused = PrivatePostgres::start(&Options::new(closed.join("data/postgres"))).await.err().unwrap();
    assert!(matches!(refused, Error::FolderNotReachable { .. }), "{refused}");
}

#[tokio::test]
async fn a_folder_of_somebody_else_is_refused() {
    if !is_root() {
        return;
    }
    let (_folder, options) = folder();
    fs::create_dir(&options.data).unwrap();
    chown(&options.data, Some(1), Some(1)).unwrap();
    let refused = PrivatePostgres::start(&options).await.err().unwrap();
    assert!(matches!(&refused, Error::ForeignFolder { folder, .. } if *folder == options.data), "{refused}");
    assert_eq!(fs::metadata(&options.data).unwrap().uid(), 1, "it was not taken over");
}

#[tokio::test]
async fn nobody_else_can_enter_its_folders() {
    let (_folder, options) = folder();
    fs::create_dir(&options.data).unwrap();
    let server = PrivatePostgres::start(&Options::new(options.data.join("postgres"))).await.unwrap();
    for folder in ["postgres", "postgres/socket", "postgres/cluster"] {
        let mode = fs::metadata(options.data.join(folder)).unwrap().mode();
        assert_eq!(mode & 0o777, 0o700, "{folder}");
    }
    server.stop().await.unwrap();
}

#[tokio::test]
async fn it_works_in_a_folder_whose_name_is_long_or_needs_quotes() {
    for name in ["a folder, with 'quotes'".to_owned(), "long".repeat(30)] {
        let (folder, _) = folder();
        let options = Options::new(folder.path().join(name));
        let server = PrivatePostgres::start(&options).await.unwrap();
        connect(&server.connection()).await.simple_query("select 1").await.unwrap();
        assert_eq!(PrivatePostgres::running(&options).await, Some(server.connection()));
        let socket = server.connection().split([' ', '=']).nth(1).unwrap().to_owned();
        assert_eq!(fs::metadata(&socket).unwrap().mode() & 0o777, 0o700);
        server.stop().await.unwrap();
        fs::remove_dir(socket).unwrap();
    }
}

#[tokio::test]
async fn its_log_quotes_neither_values_nor_statements() {
    let (_folder, options) = folder();
    let server = PrivatePostgres::start(&options).await.unwrap();
    let client = connect(&server.connection()).await;
    client.batch_execute("create table patient (ins text primary key)").await.unwrap();
    client.execute("insert into patient values ($1)", &[&"SECRET"]).await.unwrap();
    client.execute("insert into patient values ($1)", &[&"SECRET"]).await.unwrap_err();
    client.simple_query("insert into patient values ('SECRET')").await.unwrap_err();
    server.stop().await.unwrap();
    let log = fs::read_to_string(options.data.join("postgres.log")).unwrap();
    assert!(log.contains("patient_pkey") && !log.contains("SECRET"), "{log}");
}

#[tokio::test]
async fn root_does_not_follow_a_link_out_of_the_folder_of_its_account() {
    let (folder, options) = folder();
    PrivatePostgres::start(&options).await.unwrap().stop().await.unwrap();
    let target = folder.path().join("target");
    fs::write(&target, "kept").unwrap();
    let before = fs::metadata(&target).unwrap();
    for name in ["postgres.log", "lock"] {
        let path = options.data.join(name);
        fs::remove_file(&path).unwrap();
        symlink(&target, &path).unwrap();
        let refused = PrivatePostgres::start(&options).await.err().unwrap();
        assert!(matches!(refused, Error::Io { .. }), "{refused}");
        fs::remove_file(&path).unwrap();
    }
    let after = fs::metadata(&target).unwrap();
    assert_eq!((after.uid(), after.len()), (before.uid(), before.len()));
}

#[tokio::test]
async fn the_end_of_its_log_says_why_it_does_not_start() {
    let (_folder, mut options) = folder();
    options.settings = vec![("no_such_setting".to_owned(), "1".to_owned())];
    let refused = PrivatePostgres::start(&options).await.err().unwrap();
    assert!(matches!(&refused, Error::Ended { log } if log.contains("no_such_setting")), "{refused}");
}

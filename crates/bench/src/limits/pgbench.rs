//! W, R and T: pgbench against a PostgreSQL that is started like the server's own, durable, on the same disk.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, bail};
use private_postgres::{Options, PrivatePostgres};
use tokio_postgres::NoTls;

use super::{Limit, Measured};

/// Octets of a row that is written or read: an object of metadata.
const ROW: usize = 4096;
/// Octets of an event.
const EVENT: usize = 900;
const PATIENTS: u32 = 2000;

/// Rows stay as they are: their text cannot be packed, and neither is it put elsewhere.
const TABLES: &str = "
    create table w1 (id bigint generated always as identity primary key, body text);
    create table w2 (id bigint generated always as identity primary key, body text);
    create table w3 (id bigint generated always as identity primary key, body text);
    create table t (id bigint generated always as identity primary key, body text);
    create table r (id bigint generated always as identity primary key, patient bigint, body text);
    alter table w1 alter body set storage plain;
    alter table w2 alter body set storage plain;
    alter table w3 alter body set storage plain;
    alter table r alter body set storage plain;";

pub async fn measure(
    folder: &Path,
    limits: &[Limit],
    clients: &[usize],
    time: Duration,
) -> anyhow::Result<Vec<Measured>> {
    let postgres = PrivatePostgres::start(&Options::new(folder.join("limits"))).await?;
    let all = on(&postgres.connection(), folder, limits, clients, time).await;
    postgres.stop().await?;
    all
}

async fn on(
    url: &str,
    folder: &Path,
    limits: &[Limit],
    clients: &[usize],
    time: Duration,
) -> anyhow::Result<Vec<Measured>> {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await?;
    let driver = tokio::spawn(connection);
    client.batch_execute(TABLES).await?;
    let (row, event) = (letters(ROW), letters(EVENT));
    let fill =
        "insert into r (patient, body) select n / 10, $1 from generate_series(0, $2::bigint * 10 - 1) as n";
    client.execute(fill, &[&row, &i64::from(PATIENTS)]).await?;
    // Statements that are sent together are one transaction, in which there is no vacuum.
    for statement in ["create index on r (patient)", "vacuum analyze r", "checkpoint"] {
        client.batch_execute(statement).await?;
    }
    drop(client);
    driver.await??;
    let mut all = Vec::new();
    for limit in limits {
        let script = match limit {
            Limit::W => format!(
                "begin;\ninsert into w1 (body) values ('{row}');\ninsert into w2 (body) values ('{row}');\n\
                 insert into w3 (body) values ('{row}');\ncommit;\n"
            ),
            Limit::R => format!("\\set p random(0, {})\nselect * from r where patient = :p;\n", PATIENTS - 1),
            _ => format!("insert into t (body) values ('{event}');\n"),
        };
        let file = folder.join("pgbench.sql");
        std::fs::write(&file, script)?;
        for clients in clients {
            let (url, file, clients) = (url.to_owned(), file.clone(), *clients);
            let rate = tokio::task::spawn_blocking(move || run(&url, &file, clients, time)).await??;
            all.push(Measured { limit: *limit, clients, rate: Some(rate), not_measured: None });
        }
    }
    Ok(all)
}

fn run(url: &str, script: &Path, clients: usize, time: Duration) -> anyhow::Result<f64> {
    let program = private_postgres::client_program("pgbench")?;
    let output = Command::new(&program)
        .args(["--no-vacuum", "--protocol=prepared", "--client", &clients.to_string()])
        .args(["--jobs", &clients.min(2).to_string(), "--time", &time.as_secs().max(1).to_string()])
        .arg("--file")
        .arg(script)
        .arg(url)
        .output()
        .with_context(|| format!("{} cannot be started", program.display()))?;
    let text = String::from_utf8_lossy(&output.stdout);
    let rate = text.lines().find_map(|line| line.strip_prefix("tps = ")?.split(' ').next()?.parse().ok());
    match rate {
        Some(rate) if output.status.success() => Ok(rate),
        _ => bail!("pgbench failed: {}", String::from_utf8_lossy(&output.stderr).trim()),
    }
}

fn letters(length: usize) -> String {
    let mut rng = fastrand::Rng::with_seed(4);
    (0..length).map(|_| rng.alphanumeric()).collect()
}

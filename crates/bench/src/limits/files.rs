//! F and A: documents made durable by as many threads as there are clients.

use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::anyhow;

use super::{Limit, Measured};

const SIZE: usize = 30 << 10;

pub fn measure(
    folder: &Path,
    limit: Limit,
    clients: &[usize],
    time: Duration,
) -> anyhow::Result<Vec<Measured>> {
    let folder = folder.join("files");
    let mut all = Vec::new();
    for clients in clients {
        fs::create_dir_all(&folder)?;
        let began = Instant::now();
        let until = began + time;
        let threads: Vec<_> = (0..*clients)
            .map(|writer| {
                let folder = folder.clone();
                thread::spawn(move || match limit {
                    Limit::A => append(&folder, writer, until),
                    _ => files(&folder, writer, until),
                })
            })
            .collect();
        let mut written = 0;
        for thread in threads {
            written += thread.join().map_err(|_| anyhow!("a writer failed"))??;
        }
        let rate = written as f64 / began.elapsed().as_secs_f64();
        all.push(Measured { limit, clients: *clients, rate: Some(rate), not_measured: None });
        fs::remove_dir_all(&folder)?;
    }
    Ok(all)
}

fn octets(writer: usize) -> Vec<u8> {
    let mut octets = vec![0; SIZE];
    fastrand::Rng::with_seed(writer as u64).fill(&mut octets);
    octets
}

fn files(folder: &Path, writer: usize, until: Instant) -> std::io::Result<u64> {
    let octets = octets(writer);
    let mut written = 0;
    while Instant::now() < until {
        let (new, name) = (folder.join(format!("{writer}.new")), folder.join(format!("{writer}-{written}")));
        let mut file = File::create(&new)?;
        file.write_all(&octets)?;
        file.sync_data()?;
        fs::rename(&new, &name)?;
        written += 1;
    }
    Ok(written)
}

fn append(folder: &Path, writer: usize, until: Instant) -> std::io::Result<u64> {
    let octets = octets(writer);
    let mut file = OpenOptions::new().create(true).append(true).open(folder.join(writer.to_string()))?;
    let mut written = 0;
    while Instant::now() < until {
        file.write_all(&octets)?;
        file.sync_data()?;
        written += 1;
    }
    Ok(written)
}

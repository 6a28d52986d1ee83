//! How fast `carnet audit verify` is, as a process of its own.

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use bench::process::{Processes, peak_memory};
use bench::report::Verified;

use super::Own;

/// Between two looks at the process.
const LOOK: Duration = Duration::from_millis(20);

pub async fn measure(own: &Own, events: u64, seed: u64, progress: impl Fn(&str)) -> anyhow::Result<Verified> {
    progress(&format!("putting {events} events into the log"));
    let (number, seed) = (events.to_string(), seed.to_string());
    let filled = own.command().args(["bench", "events", "--events", &number, "--seed", &seed]).output()?;
    if !filled.status.success() {
        bail!("the log was not filled: {}", String::from_utf8_lossy(&filled.stderr).trim());
    }
    progress("verifying the log");
    // The database is started before, so that its start is not counted.
    let server = bench::server::Server::start(&own.program, &own.folder)?;
    let began = Instant::now();
    let mut child = own
        .command()
        .args(["audit", "verify", "--json"])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()?;
    let process = Processes(vec![child.id()]);
    let (mut peak, mut cpu) = (None, None);
    let status = loop {
        (peak, cpu) = (peak_memory(child.id()).or(peak), process.usage().or(cpu));
        if let Some(status) = child.try_wait()? {
            break status;
        }
        tokio::time::sleep(LOOK).await;
    };
    let seconds = began.elapsed().as_secs_f64();
    let output = std::io::read_to_string(child.stdout.take().context("no output")?)?;
    server.stop()?;
    let report: serde_json::Value =
        serde_json::from_str(&output).context("carnet audit verify told nothing")?;
    if !status.success() {
        bail!("the log did not verify: {output}");
    }
    let verified = report["events"].as_u64().context("carnet audit verify did not tell of events")?;
    Ok(Verified {
        events: verified,
        seconds,
        events_a_second: verified as f64 / seconds,
        cpu_seconds: cpu.map(|usage| usage.cpu_seconds),
        peak_mib: peak.map(|kib| kib as f64 / 1024.0),
    })
}

impl Own {
    fn command(&self) -> Command {
        let mut command = Command::new(&self.program);
        command.current_dir(&self.folder).env("CARNET_DATA__DIR", &self.folder).stdin(Stdio::null());
        command
    }
}

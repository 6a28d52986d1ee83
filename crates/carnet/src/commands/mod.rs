//! The command line. `submit`, `find` and `get` are ordinary XDS.b clients; `patient` and `audit` administer the
//! installation on its database.

pub mod audit;
pub mod backup;
pub mod bench;
pub mod codes;
pub mod conformance;
pub mod find;
pub mod fsck;
pub mod get;
pub mod on_demand;
pub mod outbox;
pub mod patient;
pub mod status;
pub mod submit;
mod table;

use std::io::Write;

use anyhow::{Context, anyhow, bail};
use identity::{Ins, InsError, Oid};
use indicatif::{ProgressBar, ProgressStyle};
use xds::message::ReceivedResponse;
use xds::value::Cx;

use crate::clock::Clock;
use crate::config::Config;
use crate::tls::Tls;

/// Writes a line to standard output. A reader that has gone away (`| head`) is no error.
fn say(line: impl std::fmt::Display) {
    let _ = writeln!(std::io::stdout(), "{line}");
}

/// A remark for the person at the terminal, apart from the result.
fn note(text: &str) {
    let _ = writeln!(std::io::stderr(), "carnet: {text}");
}

/// The reason of a failure, as one sentence on standard error.
pub fn complain(error: &anyhow::Error) {
    let _ = writeln!(std::io::stderr(), "carnet: {error:#}");
}

/// `carnet check-config`: it was read without a problem, so it is shown.
pub fn check_config(config: &Config) -> anyhow::Result<()> {
    config.check()?;
    if let Some(tls) = &config.tls {
        Tls::load(tls, config.client.identity.check_host)?;
    }
    say(config);
    if let Some(warning) = Clock::read().warning() {
        note(warning);
    }
    say("The configuration is good.");
    Ok(())
}

/// A patient as typed: a bare INS, which patients.ins_authority completes, or a CX. An INS must be right.
fn patient(config: &Config, text: &str) -> anyhow::Result<Cx> {
    let cx = patient_as_typed(config, text)?;
    match flaw_of_ins(&cx) {
        Some(error) => Err(anyhow!("{} is not an INS: {error}", cx.id)),
        None => Ok(cx),
    }
}

/// The same for a record that may be there already: documents with a wrong key are filed, and must be found.
fn filed_patient(config: &Config, text: &str) -> anyhow::Result<Cx> {
    let cx = patient_as_typed(config, text)?;
    match flaw_of_ins(&cx) {
        Some(error @ InsError::Key { .. }) => {
            note(&format!("{} is not an INS: {error}", cx.id));
            Ok(cx)
        }
        Some(_) => patient(config, text),
        None => Ok(cx),
    }
}

fn patient_as_typed(config: &Config, text: &str) -> anyhow::Result<Cx> {
    let text = text.trim();
    match text.contains('^') {
        true => Cx::parse(text).map_err(|error| anyhow!("{text} is not a patient identifier: {error}")),
        false => Ok(Cx::new(&text.to_ascii_uppercase(), &config.patients.ins_authority)),
    }
}

fn flaw_of_ins(cx: &Cx) -> Option<InsError> {
    identity::is_ins_authority(&cx.authority).then(|| Ins::parse(&cx.id).err())?
}

/// A document's uniqueId as typed; a UUID becomes its OID under 2.25.
fn document_id(text: &str) -> String {
    let bare = text.trim().trim_start_matches("urn:uuid:").trim_start_matches("urn:oid:");
    match uuid::Uuid::parse_str(bare) {
        Ok(uuid) => Oid::from_uuid(uuid).to_string(),
        Err(_) => bare.to_owned(),
    }
}

/// The client for the server of `--server`, or of the configuration.
fn client(config: &Config, server: Option<&str>) -> anyhow::Result<client::Client> {
    let endpoints = client::Endpoints::of_server(server.unwrap_or(&config.client.server));
    let tls = config.client.identity.connector()?;
    Ok(client::Client::with_tls(endpoints, client::Timeouts::default(), tls))
}

/// A progress bar on standard error; hidden when that is no terminal.
fn bar(size: u64, template: &str) -> ProgressBar {
    let bar = ProgressBar::new(size);
    if let Ok(style) = ProgressStyle::with_template(template) {
        bar.set_style(style);
    }
    bar
}

fn octets_bar(size: u64) -> ProgressBar {
    bar(size, "{bar:30} {bytes} of {total_bytes}, {bytes_per_sec}, {eta} left")
}

/// Tells a bar of a length that may still grow.
fn told(bar: &ProgressBar) -> impl FnMut(u64, u64) {
    |done, all| {
        bar.set_length(all);
        bar.set_position(done);
    }
}

/// What a server refused, as one error with a line for each finding and, where there is one, the next step.
fn accepted(config: &Config, response: &ReceivedResponse, what: &str) -> anyhow::Result<()> {
    let errors: Vec<_> = response.errors.iter().filter(|error| !error.is_warning).collect();
    if errors.is_empty() && response.status == xds::message::ResponseStatus::Success {
        return Ok(());
    }
    let mut text = what.to_owned();
    for error in &errors {
        text.push_str(&format!("\n  {}: {}", error.code, error.context));
        if error.code == "XDSUnknownPatientId" {
            let patient = error.context.split(": ").next().unwrap_or_default();
            text.push_str(&format!(
                "\n  If the patient is right, open the record first: carnet patient open {}",
                as_to_be_typed(config, patient)
            ));
        }
    }
    bail!(text)
}

/// A CX as it has to be typed: an INS of the configured authority by itself, anything else in quotes.
fn as_to_be_typed(config: &Config, cx: &str) -> String {
    match Cx::parse(cx) {
        Ok(cx) if cx.authority == config.patients.ins_authority => cx.id,
        _ => format!("'{cx}'"),
    }
}

/// The time for a DTM in UTC, as people read it; parts that are missing are left out.
fn readable_time(dtm: &str) -> String {
    let part = |from: usize, to: usize| dtm.get(from..to);
    let mut text = part(0, 4).unwrap_or(dtm).to_owned();
    for (from, separator) in [(4, "-"), (6, "-"), (8, " "), (10, ":")] {
        match part(from, from + 2) {
            Some(digits) => text.extend([separator, digits]),
            None => break,
        }
    }
    text
}

fn read_file(path: &std::path::Path) -> anyhow::Result<Vec<u8>> {
    std::fs::read(path).with_context(|| format!("{} cannot be read", path.display()))
}

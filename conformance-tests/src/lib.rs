//! Conformance tests for XDS.b Document Registries and Repositories: scenarios written as data, run against any server
//! that can be reached by its two URLs.
//!
//! [`run`] asks the server and gives a [`Report`]; the program of the same name prints it.

mod answer;
mod context;
mod corpus;
mod entry;
mod feed;
mod html;
mod judge;
mod listener;
mod mutation;
mod offer;
mod placeholder;
mod report;
mod request;
mod runner;
mod scenario;
mod schema;
mod stored_query;
mod submission;
mod template;
mod transaction;
mod watch;
mod wire;

use std::collections::BTreeSet;
use std::path::PathBuf;

use anyhow::Context as _;
use bytes::Bytes;

pub use mutation::{Matrix, prove};
pub use offer::Need;
pub use report::{Check, Exchange, Outcome, Report};
use runner::Runner;
use scenario::Scenario;
pub use schema::{Verdict, validate};
pub use watch::{Blind, Snapshot, Watch};
use wire::Direct;

mod embedded {
    include!(concat!(env!("OUT_DIR"), "/embedded.rs"));
}

/// Which server to ask, and how it is set.
#[derive(Debug, Clone, clap::Args)]
pub struct Options {
    /// Endpoint of the Document Registry.
    #[arg(long, value_name = "URL")]
    pub registry: String,
    /// Endpoint of the Document Repository.
    #[arg(long, value_name = "URL")]
    pub repository: String,
    /// MLLP listener of the Document Registry, for the patient identity feed.
    #[arg(long, value_name = "HOST:PORT")]
    pub feed: Option<String>,
    /// Options that the server has; it is not asked whether it has them.
    #[arg(long, value_name = "OPTION", value_delimiter = ',')]
    pub offers: Vec<Need>,
    /// Options that the server is not asked for.
    #[arg(long, value_name = "OPTION", value_delimiter = ',')]
    pub without: Vec<Need>,
    /// repositoryUniqueId of the repository. Without it a document is filed to learn it.
    #[arg(long, value_name = "OID")]
    pub repository_unique_id: Option<String>,
    /// An open record for all scenarios, where the server opens none by itself.
    #[arg(long, value_name = "CX")]
    pub patient: Option<String>,
    /// Assigning authority of the patients that are made up.
    #[arg(long, value_name = "OID", default_value = "1.3.6.1.4.1.21367.2005.13.20.1000")]
    pub authority: String,
    /// What the server does with a patient that it does not know.
    #[arg(long, value_enum, default_value_t = UnknownPatients::Open)]
    pub unknown_patients: UnknownPatients,
    /// Only scenarios with NAME in their name (iti-42, wire/, v09).
    #[arg(long, value_name = "NAME")]
    pub only: Option<String>,
    /// No scenarios with NAME in their name.
    #[arg(long, value_name = "NAME")]
    pub except: Option<String>,
    /// A folder with further CDA documents under data/cda.
    #[arg(long, value_name = "DIR", env = "CARNET_CORPUS")]
    pub corpus: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum UnknownPatients {
    /// A submission opens the record.
    Open,
    /// A submission is refused; --patient names a record that is open.
    Refuse,
}

impl Options {
    /// A server that opens records by itself; no corpus.
    pub fn new(registry: impl Into<String>, repository: impl Into<String>) -> Self {
        Options {
            registry: registry.into(),
            repository: repository.into(),
            feed: None,
            offers: Vec::new(),
            without: Vec::new(),
            repository_unique_id: None,
            patient: None,
            authority: "1.3.6.1.4.1.21367.2005.13.20.1000".into(),
            unknown_patients: UnknownPatients::Open,
            only: None,
            except: None,
            corpus: None,
        }
    }

    /// What the server has, by the options.
    fn declared(&self) -> BTreeSet<Need> {
        self.offers.iter().copied().filter(|need| !self.without.contains(need)).collect()
    }

    fn wants(&self, scenario: &str) -> bool {
        self.only.as_deref().is_none_or(|only| scenario.contains(only))
            && !self.except.as_deref().is_some_and(|except| scenario.contains(except))
    }
}

/// Learns the repositoryUniqueId.
const REPOSITORY_UNIQUE_ID: &str = "repository-unique-id";
/// Once for each CDA document, as `document1`.
const CDA: &str = "cda";
/// Stands for the documents of a corpus that is not there.
const CORPUS: &str = "cda/corpus";

/// Probes of what a server offers: `offers/update` for [`Need::Update`].
const OFFERS: &str = "offers/";

/// Runs every scenario that `options` want. Must be awaited on an actix runtime (`actix_web::rt`).
///
/// An error is a mistake in a scenario or a folder that cannot be read; what the server does wrong is in the report.
pub async fn run(options: &Options) -> anyhow::Result<Report> {
    run_watched(options, &Blind).await
}

/// As [`run`]; `watch` looks on.
pub async fn run_watched(options: &Options, watch: &dyn Watch) -> anyhow::Result<Report> {
    let scenarios = scenarios()?;
    let wire = Direct::new();
    let mut runner = Runner::new(options, &wire, watch)?;
    let mut report = Report { checks: prepare(&mut runner, &scenarios).await? };
    let tasks = tasks(options, &scenarios)?;
    for (index, task) in tasks.iter().enumerate() {
        watch.begins(&task.scenario.name, index, tasks.len());
        report.checks.extend(task.run(&runner).await);
    }
    Ok(report)
}

/// Learns what the scenarios build on.
async fn prepare<'o>(runner: &mut Runner<'o>, scenarios: &'o [Scenario]) -> anyhow::Result<Vec<Check>> {
    let mut checks = Vec::new();
    if !runner.knows_repository() {
        checks = runner.learn_repository(find(scenarios, REPOSITORY_UNIQUE_ID)?).await;
    }
    let probe = |need: &str| scenarios.iter().find(|s| s.name.strip_prefix(OFFERS) == Some(need));
    runner.learn_offers(probe).await;
    Ok(checks)
}

fn find<'s>(scenarios: &'s [Scenario], name: &str) -> anyhow::Result<&'s Scenario> {
    scenarios.iter().find(|s| s.name == name).with_context(|| format!("no scenario {name}"))
}

/// A scenario to run.
struct Task {
    scenario: Scenario,
    /// The CDA document that the scenario is about.
    document: Option<Bytes>,
    /// It cannot be run.
    skipped: Option<String>,
}

/// Every scenario that `options` want; that of the CDA documents once for each.
fn tasks(options: &Options, scenarios: &[Scenario]) -> anyhow::Result<Vec<Task>> {
    let special = |name: &str| [REPOSITORY_UNIQUE_ID, CDA].contains(&name) || name.starts_with(OFFERS);
    let task = |scenario: Scenario| Task { scenario, document: None, skipped: None };
    let mut tasks: Vec<Task> = scenarios.iter().filter(|s| !special(&s.name)).cloned().map(task).collect();
    let cda = find(scenarios, CDA)?;
    let named = |name: String| Scenario { name, ..cda.clone() };
    for (name, octets) in embedded::DOCUMENTS {
        let document = Some(Bytes::from_static(octets));
        tasks.push(Task { document, ..task(named(format!("{CDA}/documents/{name}"))) });
    }
    match &options.corpus {
        Some(folder) => {
            for document in corpus::documents(&folder.join("data/cda"))? {
                let name = named(format!("{CDA}/{}", document.name));
                tasks.push(Task { document: Some(document.octets), ..task(name) });
            }
        }
        None => {
            let skipped = Some("no corpus (--corpus DIR or CARNET_CORPUS)".to_owned());
            tasks.push(Task { skipped, ..task(named(CORPUS.to_owned())) });
        }
    }
    tasks.retain(|task| options.wants(&task.scenario.name));
    Ok(tasks)
}

impl Task {
    async fn run(&self, runner: &Runner<'_>) -> Vec<Check> {
        self.run_until(runner, |_| false).await
    }

    async fn run_until(&self, runner: &Runner<'_>, enough: impl Fn(&Outcome) -> bool) -> Vec<Check> {
        let mut context = runner.context();
        if let Some(reason) = &self.skipped {
            let outcome = Outcome::Skipped(reason.clone());
            return vec![Check { step: "(all)".into(), outcome, ..Check::of(&self.scenario) }];
        }
        if let Some(octets) = &self.document {
            match corpus::prepare(octets, &mut context) {
                Err(error) => {
                    let outcome = Outcome::Failed(vec![error.to_string()]);
                    let step = "metadata from the header".into();
                    return vec![Check { step, outcome, ..Check::of(&self.scenario) }];
                }
                Ok(prepared) => drop(context.prepared.insert("document1".into(), prepared)),
            }
        }
        runner.run_until(&self.scenario, &mut context, enough).await
    }
}

/// Every scenario, in order of the names.
fn scenarios() -> anyhow::Result<Vec<Scenario>> {
    embedded::SCENARIOS
        .iter()
        .map(|(name, text)| {
            let text = std::str::from_utf8(text)?;
            Scenario::read(name, text).with_context(|| format!("scenarios/{name}.toml"))
        })
        .collect()
}

#[cfg(test)]
mod coverage;
#[cfg(test)]
mod tests;

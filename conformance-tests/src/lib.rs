//! Conformance tests for XDS.b Document Registries and Repositories: scenarios written as data, run against any server
//! that can be reached by its two URLs.
//!
//! [`run`] asks the server and gives a [`Report`]; the program of the same name prints it.

mod answer;
mod context;
mod corpus;
mod entry;
mod http;
mod judge;
mod placeholder;
mod report;
mod request;
mod runner;
mod scenario;
mod submission;
mod template;

use std::path::PathBuf;
use std::time::Duration;

use anyhow::Context as _;

pub use report::{Check, Outcome, Report};
use runner::Runner;
use scenario::Scenario;

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
            repository_unique_id: None,
            patient: None,
            authority: "1.3.6.1.4.1.21367.2005.13.20.1000".into(),
            unknown_patients: UnknownPatients::Open,
            only: None,
            except: None,
            corpus: None,
        }
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

/// Runs every scenario that `options` want. Must be awaited on an actix runtime (`actix_web::rt`).
///
/// An error is a mistake in a scenario or a folder that cannot be read; what the server does wrong is in the report.
pub async fn run(options: &Options) -> anyhow::Result<Report> {
    let scenarios = scenarios()?;
    let find =
        |name| scenarios.iter().find(|s| s.name == name).with_context(|| format!("no scenario {name}"));
    let mut runner = Runner::new(options);
    let mut report = Report::default();
    if !runner.knows_repository() {
        report.checks.extend(runner.learn_repository(find(REPOSITORY_UNIQUE_ID)?).await);
    }
    let special = [REPOSITORY_UNIQUE_ID, CDA];
    for scenario in scenarios.iter().filter(|s| !special.contains(&s.name.as_str()) && options.wants(&s.name))
    {
        report.checks.extend(runner.run(scenario, &mut runner.context()).await);
    }
    run_documents(options, &runner, find(CDA)?, &mut report).await?;
    Ok(report)
}

async fn run_documents(
    options: &Options,
    runner: &Runner<'_>,
    scenario: &Scenario,
    report: &mut Report,
) -> anyhow::Result<()> {
    let own = embedded::DOCUMENTS.iter().map(|(name, octets)| corpus::Document {
        name: format!("documents/{name}"),
        octets: (*octets).into(),
    });
    let mut documents: Vec<corpus::Document> = own.collect();
    let check = |name: String, step: &str, outcome| Check {
        scenario: name,
        title: scenario.title.clone(),
        step: step.into(),
        outcome,
        time: Duration::ZERO,
    };
    match &options.corpus {
        Some(folder) => documents.extend(corpus::documents(&folder.join("data/cda"))?),
        None if !options.wants(CORPUS) => {}
        None => report.checks.extend(scenario.steps.iter().map(|step| {
            let reason = "no corpus (--corpus DIR or CARNET_CORPUS)".to_owned();
            check(CORPUS.to_owned(), &step.name, Outcome::Skipped(reason))
        })),
    }
    for document in documents {
        let name = format!("{CDA}/{}", document.name);
        if !options.wants(&name) {
            continue;
        }
        let mut context = runner.context();
        match corpus::prepare(&document.octets, &mut context) {
            Err(error) => {
                report.checks.push(check(
                    name,
                    "metadata from the header",
                    Outcome::Failed(vec![error.to_string()]),
                ));
            }
            Ok(prepared) => {
                context.prepared.insert("document1".into(), prepared);
                let scenario = Scenario { name, ..scenario.clone() };
                report.checks.extend(runner.run(&scenario, &mut context).await);
            }
        }
    }
    Ok(())
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
mod tests;

//! Runs scenarios, one after the other, each with a patient of its own.

use std::time::{Duration, Instant};

use crate::answer::Answer;
use crate::context::Context;
use crate::judge::{captured, judge};
use crate::placeholder::Placeholders;
use crate::report::{Check, Outcome};
use crate::scenario::{Endpoint, Needs, Scenario, Step};
use crate::{Options, UnknownPatients, http, request};

pub struct Runner<'o> {
    options: &'o Options,
    client: awc::Client,
    /// repositoryUniqueId of the server.
    repository: Option<String>,
}

impl<'o> Runner<'o> {
    pub fn new(options: &'o Options) -> Self {
        Runner { options, client: http::client(), repository: options.repository_unique_id.clone() }
    }

    pub fn knows_repository(&self) -> bool {
        self.repository.is_some()
    }

    /// Runs the scenario that captures the placeholder `repository`.
    pub async fn learn_repository(&mut self, scenario: &Scenario) -> Vec<Check> {
        let mut context = self.context();
        let checks = self.run(scenario, &mut context).await;
        self.repository = context.placeholders.text("{{repository}}").ok();
        checks
    }

    /// A fresh patient, fresh ids.
    pub fn context(&self) -> Context {
        let mut placeholders = Placeholders::new(&self.options.authority);
        if let Some(patient) = &self.options.patient {
            placeholders.set("patient", patient);
        }
        if let Some(repository) = &self.repository {
            placeholders.set("repository", repository);
        }
        Context::new(placeholders, self.options.patient.is_some())
    }

    /// Why this server, as it is set, is not asked.
    pub fn reason_to_skip(&self, scenario: &Scenario) -> Option<String> {
        match (scenario.needs?, self.options.unknown_patients) {
            (Needs::UnknownPatientsOpened, UnknownPatients::Open) => None,
            (Needs::UnknownPatientsRefused, UnknownPatients::Refuse) => None,
            (Needs::UnknownPatientsOpened, UnknownPatients::Refuse) => {
                Some("needs a server that opens records by itself".into())
            }
            (Needs::UnknownPatientsRefused, UnknownPatients::Open) => Some(
                "needs a server that refuses unknown patients (--unknown-patients refuse --patient CX)"
                    .into(),
            ),
        }
    }

    pub async fn run(&self, scenario: &Scenario, context: &mut Context) -> Vec<Check> {
        let mut checks = Vec::new();
        for (index, step) in scenario.steps.iter().enumerate() {
            let started = Instant::now();
            let outcome = match self.reason_to_skip(scenario) {
                Some(reason) => Outcome::Skipped(reason),
                None => match self.step(step, index + 1, context).await {
                    wrong if wrong.is_empty() => Outcome::Passed,
                    wrong => Outcome::Failed(wrong),
                },
            };
            let time =
                if matches!(outcome, Outcome::Skipped(_)) { Duration::ZERO } else { started.elapsed() };
            let (scenario, title) = (scenario.name.clone(), scenario.title.clone());
            checks.push(Check { scenario, title, step: step.name.clone(), outcome, time });
        }
        checks
    }

    async fn step(&self, step: &Step, number: usize, context: &mut Context) -> Vec<String> {
        let url = |endpoint| match endpoint {
            Endpoint::Registry => self.options.registry.clone(),
            Endpoint::Repository => self.options.repository.clone(),
        };
        let request = match request::build(step, number, url, context) {
            Ok(request) => request,
            Err(error) => return vec![format!("the request cannot be made: {error}")],
        };
        let received = match http::send(&self.client, &url(request.to), &request).await {
            Ok(received) => received,
            Err(error) => return vec![error.to_string()],
        };
        let answer = Answer::read(&received).await;
        let soap = answer.as_ref().map_err(|error| error.to_string());
        let mut wrong = judge(&step.expect, request.message.as_ref(), &received, soap, context);
        for (name, path) in &step.capture {
            match answer.as_ref().ok().and_then(|answer| captured(path, answer, context)) {
                Some(value) => context.placeholders.set(name.as_str(), value),
                None => wrong.push(format!("{path} is not in the answer")),
            }
        }
        wrong
    }
}

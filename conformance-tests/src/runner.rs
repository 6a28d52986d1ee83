//! Runs scenarios, one after the other, each with a patient of its own.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::time::Instant;

use futures_util::future::join_all;

use crate::answer::{Answer, Body};
use crate::context::Context;
use crate::judge::{captured, judge};
use crate::listener::{Expected, Listener};
use crate::offer::Need;
use crate::placeholder::Placeholders;
use crate::report::{Check, Exchange, Outcome};
use crate::request::{self, Addresses, Request};
use crate::scenario::{Endpoint, Expect, Scenario, Step};
use crate::transaction::Transaction;
use crate::watch::{Snapshot, Watch, differences};
use crate::wire::{Received, Wire};
use crate::{Options, UnknownPatients};

pub struct Runner<'o> {
    options: &'o Options,
    wire: &'o dyn Wire,
    watch: &'o dyn Watch,
    listener: Listener,
    /// repositoryUniqueId of the server.
    repository: Option<String>,
    offered: BTreeSet<Need>,
    /// After the last request, when that one was to be refused.
    unchanged: RefCell<Option<Snapshot>>,
}

/// A request on its way, and where its answer will come to.
struct Sent {
    request: Request,
    answer: Option<Expected>,
}

impl<'o> Runner<'o> {
    pub fn new(options: &'o Options, wire: &'o dyn Wire, watch: &'o dyn Watch) -> std::io::Result<Self> {
        let repository = options.repository_unique_id.clone();
        let listener = Listener::open()?;
        Ok(Runner {
            options,
            wire,
            watch,
            listener,
            repository,
            offered: options.declared(),
            unchanged: RefCell::default(),
        })
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

    /// Asks for everything that is neither declared nor excluded.
    pub async fn learn_offers(&mut self, probe: impl Fn(&str) -> Option<&'o Scenario>) {
        for need in Need::options() {
            if self.offered.contains(need) || self.options.without.contains(need) {
                continue;
            }
            let offered = match (need, probe(&need.name())) {
                (Need::Feed, _) => self.options.feed.is_some(),
                (_, None) => false,
                (_, Some(probe)) => self.is_offered(probe).await,
            };
            if offered {
                self.offered.insert(*need);
            }
        }
    }

    pub fn offers(&self, need: Need) -> bool {
        self.offered.contains(&need)
    }

    /// Whether a server knows what the probe asks for: it neither refuses to understand nor says that it does not.
    async fn is_offered(&self, probe: &Scenario) -> bool {
        let mut context = self.context();
        for (index, step) in probe.steps.iter().enumerate() {
            let Ok(sent) = self.build(step, index + 1, &mut context) else { return false };
            let Ok(received) = self.wire.send(&self.url(sent.request.to), &sent.request).await else {
                return false;
            };
            if step.asynchronous {
                return received.status == 202;
            }
            let Ok(answer) = Answer::read(&received).await else { return false };
            let known = match &answer.body {
                Body::Fault { .. } => false,
                Body::Acknowledgement(_) => true,
                Body::Response(response) => {
                    // A document that is promised is there.
                    let is_missing = step.send == Some(Transaction::Iti43) && response.documents.is_empty();
                    !is_missing && !response.errors.iter().any(|error| error.code == "XDSUnknownStoredQuery")
                }
            };
            if !known || step.capture.values().any(|path| captured(path, &answer, &context).is_none()) {
                return false;
            }
        }
        true
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
    fn reason_to_skip(&self, scenario: &Scenario) -> Option<Outcome> {
        scenario.needs.iter().find_map(|need| match (need, self.options.unknown_patients) {
            (Need::UnknownPatientsOpened, UnknownPatients::Open)
            | (Need::UnknownPatientsRefused, UnknownPatients::Refuse) => None,
            (Need::UnknownPatientsOpened, UnknownPatients::Refuse) => {
                Some(Outcome::Skipped("needs a server that opens records by itself".into()))
            }
            (Need::UnknownPatientsRefused, UnknownPatients::Open) => Some(Outcome::Skipped(
                "needs a server that refuses unknown patients (--unknown-patients refuse --patient CX)"
                    .into(),
            )),
            (option, _) => (!self.offered.contains(option)).then(|| Outcome::NotOffered(option.name())),
        })
    }

    /// Every step in turn.
    pub async fn run(&self, scenario: &Scenario, context: &mut Context) -> Vec<Check> {
        self.run_until(scenario, context, |_| false).await
    }

    /// Every step in turn, until one comes out in a way that tells enough.
    pub async fn run_until(
        &self,
        scenario: &Scenario,
        context: &mut Context,
        enough: impl Fn(&Outcome) -> bool,
    ) -> Vec<Check> {
        let mut checks = Vec::new();
        let skip = match context.adopt(&scenario.values) {
            Ok(()) => self.reason_to_skip(scenario),
            Err(error) => Some(Outcome::Failed(vec![error.to_string()])),
        };
        for (index, step) in scenario.steps.iter().enumerate() {
            let started = Instant::now();
            let mut exchanges = Vec::new();
            let outcome = match &skip {
                Some(outcome) => outcome.clone(),
                None => match self.guarded(step, index + 1, context, &mut exchanges).await {
                    wrong if wrong.is_empty() => Outcome::Passed,
                    wrong => Outcome::Failed(wrong),
                },
            };
            let time = if skip.is_none() { started.elapsed() } else { Default::default() };
            let check = Check { step: step.name.clone(), outcome, time, exchanges, ..Check::of(scenario) };
            let last = enough(&check.outcome);
            checks.push(check);
            if last {
                break;
            }
        }
        checks
    }

    /// A step; one that is to be refused must leave everything as it was.
    async fn guarded(
        &self,
        step: &Step,
        number: usize,
        context: &mut Context,
        exchanges: &mut Vec<Exchange>,
    ) -> Vec<String> {
        let unchanged = self.unchanged.take();
        if !step.expect.is_refusal() || !step.beside.is_empty() {
            return self.step(step, number, context, exchanges).await;
        }
        let before = match unchanged {
            Some(snapshot) => Some(snapshot),
            None => self.watch.snapshot().await,
        };
        let mut wrong = self.step(step, number, context, exchanges).await;
        if let Some(before) = before {
            let after = self.watch.snapshot().await.unwrap_or_default();
            wrong.extend(differences(&before, &after));
            self.unchanged.replace(Some(after));
        }
        wrong
    }

    fn url(&self, endpoint: Endpoint) -> String {
        match endpoint {
            Endpoint::Registry => self.options.registry.clone(),
            Endpoint::Repository => self.options.repository.clone(),
            Endpoint::Feed => self.options.feed.clone().unwrap_or_default(),
        }
    }

    fn build(&self, step: &Step, number: usize, context: &mut Context) -> Result<Sent, String> {
        let answer = step.asynchronous.then(|| self.listener.expect());
        let reply_to = answer.as_ref().map(|answer| answer.url.clone()).unwrap_or_default();
        let addresses = |endpoint| Addresses { to: self.url(endpoint), reply_to: reply_to.clone() };
        let request = request::build(step, number, addresses, context);
        let request = request.map_err(|error| format!("the request cannot be made: {error}"))?;
        Ok(Sent { request, answer })
    }

    async fn step(
        &self,
        step: &Step,
        number: usize,
        context: &mut Context,
        exchanges: &mut Vec<Exchange>,
    ) -> Vec<String> {
        let mut sent = Vec::new();
        for (index, step) in std::iter::once(step).chain(&step.beside).enumerate() {
            // Objects without a name have one by the number of their step.
            match self.build(step, number + 1000 * index, context) {
                Ok(request) => sent.push(request),
                Err(error) => return vec![error],
            }
        }
        let requests: Vec<Request> = sent.iter().map(|sent| sent.request.clone()).collect();
        let received = join_all(sent.into_iter().map(|sent| self.exchange(sent))).await;
        let mut verdicts = Vec::new();
        for (index, (request, received)) in requests.iter().zip(&received).enumerate() {
            let own = if index == 0 { step } else { &step.beside[index - 1] };
            exchanges.push(Exchange::of(own, request, received.as_ref().ok()));
            let received = match received {
                Ok(received) => received,
                Err(error) => return vec![error.clone()],
            };
            verdicts.push(self.verdicts(own, request, received, context).await);
        }
        match step.otherwise.is_some() {
            false => verdicts.into_iter().flat_map(|(wrong, _)| wrong).collect(),
            true => one_of(verdicts),
        }
    }

    /// What is wrong by `expect`, and by `otherwise`.
    async fn verdicts(
        &self,
        step: &Step,
        request: &Request,
        received: &Received,
        context: &mut Context,
    ) -> (Vec<String>, Vec<String>) {
        let answer = Answer::read(received).await;
        let by = |expect: &Expect, context: &mut Context| {
            let soap = answer.as_ref().map_err(|error| error.to_string());
            judge(expect, request.message.as_ref(), received, soap, context)
        };
        let mut wrong = by(&step.expect, context);
        let otherwise = step.otherwise.as_ref().map(|expect| by(expect, context)).unwrap_or_default();
        for (name, path) in &step.capture {
            match answer.as_ref().ok().and_then(|answer| captured(path, answer, context)) {
                Some(value) => context.placeholders.set(name.as_str(), value),
                None => wrong.push(format!("{path} is not in the answer")),
            }
        }
        (wrong, otherwise)
    }

    /// The answer, wherever it comes.
    async fn exchange(&self, sent: Sent) -> Result<Received, String> {
        let url = self.url(sent.request.to);
        let received = self.wire.send(&url, &sent.request).await.map_err(|error| error.to_string())?;
        let Some(expected) = sent.answer else { return Ok(received) };
        if received.status != 202 || !received.body.is_empty() {
            let bytes = received.body.len();
            return Err(format!(
                "HTTP 202 without a body is expected, came: {}, {bytes} bytes",
                received.status
            ));
        }
        let answer = expected.arrives().await;
        answer.map(|answer| self.wire.arrived(answer)).ok_or_else(|| "no answer came to ReplyTo".to_owned())
    }
}

/// Of requests sent at once, exactly one has the answer that is expected, all others the other one.
fn one_of(verdicts: Vec<(Vec<String>, Vec<String>)>) -> Vec<String> {
    let winners = verdicts.iter().filter(|(wrong, _)| wrong.is_empty()).count();
    let losers = verdicts.iter().filter(|(wrong, otherwise)| !wrong.is_empty() && otherwise.is_empty());
    if winners == 1 && losers.count() == verdicts.len() - 1 {
        return Vec::new();
    }
    let mut wrong = vec![format!("of {} requests one is to succeed, {winners} did", verdicts.len())];
    wrong.extend(verdicts.into_iter().flat_map(|(_, otherwise)| otherwise));
    wrong
}

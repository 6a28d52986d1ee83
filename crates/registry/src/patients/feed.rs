//! What a patient identity feed changes: records are opened and merged (ITI-8, ITI-44, and a person at the command line).
//!
//! A merge sets `record.survivor` and moves nothing. Whoever writes into a record holds its row `for share`, and a merge
//! needs it `for no key update`: a submission commits before the merge, or it sees the merge and is refused.

use access::Requester;
use atna::{Act, Event, MessageId, Outcome};
use database::Database;
use deadpool_postgres::Transaction;
use xds::value::Cx;

use super::{Record, State, outcome_after};
use crate::{Failure, sql};

/// Where a change comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Door {
    Iti8,
    Iti44,
    CommandLine,
}

/// The two sides of a merge.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Side {
    Subsumed,
    Surviving,
}

/// Why a change was not made. Names no identifier, so it may go to logs and traces.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    #[error("the record of this identifier is {0} and stays so")]
    StaysSo(State),
    #[error("there must be one {0} identifier of this domain's authority")]
    NotOne(Side),
    #[error("the {0} identifier is not known")]
    Unknown(Side),
    #[error("the record of the {0} identifier is {1}")]
    NotOpen(Side, State),
    #[error("both identifiers lead to the same record")]
    Same,
}

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("{0}")]
    Refused(Refusal),
    #[error("{0}")]
    Failed(Failure),
}

impl<E: Into<Failure>> From<E> for Error {
    fn from(error: E) -> Self {
        Error::Failed(error.into())
    }
}

/// One message of a feed, or one command. Works on the database alone, so the command line can do it beside a running server.
#[derive(Debug, Clone)]
pub struct Change<'a> {
    pub requester: &'a Requester,
    pub source: &'a atna::Source,
    pub door: Door,
    pub message: Option<MessageId>,
}

impl Change<'_> {
    /// Opens a record for each of the patients; one that is open already is no error. One that may not be reopened refuses
    /// all.
    pub async fn add(&self, database: &Database, patients: &[Cx]) -> Result<(), Error> {
        let act = match self.door {
            Door::Iti8 => Act::Iti8Added,
            Door::Iti44 => Act::Iti44Added,
            Door::CommandLine => Act::PatientOpened,
        };
        let events = self.events(patients.iter().map(|patient| (act, patient)));
        self.traced(database, events, async |transaction| {
            let mut patients: Vec<&Cx> = patients.iter().collect();
            // Two messages with the same patients must not wait for each other.
            patients.sort_unstable_by(|a, b| (&a.authority, &a.id).cmp(&(&b.authority, &b.id)));
            for patient in patients {
                let found = match sql::find_record(transaction, patient).await? {
                    Some(record) => Some(record),
                    None => sql::open_record(transaction, patient).await?,
                };
                match found {
                    Some(Record { state: State::Open, .. }) => {}
                    Some(Record { state, .. }) => return Err(Error::Refused(Refusal::StaysSo(state))),
                    None => return Err(Failure::Internal("a record got no number".to_owned()).into()),
                }
            }
            Ok(())
        })
        .await
    }

    /// Only the trace: the registry keeps nothing about a patient that could change.
    pub async fn revise(&self, database: &Database, patients: &[Cx]) -> Result<(), Error> {
        let act = match self.door {
            Door::Iti8 | Door::CommandLine => Act::Iti8Revised,
            Door::Iti44 => Act::Iti44Revised,
        };
        let events = self.events(patients.iter().map(|patient| (act, patient)));
        self.traced(database, events, async |_| Ok(())).await
    }

    /// From now on the record of the first is a part of the second, for good. There must be one of each, and both must be
    /// open.
    pub async fn merge(&self, database: &Database, subsumed: &[Cx], surviving: &[Cx]) -> Result<(), Error> {
        let [survived, merged] = match self.door {
            Door::Iti8 => [Act::Iti8Survived, Act::Iti8Subsumed],
            Door::Iti44 => [Act::Iti44Survived, Act::Iti44Subsumed],
            Door::CommandLine => [Act::PatientSurvived, Act::PatientSubsumed],
        };
        let events = |act, patients: &[Cx]| {
            let mut events = self.events(patients.iter().map(|patient| (act, patient)));
            if events.is_empty() {
                let none = Event::new(act, Outcome::Success, self.requester, self.source);
                events.push(none.message(self.message.clone()));
            }
            events
        };
        let events = [events(survived, surviving), events(merged, subsumed)].concat();
        self.traced(database, events, async |transaction| merge(transaction, subsumed, surviving).await).await
    }

    fn events<'p>(&self, patients: impl IntoIterator<Item = (Act, &'p Cx)>) -> Vec<Event> {
        patients
            .into_iter()
            .map(|(act, patient)| {
                Event::new(act, Outcome::Success, self.requester, self.source)
                    .patient(Some(&patient.text))
                    .message(self.message.clone())
            })
            .collect()
    }

    /// The change and its events in one transaction; the events of a failure in one of their own. With
    /// [`Failure::OutcomeUnknown`] the change may have been made.
    async fn traced(
        &self,
        database: &Database,
        mut events: Vec<Event>,
        change: impl AsyncFnOnce(&Transaction<'_>) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let changed = async {
            let mut client = database.get().await?;
            let transaction = client.transaction().await?;
            change(&transaction).await?;
            // A change of nobody has no event, and none is found.
            let event = events.first().map(|event| event.id).unwrap_or_default();
            atna::log::claim(&*transaction, event).await?;
            atna::record(&transaction, &events).await?;
            if let Err(error) = transaction.commit().await {
                drop(client);
                outcome_after(database, error, event).await?;
            }
            Ok(())
        };
        let Err(error) = changed.await else { return Ok(()) };
        let (outcome, description) = match &error {
            // If the change was made, its own events tell of it.
            Error::Failed(Failure::OutcomeUnknown) => return Err(error),
            Error::Refused(refusal) => (Outcome::MinorFailure, refusal.to_string()),
            Error::Failed(failure) => (Outcome::SeriousFailure, failure.codes()),
        };
        for event in &mut events {
            event.outcome = outcome;
            event.outcome_description = Some(description.clone());
        }
        let traced = async {
            let client = database.get().await?;
            Ok::<_, Error>(atna::record(&client, &events).await?)
        };
        match (traced.await, error) {
            // Without a trace not even the reason is given away.
            (Err(untraced), Error::Refused(_)) => Err(untraced),
            (Err(untraced), error) => {
                if !database.is_away() {
                    tracing::error!(
                        "the trace of a failed change of a patient cannot be written: {untraced}"
                    );
                }
                Err(error)
            }
            (Ok(()), error) => Err(error),
        }
    }
}

/// Both records must be survivors themselves, under locks, so no cycle can arise.
async fn merge(transaction: &Transaction<'_>, subsumed: &[Cx], surviving: &[Cx]) -> Result<(), Error> {
    let refuse = |refusal| Err(Error::Refused(refusal));
    let [subsumed] = subsumed else { return refuse(Refusal::NotOne(Side::Subsumed)) };
    let [surviving] = surviving else { return refuse(Refusal::NotOne(Side::Surviving)) };
    let mut sides = [(Side::Subsumed, subsumed, None), (Side::Surviving, surviving, None)];
    // In the order in which all lock that need several records, so that two of them cannot wait for each other.
    sides.sort_unstable_by_key(|(_, patient, _)| (&patient.authority, &patient.id));
    for (_, patient, found) in &mut sides {
        *found = sql::lock_for_merge(transaction, patient).await?;
    }
    sides.sort_unstable_by_key(|(side, ..)| *side);
    let [(_, _, from), (_, _, into)] = sides;
    let Some(from) = from else { return refuse(Refusal::Unknown(Side::Subsumed)) };
    let Some(into) = into else { return refuse(Refusal::Unknown(Side::Surviving)) };
    if from.number == into.number {
        return refuse(Refusal::Same);
    }
    for (side, record) in [(Side::Subsumed, from), (Side::Surviving, into)] {
        if record.state != State::Open {
            return refuse(Refusal::NotOpen(side, record.state));
        }
    }
    Ok(sql::merge_record(transaction, from.number, into.number).await?)
}

impl std::fmt::Display for Side {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Side::Subsumed => "subsumed",
            Side::Surviving => "surviving",
        })
    }
}

//! Records and the identifiers by which they are known.

pub mod feed;

use access::Requester;
use atna::{Act, Event, Outcome};
use database::Database;
use uuid::Uuid;
use xds::value::Cx;

use crate::sql;
use crate::{Failure, Registry};

/// A record as an identifier leads to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Record {
    pub number: i64,
    pub state: State,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    Open,
    Closed,
    /// Subsumed by a merge: another record survives.
    Merged,
}

/// What [`open`] found or did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Opened {
    Now,
    AlreadyOpen,
    /// Closed or merged away: stays so.
    Refused(State),
}

/// Opens a record for the patient (ouverture du DMP), with its trace. Opening twice is no error.
///
/// Works on the database alone, so the command line can do it beside a running server.
pub async fn open(
    database: &Database,
    requester: &Requester,
    source: &atna::Source,
    patient: &Cx,
) -> Result<Opened, Failure> {
    let mut client = database.get().await?;
    let transaction = client.transaction().await?;
    let opened = match sql::find_record(&transaction, patient).await? {
        Some(Record { state: State::Open, .. }) => Opened::AlreadyOpen,
        Some(Record { state, .. }) => Opened::Refused(state),
        None => match sql::open_record(&transaction, patient).await? {
            Some(Record { state: State::Open, .. }) => Opened::Now,
            Some(Record { state, .. }) => Opened::Refused(state),
            None => return Err(Failure::Internal("opening a record gave no number".to_owned())),
        },
    };
    let event = match opened {
        Opened::Now => Event::new(Act::PatientOpened, Outcome::Success, requester, source),
        Opened::AlreadyOpen => {
            Event::new(Act::PatientOpened, Outcome::Success, requester, source).described("already open")
        }
        Opened::Refused(state) => Event::new(Act::PatientOpened, Outcome::MinorFailure, requester, source)
            .described(format!("refused: the record is {state}")),
    };
    let id = event.id;
    atna::log::claim(&*transaction, id).await?;
    atna::record(&transaction, &[event.patient(Some(&patient.text))]).await?;
    if let Err(error) = transaction.commit().await {
        drop(client);
        outcome_after(database, error, id).await?;
    }
    Ok(opened)
}

/// The answer to a commit was lost: looks, on a new connection, for an event that was a part of it.
async fn outcome_after(
    database: &Database,
    error: tokio_postgres::Error,
    event: Uuid,
) -> Result<(), Failure> {
    tracing::warn!("the answer to a commit was lost: {error}");
    match atna::log::committed(database, event).await {
        Ok(true) => Ok(()),
        Ok(false) => Err(error.into()),
        Err(_) => Err(Failure::OutcomeUnknown),
    }
}

/// Every identifier of the record that `patient` leads to; `patient` alone when there is none.
pub async fn identifiers(database: &Database, patient: &Cx) -> Result<Vec<(String, String)>, Failure> {
    let client = database.get().await?;
    let mut all = sql::identifiers(&client, patient).await?;
    if all.is_empty() {
        all.push((patient.id.clone(), patient.authority.clone()));
    }
    Ok(all)
}

impl Registry {
    /// True when the patient's record is open.
    pub async fn knows(&self, patient: &Cx) -> Result<bool, Failure> {
        let client = self.database.get().await?;
        let record = sql::find_record(&client, patient).await?;
        Ok(record.is_some_and(|r| r.state == State::Open))
    }
}

impl std::fmt::Display for State {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            State::Open => "open",
            State::Closed => "closed",
            State::Merged => "merged into another",
        })
    }
}

//! Registry Stored Query, ITI-18 (TF-2 §3.18). A result is given only when its trace is durable.
//!
//! [`find`] collects the objects of each query, [`result`] decides whose they are and whether they may be given together,
//! [`answer`] shows them. ITI-51 goes the same way.

pub mod answer;
mod find;
mod result;

use access::Requester;
use atna::{Act, Event, Object, Outcome};
use deadpool_postgres::tokio_postgres::IsolationLevel;
use futures_util::future::try_join;
use uuid::Uuid;
use xds::query::{Query, QueryKind, Request, Transaction};

use self::answer::Answered;
use self::result::Resolved;
use crate::{Failure, Registry};

impl Registry {
    /// Answers a stored query of ITI-18. `request_xml` is the `query:AdhocQueryRequest` as received, for the trace.
    pub async fn query(
        &self,
        requester: &Requester,
        request: &Request,
        request_xml: &str,
    ) -> Result<Answered, Failure> {
        self.stored_query(Transaction::Iti18, requester, request, request_xml).await
    }

    pub(crate) async fn stored_query(
        &self,
        transaction: Transaction,
        requester: &Requester,
        request: &Request,
        request_xml: &str,
    ) -> Result<Answered, Failure> {
        let act = match transaction {
            Transaction::Iti18 => Act::Iti18Registry,
            Transaction::Iti51 => Act::Iti51Registry,
        };
        let event = Event::new(act, Outcome::Success, requester, &self.source).object(Object::Query {
            id: request.id.clone(),
            request: request_xml.to_owned(),
            home_community_id: request.home.clone(),
        });
        let asked_for = request.patient_ids();
        let result = match request.parse_for(transaction) {
            Ok(query) => self.answer(&query, event.clone(), &asked_for).await,
            Err(findings) => Err(Failure::Refused(findings)),
        };
        if let Err(failure) = &result {
            let mut event = event.described(failure.codes());
            event.outcome = match failure.is_refusal() {
                true => Outcome::MinorFailure,
                false => Outcome::SeriousFailure,
            };
            let traced = self.write_trace(&per_patient(&event, asked_for)).await;
            if failure.is_refusal() {
                traced?;
            }
        }
        result
    }

    /// What was found is given when its trace is durable, and not before.
    async fn answer(&self, query: &Query, event: Event, asked_for: &[String]) -> Result<Answered, Failure> {
        let found = self.read(query).await?;
        result::check(query, &found, self.settings.query_results)?;
        let patients = match asked_for {
            [] => result::patients(&found),
            asked_for => asked_for.to_vec(),
        };
        let events = per_patient(&event, patients);
        let (_, answered) =
            try_join(self.write_trace(&events), self.answered(query.return_type, found)).await?;
        Ok(answered)
    }

    /// Everything is read as it is at one moment, however many statements a query takes.
    async fn read(&self, query: &Query) -> Result<Vec<Resolved>, Failure> {
        let mut client = self.database.get().await?;
        if let QueryKind::FindDocuments(find) = &query.kind
            && let Some((asked, found)) = self.find_by_one_statement(&client, query, find).await?
        {
            return result::resolve(&client, &asked, found).await;
        }
        let moment =
            client.build_transaction().isolation_level(IsolationLevel::RepeatableRead).read_only(true);
        let transaction = moment.start().await?;
        let asked = self.asked(&transaction, query).await?;
        let found = self.find(&transaction, query, &asked.records).await?;
        let found = result::resolve(&transaction, &asked, found).await?;
        transaction.commit().await?;
        Ok(found)
    }
}

/// One event for each patient; one without patient when there is none.
fn per_patient(event: &Event, mut patients: Vec<String>) -> Vec<Event> {
    patients.sort_unstable();
    patients.dedup();
    if patients.is_empty() {
        return vec![event.clone()];
    }
    patients
        .iter()
        .map(|patient| Event { id: Uuid::new_v4(), ..event.clone() }.patient(Some(patient)))
        .collect()
}

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
use xds::error::ErrorCode;
use xds::query::{Query, QueryKind, Request, Transaction};

use self::answer::Answered;
use self::result::Resolved;
use crate::per_patient::{self, Patients};
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
        let most = self.most_patients(request_xml.len());
        let mut asked_for: Patients = request.patient_ids().into_iter().collect();
        let mut query = request.parse_for(transaction);
        if asked_for.len() > most {
            // One trace has them all, in the text of the query.
            asked_for.clear();
            let mut findings = query.err().unwrap_or_default();
            findings.push(per_patient::too_many(ErrorCode::XDSRegistryOutOfResources, most));
            query = Err(findings);
        }
        let result = match query {
            Ok(query) => self.answer(&query, &event, &asked_for, most).await,
            Err(findings) => Err(Failure::Refused(findings)),
        };
        if let Err(failure) = &result {
            let mut event = event.described(failure.codes());
            event.outcome = match failure.is_refusal() {
                true => Outcome::MinorFailure,
                false => Outcome::SeriousFailure,
            };
            let traced = self.write_trace(&per_patient::events(&event, &asked_for)).await;
            if failure.is_refusal() {
                traced?;
            }
        }
        result
    }

    /// What was found is given when its trace is durable, and not before.
    async fn answer(
        &self,
        query: &Query,
        event: &Event,
        asked_for: &Patients,
        most: usize,
    ) -> Result<Answered, Failure> {
        let found = self.read(query).await?;
        result::check(query, &found, self.settings.query_results)?;
        let events = match asked_for.is_empty() {
            true => per_patient::events(event, &result::patients(&found, most)?),
            false => per_patient::events(event, asked_for),
        };
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

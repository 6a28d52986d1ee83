//! Registry Stored Query, ITI-18 (TF-2 §3.18). A result is given only when its trace is durable.

use access::Requester;
use atna::{Act, Event, Object, Outcome};
use deadpool_postgres::Transaction;
use uuid::Uuid;
use xds::error::{ErrorCode, Finding};
use xds::fragment::Fill;
use xds::message::QueryResult;
use xds::query::{FindDocuments, Query, QueryKind, Request, ReturnType};
use xds::value::Cx;

use crate::patients::{Record, State};
use crate::sql::{self, Found};
use crate::{Failure, Registry, UnknownInQuery};

const AVAILABILITY: &str = "urn:ihe:iti:2010:DocumentAvailability:";

impl Registry {
    /// Answers a stored query. `request_xml` is the `query:AdhocQueryRequest` as received, for the trace.
    pub async fn query(
        &self,
        requester: &Requester,
        request: &Request,
        request_xml: &str,
    ) -> Result<QueryResult, Failure> {
        let event =
            Event::new(Act::Iti18Registry, Outcome::Success, requester, &self.source).object(Object::Query {
                id: request.id.clone(),
                request: request_xml.to_owned(),
                home_community_id: request.home.clone(),
            });
        let asked_for = request.patient_ids();
        let result = match request.parse() {
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

    async fn answer(
        &self,
        query: &Query,
        event: Event,
        asked_for: &[String],
    ) -> Result<QueryResult, Failure> {
        let mut client = self.database.get().await?;
        let transaction = client.transaction().await?;
        let found = self.find(&transaction, query).await?;
        if query.return_type == ReturnType::LeafClass {
            self.check_leaf_class(query, &found)?;
        }
        let mut patients = asked_for.to_vec();
        if patients.is_empty() {
            patients = found.iter().map(|entry| entry.patient_id.clone()).collect();
        }
        atna::record(&*transaction, &per_patient(&event, patients)).await?;
        transaction.commit().await?;
        Ok(match query.return_type {
            ReturnType::ObjectRef => {
                QueryResult::ObjectRefs(found.iter().map(|entry| entry.entry_uuid).collect())
            }
            ReturnType::LeafClass => QueryResult::Objects(leaf_class(&found)),
        })
    }

    async fn find(&self, transaction: &Transaction<'_>, query: &Query) -> Result<Vec<Found>, Failure> {
        let limit = match (query.return_type, self.settings.query_results) {
            (ReturnType::ObjectRef, _) | (_, 0) => None,
            (ReturnType::LeafClass, results) => {
                i64::try_from(results).ok().map(|limit| limit.saturating_add(1))
            }
        };
        match &query.kind {
            QueryKind::FindDocuments(find) => self.find_documents(transaction, find, limit).await,
            QueryKind::GetDocuments(ids) => Ok(sql::get_documents(transaction, ids, limit).await?),
        }
    }

    async fn find_documents(
        &self,
        transaction: &Transaction<'_>,
        find: &FindDocuments,
        limit: Option<i64>,
    ) -> Result<Vec<Found>, Failure> {
        match sql::find_record(transaction, &find.patient_id).await? {
            Some(Record { number, state: State::Open | State::Closed }) => {
                Ok(sql::find_documents(transaction, number, &find.patient_id.text, find, limit).await?)
            }
            None | Some(Record { state: State::Merged, .. }) => match self.settings.unknown_in_query {
                UnknownInQuery::Empty => Ok(Vec::new()),
                UnknownInQuery::Error => Err(Failure::Refused(vec![Finding::error(
                    ErrorCode::XDSUnknownPatientId,
                    None,
                    format!("{}: no record is open for this patient", find.patient_id.text),
                )])),
            },
        }
    }

    /// One patient at a time, and not more than the limit (TF-2 §3.18.4.1.2.3.4).
    fn check_leaf_class(&self, query: &Query, found: &[Found]) -> Result<(), Failure> {
        let limit = self.settings.query_results;
        let mut findings = Vec::new();
        if limit > 0 && found.len() > limit {
            findings.push(Finding::error(
                ErrorCode::XDSTooManyResults,
                None,
                format!("more than {limit} objects; query with returnType ObjectRef, then GetDocuments in portions"),
            ));
        }
        if matches!(query.kind, QueryKind::GetDocuments(_)) {
            let mut patients = found.iter().filter_map(|entry| Cx::parse(&entry.patient_id).ok());
            if let Some(first) = patients.next()
                && patients.any(|other| other != first)
            {
                findings.push(Finding::error(
                    ErrorCode::XDSResultNotSinglePatient,
                    None,
                    "the result covers several patients; use returnType ObjectRef or ask for one patient",
                ));
            }
        }
        match findings.is_empty() {
            true => Ok(()),
            false => Err(Failure::Refused(findings)),
        }
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

fn leaf_class(found: &[Found]) -> String {
    let mut objects = String::new();
    for entry in found {
        let availability = format!("{AVAILABILITY}{}", entry.availability);
        let fill = Fill {
            status: entry.status.urn(),
            patient_id: &entry.patient_id,
            availability: &availability,
            ..Fill::default()
        };
        entry.fragment.fill(&fill, &mut objects);
    }
    objects
}

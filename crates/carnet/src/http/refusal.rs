//! Requests that never become a transaction leave a trace all the same.

use access::Requester;
use actix_web::{HttpRequest, HttpResponse};
use atna::{Act, Event, Outcome};
use soap::{Encoding, Fault};

use super::body::{self, Refusal};
use super::{App, exchange};
use crate::metrics::UNREAD;

impl App {
    /// Writes the trace of a request of which no transaction could be made. The fault is for one that could not be traced.
    pub async fn trace_refused(&self, requester: &Requester, codes: &str) -> Result<(), Fault> {
        self.metrics.add(&UNREAD, "", 1);
        let event = Event::new(Act::RequestRefused, Outcome::MinorFailure, requester, &self.source);
        self.traces.record(&[event.described(codes)]).await.map_err(|error| {
            if !self.database.is_away() {
                tracing::error!("the trace of a refused request cannot be written: {error}");
            }
            Fault::receiver("the trace of this request cannot be written; try again later")
        })
    }

    /// Answers a body that was not taken in.
    pub async fn refuse_body(
        &self,
        request: &HttpRequest,
        refusal: Refusal,
        answer: impl FnOnce(Refusal) -> HttpResponse,
    ) -> HttpResponse {
        match self.trace_refused(&exchange::origin(&self.public_url, request), &refusal.codes()).await {
            Ok(()) => answer(refusal),
            Err(untraced) => body::fault(Encoding::Simple, &untraced, None),
        }
    }
}

//! Multi-Patient Stored Query, ITI-51 (TF-2 §3.51): as ITI-18, for several patients or for all.
//!
//! A query that names no patient starts at its codes, and its answer is bounded by the limit whatever it returns.

use access::Requester;
use xds::query::{Request, Transaction};

use crate::iti18::answer::Answered;
use crate::{Failure, Registry};

impl Registry {
    /// Answers a stored query of ITI-51. `request_xml` is the `query:AdhocQueryRequest` as received, for the trace.
    pub async fn multi_patient_query(
        &self,
        requester: &Requester,
        request: &Request,
        request_xml: &str,
    ) -> Result<Answered, Failure> {
        self.stored_query(Transaction::Iti51, requester, request, request_xml).await
    }
}

//! Register On-Demand Document Entry, ITI-61 (TF-2 §3.61): ITI-42 for documents that do not exist yet.
//!
//! All rules and side effects are those of [`iti42`](crate::iti42); what differs is in the structure of the submission
//! (V24, V25) and in whose uniqueId a document may bear (V26).

use access::Requester;
use atna::{Act, Event, Outcome};
use xds::ebxml::SubmitObjects;
use xds::error::Finding;
use xds::submission::Transaction;

use crate::iti42::Alone;
use crate::{Failure, Registry};

impl Registry {
    /// As [`Registry::register`].
    pub async fn register_on_demand(
        &self,
        requester: &Requester,
        sent: SubmitObjects,
    ) -> Result<Vec<Finding>, Failure> {
        let event = Event::new(Act::Iti61Registry, Outcome::Success, requester, &self.source);
        self.register_by(Transaction::Iti61, event, sent, &Alone).await
    }
}

//! Requests about several patients: each patient has a trace of its own, and each trace says the whole request.

use std::collections::BTreeSet;

use atna::Event;
use uuid::Uuid;
use xds::error::{ErrorCode, Finding};

use crate::Registry;

/// Octets of a request that its traces may repeat together; one trace alone is as long as its request.
const REPEATED: usize = 4 << 20;

/// Identifiers of those whom a request is about.
pub type Patients = BTreeSet<String>;

impl Registry {
    /// How many patients a request may be about, of which each trace says so many octets.
    pub(crate) fn most_patients(&self, octets: usize) -> usize {
        most(self.settings.patients, octets)
    }
}

fn most(limit: usize, octets: usize) -> usize {
    limit.min(REPEATED / octets.max(1)).max(1)
}

/// One event for each patient; one without patient when there is none.
pub fn events(event: &Event, patients: &Patients) -> Vec<Event> {
    if patients.is_empty() {
        return vec![event.clone()];
    }
    patients
        .iter()
        .map(|patient| Event { id: Uuid::new_v4(), ..event.clone() }.patient(Some(patient)))
        .collect()
}

/// What a request about more patients is told.
pub fn too_many(code: ErrorCode, most: usize) -> Finding {
    let context =
        format!("more than {most} patients, and the trace of each says all of the request; send portions");
    Finding::error(code, None, context)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_traces_repeat_is_bounded_by_their_number_and_by_their_length() {
        assert_eq!(most(100, 0), 100);
        assert_eq!(most(100, 2000), 100);
        assert_eq!(most(usize::MAX, 1 << 10), 4 << 10);
        assert_eq!(most(100, 1 << 20), 4);
        assert_eq!(most(100, 1 << 30), 1, "one patient can always be asked for");
    }
}

//! Events on their way into the log.

use deadpool_postgres::GenericClient;
use uuid::Uuid;

use super::sql::{self, Incoming};
use crate::{Entry, Error};

/// Octets of an identifier in the columns.
const LONGEST: usize = 512;

/// Writes the events in the transaction of `client`, in one round trip. They are durable when it commits.
pub async fn record<C: GenericClient>(client: &C, events: &[crate::Event]) -> Result<(), Error> {
    if crate::WITHOUT_TRACES {
        return Ok(());
    }
    Ok(sql::record(client, &own(events)?).await?)
}

/// The same for entries of any origin.
pub async fn record_entries<C: GenericClient>(client: &C, entries: &[Entry]) -> Result<(), Error> {
    let incoming = entries.iter().map(incoming).collect::<Result<Vec<_>, _>>()?;
    Ok(sql::record(client, &incoming).await?)
}

/// The rows of our own events.
pub(super) fn own(events: &[crate::Event]) -> Result<Vec<Incoming>, Error> {
    events.iter().map(|event| incoming(&Entry::Own(event.clone()))).collect()
}

/// The row of an event: its canonical octets, a new salt, the leaf made of both.
pub(super) fn incoming(entry: &Entry) -> Result<Incoming, Error> {
    let content = serde_json::to_vec(entry)?;
    let salt = Uuid::new_v4().into_bytes();
    let leaf = transparency::leaf_hash(&salt, &content);
    let patient = entry.patient().map(identifier);
    Ok(Incoming {
        id: entry.id(),
        at: entry.at(),
        kind: entry.kind().number(),
        patient_id: patient.map(|(id, _)| id.to_owned()),
        patient_authority: patient.map(|(_, authority)| authority.to_owned()),
        salt: salt.to_vec(),
        content,
        leaf: leaf.as_octets().to_vec(),
    })
}

/// CX.1 and the OID in CX.4; what is no CX is an id without authority. Of what is too long to be one, the beginning: an
/// index takes no more, and one event must not keep all others out of the log.
pub(super) fn identifier(cx: &str) -> (&str, &str) {
    let mut components = cx.split('^');
    let id = components.next().unwrap_or_default();
    let authority = components.nth(2).and_then(|authority| authority.split('&').nth(1));
    (beginning(id), beginning(authority.unwrap_or_default()))
}

pub(super) fn beginning(id: &str) -> &str {
    id.get(..id.floor_char_boundary(LONGEST)).unwrap_or(id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_patient_is_found_by_id_and_authority() {
        assert_eq!(identifier("123^^^&1.2.250.1.213.1.4.8&ISO^NH"), ("123", "1.2.250.1.213.1.4.8"));
        assert_eq!(identifier("123^^^HOSPITAL"), ("123", ""));
        assert_eq!(identifier("Patient/12"), ("Patient/12", ""));
    }

    #[test]
    fn two_events_of_the_same_content_have_leaves_of_their_own() {
        let source = crate::Source::here("carnet", None);
        let requester = access::Requester::local("operator", "carnet audit");
        let event = crate::Event::new(crate::Act::AuditRead, crate::Outcome::Success, &requester, &source);
        let [one, other] = [0, 1].map(|_| incoming(&Entry::Own(event.clone())).unwrap());
        assert_eq!(one.content, other.content);
        assert_ne!(one.leaf, other.leaf);
        assert_eq!(
            one.leaf,
            transparency::leaf_hash(one.salt.as_slice().try_into().unwrap(), &one.content).as_octets()
        );
    }
}

//! From octets to an entry of the log, or the reason why they are none.

use atna::{Arrival, Received};
use chrono::{DateTime, Utc};

/// An audit message that came at this time from this peer. The reason says nothing of the content.
pub fn read(octets: &[u8], limit: usize, at: DateTime<Utc>, peer: &str) -> Result<Received, String> {
    if octets.len() > limit {
        return Err(format!("the message is longer than {limit} octets"));
    }
    let message = syslog::Message::parse(octets).map_err(|error| error.to_string())?;
    let (text, header) = (message.text.to_owned(), message.header.to_owned());
    let arrival = Arrival { at, peer: peer.to_owned() };
    Received::dicom(text, Some(header), arrival, limit).map_err(|error| error.to_string())
}

//! An entry of the log as the syslog message that another repository gets.

use atna::{Entry, Format, dicom};
use syslog::{AUDIT_MESSAGE_ID, AUDIT_PRIORITY, Header};

const APP_NAME: &str = "carnet";

/// `None` for what is not sent on. An event is always the same octets, however often it is sent, and names its id in a
/// comment behind the audit message, which has no place for it: that is how a double is recognised.
pub fn message(entry: &Entry, hostname: &str, with_received: bool) -> Option<String> {
    match entry {
        Entry::Own(event) => {
            let process = event.source.process.to_string();
            let header = Header {
                priority: AUDIT_PRIORITY,
                timestamp: event.at,
                hostname,
                app_name: APP_NAME,
                process_id: &process,
                message_id: AUDIT_MESSAGE_ID,
            };
            Some(header.message(&format!("{}<!-- {} -->", dicom::render(event), event.id)))
        }
        Entry::Received(received) if with_received && received.format == Format::Dicom => {
            let header = received.header.as_deref()?;
            Some(format!("{header} {}", received.octets))
        }
        Entry::Received(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use access::Requester;
    use atna::{Act, Event, Outcome, Received, Source};
    use uuid::Uuid;

    use super::*;

    fn own() -> Event {
        let source = Source::here("carnet", None);
        let requester = Requester::remote(None, "http://h/x");
        Event::new(Act::Iti18Registry, Outcome::Success, &requester, &source)
    }

    #[test]
    fn an_event_is_an_audit_message_that_names_its_id() {
        let event = own();
        let text = message(&event.clone().into(), "host.example", false).unwrap();
        let read = syslog::Message::parse(text.as_bytes()).unwrap();
        assert_eq!((read.priority, read.message_id), (85, Some("IHE+RFC-3881")));
        assert_eq!((read.hostname, read.app_name), (Some("host.example"), Some("carnet")));
        assert_eq!(read.process_id, Some(std::process::id().to_string().as_str()));
        assert_eq!(read.timestamp.unwrap().timestamp_millis(), event.at.timestamp_millis());
        assert!(read.header.ends_with(" -"), "{}", read.header);
        let document = xml::Document::parse(read.text, &xml::Limits::default()).unwrap();
        assert_eq!(document.root().name(), "AuditMessage");
        assert!(read.text.ends_with(&format!("<!-- {} -->", event.id)));
        assert_eq!(message(&event.into(), "host.example", false).unwrap(), text);
    }

    #[test]
    fn what_others_told_goes_on_as_it_came_if_at_all() {
        let now = chrono::Utc::now();
        let mut received = Received {
            id: Uuid::new_v4(),
            at: now,
            received_at: now,
            peer: "192.0.2.1".to_owned(),
            format: Format::Dicom,
            octets: "<AuditMessage/>".to_owned(),
            header: Some("<84>1 - host app 7 IHE+RFC-3881 [a b=\"c\"]".to_owned()),
            patients: vec![],
        };
        let entry = Entry::Received(received.clone());
        assert_eq!(message(&entry, "h", false), None);
        let text = message(&entry, "h", true).unwrap();
        assert_eq!(text, "<84>1 - host app 7 IHE+RFC-3881 [a b=\"c\"] <AuditMessage/>");
        received.format = Format::FhirJson;
        assert_eq!(message(&Entry::Received(received), "h", true), None);
    }
}

//! A message as it is written.

use std::fmt::Write;

use chrono::{DateTime, SecondsFormat, Utc};

use crate::message::Field;

/// What stands before the text, without structured data.
#[derive(Debug, Clone)]
pub struct Header<'a> {
    /// Facility × 8 + severity.
    pub priority: u8,
    pub timestamp: DateTime<Utc>,
    pub hostname: &'a str,
    pub app_name: &'a str,
    pub process_id: &'a str,
    pub message_id: &'a str,
}

impl Header<'_> {
    /// The message with this text, which gets no byte order mark.
    pub fn message(&self, text: &str) -> String {
        let mut to = String::with_capacity(text.len() + 200);
        let time = self.timestamp.to_rfc3339_opts(SecondsFormat::Millis, true);
        let _ = write!(to, "<{}>1 {time}", self.priority.min(191));
        for (word, field) in [
            (self.hostname, Field::Hostname),
            (self.app_name, Field::AppName),
            (self.process_id, Field::ProcessId),
            (self.message_id, Field::MessageId),
        ] {
            to.push(' ');
            push_word(&mut to, word, field);
        }
        to.push_str(" - ");
        to.push_str(text);
        to
    }
}

/// What cannot be written is cut, or shown as a question mark; nothing is nil.
fn push_word(to: &mut String, word: &str, field: Field) {
    if word.is_empty() {
        return to.push('-');
    }
    let printable = word.chars().map(|c| if c.is_ascii_graphic() { c } else { '?' });
    to.extend(printable.take(field.limit()));
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{AUDIT_MESSAGE_ID, AUDIT_PRIORITY, Message};

    fn header<'a>(hostname: &'a str, app_name: &'a str, process_id: &'a str) -> Header<'a> {
        Header {
            priority: AUDIT_PRIORITY,
            timestamp: "2026-01-02T03:04:05.678Z".parse().unwrap(),
            hostname,
            app_name,
            process_id,
            message_id: AUDIT_MESSAGE_ID,
        }
    }

    #[test]
    fn an_audit_message_is_written_as_iti_20_asks() {
        assert_eq!(
            header("h.example", "carnet", "42").message("<AuditMessage/>"),
            "<85>1 2026-01-02T03:04:05.678Z h.example carnet 42 IHE+RFC-3881 - <AuditMessage/>"
        );
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_again(host in ".{0,300}", app in ".{0,60}", process in ".{0,140}", text in "[^\u{FEFF}]{0,40}") {
            let written = header(&host, &app, &process).message(&text);
            let read = Message::parse(written.as_bytes()).unwrap();
            prop_assert_eq!(read.text, &text);
            prop_assert_eq!(read.priority, 85);
            prop_assert_eq!(read.timestamp.unwrap(), header(&host, &app, &process).timestamp);
            prop_assert_eq!(read.message_id, Some(AUDIT_MESSAGE_ID));
        }
    }
}

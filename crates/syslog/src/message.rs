//! One message (RFC 5424 §6), as it is read.

use chrono::{DateTime, FixedOffset};

use crate::structured_data;

const NIL: &str = "-";
const BYTE_ORDER_MARK: char = '\u{FEFF}';

/// A message whose text is UTF-8. Values that were nil (`-`) are absent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message<'a> {
    /// Facility × 8 + severity.
    pub priority: u8,
    pub timestamp: Option<DateTime<FixedOffset>>,
    pub hostname: Option<&'a str>,
    pub app_name: Option<&'a str>,
    pub process_id: Option<&'a str>,
    pub message_id: Option<&'a str>,
    /// Everything before the text as it came, structured data and all, without the space at its end.
    pub header: &'a str,
    /// Without a byte order mark.
    pub text: &'a str,
}

/// A field of the header that is a word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Field {
    Hostname,
    AppName,
    ProcessId,
    MessageId,
}

impl Field {
    pub fn name(self) -> &'static str {
        match self {
            Field::Hostname => "HOSTNAME",
            Field::AppName => "APP-NAME",
            Field::ProcessId => "PROCID",
            Field::MessageId => "MSGID",
        }
    }

    /// Octets.
    pub(crate) fn limit(self) -> usize {
        match self {
            Field::Hostname => 255,
            Field::AppName => 48,
            Field::ProcessId => 128,
            Field::MessageId => 32,
        }
    }
}

/// Why octets are no message. Says nothing of their content.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    #[error("the message does not begin with <PRI>, a number from 0 to 191 (RFC 5424 §6.2.1)")]
    Priority,
    #[error("the message is not of version 1 of RFC 5424 (§6.2.2); messages of RFC 3164 are not taken")]
    Version,
    #[error("TIMESTAMP is neither a time such as 2026-01-02T03:04:05.678Z nor - (RFC 5424 §6.2.3)")]
    Timestamp,
    #[error("{} is not 1 to {} printable characters of US-ASCII (RFC 5424 §6)", .0.name(), .0.limit())]
    Word(Field),
    #[error("STRUCTURED-DATA are not written as they must be (RFC 5424 §6.3)")]
    StructuredData,
    #[error("the message is not UTF-8, from octet {0} on")]
    Utf8(usize),
}

impl<'a> Message<'a> {
    pub fn parse(octets: &'a [u8]) -> Result<Message<'a>, Error> {
        let all = std::str::from_utf8(octets).map_err(|error| Error::Utf8(error.valid_up_to()))?;
        let (priority, rest) = priority(all).ok_or(Error::Priority)?;
        let rest = rest.strip_prefix("1 ").ok_or(Error::Version)?;
        let (time, rest) = rest.split_once(' ').ok_or(Error::Timestamp)?;
        let timestamp = match time {
            NIL => None,
            time => Some(timestamp(time).ok_or(Error::Timestamp)?),
        };
        let (hostname, rest) = word(rest, Field::Hostname)?;
        let (app_name, rest) = word(rest, Field::AppName)?;
        let (process_id, rest) = word(rest, Field::ProcessId)?;
        let (message_id, rest) = word(rest, Field::MessageId)?;
        let rest = structured_data::skip(rest).ok_or(Error::StructuredData)?;
        let text = match rest {
            "" => "",
            rest => rest.strip_prefix(' ').ok_or(Error::StructuredData)?,
        };
        let header = all.get(..all.len() - rest.len()).unwrap_or_default();
        let text = text.strip_prefix(BYTE_ORDER_MARK).unwrap_or(text);
        Ok(Message { priority, timestamp, hostname, app_name, process_id, message_id, header, text })
    }
}

/// `<PRI>`, without leading zeros.
fn priority(text: &str) -> Option<(u8, &str)> {
    let (digits, rest) = text.strip_prefix('<')?.split_once('>')?;
    let is_number = (1..=3).contains(&digits.len()) && digits.bytes().all(|octet| octet.is_ascii_digit());
    let value = is_number.then(|| digits.parse::<u8>().ok()).flatten()?;
    (value <= 191 && (digits == "0" || !digits.starts_with('0'))).then_some((value, rest))
}

fn word(text: &str, field: Field) -> Result<(Option<&str>, &str), Error> {
    let (word, rest) = text.split_once(' ').ok_or(Error::Word(field))?;
    let good =
        (1..=field.limit()).contains(&word.len()) && word.bytes().all(|octet| octet.is_ascii_graphic());
    match (good, word) {
        (false, _) => Err(Error::Word(field)),
        (true, NIL) => Ok((None, rest)),
        (true, word) => Ok((Some(word), rest)),
    }
}

/// A time of RFC 3339 within the narrower rules of RFC 5424: capital T and Z, six digits of a second, no leap second.
fn timestamp(text: &str) -> Option<DateTime<FixedOffset>> {
    let octets = text.as_bytes();
    let fraction = match octets.get(19)? {
        b'.' => octets.iter().skip(20).take_while(|octet| octet.is_ascii_digit()).count(),
        _ => 1,
    };
    let narrow = text.is_ascii()
        && octets.get(10) == Some(&b'T')
        && !text.contains('z')
        && (1..=6).contains(&fraction)
        && octets.get(17..19) != Some(b"60");
    narrow.then(|| DateTime::parse_from_rfc3339(text).ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLAIN: &str =
        "<85>1 2026-01-02T03:04:05.678Z host.example carnet 42 IHE+RFC-3881 - <AuditMessage/>";

    #[test]
    fn every_part_is_read() {
        let message = Message::parse(PLAIN.as_bytes()).unwrap();
        let expected = Message {
            priority: 85,
            timestamp: DateTime::parse_from_rfc3339("2026-01-02T03:04:05.678Z").ok(),
            hostname: Some("host.example"),
            app_name: Some("carnet"),
            process_id: Some("42"),
            message_id: Some("IHE+RFC-3881"),
            header: PLAIN.strip_suffix(" <AuditMessage/>").unwrap(),
            text: "<AuditMessage/>",
        };
        assert_eq!(message, expected);
    }

    #[test]
    fn what_is_nil_is_absent_and_a_text_need_not_be_there() {
        let message = Message::parse(b"<0>1 - - - - - -").unwrap();
        assert_eq!((message.priority, message.timestamp, message.hostname), (0, None, None));
        assert_eq!((message.app_name, message.process_id, message.message_id), (None, None, None));
        assert_eq!((message.header, message.text), ("<0>1 - - - - - -", ""));
        assert_eq!(Message::parse(b"<0>1 - - - - - - ").unwrap().text, "");
    }

    #[test]
    fn a_byte_order_mark_and_structured_data_are_no_text() {
        let octets = "<191>1 - h a p m [x y=\"a\\] b\"][z] \u{FEFF}é [text]";
        let message = Message::parse(octets.as_bytes()).unwrap();
        assert_eq!(message.text, "é [text]");
        assert_eq!(message.header, "<191>1 - h a p m [x y=\"a\\] b\"][z]");
    }

    #[test]
    fn what_is_wrong_is_named() {
        let long = |length| "x".repeat(length);
        for (octets, error) in [
            (String::new(), Error::Priority),
            ("hello".to_owned(), Error::Priority),
            ("<>1 - - - - - -".to_owned(), Error::Priority),
            ("<192>1 - - - - - -".to_owned(), Error::Priority),
            ("<085>1 - - - - - -".to_owned(), Error::Priority),
            ("<00>1 - - - - - -".to_owned(), Error::Priority),
            ("<+5>1 - - - - - -".to_owned(), Error::Priority),
            ("<85>2 - - - - - -".to_owned(), Error::Version),
            ("<85>Oct 11 22:14:15 host su: text".to_owned(), Error::Version),
            ("<85>1".to_owned(), Error::Version),
            ("<85>1 yesterday - - - - -".to_owned(), Error::Timestamp),
            (format!("<85>1 - {} - - - -", long(256)), Error::Word(Field::Hostname)),
            (format!("<85>1 - - {} - - -", long(49)), Error::Word(Field::AppName)),
            (format!("<85>1 - - - {} - -", long(129)), Error::Word(Field::ProcessId)),
            (format!("<85>1 - - - - {} -", long(33)), Error::Word(Field::MessageId)),
            ("<85>1 - é - - - -".to_owned(), Error::Word(Field::Hostname)),
            ("<85>1 -  - - - -".to_owned(), Error::Word(Field::Hostname)),
            ("<85>1 - - - - -".to_owned(), Error::Word(Field::MessageId)),
            ("<85>1 - - - - - text".to_owned(), Error::StructuredData),
            ("<85>1 - - - - - -text".to_owned(), Error::StructuredData),
            ("<85>1 - - - - - [a]text".to_owned(), Error::StructuredData),
        ] {
            assert_eq!(Message::parse(octets.as_bytes()), Err(error), "{octets}");
        }
        assert_eq!(Message::parse(b"<85>1 - - - - - - a\xFFb"), Err(Error::Utf8(19)));
    }

    #[test]
    fn fields_may_be_as_long_as_their_limit() {
        let [host, app, process, id] = [255, 48, 128, 32].map(|length| "x".repeat(length));
        let octets = format!("<85>1 - {host} {app} {process} {id} - t");
        assert_eq!(Message::parse(octets.as_bytes()).unwrap().process_id, Some(process.as_str()));
    }

    #[test]
    fn times_are_those_of_the_narrower_rules() {
        for good in
            ["1985-04-12T23:20:50.52Z", "1985-04-12T19:20:50-04:00", "2003-08-24T05:14:15.000003-07:00"]
        {
            assert!(timestamp(good).is_some(), "{good}");
        }
        for bad in [
            "2003-08-24T05:14:15.000000003-07:00",
            "2003-08-24 05:14:15Z",
            "2003-08-24t05:14:15Z",
            "2003-08-24T05:14:15z",
            "2003-08-24T05:14:60Z",
            "2003-08-24T05:14:15",
            "2003-08-24T05:14:15.Z",
            "2003-02-30T05:14:15Z",
            "2003-08-24",
            "",
        ] {
            assert!(timestamp(bad).is_none(), "{bad}");
        }
    }
}

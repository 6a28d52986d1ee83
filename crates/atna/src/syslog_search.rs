//! What a search for syslog messages asks (ITI-82), decided on the parts of each message (RFC 5424).

use chrono::{DateTime, Utc};

use crate::fhir::search::{Condition, Range, hull};
use crate::fhir::{Issue, search};

/// The parts of a syslog message that can be asked for. `None` is the nil value.
#[derive(Debug, Clone, Default)]
pub struct Fields<'m> {
    pub pri: u8,
    pub version: u8,
    pub timestamp: Option<DateTime<Utc>>,
    pub hostname: Option<&'m str>,
    pub app_name: Option<&'m str>,
    pub procid: Option<&'m str>,
    pub msg_id: Option<&'m str>,
    pub msg: &'m str,
}

/// A search: all must hold, and of each parameter one alternative.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Parameters {
    dates: Vec<Vec<Condition>>,
    parts: Vec<(Part, Vec<String>)>,
    pub count: Option<u32>,
    pub cursor: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    Pri,
    Version,
    Hostname,
    AppName,
    Procid,
    MsgId,
    Msg,
}

impl Part {
    fn of(name: &str) -> Option<Self> {
        Some(match name {
            "pri" => Part::Pri,
            "version" => Part::Version,
            "hostname" => Part::Hostname,
            "app-name" => Part::AppName,
            "procid" => Part::Procid,
            "msg-id" => Part::MsgId,
            "msg" => Part::Msg,
            _ => return None,
        })
    }

    /// Host names do not mind the case; of the message any part may be asked for.
    fn is(self, fields: &Fields<'_>, asked: &str) -> bool {
        let text = match self {
            Part::Pri => return asked.parse() == Ok(fields.pri),
            Part::Version => return asked.parse() == Ok(fields.version),
            Part::Msg => return fields.msg.contains(asked),
            Part::Hostname => return fields.hostname.is_some_and(|host| host.eq_ignore_ascii_case(asked)),
            Part::AppName => fields.app_name,
            Part::Procid => fields.procid,
            Part::MsgId => fields.msg_id,
        };
        text == Some(asked)
    }
}

impl Parameters {
    /// From the name and value pairs of a query, decoded. Parameters that are not known are passed over.
    pub fn parse<'a>(pairs: impl IntoIterator<Item = (&'a str, &'a str)>) -> Result<Self, Vec<Issue>> {
        let mut parameters = Parameters::default();
        let mut issues = Vec::new();
        for (name, value) in pairs.into_iter().filter(|(_, value)| !value.is_empty()) {
            if let Err(reason) = parameters.add(name, value) {
                issues.push(Issue::new("invalid", format!("{name}: {reason}")));
            }
        }
        if issues.is_empty() { Ok(parameters) } else { Err(issues) }
    }

    fn add(&mut self, name: &str, value: &str) -> Result<(), String> {
        match name {
            "_count" => {
                self.count = Some(value.parse::<u32>().map_err(|_| "is not a number")?);
            }
            "_cursor" => self.cursor = Some(value.to_owned()),
            "date" => {
                self.dates.push(search::alternatives(value).map(Condition::parse).collect::<Result<_, _>>()?)
            }
            name => {
                if let Some(part) = Part::of(name) {
                    self.parts.push((part, search::alternatives(value).map(search::unescape).collect()));
                }
            }
        }
        Ok(())
    }

    /// The time in which everything that is asked for lies.
    pub fn range(&self) -> Range {
        self.dates.iter().map(|conditions| hull(conditions)).fold(Range::default(), Range::and)
    }

    pub fn has_date(&self) -> bool {
        !self.dates.is_empty()
    }

    pub fn matches(&self, fields: &Fields<'_>) -> bool {
        let at = fields.timestamp;
        let date = |conditions: &Vec<Condition>| {
            at.is_some_and(|at| conditions.iter().any(|condition| condition.holds(at)))
        };
        let part = |(part, asked): &(Part, Vec<String>)| asked.iter().any(|asked| part.is(fields, asked));
        self.dates.iter().all(date) && self.parts.iter().all(part)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields() -> Fields<'static> {
        Fields {
            pri: 85,
            version: 1,
            timestamp: "2026-11-24T10:11:12Z".parse().ok(),
            hostname: Some("DMP.example.org"),
            app_name: Some("carnet"),
            procid: Some("42"),
            msg_id: Some("IHE+RFC-3881"),
            msg: "<AuditMessage>a, b</AuditMessage>",
        }
    }

    fn finds(name: &str, value: &str) -> bool {
        Parameters::parse([(name, value)]).unwrap().matches(&fields())
    }

    #[test]
    fn every_part_of_a_message_can_be_asked_for() {
        for (name, yes, no) in [
            ("pri", "85", "84"),
            ("version", "1", "2"),
            ("hostname", "dmp.EXAMPLE.org", "dmp"),
            ("app-name", "carnet", "Carnet"),
            ("procid", "41,42", "4"),
            ("msg-id", "IHE+RFC-3881", "RFC-3881"),
            ("msg", r"a\, b", "c"),
            ("date", "2026-11-24", "2026-11-25"),
            ("date", "ge2026-11-24T10:11:12Z", "gt2026-11-24T10:11:12Z"),
        ] {
            assert!(finds(name, yes), "{name}={yes}");
            assert!(!finds(name, no), "{name}={no}");
        }
        assert!(finds("unknown", "x") && finds("pri", ""));
    }

    #[test]
    fn what_a_message_does_not_say_is_not_found() {
        let asked = |name, value| Parameters::parse([(name, value)]).unwrap();
        assert!(!asked("hostname", "-").matches(&Fields::default()));
        assert!(!asked("date", "2026").matches(&Fields::default()));
    }

    #[test]
    fn all_must_hold_and_the_time_is_told_to_the_store() {
        let asked =
            |pairs: &[(&'static str, &'static str)]| Parameters::parse(pairs.iter().copied()).unwrap();
        assert!(asked(&[("pri", "85"), ("procid", "42")]).matches(&fields()));
        assert!(!asked(&[("pri", "85"), ("procid", "43")]).matches(&fields()));
        let range = asked(&[("date", "ge2026-11-01"), ("date", "lt2026-12-01"), ("_count", "5")]).range();
        assert_eq!(range.from.unwrap().to_rfc3339(), "2026-11-01T00:00:00+00:00");
        assert_eq!(range.before.unwrap().to_rfc3339(), "2026-12-01T00:00:00+00:00");
        let wrong = Parameters::parse([("date", "yesterday")]).unwrap_err();
        assert!(wrong[0].to_string().starts_with("date: is not a date"), "{}", wrong[0]);
    }
}

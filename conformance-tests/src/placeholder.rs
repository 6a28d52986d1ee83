//! `{{…}}` in scenarios and templates.

use std::collections::BTreeMap;

use identity::{Ins, InsAuthority};
use uuid::Uuid;

/// What placeholders stand for in one run of a scenario.
#[derive(Debug, Clone, Default)]
pub struct Placeholders {
    known: BTreeMap<String, String>,
    /// OID of the authority of fresh patients.
    authority: String,
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{{{{{0}}}}} has no value (if an earlier step captures it: that step did not)")]
pub struct Unknown(String);

impl Placeholders {
    pub fn new(authority: &str) -> Self {
        Placeholders { known: BTreeMap::new(), authority: authority.to_owned() }
    }

    pub fn set(&mut self, name: impl Into<String>, value: impl Into<String>) {
        self.known.insert(name.into(), value.into());
    }

    /// Text with every placeholder filled.
    pub fn text(&mut self, text: &str) -> Result<String, Unknown> {
        self.fill(text, &BTreeMap::new(), str::to_owned)
    }

    /// As [`Placeholders::text`]; `local` values come before all others.
    pub fn text_with(&mut self, text: &str, local: &BTreeMap<String, String>) -> Result<String, Unknown> {
        self.fill(text, local, str::to_owned)
    }

    /// XML with every placeholder filled; values are escaped.
    pub fn xml(&mut self, xml: &str) -> Result<String, Unknown> {
        self.xml_with(xml, &BTreeMap::new())
    }

    /// As [`Placeholders::xml`]; `local` values come before all others.
    pub fn xml_with(&mut self, xml: &str, local: &BTreeMap<String, String>) -> Result<String, Unknown> {
        self.fill(xml, local, |value| xml::escape_attribute(value).into_owned())
    }

    /// A default (`{{name|default}}`) stands as it was written: in a template it is XML already.
    fn fill(
        &mut self,
        text: &str,
        local: &BTreeMap<String, String>,
        escape: impl Fn(&str) -> String,
    ) -> Result<String, Unknown> {
        let mut out = String::with_capacity(text.len());
        let mut rest = text;
        while let Some((before, after)) = rest.split_once("{{") {
            let Some((inside, after)) = after.split_once("}}") else { break };
            out.push_str(before);
            rest = after;
            let (name, default) = match inside.split_once('|') {
                Some((name, default)) => (name, Some(default)),
                None => (inside, None),
            };
            match local.get(name).cloned().or_else(|| self.value(name)) {
                Some(value) => out.push_str(&escape(&value)),
                None => out.push_str(default.ok_or_else(|| Unknown(name.to_owned()))?),
            }
        }
        out.push_str(rest);
        Ok(out)
    }

    fn value(&mut self, name: &str) -> Option<String> {
        if let Some(value) = self.known.get(name) {
            return Some(value.clone());
        }
        if let Some(name) = name.strip_suffix(".number") {
            let cx = self.value(name)?;
            return cx.split('^').next().map(str::to_owned);
        }
        let kind = name.split_once(':').map_or(name, |(kind, _)| kind);
        let fresh = Uuid::new_v4();
        let value = match kind {
            "uuid" => fresh.urn().to_string(),
            "oid" => format!("2.25.{}", fresh.as_u128()),
            "patient" => format!("CT{}^^^&{}&ISO", fresh.simple(), self.authority),
            "ins" => ins(fresh),
            "approved" => xds::constants::STATUS_APPROVED.to_owned(),
            "deprecated" => xds::constants::STATUS_DEPRECATED.to_owned(),
            "stable" => xds::constants::DOCUMENT_ENTRY_STABLE.to_owned(),
            "on-demand" => xds::constants::DOCUMENT_ENTRY_ON_DEMAND.to_owned(),
            "now" => chrono::Utc::now().format("%Y%m%d%H%M%S").to_string(),
            _ => return None,
        };
        self.known.insert(name.to_owned(), value.clone());
        Some(value)
    }
}

/// A health identity number of the test domain, with its key, as CX.
fn ins(fresh: Uuid) -> String {
    let number = format!("1{:012}", fresh.as_u128() % 1_000_000_000_000);
    let key = Ins::key_of(&number).unwrap_or_default();
    format!("{number}{key:02}^^^&{}&ISO^NH", InsAuthority::TestNir.oid())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fresh_value_stays_the_same_under_its_name() {
        let mut p = Placeholders::new("1.2.3");
        let text = p.text("{{oid:a}} {{oid:a}} {{oid:b}} {{uuid:a}}").unwrap();
        let words: Vec<&str> = text.split(' ').collect();
        assert_eq!(words[0], words[1]);
        assert_ne!(words[0], words[2]);
        assert!(words[0].starts_with("2.25.") && words[0].len() <= 64);
        assert!(words[3].starts_with("urn:uuid:"));
    }

    #[test]
    fn a_fresh_health_identity_number_has_its_key() {
        let mut p = Placeholders::new("1.2.3");
        let (a, b) = (p.text("{{ins}}").unwrap(), p.text("{{ins:other}}").unwrap());
        assert_ne!(a, b);
        assert_eq!(p.text("{{ins.number}}^^^&1.2.250.1.213.1.4.10&ISO^NH").unwrap(), a);
        for cx in [a, b] {
            let (number, authority) = cx.split_once("^^^").unwrap();
            assert!(Ins::parse(number).is_ok(), "{number}");
            assert_eq!(authority, "&1.2.250.1.213.1.4.10&ISO^NH");
        }
    }

    #[test]
    fn values_are_escaped_in_xml_and_defaults_are_not() {
        let mut p = Placeholders::new("1.2.3");
        p.set("patient", "1^^^&1.2.3&ISO");
        assert_eq!(p.xml("{{patient}}|{{title|a &amp; b}}").unwrap(), "1^^^&amp;1.2.3&amp;ISO|a &amp; b");
        assert_eq!(p.text("{{patient}}").unwrap(), "1^^^&1.2.3&ISO");
        let local = BTreeMap::from([("title".to_owned(), "<".to_owned())]);
        assert_eq!(p.xml_with("{{title|x}}", &local).unwrap(), "&lt;");
    }

    #[test]
    fn a_placeholder_without_value_is_an_error() {
        let error = Placeholders::new("1.2.3").text("{{document1.entryUUID}}").unwrap_err();
        assert!(error.to_string().starts_with("{{document1.entryUUID}}"), "{error}");
    }
}

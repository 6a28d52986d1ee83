//! Reading attributes out of the wire form, collecting everything that is wrong (rules V2 to V4).

use crate::constants::REFERENCE_ID_LIST;
use crate::ebxml::{Classification, Common, LocalizedString};
use crate::error::Finding;
use crate::metadata::{Author, Availability, Code, ExtraSlot};
use crate::rules::Rule;
use crate::value::{self, Cx, Dtm, ValueError};

/// How often an attribute may be there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Times {
    Optional,
    Once,
    Any,
    AtLeastOnce,
}

type Check = fn(&str) -> Result<(), ValueError>;

/// Reads one object. Findings name it by `kind` and carry the id that its sender knows.
pub struct Reader<'a> {
    kind: &'static str,
    location: &'a str,
    common: &'a Common,
    known_slots: Vec<&'static str>,
    pub findings: Vec<Finding>,
}

impl<'a> Reader<'a> {
    pub fn new(kind: &'static str, location: &'a str, common: &'a Common) -> Self {
        Reader { kind, location, common, known_slots: Vec::new(), findings: Vec::new() }
    }

    pub fn wrong(&mut self, rule: Rule, attribute: &str, what: impl std::fmt::Display) {
        let context = format!("{}.{attribute}: {what}", self.kind);
        self.findings.push(rule.broken(Some(self.location), context));
    }

    fn count(&mut self, attribute: &str, times: Times, found: usize) {
        match (times, found) {
            (Times::Once | Times::AtLeastOnce, 0) => self.wrong(Rule::V2, attribute, "required, and missing"),
            (Times::Once | Times::Optional, 2..) => {
                self.wrong(Rule::V3, attribute, format!("only one value is allowed, {found} were sent"))
            }
            _ => {}
        }
    }

    /// The values of a Slot.
    pub fn slots(&mut self, name: &'static str, times: Times, check: Check) -> Vec<String> {
        self.known_slots.push(name);
        let attribute = if name == REFERENCE_ID_LIST { "referenceIdList" } else { name };
        let values = self.common.slot(name);
        self.count(attribute, times, values.len());
        for value in values {
            if let Err(error) = check(value) {
                self.wrong(Rule::V3, attribute, error);
            }
        }
        values.to_vec()
    }

    pub fn slot(&mut self, name: &'static str, times: Times, check: Check) -> Option<String> {
        self.slots(name, times, check).into_iter().next()
    }

    pub fn time(&mut self, name: &'static str, times: Times) -> Option<Dtm> {
        let text = self.slot(name, times, |text| Dtm::parse(text).map(|_| ()))?;
        Dtm::parse(&text).ok()
    }

    /// The value of an ExternalIdentifier.
    pub fn identifier(&mut self, attribute: &'static str, scheme: &str, check: Check) -> Option<String> {
        let values: Vec<&str> = self
            .common
            .external_identifiers
            .iter()
            .filter(|identifier| identifier.identification_scheme == scheme)
            .map(|identifier| identifier.value.as_str())
            .filter(|value| !value.is_empty())
            .collect();
        self.count(attribute, Times::Once, values.len());
        let value = values.first()?;
        if let Err(error) = check(value) {
            self.wrong(Rule::V3, attribute, error);
        }
        Some((*value).to_owned())
    }

    pub fn patient(&mut self, scheme: &str) -> Option<Cx> {
        let text = self.identifier("patientId", scheme, value::check_cx)?;
        Cx::parse(&text).ok()
    }

    fn classifications(&self, scheme: &str) -> Vec<&'a Classification> {
        self.common.classifications.iter().filter(|c| c.scheme.as_deref() == Some(scheme)).collect()
    }

    pub fn codes(&mut self, attribute: &'static str, scheme: &str, times: Times) -> Vec<Code> {
        let found = self.classifications(scheme);
        self.count(attribute, times, found.len());
        found.into_iter().filter_map(|classification| self.one_code(attribute, classification)).collect()
    }

    pub fn code(&mut self, attribute: &'static str, scheme: &str) -> Option<Code> {
        self.codes(attribute, scheme, Times::Once).into_iter().next()
    }

    fn one_code(&mut self, attribute: &str, classification: &Classification) -> Option<Code> {
        let code = classification.node_representation.as_deref().unwrap_or_default();
        let schemes: Vec<&str> = classification
            .slots
            .iter()
            .filter(|slot| slot.name == "codingScheme")
            .flat_map(|slot| slot.values.iter().map(String::as_str))
            .collect();
        let display = classification.name.first().map(|name| name.value.trim()).unwrap_or_default();
        if code.is_empty() {
            self.wrong(Rule::V4, attribute, "a code without nodeRepresentation");
        }
        if display.is_empty() {
            self.wrong(
                Rule::V4,
                attribute,
                format!("the code \"{code}\" has no display name (Name/LocalizedString)"),
            );
        }
        match schemes.as_slice() {
            [scheme] if !scheme.is_empty() => {
                (!code.is_empty() && !display.is_empty()).then(|| Code::new(code, scheme, display))
            }
            _ => {
                let count = schemes.len();
                self.wrong(
                    Rule::V4,
                    attribute,
                    format!("the code \"{code}\" needs one codingScheme, {count} were sent"),
                );
                None
            }
        }
    }

    pub fn authors(&mut self, scheme: &str) -> Vec<Author> {
        self.classifications(scheme)
            .into_iter()
            .map(|classification| {
                let slot = |name: &str| {
                    let slots = classification.slots.iter().filter(|slot| slot.name == name);
                    slots.flat_map(|slot| slot.values.iter().cloned()).collect::<Vec<_>>()
                };
                let persons = slot("authorPerson");
                let author = Author {
                    person: persons.first().cloned(),
                    institutions: slot("authorInstitution"),
                    roles: slot("authorRole"),
                    specialties: slot("authorSpecialty"),
                    telecommunications: slot("authorTelecommunication"),
                };
                self.count("authorPerson", Times::Optional, persons.len());
                self.each("authorPerson", &persons, value::check_xcn);
                self.each("authorInstitution", &author.institutions, value::check_xon);
                self.each("authorTelecommunication", &author.telecommunications, value::check_xtn);
                if author.person.is_none()
                    && author.institutions.is_empty()
                    && author.telecommunications.is_empty()
                {
                    self.wrong(
                        Rule::V3,
                        "author",
                        "needs a person, an institution or a telecommunication address",
                    );
                }
                author
            })
            .collect()
    }

    fn each(&mut self, attribute: &str, values: &[String], check: Check) {
        for value in values {
            if let Err(error) = check(value) {
                self.wrong(Rule::V3, attribute, error);
            }
        }
    }

    pub fn text(&self, strings: &[LocalizedString]) -> Option<String> {
        strings.first().map(|string| string.value.clone()).filter(|value| !value.is_empty())
    }

    /// Name, with the length that TF-3 allows it.
    pub fn title(&mut self, longest: usize) -> Option<String> {
        let title = self.text(&self.common.name)?;
        let length = title.chars().count();
        if length > longest {
            self.wrong(Rule::V3, "title", format!("{length} characters, at most {longest} are allowed"));
        }
        Some(title)
    }

    /// `PID-n|value`; a person has one date of birth and one sex.
    pub fn source_patient_info(&mut self) -> Vec<String> {
        let values = self.slots("sourcePatientInfo", Times::Any, value::check_pid_field);
        for field in ["PID-7", "PID-8"] {
            let count = values.iter().filter(|v| v.split('|').next() == Some(field)).count();
            if count > 1 {
                self.wrong(
                    Rule::V3,
                    "sourcePatientInfo",
                    format!("only one {field} is allowed, {count} were sent"),
                );
            }
        }
        values
    }

    /// An attribute of the XML element itself.
    pub fn xml(&mut self, attribute: &str, value: &Option<String>, check: Check) -> Option<String> {
        match value.as_deref() {
            None | Some("") => {
                self.wrong(Rule::V2, attribute, "required, and missing");
                None
            }
            Some(value) => {
                if let Err(error) = check(value) {
                    self.wrong(Rule::V3, attribute, error);
                }
                Some(value.to_owned())
            }
        }
    }

    pub fn home(&mut self) -> Option<String> {
        let home = self.common.home.clone().filter(|home| !home.is_empty())?;
        if let Err(error) = value::check_home(&home) {
            self.wrong(Rule::V3, "homeCommunityId", error);
        }
        Some(home)
    }

    pub fn availability(&mut self) -> Option<Availability> {
        let urn = self.slot("documentAvailability", Times::Optional, anything)?;
        let availability = Availability::from_urn(&urn);
        if availability.is_none() {
            self.wrong(Rule::V3, "documentAvailability", "must be the URN of Online or Offline");
        }
        availability
    }

    /// Slots that no attribute claimed.
    pub fn extra(&self) -> Vec<ExtraSlot> {
        self.common
            .slots
            .iter()
            .filter(|slot| !self.known_slots.contains(&slot.name.as_str()))
            .map(|slot| ExtraSlot { name: slot.name.clone(), values: slot.values.clone() })
            .collect()
    }
}

/// For values that may be anything.
pub fn anything(_: &str) -> Result<(), ValueError> {
    Ok(())
}

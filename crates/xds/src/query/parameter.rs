//! Reading parameters by their kind, collecting what is wrong (TF-2 §3.18.4.1.2.3.5).

use uuid::Uuid;

use super::syntax::{self, Literal};
use super::{AnyOf, Level, Request, Status, Window};
use crate::constants::{DOCUMENT_ENTRY_ON_DEMAND, DOCUMENT_ENTRY_STABLE};
use crate::error::{ErrorCode, Finding};
use crate::metadata::{Availability, DocumentType};
use crate::value::{Cx, Dtm, parse_uuid_urn};

/// Stands for a value that cannot be had; the reason is among the findings.
#[derive(Debug)]
pub(super) struct Reported;

/// The parameters of a request and what was found wrong with them.
///
/// A parameter that is optional reads as empty when it is absent, and also when it is wrong: then there is a finding.
/// Each parameter gives at most one finding, so that an answer stays in proportion to its request.
pub(super) struct Parameters<'r> {
    request: &'r Request,
    findings: Vec<Finding>,
}

impl<'r> Parameters<'r> {
    pub fn of(request: &'r Request) -> Self {
        Parameters { request, findings: Vec::new() }
    }

    pub fn findings(self) -> Vec<Finding> {
        self.findings
    }

    pub fn report(&mut self, code: ErrorCode, name: &str, what: impl std::fmt::Display) -> Reported {
        self.findings.push(Finding::error(code, None, format!("{name}: {what}")));
        Reported
    }

    pub fn missing(&mut self, name: &str) -> Reported {
        self.report(ErrorCode::XDSStoredQueryMissingParam, name, "this parameter is required")
    }

    /// Whether the parameter has a value. A Slot without values counts as absent.
    pub fn has(&self, name: &str) -> bool {
        self.slots(name).next().is_some()
    }

    /// The Slots of that name that have values.
    fn slots(&self, name: &str) -> impl Iterator<Item = &'r [String]> {
        let named = self.request.parameters.iter().filter(move |(n, _)| n == name);
        named.map(|(_, values)| values.as_slice()).filter(|values| !values.is_empty())
    }

    /// The values of each Slot of that name: several Slots are joined by AND, the values of one by OR.
    fn groups(&mut self, name: &str) -> Result<Vec<Vec<Literal>>, Reported> {
        let groups: Result<_, _> = self
            .slots(name)
            .map(|values| {
                let lists: Result<Vec<_>, _> = values.iter().map(|value| syntax::read(value)).collect();
                Ok(lists?.concat())
            })
            .collect();
        groups.map_err(|flaw: syntax::Flaw| self.report(ErrorCode::XDSRegistryError, name, flaw))
    }

    /// The values of a parameter that may not be joined by AND.
    fn list(&mut self, name: &str) -> Result<Vec<Literal>, Reported> {
        let mut groups = self.groups(name)?;
        match (groups.pop(), groups.is_empty()) {
            (None, _) => Ok(Vec::new()),
            (Some(list), true) => Ok(list),
            (Some(_), false) => Err(self.report(
                ErrorCode::XDSStoredQueryParamNumber,
                name,
                "several Slots of this name; only multi-valued attributes can be combined by AND",
            )),
        }
    }

    /// The value of a parameter that has one value.
    fn single(&mut self, name: &str) -> Result<Option<Literal>, Reported> {
        let mut list = self.list(name)?;
        match (list.pop(), list.is_empty()) {
            (value, true) => Ok(value),
            (_, false) => Err(self.too_many(name)),
        }
    }

    pub fn too_many(&mut self, name: &str) -> Reported {
        self.report(ErrorCode::XDSStoredQueryParamNumber, name, "takes one value, not several")
    }

    fn unquote(&mut self, name: &str, literals: Vec<Literal>) -> Result<Vec<String>, Reported> {
        match literals.iter().position(|literal| !literal.quoted) {
            None => Ok(literals.into_iter().map(|literal| literal.text).collect()),
            Some(index) => Err(self.wrong(name, index, NOT_QUOTED)),
        }
    }

    /// `index` counts from 0, the message from 1.
    fn wrong(&mut self, name: &str, index: usize, what: &str) -> Reported {
        self.report(ErrorCode::XDSRegistryError, name, format_args!("value {}: {what}", index + 1))
    }

    /// Reads each value with `read`; the first that cannot be read is reported with `what`.
    fn each<T>(
        &mut self,
        name: &str,
        values: &[String],
        what: &str,
        read: impl Fn(&str) -> Option<T>,
    ) -> Result<Vec<T>, Reported> {
        let mut results = Vec::with_capacity(values.len());
        for (index, value) in values.iter().enumerate() {
            results.push(read(value).ok_or_else(|| self.wrong(name, index, what))?);
        }
        Ok(results)
    }

    pub fn try_strings(&mut self, name: &str) -> Result<AnyOf, Reported> {
        let literals = self.list(name)?;
        self.unquote(name, literals)
    }

    /// Strings of which one must match.
    pub fn strings(&mut self, name: &str) -> AnyOf {
        self.try_strings(name).unwrap_or_default()
    }

    pub fn required_strings(&mut self, name: &str) -> Result<AnyOf, Reported> {
        match self.has(name) {
            true => self.try_strings(name),
            false => Err(self.missing(name)),
        }
    }

    pub fn single_string(&mut self, name: &str) -> Option<String> {
        let literal = self.single(name).ok()??;
        self.unquote(name, vec![literal]).ok()?.pop()
    }

    /// As [`Parameters::strings`], once for each Slot: every group must match.
    pub fn string_groups(&mut self, name: &str) -> Vec<AnyOf> {
        let Ok(groups) = self.groups(name) else { return Vec::new() };
        let groups: Result<_, _> = groups.into_iter().map(|group| self.unquote(name, group)).collect();
        groups.unwrap_or_default()
    }

    /// `code^^scheme` values of which one must match. The scheme is required: a code without one could match another
    /// vocabulary's code. TF-2 fixes no error code for that; it is an XDSRegistryError here.
    pub fn codes(&mut self, name: &str) -> AnyOf {
        let codes = self.try_strings(name).and_then(|values| self.each(name, &values, CODE_FORM, code));
        codes.unwrap_or_default()
    }

    /// As [`Parameters::codes`], once for each Slot: every group must match.
    pub fn code_groups(&mut self, name: &str) -> Vec<AnyOf> {
        self.try_code_groups(name).unwrap_or_default()
    }

    fn try_code_groups(&mut self, name: &str) -> Result<Vec<AnyOf>, Reported> {
        let groups = self.groups(name)?;
        groups
            .into_iter()
            .map(|group| {
                let values = self.unquote(name, group)?;
                self.each(name, &values, CODE_FORM, code)
            })
            .collect()
    }

    /// Entry ids in URN form, at least one.
    pub fn uuids(&mut self, name: &str) -> Result<Vec<Uuid>, Reported> {
        let values = self.try_strings(name)?;
        self.each(name, &values, "not of the form urn:uuid:…", parse_uuid_urn)
    }

    pub fn required_uuids(&mut self, name: &str) -> Result<Vec<Uuid>, Reported> {
        match self.has(name) {
            true => self.uuids(name),
            false => Err(self.missing(name)),
        }
    }

    pub fn required_patient_id(&mut self, name: &str) -> Result<Cx, Reported> {
        let Some(literal) = self.single(name)? else { return Err(self.missing(name)) };
        if !literal.quoted {
            return Err(self.report(ErrorCode::XDSRegistryError, name, NOT_QUOTED));
        }
        Cx::parse(&literal.text).map_err(|_| self.report(ErrorCode::XDSRegistryError, name, CX_FORM))
    }

    pub fn patient_ids(&mut self, name: &str) -> Result<Vec<Cx>, Reported> {
        let values = self.try_strings(name)?;
        self.each(name, &values, CX_FORM, |value| Cx::parse(value).ok())
    }

    pub fn required_one_of(&mut self, names: &[&str]) -> Result<(), Reported> {
        match names.iter().any(|name| self.has(name)) {
            true => Ok(()),
            false => Err(self.report(
                ErrorCode::XDSStoredQueryMissingParam,
                &names.join(", "),
                "at least one of them is required",
            )),
        }
    }

    /// Two times. A time is a number; many clients quote it, which is accepted.
    pub fn window(&mut self, from: &str, to: &str) -> Window {
        Window { from: self.time(from).unwrap_or_default(), to: self.time(to).unwrap_or_default() }
    }

    fn time(&mut self, name: &str) -> Result<Option<Dtm>, Reported> {
        let Some(literal) = self.single(name)? else { return Ok(None) };
        Dtm::parse(&literal.text).map(Some).map_err(|_| {
            self.report(ErrorCode::XDSRegistryError, name, "not of the form YYYY[MM[DD[hh[mm[ss]]]]]")
        })
    }

    pub fn required_status(&mut self, name: &str) -> Vec<Status> {
        match self.has(name) {
            true => self.status(name),
            false => {
                self.missing(name);
                Vec::new()
            }
        }
    }

    pub fn association_status(&mut self) -> Option<Vec<Status>> {
        self.has(ASSOCIATION_STATUS).then(|| self.status(ASSOCIATION_STATUS))
    }

    /// Status values that are not known are ignored; at least one must remain.
    fn status(&mut self, name: &str) -> Vec<Status> {
        let Ok(values) = self.try_strings(name) else { return Vec::new() };
        let known: Vec<Status> = values.iter().filter_map(|value| Status::from_urn(value)).collect();
        if known.is_empty() {
            let what = "no known status; write the full urn:oasis:names:tc:ebxml-regrep:StatusType:…";
            self.report(ErrorCode::XDSStoredQueryMissingParam, name, what);
        }
        known
    }

    pub fn availabilities(&mut self, name: &str) -> Vec<Availability> {
        let values = self.try_strings(name);
        let what = "write urn:ihe:iti:2010:DocumentAvailability:Online or …:Offline";
        let read = values.and_then(|values| self.each(name, &values, what, Availability::from_urn));
        read.unwrap_or_default()
    }

    /// A number; quoted it is accepted, as a time is.
    pub fn level(&mut self) -> Level {
        match self.single(METADATA_LEVEL) {
            Ok(Some(literal)) => match literal.text.as_str() {
                "1" => Level::Current,
                "2" => Level::Complete,
                _ => {
                    self.report(ErrorCode::XDSRegistryError, METADATA_LEVEL, "the levels are 1 and 2");
                    Level::Current
                }
            },
            Ok(None) | Err(Reported) => Level::Current,
        }
    }

    /// Absent: Stable only.
    pub fn document_types(&mut self, name: &str) -> Vec<DocumentType> {
        let types = self.try_strings(name).and_then(|values| {
            self.each(name, &values, "neither the Stable nor the On-Demand objectType", document_type)
        });
        match types {
            Ok(types) if types.is_empty() => vec![DocumentType::Stable],
            types => types.unwrap_or_default(),
        }
    }
}

/// Metadata Update adds it to the queries that return Associations.
pub(super) const ASSOCIATION_STATUS: &str = "$XDSAssociationStatus";
pub(super) const METADATA_LEVEL: &str = "$MetadataLevel";

const CX_FORM: &str = "not of the form id^^^&OID&ISO";
const NOT_QUOTED: &str = "a string stands in single quotes";
const CODE_FORM: &str = "not of the form code^^scheme; both parts are required";

fn code(value: &str) -> Option<String> {
    let (code, scheme) = value.split_once("^^")?;
    let part = |text: &str| !text.is_empty() && !text.contains('^');
    (part(code) && part(scheme)).then(|| value.to_owned())
}

fn document_type(value: &str) -> Option<DocumentType> {
    [(DOCUMENT_ENTRY_STABLE, DocumentType::Stable), (DOCUMENT_ENTRY_ON_DEMAND, DocumentType::OnDemand)]
        .into_iter()
        .find_map(|(object_type, kind)| object_type.eq_ignore_ascii_case(value).then_some(kind))
}

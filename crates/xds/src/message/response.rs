use xml::{Element, Writer};

use super::{MessageError, expect};
use crate::constants::ns::RS;
use crate::constants::{
    RESPONSE_FAILURE, RESPONSE_PARTIAL_SUCCESS, RESPONSE_SUCCESS, SEVERITY_ERROR, SEVERITY_WARNING,
};
use crate::error::{Finding, Severity};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ResponseStatus {
    Success,
    PartialSuccess,
    Failure,
}

/// `rs:RegistryResponse`: ITI-41, ITI-42 and inside ITI-43.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RegistryResponse {
    pub status: ResponseStatus,
    pub findings: Vec<Finding>,
}

/// A RegistryResponse as a client receives it: codes are whatever the server sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReceivedResponse {
    pub status: ResponseStatus,
    pub errors: Vec<ReceivedError>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReceivedError {
    pub code: String,
    pub context: String,
    pub location: Option<String>,
    pub is_warning: bool,
}

impl RegistryResponse {
    /// Failure when any finding is an error, else Success.
    pub fn of(findings: Vec<Finding>) -> Self {
        RegistryResponse { status: ResponseStatus::of(&findings), findings }
    }

    pub fn read(element: Element<'_>) -> Result<ReceivedResponse, MessageError> {
        expect(element, RS, "RegistryResponse")?;
        ReceivedResponse::read(element)
    }

    pub fn write(&self, w: &mut Writer) {
        let attributes = [("xmlns:rs", RS), ("status", self.status.urn())];
        w.open("rs:RegistryResponse", &attributes);
        write_error_list(w, &self.findings);
        w.close();
    }
}

impl ReceivedResponse {
    /// The status and the error list of any element of type `rs:RegistryResponseType`.
    pub(super) fn read(element: Element<'_>) -> Result<ReceivedResponse, MessageError> {
        let status = element
            .attribute("status")
            .and_then(ResponseStatus::from_urn)
            .ok_or_else(|| MessageError(format!("{} has no known @status", element.name())))?;
        let lists = element.children_named(RS, "RegistryErrorList");
        let errors = lists.flat_map(|list| list.children_named(RS, "RegistryError")).map(ReceivedError::read);
        Ok(ReceivedResponse { status, errors: errors.collect() })
    }
}

impl ReceivedError {
    fn read(error: Element<'_>) -> Self {
        let attribute = |name| error.attribute(name).map(str::to_owned);
        ReceivedError {
            code: attribute("errorCode").unwrap_or_default(),
            context: attribute("codeContext").unwrap_or_default(),
            location: attribute("location"),
            is_warning: last_segment(error.attribute("severity").unwrap_or(SEVERITY_ERROR)) == "Warning",
        }
    }
}

impl ResponseStatus {
    pub(super) fn of(findings: &[Finding]) -> Self {
        match findings.iter().any(Finding::is_error) {
            true => ResponseStatus::Failure,
            false => ResponseStatus::Success,
        }
    }

    pub fn urn(self) -> &'static str {
        match self {
            ResponseStatus::Success => RESPONSE_SUCCESS,
            ResponseStatus::PartialSuccess => RESPONSE_PARTIAL_SUCCESS,
            ResponseStatus::Failure => RESPONSE_FAILURE,
        }
    }

    /// By the last segment: servers write the bare word, or PartialSuccess in the namespace of ebXML.
    fn from_urn(urn: &str) -> Option<Self> {
        [ResponseStatus::Success, ResponseStatus::PartialSuccess, ResponseStatus::Failure]
            .into_iter()
            .find(|status| last_segment(status.urn()) == last_segment(urn))
    }
}

fn last_segment(urn: &str) -> &str {
    urn.trim().rsplit(':').next().unwrap_or_default()
}

/// Writes `rs:RegistryErrorList`; nothing without findings, since the schema forbids an empty list. The prefix `rs`
/// must be declared.
pub(super) fn write_error_list(w: &mut Writer, findings: &[Finding]) {
    if findings.is_empty() {
        return;
    }
    let highest = match findings.iter().any(Finding::is_error) {
        true => SEVERITY_ERROR,
        false => SEVERITY_WARNING,
    };
    w.open("rs:RegistryErrorList", &[("highestSeverity", highest)]);
    for finding in findings {
        let code = finding.code();
        let severity = match finding.severity {
            Severity::Error => SEVERITY_ERROR,
            Severity::Warning => SEVERITY_WARNING,
        };
        let mut attributes =
            vec![("codeContext", finding.context.as_str()), ("errorCode", &code), ("severity", severity)];
        attributes.extend(finding.location.as_deref().map(|location| ("location", location)));
        w.empty("rs:RegistryError", &attributes);
    }
    w.close();
}

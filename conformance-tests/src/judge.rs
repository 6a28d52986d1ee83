//! Holds an answer against what a step expects, and against what every answer owes.

use crate::answer::{Answer, Body, Response, Retrieved};
use crate::context::Context;
use crate::entry::Entry;
use crate::http::Received;
use crate::request::Message;
use crate::scenario::{Expect, Transaction};

/// What is wrong; empty when nothing is. `answer`: the SOAP answer, or why it is none.
pub fn judge(
    expect: &Expect,
    message: Option<&Message>,
    received: &Received,
    answer: Result<&Answer, String>,
    context: &mut Context,
) -> Vec<String> {
    let mut judge = Judge { wrong: Vec::new(), context };
    judge.http(expect, received);
    let no_soap = expect.contains.is_some() || (expect.http.is_some() && expect.fault.is_none());
    match answer {
        _ if no_soap => {}
        Err(reason) => judge.wrong.push(reason),
        Ok(answer) => {
            if let Some(message) = message {
                judge.addressing(message, answer);
            }
            match (&expect.fault, &answer.body) {
                (Some(expected), Body::Fault { code, .. }) => judge.equal("fault code", code, expected),
                (Some(expected), Body::Response(response)) => {
                    judge.wrong.push(format!("a {expected} fault is expected, came: {}", response.summary()));
                }
                (None, Body::Fault { code, reason }) => {
                    judge.wrong.push(format!("SOAP fault {code}: {reason}"))
                }
                (None, Body::Response(response)) => {
                    if let Some(message) = message {
                        judge.shape(message.transaction, response);
                    }
                    judge.response(expect, response);
                }
            }
        }
    }
    judge.wrong
}

struct Judge<'a> {
    wrong: Vec<String>,
    context: &'a mut Context,
}

impl Judge<'_> {
    fn check(&mut self, holds: bool, otherwise: impl FnOnce() -> String) {
        if !holds {
            self.wrong.push(otherwise());
        }
    }

    fn equal(&mut self, what: &str, is: &str, expected: &str) {
        self.check(is == expected, || format!("{what}: expected \"{expected}\", came \"{is}\""));
    }

    fn http(&mut self, expect: &Expect, received: &Received) {
        let status = received.status.as_u16();
        let right = match (expect.http, &expect.fault) {
            (Some(expected), _) => status == expected,
            // SOAP 1.2 Part 2 §7.5.2.2: Sender 400, others 500; many stacks answer 500 to all.
            (None, Some(_)) => matches!(status, 400 | 500),
            (None, None) => status == 200,
        };
        self.check(right, || format!("HTTP status {status}"));
        if let Some(text) = &expect.contains {
            let body = String::from_utf8_lossy(&received.body);
            self.check(body.contains(text.as_str()), || format!("the answer does not contain {text}"));
        }
    }

    /// TF-2 Appendix V.3 and V.8.1.
    fn addressing(&mut self, message: &Message, answer: &Answer) {
        self.check(answer.encoding == message.encoding, || {
            format!("the request is {:?}, the answer {:?}", message.encoding, answer.encoding)
        });
        if let Body::Fault { .. } = answer.body {
            return;
        }
        let action = format!("{}Response", message.transaction.action());
        self.equal("wsa:Action", answer.action.as_deref().unwrap_or_default(), &action);
        self.check(answer.action_must_be_understood, || "wsa:Action lacks mustUnderstand=\"1\"".into());
        if let Some(id) = &message.id {
            self.equal("wsa:RelatesTo", answer.relates_to.as_deref().unwrap_or_default(), id);
        }
    }

    /// TF-3 §4.2.4.1, §4.2.4.2.
    fn shape(&mut self, transaction: Transaction, response: &Response) {
        let element = match transaction {
            Transaction::Iti18 => "AdhocQueryResponse",
            Transaction::Iti41 | Transaction::Iti42 => "RegistryResponse",
            Transaction::Iti43 => "RetrieveDocumentSetResponse",
        };
        self.equal("body", &response.element, element);
        if transaction == Transaction::Iti18 {
            self.check(response.has_object_list, || "RegistryObjectList is missing".into());
        }
        self.wrong.extend(response.flaws.iter().cloned());
        for error in &response.errors {
            self.check(!error.context.is_empty(), || format!("{} without codeContext", error.code));
            if transaction == Transaction::Iti43 {
                self.check(!error.location.is_empty(), || {
                    format!("{}: location names no document", error.code)
                });
            }
        }
        let errors = response.errors.iter().filter(|error| !error.is_warning).count();
        match response.status.as_str() {
            "Success" => self.check(errors == 0, || "Success with errors".into()),
            "Failure" => {
                self.check(errors > 0, || "Failure without an error".into());
                self.check(response.results() == 0, || "Failure with results".into());
            }
            _ => {}
        }
    }

    fn response(&mut self, expect: &Expect, response: &Response) {
        let status = expect.status.as_deref().unwrap_or("Success");
        if response.status != status {
            self.wrong.push(format!("{status} is expected, came: {}", response.summary()));
        }
        let errors = response.codes(false);
        if let Some(expected) = &expect.errors {
            let expected = sorted(expected.clone());
            self.check(errors == expected, || {
                format!("errors: expected {}, came: {}", expected.join(", "), response.summary())
            });
        }
        if let Some(among) = &expect.errors_among {
            let fits = !errors.is_empty() && errors.iter().all(|code| among.contains(code));
            self.check(fits, || {
                format!("errors: expected among {}, came: {}", among.join(", "), response.summary())
            });
        }
        if let Some(expected) = &expect.warnings {
            let (warnings, expected) = (response.codes(true), sorted(expected.clone()));
            self.check(warnings == expected, || {
                format!("warnings: expected {expected:?}, came {warnings:?}")
            });
        }
        self.results(expect, response);
    }

    fn results(&mut self, expect: &Expect, response: &Response) {
        if let Some(expected) = expect.count {
            let count = match self.context.patient_is_shared {
                true => self.own(response),
                false => response.results(),
            };
            self.check(count == expected, || format!("{expected} results are expected, came {count}"));
        }
        if let Some(expected) = &expect.documents {
            self.documents(expected, response);
        }
        for name in &expect.as_sent {
            match (self.context.documents.get(name), self.find(name, response)) {
                (Some(sent), Some(entry)) => self.wrong.extend(entry.differences(&sent.entry)),
                _ => self.wrong.push(format!("{name} did not come back")),
            }
        }
        for (name, attributes) in &expect.entry {
            let Some(entry) = self.find(name, response).cloned() else {
                self.wrong.push(format!("{name} did not come back"));
                continue;
            };
            for (attribute, expected) in attributes {
                let filled: Result<Vec<String>, _> = expected
                    .values()
                    .into_iter()
                    .map(|value| self.context.placeholders.text(value))
                    .collect();
                match filled {
                    Err(error) => self.wrong.push(error.to_string()),
                    Ok(expected) => {
                        let (is, expected) = (entry.values(attribute), sorted(expected));
                        let same = is.len() == expected.len()
                            && is.iter().zip(&expected).all(|(is, expected)| matches(is, expected));
                        self.check(same, || {
                            format!("{name}.{attribute}: expected {expected:?}, came {is:?}")
                        });
                    }
                }
            }
        }
    }

    /// Results that are documents of this scenario.
    fn own(&self, response: &Response) -> usize {
        let is_own = |attribute: &str, value: &str| {
            self.context.documents.values().any(|sent| sent.entry.value(attribute) == value)
        };
        response.entries.iter().filter(|entry| is_own("uniqueId", entry.value("uniqueId"))).count()
            + response.object_refs.iter().filter(|id| is_own("entryUUID", id)).count()
            + response.documents.iter().filter(|document| is_own("uniqueId", &document.unique_id)).count()
    }

    /// Exactly these documents come back, in whatever form.
    fn documents(&mut self, expected: &[String], response: &Response) {
        let attribute = if response.object_refs.is_empty() { "uniqueId" } else { "entryUUID" };
        let mut came: Vec<String> = response.object_refs.clone();
        came.extend(response.entries.iter().map(|entry| entry.value("uniqueId").to_owned()));
        came.extend(response.documents.iter().map(|document| document.unique_id.clone()));
        let mut missing = Vec::new();
        for name in expected {
            let sent = self.context.documents.get(name);
            let id = sent.map_or("", |sent| sent.entry.value(attribute)).to_owned();
            match came.iter().position(|other| *other == id) {
                Some(position) => drop(came.swap_remove(position)),
                None => missing.push(name.as_str()),
            }
            for document in response.documents.iter().filter(|document| document.unique_id == id) {
                self.octets(name, document);
            }
        }
        self.check(missing.is_empty(), || {
            format!("missing: {} (came: {})", missing.join(", "), response.summary())
        });
        if self.context.patient_is_shared {
            came.retain(|id| self.context.documents.values().any(|sent| sent.entry.value(attribute) == id));
        }
        let name_of = |id: &String| {
            let found = self.context.documents.iter().find(|(_, sent)| sent.entry.value(attribute) == id);
            found.map_or(id.as_str(), |(name, _)| name).to_owned()
        };
        let surplus: Vec<String> = came.iter().map(name_of).collect();
        self.check(surplus.is_empty(), || format!("should not have come: {}", surplus.join(", ")));
    }

    fn octets(&mut self, name: &str, document: &Retrieved) {
        let Some(sent) = self.context.documents.get(name).cloned() else { return };
        self.check(document.octets == sent.octets, || {
            format!(
                "{name}: {} bytes came back, not the {} that were sent",
                document.octets.len(),
                sent.octets.len()
            )
        });
        self.equal(&format!("{name}: mimeType"), &document.mime_type, sent.entry.value("mimeType"));
        if let Ok(repository) = self.context.placeholders.text("{{repository|}}") {
            self.equal(&format!("{name}: RepositoryUniqueId"), &document.repository, &repository);
        }
    }

    fn find<'r>(&self, name: &str, response: &'r Response) -> Option<&'r Entry> {
        let sent = self.context.documents.get(name)?;
        let same = |attribute, entry: &&Entry| entry.value(attribute) == sent.entry.value(attribute);
        // Several entries may share a uniqueId.
        let by_id = response.entries.iter().find(|entry| same("entryUUID", entry));
        by_id.or_else(|| response.entries.iter().find(|entry| same("uniqueId", entry)))
    }
}

impl Response {
    fn results(&self) -> usize {
        self.entries.len() + self.object_refs.len() + self.documents.len()
    }

    /// Different codes of the errors, or of the warnings, sorted.
    fn codes(&self, warnings: bool) -> Vec<String> {
        let errors = self.errors.iter().filter(|error| error.is_warning == warnings);
        let mut codes = sorted(errors.map(|error| error.code.clone()).collect());
        codes.dedup();
        codes
    }

    /// In a line, for the report.
    fn summary(&self) -> String {
        let errors: Vec<String> = self.errors.iter().map(|e| format!("{} ({})", e.code, e.context)).collect();
        format!(
            "{}, {} results{}",
            self.status,
            self.results(),
            errors.iter().map(|e| format!(", {e}")).collect::<String>()
        )
    }
}

/// The value that `capture` names: `document.attribute`.
pub fn captured(path: &str, answer: &Answer, context: &Context) -> Option<String> {
    let (name, attribute) = path.split_once('.')?;
    let Body::Response(response) = &answer.body else { return None };
    let sent = context.documents.get(name)?;
    let entry =
        response.entries.iter().find(|entry| entry.value("uniqueId") == sent.entry.value("uniqueId"))?;
    Some(entry.value(attribute).to_owned()).filter(|value| !value.is_empty())
}

fn matches(is: &str, expected: &str) -> bool {
    match expected.strip_suffix('*') {
        Some(start) => is.starts_with(start),
        None => is == expected,
    }
}

fn sorted(mut values: Vec<String>) -> Vec<String> {
    values.sort_unstable();
    values
}

#[cfg(test)]
mod tests;

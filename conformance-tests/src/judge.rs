//! Holds an answer against what a step expects, and against what every answer owes.

mod capture;
mod results;

use crate::answer::{Acknowledgement, Answer, Body, Response};
use crate::context::Context;
use crate::request::Message;
use crate::scenario::Expect;
use crate::transaction::Transaction;
use crate::wire::Received;

pub use capture::captured;

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
                (Some(expected), Body::Acknowledgement(ack)) => {
                    judge.wrong.push(format!("a {expected} fault is expected, came: {}", ack.code));
                }
                (None, Body::Acknowledgement(ack)) => judge.acknowledgement(expect, message, ack),
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
        if let Some(expected) = &expect.content_encoding {
            self.equal("Content-Encoding", &received.content_encoding, expected);
        }
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
        if message.transaction == Transaction::Iti8 {
            return;
        }
        let actions = message.transaction.response_actions();
        let action = answer.action.as_deref().unwrap_or_default();
        self.check(actions.iter().any(|expected| expected == action), || {
            format!("wsa:Action: expected \"{}\", came \"{action}\"", actions.join("\" or \""))
        });
        self.check(answer.action_must_be_understood, || "wsa:Action lacks mustUnderstand=\"1\"".into());
        if let Some(id) = &message.id {
            self.equal("wsa:RelatesTo", answer.relates_to.as_deref().unwrap_or_default(), id);
        }
    }

    /// TF-3 §4.2.4.1, §4.2.4.2.
    fn shape(&mut self, transaction: Transaction, response: &Response) {
        let element = transaction.answer();
        self.equal("body", &response.element, element);
        if element == "AdhocQueryResponse" {
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

    fn acknowledgement(&mut self, expect: &Expect, message: Option<&Message>, ack: &Acknowledgement) {
        let version_3 = message.is_some_and(|message| message.transaction == Transaction::Iti44);
        let expected = expect.ack.as_deref().unwrap_or(if version_3 { "CA" } else { "AA" });
        self.check(ack.code == expected, || {
            format!("acknowledgement: expected {expected}, came {} ({})", ack.code, ack.reason)
        });
        self.check(ack.code.ends_with('A') || !ack.reason.is_empty(), || {
            format!("{} without a reason", ack.code)
        });
        if let Some(id) = message.filter(|_| !version_3).and_then(|message| message.id.as_deref()) {
            self.equal("MSA-2", &ack.of, id);
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
        for name in &expect.concerning {
            match self.context.placeholders.text(&self.context.id(name)) {
                Err(error) => self.wrong.push(error.to_string()),
                Ok(id) => {
                    // By its id to a registry, by its uniqueId to a repository.
                    let ids = [id, self.unique_id(name)];
                    let told = |text: &str| ids.iter().any(|id| !id.is_empty() && text.contains(id.as_str()));
                    let named =
                        response.errors.iter().any(|error| told(&error.location) || told(&error.context));
                    self.check(named, || format!("no error names {name}, came: {}", response.summary()));
                }
            }
        }
        self.results(expect, response);
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

fn sorted(mut values: Vec<String>) -> Vec<String> {
    values.sort_unstable();
    values
}

#[cfg(test)]
mod tests;

//! Events as people, programs and spreadsheets read them.

use atna::sentence::{Language, Line, group, sentence};
use atna::{Entry, Outcome};
use chrono::{Local, SecondsFormat};
use serde_json::json;

use crate::commands::say;

/// A sentence a line; events that belong together are one. With `details` they follow below it.
pub fn lines(entries: &[Entry], language: Language, details: bool) {
    if entries.is_empty() {
        say(match language {
            Language::Fr => "Aucune trace.",
            Language::En => "No events.",
        });
    }
    for line in group(entries, language, &Local) {
        say(told(&line, language));
        if details {
            line.parts.iter().for_each(|part| say(format!("    {}", told(part, language))));
        }
    }
}

fn told(line: &Line, language: Language) -> String {
    let mut text = line.text.clone();
    if !line.parts.is_empty() {
        text.push_str(&format!(
            " [{} {}]",
            line.parts.len(),
            match language {
                Language::Fr => "traces",
                Language::En => "events",
            }
        ));
    }
    if line.hidden_from_legal_representatives {
        text.push_str(match language {
            Language::Fr => " [caché aux représentants légaux]",
            Language::En => " [hidden from legal representatives]",
        });
    }
    text
}

/// An object a line.
pub fn json(entries: &[Entry], language: Language) -> anyhow::Result<()> {
    for entry in entries {
        let mut told = serde_json::to_value(entry)?;
        if let Some(object) = told.as_object_mut() {
            object.insert("sentence".to_owned(), sentence(entry, language, &Local).into());
            let hidden = entry.hidden_from_legal_representatives();
            object.insert("hidden_from_legal_representatives".to_owned(), json!(hidden));
            if let Entry::Own(event) = entry {
                object.insert("message".to_owned(), atna::dicom::render(event).into());
            }
        }
        say(told);
    }
    Ok(())
}

pub fn csv(entries: &[Entry], language: Language) -> anyhow::Result<()> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record([
        "time",
        "outcome",
        "who",
        "transaction",
        "sentence",
        "hidden_from_legal_representatives",
        "id",
    ])?;
    for entry in entries {
        let (outcome, who, transaction) = match entry {
            Entry::Own(event) => {
                let outcome = match event.outcome {
                    Outcome::Success => "ok",
                    Outcome::MinorFailure => "refused",
                    Outcome::SeriousFailure => "failed",
                };
                (outcome, event.requester.label(), event.act.row().transaction)
            }
            Entry::Received(received) => ("told", received.peer.clone(), ""),
        };
        let hidden = if entry.hidden_from_legal_representatives() { "yes" } else { "no" };
        writer.write_record([
            entry.at().to_rfc3339_opts(SecondsFormat::Millis, true).as_str(),
            outcome,
            harmless(&who).as_str(),
            transaction,
            harmless(&sentence(entry, language, &Local)).as_str(),
            hidden,
            entry.id().to_string().as_str(),
        ])?;
    }
    let text = String::from_utf8(writer.into_inner()?)?;
    // `say` ends the line.
    say(text.trim_end());
    Ok(())
}

/// Names come from elsewhere, and a spreadsheet takes what begins so for a formula.
fn harmless(text: &str) -> String {
    match text.starts_with(['=', '+', '-', '@', '\t', '\r']) {
        true => format!("'{text}"),
        false => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_no_formula() {
        assert_eq!(harmless("=HYPERLINK(\"http://x\")"), "'=HYPERLINK(\"http://x\")");
        assert_eq!(harmless("Anne = Martin"), "Anne = Martin");
    }
}

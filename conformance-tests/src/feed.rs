//! Messages of the patient identity feed: HL7 v2 text (ITI-8) and HL7 v3 XML (ITI-44).

use std::collections::BTreeMap;

use crate::placeholder::Placeholders;
use crate::scenario::{Change, Feed};
use crate::template::{self, ADT, PRPA, render, render_text};

/// An HL7 v2 message and its MSH-10. Segments end in CR.
pub fn version_2(
    feed: &Feed,
    number: usize,
    placeholders: &mut Placeholders,
) -> Result<(String, Option<String>), template::Error> {
    let text = match &feed.text {
        Some(text) => placeholders.text(text)?,
        None => {
            let control_id = placeholders.text(&format!("{{{{oid:control {number}}}}}"))?;
            let control_id: String = control_id.chars().rev().take(18).collect();
            let mut values = BTreeMap::from([("controlId".to_owned(), control_id)]);
            for (name, value) in
                [("event", &feed.event), ("pid", &feed.patient), ("subsumed", &feed.subsumed)]
            {
                values.insert(name.to_owned(), placeholders.text(value)?);
            }
            let mut change = feed.change.clone();
            if feed.event != "A40" {
                leave_out(&mut change, "MRG");
            }
            render_text(ADT, &change, &values, placeholders)?
        }
    };
    let segments: Vec<&str> = text.lines().map(str::trim_end).filter(|line| !line.is_empty()).collect();
    let control_id = segments.first().filter(|line| line.starts_with("MSH"));
    let control_id = control_id.and_then(|line| line.split('|').nth(9)).map(str::to_owned);
    Ok((segments.join("\r") + "\r", control_id))
}

/// The body of an HL7 v3 message, and its action.
pub fn version_3(
    feed: &Feed,
    number: usize,
    placeholders: &mut Placeholders,
) -> Result<(String, String), template::Error> {
    let number_of_event = match feed.event.as_str() {
        "A08" => "201302UV02",
        "A40" => "201304UV02",
        _ => "201301UV02",
    };
    let interaction = format!("PRPA_IN{number_of_event}");
    let mut values = BTreeMap::from([
        ("interaction".to_owned(), interaction.clone()),
        ("trigger".to_owned(), format!("PRPA_TE{number_of_event}")),
        ("messageRoot".to_owned(), placeholders.text(&format!("{{{{oid:control {number}}}}}"))?),
    ]);
    for (name, cx) in [("patient", &feed.patient), ("subsumed", &feed.subsumed)] {
        let cx = placeholders.text(cx)?;
        let (extension, rest) = cx.split_once('^').unwrap_or((&cx, ""));
        let root = rest.split('&').nth(1).unwrap_or_default();
        values.insert(format!("{name}Root"), root.to_owned());
        values.insert(format!("{name}Extension"), extension.to_owned());
    }
    let mut change = feed.change.clone();
    if feed.event != "A40" {
        leave_out(&mut change, "replacementOf");
    }
    let body = render(PRPA, &change, &values, placeholders)?;
    Ok((body, format!("urn:hl7-org:v3:{interaction}")))
}

fn leave_out(change: &mut Change, block: &str) {
    if !change.xml.contains_key(block) && !change.without.iter().any(|other| other == block) {
        change.without.push(block.to_owned());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_has_segments_and_an_id() {
        let mut placeholders = Placeholders::new("1.2.3");
        let (text, id) = version_2(&Feed::default(), 1, &mut placeholders).unwrap();
        let segments: Vec<&str> = text.split_terminator('\r').collect();
        assert_eq!(segments.len(), 4, "{text}");
        assert!(segments[0].contains("|ADT^A01|") && segments[2].contains("^^^&1.2.3&ISO|"), "{text}");
        assert!(segments[0].contains(&id.unwrap()));
        let merge = Feed { event: "A40".into(), ..Feed::default() };
        assert!(version_2(&merge, 1, &mut placeholders).unwrap().0.contains("\rMRG|CT"));
    }

    #[test]
    fn the_same_event_as_xml_names_root_and_extension() {
        let mut placeholders = Placeholders::new("1.2.3");
        placeholders.set("patient", "77^^^&1.2.9&ISO");
        let (body, action) = version_3(&Feed::default(), 1, &mut placeholders).unwrap();
        assert_eq!(action, "urn:hl7-org:v3:PRPA_IN201301UV02");
        assert!(body.contains("<hl7:id root=\"1.2.9\" extension=\"77\"/>"), "{body}");
        assert!(!body.contains("replacementOf"));
    }
}

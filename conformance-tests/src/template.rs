//! Objects as text: a template with placeholders and named blocks (`<!--name-->…<!--/name-->`).

use std::collections::BTreeMap;

use crate::placeholder::{Placeholders, Unknown};
use crate::scenario::Change;

pub const ENVELOPE: &str = include_str!("../scenarios/templates/envelope.xml");
pub const DOCUMENT: &str = include_str!("../scenarios/templates/document.xml");
pub const SUBMISSION_SET: &str = include_str!("../scenarios/templates/submission-set.xml");
pub const FOLDER: &str = include_str!("../scenarios/templates/folder.xml");
pub const ASSOCIATION: &str = include_str!("../scenarios/templates/association.xml");

pub const ADT: &str = include_str!("../scenarios/templates/adt.hl7");
pub const PRPA: &str = include_str!("../scenarios/templates/prpa.xml");

/// Why a text cannot be made as the scenario asks: a mistake in the scenario, or something an earlier step owes.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    #[error("the template has no block {0}")]
    NoBlock(String),
    #[error("the text to be edited is not there: {0}")]
    NoText(String),
    #[error(transparent)]
    Placeholder(#[from] Unknown),
}

/// Applies `change` to `template` and fills the placeholders, those of `own` before all others but the change's.
pub fn render(
    template: &str,
    change: &Change,
    own: &BTreeMap<String, String>,
    placeholders: &mut Placeholders,
) -> Result<String, Error> {
    let (text, values) = arrange(template, change, own, placeholders)?;
    let filled = placeholders.xml_with(&text, &values)?;
    edited(filled, &change.edit, placeholders)
}

/// As [`render`], for a template that is not XML: nothing is escaped.
pub fn render_text(
    template: &str,
    change: &Change,
    own: &BTreeMap<String, String>,
    placeholders: &mut Placeholders,
) -> Result<String, Error> {
    let (text, values) = arrange(template, change, own, placeholders)?;
    let filled = placeholders.text_with(&text, &values)?;
    change.edit.iter().try_fold(filled, |text, (from, to)| {
        let (from, to) = (placeholders.text(from)?, placeholders.text(to)?);
        match text.contains(&from) {
            true => Ok(text.replace(&from, &to)),
            false => Err(Error::NoText(from)),
        }
    })
}

/// The template with its blocks as the change wants them, and the values of its placeholders.
fn arrange(
    template: &str,
    change: &Change,
    own: &BTreeMap<String, String>,
    placeholders: &mut Placeholders,
) -> Result<(String, BTreeMap<String, String>), Error> {
    let mut text = template.to_owned();
    for name in &change.without {
        text = with_block(&text, name, |_| String::new())?;
    }
    for name in &change.twice {
        text = with_block(&text, name, |block| block.repeat(2))?;
    }
    for (name, xml) in &change.xml {
        text = with_block(&text, name, |_| xml.clone())?;
    }
    let mut values = own.clone();
    for (name, value) in &change.values {
        values.insert(name.clone(), placeholders.text(value)?);
    }
    Ok((without_marks(&text), values))
}

/// Replaces each text by its other text.
pub fn edited(
    text: String,
    edits: &[(String, String)],
    placeholders: &mut Placeholders,
) -> Result<String, Error> {
    edits.iter().try_fold(text, |text, (from, to)| {
        let (from, to) = (placeholders.xml(from)?, placeholders.xml(to)?);
        match text.contains(&from) {
            true => Ok(text.replace(&from, &to)),
            false => Err(Error::NoText(from)),
        }
    })
}

/// Puts what `replace` makes of the block's content in its place.
pub fn with_block(text: &str, name: &str, replace: impl Fn(&str) -> String) -> Result<String, Error> {
    let missing = || Error::NoBlock(name.to_owned());
    let (before, rest) = text.split_once(&format!("<!--{name}-->")).ok_or_else(missing)?;
    let (content, after) = rest.split_once(&format!("<!--/{name}-->")).ok_or_else(missing)?;
    Ok([before, &replace(content), after].concat())
}

fn without_marks(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, mark)) = rest.split_once("<!--") {
        out.push_str(before);
        rest = mark.split_once("-->").map_or("", |(_, after)| after);
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEMPLATE: &str = "<a><!--b--><b>{{x|1}}</b><!--/b--><!--more--><!--/more--></a>";

    fn make(change: Change) -> Result<String, Error> {
        render(TEMPLATE, &change, &BTreeMap::new(), &mut Placeholders::new("1.2"))
    }

    fn strings<const N: usize>(pairs: [(&str, &str); N]) -> BTreeMap<String, String> {
        pairs.into_iter().map(|(a, b)| (a.to_owned(), b.to_owned())).collect()
    }

    #[test]
    fn blocks_are_left_out_doubled_and_replaced() {
        assert_eq!(make(Change::default()).unwrap(), "<a><b>1</b></a>");
        assert_eq!(make(Change { without: vec!["b".into()], ..Change::default() }).unwrap(), "<a></a>");
        assert_eq!(
            make(Change { twice: vec!["b".into()], ..Change::default() }).unwrap(),
            "<a><b>1</b><b>1</b></a>"
        );
        let xml = strings([("b", "<c/>"), ("more", "<d>{{x|2}}</d>")]);
        assert_eq!(make(Change { xml, ..Change::default() }).unwrap(), "<a><c/><d>2</d></a>");
    }

    #[test]
    fn values_and_edits_change_the_text() {
        let values = strings([("x", "<&")]);
        assert_eq!(make(Change { values, ..Change::default() }).unwrap(), "<a><b>&lt;&amp;</b></a>");
        let edit = vec![("<b>1</b>".into(), "<b/>".into())];
        assert_eq!(make(Change { edit, ..Change::default() }).unwrap(), "<a><b/></a>");
    }

    #[test]
    fn a_change_of_what_is_not_there_is_an_error() {
        let without = Change { without: vec!["typo".into()], ..Change::default() };
        assert_eq!(make(without), Err(Error::NoBlock("typo".into())));
        let edit = Change { edit: vec![("typo".into(), String::new())], ..Change::default() };
        assert_eq!(make(edit), Err(Error::NoText("typo".into())));
    }
}

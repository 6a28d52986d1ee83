use super::edit::*;
use super::*;

#[test]
fn there_are_many_mutations_with_different_names() {
    let names: BTreeSet<&str> = MUTATIONS.iter().map(|mutation| mutation.name.as_str()).collect();
    assert_eq!(names.len(), MUTATIONS.len());
    assert!(names.len() >= 40, "{}", names.len());
}

#[test]
fn elements_are_found_whatever_their_prefix() {
    let text = "<a:x><b:Slot name='1'><v/></b:Slot><Slot name='2'/><Slots/></a:x>";
    let found: Vec<&str> = elements(text, "Slot").into_iter().map(|range| &text[range]).collect();
    assert_eq!(found, ["<b:Slot name='1'><v/></b:Slot>", "<Slot name='2'/>"]);
    assert_eq!(without_element(text, "Slot", |_| true).unwrap(), text.replace("<Slot name='2'/>", ""));
    assert_eq!(without_element(text, "Value", |_| true), None);
}

#[test]
fn a_change_that_changes_nothing_is_none() {
    assert_eq!(with_attribute("<a b=\"1\"/>", "b", |_| "1".into()), None);
    assert_eq!(with_attribute("<a b=\"1\"/>", "b", |_| "2".into()).unwrap(), "<a b=\"2\"/>");
    assert_eq!(with_text("<a>1</a>", |t| format!("{t}2")).unwrap(), "<a>12</a>");
}

#[test]
fn octets_survive_an_edit() {
    let all: Vec<u8> = (0..=255).collect();
    assert_eq!(octets(&text(&all)), all);
}

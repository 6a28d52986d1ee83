use std::collections::BTreeSet;

use super::*;
use crate::context::Context;
use crate::placeholder::Placeholders;
use crate::scenario::Endpoint;

#[test]
fn every_scenario_can_be_read_and_its_names_are_unique() {
    let scenarios = scenarios().unwrap();
    let names: BTreeSet<&str> = scenarios.iter().map(|s| s.name.as_str()).collect();
    assert_eq!(names.len(), scenarios.len());
    assert!(names.contains(REPOSITORY_UNIQUE_ID) && names.contains(CDA));
    for scenario in &scenarios {
        assert!(!scenario.title.is_empty(), "{}: no title", scenario.name);
        assert!(!scenario.spec.is_empty(), "{}: no paragraph of the standard", scenario.name);
        let steps: BTreeSet<&str> = scenario.steps.iter().map(|s| s.name.as_str()).collect();
        assert_eq!(steps.len(), scenario.steps.len(), "{}: two steps have the same name", scenario.name);
    }
}

#[test]
fn every_request_of_every_scenario_can_be_made() {
    for scenario in scenarios().unwrap() {
        let mut placeholders = Placeholders::new("1.2.3");
        placeholders.set("repository", "1.2.3.4");
        let mut context = Context::new(placeholders, false);
        context.adopt(&scenario.values).unwrap();
        let (xml, octets) = ("<rim:ExtrinsicObject id='d'/>".to_owned(), Default::default());
        if scenario.name == CDA {
            context.prepared.insert("document1".into(), context::Prepared { xml, octets });
        }
        for (index, step) in scenario.steps.iter().enumerate() {
            if let Err(error) =
                request::build(step, index + 1, |_: Endpoint| request::Addresses::default(), &mut context)
            {
                panic!("{}, {}: {error}", scenario.name, step.name);
            }
            for name in step.capture.keys() {
                context.placeholders.set(name, "captured");
            }
            for (number, beside) in step.beside.iter().enumerate() {
                let addresses = |_: Endpoint| request::Addresses::default();
                request::build(beside, 1000 + number, addresses, &mut context).unwrap();
            }
            let lists = [&step.expect.documents, &step.expect.sets, &step.expect.folders];
            let names = lists
                .into_iter()
                .flatten()
                .flatten()
                .chain(&step.expect.as_sent)
                .chain(step.expect.entry.keys())
                .chain(step.expect.retrieved.keys());
            for name in names.filter(|name| !name.starts_with("{{")) {
                assert!(
                    context.objects.contains_key(name),
                    "{}, {}: no object {name}",
                    scenario.name,
                    step.name
                );
            }
        }
    }
}

#[test]
fn every_own_document_becomes_metadata() {
    assert!(!embedded::DOCUMENTS.is_empty());
    for (name, octets) in embedded::DOCUMENTS {
        let mut context = Context::new(Placeholders::new("1.2.3"), false);
        let prepared =
            corpus::prepare(&(*octets).into(), &mut context).unwrap_or_else(|e| panic!("{name}: {e}"));
        assert!(prepared.xml.contains("^^^&amp;1.2.3&amp;ISO"), "{name}: {}", prepared.xml);
    }
}

use std::path::PathBuf;
use std::process::Command;

use xml::{Document, Limits, Writer};

use super::*;

fn message(interaction: Interaction) -> Message {
    Message {
        head: Head {
            interaction,
            id: Ii::new("1.2.9", "42"),
            sender: Ii::new("1.2.7", ""),
            receiver: Ii::new("1.2.8", ""),
            processing_code: "P".to_owned(),
        },
        patient: vec![Ii::new("1.2.3", "a & b"), Ii::new("1.2.4", "c")],
        subsumed: (interaction == Interaction::DuplicatesResolved).then(|| Ii::new("1.2.3", "old")),
    }
}

fn written(message: &Message) -> String {
    let mut w = Writer::new();
    write(message, "20260102030405", &mut w);
    w.finish()
}

fn read_text(text: &str) -> Result<Message, Box<Refusal>> {
    let document = Document::parse(text, &Limits::default()).unwrap();
    let interaction = Interaction::named(document.root().name()).unwrap();
    read(document.root(), interaction)
}

/// The locations of what is wrong after `from` was replaced by `to`.
fn wrong(interaction: Interaction, from: &str, to: &str) -> Vec<&'static str> {
    let text = written(&message(interaction));
    assert!(text.contains(from), "{from} is not in {text}");
    let refusal = read_text(&text.replace(from, to)).unwrap_err();
    refusal.problems.iter().map(|problem| problem.location).collect()
}

#[test]
fn what_is_written_is_read_back() {
    for interaction in Interaction::ALL {
        let message = message(interaction);
        assert_eq!(read_text(&written(&message)).as_ref(), Ok(&message));
    }
}

#[test]
fn each_rule_of_the_wrapper_is_checked() {
    use Interaction::Added;
    assert_eq!(
        wrong(Added, "extension=\"PRPA_IN201301UV02\"", "extension=\"PRPA_IN201302UV02\""),
        ["interactionId"]
    );
    assert_eq!(
        wrong(Added, "processingModeCode code=\"T\"", "processingModeCode code=\"R\""),
        ["processingModeCode"]
    );
    assert_eq!(wrong(Added, "acceptAckCode code=\"AL\"", "acceptAckCode code=\"NE\""), ["acceptAckCode"]);
    assert_eq!(wrong(Added, "<sender", "<receiver typeCode=\"RCV\"/><sender"), ["receiver"]);
    assert_eq!(wrong(Added, "<id root=\"1.2.9\" extension=\"42\"/>", ""), ["id"]);
    assert_eq!(wrong(Added, "PRPA_TE201301UV02", "PRPA_TE201302UV02"), ["controlActProcess/code"]);
}

#[test]
fn each_rule_of_the_registration_is_checked() {
    use Interaction::{Added, DuplicatesResolved};
    let active = "registrationEvent classCode=\"REG\" moodCode=\"EVN\"><statusCode code=\"active\"/>";
    let status = wrong(Added, active, &active.replace("active", "obsolete"));
    assert_eq!(status, ["registrationEvent/statusCode"]);
    assert_eq!(wrong(Added, "subject1", "subject2"), ["registrationEvent/subject1/patient/id"]);
    assert_eq!(wrong(Added, "registrationEvent", "other"), ["controlActProcess/subject/registrationEvent"]);
    let replacement = "<custodian><replacementOf/></custodian><replacementOf/><custodian";
    assert_eq!(wrong(Added, "<custodian", replacement), ["registrationEvent/replacementOf"]);
    let prior = "priorRegistration/subject1/priorRegisteredRole/id";
    assert_eq!(wrong(DuplicatesResolved, "extension=\"old\"", ""), [prior]);
    let two = "extension=\"old\"/><id root=\"1.2.3\" extension=\"older\"";
    assert_eq!(wrong(DuplicatesResolved, "extension=\"old\"", two), ["priorRegisteredRole/id"]);
    assert_eq!(wrong(DuplicatesResolved, "\"obsolete\"", "\"active\""), ["priorRegistration/statusCode"]);
    assert_eq!(wrong(DuplicatesResolved, "replacementOf", "other"), ["registrationEvent/replacementOf"]);
    let twice = "<replacementOf typeCode=\"RPLC\"/><replacementOf typeCode=\"RPLC\">";
    assert_eq!(
        wrong(DuplicatesResolved, "<replacementOf typeCode=\"RPLC\">", twice),
        ["registrationEvent/replacementOf"]
    );
}

#[test]
fn everything_that_is_wrong_is_told_at_once() {
    let refusal = read_text("<PRPA_IN201304UV02 xmlns='urn:hl7-org:v3'/>").unwrap_err();
    assert_eq!(refusal.problems.len(), 6, "{refusal:?}");
}

#[test]
fn the_acknowledgement_answers_to_the_sender_and_names_the_message() {
    let ack = ack();
    let document = Document::parse(&ack, &Limits::default()).unwrap();
    let root = document.root();
    let device = |name| root.path(NAMESPACE, &[name, "device", "id"]).unwrap().attribute("root").unwrap();
    assert_eq!((device("receiver"), device("sender")), ("1.2.7", "1.2.8"));
    let target = root.path(NAMESPACE, &["acknowledgement", "targetMessage", "id"]).unwrap();
    assert_eq!((target.attribute("root"), target.attribute("extension")), (Some("1.2.9"), Some("42")));
    let detail = root.path(NAMESPACE, &["acknowledgement", "acknowledgementDetail"]).unwrap();
    assert_eq!(detail.child(NAMESPACE, "code").unwrap().attribute("code"), Some("KEY204"));
    assert_eq!(detail.child(NAMESPACE, "text").unwrap().text(), "a < b");
}

fn ack() -> String {
    let problem = Problem { code: ProblemCode::UnknownKey, location: "x", text: "a < b".to_owned() };
    let mut w = Writer::new();
    let id = Ii::new("2.25.1", "");
    Ack::error(problem).write(&message(Interaction::Added).head, "20260102030405", &id, &mut w);
    w.finish()
}

/// The published samples and schemas, when they are there.
fn corpus(folder: &str) -> Option<PathBuf> {
    let folder = PathBuf::from(std::env::var_os("CARNET_CORPUS")?).join("schemas/ihe-iti-info").join(folder);
    folder.is_dir().then_some(folder)
}

#[test]
fn corpus_published_samples_are_understood() {
    let Some(folder) = corpus("examples/PIXV3") else { return };
    let mut understood = 0;
    for file in std::fs::read_dir(folder).unwrap() {
        let path = file.unwrap().path();
        let text = std::fs::read_to_string(&path).unwrap();
        let document = Document::parse(&text, &Limits::default()).unwrap();
        let Some(interaction) = Interaction::named(document.root().name()) else { continue };
        match read(document.root(), interaction) {
            Ok(message) => {
                understood += 1;
                assert_eq!(message.subsumed.is_some(), interaction == Interaction::DuplicatesResolved);
            }
            // Early samples have another processing mode than the text of the standard wants.
            Err(refusal) => {
                let places: Vec<_> = refusal.problems.iter().map(|p| p.location).collect();
                assert_eq!(places, ["processingModeCode"], "{}", path.display());
            }
        }
    }
    assert!(understood >= 9, "{understood}");
}

#[test]
fn corpus_what_is_written_is_valid_by_the_schemas() {
    let Some(schemas) = corpus("schema/HL7V3/NE2008/multicacheschemas") else { return };
    let folder = tempfile::tempdir().unwrap();
    let requests = Interaction::ALL.map(|interaction| (interaction.name(), written(&message(interaction))));
    for (name, text) in requests.into_iter().chain([(ACKNOWLEDGEMENT, ack())]) {
        let file = folder.path().join(format!("{name}.xml"));
        std::fs::write(&file, text).unwrap();
        let schema = schemas.join(format!("{name}.xsd"));
        let Ok(output) =
            Command::new("xmllint").args(["--noout", "--schema"]).arg(&schema).arg(&file).output()
        else {
            return;
        };
        assert!(output.status.success(), "{name}: {}", String::from_utf8_lossy(&output.stderr));
    }
}

use xml::Element;

use crate::{Head, Ii, Interaction, Message, NAMESPACE, Problem, ProblemCode};

/// A message that breaks rules: all of them, and as much of the head as could be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    pub head: Head,
    pub problems: Vec<Problem>,
}

/// Reads the content of a SOAP body whose name is that of `interaction`.
///
/// The samples of the standard leave out the code of the trigger event and the status of the prior registration: these
/// are checked where they are.
pub fn read(body: Element<'_>, interaction: Interaction) -> Result<Message, Box<Refusal>> {
    let mut reader = Reader { problems: Vec::new() };
    let head = reader.head(body, interaction);
    let process = child(body, "controlActProcess");
    if let Some(code) = process.and_then(|process| code(process, "code"))
        && code != interaction.trigger()
    {
        reader
            .wrong("controlActProcess/code", format!("the trigger event must be {}", interaction.trigger()));
    }
    let event = process.and_then(|process| path(process, &["subject", "registrationEvent"]));
    let (mut patient, mut subsumed) = (Vec::new(), None);
    match event {
        None => reader.missing("controlActProcess/subject/registrationEvent"),
        Some(event) => {
            if code(event, "statusCode") != Some("active") {
                reader.wrong("registrationEvent/statusCode", "the status of a registration must be active");
            }
            patient = path(event, &["subject1", "patient"]).map(identifiers).unwrap_or_default();
            if patient.is_empty() {
                reader.missing("registrationEvent/subject1/patient/id");
            }
            subsumed = reader.replaced(event, interaction);
        }
    }
    match reader.problems.is_empty() {
        true => Ok(Message { head, patient, subsumed }),
        false => Err(Box::new(Refusal { head, problems: reader.problems })),
    }
}

struct Reader {
    problems: Vec<Problem>,
}

impl Reader {
    fn wrong(&mut self, location: &'static str, text: impl Into<String>) {
        self.problems.push(Problem { code: ProblemCode::Syntax, location, text: text.into() });
    }

    fn missing(&mut self, location: &'static str) {
        let text = format!("{location} is missing or has no root and extension");
        self.problems.push(Problem { code: ProblemCode::Missing, location, text });
    }

    /// The transmission wrapper (TF-2 Appendix O.1.1).
    fn head(&mut self, body: Element<'_>, interaction: Interaction) -> Head {
        let id = child(body, "id").and_then(ii).unwrap_or_default();
        if id.root.is_empty() {
            self.missing("id");
        }
        let named = child(body, "interactionId").and_then(|id| id.attribute("extension"));
        if named != Some(interaction.name()) {
            self.wrong(
                "interactionId",
                format!("the extension of interactionId must be {}", interaction.name()),
            );
        }
        if code(body, "processingModeCode") != Some("T") {
            self.wrong("processingModeCode", "processingModeCode must be T");
        }
        if code(body, "acceptAckCode") != Some("AL") {
            self.wrong("acceptAckCode", "acceptAckCode must be AL");
        }
        if body.children_named(NAMESPACE, "receiver").count() != 1 {
            self.wrong("receiver", "there must be one receiver");
        }
        let device = |name| path(body, &[name, "device", "id"]).and_then(ii).unwrap_or_default();
        Head {
            interaction,
            id,
            sender: device("sender"),
            receiver: device("receiver"),
            processing_code: code(body, "processingCode").unwrap_or("P").to_owned(),
        }
    }

    /// Only a merge replaces a registration, and one.
    fn replaced(&mut self, event: Element<'_>, interaction: Interaction) -> Option<Ii> {
        let replaced: Vec<Element<'_>> = event.children_named(NAMESPACE, "replacementOf").collect();
        match (interaction, replaced.as_slice()) {
            (Interaction::Added | Interaction::Revised, []) => None,
            (Interaction::Added | Interaction::Revised, _) => {
                self.wrong("registrationEvent/replacementOf", "only a merge replaces a registration");
                None
            }
            (Interaction::DuplicatesResolved, [replacement]) => {
                let prior = child(*replacement, "priorRegistration");
                if prior
                    .and_then(|prior| code(prior, "statusCode"))
                    .is_some_and(|status| status != "obsolete")
                {
                    self.wrong("priorRegistration/statusCode", "the prior registration must be obsolete");
                }
                let role = prior.and_then(|prior| path(prior, &["subject1", "priorRegisteredRole"]));
                match role.map(identifiers).unwrap_or_default().as_slice() {
                    [one] => Some(one.clone()),
                    [] => {
                        self.missing("priorRegistration/subject1/priorRegisteredRole/id");
                        None
                    }
                    _ => {
                        self.wrong("priorRegisteredRole/id", "a merge subsumes a single identifier");
                        None
                    }
                }
            }
            (Interaction::DuplicatesResolved, []) => {
                self.missing("registrationEvent/replacementOf");
                None
            }
            (Interaction::DuplicatesResolved, _) => {
                self.wrong("registrationEvent/replacementOf", "one merge in one message");
                None
            }
        }
    }
}

fn child<'d>(element: Element<'d>, name: &str) -> Option<Element<'d>> {
    element.child(NAMESPACE, name)
}

fn path<'d>(element: Element<'d>, names: &[&str]) -> Option<Element<'d>> {
    element.path(NAMESPACE, names)
}

fn code<'d>(element: Element<'d>, name: &str) -> Option<&'d str> {
    child(element, name)?.attribute("code")
}

/// With a root; a device has no extension.
fn ii(element: Element<'_>) -> Option<Ii> {
    let root = element.attribute("root")?.trim();
    let extension = element.attribute("extension").unwrap_or_default().trim();
    (!root.is_empty()).then(|| Ii::new(root, extension))
}

fn identifiers(element: Element<'_>) -> Vec<Ii> {
    element.children_named(NAMESPACE, "id").filter_map(ii).filter(|id| !id.extension.is_empty()).collect()
}

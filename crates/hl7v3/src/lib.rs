//! HL7 v3 as a patient identity feed needs it (ITI-44, TF-2 §3.44 and Appendix O): three requests and their acknowledgement.
//!
//! Pure: [`read`] takes the content of a SOAP body, [`Ack`] writes the answer, [`write()`] writes a request as a source does.

mod ack;
mod read;
mod write;

pub use ack::{Ack, AckCode, Problem, ProblemCode};
pub use read::{Refusal, read};
pub use write::write;

pub const NAMESPACE: &str = "urn:hl7-org:v3";

/// The name of the acknowledgement.
pub const ACKNOWLEDGEMENT: &str = "MCCI_IN000002UV01";

/// An instance identifier.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Ii {
    /// An OID.
    pub root: String,
    pub extension: String,
}

/// What a message is for. Its name is that of the element.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Interaction {
    /// PRPA_IN201301UV02
    Added,
    /// PRPA_IN201302UV02
    Revised,
    /// PRPA_IN201304UV02
    DuplicatesResolved,
}

/// What is known of a message, whatever else is wrong with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Head {
    pub interaction: Interaction,
    pub id: Ii,
    /// `sender/device/id`
    pub sender: Ii,
    /// `receiver/device/id`
    pub receiver: Ii,
    pub processing_code: String,
}

/// A message that was understood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    pub head: Head,
    /// Every `patient/id`: the patient, or in a merge the one that survives.
    pub patient: Vec<Ii>,
    /// `priorRegisteredRole/id` of a merge.
    pub subsumed: Option<Ii>,
}

impl Interaction {
    pub const ALL: [Interaction; 3] =
        [Interaction::Added, Interaction::Revised, Interaction::DuplicatesResolved];

    pub fn name(self) -> &'static str {
        match self {
            Interaction::Added => "PRPA_IN201301UV02",
            Interaction::Revised => "PRPA_IN201302UV02",
            Interaction::DuplicatesResolved => "PRPA_IN201304UV02",
        }
    }

    /// The code of `controlActProcess`.
    fn trigger(self) -> &'static str {
        match self {
            Interaction::Added => "PRPA_TE201301UV02",
            Interaction::Revised => "PRPA_TE201302UV02",
            Interaction::DuplicatesResolved => "PRPA_TE201304UV02",
        }
    }

    pub fn named(name: &str) -> Option<Interaction> {
        Interaction::ALL.into_iter().find(|interaction| interaction.name() == name)
    }

    /// The WS-Addressing action.
    pub fn action(self) -> &'static str {
        match self {
            Interaction::Added => "urn:hl7-org:v3:PRPA_IN201301UV02",
            Interaction::Revised => "urn:hl7-org:v3:PRPA_IN201302UV02",
            Interaction::DuplicatesResolved => "urn:hl7-org:v3:PRPA_IN201304UV02",
        }
    }
}

/// The WS-Addressing action of the acknowledgement.
pub const ACKNOWLEDGEMENT_ACTION: &str = "urn:hl7-org:v3:MCCI_IN000002UV01";

impl Ii {
    pub fn new(root: &str, extension: &str) -> Ii {
        Ii { root: root.to_owned(), extension: extension.to_owned() }
    }
}

/// Identifiers of patients do not belong in logs.
impl std::fmt::Debug for Ii {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Ii({}, …)", self.root)
    }
}

#[cfg(test)]
mod tests;

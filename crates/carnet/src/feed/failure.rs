//! What a change that was not made is called in HL7 v2 (table 0357).

use hl7v2::{Ack, Problem, ProblemCode};
use registry::patients::feed::{Error, Refusal, Side};

const PID_3: &str = "PID^1^3";
const MRG_1: &str = "MRG^1^1";

/// AE with the reason.
pub fn ack(error: &Error) -> Ack {
    let refusal = match error {
        Error::Refused(refusal) => refusal,
        Error::Failed(failure) => {
            let text = match failure {
                registry::Failure::Unavailable(_) => {
                    "the database cannot be reached; send the message again later"
                }
                _ => "internal error of the registry; send the message again later",
            };
            return Ack::error(Problem::new("MSH^1", ProblemCode::Internal, text));
        }
    };
    let of = |side: &Side| match side {
        Side::Subsumed => MRG_1,
        Side::Surviving => PID_3,
    };
    let (location, code) = match refusal {
        Refusal::StaysSo(_) => (PID_3, ProblemCode::DuplicateKey),
        Refusal::NotOne(side) | Refusal::Unknown(side) | Refusal::NotOpen(side, _) => {
            (of(side), ProblemCode::UnknownKey)
        }
        Refusal::Same => (MRG_1, ProblemCode::UnknownKey),
    };
    Ack::error(Problem::new(location, code, refusal.to_string()))
}

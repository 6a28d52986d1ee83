//! What a change that was not made is called in HL7 v2 (table 0357).

use hl7v2::{Ack, Problem, ProblemCode};
use registry::patients::feed::{Error, Refusal, Side};

const PID_3: &str = "PID^1^3";
const MRG_1: &str = "MRG^1^1";

/// What the sender of either version is told when the server is at fault.
pub fn sentence(failure: &registry::Failure) -> &'static str {
    match failure {
        registry::Failure::Unavailable(_) => "the database cannot be reached; send the message again later",
        registry::Failure::OutcomeUnknown => {
            "the connection to the database broke during the commit, so it is not known whether the change was made; \
             send the message again later: a merge that was made is then refused, because the subsumed record is merged"
        }
        _ => "internal error of the registry; send the message again later",
    }
}

/// AE with the reason.
pub fn ack(error: &Error) -> Ack {
    let refusal = match error {
        Error::Refused(refusal) => refusal,
        Error::Failed(failure) => {
            return Ack::error(Problem::new("MSH^1", ProblemCode::Internal, sentence(failure)));
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

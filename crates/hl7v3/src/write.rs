use xml::Writer;

use crate::ack::{device, identifier};
use crate::{Message, NAMESPACE};

/// Writes a request as a Patient Identity Source sends it. `time`: `YYYYMMDDHHMMSS`.
pub fn write(message: &Message, time: &str, w: &mut Writer) {
    let Message { head, patient, subsumed } = message;
    w.open(head.interaction.name(), &[("xmlns", NAMESPACE), ("ITSVersion", "XML_1.0")]);
    identifier(w, &head.id);
    w.empty("creationTime", &[("value", time)]);
    let name = head.interaction.name();
    w.empty("interactionId", &[("root", "2.16.840.1.113883.1.6"), ("extension", name)]);
    w.empty("processingCode", &[("code", &head.processing_code)]);
    w.empty("processingModeCode", &[("code", "T")]);
    w.empty("acceptAckCode", &[("code", "AL")]);
    device(w, "receiver", "RCV", &head.receiver);
    device(w, "sender", "SND", &head.sender);
    w.open("controlActProcess", &[("classCode", "CACT"), ("moodCode", "EVN")]);
    let trigger = head.interaction.trigger();
    w.empty("code", &[("code", trigger), ("codeSystem", "2.16.840.1.113883.1.18")]);
    w.open("subject", &[("typeCode", "SUBJ")]);
    w.open("registrationEvent", &[("classCode", "REG"), ("moodCode", "EVN")]);
    w.empty("statusCode", &[("code", "active")]);
    w.open("subject1", &[("typeCode", "SBJ")]).open("patient", &[("classCode", "PAT")]);
    patient.iter().for_each(|id| identifier(w, id));
    w.empty("statusCode", &[("code", "active")]);
    w.open("patientPerson", &[]).empty("name", &[("nullFlavor", "NI")]).close();
    w.open("providerOrganization", &[("classCode", "ORG"), ("determinerCode", "INSTANCE")]);
    identifier(w, &head.sender);
    w.empty("contactParty", &[("classCode", "CON")]);
    w.close().close().close();
    w.open("custodian", &[("typeCode", "CST")]).open("assignedEntity", &[("classCode", "ASSIGNED")]);
    identifier(w, &head.sender);
    w.close().close();
    if let Some(subsumed) = subsumed {
        w.open("replacementOf", &[("typeCode", "RPLC")]);
        w.open("priorRegistration", &[("classCode", "REG"), ("moodCode", "EVN")]);
        w.empty("statusCode", &[("code", "obsolete")]);
        w.open("subject1", &[("typeCode", "SBJ")]).open("priorRegisteredRole", &[("classCode", "PAT")]);
        identifier(w, subsumed);
        w.close().close().close().close();
    }
    w.close().close().close().close();
}

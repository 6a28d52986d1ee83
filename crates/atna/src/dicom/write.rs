use chrono::SecondsFormat;
use xml::Writer;

use crate::message::{Coded, Content, Message, Object, Participant};

/// The message as `<AuditMessage>` XML, without an XML declaration.
pub fn write(message: &Message) -> String {
    let mut w = Writer::new();
    w.open("AuditMessage", &[]);
    identification(&mut w, message);
    message.participants.iter().for_each(|participant| write_participant(&mut w, participant));
    let source = &message.source;
    let site = source.site.iter().map(|site| ("AuditEnterpriseSiteID", site.as_str()));
    let attributes: Vec<_> = [("AuditSourceID", source.id.as_str())].into_iter().chain(site).collect();
    w.open("AuditSourceIdentification", &attributes);
    source.types.iter().for_each(|kind| source_type(&mut w, kind));
    w.close();
    message.objects.iter().for_each(|object| write_object(&mut w, object));
    allowed(w.finish())
}

/// XML with a mark in place of what XML cannot hold: HL7 v2 and certificates may bring control characters.
pub fn allowed(xml: String) -> String {
    let forbidden =
        |c: char| c < ' ' && !matches!(c, '\t' | '\n' | '\r') || matches!(c, '\u{fffe}' | '\u{ffff}');
    match xml.contains(forbidden) {
        true => xml.replace(forbidden, "\u{fffd}"),
        false => xml,
    }
}

fn identification(w: &mut Writer, message: &Message) {
    let at = message.at.to_rfc3339_opts(SecondsFormat::Millis, true);
    let mut attributes = vec![];
    attributes.extend(message.action.map(|action| ("EventActionCode", action.letter())));
    attributes.push(("EventDateTime", at.as_str()));
    attributes.push(("EventOutcomeIndicator", message.outcome.code()));
    w.open("EventIdentification", &attributes);
    code(w, "EventID", &message.event);
    message.types.iter().for_each(|kind| code(w, "EventTypeCode", kind));
    if let Some(description) = &message.description {
        w.element("EventOutcomeDescription", &[], description);
    }
    message.purposes.iter().for_each(|purpose| code(w, "PurposeOfUse", purpose));
    w.close();
}

fn write_participant(w: &mut Writer, participant: &Participant) {
    let mut attributes = vec![("UserID", participant.id.as_str())];
    attributes.extend(participant.alternative_id.as_deref().map(|id| ("AlternativeUserID", id)));
    attributes.extend(participant.name.as_deref().map(|name| ("UserName", name)));
    attributes.push(("UserIsRequestor", if participant.requestor { "true" } else { "false" }));
    if let Some(network) = &participant.network {
        attributes.push(("NetworkAccessPointID", network.address.as_str()));
        attributes.extend(network.kind.as_deref().map(|kind| ("NetworkAccessPointTypeCode", kind)));
    }
    w.open("ActiveParticipant", &attributes);
    participant.roles.iter().for_each(|role| code(w, "RoleIDCode", role));
    w.close();
}

fn write_object(w: &mut Writer, object: &Object) {
    let attributes: Vec<(&str, &str)> = [
        ("ParticipantObjectID", &object.id),
        ("ParticipantObjectTypeCode", &object.kind),
        ("ParticipantObjectTypeCodeRole", &object.role),
        ("ParticipantObjectDataLifeCycle", &object.life_cycle),
        ("ParticipantObjectSensitivity", &object.sensitivity),
    ]
    .into_iter()
    .filter_map(|(name, value)| Some((name, value.as_deref()?)))
    .collect();
    w.open("ParticipantObjectIdentification", &attributes);
    code(w, "ParticipantObjectIDTypeCode", &object.id_type);
    match &object.content {
        Some(Content::Name(name)) => drop(w.element("ParticipantObjectName", &[], name)),
        Some(Content::Query(query)) => drop(w.element("ParticipantObjectQuery", &[], query)),
        None => {}
    }
    for detail in &object.details {
        w.empty("ParticipantObjectDetail", &[("type", &detail.kind), ("value", &detail.value)]);
    }
    w.close();
}

fn code(w: &mut Writer, name: &'static str, Coded { code, system, text }: &Coded) {
    w.empty(name, &[("csd-code", code), ("codeSystemName", system), ("originalText", text)]);
}

/// Its system and text may be left out.
fn source_type(w: &mut Writer, Coded { code, system, text }: &Coded) {
    let more = [("codeSystemName", system), ("originalText", text)];
    let more = more.into_iter().filter(|(_, value)| !value.is_empty());
    let attributes: Vec<(&str, &str)> =
        [("csd-code", code)].into_iter().chain(more).map(|(name, value)| (name, value.as_str())).collect();
    w.empty("AuditSourceTypeCode", &attributes);
}

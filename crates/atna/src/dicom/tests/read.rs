use std::fmt::Write as _;

use super::*;
use crate::message::{Content, Indicator, Message};

const LIMIT: usize = 1 << 20;

/// What a radiology system tells: names of codes as before 2011, an object with lists of studies.
const FOREIGN: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<AuditMessage>
  <EventIdentification EventActionCode="R" EventDateTime="2026-11-24T11:12:13.5+01:00" EventOutcomeIndicator="12">
    <EventID code="110103" codeSystemName="DCM" displayName="DICOM Instances Accessed"/>
    <PurposeOfUse csd-code="TREAT" codeSystemName="PurposeOfUse" originalText="treatment"/>
  </EventIdentification>
  <ActiveParticipant UserID="dr-martin" UserName="Anne Martin" UserIsRequestor="1" NetworkAccessPointID="192.0.2.9" NetworkAccessPointTypeCode="2"/>
  <ActiveParticipant UserID="pacs" AlternativeUserID="42">
    <RoleIDCode csd-code="110153" codeSystemName="DCM" originalText="Source Role ID"/>
    <MediaIdentifier><MediaType csd-code="110038" codeSystemName="DCM" originalText="Paper"/></MediaIdentifier>
  </ActiveParticipant>
  <AuditSourceIdentification AuditSourceID="pacs" AuditEnterpriseSiteID="hospital">
    <AuditSourceTypeCode csd-code="4"/>
  </AuditSourceIdentification>
  <ParticipantObjectIdentification ParticipantObjectID="1.2.840.1" ParticipantObjectTypeCode="2"
      ParticipantObjectTypeCodeRole="3" ParticipantObjectDataLifeCycle="1" ParticipantObjectSensitivity="R">
    <ParticipantObjectIDTypeCode csd-code="110180" codeSystemName="DCM" originalText="Study Instance UID"/>
    <ParticipantObjectQuery>PHE+
      PC9hPg==</ParticipantObjectQuery>
    <ParticipantObjectDescription><Encrypted>false</Encrypted></ParticipantObjectDescription>
  </ParticipantObjectIdentification>
  <ParticipantObjectIdentification ParticipantObjectID="123^^^&amp;1.2.250.1.213.1.4.10&amp;ISO" ParticipantObjectTypeCode="1" ParticipantObjectTypeCodeRole="1">
    <ParticipantObjectIDTypeCode csd-code="2" codeSystemName="RFC-3881" originalText="Patient Number"/>
    <ParticipantObjectName>MARTIN^Paul</ParticipantObjectName>
  </ParticipantObjectIdentification>
</AuditMessage>"#;

#[test]
fn what_is_written_is_read_again_without_loss() {
    for event in all() {
        let mut message = Message::from(&event);
        // The message tells milliseconds.
        message.at = chrono::SubsecRound::trunc_subsecs(message.at, 3);
        assert_eq!(parse(&render(&event), LIMIT).unwrap(), message);
    }
}

#[test]
fn a_message_of_another_node_is_read_with_all_that_the_schema_knows() {
    let message = parse(FOREIGN, LIMIT).unwrap();
    assert_eq!(message.event.code, "110103");
    assert_eq!(message.at.to_rfc3339(), "2026-11-24T10:12:13.500+00:00");
    assert_eq!(message.outcome, Indicator::MajorFailure);
    assert_eq!(message.action.map(|action| action.letter()), Some("R"));
    assert_eq!(message.purposes[0].code, "TREAT");
    let [doctor, pacs] = message.participants.as_slice() else { panic!("{:?}", message.participants) };
    assert_eq!((doctor.id.as_str(), doctor.name.as_deref()), ("dr-martin", Some("Anne Martin")));
    assert_eq!(doctor.network.as_ref().unwrap().address, "192.0.2.9");
    assert!(doctor.requestor && pacs.requestor, "who does not say asked (RFC 3881)");
    assert_eq!((pacs.alternative_id.as_deref(), pacs.roles[0].code.as_str()), (Some("42"), "110153"));
    assert_eq!((message.source.id.as_str(), message.source.types[0].code.as_str()), ("pacs", "4"));
    let [study, patient] = message.objects.as_slice() else { panic!("{:?}", message.objects) };
    assert_eq!(study.content, Some(Content::Query("PHE+PC9hPg==".to_owned())));
    assert_eq!((study.life_cycle.as_deref(), study.sensitivity.as_deref()), (Some("1"), Some("R")));
    assert_eq!(patient.content, Some(Content::Name("MARTIN^Paul".to_owned())));
    assert_eq!(message.patients().collect::<Vec<_>>(), ["123^^^&1.2.250.1.213.1.4.10&ISO"]);
}

#[test]
fn a_time_without_a_zone_is_utc() {
    let text = FOREIGN.replace("2026-11-24T11:12:13.5+01:00", "2026-11-24T11:12:13");
    assert_eq!(parse(&text, LIMIT).unwrap().at.to_rfc3339(), "2026-11-24T11:12:13+00:00");
}

#[test]
fn what_is_wrong_is_named_by_its_place_and_not_quoted() {
    let reason = |from: &str, to: &str| {
        assert!(FOREIGN.contains(from), "{from}");
        parse(&FOREIGN.replace(from, to), LIMIT).unwrap_err().to_string()
    };
    assert_eq!(
        reason("<AuditMessage>", r#"<AuditMessage xmlns="urn:x">"#),
        "the root element is not AuditMessage (without a namespace)"
    );
    assert_eq!(
        reason(r#"EventDateTime="2026-11-24T11:12:13.5+01:00""#, ""),
        "line 3: EventIdentification has no EventDateTime"
    );
    assert_eq!(
        reason("2026-11-24T11:12:13.5+01:00", "SECRET"),
        "line 3: EventDateTime of EventIdentification is not a date and time (2026-03-31T08:00:00Z)"
    );
    assert_eq!(
        reason(r#"Indicator="12""#, r#"Indicator="SECRET""#),
        "line 3: EventOutcomeIndicator of EventIdentification is not 0, 4, 8 or 12"
    );
    assert_eq!(
        reason(r#"ActionCode="R""#, r#"ActionCode="SECRET""#),
        "line 3: EventActionCode of EventIdentification is not C, R, U, D or E"
    );
    assert_eq!(reason(r#"code="110103""#, ""), "line 4: EventID has no csd-code");
    assert_eq!(reason(r#"UserID="pacs""#, ""), "line 8: ActiveParticipant has no UserID");
    assert_eq!(
        reason(r#"Requestor="1""#, r#"Requestor="SECRET""#),
        "line 7: UserIsRequestor of ActiveParticipant is not true or false"
    );
    assert_eq!(
        reason(r#"PointTypeCode="2""#, r#"PointTypeCode="6""#),
        "line 7: NetworkAccessPointTypeCode of ActiveParticipant is not a number from 1 to 5"
    );
    assert_eq!(
        reason(r#"AuditSourceID="pacs""#, ""),
        "line 12: AuditSourceIdentification has no AuditSourceID"
    );
    assert_eq!(
        reason(r#"TypeCodeRole="3""#, r#"TypeCodeRole="27""#),
        "line 15: ParticipantObjectTypeCodeRole of ParticipantObjectIdentification is not a number from 1 to 26"
    );
    assert_eq!(reason("PHE+", "SECRET!"), "line 18: the text of ParticipantObjectQuery is not base64");
}

#[test]
fn a_message_needs_an_event_somebody_and_a_source() {
    let cut = |name: &str| {
        let mut text = FOREIGN.to_owned();
        while let Some(start) = text.find(&format!("<{name} ")) {
            let end = start + text[start..].find('>').unwrap() + 1;
            let whole = match text[..end].ends_with("/>") {
                true => end,
                false => end + text[end..].find(&format!("</{name}>")).unwrap() + name.len() + 3,
            };
            text.replace_range(start..whole, "");
        }
        parse(&text, LIMIT).unwrap_err().to_string()
    };
    assert_eq!(cut("EventIdentification"), "line 2: AuditMessage has no EventIdentification");
    assert_eq!(cut("ActiveParticipant"), "line 2: AuditMessage has no ActiveParticipant");
    assert_eq!(cut("AuditSourceIdentification"), "line 2: AuditMessage has no AuditSourceIdentification");
}

#[test]
fn a_dtd_is_refused_and_so_is_what_is_too_large_or_too_deep() {
    let dtd = FOREIGN.replacen("<AuditMessage>", "<!DOCTYPE a [<!ENTITY x \"y\">]><AuditMessage>", 1);
    assert_eq!(parse(&dtd, LIMIT).unwrap_err(), Error::Xml(xml::Error::Dtd));
    let large = parse(FOREIGN, 100).unwrap_err();
    assert!(matches!(large, Error::Xml(xml::Error::TooLarge { limit: 100, .. })), "{large}");
    let mut deep = String::from("<AuditMessage>");
    (0..50).for_each(|_| write!(deep, "<a>").unwrap());
    assert!(matches!(parse(&deep, LIMIT), Err(Error::Xml(_))));
}

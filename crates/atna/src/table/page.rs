use super::{Act, Kind, Row};
use crate::fhir::balp::Pattern;

/// The table for readers: `docs/audit.md`.
pub fn document() -> String {
    let mut text = String::from(
        "<!-- Made from crates/atna/src/table/: UPDATE_DOCS=1 cargo test -p atna --test page -->\n\n\
         # What is traced\n\n\
         Every transaction and every administrative act leaves an event: one for each patient that it touches and for each outcome. Outcomes are 0\n\
         (success), 4 (refused, or failed for a reason in the request) and 8 (failed for a reason in the server). From the one event are made the DICOM\n\
         audit message (ITI-20), the FHIR AuditEvent (ITI-81) and the sentence that people read.\n\n\
         The roles are those of the one who asks and of Carnet: 110150 Application, 110151 Application Launcher, 110152 Destination, 110153 Source.\n\n\
         A FHIR AuditEvent has the EventID as its `type`, and all EventTypeCodes as `subtype`. A successful access with one object is also given in the form of its\n\
         Basic Audit Log Pattern (BALP) when `_profile` asks for that profile: it has `rest` as its `type`, so it is another form. `Patient` is put before the\n\
         pattern's name where the event is about a patient (`IHE.BasicAudit.PatientRead`).\n",
    );
    for (kind, heading) in
        [(Kind::Access, "Access to records"), (Kind::Operation, "Operation, and use of the audit")]
    {
        text.push_str(&format!(
            "\n## {heading}\n\n\
             | transaction or act | actor | EventID | action | EventTypeCode | roles | pattern | sentence |\n\
             |---|---|---|---|---|---|---|---|\n"
        ));
        for row in Act::ALL.iter().map(|act| act.row()).filter(|row| row.kind == kind) {
            text.push_str(&line(row));
        }
    }
    text
}

fn line(row: &Row) -> String {
    let types: Vec<String> = row.types.iter().map(|code| format!("{} {}", code.code, code.text)).collect();
    let pattern = match row.kind {
        Kind::Access => Pattern::of(row).map(|pattern| format!("{pattern:?}")).unwrap_or_default(),
        _ => String::new(),
    };
    format!(
        "| {} | {} | {} {} | {} | {} | {} | {pattern} | … {} |\n",
        row.transaction,
        row.actor,
        row.event.code,
        row.event.text,
        row.action.letter(),
        types.join(", "),
        row.roles.map(|role| role.code).join(", "),
        row.said.en[0].replace("{}", "\"Title\""),
    )
}

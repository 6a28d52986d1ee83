//! What each act is called.

use super::*;

/// EventActionCode, EventID and EventTypeCode of every act.
const CODES: [(Act, &str, &str, &[&str]); 39] = [
    (
        Act::Iti41Repository,
        "C",
        "110107 DCM Import",
        &["ITI-41 IHE Transactions Provide and Register Document Set-b"],
    ),
    (Act::Iti42Registry, "C", "110107 DCM Import", &["ITI-42 IHE Transactions Register Document Set-b"]),
    (Act::Iti42Repository, "R", "110106 DCM Export", &["ITI-42 IHE Transactions Register Document Set-b"]),
    (Act::Iti57Registry, "U", "110107 DCM Import", &["ITI-57 IHE Transactions Update Document Set"]),
    (
        Act::Iti92Registry,
        "U",
        "110107 DCM Import",
        &["ITI-92 IHE Transactions Restricted Update Document Set"],
    ),
    (Act::Iti18Registry, "E", "110112 DCM Query", &["ITI-18 IHE Transactions Registry Stored Query"]),
    (Act::Iti51Registry, "E", "110112 DCM Query", &["ITI-51 IHE Transactions Multi-Patient Query"]),
    (Act::Iti43Repository, "R", "110106 DCM Export", &["ITI-43 IHE Transactions Retrieve Document Set"]),
    (
        Act::Iti61Registry,
        "C",
        "110107 DCM Import",
        &["ITI-61 IHE Transactions Register On-Demand Document Entry"],
    ),
    (Act::Iti62Registry, "D", "110110 DCM Patient Record", &["ITI-62 IHE Transactions Remove Metadata"]),
    (Act::Iti86Repository, "D", "110110 DCM Patient Record", &["ITI-86 IHE Transactions Remove Documents"]),
    (Act::PatientOpened, "C", "110110 DCM Patient Record", &["patient-open Carnet Ouverture du dossier"]),
    (Act::Iti8Added, "C", "110110 DCM Patient Record", &["ITI-8 IHE Transactions Patient Identity Feed"]),
    (Act::Iti8Revised, "U", "110110 DCM Patient Record", &["ITI-8 IHE Transactions Patient Identity Feed"]),
    (Act::Iti8Survived, "U", "110110 DCM Patient Record", &["ITI-8 IHE Transactions Patient Identity Feed"]),
    (Act::Iti8Subsumed, "D", "110110 DCM Patient Record", &["ITI-8 IHE Transactions Patient Identity Feed"]),
    (Act::Iti44Added, "C", "110110 DCM Patient Record", &["ITI-44 IHE Transactions Patient Identity Feed"]),
    (Act::Iti44Revised, "U", "110110 DCM Patient Record", &["ITI-44 IHE Transactions Patient Identity Feed"]),
    (
        Act::Iti44Survived,
        "U",
        "110110 DCM Patient Record",
        &["ITI-44 IHE Transactions Patient Identity Feed"],
    ),
    (
        Act::Iti44Subsumed,
        "D",
        "110110 DCM Patient Record",
        &["ITI-44 IHE Transactions Patient Identity Feed"],
    ),
    (Act::PatientSurvived, "U", "110110 DCM Patient Record", &["patient-merge Carnet Fusion de dossiers"]),
    (Act::PatientSubsumed, "D", "110110 DCM Patient Record", &["patient-merge Carnet Fusion de dossiers"]),
    (
        Act::AuditBlanked,
        "E",
        "110113 DCM Security Alert",
        &["110132 DCM Use of Restricted Function", "audit-blank Carnet Audit blanked"],
    ),
    (Act::ServerStarted, "E", "110100 DCM Application Activity", &["110120 DCM Application Start"]),
    (Act::ServerStopped, "E", "110100 DCM Application Activity", &["110121 DCM Application Stop"]),
    (
        Act::ConfigurationLoaded,
        "E",
        "110113 DCM Security Alert",
        &["110131 DCM Software Configuration", "configuration-load Carnet Configuration loaded"],
    ),
    (
        Act::CodesChanged,
        "E",
        "110113 DCM Security Alert",
        &["110131 DCM Software Configuration", "codes-change Carnet Code sets changed"],
    ),
    (
        Act::ClockUnsynchronised,
        "E",
        "110113 DCM Security Alert",
        &["clock-unsynchronised Carnet Clock not synchronised"],
    ),
    (
        Act::BackupMade,
        "E",
        "110113 DCM Security Alert",
        &["110132 DCM Use of Restricted Function", "backup-make Carnet Backup made"],
    ),
    (
        Act::BackupRestored,
        "E",
        "110113 DCM Security Alert",
        &["110132 DCM Use of Restricted Function", "backup-restore Carnet Backup restored"],
    ),
    (Act::NodeRefused, "E", "110113 DCM Security Alert", &["110126 DCM Node Authentication"]),
    (Act::RequestRefused, "E", "110113 DCM Security Alert", &["message-refused Carnet Message refused"]),
    (Act::AuthenticationFailed, "E", "110114 DCM User Authentication", &["110122 DCM Login"]),
    (Act::AuditRead, "R", "110101 DCM Audit Log Used", &["audit-read Carnet Audit read"]),
    (
        Act::Iti81AuditRepository,
        "R",
        "110101 DCM Audit Log Used",
        &["ITI-81 IHE Transactions Retrieve ATNA Audit Event"],
    ),
    (
        Act::Iti82AuditRepository,
        "R",
        "110101 DCM Audit Log Used",
        &["ITI-82 IHE Transactions Retrieve Syslog Event"],
    ),
    (Act::AuditExported, "R", "110101 DCM Audit Log Used", &["audit-export Carnet Audit exported"]),
    (Act::AuditVerified, "R", "110101 DCM Audit Log Used", &["audit-verify Carnet Audit verified"]),
    (
        Act::AuditExpired,
        "E",
        "110113 DCM Security Alert",
        &["110132 DCM Use of Restricted Function", "audit-expire Carnet Audit expired"],
    ),
];

#[test]
fn every_act_has_its_codes() {
    assert_eq!(CODES.map(|row| row.0), Act::ALL);
    for (act, action, id, kinds) in CODES {
        let mut expected = vec![format!("EventIdentification {action} 0"), format!("EventID {id}")];
        expected.extend(kinds.iter().map(|kind| format!("EventTypeCode {kind}")));
        let lines = lines(&event(act, Outcome::Success, &remote()));
        assert_eq!(lines[..expected.len()], expected, "{act:?}");
        assert!(!lines[expected.len()].starts_with("EventTypeCode"), "{act:?}");
    }
}

//! The coded values of the table.

/// A coded value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Code {
    pub code: &'static str,
    /// The code system as audit messages name it.
    pub system: &'static str,
    pub text: &'static str,
}

const fn code(code: &'static str, system: &'static str, text: &'static str) -> Code {
    Code { code, system, text }
}

/// The code system of what only Carnet does.
pub const CARNET: &str = "Carnet";

// EventID, DICOM PS3.16 CID 400.
pub const APPLICATION_ACTIVITY: Code = code("110100", "DCM", "Application Activity");
pub const AUDIT_LOG_USED: Code = code("110101", "DCM", "Audit Log Used");
pub const EXPORT: Code = code("110106", "DCM", "Export");
pub const IMPORT: Code = code("110107", "DCM", "Import");
pub const PATIENT_RECORD: Code = code("110110", "DCM", "Patient Record");
pub const QUERY: Code = code("110112", "DCM", "Query");
pub const SECURITY_ALERT: Code = code("110113", "DCM", "Security Alert");
pub const USER_AUTHENTICATION: Code = code("110114", "DCM", "User Authentication");

// EventTypeCode, DICOM PS3.16 CID 401.
pub const START: Code = code("110120", "DCM", "Application Start");
pub const STOP: Code = code("110121", "DCM", "Application Stop");
pub const LOGIN: Code = code("110122", "DCM", "Login");
pub const NODE_AUTHENTICATION: Code = code("110126", "DCM", "Node Authentication");
pub const SOFTWARE_CONFIGURATION: Code = code("110131", "DCM", "Software Configuration");
pub const RESTRICTED_FUNCTION: Code = code("110132", "DCM", "Use of Restricted Function");

// EventTypeCode, IHE transactions.
pub const ITI_8: Code = transaction("ITI-8", "Patient Identity Feed");
pub const ITI_18: Code = transaction("ITI-18", "Registry Stored Query");
pub const ITI_41: Code = transaction("ITI-41", "Provide and Register Document Set-b");
pub const ITI_42: Code = transaction("ITI-42", "Register Document Set-b");
pub const ITI_43: Code = transaction("ITI-43", "Retrieve Document Set");
pub const ITI_44: Code = transaction("ITI-44", "Patient Identity Feed");
pub const ITI_51: Code = transaction("ITI-51", "Multi-Patient Query");
pub const ITI_57: Code = transaction("ITI-57", "Update Document Set");
pub const ITI_61: Code = transaction("ITI-61", "Register On-Demand Document Entry");
pub const ITI_62: Code = transaction("ITI-62", "Remove Metadata");
pub const ITI_81: Code = transaction("ITI-81", "Retrieve ATNA Audit Event");
pub const ITI_82: Code = transaction("ITI-82", "Retrieve Syslog Event");
pub const ITI_86: Code = transaction("ITI-86", "Remove Documents");
pub const ITI_92: Code = transaction("ITI-92", "Restricted Update Document Set");

const fn transaction(number: &'static str, name: &'static str) -> Code {
    code(number, "IHE Transactions", name)
}

// EventTypeCode, our own.
pub const PATIENT_OPEN: Code = code("patient-open", CARNET, "Ouverture du dossier");
pub const PATIENT_MERGE: Code = code("patient-merge", CARNET, "Fusion de dossiers");
pub const AUDIT_READ: Code = code("audit-read", CARNET, "Audit read");
pub const AUDIT_EXPORT: Code = code("audit-export", CARNET, "Audit exported");
pub const AUDIT_VERIFY: Code = code("audit-verify", CARNET, "Audit verified");
pub const AUDIT_EXPIRE: Code = code("audit-expire", CARNET, "Audit expired");
pub const AUDIT_BLANK: Code = code("audit-blank", CARNET, "Audit blanked");
pub const CONFIGURATION_LOAD: Code = code("configuration-load", CARNET, "Configuration loaded");
pub const CODES_CHANGE: Code = code("codes-change", CARNET, "Code sets changed");
pub const MESSAGE_REFUSED: Code = code("message-refused", CARNET, "Message refused");
pub const BACKUP_MAKE: Code = code("backup-make", CARNET, "Backup made");
pub const BACKUP_RESTORE: Code = code("backup-restore", CARNET, "Backup restored");
pub const CLOCK: Code = code("clock-unsynchronised", CARNET, "Clock not synchronised");

// RoleIDCode, DICOM PS3.16 CID 402.
const APPLICATION: Code = code("110150", "DCM", "Application");
const LAUNCHER: Code = code("110151", "DCM", "Application Launcher");
const DESTINATION: Code = code("110152", "DCM", "Destination Role ID");
const SOURCE: Code = code("110153", "DCM", "Source Role ID");

/// The roles of the one who asks, and ours. What is asked comes to us.
pub const TO_US: [Code; 2] = [SOURCE, DESTINATION];
/// Octets leave us: the one who asked for them is where they go (ITI-43, unlike all others).
pub const FROM_US: [Code; 2] = [DESTINATION, SOURCE];
pub const LAUNCHED: [Code; 2] = [LAUNCHER, APPLICATION];

// ParticipantObjectIDTypeCode.
pub const PATIENT_NUMBER: Code = code("2", "RFC-3881", "Patient Number");
pub const REPORT_NUMBER: Code = code("9", "RFC-3881", "Report Number");
pub const URI: Code = code("12", "RFC-3881", "URI");
pub const NODE_ID: Code = code("110182", "DCM", "Node ID");
pub const SUBMISSION_SET: Code =
    metadata("urn:uuid:a54d6aa5-d40d-43f9-88c5-b4633d873bdd", "submission set classificationNode");

pub const fn metadata(urn: &'static str, text: &'static str) -> Code {
    code(urn, "IHE XDS Metadata", text)
}

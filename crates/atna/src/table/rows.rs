use serde::{Deserialize, Serialize};

use super::codes::*;
use super::{Action, Kind, Row};
use Action::{Create, Delete, Execute, Read, Update};

/// Makes the enumeration of the acts and their rows. The name of an act is what is stored: it never changes.
macro_rules! acts {
    ($($(#[$about:meta])* $act:ident = $row:expr;)+) => {
        /// What was done: one row of the event table.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
        #[serde(rename_all = "kebab-case")]
        pub enum Act {
            $($(#[$about])* $act,)+
        }

        impl Act {
            pub const ALL: &[Act] = &[$(Act::$act),+];

            pub fn row(self) -> &'static Row {
                match self {
                    $(Act::$act => const { &$row },)+
                }
            }
        }
    };
}

const REGISTRY: &str = "Document Registry";
const REPOSITORY: &str = "Document Repository";
const NODE: &str = "Secure Node";
const AUDIT: &str = "Audit Record Repository";

type Codes = &'static [Code];

const fn access(
    (transaction, actor): (&'static str, &'static str),
    event: Code,
    action: Action,
    types: Codes,
) -> Row {
    row(Kind::Access, transaction, actor, event, action, types)
}

const fn operation(
    (transaction, actor): (&'static str, &'static str),
    event: Code,
    action: Action,
    types: Codes,
) -> Row {
    row(Kind::Operation, transaction, actor, event, action, types)
}

const fn row(
    kind: Kind,
    transaction: &'static str,
    actor: &'static str,
    event: Code,
    action: Action,
    types: Codes,
) -> Row {
    Row { transaction, actor, kind, event, action, types, roles: TO_US, touches_log: false }
}

impl Row {
    const fn roles(self, roles: [Code; 2]) -> Row {
        Row { roles, ..self }
    }

    const fn of_the_log(self) -> Row {
        Row { touches_log: true, ..self }
    }
}

acts! {
    Iti41Repository = access(("ITI-41", REPOSITORY), IMPORT, Create, &[ITI_41]);
    Iti42Registry = access(("ITI-42", REGISTRY), IMPORT, Create, &[ITI_42]);
    /// As sent to a registry of another process, which is the destination.
    Iti42Repository = access(("ITI-42", REPOSITORY), EXPORT, Read, &[ITI_42]).roles(FROM_US);
    Iti57Registry = access(("ITI-57", REGISTRY), IMPORT, Update, &[ITI_57]);
    Iti92Registry = access(("ITI-92", "Update Responder"), IMPORT, Update, &[ITI_92]);
    Iti18Registry = access(("ITI-18", REGISTRY), QUERY, Execute, &[ITI_18]);
    Iti51Registry = access(("ITI-51", REGISTRY), QUERY, Execute, &[ITI_51]);
    Iti43Repository = access(("ITI-43", REPOSITORY), EXPORT, Read, &[ITI_43]).roles(FROM_US);
    Iti61Registry = access(("ITI-61", REGISTRY), IMPORT, Create, &[ITI_61]);
    Iti62Registry = access(("ITI-62", REGISTRY), PATIENT_RECORD, Delete, &[ITI_62]);
    Iti86Repository = access(("ITI-86", REPOSITORY), PATIENT_RECORD, Delete, &[ITI_86]);

    /// A record was opened at the command line.
    PatientOpened = access(("opening of a record", REGISTRY), PATIENT_RECORD, Create, &[PATIENT_OPEN]);
    /// A01, A04, A05.
    Iti8Added = access(("ITI-8 A01, A04, A05", REGISTRY), PATIENT_RECORD, Create, &[ITI_8]);
    /// A08.
    Iti8Revised = access(("ITI-8 A08", REGISTRY), PATIENT_RECORD, Update, &[ITI_8]);
    /// A40, the record that lives on.
    Iti8Survived = access(("ITI-8 A40, surviving record", REGISTRY), PATIENT_RECORD, Update, &[ITI_8]);
    /// A40, the record that is merged into the other.
    Iti8Subsumed = access(("ITI-8 A40, subsumed record", REGISTRY), PATIENT_RECORD, Delete, &[ITI_8]);
    /// PRPA_IN201301UV02.
    Iti44Added = access(("ITI-44 add", REGISTRY), PATIENT_RECORD, Create, &[ITI_44]);
    /// PRPA_IN201302UV02.
    Iti44Revised = access(("ITI-44 revise", REGISTRY), PATIENT_RECORD, Update, &[ITI_44]);
    /// PRPA_IN201304UV02, the record that lives on.
    Iti44Survived = access(("ITI-44 merge, surviving record", REGISTRY), PATIENT_RECORD, Update, &[ITI_44]);
    /// PRPA_IN201304UV02, the record that is merged into the other.
    Iti44Subsumed = access(("ITI-44 merge, subsumed record", REGISTRY), PATIENT_RECORD, Delete, &[ITI_44]);
    /// A merge at the command line, the record that lives on.
    PatientSurvived = access(("merge, surviving record", REGISTRY), PATIENT_RECORD, Update, &[PATIENT_MERGE]);
    /// A merge at the command line, the record that is merged into the other.
    PatientSubsumed = access(("merge, subsumed record", REGISTRY), PATIENT_RECORD, Delete, &[PATIENT_MERGE]);
    /// Events about a patient lost their content, because the time of the record is over.
    AuditBlanked =
        access(("blanking of the audit", AUDIT), SECURITY_ALERT, Execute, &[RESTRICTED_FUNCTION, AUDIT_BLANK])
            .of_the_log();

    ServerStarted =
        operation(("start", NODE), APPLICATION_ACTIVITY, Execute, &[START]).roles(LAUNCHED);
    ServerStopped =
        operation(("stop", NODE), APPLICATION_ACTIVITY, Execute, &[STOP]).roles(LAUNCHED);
    ConfigurationLoaded = operation(
        ("configuration", NODE), SECURITY_ALERT, Execute, &[SOFTWARE_CONFIGURATION, CONFIGURATION_LOAD],
    );
    CodesChanged =
        operation(("code sets", NODE), SECURITY_ALERT, Execute, &[SOFTWARE_CONFIGURATION, CODES_CHANGE]);
    /// Times of events cannot be relied on.
    ClockUnsynchronised = operation(("clock", NODE), SECURITY_ALERT, Execute, &[CLOCK]);
    /// A peer that may not send to us.
    NodeRefused =
        operation(("refused connection", NODE), SECURITY_ALERT, Execute, &[NODE_AUTHENTICATION]);
    /// A person or a program that could not prove who it is.
    AuthenticationFailed =
        operation(("failed authentication", NODE), USER_AUTHENTICATION, Execute, &[LOGIN]);

    AuditRead =
        operation(("reading of the audit", AUDIT), AUDIT_LOG_USED, Read, &[AUDIT_READ]).roles(FROM_US).of_the_log();
    Iti81AuditRepository =
        operation(("ITI-81", AUDIT), AUDIT_LOG_USED, Read, &[ITI_81]).roles(FROM_US).of_the_log();
    Iti82AuditRepository =
        operation(("ITI-82", AUDIT), AUDIT_LOG_USED, Read, &[ITI_82]).roles(FROM_US).of_the_log();
    AuditExported =
        operation(("export of the audit", AUDIT), AUDIT_LOG_USED, Read, &[AUDIT_EXPORT]).roles(FROM_US).of_the_log();
    AuditVerified =
        operation(("verification of the audit", AUDIT), AUDIT_LOG_USED, Read, &[AUDIT_VERIFY])
            .roles(FROM_US)
            .of_the_log();
    /// Months of events that were kept long enough are gone.
    AuditExpired =
        operation(("expiry of the audit", AUDIT), SECURITY_ALERT, Execute, &[RESTRICTED_FUNCTION, AUDIT_EXPIRE])
            .of_the_log();
}

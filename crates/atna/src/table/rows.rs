use serde::{Deserialize, Serialize};

use super::codes::*;
use super::{Action, Kind, Row, Said};
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

/// What happened, and what was tried, in French and in English. `{}` is what was touched.
const fn said(fr: [&'static str; 2], en: [&'static str; 2]) -> Said {
    Said { fr, en }
}

type Where = (&'static str, &'static str);

const fn access(place: Where, event: Code, action: Action, types: Codes, said: Said) -> Row {
    row(Kind::Access, place, event, action, types, said)
}

const fn operation(place: Where, event: Code, action: Action, types: Codes, said: Said) -> Row {
    row(Kind::Operation, place, event, action, types, said)
}

const fn row(kind: Kind, place: Where, event: Code, action: Action, types: Codes, said: Said) -> Row {
    let (transaction, actor) = place;
    Row { transaction, actor, kind, event, action, types, roles: TO_US, touches_log: false, said }
}

impl Row {
    const fn roles(self, roles: [Code; 2]) -> Row {
        Row { roles, ..self }
    }

    const fn of_the_log(self) -> Row {
        Row { touches_log: true, ..self }
    }
}

const ANNOUNCED: Said =
    said(["a annoncé le patient", "annoncer le patient"], ["announced the patient", "announce the patient"]);
const REVISED: Said = said(
    ["a corrigé l'identité du patient", "corriger l'identité du patient"],
    ["revised the patient's identity", "revise the patient's identity"],
);
const SURVIVED: Said = said(
    ["a fusionné un autre dossier dans celui-ci", "fusionner un autre dossier dans celui-ci"],
    ["merged another record into this one", "merge another record into this one"],
);
const SUBSUMED: Said = said(
    ["a fusionné ce dossier dans un autre", "fusionner ce dossier dans un autre"],
    ["merged this record into another", "merge this record into another"],
);
const SEARCHED_TRACES: Said = said(
    ["a cherché dans les traces", "chercher dans les traces"],
    ["searched the traces", "search the traces"],
);

acts! {
    Iti41Repository = access(("ITI-41", REPOSITORY), IMPORT, Create, &[ITI_41], said(["a déposé {}", "déposer {}"], ["filed {}", "file {}"]));
    Iti42Registry = access(("ITI-42", REGISTRY), IMPORT, Create, &[ITI_42], said(["a enregistré {}", "enregistrer {}"], ["registered {}", "register {}"]));
    /// As sent to a registry of another process, which is the destination.
    Iti42Repository = access(("ITI-42", REPOSITORY), EXPORT, Read, &[ITI_42], said(["a transmis {} au registre", "transmettre {} au registre"], ["sent {} to the registry", "send {} to the registry"])).roles(FROM_US);
    Iti57Registry = access(("ITI-57", REGISTRY), IMPORT, Update, &[ITI_57], said(["a modifié la description de {}", "modifier la description de {}"], ["updated the description of {}", "update the description of {}"]));
    Iti92Registry = access(("ITI-92", "Update Responder"), IMPORT, Update, &[ITI_92], said(["a modifié en partie la description de {}", "modifier en partie la description de {}"], ["updated part of the description of {}", "update part of the description of {}"]));
    Iti18Registry = access(("ITI-18", REGISTRY), QUERY, Execute, &[ITI_18], said(["a cherché dans le dossier", "chercher dans le dossier"], ["searched the record", "search the record"]));
    Iti51Registry = access(("ITI-51", REGISTRY), QUERY, Execute, &[ITI_51], said(["a cherché dans plusieurs dossiers", "chercher dans plusieurs dossiers"], ["searched several records", "search several records"]));
    Iti43Repository = access(("ITI-43", REPOSITORY), EXPORT, Read, &[ITI_43], said(["a lu {}", "lire {}"], ["read {}", "read {}"])).roles(FROM_US);
    Iti61Registry = access(("ITI-61", REGISTRY), IMPORT, Create, &[ITI_61], said(["a annoncé {}, à produire sur demande", "annoncer {}, à produire sur demande"], ["announced {}, to be made on demand", "announce {}, to be made on demand"]));
    Iti62Registry = access(("ITI-62", REGISTRY), PATIENT_RECORD, Delete, &[ITI_62], said(["a retiré {} du dossier", "retirer {} du dossier"], ["removed {} from the record", "remove {} from the record"]));
    Iti86Repository = access(("ITI-86", REPOSITORY), PATIENT_RECORD, Delete, &[ITI_86], said(["a supprimé {}", "supprimer {}"], ["deleted {}", "delete {}"]));

    /// A record was opened at the command line.
    PatientOpened = access(("opening of a record", REGISTRY), PATIENT_RECORD, Create, &[PATIENT_OPEN], said(["a ouvert le dossier", "ouvrir le dossier"], ["opened the record", "open the record"]));
    Iti8Added = access(("ITI-8 A01, A04, A05", REGISTRY), PATIENT_RECORD, Create, &[ITI_8], ANNOUNCED);
    Iti8Revised = access(("ITI-8 A08", REGISTRY), PATIENT_RECORD, Update, &[ITI_8], REVISED);
    Iti8Survived = access(("ITI-8 A40, surviving record", REGISTRY), PATIENT_RECORD, Update, &[ITI_8], SURVIVED);
    Iti8Subsumed = access(("ITI-8 A40, subsumed record", REGISTRY), PATIENT_RECORD, Delete, &[ITI_8], SUBSUMED);
    /// PRPA_IN201301UV02.
    Iti44Added = access(("ITI-44 add", REGISTRY), PATIENT_RECORD, Create, &[ITI_44], ANNOUNCED);
    /// PRPA_IN201302UV02.
    Iti44Revised = access(("ITI-44 revise", REGISTRY), PATIENT_RECORD, Update, &[ITI_44], REVISED);
    /// PRPA_IN201304UV02.
    Iti44Survived = access(("ITI-44 merge, surviving record", REGISTRY), PATIENT_RECORD, Update, &[ITI_44], SURVIVED);
    /// PRPA_IN201304UV02.
    Iti44Subsumed = access(("ITI-44 merge, subsumed record", REGISTRY), PATIENT_RECORD, Delete, &[ITI_44], SUBSUMED);
    /// A merge at the command line.
    PatientSurvived = access(("merge, surviving record", REGISTRY), PATIENT_RECORD, Update, &[PATIENT_MERGE], SURVIVED);
    /// A merge at the command line.
    PatientSubsumed = access(("merge, subsumed record", REGISTRY), PATIENT_RECORD, Delete, &[PATIENT_MERGE], SUBSUMED);
    /// Events about a patient lost their content, because the time of the record is over.
    AuditBlanked = access(("blanking of the audit", AUDIT), SECURITY_ALERT, Execute, &[RESTRICTED_FUNCTION, AUDIT_BLANK], said(["a effacé le contenu des traces du dossier", "effacer le contenu des traces du dossier"], ["blanked the traces of the record", "blank the traces of the record"])).of_the_log();

    ServerStarted = operation(("start", NODE), APPLICATION_ACTIVITY, Execute, &[START], said(["a démarré le serveur", "démarrer le serveur"], ["started the server", "start the server"])).roles(LAUNCHED);
    ServerStopped = operation(("stop", NODE), APPLICATION_ACTIVITY, Execute, &[STOP], said(["a arrêté le serveur", "arrêter le serveur"], ["stopped the server", "stop the server"])).roles(LAUNCHED);
    ConfigurationLoaded = operation(("configuration", NODE), SECURITY_ALERT, Execute, &[SOFTWARE_CONFIGURATION, CONFIGURATION_LOAD], said(["a chargé la configuration", "charger la configuration"], ["loaded the configuration", "load the configuration"]));
    CodesChanged = operation(("code sets", NODE), SECURITY_ALERT, Execute, &[SOFTWARE_CONFIGURATION, CODES_CHANGE], said(["a changé les jeux de codes", "changer les jeux de codes"], ["changed the code sets", "change the code sets"]));
    /// Times of events cannot be relied on.
    ClockUnsynchronised = operation(("clock", NODE), SECURITY_ALERT, Execute, &[CLOCK], said(["a trouvé l'horloge non synchronisée", "s'appuyer sur une horloge synchronisée"], ["found the clock unsynchronised", "rely on a synchronised clock"]));
    /// Everything that is stored was copied into the folder of a backup.
    BackupMade = operation(("backup", NODE), SECURITY_ALERT, Execute, &[RESTRICTED_FUNCTION, BACKUP_MAKE], said(["a sauvegardé les dossiers", "sauvegarder les dossiers"], ["made a backup of the records", "make a backup of the records"]));
    /// What is stored is that of a backup; the log of traces goes on from there.
    BackupRestored = operation(("restore", NODE), SECURITY_ALERT, Execute, &[RESTRICTED_FUNCTION, BACKUP_RESTORE], said(["a restauré les dossiers d'une sauvegarde", "restaurer les dossiers d'une sauvegarde"], ["restored the records from a backup", "restore the records from a backup"]));
    /// A peer that may not send to us.
    NodeRefused = operation(("refused connection", NODE), SECURITY_ALERT, Execute, &[NODE_AUTHENTICATION], said(["a été refusé comme nœud", "se connecter"], ["was refused as a node", "connect"]));
    /// A message that was refused before it was known what it asks of which record: unreadable, too large, unknown.
    RequestRefused = operation(("refused message", NODE), SECURITY_ALERT, Execute, &[MESSAGE_REFUSED], said(["a envoyé un message qui a été refusé", "envoyer un message"], ["sent a message that was refused", "send a message"]));
    /// A person or a program that could not prove who it is.
    AuthenticationFailed = operation(("failed authentication", NODE), USER_AUTHENTICATION, Execute, &[LOGIN], said(["n'a pas prouvé son identité", "prouver son identité"], ["did not prove its identity", "prove its identity"]));

    AuditRead = operation(("reading of the audit", AUDIT), AUDIT_LOG_USED, Read, &[AUDIT_READ], said(["a lu les traces", "lire les traces"], ["read the traces", "read the traces"])).roles(FROM_US).of_the_log();
    Iti81AuditRepository = operation(("ITI-81", AUDIT), AUDIT_LOG_USED, Read, &[ITI_81], SEARCHED_TRACES).roles(FROM_US).of_the_log();
    Iti82AuditRepository = operation(("ITI-82", AUDIT), AUDIT_LOG_USED, Read, &[ITI_82], SEARCHED_TRACES).roles(FROM_US).of_the_log();
    AuditExported = operation(("export of the audit", AUDIT), AUDIT_LOG_USED, Read, &[AUDIT_EXPORT], said(["a exporté les traces", "exporter les traces"], ["exported the traces", "export the traces"])).roles(FROM_US).of_the_log();
    AuditVerified = operation(("verification of the audit", AUDIT), AUDIT_LOG_USED, Read, &[AUDIT_VERIFY], said(["a vérifié les traces", "vérifier les traces"], ["verified the traces", "verify the traces"])).roles(FROM_US).of_the_log();
    /// Months of events that were kept long enough are gone.
    AuditExpired = operation(("expiry of the audit", AUDIT), SECURITY_ALERT, Execute, &[RESTRICTED_FUNCTION, AUDIT_EXPIRE], said(["a supprimé les traces arrivées à échéance", "supprimer les traces arrivées à échéance"], ["removed traces whose time is over", "remove traces whose time is over"])).of_the_log();
}

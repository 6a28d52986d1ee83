use cda::facts::HeaderFacts;
use deadpool_postgres::GenericClient;
use tokio_postgres::Error;
use uuid::Uuid;
use xds::fragment::Fragment;
use xds::metadata::{Association, AvailabilityStatus, DocumentEntry, Folder, SubmissionSet};
use xds::value::Cx;

use super::columns::{AssociationColumns, DocumentColumns, FolderColumns, SubmissionSetColumns};
use super::{execute, find_record, rows};
use crate::patients::{Record, State};

/// Two transactions that open the same record run one after the other.
const LOCK_PATIENT: &str = "select pg_advisory_xact_lock(hashtextextended($2 || '^^^' || $1, 1))";

const OPEN_RECORD: &str = "
    with opened as (insert into record default values returning record)
    insert into patient_identifier (authority, value, record) select $1, $2, record from opened
    returning record";

/// Which version of a logical object is added.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Version {
    pub logical_id: Uuid,
    pub number: i32,
    pub status: AvailabilityStatus,
}

impl Version {
    /// What ITI-42 registers: approved, its own logical object.
    pub fn first(entry_uuid: Uuid) -> Version {
        Version { logical_id: entry_uuid, number: 1, status: AvailabilityStatus::Approved }
    }
}

/// Before the row of an object whose columns begin with record and entryUUID: the keys that are unique in the registry.
macro_rules! with_keys {
    ($kind:literal) => {
        concat!(
            "with object as (insert into object (entry_uuid, record, kind) values ($2, $1, '",
            $kind,
            "'))"
        )
    };
    ($kind:literal, $unique_id:literal) => {
        concat!(
            with_keys!($kind),
            ", identified as (insert into unique_id (value, kind, entry_uuid, record) values (",
            $unique_id,
            ", '",
            $kind,
            "', $2, $1))"
        )
    };
}

const ADD_SUBMISSION_SET: &str = concat!(
    with_keys!("SubmissionSet", "$3"),
    "
    insert into submission_set (record, entry_uuid, unique_id, source_id, patient_id, submission_time,
        content_type_code, author_persons, intended_recipients, status, fragment)
    values ($1, $2, $3, $4, $5, $6, $7, $8, $9, 'Approved', $10)"
);

const ADD_DOCUMENT_ENTRY: &str = concat!(
    with_keys!("DocumentEntry", "$5"),
    "
    insert into document_entry (record, entry_uuid, submission_set, document_type, unique_id,
        repository_unique_id, patient_id, hash, size, mime_type, class_code, type_code, format_code,
        practice_setting_code, healthcare_facility_type_code, event_codes, confidentiality_codes, author_persons,
        reference_ids, creation_time, service_start_time, service_stop_time, fragment, availability, logical_id,
        version, status)
    values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19,
        $20, $21, $22, $23, $24, $25, $26, $27)"
);

const ADD_FOLDER: &str = concat!(
    with_keys!("Folder", "$4"),
    "
    insert into folder (record, entry_uuid, submission_set, unique_id, patient_id, codes, last_update_time, fragment,
        logical_id, version, status)
    values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)"
);

const ADD_ASSOCIATION: &str = concat!(
    with_keys!("Association"),
    "
    insert into association (record, entry_uuid, submission_set, association_type, source, target, status,
        submission_set_status, fragment)
    values ($1, $2, $3, $4, $5, $6, 'Approved', $7, $8)"
);

const ADD_HEADER_FACTS: &str = "
    insert into header_fact (record, entry_uuid, set_id, version_number, ins, ins_authority, birth_name,
        birth_given, used_name, used_given, gender, birth_date, birth_place)
    values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)";

const DEPRECATE: &str = "
    update document_entry set status = 'Deprecated'
    where record = $1 and entry_uuid = $2 and status = 'Approved'";

const TOUCH_FOLDER: &str = "update folder set last_update_time = $3 where record = $1 and entry_uuid = $2";

/// Opens a record, unless another transaction has done so meanwhile.
pub async fn open_record<C: GenericClient>(client: &C, patient: &Cx) -> Result<Option<Record>, Error> {
    rows(client, LOCK_PATIENT, &[&patient.authority, &patient.id]).await?;
    if let Some(record) = find_record(client, patient).await? {
        return Ok(Some(record));
    }
    let opened = rows(client, OPEN_RECORD, &[&patient.authority, &patient.id]).await?;
    opened.first().map(|row| Ok(Record { number: row.try_get(0)?, state: State::Open })).transpose()
}

pub async fn add_submission_set<C: GenericClient>(
    client: &C,
    record: i64,
    set: &SubmissionSet,
    fragment: &Fragment,
) -> Result<(), Error> {
    let columns = SubmissionSetColumns::of(set);
    execute(
        client,
        ADD_SUBMISSION_SET,
        &[
            &record,
            &columns.entry_uuid,
            &columns.unique_id,
            &columns.source_id,
            &set.patient_id.text,
            &columns.submission_time,
            &columns.content_type_code,
            &columns.author_persons,
            &columns.intended_recipients,
            &fragment.to_stored(),
        ],
    )
    .await
    .map(|_| ())
}

pub async fn add_document_entry<C: GenericClient>(
    client: &C,
    record: i64,
    submission_set: Uuid,
    entry: &DocumentEntry,
    version: &Version,
    fragment: &Fragment,
) -> Result<(), Error> {
    let columns = DocumentColumns::of(entry);
    execute(
        client,
        ADD_DOCUMENT_ENTRY,
        &[
            &record,
            &columns.entry_uuid,
            &submission_set,
            &columns.document_type,
            &columns.unique_id,
            &columns.repository_unique_id,
            &entry.patient_id.text,
            &columns.hash,
            &columns.size,
            &columns.mime_type,
            &columns.class_code,
            &columns.type_code,
            &columns.format_code,
            &columns.practice_setting_code,
            &columns.healthcare_facility_type_code,
            &columns.event_codes,
            &columns.confidentiality_codes,
            &columns.author_persons,
            &columns.reference_ids,
            &columns.creation_time,
            &columns.service_start_time,
            &columns.service_stop_time,
            &fragment.to_stored(),
            &columns.availability,
            &version.logical_id,
            &version.number,
            &version.status.name(),
        ],
    )
    .await
    .map(|_| ())
}

pub async fn add_folder<C: GenericClient>(
    client: &C,
    record: i64,
    submission_set: Uuid,
    folder: &Folder,
    version: &Version,
    last_update_time: &str,
    fragment: &Fragment,
) -> Result<(), Error> {
    let columns = FolderColumns::of(folder);
    execute(
        client,
        ADD_FOLDER,
        &[
            &record,
            &columns.entry_uuid,
            &submission_set,
            &columns.unique_id,
            &folder.patient_id.text,
            &columns.codes,
            &last_update_time,
            &fragment.to_stored(),
            &version.logical_id,
            &version.number,
            &version.status.name(),
        ],
    )
    .await
    .map(|_| ())
}

pub async fn add_association<C: GenericClient>(
    client: &C,
    record: i64,
    submission_set: Uuid,
    association: &Association,
    fragment: &Fragment,
) -> Result<(), Error> {
    let columns = AssociationColumns::of(association);
    execute(
        client,
        ADD_ASSOCIATION,
        &[
            &record,
            &columns.entry_uuid,
            &submission_set,
            &columns.association_type,
            &columns.source,
            &columns.target,
            &columns.submission_set_status,
            &fragment.to_stored(),
        ],
    )
    .await
    .map(|_| ())
}

pub async fn add_header_facts<C: GenericClient>(
    client: &C,
    record: i64,
    entry_uuid: Uuid,
    facts: &HeaderFacts,
) -> Result<(), Error> {
    execute(
        client,
        ADD_HEADER_FACTS,
        &[
            &record,
            &entry_uuid,
            &facts.set_id,
            &facts.version_number.and_then(|number| i32::try_from(number).ok()),
            &facts.ins,
            &facts.ins_authority,
            &facts.birth_name,
            &facts.birth_given,
            &facts.used_name,
            &facts.used_given,
            &facts.gender,
            &facts.birth_date,
            &facts.birth_place,
        ],
    )
    .await
    .map(|_| ())
}

/// True when the entry was Approved and is Deprecated now.
pub async fn deprecate<C: GenericClient>(client: &C, record: i64, entry: Uuid) -> Result<bool, Error> {
    execute(client, DEPRECATE, &[&record, &entry]).await.map(|changed| changed > 0)
}

pub async fn touch_folder<C: GenericClient>(
    client: &C,
    record: i64,
    folder: Uuid,
    time: &str,
) -> Result<(), Error> {
    execute(client, TOUCH_FOLDER, &[&record, &folder, &time]).await.map(|_| ())
}

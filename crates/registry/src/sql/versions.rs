//! Objects with their versions, as metadata updates see and change them.

use deadpool_postgres::GenericClient;
use tokio_postgres::{Error, Row};
use uuid::Uuid;
use xds::fragment::Fragment;
use xds::metadata::{AssociationType, AvailabilityStatus};

use super::{StoredFragment, execute, rows};

/// The logical objects that the ids lead to, and the folders that the documents among them are in.
const LOGICAL_IDS: &str = "
    select document_entry.logical_id from object join document_entry using (record, entry_uuid)
    where object.entry_uuid = any($1)
    union
    select folder.logical_id from object join folder using (record, entry_uuid)
    where object.entry_uuid = any($1)
    union
    select logical_id from document_entry where logical_id = any($1)
    union
    select logical_id from folder where logical_id = any($1)
    union
    select folder.logical_id from document_entry
        join association on association.target = document_entry.entry_uuid and association.status = 'Approved'
        join folder on folder.record = association.record and folder.entry_uuid = association.source
    where document_entry.logical_id = any($1)";

/// Documents, then folders, then associations, each in the order of their ids: as every transaction that locks them.
const LOCK_DOCUMENT_VERSIONS: &str =
    "select from document_entry where logical_id = any($1) order by entry_uuid for update";
const LOCK_FOLDER_VERSIONS: &str =
    "select from folder where logical_id = any($1) order by entry_uuid for update";
const LOCK_ASSOCIATIONS: &str = "
    select from object join association using (record, entry_uuid)
    where object.entry_uuid = any($1) order by object.entry_uuid for update of association";

const NEWEST: &str = "
    (select distinct on (logical_id) logical_id, version, entry_uuid
    from document_entry where logical_id = any($1) order by logical_id, version desc)
    union all
    (select distinct on (logical_id) logical_id, version, entry_uuid
    from folder where logical_id = any($1) order by logical_id, version desc)";

const STORED: &str = "
    select object.entry_uuid, object.record, object.kind,
        coalesce(d.status, f.status, s.status, a.status), coalesce(d.patient_id, f.patient_id, s.patient_id),
        coalesce(d.logical_id, f.logical_id), coalesce(d.version, f.version), coalesce(d.unique_id, f.unique_id),
        d.document_type, a.association_type, a.source, a.target
    from object
        left join document_entry as d using (record, entry_uuid)
        left join folder as f using (record, entry_uuid)
        left join submission_set as s using (record, entry_uuid)
        left join association as a using (record, entry_uuid)
    where object.entry_uuid = any($1)";

const LINKS: &str = "
    select association_type, source, target, fragment from association
    where (source = any($1) or target = any($1)) and status = 'Approved'
    order by registered_at, entry_uuid";

const DOCUMENT_FRAGMENT: &str = "
    select fragment, availability from document_entry where record = $1 and entry_uuid = $2";

const COPY_HEADER_FACTS: &str = "
    insert into header_fact (record, entry_uuid, set_id, version_number, ins, ins_authority, birth_name,
        birth_given, used_name, used_given, gender, birth_date, birth_place)
    select $3, $4, set_id, version_number, ins, ins_authority, birth_name,
        birth_given, used_name, used_given, gender, birth_date, birth_place
    from header_fact where record = $1 and entry_uuid = $2";

const SET_DOCUMENT_STATUS: &str =
    "update document_entry set status = $3 where record = $1 and entry_uuid = $2";
const SET_FOLDER_STATUS: &str = "update folder set status = $3 where record = $1 and entry_uuid = $2";
const SET_ASSOCIATION_STATUS: &str =
    "update association set status = $3 where record = $1 and entry_uuid = $2";

/// Approved associations that touch one of the objects, or are one of them, and join approved objects of two patients. A
/// SubmissionSet may refer to another patient's document.
const UNRECONCILED: &str = "
    with recursive touched as (
        select association.* from association where source = any($1) or target = any($1)
        union
        select association.* from object join association using (record, entry_uuid) where object.entry_uuid = any($1)
    ), pair as (
        select touched.source, touched.target, source.record as one, target.record as other
        from touched
            join object as source on source.entry_uuid = touched.source
            join object as target on target.entry_uuid = touched.target
        where touched.status = 'Approved'
            and touched.submission_set_status is distinct from 'Reference'
            and source.record <> target.record
    ), survivor as (
        select record as of, record as at from (select one as record from pair union select other from pair) as every
        union
        select survivor.of, record.survivor from survivor join record on record.record = survivor.at
        where record.survivor is not null
    ), patient as (
        select of, at from survivor join record on record.record = survivor.at where record.survivor is null
    ), approved as (
        select entry_uuid from document_entry
        where (record, entry_uuid) in (select one, source from pair union select other, target from pair)
            and status = 'Approved'
        union all
        select entry_uuid from folder
        where (record, entry_uuid) in (select one, source from pair union select other, target from pair)
            and status = 'Approved'
        union all
        select entry_uuid from submission_set
        where (record, entry_uuid) in (select one, source from pair union select other, target from pair)
            and status = 'Approved'
    )
    select distinct pair.source, pair.target from pair
        join patient as one on one.of = pair.one
        join patient as other on other.of = pair.other
    where one.at <> other.at
        and pair.source in (select entry_uuid from approved) and pair.target in (select entry_uuid from approved)
    order by pair.source, pair.target";

/// An object of the registry.
#[derive(Debug, Clone, PartialEq)]
pub struct Stored {
    pub entry_uuid: Uuid,
    pub record: i64,
    pub status: AvailabilityStatus,
    pub detail: Detail,
}

#[derive(Debug, Clone, PartialEq)]
pub enum Detail {
    DocumentEntry { version: Instance, on_demand: bool },
    Folder { version: Instance },
    SubmissionSet { patient_id: String },
    Association { association_type: Option<AssociationType>, source: Uuid, target: Uuid },
}

/// One version of a logical object.
#[derive(Debug, Clone, PartialEq)]
pub struct Instance {
    pub logical_id: Uuid,
    pub number: i32,
    pub unique_id: String,
    /// CX.
    pub patient_id: String,
}

impl Stored {
    pub fn version(&self) -> Option<&Instance> {
        match &self.detail {
            Detail::DocumentEntry { version, .. } | Detail::Folder { version } => Some(version),
            Detail::SubmissionSet { .. } | Detail::Association { .. } => None,
        }
    }

    pub fn patient_id(&self) -> Option<&str> {
        match &self.detail {
            Detail::SubmissionSet { patient_id } => Some(patient_id),
            _ => self.version().map(|version| version.patient_id.as_str()),
        }
    }

    pub fn is_document(&self) -> bool {
        matches!(self.detail, Detail::DocumentEntry { .. })
    }

    pub fn is_folder(&self) -> bool {
        matches!(self.detail, Detail::Folder { .. })
    }
}

/// The newest version of a logical object.
#[derive(Debug, Clone, Copy)]
pub struct Newest {
    pub logical_id: Uuid,
    pub number: i32,
    pub entry_uuid: Uuid,
}

/// An approved association, for its copies.
#[derive(Debug, Clone)]
pub struct Joining {
    pub association_type: AssociationType,
    pub source: Uuid,
    pub target: Uuid,
    pub fragment: Fragment,
}

/// Locks every version of the objects that the ids lead to, and the associations among the ids. What is read afterwards
/// stays until the transaction ends.
pub async fn lock_versions<C: GenericClient>(client: &C, ids: &[Uuid]) -> Result<Vec<Newest>, Error> {
    let found = rows(client, LOGICAL_IDS, &[&ids]).await?;
    let logical_ids: Vec<Uuid> = found.iter().map(|row| row.try_get(0)).collect::<Result<_, _>>()?;
    rows(client, LOCK_DOCUMENT_VERSIONS, &[&logical_ids]).await?;
    rows(client, LOCK_FOLDER_VERSIONS, &[&logical_ids]).await?;
    rows(client, LOCK_ASSOCIATIONS, &[&ids]).await?;
    // Only a statement that begins now sees what those wrote who held the locks before.
    rows(client, NEWEST, &[&logical_ids])
        .await?
        .iter()
        .map(|row| {
            Ok(Newest { logical_id: row.try_get(0)?, number: row.try_get(1)?, entry_uuid: row.try_get(2)? })
        })
        .collect()
}

pub async fn stored<C: GenericClient>(client: &C, ids: &[Uuid]) -> Result<Vec<Stored>, Error> {
    rows(client, STORED, &[&ids]).await?.iter().map(read).collect()
}

fn read(row: &Row) -> Result<Stored, Error> {
    let status = AvailabilityStatus::from_name(row.try_get(3)?).unwrap_or(AvailabilityStatus::Deprecated);
    let version = || -> Result<Instance, Error> {
        Ok(Instance {
            patient_id: row.try_get(4)?,
            logical_id: row.try_get(5)?,
            number: row.try_get(6)?,
            unique_id: row.try_get(7)?,
        })
    };
    let detail = match row.try_get::<_, &str>(2)? {
        "DocumentEntry" => {
            Detail::DocumentEntry { version: version()?, on_demand: row.try_get::<_, &str>(8)? == "OnDemand" }
        }
        "Folder" => Detail::Folder { version: version()? },
        "SubmissionSet" => Detail::SubmissionSet { patient_id: row.try_get(4)? },
        _ => Detail::Association {
            association_type: AssociationType::from_urn(row.try_get(9)?),
            source: row.try_get(10)?,
            target: row.try_get(11)?,
        },
    };
    Ok(Stored { entry_uuid: row.try_get(0)?, record: row.try_get(1)?, status, detail })
}

/// The approved associations of the objects.
pub async fn links_of<C: GenericClient>(client: &C, ids: &[Uuid]) -> Result<Vec<Joining>, Error> {
    let found = rows(client, LINKS, &[&ids]).await?;
    let mut links = Vec::new();
    for row in &found {
        if let Some(association_type) = AssociationType::from_urn(row.try_get(0)?) {
            let StoredFragment(fragment) = row.try_get(3)?;
            links.push(Joining {
                association_type,
                source: row.try_get(1)?,
                target: row.try_get(2)?,
                fragment,
            });
        }
    }
    Ok(links)
}

/// The fragment of a document and its availability as the column has it.
pub async fn document_fragment<C: GenericClient>(
    client: &C,
    record: i64,
    entry: Uuid,
) -> Result<Option<(Fragment, String)>, Error> {
    let found = rows(client, DOCUMENT_FRAGMENT, &[&record, &entry]).await?;
    found.first().map(|row| Ok((row.try_get::<_, StoredFragment>(0)?.0, row.try_get(1)?))).transpose()
}

/// What the CDA header tells is that of the document, whichever its version.
pub async fn copy_header_facts<C: GenericClient>(
    client: &C,
    from: (i64, Uuid),
    to: (i64, Uuid),
) -> Result<(), Error> {
    execute(client, COPY_HEADER_FACTS, &[&from.0, &from.1, &to.0, &to.1]).await.map(|_| ())
}

/// SubmissionSets keep theirs.
pub async fn set_status<C: GenericClient>(
    client: &C,
    object: &Stored,
    status: AvailabilityStatus,
) -> Result<(), Error> {
    let sql = match object.detail {
        Detail::DocumentEntry { .. } => SET_DOCUMENT_STATUS,
        Detail::Folder { .. } => SET_FOLDER_STATUS,
        Detail::Association { .. } => SET_ASSOCIATION_STATUS,
        Detail::SubmissionSet { .. } => return Ok(()),
    };
    execute(client, sql, &[&object.record, &object.entry_uuid, &status.name()]).await.map(|_| ())
}

/// Pairs of objects whose patients must be the same and are not.
pub async fn unreconciled<C: GenericClient>(
    client: &C,
    touched: &[Uuid],
) -> Result<Vec<(Uuid, Uuid)>, Error> {
    let found = rows(client, UNRECONCILED, &[&touched]).await?;
    found.iter().map(|row| Ok((row.try_get(0)?, row.try_get(1)?))).collect()
}

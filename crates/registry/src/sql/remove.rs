use deadpool_postgres::GenericClient;
use tokio_postgres::{Error, Row};
use uuid::Uuid;
use xds::value::Cx;

use super::{execute, rows};

/// The objects themselves and what the associations among them lead to: everything whose references must not change
/// until the removal is decided.
const CONCERNED: &str = "
    select entry_uuid from object where entry_uuid = any($1)
    union
    select unnest(array[source, target]) from association where entry_uuid = any($1)";

/// First documents, then folders, each in the order of their ids: as a submission locks them.
const LOCK_DOCUMENTS: &str = "
    select from document_entry
    where record in (select record from object where entry_uuid = any($1)) and entry_uuid = any($1)
    order by entry_uuid for update";

const LOCK_FOLDERS: &str = "
    select from folder
    where record in (select record from object where entry_uuid = any($1)) and entry_uuid = any($1)
    order by entry_uuid for update";

/// Last what no submission locks, so that of two removals one waits for the other.
const LOCK_OBJECTS: &str = "select from object where entry_uuid = any($1) order by entry_uuid for update";

/// With the identifier under which the record was opened.
const REMOVABLE: &str = "
    select object.entry_uuid, object.record, object.kind, document_entry.document_type,
        association.association_type, association.source, association.target, patient.value, patient.authority
    from object
        left join lateral (
            select value, authority from patient_identifier
            where patient_identifier.record = object.record order by added_at, authority, value limit 1
        ) as patient on true
        left join document_entry
            on document_entry.record = object.record and document_entry.entry_uuid = object.entry_uuid
        left join association
            on association.record = object.record and association.entry_uuid = object.entry_uuid
    where object.entry_uuid = any($1)
    order by object.record, object.entry_uuid";

const REFERENCES: &str = "
    select entry_uuid, association_type, source, target from association
    where (source = any($1) or target = any($1)) and not entry_uuid = any($1)
    order by entry_uuid";

/// Those of the objects that stay and are in no SubmissionSet when the associations $2 are gone.
const LEFT_ALONE: &str = "
    select object.entry_uuid, object.kind from object
    where object.entry_uuid = any($1) and object.kind <> 'SubmissionSet'
        and not exists (
            select from association join object as holder on holder.entry_uuid = association.source
            where association.target = object.entry_uuid and association.association_type = $3
                and holder.kind = 'SubmissionSet' and not association.entry_uuid = any($2))
    order by object.entry_uuid";

const REMOVE: [&str; 7] = [
    "delete from association where record = any($1) and entry_uuid = any($2)",
    "delete from header_fact where record = any($1) and entry_uuid = any($2)",
    "delete from document_entry where record = any($1) and entry_uuid = any($2)",
    "delete from folder where record = any($1) and entry_uuid = any($2)",
    "delete from submission_set where record = any($1) and entry_uuid = any($2)",
    "delete from unique_id where record = any($1) and entry_uuid = any($2)",
    "delete from object where record = any($1) and entry_uuid = any($2)",
];

const EXISTING: &str = "select count(*) from object where entry_uuid = any($1)";

/// An object that somebody wants to remove.
#[derive(Debug, Clone)]
pub struct Removable {
    pub entry_uuid: Uuid,
    pub record: i64,
    pub what: What,
    /// CX.
    pub patient_id: Option<String>,
}

#[derive(Debug, Clone)]
pub enum What {
    DocumentEntry { on_demand: bool },
    SubmissionSet,
    Folder,
    Association(Link),
}

#[derive(Debug, Clone)]
pub struct Link {
    pub entry_uuid: Uuid,
    pub association_type: String,
    pub source: Uuid,
    pub target: Uuid,
}

/// Locks the objects, and those that their associations lead to, until the transaction ends.
pub async fn lock_for_removal<C: GenericClient>(client: &C, ids: &[Uuid]) -> Result<(), Error> {
    let concerned: Vec<Uuid> =
        rows(client, CONCERNED, &[&ids]).await?.iter().map(|row| row.try_get(0)).collect::<Result<_, _>>()?;
    for lock in [LOCK_DOCUMENTS, LOCK_FOLDERS, LOCK_OBJECTS] {
        rows(client, lock, &[&concerned]).await?;
    }
    Ok(())
}

pub async fn removable_objects<C: GenericClient>(client: &C, ids: &[Uuid]) -> Result<Vec<Removable>, Error> {
    rows(client, REMOVABLE, &[&ids]).await?.iter().map(removable).collect()
}

fn removable(row: &Row) -> Result<Removable, Error> {
    let entry_uuid = row.try_get(0)?;
    let what = match row.try_get::<_, &str>(2)? {
        "DocumentEntry" => {
            What::DocumentEntry { on_demand: row.try_get::<_, Option<&str>>(3)? == Some("OnDemand") }
        }
        "SubmissionSet" => What::SubmissionSet,
        "Folder" => What::Folder,
        _ => What::Association(Link {
            entry_uuid,
            association_type: row.try_get(4)?,
            source: row.try_get(5)?,
            target: row.try_get(6)?,
        }),
    };
    let (id, authority): (Option<&str>, Option<&str>) = (row.try_get(7)?, row.try_get(8)?);
    let patient_id = id.zip(authority).map(|(id, authority)| Cx::new(id, authority).text);
    Ok(Removable { entry_uuid, record: row.try_get(1)?, what, patient_id })
}

/// The associations that are not among `ids` and have an end among them.
pub async fn references_to<C: GenericClient>(client: &C, ids: &[Uuid]) -> Result<Vec<Link>, Error> {
    rows(client, REFERENCES, &[&ids])
        .await?
        .iter()
        .map(|row| {
            Ok(Link {
                entry_uuid: row.try_get(0)?,
                association_type: row.try_get(1)?,
                source: row.try_get(2)?,
                target: row.try_get(3)?,
            })
        })
        .collect()
}

/// Those of `candidates` that no SubmissionSet would hold without the associations `removed`, with their kind.
pub async fn left_alone<C: GenericClient>(
    client: &C,
    candidates: &[Uuid],
    removed: &[Uuid],
    has_member: &str,
) -> Result<Vec<(Uuid, String)>, Error> {
    let found = rows(client, LEFT_ALONE, &[&candidates, &removed, &has_member]).await?;
    found.iter().map(|row| Ok((row.try_get(0)?, row.try_get(1)?))).collect()
}

pub async fn remove<C: GenericClient>(client: &C, records: &[i64], ids: &[Uuid]) -> Result<(), Error> {
    for statement in REMOVE {
        execute(client, statement, &[&records, &ids]).await?;
    }
    Ok(())
}

/// How many of the objects are there.
pub async fn count_objects<C: GenericClient>(client: &C, ids: &[Uuid]) -> Result<i64, Error> {
    rows(client, EXISTING, &[&ids]).await?.first().map_or(Ok(0), |row| row.try_get(0))
}

use std::collections::HashMap;

use deadpool_postgres::GenericClient;
use tokio_postgres::types::ToSql;
use tokio_postgres::{Error, Row};
use uuid::Uuid;
use xds::fragment::Fragment;
use xds::metadata::{Availability, DocumentType};
use xds::query::{ContentFilter, DocumentFilter, ObjectIds};
use xds::value::Cx;

use super::{Found, FoundDetail, Reach, Registration, found, json_groups, some, status_names, time};
use crate::sql::{StoredFragment, once, rows};

macro_rules! columns {
    () => {
        "select document_entry.record, document_entry.entry_uuid, fragment, status, patient_id, registered_at "
    };
}

/// What is shown of a record's present.
macro_rules! shown {
    () => {
        " and ($2 or availability = 'Online' and not exists (
            select from document_entry as later
            where later.logical_id = document_entry.logical_id and later.version > document_entry.version))"
    };
}

/// What columns say alone. An entry without service times passes their windows, an On-Demand entry that of the creation time
/// (TF-2 §3.18.4.1.2.3).
macro_rules! plain {
    () => {
        concat!(
            shown!(),
            " and status = any($4)
            and document_type = any($5)
            and ($6::text[] is null or class_code = any($6))
            and ($7::text[] is null or type_code = any($7))
            and ($8::text[] is null or practice_setting_code = any($8))
            and ($9::text[] is null or healthcare_facility_type_code = any($9))
            and ($10::text[] is null or format_code = any($10))
            and ($11::text is null or document_type = 'OnDemand' or creation_time >= $11)
            and ($12::text is null or document_type = 'OnDemand' or creation_time < $12)
            and ($13::text is null or service_start_time is null or service_start_time >= $13)
            and ($14::text is null or service_start_time is null or service_start_time < $14)
            and ($15::text is null or service_stop_time is null or service_stop_time >= $15)
            and ($16::text is null or service_stop_time is null or service_stop_time < $16)
            and ($17::text[] is null or availability = any($17))"
        )
    };
}

/// How many parameters [`plain`] has, with that where a statement begins.
const PLAIN: usize = 17;

/// The whole filter. What looks into lists is as long to prepare for as all else together, asked for or not.
macro_rules! filter {
    () => {
        concat!(
            plain!(),
            " and ($18::jsonb is null or not exists (
                select from jsonb_array_elements($18) as wanted
                where not event_codes && array(select jsonb_array_elements_text(wanted))))
            and ($19::jsonb is null or not exists (
                select from jsonb_array_elements($19) as wanted
                where not confidentiality_codes && array(select jsonb_array_elements_text(wanted))))
            and ($20::text[] is null or exists (
                select from unnest(author_persons) as person, unnest($20) as pattern
                where person like pattern escape ''))
            and ($21::jsonb is null or not exists (
                select from jsonb_array_elements($21) as wanted
                where not exists (
                    select from unnest(reference_ids) as id, jsonb_array_elements_text(wanted) as pattern
                    where id like pattern escape '')))"
        )
    };
}

/// By id, status does not count.
macro_rules! by_id {
    () => {
        concat!(
            shown!(),
            " and ($4::text[] is null or document_type = any($4))
            and ($5::text[] is null or format_code = any($5))
            and ($6::jsonb is null or not exists (
                select from jsonb_array_elements($6) as wanted
                where not confidentiality_codes && array(select jsonb_array_elements_text(wanted))))
            order by registered_at, document_entry.entry_uuid
            limit $3"
        )
    };
}

pub(super) const FIND: &str = concat!(
    columns!(),
    "from document_entry where record = any($1)",
    filter!(),
    " order by creation_time desc nulls last, registered_at, entry_uuid limit $3"
);

/// The same for a patient whose record no merge has to do with, from the identifier on; with fragments or without.
pub(super) const FIND_OF_PATIENT: &str = concat!(
    "select document_entry.record, document_entry.entry_uuid, case when $19 then fragment end, status, patient_id,
        registered_at
    from patient_identifier join record using (record) join document_entry using (record)
    where patient_identifier.authority = $1 and patient_identifier.value = $18
        and survivor is null and not exists (select from record as other where other.survivor = record.record)",
    plain!(),
    " order by creation_time desc nulls last, registered_at, entry_uuid limit $3"
);

pub(super) const FRAGMENTS: &str = "
    select entry_uuid, fragment
    from unnest($1::bigint[], $2::uuid[], $3::timestamptz[]) as given (record, entry_uuid, registered_at)
        join document_entry using (record, entry_uuid, registered_at)";

/// The three ways that an index leads to documents of whatever patient. `$1` are codes, of one group. They stop at the
/// limit, so that what is found is in no order.
pub(super) const OF_CLASS: &str =
    concat!(columns!(), "from document_entry where class_code = any($1)", filter!(), " limit $3");
pub(super) const OF_FACILITY: &str = concat!(
    columns!(),
    "from document_entry where healthcare_facility_type_code = any($1)",
    filter!(),
    " limit $3"
);
pub(super) const OF_EVENT: &str =
    concat!(columns!(), "from document_entry where event_codes && $1::text[]", filter!(), " limit $3");

pub(super) const BY_ENTRY_UUID: &str =
    concat!(columns!(), by_id_in!("document_entry", "object", "entry_uuid"), by_id!());

pub(super) const BY_UNIQUE_ID: &str =
    concat!(columns!(), by_id_in!("document_entry", "unique_id", "value"), by_id!());

pub(super) const BY_LOGICAL_ID: &str =
    concat!(columns!(), "from document_entry where logical_id = any($1)", by_id!());

/// The newest version tells whether a document is online and whose it is.
pub(super) const READABLE_DOCUMENTS: &str = "
    select document_entry.record, document_entry.unique_id, document_entry.hash, document_entry.patient_id,
        document_entry.fragment, record.survivor is not null, document_entry.entry_uuid
    from unique_id join document_entry
        on document_entry.record = unique_id.record and document_entry.entry_uuid = unique_id.entry_uuid
        join record on record.record = unique_id.record
    where unique_id.value = any($1) and availability = 'Online' and not exists (
        select from document_entry as later
        where later.logical_id = document_entry.logical_id and later.version > document_entry.version)
    order by registered_at";

/// A document that may be retrieved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Readable {
    pub unique_id: String,
    pub hash: Option<String>,
    /// CX.
    pub patient_id: String,
    pub title: Option<String>,
}

pub async fn find_documents<C: GenericClient>(
    client: &C,
    records: &[i64],
    filter: &DocumentFilter,
    reach: Reach,
) -> Result<Vec<Found>, Error> {
    let values = Values::of(filter, reach);
    rows(client, FIND, &values.parameters(&records)).await?.iter().map(document).collect()
}

/// Of a patient whose record no merge has to do with; of any other patient nothing is found, nor by a filter that looks into
/// lists. With fragments, but of many documents only those of the first `fragments`.
pub async fn find_documents_of_unmerged<C: GenericClient>(
    client: &C,
    patient: &Cx,
    filter: &DocumentFilter,
    reach: Reach,
    fragments: usize,
) -> Result<Vec<Found>, Error> {
    if !is_plain(filter) {
        return Ok(Vec::new());
    }
    let find = async |limit: Option<i64>, with_fragments: bool| {
        let values = Values::of(filter, Reach { limit, ..reach });
        let (all, id) = (values.parameters(&patient.authority), &patient.id);
        let parameters: Vec<_> = all.into_iter().take(PLAIN).chain([id as _, &with_fragments as _]).collect();
        rows(client, FIND_OF_PATIENT, &parameters).await?.iter().map(document).collect()
    };
    if fragments == 0 {
        return find(reach.limit, false).await;
    }
    let more = fragments as i64 + 1;
    let first: Vec<Found> = find(Some(reach.limit.map_or(more, |limit| limit.min(more))), true).await?;
    if first.len() <= fragments {
        return Ok(first);
    }
    let mut all: Vec<Found> = find(reach.limit, false).await?;
    let mut known: HashMap<Option<Registration>, Option<Fragment>> =
        first.into_iter().map(|found| (found.registration(), found.fragment)).collect();
    for found in &mut all {
        found.fragment = known.remove(&found.registration()).flatten();
    }
    Ok(all)
}

/// Whether [`plain`] says all of it.
fn is_plain(filter: &DocumentFilter) -> bool {
    let DocumentFilter {
        event_codes,
        confidentiality_codes,
        author_person,
        reference_ids,
        status: _,
        document_types: _,
        class_code: _,
        type_code: _,
        practice_setting_code: _,
        healthcare_facility_type_code: _,
        format_code: _,
        creation_time: _,
        service_start_time: _,
        service_stop_time: _,
        availability: _,
    } = filter;
    event_codes.is_empty()
        && confidentiality_codes.is_empty()
        && author_person.is_empty()
        && reference_ids.is_empty()
}

/// The fragments of those of the documents that are there.
pub async fn document_fragments<C: GenericClient>(
    client: &C,
    registrations: Vec<Registration>,
) -> Result<HashMap<Uuid, Fragment>, Error> {
    let (records, ids, times): (Vec<_>, Vec<_>, Vec<_>) = registrations.into_iter().collect();
    let found = rows(client, FRAGMENTS, &[&records, &ids, &times]).await?;
    found.iter().map(|row| Ok((row.try_get(0)?, row.try_get::<_, StoredFragment>(1)?.0))).collect()
}

/// Of whatever patient; nothing without a condition on the event, the class or the facility.
pub async fn find_documents_of_all<C: GenericClient>(
    client: &C,
    filter: &DocumentFilter,
    reach: Reach,
) -> Result<Vec<Found>, Error> {
    let (statement, start) = match (filter.event_codes.first(), &filter.class_code) {
        (Some(event), _) => (OF_EVENT, event),
        (None, class) if !class.is_empty() => (OF_CLASS, class),
        _ => (OF_FACILITY, &filter.healthcare_facility_type_code),
    };
    let values = Values::of(filter, reach);
    once(client, statement, &values.parameters(start)).await?.iter().map(document).collect()
}

/// A filter as the statements take it.
struct Values<'f> {
    everything: bool,
    limit: Option<i64>,
    status: Vec<&'static str>,
    document_types: Vec<&'static str>,
    class_code: Option<&'f [String]>,
    type_code: Option<&'f [String]>,
    practice_setting_code: Option<&'f [String]>,
    healthcare_facility_type_code: Option<&'f [String]>,
    format_code: Option<&'f [String]>,
    event_codes: Option<serde_json::Value>,
    confidentiality_codes: Option<serde_json::Value>,
    author_person: Option<&'f [String]>,
    times: [Option<String>; 6],
    availability: Option<Vec<&'static str>>,
    reference_ids: Option<serde_json::Value>,
}

impl<'f> Values<'f> {
    fn of(filter: &'f DocumentFilter, reach: Reach) -> Self {
        let windows = [&filter.creation_time, &filter.service_start_time, &filter.service_stop_time];
        let [created, started, stopped] = windows.map(|window| [time(&window.from), time(&window.to)]);
        let [created_from, created_to] = created;
        let [started_from, started_to] = started;
        let [stopped_from, stopped_to] = stopped;
        let availability: Vec<&str> = filter.availability.iter().map(|a| availability_name(*a)).collect();
        Values {
            everything: reach.everything(),
            limit: reach.limit,
            status: status_names(&filter.status),
            document_types: type_names(&filter.document_types),
            class_code: some(&filter.class_code),
            type_code: some(&filter.type_code),
            practice_setting_code: some(&filter.practice_setting_code),
            healthcare_facility_type_code: some(&filter.healthcare_facility_type_code),
            format_code: some(&filter.format_code),
            event_codes: json_groups(&filter.event_codes),
            confidentiality_codes: json_groups(&filter.confidentiality_codes),
            author_person: some(&filter.author_person),
            times: [created_from, created_to, started_from, started_to, stopped_from, stopped_to],
            availability: (!availability.is_empty()).then_some(availability),
            reference_ids: json_groups(&filter.reference_ids),
        }
    }

    /// Those of [`plain`] first.
    fn parameters<'a>(&'a self, start: &'a (dyn ToSql + Sync)) -> [&'a (dyn ToSql + Sync); 21] {
        let [created_from, created_to, started_from, started_to, stopped_from, stopped_to] = &self.times;
        [
            start,
            &self.everything,
            &self.limit,
            &self.status,
            &self.document_types,
            &self.class_code,
            &self.type_code,
            &self.practice_setting_code,
            &self.healthcare_facility_type_code,
            &self.format_code,
            created_from,
            created_to,
            started_from,
            started_to,
            stopped_from,
            stopped_to,
            &self.availability,
            &self.event_codes,
            &self.confidentiality_codes,
            &self.author_person,
            &self.reference_ids,
        ]
    }
}

pub async fn documents_by_ids<C: GenericClient>(
    client: &C,
    ids: &ObjectIds,
    filter: Option<&ContentFilter>,
    reach: Reach,
) -> Result<Vec<Found>, Error> {
    let (statement, ids): (&str, &(dyn ToSql + Sync)) = match ids {
        ObjectIds::EntryUuids(ids) => (BY_ENTRY_UUID, ids),
        ObjectIds::UniqueIds(ids) => (BY_UNIQUE_ID, ids),
        ObjectIds::LogicalIds(ids) => (BY_LOGICAL_ID, ids),
    };
    let types = filter.map(|filter| type_names(&filter.document_types));
    let formats = filter.and_then(|filter| some(&filter.format_code));
    let confidentiality = json_groups(filter.map_or(&[], |filter| &filter.confidentiality_codes));
    let parameters: [&(dyn ToSql + Sync); 6] =
        [ids, &reach.everything(), &reach.limit, &types, &formats, &confidentiality];
    rows(client, statement, &parameters).await?.iter().map(document).collect()
}

/// With the number of their record, if it was merged into another.
pub async fn readable_documents<C: GenericClient>(
    client: &C,
    unique_ids: &[String],
) -> Result<Vec<(Option<i64>, Readable)>, Error> {
    rows(client, READABLE_DOCUMENTS, &[&unique_ids])
        .await?
        .iter()
        .map(|row| {
            let (unique_id, hash, patient_id) = (row.try_get(1)?, row.try_get(2)?, row.try_get(3)?);
            let title = Fragment::from_stored(row.try_get(4)?).and_then(|fragment| fragment.title());
            let entry: Uuid = row.try_get(6)?;
            // The document can be read all the same: only its trace lacks the title.
            let title = title.unwrap_or_else(|damaged| {
                tracing::error!("DocumentEntry {entry}: {damaged}");
                None
            });
            let (number, merged): (i64, bool) = (row.try_get(0)?, row.try_get(5)?);
            Ok((merged.then_some(number), Readable { unique_id, hash, patient_id, title }))
        })
        .collect()
}

fn document(row: &Row) -> Result<Found, Error> {
    found(row, |row| {
        Ok(FoundDetail::DocumentEntry { patient_id: row.try_get(4)?, registered_at: row.try_get(5)? })
    })
}

fn type_names(types: &[DocumentType]) -> Vec<&'static str> {
    let name = |kind: &DocumentType| match kind {
        DocumentType::Stable => "Stable",
        DocumentType::OnDemand => "OnDemand",
    };
    types.iter().map(name).collect()
}

fn availability_name(availability: Availability) -> &'static str {
    match availability {
        Availability::Online => "Online",
        Availability::Offline => "Offline",
    }
}

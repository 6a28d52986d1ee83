//! Every SQL statement of the registry. Values are always parameters.

mod check;
mod columns;
mod insert;
mod lookup;
mod query;
mod record;
mod remove;
mod versions;

pub use check::{
    Range, associations_in, documents_of, facts_of_nothing, folders_of, identifiers_of, last_record,
    merge_cycles, next_objects, next_records, next_unique_ids, steady, submission_sets_of,
};
pub use columns::{AssociationColumns, DocumentColumns, FolderColumns, SubmissionSetColumns};
pub use insert::{
    Version, add_association, add_document_entry, add_folder, add_header_facts, add_submission_set,
    deprecate, open_record, touch_folder,
};
pub use lookup::{
    EqualId, Existing, ExistingDetail, existing_objects, lock_unique_ids, memberships_of,
    objects_with_unique_ids, registered_submission, relatives_of,
};
pub use query::{
    Found, FoundDetail, Reach, Readable, Registration, associations_by_id, associations_from,
    associations_of, associations_to, document_fragments, documents_by_ids, find_documents,
    find_documents_of_all, find_documents_of_unmerged, find_folders, find_folders_of_all,
    find_submission_sets, folders_by_ids, readable_documents, submission_sets_by_ids,
};
pub use record::{
    Family, Survivor, families, find_record, identifiers, lock_for_merge, lock_record, merge_record,
    survivors, survivors_with_patient,
};
pub use remove::{
    Link, Removable, What, count_objects, left_alone, lock_for_removal, references_to, removable_objects,
    remove,
};
pub use versions::{
    Detail, Instance, Joining, Newest, Stored, copy_header_facts, document_fragment, links_of, lock_versions,
    set_status, stored, unreconciled,
};

use deadpool_postgres::GenericClient;
use tokio_postgres::types::{FromSql, ToSql, Type, accepts};
use tokio_postgres::{Error, Row};
use xds::fragment::Fragment;

/// A fragment as a column has it.
struct StoredFragment(Fragment);

impl<'a> FromSql<'a> for StoredFragment {
    fn from_sql(_: &Type, stored: &'a [u8]) -> Result<Self, Box<dyn std::error::Error + Sync + Send>> {
        Ok(StoredFragment(Fragment::from_stored(stored)?))
    }

    accepts!(BYTEA);
}

/// Runs a statement that is prepared once per connection.
async fn rows<C: GenericClient>(
    client: &C,
    sql: &str,
    parameters: &[&(dyn ToSql + Sync)],
) -> Result<Vec<Row>, Error> {
    let statement = client.prepare_cached(sql).await?;
    client.query(&statement, parameters).await
}

/// Runs a statement that is planned for these parameters alone, so that null conditions do not hide an index. What follows
/// in the transaction is planned so, too.
async fn once<C: GenericClient>(
    client: &C,
    sql: &str,
    parameters: &[&(dyn ToSql + Sync)],
) -> Result<Vec<Row>, Error> {
    client.batch_execute(database::PLAN_FOR_VALUES).await?;
    client.query(sql, parameters).await
}

async fn execute<C: GenericClient>(
    client: &C,
    sql: &str,
    parameters: &[&(dyn ToSql + Sync)],
) -> Result<u64, Error> {
    let statement = client.prepare_cached(sql).await?;
    client.execute(&statement, parameters).await
}

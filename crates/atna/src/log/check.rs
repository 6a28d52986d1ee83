//! Whether a row of the log is as it was signed. Rows are (position, kind, id, at, patient, authority, salt, content, month,
//! blanked by).

use tokio_postgres::Row;
use transparency::{Hash, leaf_hash};
use uuid::Uuid;

use super::{What, columns};
use crate::Error;

/// What a row can be.
pub enum Standing {
    Whole(Hash),
    /// All that it said is gone.
    Blanked,
    /// Neither.
    Torn,
}

pub fn standing(row: &Row) -> Result<Standing, Error> {
    let (salt, content): (Option<&[u8]>, Option<&[u8]>) = (row.try_get(6)?, row.try_get(7)?);
    let patient: [Option<&str>; 2] = [row.try_get(4)?, row.try_get(5)?];
    let blanked_by: Option<Uuid> = row.try_get(9)?;
    Ok(match (salt.map(TryInto::try_into), content, patient, blanked_by) {
        (Some(Ok(salt)), Some(content), _, None) => Standing::Whole(leaf_hash(salt, content)),
        (None, None, [None, None], Some(_)) => Standing::Blanked,
        _ => Standing::Torn,
    })
}

/// What is wrong with a row whose leaf should be this one.
pub fn differing(row: &Row, leaf: Option<Hash>) -> Result<Option<What>, Error> {
    match standing(row)? {
        Standing::Blanked => Ok(None),
        Standing::Whole(found) if Some(found) == leaf => column(row),
        Standing::Whole(_) | Standing::Torn => Ok(Some(altered(row)?)),
    }
}

/// The column of a whole row that does not say what its content says.
pub fn column(row: &Row) -> Result<Option<What>, Error> {
    let column = columns::differing(row, row.try_get(7)?)?;
    let (position, id) = (row.try_get::<_, i64>(0)? as u64, row.try_get(2)?);
    Ok(column.map(|column| What::Column { position, id, column }))
}

pub fn altered(row: &Row) -> Result<What, Error> {
    Ok(What::Altered { position: row.try_get::<_, i64>(0)? as u64, id: row.try_get(2)?, at: row.try_get(3)? })
}

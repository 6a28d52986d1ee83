//! Takes indexes and constraints of the tables away and puts them back, as the catalogue describes them.

use tokio_postgres::Transaction;

const TABLES: &str = "array['record', 'patient_identifier', 'submission_set', 'document_entry', 'association', 'object', \
                      'unique_id', 'header_fact', 'document']";

/// Foreign keys first when they go, and last when they come.
const CONSTRAINTS: &str = "
    select conrelid::regclass::text, quote_ident(conname), pg_get_constraintdef(oid)
    from pg_constraint
    where conrelid::regclass::text = any(<tables>) and contype in ('f', 'p', 'u')
    order by contype <> 'f', conrelid";

/// Those that folders refer to stay: primary key of record.
const INDEXES: &str = "
    select indexrelid::regclass::text, pg_get_indexdef(indexrelid)
    from pg_index
    where indrelid::regclass::text = any(<tables>)
        and not exists (select from pg_constraint where conindid = indexrelid)";

/// Statements that restore what was taken away.
pub struct PutBack(Vec<String>);

impl PutBack {
    pub async fn run(self, transaction: &Transaction<'_>) -> Result<(), tokio_postgres::Error> {
        for statement in self.0 {
            transaction.batch_execute(&statement).await?;
        }
        Ok(())
    }
}

pub async fn take_away(transaction: &Transaction<'_>) -> Result<PutBack, tokio_postgres::Error> {
    let (mut keys, mut foreign) = (Vec::new(), Vec::new());
    for row in transaction.query(&CONSTRAINTS.replace("<tables>", TABLES), &[]).await? {
        let (table, name, definition): (String, String, String) =
            (row.try_get(0)?, row.try_get(1)?, row.try_get(2)?);
        // Tables that are not loaded refer to records.
        if table == "record" && definition.starts_with("PRIMARY KEY") {
            continue;
        }
        transaction.batch_execute(&format!("alter table {table} drop constraint {name}")).await?;
        let restore = format!("alter table {table} add constraint {name} {definition}");
        match definition.starts_with("FOREIGN KEY") {
            true => foreign.push(restore),
            false => keys.push(restore),
        }
    }
    for row in transaction.query(&INDEXES.replace("<tables>", TABLES), &[]).await? {
        let (name, definition): (String, String) = (row.try_get(0)?, row.try_get(1)?);
        transaction.batch_execute(&format!("drop index {name}")).await?;
        keys.push(definition);
    }
    keys.extend(foreign);
    Ok(PutBack(keys))
}

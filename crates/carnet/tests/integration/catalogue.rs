//! Every table that there is, as the database itself lists them: one that is new is looked at without being named here.

use std::collections::BTreeMap;

use database::Database;

/// The rows of each table as text, in the order of the texts. Those of a part of a table are under the whole.
pub async fn rows(database: &Database) -> BTreeMap<String, Vec<String>> {
    let client = database.get().await.unwrap();
    let tables = "
        select quote_ident(relname) from pg_class
        where relnamespace = 'public'::regnamespace and relkind in ('r', 'p') and not relispartition";
    let mut all = BTreeMap::new();
    for table in client.query(tables, &[]).await.unwrap() {
        let table: String = table.get(0);
        let rows = client.query(&format!("select t::text from {table} as t"), &[]).await.unwrap();
        let mut rows: Vec<String> = rows.iter().map(|row| row.get(0)).collect();
        rows.sort();
        all.insert(table, rows);
    }
    all
}

/// Whatever the tables are made of, a line each: columns (of views, too), indexes, constraints and functions; and the numbers
/// that the next rows get. The text of a view is not the same when it was read back from itself.
pub async fn schema(database: &Database) -> Vec<String> {
    let sql = "
        select format('column %s.%s %s %s %s %s %s', relname, attname, format_type(atttypid, atttypmod), attnotnull,
            attidentity, attstorage, attcompression)
        from pg_attribute join pg_class on pg_class.oid = attrelid
        where relnamespace = 'public'::regnamespace and relkind in ('r', 'p', 'v') and attnum > 0 and not attisdropped
        union all
        select format('default %s %s', adrelid::regclass, pg_get_expr(adbin, adrelid)) from pg_attrdef
        where adrelid in (select oid from pg_class where relnamespace = 'public'::regnamespace)
        union all
        select format('table %s %s %s', relname, reloptions, pg_get_expr(relpartbound, oid)) from pg_class
        where relnamespace = 'public'::regnamespace and relkind in ('r', 'p')
        union all
        select indexdef from pg_indexes where schemaname = 'public'
        union all
        select format('constraint %s %s %s %s', conrelid::regclass, conname, pg_get_constraintdef(oid), convalidated)
        from pg_constraint where connamespace = 'public'::regnamespace
        union all
        select pg_get_functiondef(oid) from pg_proc where pronamespace = 'public'::regnamespace
        union all
        select format('sequence %s %s', sequencename, last_value) from pg_sequences where schemaname = 'public'";
    let rows = database.get().await.unwrap().query(sql, &[]).await.unwrap();
    let mut lines: Vec<String> = rows.iter().map(|row| row.get(0)).collect();
    lines.sort();
    lines
}

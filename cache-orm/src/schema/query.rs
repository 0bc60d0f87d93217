//! Questions to a database's catalog.

use std::collections::BTreeSet;

use sea_orm::{ConnectionTrait, DbErr, Statement};

/// The rows of a catalog query. It casts its `N` columns to text, since servers differ in the types they
/// give to catalogs; NULL comes as the empty text.
pub(super) async fn rows<const N: usize>(
    db: &impl ConnectionTrait,
    sql: &str,
) -> Result<Vec<[String; N]>, DbErr> {
    let found = db.query_all_raw(Statement::from_string(db.get_database_backend(), sql)).await?;
    let mut rows = Vec::with_capacity(found.len());
    for row in found {
        let mut cells = [const { String::new() }; N];
        for (index, cell) in cells.iter_mut().enumerate() {
            *cell = row.try_get_by_index::<Option<String>>(index)?.unwrap_or_default();
        }
        rows.push(cells);
    }
    Ok(rows)
}

/// A catalog query about visible tables and those of the schemas `named`, which it calls `$named`.
pub(super) fn with_named(sql: &str, named: &BTreeSet<String>) -> String {
    let texts: Vec<_> = named.iter().map(|name| format!("'{}'", name.replace('\'', "''"))).collect();
    // A name with a backslash could end the text on MySQL; no schema worth the trouble has one.
    let texts = texts.into_iter().filter(|text| !text.contains('\\')).chain(["NULL".to_owned()]);
    sql.replace("$named", &texts.collect::<Vec<_>>().join(", "))
}

/// A truth value as the catalog queries write it.
pub(super) fn is(flag: &str) -> bool {
    flag == "1"
}

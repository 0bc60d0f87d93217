//! Invalidation by hand: for changes that were made behind the connection's back, and are committed.

use std::sync::Arc;

use sea_orm::{DbErr, Value, Values};

use crate::{
    classify::{Class, Equality, TableName, TableWrite, WriteKind},
    context::Context,
    error::CacheErr,
    write::{self, affected},
};

/// Invalidates the rows of a table with these primary keys, whatever became of them.
///
/// # Errors
/// [`CacheErr`] if the store can't be reached and the table's policy is to refuse.
pub(crate) async fn invalidate_rows(
    shared: &Arc<Context>,
    table: TableName,
    columns: &[String],
    keys: Vec<Vec<Value>>,
) -> Result<(), DbErr> {
    let (mut writes, mut values) = (Vec::with_capacity(keys.len()), Vec::new());
    for key in keys {
        let equalities = columns.iter().zip(key).map(|(column, value)| {
            values.push(value);
            Equality { column: column.clone(), parameter: values.len() - 1 }
        });
        let keys = equalities.collect();
        // A row that may be new, and keeps its primary key. Who changed it has invalidated the rows that refer to it.
        let kind = WriteKind::Upsert { assigned: Some(Vec::new()) };
        writes.push(TableWrite { keys, ..TableWrite::of_any_row(table.clone(), kind) });
    }
    invalidate(shared, &Class::Write(writes), &Values(values)).await
}

/// Invalidates all rows of a table.
///
/// # Errors
/// As [`invalidate_rows`].
pub(crate) async fn invalidate_table(shared: &Arc<Context>, table: TableName) -> Result<(), DbErr> {
    let kind = WriteKind::Upsert { assigned: None };
    let write = TableWrite::of_any_row(table, kind);
    invalidate(shared, &Class::Write(vec![write]), &Values(Vec::new())).await
}

async fn invalidate(shared: &Arc<Context>, class: &Class, values: &Values) -> Result<(), DbErr> {
    let eligibility = shared.eligibility_to_write().await;
    let by = |eligibility: &_| affected::by(shared, Some(eligibility), class, Some(values));
    let (fence, refused) = write::fence_written(shared, &eligibility, by).await;
    fence.release().await;
    refused.map_err(|refused| CacheErr::NotInvalidated(refused.into_reason()))?;
    write::names_what_it_changes(shared)
}

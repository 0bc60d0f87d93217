//! Writes that somebody else's connection carries out, perhaps to another database.

use std::sync::Arc;

use sea_orm::{DbErr, Values};

use crate::{
    classify::TableWrite,
    context::Context,
    write::{self, SchemaChange, affected},
};

/// Fences what a write will change that this connection does not carry out. It is not known how it ends, so the
/// fence is left to expire.
pub(crate) async fn fence(shared: &Arc<Context>, write: TableWrite, values: &Values) -> Result<(), DbErr> {
    let _unnamed = SchemaChange::unnamed(shared);
    // Not asked for now: the caller may hold the pool's only connection.
    let eligibility = shared.current();
    let affected = affected::by_write_elsewhere(shared, eligibility.as_deref(), write, values);
    let generation = eligibility.and_then(|eligibility| eligibility.generation());
    write::fence_in_transaction(shared, generation, affected).await?.leave();
    Ok(())
}

//! Writes: fence → execute → release; or, where the statement tells its rows, execute → fence → commit →
//! release.
//!
//! ```text
//! affected   from what a statement changes to the cells to fence
//! fencing    the fence of a write
//! exact      writes whose rows the statement itself tells
//! returned   ↳ the keys in the rows that it returned
//! answer     ↳ what its caller is given
//! outcome    whether it is known how a write ended
//! elsewhere  writes that somebody else's connection carries out
//! by_hand    invalidation without a write
//! record     takes note of writes that change more than can be told
//! ```

pub(crate) mod affected;
mod by_hand;
#[cfg(feature = "hooks")]
pub(crate) mod elsewhere;
pub(crate) mod exact;
mod executed;
mod fencing;
mod outcome;
mod record;
mod returned;

use std::{future::Future, sync::Arc};

use sea_orm::{ConnectionTrait, DbErr, ExecResult, QueryResult, Statement, Values};

use crate::{classify::Class, context::Context, eligibility::Eligibility, spans};

pub(crate) use by_hand::{invalidate_rows, invalidate_table};
pub(crate) use exact::{Asked, Plan};
pub(crate) use executed::Executed;
pub(crate) use fencing::{
    SchemaChange, before_begin, fence, fence_in_transaction, fence_written, fence_written_in_transaction,
    names_what_it_changes, settle,
};
pub(crate) use outcome::{is_decided, may_be_of_returning, unheard};
pub(crate) use record::record;

/// Executes one write that commits by itself.
///
/// # Errors
/// The database's own; or [`CacheErr`] under the policy `Refuse` when the store can't be reached, and
/// then nothing was written.
///
/// # Cancel safety
/// Dropped while the database works, nothing was written, or the outcome is unknown and the fence is left to
/// expire. (The pool finds a connection in the midst of a statement, and waits for its end or closes it.) What
/// runs in a transaction of the cache's own: see [`Plan::run`].
pub(crate) async fn execute(
    shared: &Arc<Context>,
    class: &Class,
    statement: Statement,
) -> Result<ExecResult, DbErr> {
    let eligibility = shared.eligibility_to_write().await;
    match Plan::of(shared, &eligibility, class, &statement) {
        Some(plan) => spans::write(plan.run(shared, statement, Asked::Count)).await?.into_exec_result(),
        None => {
            record(shared, Some(&eligibility), class, &statement.sql);
            let values = statement.values.clone();
            spans::write(fenced(
                shared,
                &eligibility,
                class,
                values.as_ref(),
                shared.db.execute_raw(statement),
            ))
            .await
        }
    }
}

/// The same for a write without parameters that must not be prepared: it is sent as it is.
pub(crate) async fn execute_unprepared(
    shared: &Arc<Context>,
    class: &Class,
    sql: &str,
) -> Result<ExecResult, DbErr> {
    let eligibility = shared.eligibility_to_write().await;
    record(shared, Some(&eligibility), class, sql);
    spans::write(fenced(shared, &eligibility, class, None, shared.db.execute_unprepared(sql))).await
}

/// The same for a write that returns rows: all of them. A write's implicit transaction commits after its last
/// row has been handed out, so they are read to the end: a driver's query for one row may stop at the first.
pub(crate) async fn query(
    shared: &Arc<Context>,
    class: &Class,
    statement: Statement,
) -> Result<Vec<QueryResult>, DbErr> {
    let eligibility = shared.eligibility_to_write().await;
    match Plan::of(shared, &eligibility, class, &statement) {
        Some(plan) => Ok(spans::write(plan.run(shared, statement, Asked::Rows)).await?.rows),
        None => {
            record(shared, Some(&eligibility), class, &statement.sql);
            let values = statement.values.clone();
            spans::write(fenced(
                shared,
                &eligibility,
                class,
                values.as_ref(),
                shared.db.query_all_raw(statement),
            ))
            .await
        }
    }
}

/// Fences what the text says that it affects, and then runs it.
async fn fenced<T>(
    shared: &Arc<Context>,
    eligibility: &Eligibility,
    class: &Class,
    values: Option<&Values>,
    run: impl Future<Output = Result<T, DbErr>>,
) -> Result<T, DbErr> {
    // Before the cells are named: what is learned from here on names none of these.
    let change = SchemaChange::by(shared, class);
    let fence =
        fence(shared, eligibility, |eligibility| affected::by(shared, Some(eligibility), class, values))
            .await?;
    let result = run.await;
    settle(change, fence, &result).await;
    result
}

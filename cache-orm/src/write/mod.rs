//! Writes: fence → execute → release; or, where the statement tells its rows, execute → fence → commit →
//! release.

pub(crate) mod affected;

mod answer;

pub(crate) mod exact;

mod outcome;

mod returned;

use std::{future::Future, sync::Arc};

use cache_core::fence::{Affected, Fence};
use sea_orm::{ConnectionTrait, DbBackend, DbErr, ExecResult, QueryResult, Statement, Values};

use crate::{
    classify::{self, Class, hidden},
    connection::Shared,
    knowledge::Knowledge,
};

pub(crate) use answer::Answer;
pub(crate) use exact::{Asked, Plan};
pub(crate) use outcome::{is_known, may_be_of_returning, unheard};

/// Executes one write that commits by itself.
///
/// # Errors
/// The database's own; or [`DbErr::Custom`] under the policy `Refuse` when the store can't be reached, and
/// then nothing was written.
///
/// # Cancel safety
/// Dropped while the database works, nothing was written, or the outcome is unknown and the fence is left to
/// expire. (The pool finds a connection in the midst of a statement, and waits for its end or closes it.) What
/// runs in a transaction of the cache's own: see [`Plan::run`].
pub(crate) async fn execute(
    shared: &Arc<Shared>,
    class: &Class,
    statement: Statement,
) -> Result<ExecResult, DbErr> {
    let knowledge = shared.knowledge().await;
    match Plan::of(shared, &knowledge, class, &statement) {
        Some(plan) => plan.run(shared, statement, Asked::Count).await?.into_exec_result(),
        None => {
            note(shared, Some(&knowledge), class, &statement.sql);
            let values = statement.values.clone();
            fenced(shared, &knowledge, class, values.as_ref(), shared.db.execute_raw(statement)).await
        }
    }
}

/// The same for a write without parameters that must not be prepared: it is sent as it is.
pub(crate) async fn execute_unprepared(
    shared: &Arc<Shared>,
    class: &Class,
    sql: &str,
) -> Result<ExecResult, DbErr> {
    let knowledge = shared.knowledge().await;
    note(shared, Some(&knowledge), class, sql);
    fenced(shared, &knowledge, class, None, shared.db.execute_unprepared(sql)).await
}

/// The same for a write that returns rows: all of them. A write's implicit transaction commits after its last
/// row has been handed out, so they are read to the end: a driver's query for one row may stop at the first.
pub(crate) async fn query(
    shared: &Arc<Shared>,
    class: &Class,
    statement: Statement,
) -> Result<Vec<QueryResult>, DbErr> {
    let knowledge = shared.knowledge().await;
    match Plan::of(shared, &knowledge, class, &statement) {
        Some(plan) => Ok(plan.run(shared, statement, Asked::Rows).await?.rows),
        None => {
            note(shared, Some(&knowledge), class, &statement.sql);
            let values = statement.values.clone();
            fenced(shared, &knowledge, class, values.as_ref(), shared.db.query_all_raw(statement)).await
        }
    }
}

/// Fences what the text says that it affects, and then runs it.
async fn fenced<T>(
    shared: &Arc<Shared>,
    knowledge: &Knowledge,
    class: &Class,
    values: Option<&Values>,
    run: impl Future<Output = Result<T, DbErr>>,
) -> Result<T, DbErr> {
    let fence = fence(shared, affected::by(shared, Some(knowledge), class, values)).await?;
    let change = SchemaChange::by(shared, class);
    let result = run.await;
    settle(change, fence, &result).await;
    result
}

/// What was learned of the schema is forgotten when this is dropped, so also when the statement's caller
/// vanishes: the database may carry it out all the same.
#[must_use = "the schema is forgotten when this is dropped"]
pub(crate) struct SchemaChange(Arc<Shared>);

impl SchemaChange {
    /// Set if a statement of this class may change the schema. A procedure may hide DDL.
    pub(crate) fn by(shared: &Arc<Shared>, class: &Class) -> Option<Self> {
        let may = matches!(class, Class::Schema | Class::Session | Class::Unknown);
        may.then(|| SchemaChange(shared.clone()))
    }

    /// Set in any case.
    pub(crate) fn of(shared: &Arc<Shared>) -> Self {
        SchemaChange(shared.clone())
    }
}

impl Drop for SchemaChange {
    fn drop(&mut self) {
        self.0.forget();
    }
}

/// Places a fence.
///
/// # Errors
/// [`DbErr::Custom`] under the policy `Refuse` when the store can't be reached.
pub(crate) async fn fence(shared: &Shared, mut affected: Affected) -> Result<Fence, DbErr> {
    if shared.session.is_changed() {
        // Whatever was written before may be committed by what comes now.
        affected.merge(affected::everything(shared, shared.known().as_deref()));
    }
    shared.cache.fence(affected).await.map_err(|refused| DbErr::Custom(refused.to_string()))
}

/// Fences everything before a transaction begins, if raw SQL has changed a session: MySQL commits what that has
/// written when the next transaction begins on its connection.
///
/// # Errors
/// [`DbErr::Custom`] under the policy `Refuse` when the store can't be reached.
pub(crate) async fn before_begin(shared: &Shared) -> Result<Option<Fence>, DbErr> {
    if !shared.session.is_changed() {
        return Ok(None);
    }
    fence(shared, affected::nothing(shared)).await.map(Some)
}

/// Takes note of a write that changes more than rows of tables that can be told, before it is sent.
pub(crate) fn note(shared: &Shared, knowledge: Option<&Knowledge>, class: &Class, sql: &str) {
    if *class == Class::Session || (*class == Class::Unknown && calls_loudly(shared, knowledge, sql)) {
        shared.session.changes(|| classify::shown(sql, shared.backend));
    } else if !affected::is_narrow(knowledge, class) {
        shared.wide.count(|| classify::shown(sql, shared.backend));
    }
}

/// True if the text calls a procedure of MySQL that may change the session or begin a transaction.
fn calls_loudly(shared: &Shared, knowledge: Option<&Knowledge>, sql: &str) -> bool {
    if shared.backend != DbBackend::MySql {
        return false;
    }
    let schema = knowledge.and_then(|knowledge| knowledge.schema.as_ref());
    let is_quiet = |name: &String| schema.is_some_and(|schema| schema.is_quiet_procedure(name));
    !hidden::of(sql, shared.backend).calls.iter().all(is_quiet)
}

/// Ends a write: releases its fence if the outcome is known, else abandons it.
pub(crate) async fn settle<T>(change: Option<SchemaChange>, fence: Fence, result: &Result<T, DbErr>) {
    // What the fence has kept from being cached is judged by what is learned anew.
    drop(change);
    if is_known(result) {
        fence.release().await;
    }
}

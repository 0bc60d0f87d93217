//! Writes: fence → execute → release; or, where the statement tells its rows, execute → fence → commit →
//! release.

pub(crate) mod affected;

mod answer;

pub(crate) mod exact;

mod outcome;

mod returned;

use std::{
    future::Future,
    sync::{Arc, atomic::Ordering},
};

use cache_core::{
    fence::{Affected, Fence},
    settings::Unreachable,
    store::Reach,
};
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
    let knowledge = shared.knowledge_to_write().await;
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
    let knowledge = shared.knowledge_to_write().await;
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
    let knowledge = shared.knowledge_to_write().await;
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
    // Before the cells are named: what is learned from here on names none of these.
    let change = SchemaChange::by(shared, class);
    let fence = fence(shared, affected::by(shared, Some(knowledge), class, values)).await?;
    let result = run.await;
    settle(change, fence, &result).await;
    result
}

/// What was learned of the schema is forgotten when this is dropped, so also when the statement's caller
/// vanishes: the database may carry it out all the same.
#[must_use = "the schema is forgotten when this is dropped"]
pub(crate) struct SchemaChange {
    shared: Arc<Shared>,
    /// The write's cells have no names: nothing was ever learned. Whoever learns invalidates everything.
    unnamed: bool,
}

impl SchemaChange {
    /// Set if a statement of this class may change the schema (a procedure may hide DDL), or is a write that
    /// can't be fenced because nothing is known of the schema.
    pub(crate) fn by(shared: &Arc<Shared>, class: &Class) -> Option<Self> {
        let may = matches!(class, Class::Schema | Class::Session | Class::Unknown);
        if may { Some(SchemaChange::of(shared)) } else { SchemaChange::unnamed(shared) }
    }

    /// Set if a write can't be fenced because nothing is known of the schema.
    pub(crate) fn unnamed(shared: &Arc<Shared>) -> Option<Self> {
        (!shared.names_cells()).then(|| SchemaChange::of(shared))
    }

    /// The write's cells have got names meanwhile, and are fenced.
    pub(crate) fn is_named(&mut self) {
        self.unnamed = false;
    }

    /// Set in any case.
    pub(crate) fn of(shared: &Arc<Shared>) -> Self {
        SchemaChange { shared: shared.clone(), unnamed: !shared.names_cells() }
    }
}

impl Drop for SchemaChange {
    fn drop(&mut self) {
        if self.unnamed {
            self.shared.unnamed_writes.fetch_add(1, Ordering::AcqRel);
        }
        self.shared.forget();
    }
}

/// Places a fence.
///
/// # Errors
/// [`DbErr::Custom`] under the policy `Refuse` when the store can't be reached, or nothing is known of the schema.
pub(crate) async fn fence(shared: &Shared, mut affected: Affected) -> Result<Fence, DbErr> {
    names_what_it_changes(shared)?;
    if shared.session.is_changed() {
        // Whatever was written before may be committed by what comes now.
        affected.merge(affected::everything(shared, shared.known().as_deref()));
    }
    shared.cache.fence(affected).await.map_err(|refused| DbErr::Custom(refused.to_string()))
}

/// Refuses a write of which nobody knows what it invalidates, because nothing is known of the schema: if any table's
/// policy is to refuse, for it may be that table.
///
/// # Errors
/// [`DbErr::Custom`].
pub(crate) fn names_what_it_changes(shared: &Shared) -> Result<(), DbErr> {
    let of_entities = shared.registry.entities.iter().filter_map(|entity| entity.policy.when_unreachable);
    let strictest = of_entities.chain([shared.cache.settings().unreachable]).max();
    if !shared.names_cells() && shared.reach == Reach::Shared && strictest == Some(Unreachable::Refuse) {
        let text = "the write was refused because the database's schema could not be read, which tells what it \
            invalidates";
        return Err(DbErr::Custom(text.to_owned()));
    }
    Ok(())
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

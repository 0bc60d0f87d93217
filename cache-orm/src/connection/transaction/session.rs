//! One level of a transaction, and how its calls reach the database: one at a time, and each to its end.

use std::{future::Future, pin::Pin, sync::Arc, task::Waker};

use sea_orm::{DatabaseTransaction, DbErr, TransactionOptions, TransactionTrait};
use tokio::runtime::Handle as Runtime;

use crate::{
    connection::transaction::journal::{Journal, Level},
    context::{Context, extent},
    shield::Caller,
    spans, write,
};

/// SeaORM's handle of a transaction or a savepoint.
///
/// A call whose caller vanishes goes on, and the next call of any level waits for it: the driver would leave a
/// savepoint open, undo the whole transaction, or take the answer to one statement for that to the next.
pub(in crate::connection) struct Session {
    shared: Arc<Context>,
    journal: Arc<Journal>,
    /// Where the transaction began.
    runtime: Option<Runtime>,
    /// `None` once it is being ended.
    handle: Option<Handle>,
}

/// What ends with the level.
struct Handle {
    inner: Arc<DatabaseTransaction>,
    level: Level,
}

/// What a call needs to go on without its caller.
pub(super) struct Calls {
    pub(super) inner: Arc<DatabaseTransaction>,
    pub(super) shared: Arc<Context>,
    pub(super) journal: Arc<Journal>,
    caller: Caller,
}

impl Session {
    /// The transaction itself.
    pub(super) fn outermost(inner: DatabaseTransaction, shared: Arc<Context>) -> Self {
        let journal = Arc::new(Journal::new(&shared));
        Session::at(inner, shared, journal)
    }

    fn at(inner: DatabaseTransaction, shared: Arc<Context>, journal: Arc<Journal>) -> Self {
        let handle = Handle { inner: Arc::new(inner), level: Level::open(&journal) };
        Session { shared, journal, runtime: Runtime::try_current().ok(), handle: Some(handle) }
    }

    pub(in crate::connection) fn shared(&self) -> &Arc<Context> {
        &self.shared
    }

    pub(super) fn is_last(&self) -> bool {
        self.handle.as_ref().is_some_and(|handle| handle.level.is_last())
    }

    /// For what borrows it: streams, and what does not go to the database.
    pub(in crate::connection) fn inner(&self) -> &DatabaseTransaction {
        &self.handle().inner
    }

    fn handle(&self) -> &Handle {
        self.handle.as_ref().expect("it is ended by value")
    }

    /// Makes a call when those before it have ended. If the caller vanishes before that, it is not made.
    pub(super) async fn call<T: 'static, W>(
        &self,
        call: impl FnOnce(Calls) -> W + Send + 'static,
    ) -> Result<T, DbErr>
    where
        W: Future<Output = Result<T, DbErr>> + Send + 'static,
    {
        let inner = self.handle().inner.clone();
        let (shared, journal) = (self.shared.clone(), self.journal.clone());
        let made = self.shared.shields.raise(|caller| async move {
            let _turn = journal.turn().await;
            // Let go before the turn is: whoever has it next may want the handle for itself.
            let calls = Calls { inner, shared, journal, caller };
            if calls.caller.is_gone() {
                return Err(write::unheard());
            }
            call(calls).await
        });
        made.await
    }

    /// Opens a savepoint.
    pub(super) async fn begin(&self, options: TransactionOptions) -> Result<Session, DbErr> {
        let begun = self.call(move |Calls { inner, shared, journal, caller }| async move {
            // An error, or a runtime that ends, rolls the whole transaction back, and what is sent afterwards
            // commits by itself.
            journal.savepoint_asked_for();
            let savepoint = inner.begin_with_options(options).await?;
            journal.savepoint_opened();
            if caller.is_gone() {
                // Undone before anybody else has the turn.
                return Err(write::unheard());
            }
            Ok(Session::at(savepoint, shared, journal))
        });
        begun.await
    }

    /// Fences what was written if this is the last level, then commits.
    pub(super) async fn commit(mut self) -> Result<(), DbErr> {
        let Some(handle) = self.handle.take() else { return Ok(()) };
        let (shared, journal) = (self.shared.clone(), self.journal.clone());
        let committed = self.shared.shields.raise(|_| async move {
            let _turn = journal.turn().await;
            let (inner, level) = handle.alone();
            if !level.is_last() {
                return inner.commit().await;
            }
            journal.judge(&shared, &inner).await;
            let mut generation = journal.generation();
            if journal.is_blind() {
                shared.learn_names(&inner).await;
                journal.record(extent::everything(&shared, shared.last().as_deref()));
            }
            if shared.session.is_changed() {
                // It may commit what others have written.
                generation = generation.or(Some(None));
            }
            let is_named = shared.names_cells();
            let fence = match generation {
                Some(generation) => {
                    Some(write::fence_in_transaction(&shared, generation, journal.unfenced()).await?)
                }
                None => None,
            };
            if is_named {
                journal.is_named();
            }
            let result = inner.commit().await;
            journal.end(fence, &result).await;
            result
        });
        spans::write(committed).await
    }

    /// Undoes the level.
    pub(super) async fn rollback(mut self) -> Result<(), DbErr> {
        let Some(handle) = self.handle.take() else { return Ok(()) };
        let journal = self.journal.clone();
        let undone = self.shared.shields.raise(|_| async move {
            let _turn = journal.turn().await;
            let (inner, level) = handle.alone();
            let result = inner.rollback().await;
            if level.is_last() {
                journal.end(None, &result).await;
            }
            result
        });
        undone.await
    }
}

impl Handle {
    /// By value. Whoever has the turn is the only one who holds it.
    fn alone(self) -> (DatabaseTransaction, Level) {
        let inner = Arc::into_inner(self.inner).expect("calls hold it while they have the turn");
        (inner, self.level)
    }
}

/// Rolls the level back when the calls before have ended: usually at once.
impl Drop for Session {
    fn drop(&mut self) {
        let Some(handle) = self.handle.take() else { return };
        // The driver needs a runtime to return the connection to the pool.
        let _entered = self.runtime.as_ref().map(Runtime::enter);
        let journal = self.journal.clone();
        let mut end = self.shared.shields.raise(|_| async move {
            let _turn = journal.turn().await;
            drop(handle);
        });
        // Stands in line from now on: what is called afterwards finds the level undone.
        let _ = Pin::new(&mut end).poll(&mut std::task::Context::from_waker(Waker::noop()));
    }
}

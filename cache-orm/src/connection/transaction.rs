//! Transactions: reads go to the database, writes are noted in a journal, and the fences are placed right
//! before COMMIT, so that a transaction that idles blocks nobody.

use std::{
    fmt,
    future::Future,
    pin::Pin,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
};

use cache_core::fence::{Affected, Fence};
use sea_orm::{
    AccessMode, ConnectionTrait, DatabaseTransaction, DbBackend, DbErr, ExecResult, IsolationLevel,
    QueryResult, Statement, StatementBuilder, TransactionError, TransactionOptions, TransactionSession,
    TransactionTrait, Values,
};

use crate::{
    classify::{Class, ends_with_transaction, reason::BypassReason},
    connection::{Shared, query::Route},
    write::{self, Answer, Plan, SchemaChange, Wanted},
};

/// An open transaction or savepoint of a [`CachedConnection`](super::CachedConnection). A drop-in for
/// [`DatabaseTransaction`].
///
/// Dropped without commit or rollback, it rolls back.
pub struct CachedTransaction {
    pub(super) inner: DatabaseTransaction,
    pub(super) shared: Arc<Shared>,
    journal: Arc<Journal>,
    level: Level,
}

/// What a transaction and its savepoints have written. A savepoint that is rolled back leaves its notes
/// behind: its rows are invalidated although they did not change.
struct Journal {
    affected: Mutex<Affected>,
    /// What each statement changes at most that has not told its rows yet, or never will: its caller vanished,
    /// or it failed.
    undecided: Mutex<Vec<Option<Affected>>>,
    /// Fences placed before the commit, for statements that may commit by themselves, and what they mark.
    early: Mutex<Vec<Fence>>,
    fenced: Mutex<Affected>,
    /// Such a statement was sent: whatever follows may commit at once too.
    may_commit_early: AtomicBool,
    /// Forgets the schema when the transaction is over, however it ends.
    change: Mutex<Option<SchemaChange>>,
    /// The transaction itself and its open savepoints.
    levels: AtomicUsize,
}

/// One level of a transaction. Whichever handle ends at the last level ends the transaction: the database does
/// not care which of them it was.
struct Level(Arc<Journal>);

impl Level {
    fn open(journal: &Arc<Journal>) -> Self {
        journal.levels.fetch_add(1, Ordering::AcqRel);
        Level(journal.clone())
    }

    fn is_last(&self) -> bool {
        self.0.levels.load(Ordering::Acquire) == 1
    }
}

impl Drop for Level {
    fn drop(&mut self) {
        self.0.levels.fetch_sub(1, Ordering::AcqRel);
    }
}

impl CachedTransaction {
    pub(super) fn outermost(inner: DatabaseTransaction, shared: Arc<Shared>) -> Self {
        let journal = Arc::new(Journal::new(&shared));
        CachedTransaction::at(inner, shared, journal)
    }

    fn at(inner: DatabaseTransaction, shared: Arc<Shared>, journal: Arc<Journal>) -> Self {
        CachedTransaction { inner, shared, level: Level::open(&journal), journal }
    }

    /// Fences what was written, then commits.
    ///
    /// # Errors
    /// The database's own. [`DbErr::Custom`] under the policy `Refuse` when the store can't be reached: the
    /// transaction is rolled back then.
    ///
    /// # Cancel safety
    /// Dropped midway, the outcome is unknown and the fences are left to expire.
    pub async fn commit(self) -> Result<(), DbErr> {
        if !self.level.is_last() {
            return self.inner.commit().await;
        }
        let fence = write::fence(&self.shared, self.journal.unfenced()).await?;
        let result = self.inner.commit().await;
        self.journal.end(Some(fence), &result).await;
        result
    }

    /// Rolls back.
    ///
    /// # Errors
    /// The database's own.
    ///
    /// # Cancel safety
    /// Dropped midway, the database rolls back all the same.
    pub async fn rollback(self) -> Result<(), DbErr> {
        let result = self.inner.rollback().await;
        if self.level.is_last() {
            self.journal.end(None, &result).await;
        }
        result
    }

    /// The SQL dialect. Inherent, because two traits that this type implements offer it.
    pub fn get_database_backend(&self) -> DbBackend {
        self.shared.backend
    }

    /// Runs the function inside a savepoint: keeps its effects if it returns `Ok`, else undoes them.
    ///
    /// # Errors
    /// The function's, or the database's.
    pub async fn transaction_async<F, T, E>(&self, callback: F) -> Result<T, TransactionError<E>>
    where
        F: for<'c> AsyncFnOnce(&'c CachedTransaction) -> Result<T, E> + Send,
        T: Send,
        E: fmt::Display + fmt::Debug + Send,
    {
        self.begin().await?.run_async(callback).await
    }

    /// The same with an isolation level and an access mode.
    ///
    /// # Errors
    /// The function's, or the database's.
    pub async fn transaction_with_config_async<F, T, E>(
        &self,
        callback: F,
        isolation_level: Option<IsolationLevel>,
        access_mode: Option<AccessMode>,
    ) -> Result<T, TransactionError<E>>
    where
        F: for<'c> AsyncFnOnce(&'c CachedTransaction) -> Result<T, E> + Send,
        T: Send,
        E: fmt::Display + fmt::Debug + Send,
    {
        self.begin_with_config(isolation_level, access_mode).await?.run_async(callback).await
    }

    pub(super) async fn run<F, T, E>(self, callback: F) -> Result<T, TransactionError<E>>
    where
        F: for<'c> FnOnce(&'c CachedTransaction) -> Pin<Box<dyn Future<Output = Result<T, E>> + Send + 'c>>
            + Send,
        T: Send,
        E: fmt::Display + fmt::Debug + Send,
    {
        let result = callback(&self).await;
        self.finish(result).await
    }

    pub(super) async fn run_async<F, T, E>(self, callback: F) -> Result<T, TransactionError<E>>
    where
        F: for<'c> AsyncFnOnce(&'c CachedTransaction) -> Result<T, E> + Send,
        T: Send,
        E: fmt::Display + fmt::Debug + Send,
    {
        let result = callback(&self).await;
        self.finish(result).await
    }

    async fn finish<T, E>(self, result: Result<T, E>) -> Result<T, TransactionError<E>>
    where
        E: fmt::Display + fmt::Debug,
    {
        match result {
            Ok(value) => {
                self.commit().await?;
                Ok(value)
            }
            Err(error) => {
                self.rollback().await?;
                Err(TransactionError::Transaction(error))
            }
        }
    }

    /// Notes what a statement will change, before it is sent as it is.
    pub(super) async fn prepare(&self, sql: &str, values: Option<&Values>) -> Result<(), DbErr> {
        match self.write(sql) {
            Some(class) => self.note(&class, values).await,
            None => Ok(()),
        }
    }

    /// What a statement does, if it is a write.
    fn write(&self, sql: &str) -> Option<Arc<Class>> {
        match self.shared.route(sql) {
            Route::Cached(shape) => {
                shape.entity.group.bypasses.count(BypassReason::InTransaction);
                None
            }
            Route::Read => None,
            Route::Write(class)
                if *class == Class::Session && ends_with_transaction(sql, self.shared.backend) =>
            {
                None
            }
            Route::Write(class) => Some(class),
        }
    }

    /// Runs a write that tells its rows itself, and notes them. Hands the statement back if this is none, once
    /// what it will change has been noted.
    async fn run_exactly(&self, statement: Statement, wanted: Wanted) -> Result<Ran, DbErr> {
        let Some(class) = self.write(&statement.sql) else { return Ok(Ran::Not(statement)) };
        let knowledge = self.shared.known();
        let plan = knowledge.and_then(|knowledge| Plan::of(&self.shared, &knowledge, &class, &statement));
        if let Some(plan) = plan {
            let number = self.journal.open(plan.at_most().clone());
            // Asked now: whatever may commit from here on fences what is undecided.
            if !self.journal.may_commit_early.load(Ordering::Acquire) {
                let run = plan.run_in(&self.inner, &self.shared, statement, wanted);
                let (answer, affected) = run.await?;
                self.journal.close(number, affected);
                return Ok(Ran::Exactly(answer));
            }
        }
        self.note(&class, statement.values.as_ref()).await?;
        Ok(Ran::Not(statement))
    }

    async fn note(&self, class: &Class, values: Option<&Values>) -> Result<(), DbErr> {
        let knowledge = self.shared.known();
        let affected = write::affected::by(&self.shared, knowledge.as_deref(), class, values);
        lock(&self.journal.affected).merge(affected);
        write::note(&self.shared, class);
        if let Some(change) = SchemaChange::by(&self.shared, class) {
            *lock(&self.journal.change) = Some(change);
        }
        // A raw COMMIT or a procedure ends the transaction behind our back; so does DDL on MySQL.
        let commits = match class {
            Class::Session | Class::Unknown => true,
            Class::Schema => self.shared.backend == DbBackend::MySql,
            Class::Read(_) | Class::Write(_) => false,
        };
        if commits {
            self.journal.may_commit_early.store(true, Ordering::Release);
        }
        if self.journal.may_commit_early.load(Ordering::Acquire) {
            let unfenced = self.journal.unfenced();
            if !unfenced.is_empty() {
                let fence = write::fence(&self.shared, unfenced.clone()).await?;
                lock(&self.journal.early).push(fence);
                lock(&self.journal.fenced).merge(unfenced);
            }
        }
        Ok(())
    }
}

/// Whether a statement has run.
enum Ran {
    Exactly(Answer),
    Not(Statement),
}

impl Journal {
    fn new(shared: &Shared) -> Self {
        let nothing = || Mutex::new(write::affected::nothing(shared));
        Journal {
            affected: nothing(),
            undecided: Mutex::default(),
            early: Mutex::default(),
            fenced: nothing(),
            may_commit_early: AtomicBool::new(false),
            change: Mutex::default(),
            levels: AtomicUsize::new(0),
        }
    }

    /// A statement is about to change this at most. The answer names it.
    fn open(&self, at_most: Affected) -> usize {
        let mut undecided = lock(&self.undecided);
        undecided.push(Some(at_most));
        undecided.len() - 1
    }

    /// The statement has changed exactly this.
    fn close(&self, number: usize, affected: Affected) {
        let mut undecided = lock(&self.undecided);
        lock(&self.affected).merge(affected);
        if let Some(statement) = undecided.get_mut(number) {
            *statement = None;
        }
        while undecided.last().is_some_and(Option::is_none) {
            undecided.pop();
        }
    }

    /// What was written and is not fenced yet.
    fn unfenced(&self) -> Affected {
        let undecided = lock(&self.undecided);
        let mut affected = lock(&self.affected).clone();
        undecided.iter().flatten().for_each(|at_most| affected.merge(at_most.clone()));
        affected.beyond(&lock(&self.fenced))
    }

    /// The transaction has ended, or nobody knows whether it has.
    async fn end<T>(&self, last: Option<Fence>, result: &Result<T, DbErr>) {
        drop(lock(&self.change).take());
        let early = std::mem::take(&mut *lock(&self.early));
        if write::is_known(result) {
            for fence in early.into_iter().chain(last) {
                fence.release().await;
            }
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[async_trait::async_trait]
#[deny(clippy::missing_trait_methods)]
impl ConnectionTrait for CachedTransaction {
    fn get_database_backend(&self) -> DbBackend {
        self.shared.backend
    }

    async fn execute_raw(&self, statement: Statement) -> Result<ExecResult, DbErr> {
        match self.run_exactly(statement, Wanted::Count).await? {
            Ran::Exactly(answer) => answer.into_exec_result(),
            Ran::Not(statement) => self.inner.execute_raw(statement).await,
        }
    }

    async fn execute<S: StatementBuilder>(&self, statement: &S) -> Result<ExecResult, DbErr> {
        self.execute_raw(self.shared.backend.build(statement)).await
    }

    async fn execute_unprepared(&self, sql: &str) -> Result<ExecResult, DbErr> {
        self.prepare(sql, None).await?;
        self.inner.execute_unprepared(sql).await
    }

    async fn query_one_raw(&self, statement: Statement) -> Result<Option<QueryResult>, DbErr> {
        match self.run_exactly(statement, Wanted::Rows).await? {
            Ran::Exactly(answer) => Ok(answer.rows.into_iter().next()),
            Ran::Not(statement) => self.inner.query_one_raw(statement).await,
        }
    }

    async fn query_one<S: StatementBuilder>(&self, statement: &S) -> Result<Option<QueryResult>, DbErr> {
        self.query_one_raw(self.shared.backend.build(statement)).await
    }

    async fn query_all_raw(&self, statement: Statement) -> Result<Vec<QueryResult>, DbErr> {
        match self.run_exactly(statement, Wanted::Rows).await? {
            Ran::Exactly(answer) => Ok(answer.rows),
            Ran::Not(statement) => self.inner.query_all_raw(statement).await,
        }
    }

    async fn query_all<S: StatementBuilder>(&self, statement: &S) -> Result<Vec<QueryResult>, DbErr> {
        self.query_all_raw(self.shared.backend.build(statement)).await
    }

    fn support_returning(&self) -> bool {
        self.inner.support_returning()
    }

    fn is_mock_connection(&self) -> bool {
        self.inner.is_mock_connection()
    }
}

#[async_trait::async_trait]
#[deny(clippy::missing_trait_methods)]
impl TransactionTrait for CachedTransaction {
    type Transaction = CachedTransaction;

    async fn begin(&self) -> Result<CachedTransaction, DbErr> {
        self.begin_with_options(TransactionOptions::default()).await
    }

    async fn begin_with_config(
        &self,
        isolation_level: Option<IsolationLevel>,
        access_mode: Option<AccessMode>,
    ) -> Result<CachedTransaction, DbErr> {
        self.begin_with_options(TransactionOptions { isolation_level, access_mode, ..Default::default() })
            .await
    }

    async fn begin_with_options(&self, options: TransactionOptions) -> Result<CachedTransaction, DbErr> {
        let inner = self.inner.begin_with_options(options).await?;
        Ok(CachedTransaction::at(inner, self.shared.clone(), self.journal.clone()))
    }

    async fn transaction<F, T, E>(&self, callback: F) -> Result<T, TransactionError<E>>
    where
        F: for<'c> FnOnce(&'c CachedTransaction) -> Pin<Box<dyn Future<Output = Result<T, E>> + Send + 'c>>
            + Send,
        T: Send,
        E: fmt::Display + fmt::Debug + Send,
    {
        self.begin().await?.run(callback).await
    }

    async fn transaction_with_config<F, T, E>(
        &self,
        callback: F,
        isolation_level: Option<IsolationLevel>,
        access_mode: Option<AccessMode>,
    ) -> Result<T, TransactionError<E>>
    where
        F: for<'c> FnOnce(&'c CachedTransaction) -> Pin<Box<dyn Future<Output = Result<T, E>> + Send + 'c>>
            + Send,
        T: Send,
        E: fmt::Display + fmt::Debug + Send,
    {
        self.begin_with_config(isolation_level, access_mode).await?.run(callback).await
    }
}

#[async_trait::async_trait]
impl TransactionSession for CachedTransaction {
    async fn commit(self) -> Result<(), DbErr> {
        CachedTransaction::commit(self).await
    }

    async fn rollback(self) -> Result<(), DbErr> {
        CachedTransaction::rollback(self).await
    }
}

impl fmt::Debug for CachedTransaction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CachedTransaction")
            .field("is_last_level", &self.level.is_last())
            .finish_non_exhaustive()
    }
}

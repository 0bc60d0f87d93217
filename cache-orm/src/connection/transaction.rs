//! Transactions: reads go to the database, writes are noted in a journal, and the fences are placed right
//! before COMMIT, so that a transaction that idles blocks nobody.

mod journal;

use std::{fmt, future::Future, pin::Pin, sync::Arc};

use sea_orm::{
    AccessMode, ConnectionTrait, DatabaseTransaction, DbBackend, DbErr, ExecResult, IsolationLevel,
    QueryResult, Statement, StatementBuilder, TransactionError, TransactionOptions, TransactionSession,
    TransactionTrait, Values,
};

use crate::{
    classify::{Class, ends_with_transaction, reason::BypassReason},
    connection::{Shared, query::Route},
    write::{self, Answer, Asked, Plan, SchemaChange},
};

use journal::{Journal, Level};

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
        let fence = match self.journal.generation() {
            Some(known) => {
                Some(write::fence_in_transaction(&self.shared, known, self.journal.unfenced()).await?)
            }
            None => None,
        };
        let result = self.inner.commit().await;
        self.journal.end(fence, &result).await;
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
            Route::Cached(read) => {
                read.entity().group.bypasses.count(BypassReason::InTransaction);
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
    async fn run_exactly(&self, statement: Statement, asked: Asked) -> Result<Ran, DbErr> {
        let Some(class) = self.write(&statement.sql) else { return Ok(Ran::Not(statement)) };
        let knowledge = self.shared.known();
        let plan = knowledge.and_then(|knowledge| Plan::of(&self.shared, &knowledge, &class, &statement));
        if let Some(plan) = plan {
            self.journal.goes_by(plan.generation());
            let number = self.journal.open(plan.at_most().clone());
            // Asked now: whatever may commit from here on fences what is undecided.
            if !self.journal.may_commit_early() {
                let run = plan.run_in(&self.inner, &self.shared, statement, asked);
                let (answer, affected) = run.await?;
                self.journal.close(number, affected);
                return Ok(Ran::Exactly(answer));
            }
            self.journal.close(number, plan.at_most().clone());
        }
        self.note(&class, statement.values.as_ref()).await?;
        Ok(Ran::Not(statement))
    }

    async fn note(&self, class: &Class, values: Option<&Values>) -> Result<(), DbErr> {
        let knowledge = self.shared.known();
        let affected = write::affected::by(&self.shared, knowledge.as_deref(), class, values);
        self.journal.goes_by(knowledge.and_then(|knowledge| knowledge.generation()));
        self.journal.note(affected);
        write::note(&self.shared, class);
        if let Some(change) = SchemaChange::by(&self.shared, class) {
            self.journal.forgets(change);
        }
        // A raw COMMIT or a procedure ends the transaction behind our back; so does DDL on MySQL.
        let commits = match class {
            Class::Session | Class::Unknown => true,
            Class::Schema => self.shared.backend == DbBackend::MySql,
            Class::Read(_) | Class::Write(_) => false,
        };
        if commits {
            self.journal.commits_early();
        }
        if self.journal.may_commit_early() {
            let unfenced = self.journal.unfenced();
            if !unfenced.is_empty() {
                let known = self.journal.generation().flatten();
                let fence = write::fence_in_transaction(&self.shared, known, unfenced.clone()).await?;
                self.journal.keep(fence, unfenced);
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

#[async_trait::async_trait]
#[deny(clippy::missing_trait_methods)]
impl ConnectionTrait for CachedTransaction {
    fn get_database_backend(&self) -> DbBackend {
        self.shared.backend
    }

    async fn execute_raw(&self, statement: Statement) -> Result<ExecResult, DbErr> {
        match self.run_exactly(statement, Asked::Count).await? {
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
        match self.run_exactly(statement, Asked::Rows).await? {
            Ran::Exactly(answer) => Ok(answer.rows.into_iter().next()),
            Ran::Not(statement) => self.inner.query_one_raw(statement).await,
        }
    }

    async fn query_one<S: StatementBuilder>(&self, statement: &S) -> Result<Option<QueryResult>, DbErr> {
        self.query_one_raw(self.shared.backend.build(statement)).await
    }

    async fn query_all_raw(&self, statement: Statement) -> Result<Vec<QueryResult>, DbErr> {
        match self.run_exactly(statement, Asked::Rows).await? {
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
        match self.inner.begin_with_options(options).await {
            Ok(inner) => Ok(CachedTransaction::at(inner, self.shared.clone(), self.journal.clone())),
            Err(error) => {
                // SeaORM rolls the whole transaction back then, and what is sent afterwards commits by itself.
                self.journal.commits_early();
                Err(error)
            }
        }
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

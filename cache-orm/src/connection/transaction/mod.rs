//! Transactions: reads go to the database, writes are noted in a journal, and the fences are placed right
//! before COMMIT, so that a transaction that idles blocks nobody.

mod calls;

mod journal;

mod session;

use std::{fmt, future::Future, pin::Pin, sync::Arc};

use sea_orm::{
    AccessMode, ConnectionTrait, DatabaseTransaction, DbBackend, DbErr, ExecResult, IsolationLevel,
    QueryResult, Statement, StatementBuilder, TransactionError, TransactionOptions, TransactionSession,
    TransactionTrait,
};

use crate::context::Context;

use session::Session;

/// An open transaction or savepoint of a [`CachedConnection`](super::CachedConnection). A drop-in for
/// [`DatabaseTransaction`].
///
/// Dropped without commit or rollback, it rolls back.
///
/// # Cancel safety
/// A call that was sent runs to its end though its caller is gone, and the next call waits for it: the database's
/// session is never left in the midst of one. A statement that waits for its turn when its caller vanishes is not
/// sent; a savepoint that nobody was told of is undone. If the runtime ends as well, the connection is closed, not
/// returned to the pool. (A stream borrows the transaction and ends with its caller.)
pub struct CachedTransaction {
    pub(super) session: Session,
}

impl CachedTransaction {
    pub(super) fn outermost(inner: DatabaseTransaction, shared: Arc<Context>) -> Self {
        CachedTransaction { session: Session::outermost(inner, shared) }
    }

    /// Fences what was written, then commits.
    ///
    /// # Errors
    /// The database's own. [`CacheErr`](crate::CacheErr) under the policy `Refuse` when the store can't be reached: the
    /// transaction is rolled back then.
    ///
    /// # Cancel safety
    /// Dropped midway, the commit goes on without its caller.
    pub async fn commit(self) -> Result<(), DbErr> {
        self.session.commit().await
    }

    /// Rolls back.
    ///
    /// # Errors
    /// The database's own.
    ///
    /// # Cancel safety
    /// Dropped midway, the rollback goes on without its caller.
    pub async fn rollback(self) -> Result<(), DbErr> {
        self.session.rollback().await
    }

    /// The SQL dialect. Inherent, because two traits that this type implements offer it.
    pub fn get_database_backend(&self) -> DbBackend {
        self.session.shared().backend
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
}

#[async_trait::async_trait]
#[deny(clippy::missing_trait_methods)]
impl ConnectionTrait for CachedTransaction {
    fn get_database_backend(&self) -> DbBackend {
        self.session.shared().backend
    }

    async fn execute_raw(&self, statement: Statement) -> Result<ExecResult, DbErr> {
        self.session.call(|calls| calls.execute(statement)).await
    }

    async fn execute<S: StatementBuilder>(&self, statement: &S) -> Result<ExecResult, DbErr> {
        self.execute_raw(self.session.shared().backend.build(statement)).await
    }

    async fn execute_unprepared(&self, sql: &str) -> Result<ExecResult, DbErr> {
        let sql = sql.to_owned();
        self.session.call(|calls| calls.execute_unprepared(sql)).await
    }

    async fn query_one_raw(&self, statement: Statement) -> Result<Option<QueryResult>, DbErr> {
        self.session.call(|calls| calls.query_one(statement)).await
    }

    async fn query_one<S: StatementBuilder>(&self, statement: &S) -> Result<Option<QueryResult>, DbErr> {
        self.query_one_raw(self.session.shared().backend.build(statement)).await
    }

    async fn query_all_raw(&self, statement: Statement) -> Result<Vec<QueryResult>, DbErr> {
        self.session.call(|calls| calls.query_all(statement)).await
    }

    async fn query_all<S: StatementBuilder>(&self, statement: &S) -> Result<Vec<QueryResult>, DbErr> {
        self.query_all_raw(self.session.shared().backend.build(statement)).await
    }

    fn support_returning(&self) -> bool {
        self.session.inner().support_returning()
    }

    fn is_mock_connection(&self) -> bool {
        self.session.inner().is_mock_connection()
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
        Ok(CachedTransaction { session: self.session.begin(options).await? })
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
#[deny(clippy::missing_trait_methods)]
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
            .field("is_last_level", &self.session.is_last())
            .finish_non_exhaustive()
    }
}

//! Statements: where each goes. The only junction between the connection and the rooms behind it.

use std::sync::Arc;

use sea_orm::{
    AccessMode, ConnectionTrait, DbBackend, DbErr, ExecResult, IsolationLevel, QueryResult, Statement,
    StatementBuilder, TransactionError, TransactionOptions, TransactionTrait,
};

use crate::{
    classify::{Class, ReadKind, reason::BypassReason},
    connection::{CachedConnection, CachedTransaction, Shared},
    read::{self, Door},
    registry::Recognised,
    write,
};

/// Where a statement goes.
pub(crate) enum Route<'s> {
    /// One of the reads that are answered from the cache.
    Cached(Recognised<'s>),
    /// Another read: to the database.
    Read,
    /// Everything else: fence, then to the database.
    Write(Arc<Class>),
}

impl Shared {
    /// Finds the way of a statement by its text.
    pub(crate) fn route(&self, sql: &str) -> Route<'_> {
        if let Some(read) = self.registry.read(sql) {
            return Route::Cached(read);
        }
        let class = self.classes.of(sql);
        match &*class {
            Class::Read(kind) => {
                self.notice_read(sql);
                self.bypasses.count(match kind {
                    ReadKind::Locking => BypassReason::Locking,
                    ReadKind::Select | ReadKind::Other => BypassReason::NotAKeyLookup,
                });
                Route::Read
            }
            _ => Route::Write(class),
        }
    }
}

#[async_trait::async_trait]
#[deny(clippy::missing_trait_methods)]
impl ConnectionTrait for CachedConnection {
    fn get_database_backend(&self) -> DbBackend {
        self.shared.backend
    }

    async fn execute_raw(&self, statement: Statement) -> Result<ExecResult, DbErr> {
        let db = &self.shared.db;
        match self.shared.route(&statement.sql) {
            // The rows of a read that is executed are thrown away: nothing to answer.
            Route::Cached(_) | Route::Read => db.execute_raw(statement).await,
            Route::Write(class) => write::execute(&self.shared, &class, statement).await,
        }
    }

    async fn execute<S: StatementBuilder>(&self, statement: &S) -> Result<ExecResult, DbErr> {
        self.execute_raw(self.shared.backend.build(statement)).await
    }

    async fn execute_unprepared(&self, sql: &str) -> Result<ExecResult, DbErr> {
        let db = &self.shared.db;
        match self.shared.route(sql) {
            Route::Cached(_) | Route::Read => db.execute_unprepared(sql).await,
            Route::Write(class) => write::execute_unprepared(&self.shared, &class, sql).await,
        }
    }

    async fn query_one_raw(&self, statement: Statement) -> Result<Option<QueryResult>, DbErr> {
        let db = &self.shared.db;
        match self.shared.route(&statement.sql) {
            Route::Cached(read) => {
                let rows = read::answer(self, read, statement, Door::One).await?;
                Ok(rows.into_iter().next())
            }
            Route::Read => db.query_one_raw(statement).await,
            Route::Write(class) => {
                let rows = write::query(&self.shared, &class, statement).await?;
                Ok(rows.into_iter().next())
            }
        }
    }

    async fn query_one<S: StatementBuilder>(&self, statement: &S) -> Result<Option<QueryResult>, DbErr> {
        self.query_one_raw(self.shared.backend.build(statement)).await
    }

    async fn query_all_raw(&self, statement: Statement) -> Result<Vec<QueryResult>, DbErr> {
        let db = &self.shared.db;
        match self.shared.route(&statement.sql) {
            Route::Cached(read) => read::answer(self, read, statement, Door::All).await,
            Route::Read => db.query_all_raw(statement).await,
            Route::Write(class) => write::query(&self.shared, &class, statement).await,
        }
    }

    async fn query_all<S: StatementBuilder>(&self, statement: &S) -> Result<Vec<QueryResult>, DbErr> {
        self.query_all_raw(self.shared.backend.build(statement)).await
    }

    fn support_returning(&self) -> bool {
        self.shared.db.support_returning()
    }

    fn is_mock_connection(&self) -> bool {
        self.shared.db.is_mock_connection()
    }
}

#[async_trait::async_trait]
#[deny(clippy::missing_trait_methods)]
impl TransactionTrait for CachedConnection {
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
        // Learned before the transaction holds what may be the pool's only connection.
        self.shared.knowledge().await;
        let fence = write::before_begin(&self.shared).await?;
        let begun = self.shared.db.begin_with_options(options).await;
        if let Some(fence) = fence {
            write::settle(None, fence, &begun).await;
        }
        Ok(CachedTransaction::outermost(begun?, self.shared.clone()))
    }

    async fn transaction<F, T, E>(&self, callback: F) -> Result<T, TransactionError<E>>
    where
        F: for<'c> FnOnce(
                &'c CachedTransaction,
            )
                -> std::pin::Pin<Box<dyn std::future::Future<Output = Result<T, E>> + Send + 'c>>
            + Send,
        T: Send,
        E: std::fmt::Display + std::fmt::Debug + Send,
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
        F: for<'c> FnOnce(
                &'c CachedTransaction,
            )
                -> std::pin::Pin<Box<dyn std::future::Future<Output = Result<T, E>> + Send + 'c>>
            + Send,
        T: Send,
        E: std::fmt::Display + std::fmt::Debug + Send,
    {
        self.begin_with_config(isolation_level, access_mode).await?.run(callback).await
    }
}

//! Statements: where each goes. The only junction between the connection and the rooms behind it.

use std::sync::Arc;

use sea_orm::{
    AccessMode, ConnectionTrait, DbBackend, DbErr, ExecResult, IsolationLevel, QueryResult, Statement,
    StatementBuilder, TransactionError, TransactionOptions, TransactionTrait,
};

use crate::{
    classify::{Class, ReadClass, reason::BypassReason},
    connection::{CachedConnection, CachedTransaction},
    context::Context,
    read::{self, QueryMethod},
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

impl Context {
    /// Finds the way of a statement by its text.
    pub(crate) fn route(&self, sql: &str) -> Route<'_> {
        match self.registry.read(sql) {
            Some(read) => Route::Cached(read),
            None => self.route_by_class(sql),
        }
    }

    fn route_by_class(&self, sql: &str) -> Route<'_> {
        let class = self.classes.of(sql);
        let class = self.widened(&class, sql).unwrap_or(class);
        match &*class {
            Class::Read(kind) => {
                self.warn_unregistered_read(sql);
                let reason = reason_of(*kind);
                self.bypasses.count(reason);
                tracing::debug!(%reason, "bypass");
                Route::Read
            }
            _ => Route::Write(class),
        }
    }

    /// The same, when the schema is known or the database could not be asked: what reads by its text may write through
    /// a view.
    pub(crate) async fn route_learned(self: &Arc<Self>, sql: &str) -> Route<'_> {
        match self.registry.read(sql) {
            Some(read) => Route::Cached(read),
            None => {
                self.learn_what_writes().await;
                self.route_by_class(sql)
            }
        }
    }

    /// The same for a statement whose answer can't come from the cache.
    pub(crate) async fn route_past(self: &Arc<Self>, sql: &str) -> Route<'_> {
        self.learn_what_writes().await;
        match self.route(sql) {
            Route::Cached(_) => self.writing(sql).map_or(Route::Read, Route::Write),
            route => route,
        }
    }
}

/// Why a read that is none of those that are answered goes to the database.
pub(super) fn reason_of(kind: ReadClass) -> BypassReason {
    match kind {
        ReadClass::Locking => BypassReason::Locking,
        ReadClass::Select | ReadClass::Other => BypassReason::NotAKeyLookup,
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
        match self.shared.route_past(&statement.sql).await {
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
        match self.shared.route_past(sql).await {
            Route::Cached(_) | Route::Read => db.execute_unprepared(sql).await,
            Route::Write(class) => write::execute_unprepared(&self.shared, &class, sql).await,
        }
    }

    async fn query_one_raw(&self, statement: Statement) -> Result<Option<QueryResult>, DbErr> {
        let db = &self.shared.db;
        match self.shared.route_learned(&statement.sql).await {
            Route::Cached(read) => {
                let rows =
                    read::answer(&self.shared, self.options, read, statement, QueryMethod::One).await?;
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
        match self.shared.route_learned(&statement.sql).await {
            Route::Cached(read) => {
                read::answer(&self.shared, self.options, read, statement, QueryMethod::All).await
            }
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
        // Not waited for: transactions begin in the order in which they ask, and the pool may have one connection.
        self.shared.learn_ahead();
        let shared = self.shared.clone();
        // A driver counts a transaction when it is told that it has begun: left alone before, it would return the
        // connection to the pool inside of it.
        let begun = self.shared.shields.raise(|_| async move {
            let fence = write::before_begin(&shared).await?;
            let begun = shared.db.begin_with_options(options).await;
            if let Some(fence) = fence {
                write::settle(None, fence, &begun).await;
            }
            Ok(CachedTransaction::outermost(begun?, shared))
        });
        begun.await
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

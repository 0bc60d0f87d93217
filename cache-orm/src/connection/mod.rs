//! The connection: what the application holds instead of SeaORM's own.

pub mod builder;

pub mod explain;

mod inner;

mod query;

pub mod stream;

pub mod transaction;

use std::{collections::BTreeMap, fmt, pin::pin, sync::Arc, time::Duration};

use cache_core::{cache::Unsettled, fence::Fence};
use sea_orm::{
    AccessMode, DatabaseConnection, DbBackend, DbErr, IsolationLevel, Schema, SchemaBuilder,
    TransactionError, TransactionTrait,
};
use tokio::time::Instant;

use crate::{
    context::{Context, extent},
    eligibility::Eligibility,
    error::CacheErr,
    read::{Mode, Options},
    stats::{EntityStats, Stats},
    write::{self, SchemaChange},
};

pub use crate::{context::ReadyError, not_cacheable::NotCacheable};
use transaction::CachedTransaction;

/// A database connection that answers repeated reads from a cache and keeps the cache coherent with every
/// write that goes through it. A drop-in for [`DatabaseConnection`]; cheap to clone.
///
/// ```
/// # use cache_orm::{CachedConnection, MemoryStore};
/// # fn connect(db: sea_orm::DatabaseConnection) {
/// let db = CachedConnection::new(db, MemoryStore::default());
/// # }
/// ```
#[derive(Clone)]
pub struct CachedConnection {
    pub(crate) shared: Arc<Context>,
    pub(crate) options: Options,
}

impl CachedConnection {
    /// Learns the schema and claims the namespace now instead of with the first query.
    ///
    /// # Errors
    /// [`ReadyError`] says what keeps the cache from being used. Queries work all the same: they go to the
    /// database. What an entity promises and its table does not keep is a warning, or an error if
    /// [`Builder::require_cacheable`](crate::Builder::require_cacheable) says so.
    pub async fn ready(&self) -> Result<(), ReadyError> {
        let eligibility = self.shared.learn().await?;
        let registry = &self.shared.registry;
        let columns: Vec<_> = eligibility.unlike_columns(registry).collect();
        if !columns.is_empty() {
            return Err(ReadyError::UnlikeAsJson { columns });
        }
        let entities = eligibility.not_cacheable(registry);
        if self.shared.requires_cacheable && !entities.is_empty() {
            return Err(ReadyError::NotCacheable { entities });
        }
        for entity in &entities {
            if self.shared.is_news(&entity.to_string()) {
                tracing::warn!(%entity, "not cached");
            }
        }
        let cached = registry.entities.len() - entities.iter().filter(|entity| entity.key.is_empty()).count();
        if self.shared.is_news("ready") {
            tracing::info!(entities = cached, store = ?self.shared.store, "the cache is ready");
        }
        Ok(())
    }

    /// The same connection, whose reads go to the database and leave the cache alone. Its writes still
    /// invalidate.
    ///
    /// For reads that decode the rows of a cached entity as what it does not promise (`into_json` where it says
    /// `model_only`, `into_model` with types of its own), and for those that must not see the cache.
    pub fn bypass(&self) -> Self {
        self.with(Options { mode: Mode::Bypass, ..self.options })
    }

    /// The same connection, whose reads go to the database and fill the cache with what they find: what was
    /// cached is replaced.
    ///
    /// For rows that were written behind the connection's back. See [`invalidate_all`](Self::invalidate_all)
    /// where their keys are not known.
    pub fn refresh(&self) -> Self {
        self.with(Options { mode: Mode::Refresh, ..self.options })
    }

    /// The same connection; what its reads fill lives about so long, whatever their entities say.
    ///
    /// ```
    /// # use cache_orm::CachedConnection;
    /// # use std::time::Duration;
    /// # fn briefly(db: &CachedConnection) {
    /// let db = db.with_ttl(Duration::from_secs(5));
    /// # }
    /// ```
    pub fn with_ttl(&self, ttl: Duration) -> Self {
        self.with(Options { ttl: Some(ttl), ..self.options })
    }

    /// The connection below, for what needs SeaORM's own type.
    ///
    /// Writes that are sent through it, its clones and its transactions are noticed after they were sent, by
    /// SeaORM's metric callback: what they change is invalidated shortly afterwards and not cached until a fence
    /// expires. That is a net, not a promise: a read in between may be answered with the old row, and
    /// `execute_unprepared` is not reported at all. (See also the feature `hooks`, and
    /// [`Builder::unwatched`](crate::Builder::unwatched).)
    pub fn inner(&self) -> &DatabaseConnection {
        self.shared.raw.get_or_init(|| inner::watched(&self.shared, &self.shared.db))
    }

    /// What the cache did since the connection was made.
    pub fn stats(&self) -> Stats {
        let shared = &self.shared;
        let last = shared.last();
        let mut entities: BTreeMap<String, EntityStats> = BTreeMap::new();
        for entity in &shared.registry.entities {
            let stats = entities.entry(entity.label.clone()).or_default();
            if let Some(table) = last.as_ref().and_then(|eligibility| eligibility.table(entity)) {
                stats.counts = table.counters.snapshot();
            }
            for (reason, count) in entity.bypasses.snapshot() {
                *stats.bypasses.entry(reason).or_default() += count;
            }
        }
        Stats {
            entities,
            bypasses: shared.bypasses.snapshot(),
            unknown_writes: shared.wide.get(),
            unknown_texts: shared.wide.texts(),
            session_changed_by: shared.session.changed_by(),
        }
    }

    /// Waits until every background call to the store (fills, releases) has ended, and every call of the database
    /// whose caller is gone. For tests, and before a process ends.
    pub async fn settled(&self) {
        self.shared.shields.settled().await;
        self.shared.cache.settled().await;
    }

    /// Waits, no longer than `limit`, until this process owes nothing to those that share its store: background calls,
    /// and calls of the database whose caller is gone, have ended, fences are released, and what was written while the
    /// store could not be reached is invalidated. Before a process ends; [`close`](Self::close) does it.
    ///
    /// # Errors
    /// [`Unsettled`] names what is left when the time is over. It goes on in the background.
    ///
    /// # Cancel safety
    /// Changes nothing.
    pub async fn settled_within(&self, limit: Duration) -> Result<(), Unsettled> {
        let begun = Instant::now();
        // What it writes may leave something to do.
        let alone = tokio::time::timeout(limit, self.shared.shields.settled()).await;
        let settled = self.shared.cache.settled_within(limit.saturating_sub(begun.elapsed())).await;
        if alone.is_ok() {
            return settled;
        }
        let mut left = settled.err().unwrap_or_default();
        left.calls += self.shared.shields.count();
        Err(left)
    }

    /// Invalidates everything that is cached, and has every process learn the schema anew with its next query. For
    /// changes that were made behind the connection's back.
    ///
    /// # Errors
    /// [`CacheErr::NotInvalidated`] when the store can't be reached and the policy of any entity, or the connection's, is
    /// `Refuse`. Whatever the policy, nothing is read from the cache here until it has been invalidated.
    pub async fn invalidate_all(&self) -> Result<(), DbErr> {
        let change = SchemaChange::of(&self.shared);
        change.forget();
        let eligibility = self.shared.eligibility_to_write().await;
        let (fence, refused) = write::fence_written(&self.shared, &eligibility, |eligibility| {
            extent::with_schema(&self.shared, Some(eligibility))
        })
        .await;
        fence.release().await;
        // Once more: what was learned while the fence stood is of no generation.
        drop(change);
        refused.map_err(|refused| CacheErr::NotInvalidated(refused.into_reason()))?;
        write::names_what_it_changes(&self.shared)
    }

    /// Takes the cache into use again after raw SQL has switched it off: a `BEGIN`, a `SET`, or whatever else
    /// [`Stats::session_changed_by`] names. Everything that is cached is invalidated, and the schema learned anew.
    /// Does no harm where nothing was switched off.
    ///
    /// **The caller promises** that every connection of the pool is as the pool's options open it: no transaction is
    /// open that raw SQL began, and no setting is changed. That can't be checked from here, because a query asks one
    /// connection of many. So either the connections have been replaced (closed one by one through the pool of sqlx, or
    /// ended by the server, or grown older than `max_lifetime`), or the pool has a single connection, and the change
    /// was undone on it (`COMMIT`, `ROLLBACK`, `DISCARD ALL`).
    ///
    /// A text that changes a session while this runs keeps the cache switched off.
    ///
    /// # Errors
    /// Those of [`invalidate_all`](Self::invalidate_all): the cache stays switched off then.
    ///
    /// # Cancel safety
    /// Dropped midway, the cache stays switched off.
    pub async fn resume(&self) -> Result<(), DbErr> {
        let changes = self.shared.session.count();
        self.invalidate_all().await?;
        self.shared.session.is_as_opened(changes);
        Ok(())
    }

    /// Runs migrations, or whatever else needs SeaORM's own connection, and keeps the cache coherent with it:
    /// nothing is cached while `work` runs, and everything that was is invalidated.
    ///
    /// ```
    /// # use cache_orm::CachedConnection;
    /// # async fn migrate(db: CachedConnection) -> Result<(), sea_orm::DbErr> {
    /// db.migrate(async |db| {
    ///     // Migrator::up(db, None).await
    ///     # let _ = db; Ok(())
    /// })
    /// .await
    /// # }
    /// ```
    ///
    /// # Errors
    /// Those of `work`, and those of [`invalidate_all`](Self::invalidate_all).
    ///
    /// # Cancel safety
    /// Dropped midway, the fences of all tables expire by themselves.
    pub async fn migrate<T>(
        &self,
        work: impl AsyncFnOnce(&DatabaseConnection) -> Result<T, DbErr>,
    ) -> Result<T, DbErr> {
        let eligibility = self.shared.eligibility_to_write().await;
        let change = SchemaChange::of(&self.shared);
        let by = |eligibility: &Eligibility| extent::with_schema(&self.shared, Some(eligibility));
        let mut fences = vec![write::fence(&self.shared, &eligibility, by).await?];
        let mut work = pin!(work(&self.shared.db));
        let result = loop {
            // A fence stands for a limited time; `work` may take longer.
            match tokio::time::timeout(self.shared.cache.settings().fence_ttl / 3, work.as_mut()).await {
                Ok(result) => break result,
                Err(_) => {
                    // It is too late to refuse. And `work` may hold the pool's only connection, and is not polled
                    // meanwhile: nothing can be learned.
                    let mut affected = self.shared.everything_recorded().await;
                    affected.add_table(self.shared.cache.schema());
                    let next = write::fence_written_in_transaction(&self.shared, None, affected).await;
                    if next.is_placed() {
                        release(fences.drain(..)).await;
                    }
                    fences.push(next);
                }
            }
        };
        drop(change);
        // However `work` ended, each of its statements did. What it created is invalidated as well.
        release(fences).await;
        let invalidated = self.invalidate_all().await;
        let value = result?;
        invalidated?;
        Ok(value)
    }

    pub(crate) fn shared(&self) -> &Arc<Context> {
        &self.shared
    }

    pub(crate) fn options(&self) -> Options {
        self.options
    }

    fn with(&self, options: Options) -> Self {
        CachedConnection { shared: self.shared.clone(), options }
    }

    /// The SQL dialect. Inherent, because two traits that this type implements offer it.
    pub fn get_database_backend(&self) -> DbBackend {
        self.shared.backend
    }

    /// A schema builder for this backend.
    pub fn get_schema_builder(&self) -> SchemaBuilder {
        Schema::new(self.shared.backend).builder()
    }

    /// Checks that the database answers.
    ///
    /// # Errors
    /// The database's own.
    pub async fn ping(&self) -> Result<(), DbErr> {
        self.shared.db.ping().await
    }

    /// Closes the database connection, for all clones, once the store knows all that it must: see
    /// [`settled_within`](Self::settled_within). Waits for it no longer than [`Builder::close_time_out`](crate::Builder::close_time_out).
    ///
    /// # Errors
    /// The database's own. [`CacheErr::Unsettled`] when the time was over: the database
    /// connection is closed all the same, and as long as the process lives it goes on trying.
    pub async fn close(self) -> Result<(), DbErr> {
        self.close_by_ref().await
    }

    /// As [`close`](Self::close).
    ///
    /// # Errors
    /// As [`close`](Self::close).
    pub async fn close_by_ref(&self) -> Result<(), DbErr> {
        let settled = self.settled_within(self.shared.cache.settings().close_time_out).await;
        self.shared.db.close_by_ref().await?;
        settled.map_err(|left| CacheErr::Unsettled(left).into())
    }

    /// Runs the function inside a transaction: commits if it returns `Ok`, else rolls back.
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
}

async fn release(fences: impl IntoIterator<Item = Fence>) {
    for fence in fences {
        fence.release().await;
    }
}

impl fmt::Debug for CachedConnection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CachedConnection")
            .field("backend", &self.shared.backend)
            .field("store", &self.shared.capabilities)
            .field("entities", &self.shared.registry.entities.len())
            .field("options", &self.options)
            .finish_non_exhaustive()
    }
}

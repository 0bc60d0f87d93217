//! Settings of a connection.

use std::{
    sync::{Arc, Mutex, OnceLock, RwLock, atomic::AtomicUsize},
    time::Duration,
};

use cache_core::{
    backend::MemoryStore,
    cache::{Cache, CacheError},
    key::Namespace,
    settings::{Settings, Unreachable},
    store::Store,
};
use sea_orm::DatabaseConnection;
use tokio::sync::watch;

use crate::{
    classify::Classes,
    connection::CachedConnection,
    context::{Context, ReadyError, SessionState},
    eligibility::Allowances,
    model::CacheModel,
    read::Options,
    registry::{Registration, Registry},
    shield::Shields,
    stats::{Bypasses, WideWrites},
};

/// Collects the settings of a [`CachedConnection`].
///
/// ```
/// # use cache_orm::{CachedConnection, MemoryStore, connection::ReadyError};
/// # use std::time::Duration;
/// # async fn connect(db: sea_orm::DatabaseConnection) -> Result<(), ReadyError> {
/// let db = CachedConnection::builder(db)
///     .store(MemoryStore::with_capacity(256 << 20))
///     .default_ttl(Duration::from_secs(60))
///     .build()
///     .await?;
/// # Ok(()) }
/// ```
#[derive(Debug)]
#[must_use = "a builder does nothing until it builds"]
pub struct Builder {
    db: DatabaseConnection,
    store: Arc<dyn Store>,
    namespace: Option<Namespace>,
    settings: Settings,
    strict_rows: bool,
    watched: bool,
    requires_cacheable: bool,
    schema_check: Duration,
    allowances: Allowances,
    identity: Option<String>,
    registrations: Vec<Registration>,
}

impl CachedConnection {
    /// Caches the rows of every entity that derives `Cacheable` in `store`, with default settings.
    ///
    /// The database's schema is learned, and the namespace claimed, with the first query. To see errors of
    /// either, call [`ready`](Self::ready). A transaction does not wait for it: what it writes until the schema is
    /// known invalidates everything.
    ///
    /// A [`MemoryStore`] is for a database that one process writes to: several processes
    /// with a memory store each would serve rows that the others have changed.
    ///
    /// # Panics
    /// If `db` is `DatabaseConnection::default()`, that is disconnected, or `store` comes without a namespace
    /// (from a builder that was given none).
    pub fn new(db: DatabaseConnection, store: impl Store) -> Self {
        Self::builder(db).store(store).build_with_default_namespace()
    }

    /// A connection with settings of its own.
    pub fn builder(db: DatabaseConnection) -> Builder {
        Builder::new(db)
    }
}

impl Builder {
    fn new(db: DatabaseConnection) -> Self {
        Builder {
            db,
            store: Arc::new(MemoryStore::default()),
            namespace: None,
            settings: Settings::default(),
            strict_rows: cfg!(debug_assertions),
            watched: true,
            requires_cacheable: false,
            schema_check: Duration::from_secs(10),
            allowances: Allowances::default(),
            identity: None,
            registrations: inventory::iter::<Registration>.into_iter().copied().collect(),
        }
    }

    /// Where entries are kept. Default: a memory store.
    pub fn store(self, store: impl Store) -> Self {
        self.shared_store(Arc::new(store))
    }

    /// The same for a store that is shared already.
    pub fn shared_store(mut self, store: Arc<dyn Store>) -> Self {
        self.store = store;
        self
    }

    /// The names that this application and database own in the store. Default: what the store was connected
    /// with.
    pub fn namespace(mut self, namespace: Namespace) -> Self {
        self.namespace = Some(namespace);
        self
    }

    /// How long entries live unless their entity says otherwise, varied by up to a tenth. Default: 10 minutes.
    pub fn default_ttl(mut self, ttl: Duration) -> Self {
        self.settings.entry_ttl = ttl;
        self
    }

    /// By which fraction each entry's time to live is varied. Default: 0.1.
    pub fn jitter(mut self, fraction: f64) -> Self {
        self.settings.jitter = fraction;
        self
    }

    /// How long a fence stands whose writer never learns the outcome. Must exceed the longest statement and
    /// commit. Default: 60 seconds.
    pub fn fence_ttl(mut self, ttl: Duration) -> Self {
        self.settings.fence_ttl = ttl;
        self
    }

    /// How long a load may take before another reader may fill the slot. Default: 10 seconds.
    pub fn lease_ttl(mut self, ttl: Duration) -> Self {
        self.settings.lease_ttl = ttl;
        self
    }

    /// Larger entries are not stored. Default: 1 MiB.
    pub fn max_entry_bytes(mut self, bytes: usize) -> Self {
        self.settings.max_entry_bytes = bytes;
        self
    }

    /// Where one write changes more rows of a table than this, the whole table is invalidated. Default: 10,000.
    /// With 0 every change of a row is one of its table, and no statement is run in a transaction of the
    /// cache's own to learn which rows it changes.
    pub fn max_fenced_rows(mut self, rows: usize) -> Self {
        self.settings.max_fenced_rows = rows;
        self
    }

    /// How long a call to a shared store may take. Default: 250 milliseconds.
    pub fn store_time_out(mut self, time_out: Duration) -> Self {
        self.settings.store_time_out = time_out;
        self
    }

    /// How long a write waits for a store that does not answer before it counts as lost: until then its fence is
    /// tried again, on a new connection. (As long as one call, if [`store_time_out`](Self::store_time_out) is longer.)
    /// Default: 1 second.
    pub fn fence_time_out(mut self, time_out: Duration) -> Self {
        self.settings.fence_time_out = time_out;
        self
    }

    /// How long [`CachedConnection::close`] waits until the store knows all that it must. Default: 5 seconds.
    pub fn close_time_out(mut self, time_out: Duration) -> Self {
        self.settings.close_time_out = time_out;
        self
    }

    /// How long no hits are served after the store was lost. Default: 2 seconds.
    pub fn grace(mut self, grace: Duration) -> Self {
        self.settings.grace = grace;
        self
    }

    /// What happens to writes while the store can't be reached, unless an entity says otherwise
    /// (`#[cacheable(when_unreachable = "refuse")]`). A write that may change several tables is refused if any of
    /// them refuses. Default: they go through.
    pub fn when_unreachable(mut self, policy: Unreachable) -> Self {
        self.settings.unreachable = policy;
        self
    }

    /// Whether every answer is a cached row, which fails where it is decoded as what its entity does not promise.
    /// Default: in builds with debug assertions.
    #[cfg(feature = "testing")]
    pub fn strict_rows(mut self, strict: bool) -> Self {
        self.strict_rows = strict;
        self
    }

    /// Caches tables under row-level security too. Only right if every user of this connection, and of the
    /// namespace, sees the same rows.
    pub fn cache_row_secured_tables(mut self) -> Self {
        self.allowances.row_security = true;
        self
    }

    /// Names the database that the namespace is bound to, in place of what the database says of itself. Whoever gives
    /// the same name promises that it is the same database.
    ///
    /// For a database that says nothing durable of itself: a SQLite file whose rows are kept in Redis is, without a
    /// name, another one after the machine was restarted, and a MariaDB after its host name changed. The
    /// namespace is refused then, with an error that says so.
    pub fn database_identity(mut self, name: impl Into<String>) -> Self {
        self.identity = Some(format!("named {}", name.into()));
        self
    }

    /// How often the database is asked, in the background and with one short query, whether its schema was changed
    /// by a program that does not use this library: for so long, such a change may go unnoticed. Changes through a
    /// cached connection, of this process or of another one that shares the store, are noticed at once. Zero:
    /// never. Default: 10 seconds.
    pub fn schema_check(mut self, period: Duration) -> Self {
        self.schema_check = period;
        self
    }

    /// Hands out [`CachedConnection::inner`] as it was given, with the metric callback that it may have. Its
    /// writes are not invalidated then.
    pub fn unwatched(mut self) -> Self {
        self.watched = false;
        self
    }

    /// Makes it an error of [`build`](Self::build) and [`CachedConnection::ready`] if an entity can't be cached as it says:
    /// its table is not there or lacks a column, no unique index guarantees a key. The error names all of them. Default:
    /// a warning for each, because a program may link entities of another database.
    pub fn require_cacheable(mut self) -> Self {
        self.requires_cacheable = true;
        self
    }

    /// Registers an entity whose crate is linked only through this call.
    pub fn register<M: CacheModel>(mut self) -> Self {
        self.registrations.push(Registration::of::<M>());
        self
    }

    /// Makes the connection, learns the schema and claims the namespace.
    ///
    /// # Errors
    /// [`ReadyError`] says what keeps the cache from being used.
    pub async fn build(self) -> Result<CachedConnection, ReadyError> {
        let connection = self.build_lazily()?;
        connection.ready().await?;
        Ok(connection)
    }

    /// Makes the connection without asking the database or the store for anything yet.
    ///
    /// # Errors
    /// [`CacheError::NoNamespace`] for a shared store without one.
    pub fn build_lazily(self) -> Result<CachedConnection, CacheError> {
        let cache = Cache::new(self.store.clone(), self.namespace, self.settings)?;
        let backend = self.db.get_database_backend();
        let registry = Registry::new(self.registrations, backend, self.strict_rows, &cache);
        if registry.entities.is_empty() {
            tracing::warn!(
                "no entity is registered, so nothing is cached: derive `Cacheable` on the models. Entities of a \
                 crate that nothing names are not linked: name one of them with `register::<Model>()`"
            );
        }
        let raw = OnceLock::new();
        if !self.watched {
            // A new cell is empty.
            drop(raw.set(self.db.clone()));
        }
        let shared = Arc::new(Context {
            db: self.db,
            raw,
            backend,
            cache,
            capabilities: self.store.capabilities(),
            store: self.store,
            requires_cacheable: self.requires_cacheable,
            registry,
            classes: Classes::new(backend),
            session: SessionState::default(),
            bypasses: Bypasses::default(),
            wide: WideWrites::default(),
            unnamed_writes: AtomicUsize::new(0),
            inspected: AtomicUsize::new(0),
            allowances: self.allowances,
            learned: RwLock::default(),
            identity: self.identity.map_or_else(OnceLock::new, OnceLock::from),
            learning: watch::Sender::new(false),
            schema_check: self.schema_check,
            watching: Mutex::default(),
            shields: Shields::default(),
            reported: Mutex::default(),
        });
        #[cfg(feature = "hooks")]
        crate::context::live::register(Arc::downgrade(&shared));
        Ok(CachedConnection { shared, options: Options::default() })
    }

    fn build_with_default_namespace(self) -> CachedConnection {
        self.build_lazily().expect("the store comes with a namespace")
    }
}

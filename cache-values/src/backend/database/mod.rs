//! The backend in a table of a database.
//!
//! Each change is one statement with its condition inside, in a transaction of its own, so that the database itself decides who
//! comes first; the clock is the database's, read by the same statement. MySQL and MariaDB have no condition for a row that is
//! there already, and MySQL tells nothing of what it changed: where that matters, `put`, `remove` and `rename` take
//! two statements there, whose order makes up for it.

mod count;
mod cull;
mod dialect;
mod error;
mod get;
mod inner;
#[cfg(feature = "migration")]
mod migration;
mod put;
mod refresher;
mod remove;
mod rename;
mod room;
mod session;
mod sql;
mod statements;
mod table;

use std::{fmt, sync::Arc, time::Duration};

use async_trait::async_trait;
use sea_orm::DatabaseConnection;

use self::{
    dialect::Dialect,
    inner::Inner,
    refresher::Refresher,
    room::{Limit, Room},
    session::Session,
};
pub use self::{error::DatabaseError, table::Table};
use super::{Backend, Capabilities, Counted, Item, Put, Start, StoreError, Stored};
use crate::name::Name;

/// Larger values need a setting: MariaDB takes no statement above 16 MiB unless told to.
const LARGEST_VALUE: usize = 8 << 20;

/// A cache in a [`Table`] of SQLite, PostgreSQL, MySQL or MariaDB, shared by every process that uses the table.
///
/// Give it a connection of its own, or a clone of the application's: it takes no part in anybody's transaction, and what is
/// put stays put if the application's transaction is rolled back.
///
/// The number of entries is bounded [if wished](Self::with_entries), at the same small cost for each put however many there are.
///
/// Clones share the connection.
///
/// ```no_run
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// use cache_values::backend::database::{DatabaseBackend, Table};
/// let db = sea_orm::Database::connect("postgres://localhost/shop").await?;
/// let table = Table::new("cache_entries")?;
/// table.create(&db).await?;
/// let backend = DatabaseBackend::new(db, &table)?.with_entries(100_000, 3);
/// # Ok(()) }
/// ```
#[derive(Clone)]
pub struct DatabaseBackend {
    inner: Arc<Inner>,
}

impl DatabaseBackend {
    /// Entries in this table. It must exist: see [`Table::create`].
    ///
    /// # Errors
    /// [`DatabaseError::UnknownKind`] for a kind of database that this version does not know.
    pub fn new(db: DatabaseConnection, table: &Table) -> Result<Self, DatabaseError> {
        let dialect = Dialect::try_from(db.get_database_backend())?;
        let table = table.quoted(dialect);
        let inner = Inner {
            dialect,
            primary: Session::new(db, table.clone()),
            table,
            replica: None,
            largest_value: LARGEST_VALUE,
            room: Room::new(None),
            refresher: Refresher::default(),
        };
        Ok(DatabaseBackend { inner: Arc::new(inner) })
    }

    /// Reads values from another connection, to a replica of the same database, which may lag behind. Cells are never read there.
    ///
    /// # Panics
    /// If the backend has clones.
    #[must_use]
    pub fn with_replica(self, db: DatabaseConnection) -> Self {
        self.changed(|inner| inner.replica = Some(Session::new(db, inner.table.clone())))
    }

    /// Keeps at most so many entries, or at least one. Of each part of the table that has more than its share, one of
    /// `cull_frequency` entries goes; 0 empties the part. What is over goes first, then what was not used for the longest time,
    /// as far as that is written down, once a minute. Cells neither count nor go.
    ///
    /// There may be more at times: one sixteenth for each process that puts, and what is put at the same time.
    ///
    /// # Panics
    /// If the backend has clones.
    #[must_use]
    pub fn with_entries(self, most: usize, cull_frequency: usize) -> Self {
        self.changed(|inner| {
            inner.room =
                Room::new(Some(Limit { most: most.max(1) as u64, cull_frequency: cull_frequency as u64 }))
        })
    }

    /// Refuses values of more bytes. Without, the limit is 8 MiB. MySQL's `max_allowed_packet` must be larger.
    ///
    /// # Panics
    /// If the backend has clones.
    #[must_use]
    pub fn with_largest_value(self, bytes: usize) -> Self {
        self.changed(|inner| inner.largest_value = bytes)
    }

    fn changed(self, change: impl FnOnce(&mut Inner)) -> Self {
        let mut inner = Arc::into_inner(self.inner).expect("a backend that nobody else uses");
        change(&mut inner);
        DatabaseBackend { inner: Arc::new(inner) }
    }

    /// Waits until what reads left to do in the background is done: they note once a minute that an entry was used.
    ///
    /// # Cancel safety
    /// Dropping it stops only the waiting.
    pub async fn settled(&self) {
        self.inner.refresher.settled().await;
    }
}

/// Shows neither an address nor a password.
impl fmt::Debug for DatabaseBackend {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Inner { dialect, table, room, .. } = &*self.inner;
        let mut shown = f.debug_struct("DatabaseBackend");
        shown
            .field("database", dialect)
            .field("table", table)
            .field("limit", &room.limit())
            .finish_non_exhaustive()
    }
}

#[async_trait]
impl Backend for DatabaseBackend {
    async fn get(&self, names: &[Name], _left: bool) -> Result<Vec<Option<Item>>, StoreError> {
        let got = self.inner.get(names).await?;
        if !got.stale.is_empty() {
            inner::refresh(&self.inner, got.stale);
        }
        Ok(got.items)
    }

    async fn put(&self, items: &[Put]) -> Result<Vec<Stored>, StoreError> {
        let stored = self.inner.put(items).await?;
        self.inner.make_room(items.len()).await;
        Ok(stored)
    }

    async fn remove(&self, names: &[Name]) -> Result<Vec<bool>, StoreError> {
        self.inner.remove(names).await
    }

    async fn touch(&self, name: &Name, ttl: Option<Duration>) -> Result<bool, StoreError> {
        self.inner.touch(name, ttl).await
    }

    async fn count(&self, name: &Name, by: i64, start: Option<Start>) -> Result<Counted, StoreError> {
        self.inner.count(name, by, start).await
    }

    async fn rename(&self, from: &Name, to: &Name) -> Result<bool, StoreError> {
        self.inner.rename(from, to).await
    }

    async fn sweep(&self, stem: &str) -> Result<u64, StoreError> {
        self.inner.sweep(stem).await
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities::SHARED
    }

    async fn close(&self) {
        self.settled().await;
        self.inner.primary.close().await;
        if let Some(replica) = &self.inner.replica {
            replica.close().await;
        }
    }
}

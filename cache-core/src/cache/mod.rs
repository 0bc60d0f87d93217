//! The only place that sequences store calls: lookup → lease → fill for readers, fence → release for writers.

mod error;
mod outcome;
mod schema;
mod several;

use std::{
    future::Future,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use tokio::time::timeout;

use self::outcome::validate;
pub use self::{
    error::{CacheError, Refused},
    outcome::{LeaseOutcome, Lookup, Outdated},
    several::{Lookups, Wanted},
};
use crate::{
    backlog::Backlog,
    entry::{Entry, Fingerprint, Generation, Token, Writer},
    fence::{Affected, Fence, Part},
    flight::{Flights, Role},
    key::{Address, Key, Namespace, QualifiedName},
    lease::{Lease, Ticket},
    marks::Marks,
    port::Port,
    settings::{Settings, Unreachable},
    store::{Claim, Store, StoreError},
};
pub use crate::{
    duties::{Duty, Unsettled},
    table::Table,
};

/// The cells of one namespace in one store, as one process uses them. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Cache {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    backlog: Backlog,
    namespace: Namespace,
    flights: Flights<Key, Entry>,
    /// Set when the namespace turns out to belong to another database.
    refused: AtomicBool,
}

impl Cache {
    /// A cache over `store`. Without a `namespace` the store's own default is used.
    ///
    /// # Errors
    /// [`CacheError::NoNamespace`] when neither names one; [`CacheError::Setting`] when a setting makes no sense.
    pub fn new(
        store: Arc<dyn Store>,
        namespace: Option<Namespace>,
        settings: Settings,
    ) -> Result<Self, CacheError> {
        check(&settings)?;
        let namespace = namespace.or_else(|| store.default_namespace()).ok_or(CacheError::NoNamespace)?;
        let schema = Table::of_schema(&namespace);
        store.know(schema.keys());
        Ok(Cache {
            inner: Arc::new(Inner {
                backlog: Backlog::new(Port::new(store, schema, settings)),
                namespace,
                flights: Flights::default(),
                refused: AtomicBool::new(false),
            }),
        })
    }

    /// A handle for one table. Make one per table and keep it.
    pub fn table(&self, name: impl Into<QualifiedName>) -> Table {
        let table = Table::new(&self.inner.namespace, name.into());
        self.port().store().know(table.keys());
        table
    }

    /// How the cache behaves.
    pub fn settings(&self) -> &Settings {
        self.port().settings()
    }

    /// False if there is nothing to ask: the null store, or a namespace that belongs to another database.
    pub fn is_enabled(&self) -> bool {
        self.port().capabilities().keeps && !self.inner.refused.load(Ordering::Acquire)
    }

    /// Binds the namespace to the database with this identity. If it belongs to another one, the cache is
    /// disabled from here on.
    ///
    /// # Errors
    /// [`CacheError::NamespaceTaken`], or the store could not be asked.
    pub async fn claim(&self, identity: &str) -> Result<(), CacheError> {
        let inner = &self.inner;
        match self.port().guarded(|| self.port().store().claim(&inner.namespace, identity)).await? {
            Claim::Held => Ok(()),
            Claim::Taken(theirs) => {
                inner.refused.store(true, Ordering::Release);
                Err(CacheError::NamespaceTaken {
                    namespace: inner.namespace.to_string(),
                    theirs,
                    ours: identity.to_owned(),
                })
            }
        }
    }

    /// Reads one slot and checks its stamps.
    ///
    /// # Cancel safety
    /// Changes nothing.
    pub async fn lookup(&self, table: &Table, at: &Address, fingerprint: Fingerprint) -> Lookup {
        let port = self.port();
        if port.distrusts(table) {
            self.inner.backlog.take_up();
            return Lookup::Unavailable;
        }
        let Ok(seen) = port.call(table, || port.store().lookup(at)).await else {
            return Lookup::Unavailable;
        };
        if port.distrusts(table) {
            return Lookup::Unavailable;
        }
        validate(at, fingerprint, seen)
    }

    /// After a miss: asks for the right to fill the slot, or joins the call of this process that has it.
    /// `generation` is that of the schema that the caller knows.
    ///
    /// # Errors
    /// [`Outdated`] if the schema is of another generation: load, fill nothing, and learn it anew.
    ///
    /// # Cancel safety
    /// A lease that nobody knows of expires by itself.
    pub async fn lease_or_join(
        &self,
        table: &Arc<Table>,
        at: &Address,
        fingerprint: Fingerprint,
        generation: Generation,
        replaces: Option<Token>,
    ) -> Result<LeaseOutcome, Outdated> {
        let flight = match self.inner.flights.join(&at.slot) {
            Role::Leader(flight) => flight,
            Role::Follower(follower) => {
                // The leader may be a future that nobody polls until this call has returned.
                return Ok(match timeout(self.settings().patience(), follower.completed()).await {
                    Ok(Some(entry)) => self.join(table, at, fingerprint, entry).await,
                    Ok(None) | Err(_) => LeaseOutcome::Denied,
                });
            }
        };
        self.inner.backlog.take_up();
        let port = self.port();
        let lease = || port.store().lease(port.schema_cell(), at, replaces, port.settings().lease_ttl);
        match port.call(table, lease).await {
            Ok(Some(grant)) => {
                let lease = Lease::new(Ticket {
                    port: port.clone(),
                    table: table.clone(),
                    at: at.clone(),
                    grant,
                    flight,
                });
                if grant.generation == generation { Ok(LeaseOutcome::Granted(lease)) } else { Err(Outdated) }
            }
            Ok(None) | Err(_) => Ok(LeaseOutcome::Denied),
        }
    }

    /// Marks everything that a write affects. To be called before the write can commit. A store that does not
    /// answer is asked again for [`Settings::fence_time_out`]. The fence says which generation the schema was of when
    /// all marks stood: if the caller [knows another](Fence::is_under), the write may affect more.
    ///
    /// # Errors
    /// [`Refused`] when the store could not be fenced and the policy of any of the tables is
    /// [`Unreachable::Refuse`]. Under [`Unreachable::Proceed`] the write may go ahead, and this process bypasses the
    /// tables until it has invalidated them.
    ///
    /// # Cancel safety
    /// Dropped midway, marks that were placed expire by themselves.
    pub async fn fence(&self, affected: Affected) -> Result<Fence, Refused> {
        let Some((part, answer)) = self.place(affected).await else {
            return Ok(self.fence_of_nothing().await);
        };
        let seen = answer.as_ref().ok().copied();
        match answer.err().and_then(|error| self.refusal(&part, error)) {
            Some(refused) => {
                part.withdraw();
                Err(refused)
            }
            None => Ok(self.write_goes_ahead(part, seen)),
        }
    }

    /// The same for what has been written already, or can't be stopped: whatever the policy says, the tables are
    /// bypassed until they have been invalidated. The error that [`fence`](Self::fence) would have given comes
    /// beside it.
    ///
    /// # Cancel safety
    /// As [`fence`](Self::fence).
    pub async fn fence_written(&self, affected: Affected) -> (Fence, Result<(), Refused>) {
        let Some((part, answer)) = self.place(affected).await else {
            return (self.fence_of_nothing().await, Ok(()));
        };
        let seen = answer.as_ref().ok().copied();
        let refused = answer.err().and_then(|error| self.refusal(&part, error));
        (self.write_goes_ahead(part, seen), refused.map_or(Ok(()), Err))
    }

    /// Waits until every background call of this process (fills, releases, forfeits) has ended, done or not. For
    /// tests.
    pub async fn settled(&self) {
        self.port().duties().calls_ended().await;
    }

    /// Waits, no longer than `limit`, until this process owes nothing to those that share its store: background
    /// calls have ended, fences are released, and what was written unfenced is invalidated. Before a process ends.
    ///
    /// # Errors
    /// [`Unsettled`] names what is left when the time is over. It goes on in the background.
    ///
    /// # Cancel safety
    /// Changes nothing.
    pub async fn settled_within(&self, limit: Duration) -> Result<(), Unsettled> {
        self.inner.backlog.take_up();
        self.port().duties().done_within(limit).await
    }

    /// The fence where there is nothing to mark.
    async fn fence_of_nothing(&self) -> Fence {
        // In its own process the cache may know a table by now that the caller does not. Others name every table
        // that is written.
        let capabilities = self.port().capabilities();
        let asks = capabilities.keeps && !capabilities.is_shared;
        Fence::of_nothing(if asks { self.generation().await.ok() } else { None })
    }

    /// Marks the cells, if the store lets it, and tells what it answered: the schema's generation. `None` if there is
    /// nothing to mark.
    async fn place(&self, affected: Affected) -> Option<(Part, Result<Option<Generation>, StoreError>)> {
        let (cells, tables) = affected.into_parts();
        let first = tables.first().filter(|_| self.port().capabilities().keeps)?;
        let backlog = self.inner.backlog.clone();
        backlog.take_up();
        let writer = Writer::random();
        let answer = self.port().mark(first, &cells, writer).await;
        let marks = Marks { cells, tables, writer };
        Some((Part { backlog, marks, placed: answer.is_ok() }, answer))
    }

    fn refusal(&self, part: &Part, error: StoreError) -> Option<Refused> {
        let refuses = |table: &&Arc<Table>| table.policy(self.settings()) == Unreachable::Refuse;
        let table = part.marks.tables.iter().find(refuses)?;
        Some(Refused { table: table.name().to_owned(), error })
    }

    fn write_goes_ahead(&self, part: Part, seen: Option<Option<Generation>>) -> Fence {
        for table in &part.marks.tables {
            if part.placed {
                table.counters.fences.increment();
                tracing::debug!(db.collection.name = table.name(), cells = part.marks.cells.len(), "fence");
            } else {
                table.counters.unfenced_writes.increment();
                if table.quarantine.write_began() {
                    self.port().duties().begin(Duty::Invalidate, table.name());
                }
            }
        }
        Fence::new(part, seen)
    }

    /// Uses the entry of a flight that landed. That its fill was accepted says nothing about rows that were
    /// inserted since its load, so "no such row" is checked against the presence cell once more.
    async fn join(
        &self,
        table: &Table,
        at: &Address,
        fingerprint: Fingerprint,
        entry: Entry,
    ) -> LeaseOutcome {
        let joined = if entry.is_absent() {
            match self.lookup(table, at, fingerprint).await {
                Lookup::Found(entry) => Some(entry),
                Lookup::Missing { .. } | Lookup::Unavailable => None,
            }
        } else {
            // Two entities over one table share its slots, but not the shape of its rows.
            Some(entry).filter(|entry| entry.fingerprint == fingerprint)
        };
        match joined {
            Some(entry) => {
                table.counters.joins.increment();
                LeaseOutcome::Joined(entry)
            }
            None => LeaseOutcome::Denied,
        }
    }

    /// Runs `call` as a task of its own, which [`settled`](Self::settled) waits for. Outside a runtime it is not run:
    /// whatever it would have tidied up expires by itself, or is left to the next one.
    pub fn spawn(&self, call: impl Future<Output = ()> + Send + 'static) {
        self.inner.backlog.take_up();
        self.port().spawn(call);
    }

    fn port(&self) -> &Port {
        self.inner.backlog.port()
    }
}

/// Refuses what would look like a cache and be none.
fn check(settings: &Settings) -> Result<(), CacheError> {
    let times = [
        (
            "the default TTL",
            settings.entry_ttl,
            "give entries some time to live, or use the null store to switch caching off",
        ),
        ("the fence TTL", settings.fence_ttl, "it must exceed the longest statement and commit"),
        ("the lease TTL", settings.lease_ttl, "it must exceed the time that a load takes"),
        (
            "the store's time-out",
            settings.store_time_out,
            "give a call to the store some time to be answered",
        ),
    ];
    for (setting, value, remedy) in times {
        // The unit of every store's clock.
        if value < Duration::from_millis(1) {
            return Err(CacheError::Setting { setting, value: format!("{value:?}"), remedy });
        }
    }
    if !(0.0..=0.9).contains(&settings.jitter) {
        let (setting, value) = ("the jitter", settings.jitter.to_string());
        return Err(CacheError::Setting { setting, value, remedy: "give a fraction from 0 to 0.9" });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::backend::MemoryStore;

    #[test]
    fn settings_that_make_no_sense_are_refused_by_name() {
        let refused = |change: fn(&mut Settings)| {
            let mut settings = Settings::default();
            change(&mut settings);
            match Cache::new(Arc::new(MemoryStore::default()), None, settings) {
                Err(CacheError::Setting { setting, .. }) => Some(setting),
                _ => None,
            }
        };
        assert_eq!(refused(|_| {}), None);
        assert_eq!(refused(|settings| settings.entry_ttl = Duration::ZERO), Some("the default TTL"));
        assert_eq!(refused(|settings| settings.fence_ttl = Duration::ZERO), Some("the fence TTL"));
        assert_eq!(refused(|settings| settings.lease_ttl = Duration::from_nanos(1)), Some("the lease TTL"));
        assert_eq!(
            refused(|settings| settings.store_time_out = Duration::ZERO),
            Some("the store's time-out")
        );
        for jitter in [f64::NAN, -0.1, 1.0] {
            let settings = Settings { jitter, ..Settings::default() };
            assert!(Cache::new(Arc::new(MemoryStore::default()), None, settings).is_err(), "{jitter}");
        }
    }
}

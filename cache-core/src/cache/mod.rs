//! The only place that sequences store calls: lookup → lease → fill for readers, fence → release for writers.

mod duties;
mod left;
mod schema;
mod several;

use std::{
    future::Future,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use tokio::{runtime::Handle, time::timeout};

use duties::Duties;
pub use duties::{Duty, Unsettled};
pub(crate) use left::Left;
pub use several::{Lookups, Outdated, Wanted};

use crate::{
    breaker::{Breaker, Patience},
    counters::Counters,
    entry::{Entry, Fingerprint, Generation, Token, Writer},
    fence::{Affected, Fence, Parts},
    flight::{Flights, Role},
    key::{Address, InvalidNamespace, Key, Namespace, QualifiedName, TableKeys},
    lease::{Lease, Ticket},
    quarantine::Quarantine,
    settings::{Settings, Unreachable},
    store::{Claim, LookupResult, MOST_CELLS, Reach, Store, StoreError},
};

/// The cells of one namespace in one store, as one process uses them. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Cache {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    store: Arc<dyn Store>,
    reach: Reach,
    namespace: Namespace,
    /// The schema, as a table of its own.
    schema: Arc<Table>,
    settings: Settings,
    breaker: Breaker,
    flights: Flights,
    /// Set when the namespace turns out to belong to another database.
    refused: AtomicBool,
    duties: Duties,
}

/// One table's names, counters and quarantine.
#[derive(Debug)]
pub struct Table {
    name: QualifiedName,
    keys: TableKeys,
    quarantine: Quarantine,
    unreachable: Mutex<Option<Unreachable>>,
    /// What happened to this table in this process.
    pub counters: Counters,
}

impl Table {
    /// The table's name, `schema.table`: no other table has it.
    pub fn name(&self) -> &str {
        self.name.as_str()
    }

    /// The names of the table's cells.
    pub fn keys(&self) -> &TableKeys {
        &self.keys
    }

    /// What becomes of writes to this table that can't be fenced, whatever [`Settings::unreachable`] says. Where it
    /// is said more than once, the stricter counts.
    pub fn when_unreachable(&self, policy: Unreachable) {
        let mut unreachable = self.unreachable.lock().unwrap_or_else(PoisonError::into_inner);
        *unreachable = (*unreachable).max(Some(policy));
    }

    fn policy(&self, settings: &Settings) -> Unreachable {
        self.unreachable.lock().unwrap_or_else(PoisonError::into_inner).unwrap_or(settings.unreachable)
    }
}

/// What the cache knows about a slot.
#[derive(Debug)]
pub enum Lookup {
    /// An entry that is valid now. The caller still compares its key with the one asked for.
    Found(Entry),
    /// Nothing valid.
    Missing {
        /// The entry that the slot holds all the same; a lease may replace it.
        replaces: Option<Token>,
    },
    /// The cache must not or can't be asked: read from the database and store nothing.
    Unavailable,
}

/// How a read that missed goes on.
#[derive(Debug)]
pub enum LeaseOutcome {
    /// Load, then fill.
    Granted(Lease),
    /// Another call has loaded the row meanwhile.
    Joined(Entry),
    /// Load, and fill nothing: a writer is at work, or another reader.
    Denied,
}

/// The write must not go ahead: its cells could not be fenced, and the policy of one of its tables is to refuse.
#[derive(Debug, thiserror::Error)]
#[error(
    "the write was refused because its cached rows could not be invalidated: {error} (the policy of `{table}` is \
     to refuse)"
)]
pub struct Refused {
    table: String,
    error: StoreError,
}

impl Refused {
    /// Why the cells could not be fenced.
    pub fn reason(&self) -> &StoreError {
        &self.error
    }
}

/// Why a cache can't be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CacheError {
    /// A shared store was given without a namespace.
    #[error("this store is shared: name the namespace that the application owns in it")]
    NoNamespace,
    /// The namespace has characters that keys can't hold.
    #[error(transparent)]
    Namespace(#[from] InvalidNamespace),
    /// The namespace belongs to another database.
    #[error(
        "the namespace `{namespace}` caches the rows of another database (there: {theirs}; here: {ours}): \
         give each database a namespace of its own, or raise the version if this database replaces the other"
    )]
    NamespaceTaken {
        /// The namespace.
        namespace: String,
        /// The identity of the database that holds it.
        theirs: String,
        /// The identity of this database.
        ours: String,
    },
    /// The store could not be asked.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Cache {
    /// A cache over `store`. Without a `namespace` the store's own default is used.
    ///
    /// # Errors
    /// [`CacheError::NoNamespace`] when neither names one.
    pub fn new(
        store: Arc<dyn Store>,
        namespace: Option<Namespace>,
        settings: Settings,
    ) -> Result<Self, CacheError> {
        let namespace = namespace.or_else(|| store.default_namespace()).ok_or(CacheError::NoNamespace)?;
        let schema = Table {
            name: "schema".into(),
            keys: TableKeys::of_schema(&namespace),
            quarantine: Quarantine::default(),
            unreachable: Mutex::default(),
            counters: Counters::default(),
        };
        store.know(&schema.keys);
        Ok(Cache {
            inner: Arc::new(Inner {
                reach: store.reach(),
                schema: Arc::new(schema),
                breaker: Breaker::new(
                    Patience { call: settings.store_time_out, fence: settings.fence_time_out },
                    settings.grace,
                ),
                store,
                namespace,
                settings,
                flights: Flights::default(),
                refused: AtomicBool::new(false),
                duties: Duties::new(),
            }),
        })
    }

    /// A handle for one table. Make one per table and keep it.
    pub fn table(&self, name: impl Into<QualifiedName>) -> Table {
        let name = name.into();
        let keys = TableKeys::new(&self.inner.namespace, name.clone());
        self.inner.store.know(&keys);
        Table {
            name,
            keys,
            quarantine: Quarantine::default(),
            unreachable: Mutex::default(),
            counters: Counters::default(),
        }
    }

    /// How the cache behaves.
    pub fn settings(&self) -> &Settings {
        &self.inner.settings
    }

    /// False if there is nothing to ask: the null store, or a namespace that belongs to another database.
    pub fn is_enabled(&self) -> bool {
        self.inner.reach != Reach::Nothing && !self.inner.refused.load(Ordering::Acquire)
    }

    /// Binds the namespace to the database with this identity. If it belongs to another one, the cache is
    /// disabled from here on.
    ///
    /// # Errors
    /// [`CacheError::NamespaceTaken`], or the store could not be asked.
    pub async fn claim(&self, identity: &str) -> Result<(), CacheError> {
        let inner = &self.inner;
        match self.guarded(|| inner.store.claim(&inner.namespace, identity)).await? {
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
        if self.distrusts(table) {
            self.take_up();
            return Lookup::Unavailable;
        }
        let Ok(seen) = self.call(table, || self.inner.store.lookup(at)).await else {
            return Lookup::Unavailable;
        };
        if self.distrusts(table) {
            return Lookup::Unavailable;
        }
        judge(at, fingerprint, seen)
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
                return Ok(match timeout(self.inner.settings.patience(), follower.completed()).await {
                    Ok(Some(entry)) => self.join(table, at, fingerprint, entry).await,
                    Ok(None) | Err(_) => LeaseOutcome::Denied,
                });
            }
        };
        self.take_up();
        let lease_ttl = self.inner.settings.lease_ttl;
        let lease = || self.inner.store.lease(self.schema_cell(), at, replaces, lease_ttl);
        match self.call(table, lease).await {
            Ok(Some(grant)) => {
                let lease = Lease::new(Ticket {
                    cache: self.clone(),
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
        let Some((parts, answer)) = self.place(affected).await else {
            return Ok(self.fence_of_nothing().await);
        };
        let seen = answer.as_ref().ok().copied();
        match answer.err().and_then(|error| self.refusal(&parts, error)) {
            Some(refused) => {
                self.spawn(parts.withdraw());
                Err(refused)
            }
            None => Ok(self.write_goes_ahead(parts, seen)),
        }
    }

    /// The same for what has been written already, or can't be stopped: whatever the policy says, the tables are
    /// bypassed until they have been invalidated. The error that [`fence`](Self::fence) would have given comes
    /// beside it.
    ///
    /// # Cancel safety
    /// As [`fence`](Self::fence).
    pub async fn fence_written(&self, affected: Affected) -> (Fence, Result<(), Refused>) {
        let Some((parts, answer)) = self.place(affected).await else {
            return (self.fence_of_nothing().await, Ok(()));
        };
        let seen = answer.as_ref().ok().copied();
        let refused = answer.err().and_then(|error| self.refusal(&parts, error));
        (self.write_goes_ahead(parts, seen), refused.map_or(Ok(()), Err))
    }

    /// Waits until every background call of this process (fills, releases, forfeits) has ended, done or not. For
    /// tests.
    pub async fn settled(&self) {
        self.inner.duties.calls_ended().await;
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
        self.take_up();
        self.inner.duties.done_within(limit).await
    }

    /// The fence where there is nothing to mark.
    async fn fence_of_nothing(&self) -> Fence {
        // In its own process the cache may know a table by now that the caller does not. Others name every table
        // that is written.
        let asks = self.inner.reach == Reach::Process;
        Fence::of_nothing(if asks { self.generation().await.ok() } else { None })
    }

    /// Marks the cells, if the store lets it, and tells what it answered: the schema's generation. `None` if there is
    /// nothing to mark.
    async fn place(&self, affected: Affected) -> Option<(Parts, Result<Option<Generation>, StoreError>)> {
        let (cells, tables) = affected.into_parts();
        let first = tables.first().filter(|_| self.inner.reach != Reach::Nothing)?;
        self.take_up();
        let writer = Writer::random();
        let answer = self.mark(first, &cells, writer).await;
        Some((Parts { cache: self.clone(), cells, tables, writer, placed: answer.is_ok() }, answer))
    }

    /// Marks the cells, or marks them anew, and tells the schema's generation. `table` stands for all that are written
    /// in the counters of a call.
    pub(crate) async fn mark(
        &self,
        table: &Table,
        cells: &[Key],
        writer: Writer,
    ) -> Result<Option<Generation>, StoreError> {
        let (store, mut seen) = (&self.inner.store, None);
        for cells in cells.chunks(MOST_CELLS) {
            // A repetition carries the same writer: where the first one arrived, it finds its own mark.
            let fence = || store.fence(self.schema_cell(), cells, writer, self.inner.settings.fence_ttl);
            let result = match self.inner.reach {
                Reach::Shared => self.inner.breaker.fence(fence, |tried| store.doubt(tried.into_std())).await,
                Reach::Process | Reach::Nothing => fence().await,
            };
            // The last answer counts: all marks stand by then.
            seen = self.counted(table, result)?;
        }
        Ok(seen)
    }

    fn refusal(&self, parts: &Parts, error: StoreError) -> Option<Refused> {
        let refuses = |table: &&Arc<Table>| table.policy(&self.inner.settings) == Unreachable::Refuse;
        let table = parts.tables.iter().find(refuses)?;
        Some(Refused { table: table.name().to_owned(), error })
    }

    fn write_goes_ahead(&self, parts: Parts, seen: Option<Option<Generation>>) -> Fence {
        for table in &parts.tables {
            if parts.placed {
                table.counters.fences.increment();
            } else {
                table.counters.unfenced_writes.increment();
                if table.quarantine.write_began() {
                    self.inner.duties.begin(Duty::Invalidate, table.name());
                }
            }
        }
        Fence::new(parts, seen)
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

    pub(crate) fn store(&self) -> &dyn Store {
        &*self.inner.store
    }

    /// One call to the store on behalf of `table`. It is made once more where the connection was lost, although
    /// nobody knows whether it arrived: what is left of a lease that was granted twice expires by itself.
    pub(crate) async fn call<T, C>(&self, table: &Table, operation: impl Fn() -> C) -> Result<T, StoreError>
    where
        C: Future<Output = Result<T, StoreError>>,
    {
        let result = self.guarded(operation).await;
        self.counted(table, result)
    }

    fn counted<T>(&self, table: &Table, result: Result<T, StoreError>) -> Result<T, StoreError> {
        if let Err(error) = &result {
            table.counters.store_errors.increment();
            tracing::debug!(table = table.name(), %error, "store call failed");
        }
        result
    }

    /// Runs what nobody needs to wait for: at once in a process's own store, else as a task of its own, which
    /// goes on if the caller vanishes.
    pub(crate) async fn in_background(&self, call: impl Future<Output = ()> + Send + 'static) {
        match self.inner.reach {
            Reach::Shared => self.spawn(call),
            Reach::Process | Reach::Nothing => call.await,
        }
    }

    /// Runs `call` as a task of its own, which [`settled`](Self::settled) waits for. Outside a runtime it is not run:
    /// whatever it would have tidied up expires by itself, or is left to the next one.
    pub fn spawn(&self, call: impl Future<Output = ()> + Send + 'static) {
        let Ok(runtime) = Handle::try_current() else {
            return;
        };
        self.take_up();
        self.inner.duties.call_began();
        let under_way = UnderWay(self.clone());
        runtime.spawn(async move {
            let _under_way = under_way;
            call.await;
        });
    }

    async fn guarded<T, C>(&self, operation: impl Fn() -> C) -> Result<T, StoreError>
    where
        C: Future<Output = Result<T, StoreError>>,
    {
        match self.inner.reach {
            Reach::Shared => self.inner.breaker.call(operation).await,
            Reach::Process | Reach::Nothing => operation().await,
        }
    }

    fn distrusts(&self, table: &Table) -> bool {
        table.quarantine.is_active() || (self.inner.reach == Reach::Shared && self.inner.breaker.in_grace())
    }
}

/// What a slot's sighting is worth.
fn judge(at: &Address, fingerprint: Fingerprint, seen: LookupResult) -> Lookup {
    let Some(entry) = seen.entry else {
        return Lookup::Missing { replaces: None };
    };
    let valid = entry.fingerprint == fingerprint
        && entry.epoch == seen.epoch
        && entry.epoch.is_some() == at.epoch.is_some()
        && (entry.presence.is_none() || entry.presence == seen.presence);
    if valid { Lookup::Found(entry) } else { Lookup::Missing { replaces: Some(entry.token) } }
}

/// Counts one background call, also when its task is dropped with the runtime.
struct UnderWay(Cache);

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.0.inner.duties.call_ended();
    }
}

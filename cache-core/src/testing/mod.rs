//! Stores that count, fail or pause on purpose, and a clock that stands still.
//!
//! The three wrappers go around any store and nest. They call the wrapped store exactly as they were called.
//!
//! ```
//! # tokio::runtime::Builder::new_current_thread().build()?.block_on(async {
//! use std::sync::Arc;
//! use cache_core::{backend::MemoryStore, entry::Writer, key::Key, store::Store};
//! use cache_core::testing::{Call, CountingStore, PausableStore};
//! use std::time::Duration;
//!
//! let store = CountingStore::new(Arc::new(MemoryStore::default()));
//! let pausable = PausableStore::new(Arc::new(store.clone()));
//! let mut pause = pausable.pause_after(Call::Fence);
//! let (schema, cells) = (Key::from("schema".to_owned()), [Key::from("a".to_owned())]);
//! let fence = pausable.fence(&schema, &cells, Writer(1), Duration::from_secs(60));
//! let schedule = async {
//!     pause.reached().await;
//!     assert_eq!(store.take(), ["fence a"]); // executed, not yet answered
//!     pause.resume();
//! };
//! tokio::join!(fence, schedule).0?;
//! # Ok::<(), Box<dyn std::error::Error>>(()) })?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod count;
mod fault;
mod pause;

use std::{
    collections::HashSet,
    fmt,
    sync::{
        Arc, Mutex, MutexGuard,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use async_trait::async_trait;

pub use self::{
    count::CountingStore,
    fault::{Fault, FaultyStore},
    pause::{PausableStore, Pause},
};
use crate::{
    entry::{Entry, Generation, Token, Writer},
    key::{Address, Key, Namespace, TableKeys},
    slot::{Millis, Slot},
    store::{
        Capabilities, Claim, FillRequest, Grant, LeaseRequest, LookupResult, LookupResults, Store, StoreError,
    },
    unpoisoned,
};

/// A clock that only the test moves. Clones show the same time.
#[derive(Clone, Debug, Default)]
pub struct ManualClock {
    now: Arc<AtomicU64>,
}

impl ManualClock {
    /// What it shows.
    pub fn now(&self) -> Millis {
        self.now.load(Ordering::SeqCst)
    }

    /// Moves it forward.
    pub fn advance(&self, by: Duration) {
        let by = by.as_millis().try_into().unwrap_or(Millis::MAX);
        self.now.fetch_add(by, Ordering::SeqCst);
    }
}

/// A store whose cells a test can see and remove.
#[async_trait]
pub trait Cells: Store {
    /// The cell as it stands. Where the store doesn't say when a slot expires, its `until` is
    /// [`Millis::MAX`].
    ///
    /// # Errors
    /// As for any call to the store.
    async fn cell(&self, key: &Key) -> Result<Slot, StoreError>;

    /// Removes the cell, as eviction does.
    ///
    /// # Errors
    /// As for any call to the store.
    async fn remove(&self, key: &Key) -> Result<(), StoreError>;
}

/// A method of [`Store`] that reaches for cells.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[allow(missing_docs)]
pub enum Call {
    Lookup,
    LookupMany,
    Lease,
    LeaseMany,
    Fill,
    FillMany,
    Forfeit,
    Fence,
    Release,
    Claim,
    Generation,
}

impl Call {
    /// Every method.
    pub const ALL: [Call; 11] = [
        Call::Lookup,
        Call::LookupMany,
        Call::Lease,
        Call::LeaseMany,
        Call::Fill,
        Call::FillMany,
        Call::Forfeit,
        Call::Fence,
        Call::Release,
        Call::Claim,
        Call::Generation,
    ];
}

impl fmt::Display for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Call::Lookup => "lookup",
            Call::LookupMany => "lookup_many",
            Call::Lease => "lease",
            Call::LeaseMany => "lease_many",
            Call::Fill => "fill",
            Call::FillMany => "fill_many",
            Call::Forfeit => "forfeit",
            Call::Fence => "fence",
            Call::Release => "release",
            Call::Claim => "claim",
            Call::Generation => "generation",
        })
    }
}

/// What a wrapper does before and after each call.
#[async_trait]
trait Intercept: fmt::Debug + Send + Sync + 'static {
    fn inner(&self) -> &dyn Store;

    async fn before(&self, call: Call, cells: &[&str]) -> Result<(), StoreError>;

    async fn after(&self, _: Call) -> Result<(), StoreError> {
        Ok(())
    }

    fn seen(&self, _: Call, sighting: LookupResult) -> LookupResult {
        sighting
    }
}

/// One implementation for all wrappers: none can forget a method.
macro_rules! wrap {
    ($($wrapper:ty),*) => {$(
        #[deny(clippy::missing_trait_methods)]
        #[async_trait]
        impl Store for $wrapper {
            async fn lookup(&self, at: &Address) -> Result<LookupResult, StoreError> {
                self.before(Call::Lookup, &names(at)).await?;
                let sighting = self.inner().lookup(at).await?;
                self.after(Call::Lookup).await?;
                Ok(self.seen(Call::Lookup, sighting))
            }

            async fn lease(
                &self,
                schema: &Key,
                at: &Address,
                replaces: Option<Token>,
                ttl: Duration,
            ) -> Result<Option<Grant>, StoreError> {
                self.before(Call::Lease, &names(at)).await?;
                let grant = self.inner().lease(schema, at, replaces, ttl).await?;
                self.after(Call::Lease).await?;
                Ok(grant)
            }

            async fn fill(&self, at: &Address, entry: Entry, ttl: Duration) -> Result<bool, StoreError> {
                self.before(Call::Fill, &written(at)).await?;
                let stored = self.inner().fill(at, entry, ttl).await?;
                self.after(Call::Fill).await?;
                Ok(stored)
            }

            async fn lookup_many(&self, at: &[&Address]) -> Result<LookupResults, StoreError> {
                self.before(Call::LookupMany, &distinct(at.iter().copied().flat_map(names))).await?;
                let mut sightings = self.inner().lookup_many(at).await?;
                self.after(Call::LookupMany).await?;
                let seen = sightings.seen.into_iter();
                sightings.seen = seen.map(|sighting| self.seen(Call::LookupMany, sighting)).collect();
                Ok(sightings)
            }

            async fn lease_many(
                &self,
                schema: &Key,
                wanted: &[LeaseRequest<'_>],
                ttl: Duration,
            ) -> Result<Vec<Option<Grant>>, StoreError> {
                let cells = distinct(wanted.iter().flat_map(|wish| names(wish.at)));
                self.before(Call::LeaseMany, &cells).await?;
                let grants = self.inner().lease_many(schema, wanted, ttl).await?;
                self.after(Call::LeaseMany).await?;
                Ok(grants)
            }

            async fn fill_many(&self, filled: Vec<FillRequest<'_>>) -> Result<Vec<bool>, StoreError> {
                let cells = distinct(filled.iter().flat_map(|filled| written(filled.at)));
                self.before(Call::FillMany, &cells).await?;
                let stored = self.inner().fill_many(filled).await?;
                self.after(Call::FillMany).await?;
                Ok(stored)
            }

            async fn forfeit(&self, at: &Address, token: Token) -> Result<(), StoreError> {
                self.before(Call::Forfeit, &[at.slot.as_str()]).await?;
                self.inner().forfeit(at, token).await?;
                self.after(Call::Forfeit).await
            }

            async fn fence(
                &self,
                schema: &Key,
                cells: &[Key],
                writer: Writer,
                ttl: Duration,
            ) -> Result<Option<Generation>, StoreError> {
                self.before(Call::Fence, &cells.iter().map(Key::as_str).collect::<Vec<_>>()).await?;
                let generation = self.inner().fence(schema, cells, writer, ttl).await?;
                self.after(Call::Fence).await?;
                Ok(generation)
            }

            async fn release(&self, cells: &[Key], writer: Writer) -> Result<usize, StoreError> {
                self.before(Call::Release, &cells.iter().map(Key::as_str).collect::<Vec<_>>()).await?;
                let lost = self.inner().release(cells, writer).await?;
                self.after(Call::Release).await?;
                Ok(lost)
            }

            async fn claim(&self, namespace: &Namespace, identity: &str) -> Result<Claim, StoreError> {
                self.before(Call::Claim, &[]).await?;
                let claim = self.inner().claim(namespace, identity).await?;
                self.after(Call::Claim).await?;
                Ok(claim)
            }

            async fn generation(&self, schema: &Key) -> Result<Option<Generation>, StoreError> {
                self.before(Call::Generation, &[schema.as_str()]).await?;
                let generation = self.inner().generation(schema).await?;
                self.after(Call::Generation).await?;
                Ok(generation)
            }

            fn know(&self, table: &TableKeys) {
                self.inner().know(table);
            }

            fn doubt(&self, since: Instant) {
                self.inner().doubt(since);
            }

            fn default_namespace(&self) -> Option<Namespace> {
                self.inner().default_namespace()
            }

            fn capabilities(&self) -> Capabilities {
                self.inner().capabilities()
            }
        }
    )*};
}

wrap!(CountingStore, FaultyStore, PausableStore);

/// The names of a slot and of the cells that decide whether its entry is valid.
fn names(at: &Address) -> Vec<&str> {
    [Some(&at.slot), at.epoch.as_ref(), at.presence.as_ref()].into_iter().flatten().map(Key::as_str).collect()
}

/// The names of the cells that a fill reaches.
fn written(at: &Address) -> Vec<&str> {
    [Some(&at.slot), at.epoch.as_ref()].into_iter().flatten().map(Key::as_str).collect()
}

/// Each name once, where it stands first.
fn distinct<'a>(names: impl IntoIterator<Item = &'a str>) -> Vec<&'a str> {
    let mut seen = HashSet::new();
    names.into_iter().filter(|name| seen.insert(*name)).collect()
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    unpoisoned::lock(mutex)
}

//! The store in this process.

mod shard;

use std::{
    collections::{BTreeMap, BTreeSet, HashMap, hash_map},
    fmt,
    hash::BuildHasher,
    sync::{Arc, Mutex, MutexGuard},
    thread,
    time::Duration,
};

use async_trait::async_trait;
use quick_cache::DefaultHashBuilder;

use self::shard::Shard;
use crate::{
    cellwise::{self, CellStore},
    clock::Clock,
    entry::{Entry, Epoch, Generation, Token, Writer},
    key::{Address, Key, Namespace},
    slot::{Millis, Operation, Outcome},
    store::{Capabilities, Claim, Grant, LookupResult, LookupResults, Store, StoreError},
    unpoisoned,
};

/// What [`MemoryStore::default`] may hold, in bytes.
const DEFAULT_CAPACITY: usize = 64 << 20;

/// No entry can be larger than its shard, so a store is not divided further than this many bytes.
const SMALLEST_SHARD: usize = 4 << 20;

/// So many slots are seen at one instant.
const MOST_AT_ONCE: usize = 1000;

/// A store in the memory of **one** process.
///
/// Rows are kept decoded. The store is bounded by bytes: when it is full it evicts the entries that are least
/// likely to be asked for again; fences and epochs are never evicted. Calls never wait and never fail.
///
/// **One process only.** A write invalidates what the store of its own process holds. Where several
/// processes write to one database, each with its own memory store, every one of them goes on serving the
/// rows that the others changed until those entries expire. Give such processes one shared store instead.
///
/// Clones are the same store.
///
/// ```
/// use cache_core::{backend::MemoryStore, store::{Capabilities, Store}};
/// let store = MemoryStore::with_capacity(256 << 20);
/// assert_eq!(store.capabilities(), Capabilities::IN_PROCESS);
/// ```
#[derive(Clone)]
pub struct MemoryStore {
    inner: Arc<Inner>,
}

struct Inner {
    /// In bytes.
    capacity: usize,
    shards: Box<[Mutex<Shard>]>,
    hasher: DefaultHashBuilder,
    clock: Clock,
    /// Which database each namespace belongs to.
    owners: Mutex<HashMap<String, String>>,
}

impl MemoryStore {
    /// A store that holds about `bytes` of entries, for **one** process: see the type's documentation before
    /// several processes that write to one database get a memory store each.
    ///
    /// The store is divided into shards of 4 MiB or more; an entry larger than a shard is not kept.
    pub fn with_capacity(bytes: usize) -> Self {
        MemoryStore::new(bytes, Clock::system())
    }

    /// A store whose entries and fences expire by `clock` alone.
    #[cfg(any(test, feature = "testing"))]
    pub fn with_clock(bytes: usize, clock: crate::testing::ManualClock) -> Self {
        MemoryStore::new(bytes, Clock::Manual(clock))
    }

    fn new(bytes: usize, clock: Clock) -> Self {
        let most = thread::available_parallelism().map_or(8, |cores| cores.get() * 8);
        let count = (bytes / SMALLEST_SHARD).clamp(1, most);
        MemoryStore {
            inner: Arc::new(Inner {
                capacity: bytes,
                shards: (0..count).map(|_| Mutex::new(Shard::new(bytes / count))).collect(),
                hasher: DefaultHashBuilder::default(),
                clock,
                owners: Mutex::default(),
            }),
        }
    }

    /// The shard that keeps `key`. Whoever holds one asks for no other, but for [`at_once`](Self::at_once).
    fn shard(&self, key: &Key) -> MutexGuard<'_, Shard> {
        unpoisoned(&self.inner.shards[self.place(key)])
    }

    /// The position of the shard that keeps `key`.
    fn place(&self, key: &Key) -> usize {
        // The upper half of the product spreads the hash evenly over any number of shards.
        let spread = u128::from(self.inner.hasher.hash_one(key)) * self.inner.shards.len() as u128;
        (spread >> 64) as usize
    }

    /// Several slots with their stamps, as they stand at one instant.
    fn at_once(&self, at: &[&Address]) -> Vec<LookupResult> {
        // Found before anything is locked: nobody else is served while the shards are held.
        let place = |key: &Option<Key>| key.as_ref().map(|key| self.place(key));
        let places: Vec<_> =
            at.iter().map(|at| (self.place(&at.slot), place(&at.epoch), place(&at.presence))).collect();
        let needed: BTreeSet<usize> = places
            .iter()
            .flat_map(|(slot, epoch, presence)| [Some(*slot), *epoch, *presence])
            .flatten()
            .collect();
        // In ascending order: two callers can't wait for each other.
        let held: BTreeMap<usize, MutexGuard<'_, Shard>> =
            needed.into_iter().map(|place| (place, unpoisoned(&self.inner.shards[place]))).collect();
        let number = |key: &Option<Key>, place: &Option<usize>| held[place.as_ref()?].epoch(key.as_ref()?);
        let see = |(at, (slot, epoch, presence)): (&&Address, &(usize, Option<usize>, Option<usize>))| {
            LookupResult {
                entry: held[slot].entry(&at.slot, &self.inner.clock),
                epoch: number(&at.epoch, epoch),
                presence: number(&at.presence, presence),
            }
        };
        at.iter().zip(&places).map(see).collect()
    }

    fn epoch(&self, key: Option<&Key>) -> Option<Epoch> {
        key.and_then(|key| self.shard(key).epoch(key))
    }
}

impl Default for MemoryStore {
    /// A store of 64 MiB, for **one** process: see the type's documentation.
    fn default() -> Self {
        MemoryStore::with_capacity(DEFAULT_CAPACITY)
    }
}

impl fmt::Debug for MemoryStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shards = &self.inner.shards;
        let bytes: u64 = shards.iter().map(|shard| unpoisoned(shard).weight()).sum();
        f.debug_struct("MemoryStore")
            .field("shards", &shards.len())
            .field("capacity", &self.inner.capacity)
            .field("bytes", &bytes)
            .finish()
    }
}

impl CellStore for MemoryStore {
    /// Under the shard's lock. The clock is read there too, so that no cell sees time go back.
    async fn apply(
        &self,
        cell: &Key,
        operation: impl Fn(Millis) -> Operation + Send + Sync,
    ) -> Result<Outcome, StoreError> {
        let mut shard = self.shard(cell);
        let now = self.inner.clock.now();
        Ok(shard.apply(cell, operation(now), now))
    }
}

#[async_trait]
impl Store for MemoryStore {
    async fn lookup(&self, at: &Address) -> Result<LookupResult, StoreError> {
        let entry = self.shard(&at.slot).entry(&at.slot, &self.inner.clock);
        Ok(LookupResult {
            entry,
            epoch: self.epoch(at.epoch.as_ref()),
            presence: self.epoch(at.presence.as_ref()),
        })
    }

    async fn lookup_many(&self, at: &[&Address]) -> Result<LookupResults, StoreError> {
        // Nobody else is served while the shards are held.
        let seen = at.chunks(MOST_AT_ONCE).flat_map(|at| self.at_once(at)).collect();
        Ok(LookupResults { seen, at_once: at.len() <= MOST_AT_ONCE })
    }

    async fn lease(
        &self,
        schema: &Key,
        at: &Address,
        replaces: Option<Token>,
        ttl: Duration,
    ) -> Result<Option<Grant>, StoreError> {
        cellwise::lease(self, schema, at, replaces, ttl).await
    }

    async fn fill(&self, at: &Address, entry: Entry, ttl: Duration) -> Result<bool, StoreError> {
        cellwise::fill(self, at, entry, ttl).await
    }

    async fn forfeit(&self, at: &Address, token: Token) -> Result<(), StoreError> {
        cellwise::forfeit(self, at, token).await
    }

    async fn fence(
        &self,
        schema: &Key,
        cells: &[Key],
        writer: Writer,
        ttl: Duration,
    ) -> Result<Option<Generation>, StoreError> {
        cellwise::fence(self, schema, cells, writer, ttl).await
    }

    async fn generation(&self, schema: &Key) -> Result<Option<Generation>, StoreError> {
        cellwise::generation(self, schema).await
    }

    async fn release(&self, cells: &[Key], writer: Writer) -> Result<usize, StoreError> {
        cellwise::release(self, cells, writer).await
    }

    async fn claim(&self, namespace: &Namespace, identity: &str) -> Result<Claim, StoreError> {
        let mut owners = unpoisoned(&self.inner.owners);
        Ok(match owners.entry(namespace.to_string()) {
            hash_map::Entry::Occupied(owner) if owner.get() != identity => Claim::Taken(owner.get().clone()),
            hash_map::Entry::Occupied(_) => Claim::Held,
            hash_map::Entry::Vacant(free) => {
                free.insert(identity.to_owned());
                Claim::Held
            }
        })
    }

    fn default_namespace(&self) -> Option<Namespace> {
        Some(Namespace::new("local").expect("letters make a valid prefix"))
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities::IN_PROCESS
    }
}

#[cfg(feature = "testing")]
#[async_trait]
impl crate::testing::Cells for MemoryStore {
    async fn cell(&self, key: &Key) -> Result<crate::slot::Slot, StoreError> {
        Ok(match self.apply(key, |_| Operation::Lookup).await? {
            Outcome::Seen(slot) => slot,
            other => unreachable!("a lookup answers with what it saw, not {other:?}"),
        })
    }

    async fn remove(&self, key: &Key) -> Result<(), StoreError> {
        self.shard(key).remove(key);
        Ok(())
    }
}

/// A lock is poisoned when a payload panics while it is weighed or dropped. The shard then lost that payload
/// at most, and a lost entry is a miss.
fn unpoisoned<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    unpoisoned::lock(mutex)
}

#[cfg(test)]
mod tests;

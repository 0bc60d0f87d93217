//! The backend in this process.

mod bounded;
mod held;
mod recent;
mod shard;

use std::{
    fmt,
    hash::{BuildHasher, RandomState},
    sync::{Arc, Mutex, MutexGuard},
    thread,
    time::Duration,
};

use async_trait::async_trait;
use cache_core::{clock::Clock, unpoisoned};

use self::{bounded::Bounded, recent::Recent, shard::Shard};
use super::{Backend, Capabilities, Counted, Item, Put, Start, StoreError, Stored};
use crate::name::Name;

/// What [`MemoryBackend::default`] may hold, in bytes.
const DEFAULT_CAPACITY: usize = 64 << 20;

/// No value can be larger than its shard, so a backend is not divided further than this many bytes.
const SMALLEST_SHARD: usize = 4 << 20;

/// A cache in the memory of this process, which no other process sees. Calls never wait and never fail.
///
/// Bounded by bytes, it keeps what is most likely to be asked for again. Bounded by a number of entries, it keeps what was used
/// last, as Django's does. In either case values whose time is over go first, and generations are never evicted.
///
/// Clones are the same cache.
///
/// ```
/// use cache_values::backend::MemoryBackend;
/// let by_bytes = MemoryBackend::with_capacity(256 << 20);
/// let by_entries = MemoryBackend::with_entries(1000, 3);
/// ```
#[derive(Clone)]
pub struct MemoryBackend {
    inner: Arc<Inner>,
}

struct Inner {
    shards: Box<[Mutex<Shard>]>,
    hasher: RandomState,
    clock: Clock,
}

impl MemoryBackend {
    /// A backend of about so many bytes, divided into shards of 4 MiB or more; a value larger than a shard is not kept.
    pub fn with_capacity(bytes: usize) -> Self {
        MemoryBackend::new(by_bytes(bytes), Clock::system())
    }

    /// A backend of at most so many entries. Where there is no room, one of `cull_frequency` goes, those that were not used
    /// for the longest time; 0 removes all.
    pub fn with_entries(most: usize, cull_frequency: usize) -> Self {
        MemoryBackend::new(by_entries(most, cull_frequency), Clock::system())
    }

    /// The same backend, still empty, whose values expire by `clock` alone.
    ///
    /// # Panics
    /// If the backend has clones.
    #[cfg(any(test, feature = "testing"))]
    pub fn with_clock(self, clock: cache_core::testing::ManualClock) -> Self {
        let inner = Arc::into_inner(self.inner).expect("a backend that nobody else uses");
        MemoryBackend { inner: Arc::new(Inner { clock: Clock::Manual(clock), ..inner }) }
    }

    fn new(shards: Box<[Mutex<Shard>]>, clock: Clock) -> Self {
        MemoryBackend { inner: Arc::new(Inner { shards, hasher: RandomState::new(), clock }) }
    }

    /// How many entries there are, those included whose time is over and that nobody asked for since. Cells don't count.
    pub fn len(&self) -> usize {
        self.inner.shards.iter().map(|shard| unpoisoned::lock(shard).len()).sum()
    }

    /// Whether there is no entry.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The shard of a name. Whoever holds one asks for no other.
    fn shard(&self, name: &Name) -> MutexGuard<'_, Shard> {
        let count = self.inner.shards.len();
        let place = match count {
            1 => 0,
            // The upper half of the product spreads the hash evenly over any number of shards.
            _ => ((u128::from(self.inner.hasher.hash_one(name)) * count as u128) >> 64) as usize,
        };
        unpoisoned::lock(&self.inner.shards[place])
    }
}

fn by_bytes(bytes: usize) -> Box<[Mutex<Shard>]> {
    let most = thread::available_parallelism().map_or(8, |cores| cores.get() * 8);
    let count = (bytes / SMALLEST_SHARD).clamp(1, most);
    (0..count).map(|_| Mutex::new(Shard::new(Box::new(Bounded::new(bytes / count))))).collect()
}

/// One shard: the order of use is one order.
fn by_entries(most: usize, cull_frequency: usize) -> Box<[Mutex<Shard>]> {
    Box::new([Mutex::new(Shard::new(Box::new(Recent::new(most, cull_frequency))))])
}

impl Default for MemoryBackend {
    /// A backend of 64 MiB.
    fn default() -> Self {
        MemoryBackend::with_capacity(DEFAULT_CAPACITY)
    }
}

impl fmt::Debug for MemoryBackend {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryBackend").field("entries", &self.len()).finish_non_exhaustive()
    }
}

#[async_trait]
impl Backend for MemoryBackend {
    async fn get(&self, names: &[Name], _: bool) -> Result<Vec<Option<Item>>, StoreError> {
        let now = self.inner.clock.now();
        Ok(names.iter().map(|name| self.shard(name).get(name, now)).collect())
    }

    async fn put(&self, items: &[Put]) -> Result<Vec<Stored>, StoreError> {
        let now = self.inner.clock.now();
        Ok(items.iter().map(|item| self.shard(&item.name).put(item, now)).collect())
    }

    async fn remove(&self, names: &[Name]) -> Result<Vec<bool>, StoreError> {
        let now = self.inner.clock.now();
        Ok(names.iter().map(|name| self.shard(name).remove(name, now)).collect())
    }

    async fn touch(&self, name: &Name, ttl: Option<Duration>) -> Result<bool, StoreError> {
        Ok(self.shard(name).touch(name, ttl, self.inner.clock.now()))
    }

    async fn count(&self, name: &Name, by: i64, start: Option<Start>) -> Result<Counted, StoreError> {
        Ok(self.shard(name).count(name, by, start, self.inner.clock.now()))
    }

    async fn sweep(&self, stem: &str) -> Result<u64, StoreError> {
        let now = self.inner.clock.now();
        Ok(self.inner.shards.iter().map(|shard| unpoisoned::lock(shard).sweep(stem, now)).sum())
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities::IN_PROCESS
    }
}

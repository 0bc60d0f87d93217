//! Room bounded by bytes: what is most likely to be asked for again stays.

use quick_cache::{DefaultHashBuilder, Lifecycle, OptionsBuilder, Weighter, unsync::Cache};

use super::held::{Held, Room};
use crate::name::Name;

/// What an entry takes besides its bytes and its name, which stands in the index of expiry too: its places in the tables,
/// which are up to half empty, and the headers of two allocations.
const OVERHEAD: usize = (2 * size_of::<Name>() + size_of::<Held>() + 40) * 3 / 2 + 32;

/// Sizes the memory of what was evicted recently, nothing else.
const TYPICAL_WEIGHT: usize = 512;

pub(super) struct Bounded {
    cache: Cache<Name, Held, Weight, DefaultHashBuilder, Told>,
    /// In bytes.
    capacity: u64,
}

struct Weight;

impl Weighter<Name, Held> for Weight {
    fn weight(&self, name: &Name, held: &Held) -> u64 {
        (name.as_str().len() + held.bytes.len() + OVERHEAD) as u64
    }
}

/// Tells who had to go.
struct Told;

impl Lifecycle<Name, Held> for Told {
    type RequestState = Vec<(Name, Held)>;

    fn on_evict(&self, gone: &mut Self::RequestState, name: Name, held: Held) {
        gone.push((name, held));
    }
}

impl Bounded {
    pub(super) fn new(bytes: usize) -> Self {
        let options = OptionsBuilder::new()
            .estimated_items_capacity(bytes / TYPICAL_WEIGHT)
            .weight_capacity(bytes as u64)
            .build()
            .expect("both capacities are set");
        let cache = Cache::with_options(options, Weight, DefaultHashBuilder::default(), Told);
        Bounded { cache, capacity: bytes as u64 }
    }
}

impl Room for Bounded {
    fn used(&mut self, name: &Name) -> Option<&Held> {
        self.cache.get(name)
    }

    fn peek(&self, name: &Name) -> Option<&Held> {
        self.cache.peek(name)
    }

    fn insert(&mut self, name: Name, held: Held, gone: &mut dyn FnMut(&Name, &Held)) -> bool {
        if Weight.weight(&name, &held) > self.capacity {
            return false;
        }
        // One that is replaced is told as well, and has been forgotten by then: that does no harm.
        let mut told = Vec::new();
        self.cache.insert_with_lifecycle(name, held, &mut told);
        told.iter().for_each(|(name, held)| gone(name, held));
        true
    }

    fn remove(&mut self, name: &Name) -> Option<Held> {
        self.cache.remove(name).map(|(_, held)| held)
    }

    fn is_full(&self) -> bool {
        self.cache.weight() + self.cache.weight() / 16 >= self.capacity
    }

    fn len(&self) -> usize {
        self.cache.len()
    }

    fn names(&self) -> Vec<Name> {
        self.cache.iter().map(|(name, _)| name.clone()).collect()
    }
}

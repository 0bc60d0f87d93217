//! One shard of a memory store: cells that may be evicted, and cells that may not.

use std::{collections::HashMap, mem};

use quick_cache::{
    DefaultHashBuilder, OptionsBuilder, Weighter,
    unsync::{Cache, DefaultLifecycle},
};

use crate::{
    clock::Clock,
    entry::{Entry, Epoch},
    key::Key,
    slot::{self, Millis, Operation, Outcome, Slot},
};

/// What a cell takes besides its payload and the text of its key: its place in the table, which is up to half
/// empty, and the headers of two allocations.
const OVERHEAD: usize = (size_of::<Key>() + size_of::<Cell>() + 21) * 3 / 2 + 32;

/// Sizes the memory of what was evicted recently, nothing else.
const TYPICAL_WEIGHT: usize = 512;

/// Below this number of pinned cells a sweep is not worth while.
const SWEEP_AT_LEAST: usize = 64;

/// Part of a store, behind one lock.
pub(super) struct Shard {
    /// Filled and leased slots.
    evictable: Cache<Key, Cell, CellWeight, DefaultHashBuilder>,
    /// Fences and epochs: room must never remove one. Expiry and release bound the fences, the number of
    /// tables bounds the epochs.
    pinned: HashMap<Key, Slot, DefaultHashBuilder>,
    /// The next sweep for expired fences comes when this many cells are pinned.
    sweep_at: usize,
}

struct Cell {
    slot: Slot,
    /// Kept, because the cache below asks often and a payload may take long to weigh.
    weight: u64,
}

struct CellWeight;

impl Weighter<Key, Cell> for CellWeight {
    fn weight(&self, _: &Key, cell: &Cell) -> u64 {
        cell.weight
    }
}

impl Shard {
    pub(super) fn new(bytes: usize) -> Self {
        let options = OptionsBuilder::new()
            .estimated_items_capacity(bytes / TYPICAL_WEIGHT)
            .weight_capacity(bytes as u64)
            .build()
            .expect("both capacities are set");
        Shard {
            evictable: Cache::with_options(
                options,
                CellWeight,
                DefaultHashBuilder::default(),
                DefaultLifecycle::default(),
            ),
            pinned: HashMap::default(),
            sweep_at: SWEEP_AT_LEAST,
        }
    }

    /// The entry of a slot. Reads the clock only if there is one.
    pub(super) fn entry(&self, key: &Key, clock: &Clock) -> Option<Entry> {
        match self.evictable.get(key)? {
            Cell { slot: Slot::Filled { entry, until }, .. } if clock.now() < *until => Some(entry.clone()),
            _ => None,
        }
    }

    /// The number of an epoch or presence cell.
    pub(super) fn epoch(&self, key: &Key) -> Option<Epoch> {
        match self.pinned.get(key)? {
            Slot::Epoch(epoch) => Some(*epoch),
            _ => None,
        }
    }

    /// Executes one operation on one cell.
    pub(super) fn apply(&mut self, key: &Key, operation: Operation, now: Millis) -> Outcome {
        let slot = match self.pinned.remove(key) {
            Some(slot) => slot,
            None => self.evictable.peek(key).map(|cell| cell.slot.clone()).unwrap_or_default(),
        };
        let (slot, outcome) = slot::apply(slot, operation, now);
        self.put(key, slot, now);
        match outcome {
            // There was no room for it.
            Outcome::Filled if !self.evictable.contains_key(key) => Outcome::Superseded,
            outcome => outcome,
        }
    }

    /// Removes whatever the cell holds.
    #[cfg(feature = "testing")]
    pub(super) fn remove(&mut self, key: &Key) {
        self.pinned.remove(key);
        self.evictable.remove(key);
    }

    /// About how many bytes the evictable cells take.
    pub(super) fn weight(&self) -> u64 {
        self.evictable.weight()
    }

    #[cfg(test)]
    pub(super) fn pinned(&self) -> usize {
        self.pinned.len()
    }

    /// Puts a cell where its state belongs. It is not in `pinned`.
    fn put(&mut self, key: &Key, slot: Slot, now: Millis) {
        match slot {
            Slot::Empty => {
                self.evictable.remove(key);
            }
            Slot::Fenced(_) | Slot::Epoch(_) => {
                self.evictable.remove(key);
                if self.pinned.len() >= self.sweep_at {
                    self.sweep(now);
                }
                self.pinned.insert(key.clone(), slot);
            }
            Slot::Leased { .. } | Slot::Filled { .. } => {
                let payload = match &slot {
                    Slot::Filled { entry, .. } => entry.payload.weight(),
                    _ => 0,
                };
                let weight = (payload + key.as_str().len() + OVERHEAD) as u64;
                // A fill must not count as a second use of its lease's cell, or every entry would look wanted.
                let kept = self.evictable.replace(key.clone(), Cell { slot, weight }, true);
                if let Err((key, cell)) = kept {
                    self.evictable.insert(key, cell);
                }
            }
        }
    }

    /// Removes the fences that expired. Runs when the pinned cells have doubled since the last time, so that
    /// its cost per fence is constant.
    fn sweep(&mut self, now: Millis) {
        self.pinned.retain(|_, slot| {
            *slot = slot::without_expired(mem::take(slot), now);
            !matches!(slot, Slot::Empty)
        });
        self.sweep_at = SWEEP_AT_LEAST.max(2 * self.pinned.len());
    }
}

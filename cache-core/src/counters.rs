//! Counters of one table, each with its definition.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

macro_rules! counters {
    ($($(#[$doc:meta])* $name:ident,)*) => {
        /// Live counters of one table in one process.
        #[derive(Debug, Default)]
        pub struct Counters {
            $($(#[$doc])* pub $name: Counter,)*
        }

        /// The values of [`Counters`] at one moment.
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
        #[non_exhaustive]
        pub struct Counts {
            $($(#[$doc])* pub $name: u64,)*
        }

        impl Counters {
            /// Reads every counter.
            pub fn snapshot(&self) -> Counts {
                Counts { $($name: self.$name.get(),)* }
            }
        }
    };
}

counters! {
    /// Reads answered with cached rows.
    hits,
    /// Reads answered with "no such row" from the cache. Not part of `hits`.
    absent_hits,
    /// Recognised reads that found no valid entry. `hits + absent_hits + misses` = recognised reads that asked
    /// the cache.
    misses,
    /// Misses answered with the row of another call's load. `misses - joins` = loads.
    joins,
    /// Loads whose result was stored.
    fills,
    /// Loads whose result was refused by the store because a write overtook them.
    superseded_fills,
    /// Loads whose result was larger than the maximum entry size.
    oversized,
    /// Writes that placed a fence on a cell of this table.
    fences,
    /// Fences left to expire because the outcome of their write is unknown.
    abandoned_fences,
    /// Cells whose fence had expired or was evicted before its write was decided. Raise the fence TTL, or give
    /// the store an eviction policy that spares short-lived keys. Where a release had to be repeated, none is counted:
    /// the first one may have taken the marks back, though its answer got lost.
    lost_fences,
    /// Writes that went through while the store could not be fenced (policy `Proceed`).
    unfenced_writes,
    /// Store calls about this table that failed, timed out or were not made because the breaker is open.
    store_errors,
}

impl Counts {
    /// The part of the reads that were answered without a load of their own, from 0 to 1; `None` before the first read.
    pub fn hit_ratio(&self) -> Option<f64> {
        let reads = self.hits + self.absent_hits + self.misses;
        let answered = self.hits + self.absent_hits + self.joins;
        (reads > 0).then(|| answered as f64 / reads as f64)
    }
}

/// A number that only grows.
#[derive(Debug, Default)]
pub struct Counter(AtomicU64);

impl Counter {
    /// Adds one.
    pub fn increment(&self) {
        self.add(1);
    }

    /// Adds `n`.
    pub fn add(&self, n: u64) {
        self.0.fetch_add(n, Relaxed);
    }

    /// The current value.
    pub fn get(&self) -> u64 {
        self.0.load(Relaxed)
    }
}

//! Room: who goes when there are too many, at a cost that does not depend on how many there are.
//!
//! The entries are divided into parts by the hashes of their names, about [`PART`] of them in each. Every so many puts, the
//! next part is counted: its index alone is read, never that of the whole table. Of a part with too many, those go that were not
//! used for the longest time. Between two visits to a part, all parts together grow by one sixteenth of the limit at most.

use std::{
    ops::RangeInclusive,
    sync::atomic::{AtomicU64, Ordering},
};

use xxhash_rust::xxh3::xxh3_64;

use crate::name::Name;

/// So many entries a part has when the table is full.
const PART: u64 = 256;

/// Where nothing limits the number of entries, every so many puts some are removed whose time is over.
const STRIDE: u64 = 16;

/// How many entries there may be.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limit {
    pub(super) most: u64,
    pub(super) cull_frequency: u64,
}

/// What the puts of this process owe.
pub(super) struct Room {
    limit: Option<Limit>,
    puts: AtomicU64,
    visits: AtomicU64,
    ticks: AtomicU64,
}

/// What is to be done after a put.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Due {
    /// So many expired entries are removed.
    pub(super) expired: u64,
    /// So many parts are counted.
    pub(super) parts: u64,
}

impl Room {
    /// A process that puts little begins anywhere, so that many of those do as much as one that puts much.
    pub(super) fn new(limit: Option<Limit>) -> Self {
        let start = || AtomicU64::new(rand::random_range(0..1 << 32));
        Room { limit, puts: start(), visits: start(), ticks: AtomicU64::new(0) }
    }

    pub(super) fn limit(&self) -> Option<Limit> {
        self.limit
    }

    /// A number below 1000, one more each time.
    pub(super) fn tick(&self) -> i64 {
        (self.ticks.fetch_add(1, Ordering::Relaxed) % 1000) as i64
    }

    fn parts(limit: Limit) -> u64 {
        limit.most.div_ceil(PART)
    }

    fn stride(&self) -> u64 {
        self.limit.map_or(STRIDE, |limit| (limit.most / 16 / Room::parts(limit)).max(1))
    }

    /// Counts the puts, and says what they owe.
    pub(super) fn after(&self, puts: usize) -> Option<Due> {
        let (puts, stride) = (puts as u64, self.stride());
        let before = self.puts.fetch_add(puts, Ordering::Relaxed);
        let visits = (before + puts) / stride - before / stride;
        let parts = self.limit.map_or(0, |limit| visits.min(Room::parts(limit)));
        // Twice as many as came: what is left over from busier times goes as well.
        (visits > 0).then_some(Due { expired: 2 * stride * visits, parts })
    }

    /// The part whose turn it is, as a range of hashes, and how many entries it may have.
    pub(super) fn next(&self, limit: Limit) -> (RangeInclusive<i32>, u64) {
        let parts = Room::parts(limit);
        let part = self.visits.fetch_add(1, Ordering::Relaxed) % parts;
        let start = |part: u64| i32::try_from((part << 31) / parts);
        let last = start(part + 1).map_or(i32::MAX, |next| next - 1);
        (start(part).unwrap_or(i32::MAX)..=last, limit.most / parts)
    }
}

impl Limit {
    /// How many of so many go, if a part may have `most`.
    pub(super) fn surplus(self, there: u64, most: u64) -> u64 {
        if there <= most {
            return 0;
        }
        there.checked_div(self.cull_frequency).unwrap_or(there).max(there - most)
    }
}

/// By what an entry belongs to a part. Cells belong to none.
pub(super) fn hash(name: &Name) -> Option<i32> {
    let hash = (xxh3_64(name.as_str().as_bytes()) >> 33) as i32;
    (!name.is_cell()).then_some(hash)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_parts_cover_every_hash_once() {
        for most in [1, 255, 256, 257, 1000, 123_457, 1_000_000] {
            let limit = Limit { most, cull_frequency: 3 };
            let room = Room::new(Some(limit));
            let mut parts: Vec<_> = (0..Room::parts(limit)).map(|_| room.next(limit)).collect();
            parts.sort_by_key(|(hashes, _)| *hashes.start());
            let mut next = 0_i64;
            for (hashes, budget) in parts {
                assert_eq!(i64::from(*hashes.start()), next);
                assert!(budget >= 1 && budget * Room::parts(limit) <= most);
                next = i64::from(*hashes.end()) + 1;
            }
            assert_eq!(next, 1 << 31, "{most} entries");
        }
    }

    #[test]
    fn one_round_through_all_parts_takes_a_sixteenth_of_the_limit() {
        for most in [16, 300, 1000, 1_000_000] {
            let limit = Limit { most, cull_frequency: 3 };
            let room = Room::new(Some(limit));
            let puts = most / 16;
            let visits = (0..puts).filter_map(|_| room.after(1)).map(|due| due.parts).sum::<u64>();
            assert!(visits >= Room::parts(limit), "{most}: {visits} visits after {puts} puts");
        }
    }

    #[test]
    fn as_many_go_as_the_frequency_says_and_never_too_few() {
        let goes = |cull_frequency, there| Limit { most: 30, cull_frequency }.surplus(there, 30);
        assert_eq!([goes(3, 30), goes(3, 31), goes(2, 40), goes(0, 31), goes(1, 31)], [0, 10, 20, 31, 31]);
        assert_eq!(goes(10, 100), 70);
    }
}

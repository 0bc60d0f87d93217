//! What happened to a cache in this process.

use std::fmt;

use cache_core::counters::Counter;

macro_rules! counters {
    ($($(#[$doc:meta])* $name:ident,)*) => {
        /// Live counters of one cache.
        #[derive(Debug, Default)]
        pub(crate) struct Counters {
            $($(#[$doc])* pub(crate) $name: Counter,)*
        }

        /// What happened to a cache in this process, up to one moment. [`Display`](fmt::Display) is a table.
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
        #[non_exhaustive]
        pub struct Stats {
            $($(#[$doc])* pub $name: u64,)*
        }

        impl Counters {
            pub(crate) fn snapshot(&self) -> Stats {
                Stats { $($name: self.$name.get(),)* }
            }
        }

        impl fmt::Display for Stats {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                let ratio = self.hit_ratio().map_or("-".to_owned(), |ratio| format!("{:.1} %", ratio * 100.0));
                write!(f, "{:<14}{ratio:>14}", "hit ratio")?;
                $(write!(f, "\n{:<14}{:>14}", stringify!($name).replace('_', " "), self.$name)?;)*
                Ok(())
            }
        }
    };
}

counters! {
    /// Keys that were answered from the backend.
    hits,
    /// Keys under which nothing was found that could be used. `hits + misses` = keys that were asked for.
    misses,
    /// Misses because what was there could not be read: another type, version, shape or codec, garbage.
    unreadable,
    /// Misses because a tag of the value had been invalidated.
    untagged,
    /// Answers from the time that a value is kept beyond its own.
    stale,
    /// Values that were computed.
    loads,
    /// Computations that ended with an error.
    failed_loads,
    /// Misses that were answered with what another call of this process, or another process, computed.
    joins,
    /// Computed values that were not stored because the key was set or deleted meanwhile.
    superseded,
    /// Values that were set, by a computation too.
    sets,
    /// Keys that were deleted, whether there was a value or not.
    deletes,
    /// Values that were not kept because they were too large.
    oversized,
    /// Values that could not be encoded.
    unencodable,
    /// Calls to the backend that failed, timed out, or were not made because it rests.
    failures,
}

impl Stats {
    /// The part of the keys asked for that were answered without a computation of their own, from 0 to 1; `None` before the
    /// first.
    pub fn hit_ratio(&self) -> Option<f64> {
        let asked = self.hits + self.misses;
        (asked > 0).then(|| (self.hits + self.joins) as f64 / asked as f64)
    }
}

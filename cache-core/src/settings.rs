//! How a cache behaves.

use std::time::Duration;

/// Times, sizes and policies, with defaults that suit most applications.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Settings {
    /// How long an entry lives unless its entity says otherwise; the bound of staleness where a
    /// documented assumption fails. Default: 10 minutes.
    pub entry_ttl: Duration,
    /// An entry's time to live is varied by up to this fraction either way, so that entries filled together
    /// don't expire together. Default: 0.1.
    pub jitter: f64,
    /// How long a reader may take to load before another one may fill the slot. Default: 10 seconds. A call
    /// that joined another one's load waits a tenth of this before it loads by itself.
    pub lease_ttl: Duration,
    /// How long a fence stands if its writer never learns the outcome. Must exceed the time that a statement
    /// can still run unattended. Default: 60 seconds.
    pub fence_ttl: Duration,
    /// How long a call to a shared store may take; a write of more than a thousand cells takes several. Default: 250
    /// milliseconds.
    pub store_time_out: Duration,
    /// How long a write waits for a store that does not answer before it counts as lost: until then its fence is
    /// tried again, on a new connection. Longer if [`store_time_out`](Self::store_time_out) is. Default: 1 second.
    pub fence_time_out: Duration,
    /// How long a process that lost the store serves no hits once it is back. Must exceed the time that other
    /// processes need to invalidate what they wrote meanwhile. Default: 2 seconds.
    pub grace: Duration,
    /// Entries larger than this are not stored, in bytes. Default: 1 MiB.
    pub max_entry_bytes: usize,
    /// More rows of one table than this are invalidated by one write as the whole table. Default: 10,000.
    pub max_fenced_rows: usize,
    /// How long a process that ends waits until the store knows all that it must. Default: 5 seconds.
    pub close_time_out: Duration,
    /// What happens to a write whose cells can't be fenced, unless the table says otherwise. Default:
    /// [`Unreachable::Proceed`].
    pub unreachable: Unreachable,
}

/// The policy for writes while the store can't be reached; the stricter one is the greater.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Unreachable {
    /// The write goes through. This process bypasses the table until it has invalidated it; other processes that
    /// reach the store serve the old rows until then, or until the entries expire if this process dies first.
    #[default]
    Proceed,
    /// The write fails with an error that says so: no row is ever served stale.
    Refuse,
}

/// Ten years: what "for ever" is taken for.
const LONGEST_TTL: Duration = Duration::from_secs(315_360_000);

impl Default for Settings {
    fn default() -> Self {
        Settings {
            entry_ttl: Duration::from_secs(600),
            jitter: 0.1,
            lease_ttl: Duration::from_secs(10),
            fence_ttl: Duration::from_secs(60),
            store_time_out: Duration::from_millis(250),
            fence_time_out: Duration::from_secs(1),
            grace: Duration::from_secs(2),
            max_entry_bytes: 1 << 20,
            max_fenced_rows: 10_000,
            close_time_out: Duration::from_secs(5),
            unreachable: Unreachable::Proceed,
        }
    }
}

impl Settings {
    /// How long a call waits for another one's load before it loads by itself: a tenth of the lease.
    pub(crate) fn patience(&self) -> Duration {
        self.lease_ttl / 10
    }

    /// The time to live of one entry.
    pub(crate) fn jittered(&self, ttl: Option<Duration>) -> Duration {
        let jitter = if self.jitter.is_finite() { self.jitter.clamp(0.0, 0.9) } else { 0.0 };
        let spread = jitter * (rand::random::<f64>() * 2.0 - 1.0);
        ttl.unwrap_or(self.entry_ttl).min(LONGEST_TTL).mul_f64(1.0 + spread)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_time_to_live_and_no_jitter_is_too_large() {
        for jitter in [0.1, f64::NAN, f64::INFINITY] {
            let settings = Settings { jitter, ..Settings::default() };
            assert!(settings.jittered(Some(Duration::MAX)) > LONGEST_TTL / 2);
        }
    }

    #[test]
    fn jitter_stays_within_its_fraction() {
        let settings = Settings { jitter: 0.1, ..Settings::default() };
        for _ in 0..1000 {
            let ttl = settings.jittered(Some(Duration::from_secs(100)));
            assert!((Duration::from_secs(90)..=Duration::from_secs(110)).contains(&ttl));
        }
    }
}

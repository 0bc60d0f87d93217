//! What a shard has under a name, and what decides what goes when there is no room.

use std::{fmt, time::Duration};

use bytes::Bytes;
use cache_core::slot::Millis;

use crate::{
    backend::{Item, Left},
    name::Name,
};

/// Bytes, for a time.
#[derive(Clone)]
pub(super) struct Held {
    pub(super) bytes: Bytes,
    /// From here on it counts as gone; `None` is never.
    pub(super) until: Option<Millis>,
}

impl Held {
    pub(super) fn new(bytes: Bytes, ttl: Option<Duration>, now: Millis) -> Self {
        Held { bytes, until: ttl.map(|ttl| after(now, ttl)) }
    }

    pub(super) fn lives(&self, now: Millis) -> bool {
        self.until.is_none_or(|until| now < until)
    }

    pub(super) fn item(&self, now: Millis) -> Item {
        let left = self.until.map(|until| Duration::from_millis(until.saturating_sub(now)));
        Item::new(self.bytes.clone(), Left::from(left))
    }
}

/// When something ends that begins now.
pub(super) fn after(now: Millis, ttl: Duration) -> Millis {
    // Rounded up: what lives for less than a millisecond lives for one.
    let ttl = ttl.as_nanos().div_ceil(1_000_000).try_into().unwrap_or(Millis::MAX);
    now.saturating_add(ttl)
}

/// A bounded place for entries.
pub(super) trait Room: Send {
    /// The entry, whose use is noted.
    fn used(&mut self, name: &Name) -> Option<&Held>;

    /// The entry, without a note of it.
    fn peek(&self, name: &Name) -> Option<&Held>;

    /// Takes an entry in, in place of another under its name. Whoever had to go for it is told to `gone`, were it this
    /// entry itself. False if it is too large, and nothing was changed.
    fn insert(&mut self, name: Name, held: Held, gone: &mut dyn FnMut(&Name, &Held)) -> bool;

    /// Takes an entry out.
    fn remove(&mut self, name: &Name) -> Option<Held>;

    /// Whether another entry finds room only in place of others.
    fn is_full(&self) -> bool;

    /// How many entries there are.
    fn len(&self) -> usize;

    /// The names of all entries.
    fn names(&self) -> Vec<Name>;
}

impl fmt::Debug for Held {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Held({} bytes until {:?})", self.bytes.len(), self.until)
    }
}

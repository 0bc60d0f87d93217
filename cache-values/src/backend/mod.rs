//! The contract of a backend: bytes under names, for a time.

mod by_hand;
mod dummy;
mod memory;

use std::{fmt, time::Duration};

use async_trait::async_trait;
use bytes::Bytes;
pub use cache_core::store::StoreError;

pub use self::{dummy::DummyBackend, memory::MemoryBackend};
use crate::name::Name;

/// A place that keeps bytes under names. Object safe; shared behind an `Arc`.
///
/// A cache of its own needs [`get`](Self::get), [`put`](Self::put) and [`remove`](Self::remove). The other methods stand on
/// these three; a backend that can do better in one step brings its own. What values, keys, versions, tags
/// and time-outs mean is decided above this trait, once for all backends.
///
/// # Contract
///
/// - An item lives until its time is over, on the backend's clock, exact to the millisecond or rounded up. After that it is
///   as if it had never been there. It may go earlier, for want of room; a [cell](Name::is_cell) should not.
/// - A **promise** is an item that [begins so](is_promise): somebody is computing the value. To everything but `get` and
///   [`When::Unchanged`] its name is **vacant**, as a name under which there is nothing.
/// - Each item changes atomically, whatever the number of callers and processes: no other change comes between the
///   condition of a `put` and its effect. Calls with many items need not be atomic as a whole.
/// - A value that can't be kept leaves nothing behind: neither itself nor what was there before.
/// - A cell is never read from a replica that may lag behind.
/// - Whoever reads under a name gets bytes that were put there as a whole, or nothing: never a part.
///
/// # Cancel safety
///
/// A dropped call may or may not have taken effect.
///
/// # Errors
///
/// A [`StoreError`] says nothing about whether the call took effect.
#[async_trait]
pub trait Backend: fmt::Debug + Send + Sync + 'static {
    /// What is under these names, in the order asked. One round trip. With `left`, each item tells how much of its time
    /// is left; without, it may.
    async fn get(&self, names: &[Name], left: bool) -> Result<Vec<Option<Item>>, StoreError>;

    /// Keeps these items, each under its condition. One round trip.
    async fn put(&self, items: &[Put]) -> Result<Vec<Stored>, StoreError>;

    /// Removes what is under these names. For each, whether it was taken: a promise is removed and counts as nothing.
    async fn remove(&self, names: &[Name]) -> Result<Vec<bool>, StoreError>;

    /// Gives an item a new time to live; `None` is for ever. False if the name is vacant.
    async fn touch(&self, name: &Name, ttl: Option<Duration>) -> Result<bool, StoreError> {
        by_hand::touch(self, name, ttl).await
    }

    /// Adds to the number under this name, which keeps its time to live. Under a vacant name the number begins with
    /// `start`, to which nothing is added, or it is [`Counted::Missing`].
    async fn count(&self, name: &Name, by: i64, start: Option<Start>) -> Result<Counted, StoreError> {
        by_hand::count(self, name, by, start).await
    }

    /// Moves an item with the rest of its time, over whatever is there. False if `from` is vacant.
    async fn rename(&self, from: &Name, to: &Name) -> Result<bool, StoreError> {
        by_hand::rename(self, from, to).await
    }

    /// Makes room: removes items whose time is over, and those whose names begin with `stem`, which nobody asks for any
    /// more. Runs beside the calls of others and takes its time. The number of items removed.
    async fn sweep(&self, stem: &str) -> Result<u64, StoreError> {
        let _ = stem;
        Ok(0)
    }

    /// What it takes to use it. Always the same.
    fn capabilities(&self) -> Capabilities;

    /// Ends its connections. Calls that follow fail, or connect anew.
    async fn close(&self) {}
}

/// What a backend has under a name.
#[derive(Clone, PartialEq, Eq)]
pub struct Item {
    /// What was put there.
    pub bytes: Bytes,
    /// Tells this item from every other one that was ever under this name.
    pub version: Version,
    /// How much of its time is left.
    pub left: Left,
}

impl Item {
    /// An item whose version is that [of its content](Version::of).
    pub fn new(bytes: Bytes, left: Left) -> Self {
        Item { version: Version::of(&bytes), bytes, left }
    }
}

/// Shows the size only: values may be what must not reach a log.
impl fmt::Debug for Item {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Item({} bytes, {:?})", self.bytes.len(), self.left)
    }
}

/// How much of an item's time is left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Left {
    /// Nobody asked.
    Unknown,
    /// It has no end.
    Forever,
    /// So much.
    For(Duration),
}

impl Left {
    /// As a time to live; what is unknown counts as without end.
    pub fn ttl(self) -> Option<Duration> {
        match self {
            Left::For(left) => Some(left),
            Left::Unknown | Left::Forever => None,
        }
    }
}

impl From<Option<Duration>> for Left {
    fn from(ttl: Option<Duration>) -> Self {
        ttl.map_or(Left::Forever, Left::For)
    }
}

/// Tells one item from another under the same name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Version(pub u128);

/// So many bytes at an item's beginning tell it from every other one, but where it is a number.
pub const HEAD: usize = 16;

impl Version {
    /// The version of an item: its first [`HEAD`] bytes, as a number. Those of values and
    /// promises are random; a number that has the same digits again is the same number.
    pub fn of(bytes: &[u8]) -> Self {
        let mut head = [0; HEAD];
        let length = bytes.len().min(HEAD);
        head[..length].copy_from_slice(&bytes[..length]);
        Version(u128::from_be_bytes(head))
    }

    /// The bytes that the item begins with; zeros after those of one that is shorter.
    pub fn head(self) -> [u8; HEAD] {
        self.0.to_be_bytes()
    }
}

/// An item to keep.
#[derive(Clone)]
pub struct Put {
    /// Under this name.
    pub name: Name,
    /// What to keep.
    pub bytes: Bytes,
    /// For so long, more than nothing; `None` is for ever.
    pub ttl: Option<Duration>,
    /// Only then.
    pub when: When,
}

/// Shows the size only.
impl fmt::Debug for Put {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Put { name, bytes, ttl, when } = self;
        write!(f, "Put({name:?}, {} bytes, {ttl:?}, {when:?})", bytes.len())
    }
}

/// The condition of a `put`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum When {
    /// Whatever is there.
    Always,
    /// Nothing is there, or a promise.
    Vacant,
    /// What was seen there still is: this version, or nothing at all, not even a promise.
    Unchanged(Option<Version>),
}

impl When {
    /// Whether the condition holds for what is there now: for backends that look before they write, under a lock.
    pub fn holds(self, there: Option<&[u8]>) -> bool {
        match self {
            When::Always => true,
            When::Vacant => there.is_none_or(is_promise),
            When::Unchanged(seen) => there.map(Version::of) == seen,
        }
    }
}

/// What became of a `put`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Stored {
    /// It is there.
    Kept,
    /// The condition did not hold. Nothing was changed.
    Refused,
    /// It can't be kept: it is too large. Nothing is under the name now.
    TooLarge,
}

/// How a number begins that nobody has counted yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Start {
    /// Its first value.
    pub value: i64,
    /// How long it lives; `None` is for ever.
    pub ttl: Option<Duration>,
}

/// What became of a count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Counted {
    /// The number is this now.
    Is(i64),
    /// The name is vacant.
    Missing,
    /// What is there is no number. Nothing was changed.
    NoNumber,
    /// The result does not fit into 64 bits. Nothing was changed.
    Overflow,
}

/// What a backend can do, and what it takes to use it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Capabilities {
    /// It keeps anything at all.
    pub keeps: bool,
    /// Calls may wait, fail, or never be answered: they get a time-out and a circuit breaker.
    pub may_fail: bool,
    /// Other processes use it too.
    pub is_shared: bool,
}

impl Capabilities {
    /// In the memory of this process alone.
    pub const IN_PROCESS: Capabilities = Capabilities { keeps: true, may_fail: false, is_shared: false };
    /// Used by several processes, and apt to fail: a server, a disk.
    pub const SHARED: Capabilities = Capabilities { keeps: true, may_fail: true, is_shared: true };
    /// It keeps nothing.
    pub const NONE: Capabilities = Capabilities { keeps: false, may_fail: false, is_shared: false };
}

/// The first byte of a promise. No encoding of a value and no number begins with it.
pub(crate) const PROMISE: u8 = 0xc0;

/// Whether these bytes are a promise: no value, but the sign that somebody computes one.
pub fn is_promise(bytes: &[u8]) -> bool {
    bytes.first() == Some(&PROMISE)
}

/// The number that these bytes are: decimal digits, perhaps after a minus sign, as Redis and memcached count them.
pub fn number(bytes: &[u8]) -> Option<i64> {
    let is_number = matches!(bytes, [b'-', b'1'..=b'9', ..] | [b'1'..=b'9', ..] | [b'0']);
    if !is_number || bytes.len() > 20 {
        return None;
    }
    std::str::from_utf8(bytes).ok()?.parse().ok()
}

//! What a backend keeps, and on what condition.

use std::{fmt, time::Duration};

use bytes::Bytes;

use crate::name::Name;

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

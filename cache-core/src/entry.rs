//! What a slot holds: an entry, its stamps and its payload.

use std::{any::Any, fmt, sync::Arc};

use bytes::Bytes;

macro_rules! random_numbers {
    ($($(#[$doc:meta])* $name:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(pub u64);

        impl $name {
            /// A fresh number from the process's cryptographic generator.
            pub fn random() -> Self {
                $name(rand::random())
            }
        }
    )*};
}

random_numbers! {
    /// The value of an epoch or presence cell. Never reused: a cell that was fenced or evicted restarts at a
    /// fresh random number, so an old entry can't become valid again.
    Epoch;
    /// Identifies one lease and the fill that used it. Two fills never share one, so equal tokens mean "the
    /// same entry all along".
    Token;
    /// Identifies one fence, that is one statement or one transaction of one writer.
    Writer;
    /// Names the state of the database's schema: the number in a namespace's schema cell. Moves on, never to
    /// return, with every change of the schema.
    Generation;
}

/// A hash of an entity's table, columns, types and codec. A hit under another fingerprint is a miss: two
/// versions of a program may share a store during a rollout.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Fingerprint(pub u64);

impl Fingerprint {
    /// The shape as it is known under one generation of the schema. What was filled under another is no hit:
    /// it was judged by another schema.
    pub fn under(self, generation: Generation) -> Self {
        Fingerprint(self.0 ^ generation.0)
    }
}

/// A cached row, "no such row", alias or `all()` result, with the stamps that say when it is valid.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// The fill that stored it.
    pub token: Token,
    /// The epoch its table was in; `None` where the slot has no epoch cell.
    pub epoch: Option<Epoch>,
    /// Set for absent entries only: the presence epoch read before the load that found nothing.
    pub presence: Option<Epoch>,
    /// The shape of what it holds.
    pub fingerprint: Fingerprint,
    /// The row or rows; the key in full for an absent entry; the primary key for an alias.
    pub payload: Payload,
}

impl Entry {
    /// True for "the database has no such row".
    pub fn is_absent(&self) -> bool {
        self.presence.is_some()
    }
}

/// A value as a store keeps it: a store in process keeps what it was given, a remote one keeps bytes.
#[derive(Clone)]
pub enum Payload {
    /// The encoded form.
    Encoded(Bytes),
    /// A decoded value of the crate above, which knows its type.
    Decoded(Arc<dyn Decoded>),
}

/// A value that a store in process can keep as it is.
pub trait Decoded: Any + Send + Sync {
    /// The bytes that a remote store keeps for it.
    fn encode(&self) -> Bytes;

    /// About how many bytes it takes in memory: what a bounded store charges for it.
    fn weight(&self) -> usize;
}

impl Payload {
    /// The bytes that a remote store keeps.
    pub fn to_bytes(&self) -> Bytes {
        match self {
            Payload::Encoded(bytes) => bytes.clone(),
            Payload::Decoded(value) => value.encode(),
        }
    }

    /// About how many bytes it takes in memory.
    pub fn weight(&self) -> usize {
        match self {
            Payload::Encoded(bytes) => bytes.len(),
            Payload::Decoded(value) => value.weight(),
        }
    }
}

impl From<Bytes> for Payload {
    fn from(bytes: Bytes) -> Self {
        Payload::Encoded(bytes)
    }
}

/// Payloads are equal when their encoded forms are.
impl PartialEq for Payload {
    fn eq(&self, other: &Self) -> bool {
        self.to_bytes() == other.to_bytes()
    }
}

/// Shows the size only: rows may hold what must not reach a log.
impl fmt::Debug for Payload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Payload({} bytes)", self.weight())
    }
}

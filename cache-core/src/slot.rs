//! The states of a cell and every legal transition between them.
//!
//! [`apply`] is pure and the only description of the transitions. The memory store executes it under a
//! lock; the Redis scripts are tested to agree with it; the model check drives it.
//!
//! ```text
//!            lease                fill (same token)
//!   Empty ──────────► Leased ─────────────────────► Filled
//!     ▲ ▲               │ forfeit, expiry              │ expiry, eviction
//!     │ └───────────────┘◄─────────────────────────────┘
//!     │        fence from every state ─► Fenced(holders)
//!     └─────── release, expiry or loss of the last holder
//!   Empty ── open ─► Epoch(random)        (epoch and presence cells)
//! ```

use crate::entry::{Entry, Epoch, Token, Writer};

/// A point in time in milliseconds, on the clock of the store.
pub type Millis = u64;

/// One cell of a store.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Slot {
    /// Nothing is known. Also what eviction and expiry leave behind.
    #[default]
    Empty,
    /// An entry, until it expires.
    Filled {
        /// The cached value with its stamps.
        entry: Entry,
        /// From here on the slot counts as empty.
        until: Millis,
    },
    /// One reader may fill the slot.
    Leased {
        /// The reader's lease.
        token: Token,
        /// From here on the slot counts as empty.
        until: Millis,
    },
    /// Writers are at work: no hits, no leases, no fills. Never an empty list.
    Fenced(Vec<Holder>),
    /// The value of an epoch or presence cell.
    Epoch(Epoch),
}

/// One writer's share of a fence.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Holder {
    /// Who placed it.
    pub writer: Writer,
    /// From here on the share counts as released: its writer is taken for dead.
    pub until: Millis,
}

/// What a reader or writer asks of one cell.
#[derive(Clone, Debug, PartialEq)]
pub enum Operation {
    /// Read the cell.
    Lookup,
    /// Ask for the right to fill the slot.
    Lease {
        /// A fresh token.
        token: Token,
        /// When the right ends.
        until: Millis,
        /// The entry that the reader saw and found invalid (another epoch, another fingerprint). Any other
        /// entry is somebody's newer fill and stays.
        replaces: Option<Token>,
    },
    /// Store the loaded entry, if the lease with the entry's token still stands.
    Fill {
        /// What was loaded under the lease.
        entry: Entry,
        /// When the entry expires.
        until: Millis,
    },
    /// Give the lease back unused.
    Forfeit {
        /// The lease.
        token: Token,
    },
    /// Read an epoch or presence cell, starting it at a fresh number if it is empty.
    Open {
        /// A random number, used only if the cell is empty.
        fresh: Epoch,
    },
    /// Mark the cell before a write can commit. Removes whatever it held.
    Fence {
        /// The writer.
        writer: Writer,
        /// When the writer is taken for dead.
        until: Millis,
    },
    /// Take the mark back, when the outcome of the write is known.
    Release {
        /// The writer.
        writer: Writer,
    },
}

/// The answer to an [`Operation`].
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    /// To `Lookup`: the cell as it stands.
    Seen(Slot),
    /// To `Lease`: the slot is now leased.
    Granted,
    /// To `Lease`: fenced, leased to another reader, or freshly filled. To `Open`: fenced.
    Denied,
    /// To `Fill`: stored.
    Filled,
    /// To `Fill`: a fence or an expiry overtook the lease; nothing was stored.
    Superseded,
    /// To `Forfeit`.
    Forfeited,
    /// To `Open`: the number of the cell.
    Opened(Epoch),
    /// To `Fence`.
    Fenced,
    /// To `Release`: the mark was there and is gone.
    Released,
    /// To `Release`: the mark had expired or was evicted. An entry may have been filled while the write was
    /// undecided, so the cell is emptied.
    Lost,
}

/// Executes one operation on one cell.
///
/// ```
/// use cache_core::{entry::{Token, Writer}, slot::{apply, Operation, Outcome, Slot}};
/// let lease = |token| Operation::Lease { token: Token(token), until: 100, replaces: None };
/// let (slot, outcome) = apply(Slot::Empty, lease(1), 0);
/// assert_eq!(outcome, Outcome::Granted);
/// // A second reader gets no lease, and a writer's fence removes the first one's.
/// let (slot, outcome) = apply(slot, lease(2), 1);
/// assert_eq!(outcome, Outcome::Denied);
/// let (slot, _) = apply(slot, Operation::Fence { writer: Writer(9), until: 50 }, 2);
/// assert!(matches!(slot, Slot::Fenced(_)));
/// ```
pub fn apply(slot: Slot, operation: Operation, now: Millis) -> (Slot, Outcome) {
    let slot = without_expired(slot, now);
    match operation {
        Operation::Lookup => (slot.clone(), Outcome::Seen(slot)),

        Operation::Lease { token, until, replaces } => match slot {
            Slot::Empty => (Slot::Leased { token, until }, Outcome::Granted),
            Slot::Filled { entry, .. } if Some(entry.token) == replaces => {
                (Slot::Leased { token, until }, Outcome::Granted)
            }
            other => (other, Outcome::Denied),
        },

        Operation::Fill { entry, until } => match slot {
            Slot::Leased { token, .. } if token == entry.token => {
                (Slot::Filled { entry, until }, Outcome::Filled)
            }
            other => (other, Outcome::Superseded),
        },

        Operation::Forfeit { token } => match slot {
            Slot::Leased { token: held, .. } if held == token => (Slot::Empty, Outcome::Forfeited),
            other => (other, Outcome::Forfeited),
        },

        Operation::Open { fresh } => match slot {
            Slot::Epoch(epoch) => (slot, Outcome::Opened(epoch)),
            Slot::Empty => (Slot::Epoch(fresh), Outcome::Opened(fresh)),
            other => (other, Outcome::Denied),
        },

        Operation::Fence { writer, until } => {
            let mut holders = match slot {
                Slot::Fenced(holders) => holders,
                _ => Vec::with_capacity(1),
            };
            holders.retain(|holder| holder.writer != writer);
            holders.push(Holder { writer, until });
            // A fence that is born expired still removes what the cell held.
            (without_expired(Slot::Fenced(holders), now), Outcome::Fenced)
        }

        Operation::Release { writer } => match slot {
            Slot::Fenced(mut holders) => {
                let before = holders.len();
                holders.retain(|holder| holder.writer != writer);
                let outcome = if holders.len() < before { Outcome::Released } else { Outcome::Lost };
                (if holders.is_empty() { Slot::Empty } else { Slot::Fenced(holders) }, outcome)
            }
            _ => (Slot::Empty, Outcome::Lost),
        },
    }
}

/// The cell as it stands at `now`: whatever expired is gone.
pub fn without_expired(slot: Slot, now: Millis) -> Slot {
    match slot {
        Slot::Filled { until, .. } | Slot::Leased { until, .. } if until <= now => Slot::Empty,
        Slot::Fenced(mut holders) => {
            holders.retain(|holder| now < holder.until);
            if holders.is_empty() { Slot::Empty } else { Slot::Fenced(holders) }
        }
        other => other,
    }
}

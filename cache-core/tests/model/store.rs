//! The store of the model: real slots, changed by nothing but `slot::apply`.
//!
//! A call over several cells is several steps here, one per cell, with anything in between: the least that
//! the contract of a store promises.

use std::{
    fmt,
    hash::{Hash, Hasher},
};

use bytes::Bytes;
use cache_core::{
    entry::{Entry, Epoch, Fingerprint, Payload, Token},
    slot::{Holder, Millis, Operation, Outcome, Slot, apply},
};

use crate::rules::Rule;

/// The clock stands still: what expires does so by an action of its own.
pub(crate) const NOW: Millis = 1;
pub(crate) const LATER: Millis = 2;

/// A cell of the model's only table. It has one shard.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Cell {
    Row(u8),
    Alias(u8),
    All,
    Epoch,
    Presence,
    /// The slot that row 0 would have under another spelling of its key. Nobody reads it.
    Misspelled,
}

impl Cell {
    /// True if an entry in this slot is valid only under the table's epoch.
    pub(crate) fn has_epoch(self) -> bool {
        matches!(self, Cell::Row(_))
    }

    /// True if this slot may hold "absent".
    pub(crate) fn has_presence(self) -> bool {
        matches!(self, Cell::Row(_) | Cell::Alias(_))
    }
}

impl fmt::Debug for Cell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Cell::Row(row) => write!(f, "row {row}"),
            Cell::Alias(unique) => write!(f, "alias u{unique}"),
            Cell::All => f.write_str("all"),
            Cell::Epoch => f.write_str("epoch"),
            Cell::Presence => f.write_str("presence"),
            Cell::Misspelled => f.write_str("row 0, misspelled"),
        }
    }
}

/// An entry that a reader holds in its hands.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Kept(pub(crate) Entry);

impl Kept {
    /// The one byte that the payload is.
    pub(crate) fn code(&self) -> u8 {
        self.0.payload.to_bytes()[0]
    }

    /// The epoch and the presence epoch that it was filled under.
    pub(crate) fn stamps(&self) -> [Option<u64>; 2] {
        [self.0.epoch, self.0.presence].map(|stamp| stamp.map(|epoch| epoch.0))
    }
}

impl Eq for Kept {}

impl Hash for Kept {
    fn hash<H: Hasher>(&self, state: &mut H) {
        let Entry { token, epoch, presence, fingerprint, payload: _ } = &self.0;
        (token, epoch, presence, fingerprint, self.code()).hash(state);
    }
}

/// The token of entries that the model starts with. Each reader fills at most once, under its own number.
pub(crate) const EARLIER: Token = Token(u64::MAX);

pub(crate) fn entry(token: Token, epoch: Option<u64>, presence: Option<u64>, code: u8) -> Entry {
    static CODES: [u8; 256] = {
        let mut codes = [0; 256];
        let mut code = 0;
        while code < 256 {
            codes[code] = code as u8;
            code += 1;
        }
        codes
    };
    let at = usize::from(code);
    Entry {
        token,
        epoch: epoch.map(Epoch),
        presence: presence.map(Epoch),
        fingerprint: Fingerprint(0),
        payload: Payload::Encoded(Bytes::from_static(&CODES[at..=at])),
    }
}

/// The cells that are not empty, in order.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Store(Vec<(Cell, Slot)>);

impl Store {
    pub(crate) fn get(&self, cell: Cell) -> &Slot {
        static EMPTY: Slot = Slot::Empty;
        self.find(cell).map_or(&EMPTY, |at| &self.0[at].1)
    }

    pub(crate) fn cells(&self) -> impl Iterator<Item = (Cell, &Slot)> {
        self.0.iter().map(|(cell, slot)| (*cell, slot))
    }

    /// Executes one operation on one cell. The two rules that `apply` itself embodies are switched off here,
    /// around it.
    pub(crate) fn run(&mut self, cell: Cell, operation: Operation, off: Option<Rule>) -> Outcome {
        let before = self.take(cell);
        let kept = match (&operation, off) {
            (Operation::Release { .. }, Some(Rule::LostFenceEmpties)) => Some(before.clone()),
            _ => None,
        };
        let (mut after, outcome) = apply(before, operation, NOW);
        if let (Some(kept), Outcome::Lost) = (kept, &outcome) {
            after = kept;
        }
        if let (Slot::Fenced(holders), Some(Rule::ManyHolders)) = (&mut after, off) {
            holders.drain(..holders.len() - 1);
        }
        self.put(cell, after);
        outcome
    }

    /// Lets time pass for one writer's share of a fence.
    pub(crate) fn expire_fence(&mut self, cell: Cell, writer: u64) {
        let mut slot = self.take(cell);
        if let Slot::Fenced(holders) = &mut slot {
            for holder in holders.iter_mut().filter(|holder| holder.writer.0 == writer) {
                holder.until = NOW;
            }
        }
        let (slot, _) = apply(slot, Operation::Lookup, NOW);
        self.put(cell, slot);
    }

    /// Expires or evicts an entry, a lease or an epoch: to a cell it is all the same.
    pub(crate) fn evict(&mut self, cell: Cell) {
        self.take(cell);
    }

    /// A number that nobody remembers, here or among `elsewhere`. As good as a random one, and the state
    /// space stays finite.
    pub(crate) fn fresh(&self, elsewhere: impl Iterator<Item = u64>) -> u64 {
        let mut used = 0u64;
        let stamps = self.0.iter().flat_map(|(_, slot)| match slot {
            Slot::Epoch(epoch) => [Some(*epoch), None],
            Slot::Filled { entry, .. } => [entry.epoch, entry.presence],
            Slot::Empty | Slot::Leased { .. } | Slot::Fenced(_) => [None, None],
        });
        for number in stamps.flatten().map(|epoch| epoch.0).chain(elsewhere) {
            used |= 1 << number;
        }
        u64::from(used.trailing_ones())
    }

    /// Puts a slot where the model starts.
    pub(crate) fn put(&mut self, cell: Cell, slot: Slot) {
        let at = self.0.partition_point(|(other, _)| *other < cell);
        if slot != Slot::Empty {
            self.0.insert(at, (cell, slot));
        }
    }

    fn take(&mut self, cell: Cell) -> Slot {
        self.find(cell).map_or(Slot::Empty, |at| self.0.remove(at).1)
    }

    fn find(&self, cell: Cell) -> Option<usize> {
        self.0.iter().position(|(other, _)| *other == cell)
    }
}

impl Eq for Store {}

impl Hash for Store {
    fn hash<H: Hasher>(&self, state: &mut H) {
        for (cell, slot) in &self.0 {
            cell.hash(state);
            std::mem::discriminant(slot).hash(state);
            match slot {
                Slot::Empty => {}
                Slot::Filled { entry, until } => (Kept(entry.clone()), until).hash(state),
                Slot::Leased { token, until } => (token, until).hash(state),
                Slot::Fenced(holders) => holders.hash(state),
                Slot::Epoch(epoch) => epoch.hash(state),
            }
        }
    }
}

/// The slot in words, for a schedule.
pub(crate) fn describe(slot: &Slot) -> String {
    match slot {
        Slot::Empty => "empty".to_owned(),
        Slot::Filled { entry, .. } if entry.is_absent() => "filled: absent".to_owned(),
        Slot::Filled { entry, .. } if entry.token == EARLIER => "filled by an earlier call".to_owned(),
        Slot::Filled { entry, .. } => format!("filled by reader {}", entry.token.0),
        Slot::Leased { token, .. } => format!("leased to reader {}", token.0),
        Slot::Fenced(holders) => {
            let writers: Vec<String> =
                holders.iter().map(|Holder { writer, .. }| writer.0.to_string()).collect();
            format!("fenced by writer {}", writers.join(" and "))
        }
        Slot::Epoch(epoch) => format!("number {}", epoch.0),
    }
}

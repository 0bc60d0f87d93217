//! The cells: the row that is read, its table's epoch, and the schema's generation.

use std::hash::{Hash, Hasher};

use bytes::Bytes;
use cache_core::{
    entry::{Entry, Epoch, Fingerprint, Generation, Payload, Token, Writer},
    slot::{Millis, Operation, Outcome, Slot, apply},
};

use crate::Known;

/// The clock stands still.
const NOW: Millis = 1;
pub(crate) const LATER: Millis = 2;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Cell {
    Row,
    Epoch,
    Schema,
}

pub(crate) const CELLS: [Cell; 3] = [Cell::Row, Cell::Epoch, Cell::Schema];

/// All three cells.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Cells([Slot; 3]);

impl Cells {
    /// The row was filled by somebody with the old knowledge.
    pub(crate) fn warm(known: Known) -> Self {
        let earlier = Token(u64::MAX);
        let row = Slot::Filled { entry: entry(earlier, Some(Epoch(0)), known, 0), until: LATER };
        Cells([row, Slot::Epoch(Epoch(0)), Slot::Epoch(Epoch(0))])
    }

    pub(crate) fn get(&self, cell: Cell) -> &Slot {
        &self.0[cell as usize]
    }

    pub(crate) fn run(&mut self, cell: Cell, operation: Operation) -> Outcome {
        let slot = std::mem::take(&mut self.0[cell as usize]);
        let (slot, outcome) = apply(slot, operation, NOW);
        self.0[cell as usize] = slot;
        outcome
    }

    pub(crate) fn fence(&mut self, cell: Cell, writer: u64) {
        self.run(cell, Operation::Fence { writer: Writer(writer), until: LATER });
    }

    pub(crate) fn release(&mut self, cell: Cell, writer: u64) {
        self.run(cell, Operation::Release { writer: Writer(writer) });
    }

    pub(crate) fn evict(&mut self, cell: Cell) {
        self.0[cell as usize] = Slot::Empty;
    }

    pub(crate) fn number(&self, cell: Cell) -> Option<Epoch> {
        match self.get(cell) {
            Slot::Epoch(epoch) => Some(*epoch),
            _ => None,
        }
    }

    pub(crate) fn entry(&self) -> Option<&Entry> {
        match self.get(Cell::Row) {
            Slot::Filled { entry, .. } => Some(entry),
            _ => None,
        }
    }

    /// Every number that stands in a cell or an entry.
    pub(crate) fn numbers(&self) -> impl Iterator<Item = u64> {
        let entry = self.entry();
        let stamps = entry.map(|entry| [entry.epoch.map(|epoch| epoch.0), Some(entry.fingerprint.0)]);
        let cells = CELLS.into_iter().filter_map(|cell| self.number(cell)).map(|epoch| epoch.0);
        stamps.into_iter().flatten().flatten().chain(cells)
    }
}

/// The entry that a reader stores who knows this: the value, and what it takes the schema for.
pub(crate) fn entry(token: Token, epoch: Option<Epoch>, known: Known, value: u8) -> Entry {
    static BYTES: [u8; 4] = [0, 1, 2, 3];
    let at = usize::from(value) + 2 * usize::from(known.trigger);
    let generation = Generation(known.generation.expect("nothing is filled without a generation"));
    let payload = Payload::Encoded(Bytes::from_static(&BYTES[at..=at]));
    // The shape is number 0, so that a fingerprint is a small number, too.
    Entry { token, epoch, presence: None, fingerprint: Fingerprint(0).under(generation), payload }
}

/// The value in an entry, and what its filler took the schema for.
pub(crate) fn content(entry: &Entry) -> (u8, bool) {
    let byte = entry.payload.to_bytes()[0];
    (byte & 1, byte & 2 != 0)
}

impl Eq for Cells {}

impl Hash for Cells {
    fn hash<H: Hasher>(&self, state: &mut H) {
        for slot in &self.0 {
            std::mem::discriminant(slot).hash(state);
            match slot {
                Slot::Empty => {}
                Slot::Filled { entry, .. } => {
                    (entry.token, entry.epoch, entry.fingerprint, content(entry)).hash(state);
                }
                Slot::Leased { token, .. } => token.hash(state),
                Slot::Fenced(holders) => holders.hash(state),
                Slot::Epoch(epoch) => epoch.hash(state),
            }
        }
    }
}

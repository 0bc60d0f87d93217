//! Writers: fence, commit, release, and dying at any step.

use cache_core::slot::{Operation, Slot};

use crate::{
    cast::Cast,
    database::{Database, Write},
    rules::Rule,
    store::{Cell, LATER},
    world::{Action, Protocol, World, writer_id},
};

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Writer {
    phase: Phase,
    /// The cells that are left to fence or release, in any order, as bits.
    left: u8,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Phase {
    /// Placing fences. When none are left the commit is sent, and its outcome is open until it happens.
    Fencing,
    /// The outcome is known. A process that dies here takes no further step; its fences expire.
    Releasing,
    /// Rule off: releases although the commit may still happen.
    Unknowing,
    /// Rule off: fences after the commit.
    LateFencing,
}

impl Writer {
    pub(crate) fn new(protocol: &Protocol, at: usize) -> Writer {
        let left = if protocol.keeps(Rule::FenceBeforeCommit) { protocol.all_fenced(at) } else { 0 };
        Writer { phase: Phase::Fencing, left }
    }

    pub(crate) fn has_released_everything(&self) -> bool {
        self.phase == Phase::Releasing && self.left == 0
    }

    /// True between the first statement and the end of the transaction.
    pub(crate) fn is_undecided(&self) -> bool {
        self.phase == Phase::Fencing
    }

    fn finish(&mut self, cell: usize) {
        self.left &= !(1 << cell);
    }
}

/// The cells that a write fences, of those that somebody reads.
pub(crate) fn fenced_cells(write: Write, cast: &Cast, off: Option<Rule>) -> Vec<Cell> {
    let named = match write {
        Write::UpdateMisspelled(_) if off == Some(Rule::CanonicalKeys) => return vec![Cell::Misspelled],
        Write::Update(row) | Write::UpdateMisspelled(row) | Write::Delete(row) => {
            vec![Cell::Row(row), Cell::All]
        }
        Write::UpdateBoth => vec![Cell::Row(0), Cell::Row(1), Cell::All],
        Write::UpdateAll => vec![Cell::Epoch, Cell::All, Cell::Presence],
        Write::Insert(..) => vec![Cell::All, Cell::Presence],
        Write::AssignUnique(row, _) => vec![Cell::Row(row), Cell::All, Cell::Presence],
    };
    let read = cast.cells();
    named.into_iter().filter(|cell| read.contains(cell)).collect()
}

impl World {
    pub(crate) fn writer_actions(&self, protocol: &Protocol, at: usize, actions: &mut Vec<Action>) {
        let writer = &self.writers[at];
        let cells = &protocol.fenced[at];
        let left = cells.iter().enumerate().filter(|(bit, _)| writer.left & 1 << bit != 0);
        match writer.phase {
            Phase::Fencing | Phase::LateFencing => {
                actions.extend(left.map(|(_, cell)| Action::Fence(at, *cell)))
            }
            Phase::Releasing | Phase::Unknowing => {
                actions.extend(left.map(|(_, cell)| Action::Release(at, *cell)));
            }
        }
        if writer.phase == Phase::Fencing {
            actions.push(Action::GiveUp(at));
            if writer.left == 0 && !protocol.keeps(Rule::ReleaseOnlyWhenOutcomeKnown) {
                actions.push(Action::LoseConnection(at));
            }
        }
        let commits = match writer.phase {
            Phase::Fencing => writer.left == 0,
            Phase::Unknowing => true,
            Phase::Releasing | Phase::LateFencing => false,
        };
        if commits && self.after_commit(protocol, at).is_some() {
            actions.push(Action::Commit(at));
        }
        // A fence outlives every write that is still undecided, except where the cast says otherwise.
        if writer.phase == Phase::Releasing || protocol.cast.fences_get_lost {
            let held = |cell: Cell| match self.store.get(cell) {
                Slot::Fenced(holders) => holders.iter().any(|holder| holder.writer == writer_id(at)),
                _ => false,
            };
            let cells = cells.iter().filter(|cell| held(**cell));
            actions.extend(cells.map(|cell| Action::ExpireFence(at, *cell)));
        }
    }

    pub(crate) fn writer_step(&mut self, protocol: &Protocol, at: usize, action: Action) {
        let bit = |cell: Cell| {
            let cells = &protocol.fenced[at];
            cells.iter().position(|other| *other == cell).expect("a writer handles its own cells")
        };
        match action {
            Action::Fence(_, cell) => {
                let fence = Operation::Fence { writer: writer_id(at), until: LATER };
                self.store.run(cell, fence, protocol.off);
                let writer = &mut self.writers[at];
                writer.finish(bit(cell));
                if writer.phase == Phase::LateFencing && writer.left == 0 {
                    *writer = Writer { phase: Phase::Releasing, left: protocol.all_fenced(at) };
                }
            }
            Action::Release(_, cell) => {
                self.store.run(cell, Operation::Release { writer: writer_id(at) }, protocol.off);
                self.writers[at].finish(bit(cell));
            }
            Action::ExpireFence(_, cell) => self.store.expire_fence(cell, writer_id(at).0),
            Action::LoseConnection(_) => {
                self.writers[at] = Writer { phase: Phase::Unknowing, left: protocol.all_fenced(at) };
            }
            Action::GiveUp(_) => {
                self.writers[at] = Writer { phase: Phase::Releasing, left: protocol.all_fenced(at) };
            }
            Action::Commit(_) => {
                let database = self.after_commit(protocol, at).expect("only a possible commit is offered");
                self.commit(database);
                let writer = &mut self.writers[at];
                *writer = match writer.phase {
                    Phase::Unknowing => Writer { phase: Phase::Releasing, left: writer.left },
                    _ if protocol.keeps(Rule::FenceBeforeCommit) => {
                        Writer { phase: Phase::Releasing, left: protocol.all_fenced(at) }
                    }
                    _ => Writer { phase: Phase::LateFencing, left: protocol.all_fenced(at) },
                };
            }
            other => unreachable!("{other:?} is no step of a writer"),
        }
    }

    /// The snapshot that this writer's transaction sees, and leaves when it commits.
    pub(crate) fn after_commit(&self, protocol: &Protocol, at: usize) -> Option<Database> {
        protocol.cast.writes[at].commit(self.database, at as u8 + 1)
    }
}

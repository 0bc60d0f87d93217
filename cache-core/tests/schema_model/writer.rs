//! A writer that goes by the old schema: runs its statement, marks what that affects by what it knows, asks for the
//! generation, and learns anew if it knows another one.

use crate::{
    Known, OLD,
    cells::Cell,
    world::{Action, Protocol, Rule, World},
};

/// The name under which it fences.
const WRITER: u64 = 8;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Writer {
    pub(crate) known: Known,
    phase: Phase,
    /// The row is marked.
    marked: bool,
    /// The statement, when it ran, reached the row.
    reaches: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Phase {
    Waiting,
    /// Rule off: the generation was asked for before the statement runs.
    Asked,
    /// The statement has run. To be marked, then asked.
    Ran,
    /// The store named another generation. Asked for its number, then for the catalogue.
    Outdated(Option<Option<u64>>),
    /// Everything that the statement may affect is marked.
    Ready,
    Releasing,
    Done,
}

impl Writer {
    pub(crate) fn new() -> Self {
        Writer { known: OLD, phase: Phase::Waiting, marked: false, reaches: false }
    }

    /// True between the statement and the end of its transaction.
    pub(crate) fn has_locks(&self) -> bool {
        matches!(self.phase, Phase::Ran | Phase::Outdated(_) | Phase::Ready)
    }

    pub(crate) fn numbers(&self) -> impl Iterator<Item = u64> {
        let asked = match self.phase {
            Phase::Outdated(Some(number)) => number,
            _ => None,
        };
        self.known.generation.into_iter().chain(asked)
    }

    /// By what it knows, the row is to be marked. Who learned during a change marks everything.
    fn has_to_mark(&self) -> bool {
        !self.marked && (self.known.trigger || self.known.generation.is_none())
    }
}

impl World {
    pub(crate) fn writer_actions(&self, protocol: &Protocol, actions: &mut Vec<Action>) {
        let asks_first = !protocol.keeps(Rule::GenerationAfterStatement);
        match self.writer.phase {
            Phase::Waiting if asks_first => actions.push(Action::WriterAsks),
            Phase::Waiting | Phase::Asked => actions.push(Action::Run),
            Phase::Ran if self.writer.has_to_mark() => actions.push(Action::WriterMarks),
            Phase::Ran if asks_first => actions.push(Action::Commit),
            Phase::Ran => actions.push(Action::WriterAsks),
            Phase::Outdated(None) => actions.push(Action::WriterLabels),
            Phase::Outdated(Some(_)) => actions.push(Action::WriterLearns),
            Phase::Ready => actions.push(Action::Commit),
            Phase::Releasing => actions.push(Action::WriterReleases),
            Phase::Done => {}
        }
        if self.writer.has_locks() {
            actions.push(Action::GiveUp);
        }
    }

    pub(crate) fn writer_step(&mut self, protocol: &Protocol, action: Action) {
        match action {
            Action::Run => {
                self.writer.reaches = self.trigger;
                self.writer.phase = Phase::Ran;
            }
            Action::WriterMarks => {
                self.cells.fence(Cell::Row, WRITER);
                self.writer.marked = true;
                if self.writer.known.generation.is_none() {
                    self.writer.phase = Phase::Ready;
                }
            }
            Action::WriterAsks => {
                let seen = self.generation(protocol);
                let known = seen.is_some() && seen == self.writer.known.generation;
                let heeds = match seen {
                    Some(_) => protocol.keeps(Rule::WriterComparesGeneration),
                    None => protocol.keeps(Rule::WriterHeedsAChange),
                };
                self.writer.phase = match self.writer.phase {
                    _ if !known && heeds => Phase::Outdated(None),
                    Phase::Waiting => Phase::Asked,
                    _ => Phase::Ready,
                };
            }
            Action::WriterLabels => self.writer.phase = Phase::Outdated(Some(self.generation(protocol))),
            Action::WriterLearns => {
                let Phase::Outdated(Some(generation)) = self.writer.phase else { return };
                self.writer.known = Known { generation, trigger: self.trigger };
                self.writer.phase =
                    if protocol.keeps(Rule::GenerationAfterStatement) { Phase::Ran } else { Phase::Asked };
            }
            Action::Commit => {
                if self.writer.reaches {
                    self.value = 1;
                    self.committed();
                }
                self.writer.phase = Phase::Releasing;
            }
            Action::GiveUp => self.writer.phase = Phase::Releasing,
            Action::WriterReleases => {
                if self.writer.marked {
                    self.cells.release(Cell::Row, WRITER);
                }
                self.writer.phase = Phase::Done;
            }
            other => unreachable!("{other:?} is no step of a writer"),
        }
    }
}

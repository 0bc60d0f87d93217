//! Who changes the schema: marks the epoch and the schema cell, commits, releases. One that dies is one whose marks
//! expire: the same as a release, later.

use crate::{
    cells::Cell,
    world::{Action, Protocol, Rule, World},
};

/// The name under which it fences.
pub(crate) const CHANGER: u64 = 7;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Changer {
    phase: Phase,
    /// The epoch and the schema cell, if they are left to mark or to release.
    left: [bool; 2],
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Phase {
    Marking,
    /// Rule off: the schema cell is marked when the change is there.
    MarkingLate,
    Releasing,
}

const MARKED: [Cell; 2] = [Cell::Epoch, Cell::Schema];

impl Changer {
    pub(crate) fn new(protocol: &Protocol) -> Self {
        let marks =
            [protocol.keeps(Rule::ChangeEmptiesEpochs), protocol.keeps(Rule::ChangeMarksBeforeCommit)];
        Changer { phase: Phase::Marking, left: marks }
    }

    fn releasing(protocol: &Protocol) -> Self {
        Changer { phase: Phase::Releasing, left: [protocol.keeps(Rule::ChangeEmptiesEpochs), true] }
    }
}

impl World {
    pub(crate) fn changer_actions(&self, actions: &mut Vec<Action>) {
        let Changer { phase, left } = self.changer;
        let cells = MARKED.into_iter().zip(left).filter(|(_, left)| *left).map(|(cell, _)| cell);
        match phase {
            Phase::Marking | Phase::MarkingLate => actions.extend(cells.map(Action::Mark)),
            Phase::Releasing => actions.extend(cells.map(Action::Unmark)),
        }
        if phase == Phase::Marking {
            actions.push(Action::GiveUpChange);
            // A statement that has run locks its tables against a change.
            if left == [false; 2] && !self.writer.has_locks() {
                actions.push(Action::CommitChange);
            }
        }
    }

    pub(crate) fn changer_step(&mut self, protocol: &Protocol, action: Action) {
        let place = |cell| usize::from(cell == Cell::Schema);
        match action {
            Action::Mark(cell) => {
                self.cells.fence(cell, CHANGER);
                self.changer.left[place(cell)] = false;
                if self.changer.phase == Phase::MarkingLate {
                    self.changer = Changer::releasing(protocol);
                }
            }
            Action::Unmark(cell) => {
                self.cells.release(cell, CHANGER);
                self.changer.left[place(cell)] = false;
            }
            Action::CommitChange => {
                self.trigger = true;
                self.committed();
                self.changer = match protocol.keeps(Rule::ChangeMarksBeforeCommit) {
                    true => Changer::releasing(protocol),
                    false => Changer { phase: Phase::MarkingLate, left: [false, true] },
                };
            }
            Action::GiveUpChange => self.changer = Changer::releasing(protocol),
            other => unreachable!("{other:?} is no step of a change"),
        }
    }
}

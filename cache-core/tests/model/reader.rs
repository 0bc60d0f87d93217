//! Readers: what a call remembers, and how it ends.
//!
//! A call begins with its first step and returns with its last: a longer call could only have more right
//! answers. A reader that is cancelled or whose process dies is a reader that takes no further step, so the
//! checker needs no action for it.

use cache_core::slot::Slot;

use crate::{
    database::Database,
    flight::Flight,
    look::Look,
    many::Many,
    properties::Wrong,
    store::{Cell, Kept},
    world::{Action, Protocol, World},
};

#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Reader {
    pub(crate) step: Step,
    /// The snapshots that were committed since the call began, sorted.
    seen: Vec<Database>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) enum Step {
    #[default]
    Waiting,
    Looking(Look),
    Leading(Flight),
    /// Aboard the flight of another reader, where the alias with this token led.
    Joined {
        leader: usize,
        alias: Option<u64>,
    },
    /// Will load, and fill nothing.
    Alone,
    Many(Many),
    Done(How),
    Wrong(Wrong),
}

/// How a call ended that answered rightly.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum How {
    Hit,
    AbsentHit,
    AliasHit,
    Joined,
    Loaded,
    Filled,
    Superseded,
    Validated,
}

impl Reader {
    fn is_reading(&self) -> bool {
        !matches!(self.step, Step::Waiting | Step::Done(_) | Step::Wrong(_))
    }

    fn saw(&mut self, database: Database) {
        if let Err(at) = self.seen.binary_search(&database) {
            self.seen.insert(at, database);
        }
    }

    /// Every epoch and presence number that this call remembers.
    pub(crate) fn numbers(&self) -> Vec<u64> {
        match &self.step {
            Step::Looking(look) => look.numbers(),
            Step::Leading(flight) => flight.numbers(),
            Step::Many(many) => many.numbers(),
            _ => Vec::new(),
        }
    }
}

impl World {
    /// A commit: every call that is under way may answer from this snapshot, too.
    pub(crate) fn commit(&mut self, database: Database) {
        self.database = database;
        for reader in self.readers.iter_mut().filter(|reader| reader.is_reading()) {
            reader.saw(database);
        }
    }

    pub(crate) fn reader_actions(&self, protocol: &Protocol, at: usize, actions: &mut Vec<Action>) {
        match &self.readers[at].step {
            Step::Waiting => match protocol.cast.ask(at).first_slot() {
                Some(slot) => Look::new(slot, None).actions(protocol, at, actions),
                None => Many::default().actions(protocol, at, actions),
            },
            Step::Looking(look) => look.actions(protocol, at, actions),
            Step::Leading(flight) => self.flight_actions(protocol, at, flight, actions),
            Step::Alone => actions.push(Action::Load(at)),
            Step::Many(many) => many.actions(protocol, at, actions),
            Step::Joined { .. } | Step::Done(_) | Step::Wrong(_) => {}
        }
    }

    pub(crate) fn reader_step(&mut self, protocol: &Protocol, at: usize, action: Action) {
        if self.readers[at].step == Step::Waiting {
            self.readers[at].seen = vec![self.database];
            self.readers[at].step = match protocol.cast.ask(at).first_slot() {
                Some(slot) => Step::Looking(Look::new(slot, None)),
                None => Step::Many(Many::default()),
            };
        }
        match self.readers[at].step.clone() {
            Step::Looking(look) => self.look_step(protocol, at, look, action),
            Step::Leading(flight) => self.flight_step(protocol, at, flight, action),
            Step::Many(many) => self.many_step(protocol, at, many, action),
            Step::Alone => {
                let answer = protocol.cast.ask(at).answer(self.database);
                self.answer(protocol, at, answer, How::Loaded);
            }
            other => unreachable!("{action:?} of a reader that is {other:?}"),
        }
    }

    /// The number in an epoch or presence cell.
    pub(crate) fn number(&self, cell: Cell) -> Option<u64> {
        match self.store.get(cell) {
            Slot::Epoch(epoch) => Some(epoch.0),
            _ => None,
        }
    }

    /// The entry in a slot.
    pub(crate) fn entry(&self, cell: Cell) -> Option<Kept> {
        match self.store.get(cell) {
            Slot::Filled { entry, .. } => Some(Kept(entry.clone())),
            _ => None,
        }
    }

    /// Ends the call, and judges its answer.
    pub(crate) fn answer(&mut self, protocol: &Protocol, at: usize, answer: u8, how: How) {
        let reader = &mut self.readers[at];
        let seen = std::mem::take(&mut reader.seen);
        reader.step = match Wrong::judge(protocol.cast.ask(at), answer, &seen) {
            None => Step::Done(how),
            Some(wrong) => Step::Wrong(wrong),
        };
    }

    /// Ends a call whose answer came straight from the database, and so is right.
    pub(crate) fn end(&mut self, at: usize, how: How) {
        self.readers[at] = Reader { step: Step::Done(how), seen: Vec::new() };
    }
}

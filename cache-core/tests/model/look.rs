//! The lookup of one slot, cell by cell, and what an entry that is valid leads to.

use crate::{
    cast::Ask,
    database::Row,
    flight::Flight,
    reader::{How, Step},
    rules::Rule,
    store::{Cell, Kept},
    world::{Action, Protocol, World},
};

/// A lookup that is under way. A number that was read is `Some`, and `Some(None)` if the cell had none.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Look {
    pub(crate) at: Cell,
    /// The token of the alias that led here.
    alias: Option<u64>,
    entry: Option<Kept>,
    epoch: Option<Option<u64>>,
    presence: Option<Option<u64>>,
    /// The call has joined a flight before: a miss now leads to a load of its own.
    after_flight: bool,
}

impl Look {
    pub(crate) fn new(at: Cell, alias: Option<u64>) -> Look {
        Look { at, alias, entry: None, epoch: None, presence: None, after_flight: false }
    }

    pub(crate) fn after_flight(at: Cell, alias: Option<u64>) -> Look {
        Look { after_flight: true, ..Look::new(at, alias) }
    }

    pub(crate) fn numbers(&self) -> Vec<u64> {
        let stamps = self.entry.as_ref().map(Kept::stamps).unwrap_or_default();
        let read = [self.epoch, self.presence].map(Option::flatten);
        stamps.into_iter().chain(read).flatten().collect()
    }

    /// The slot is seen before its presence cell; the epoch cell at any time.
    pub(crate) fn actions(&self, protocol: &Protocol, at: usize, actions: &mut Vec<Action>) {
        if self.entry.is_none() {
            actions.push(Action::See(at, self.at));
        }
        if protocol.has_epoch(self.at) && self.epoch.is_none() {
            actions.push(Action::See(at, Cell::Epoch));
        }
        let wanted = match &self.entry {
            Some(entry) => entry.0.is_absent(),
            None => protocol.cast.any_order,
        };
        if protocol.has_presence(self.at) && self.presence.is_none() && wanted {
            actions.push(Action::See(at, Cell::Presence));
        }
    }
}

impl World {
    pub(crate) fn look_step(&mut self, protocol: &Protocol, at: usize, mut look: Look, action: Action) {
        match action {
            Action::See(_, Cell::Epoch) => look.epoch = Some(self.number(Cell::Epoch)),
            Action::See(_, Cell::Presence) => look.presence = Some(self.number(Cell::Presence)),
            Action::See(_, slot) => look.entry = self.entry(slot),
            other => unreachable!("{other:?} during a lookup"),
        }
        let Some(entry) = look.entry.clone() else {
            match action {
                Action::See(_, cell) if cell == look.at => self.missed(at, &look, None),
                _ => self.readers[at].step = Step::Looking(look),
            }
            return;
        };
        let [epoch, presence] = entry.stamps();
        let mut compared = Vec::with_capacity(2);
        if protocol.has_epoch(look.at) {
            compared.push((epoch, look.epoch));
        }
        if entry.0.is_absent() && protocol.keeps(Rule::PresenceStamp) {
            compared.push((presence, look.presence));
        }
        if compared.iter().any(|(stamp, read)| read.is_some_and(|read| read != *stamp)) {
            self.missed(at, &look, Some(entry.0.token.0));
        } else if compared.iter().any(|(_, read)| read.is_none()) {
            self.readers[at].step = Step::Looking(look);
        } else {
            let how = if entry.0.is_absent() { How::AbsentHit } else { How::Hit };
            self.found(protocol, at, look.at, look.alias, &entry, how);
        }
    }

    fn missed(&mut self, at: usize, look: &Look, replaces: Option<u64>) {
        self.readers[at].step = if look.after_flight {
            Step::Alone
        } else {
            Step::Leading(Flight::new(look.at, look.alias, replaces))
        };
    }

    /// Uses an entry that is valid: a hit, or the entry of a flight that landed.
    pub(crate) fn found(
        &mut self,
        protocol: &Protocol,
        at: usize,
        slot: Cell,
        alias: Option<u64>,
        entry: &Kept,
        how: How,
    ) {
        match (slot, protocol.cast.ask(at)) {
            (Cell::Alias(_), _) if !entry.0.is_absent() => {
                let row = Look::new(Cell::Row(entry.code()), Some(entry.0.token.0));
                self.readers[at].step = Step::Looking(row);
            }
            (Cell::Row(_), Ask::Unique(unique)) => {
                let row = Row::from_code(entry.code());
                if row.unique() == Some(unique) || !protocol.keeps(Rule::AliasVerifiesItself) {
                    let how = if how == How::Joined { how } else { How::AliasHit };
                    self.answer(protocol, at, row.code(), how);
                } else {
                    // The alias leads astray: ask by the unique key, and refresh the alias.
                    self.readers[at].step = Step::Leading(Flight::new(Cell::Alias(unique), None, alias));
                }
            }
            _ => self.answer(protocol, at, entry.code(), how),
        }
    }
}

//! What follows a miss: lease, load, fill, and the readers of the same process who come along.
//!
//! No reader has to join: one that does not stands for a reader of another process.

use cache_core::{
    entry::Token,
    slot::{Operation, Outcome},
};

use crate::{
    cast::Ask,
    database::{Database, Row},
    look::Look,
    reader::{How, Step},
    rules::Rule,
    store::{Cell, Kept, LATER, entry},
    world::{Action, Protocol, World},
};

/// A number that was asked for is `Some`, and `Some(None)` if the cell was fenced.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Flight {
    at: Cell,
    /// The token of the alias that led here.
    alias: Option<u64>,
    /// The token of the invalid entry that the lookup saw.
    replaces: Option<u64>,
    leased: bool,
    epoch: Option<Option<u64>>,
    presence: Option<Option<u64>>,
    loaded: Option<Database>,
    fill: Fill,
}

/// The fill call: an interval, in which it reaches one cell after the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Fill {
    NotStarted,
    UnderWay { stored: Option<bool>, same_epoch: Option<bool> },
}

impl Flight {
    pub(crate) fn new(at: Cell, alias: Option<u64>, replaces: Option<u64>) -> Flight {
        Flight {
            at,
            alias,
            replaces,
            leased: false,
            epoch: None,
            presence: None,
            loaded: None,
            fill: Fill::NotStarted,
        }
    }

    pub(crate) fn numbers(&self) -> Vec<u64> {
        [self.epoch, self.presence].into_iter().flatten().flatten().collect()
    }

    /// What was loaded for this slot, with its stamps. `None` if nothing may be filled: the load led to
    /// another slot, or the absence of a row has no stamp.
    fn entry(&self, leader: usize, ask: Ask) -> Option<Kept> {
        let database = self.loaded?;
        let code = match self.at {
            Cell::Row(key) => {
                let led_elsewhere = match ask {
                    Ask::Unique(unique) => database.find_unique(unique) != Some(key),
                    _ => false,
                };
                if led_elsewhere {
                    return None;
                }
                Some(database.row(key)).filter(|row| *row != Row::ABSENT).map(Row::code)
            }
            Cell::Alias(unique) => database.find_unique(unique),
            _ => Some(database.code()),
        };
        let presence = match code {
            Some(_) => None,
            None => Some(self.presence.flatten()?),
        };
        Some(Kept(entry(Token(leader as u64), self.epoch.flatten(), presence, code.unwrap_or_default())))
    }

    fn is_boarding(&self, protocol: &Protocol) -> bool {
        self.leased && (self.fill == Fill::NotStarted || !protocol.keeps(Rule::FlightClosesBeforeFill))
    }

    /// The calls to the store that are left before the load, in the order of the contract.
    fn calls_before_load(&self, protocol: &Protocol, at: usize) -> Vec<Action> {
        let mut calls = Vec::with_capacity(3);
        if !self.leased {
            calls.push(Action::Lease(at, self.at));
        }
        if protocol.has_epoch(self.at) && self.epoch.is_none() {
            calls.push(Action::Open(at, Cell::Epoch));
        }
        let too_early = !protocol.keeps(Rule::PresenceBeforeLoad) && self.loaded.is_none();
        if protocol.has_presence(self.at) && self.presence.is_none() && !too_early {
            calls.push(Action::Open(at, Cell::Presence));
        }
        if !protocol.cast.any_order {
            calls.truncate(1);
        }
        calls
    }
}

impl World {
    pub(crate) fn flight_actions(
        &self,
        protocol: &Protocol,
        at: usize,
        flight: &Flight,
        actions: &mut Vec<Action>,
    ) {
        if let Fill::UnderWay { stored, same_epoch } = flight.fill {
            return fill_actions(protocol, at, flight, stored, same_epoch, actions);
        }
        if flight.epoch == Some(None) {
            // The epoch cell is fenced: no lease.
            actions.push(if flight.leased { Action::Forfeit(at, flight.at) } else { Action::Load(at) });
            return;
        }
        if !flight.leased && flight.loaded.is_none() {
            self.boarding_actions(protocol, at, flight, actions);
        }
        let load_first = flight.loaded.is_none() && !protocol.keeps(Rule::LeaseBeforeLoad);
        let calls = flight.calls_before_load(protocol, at);
        if load_first || calls.is_empty() && flight.loaded.is_none() {
            self.load_actions(protocol, at, actions);
        } else if !calls.is_empty() {
            actions.extend(calls);
        } else if flight.entry(at, protocol.cast.ask(at)).is_some() {
            actions.push(Action::StartFill(at));
        } else {
            actions.push(Action::Forfeit(at, flight.at));
        }
    }

    fn load_actions(&self, protocol: &Protocol, at: usize, actions: &mut Vec<Action>) {
        actions.push(Action::Load(at));
        if !protocol.keeps(Rule::TransactionsFillNothing) {
            let open = |writer: &usize| {
                self.writers[*writer].is_undecided() && self.after_commit(protocol, *writer).is_some()
            };
            let writers = (0..self.writers.len()).filter(open);
            actions.extend(writers.map(|writer| Action::LoadUncommitted(at, writer)));
        }
    }

    /// The flights that this call may join.
    fn boarding_actions(&self, protocol: &Protocol, at: usize, flight: &Flight, actions: &mut Vec<Action>) {
        for (leader, other) in self.readers.iter().enumerate() {
            let Step::Leading(theirs) = &other.step else {
                continue;
            };
            if leader != at && theirs.at == flight.at && theirs.is_boarding(protocol) {
                actions.push(Action::Join(at, leader));
            }
        }
    }

    pub(crate) fn flight_step(&mut self, protocol: &Protocol, at: usize, mut flight: Flight, action: Action) {
        let token = Token(at as u64);
        match action {
            Action::Join(_, leader) => {
                self.readers[at].step = Step::Joined { leader, alias: flight.alias };
                return;
            }
            Action::Lease(_, slot) => {
                let lease = Operation::Lease { token, until: LATER, replaces: flight.replaces.map(Token) };
                if self.store.run(slot, lease, protocol.off) != Outcome::Granted {
                    self.readers[at].step = Step::Alone;
                    return;
                }
                flight.leased = true;
            }
            Action::Open(_, cell) => {
                let fresh = self.fresh_epoch(protocol);
                let number = match self.store.run(cell, Operation::Open { fresh }, protocol.off) {
                    Outcome::Opened(epoch) => Some(epoch.0),
                    _ => None,
                };
                *(if cell == Cell::Epoch { &mut flight.epoch } else { &mut flight.presence }) = Some(number);
            }
            Action::Load(_) if flight.epoch == Some(None) => return self.end(at, How::Loaded),
            Action::Load(_) => flight.loaded = Some(self.database),
            Action::LoadUncommitted(_, writer) => flight.loaded = self.after_commit(protocol, writer),
            Action::StartFill(_) => flight.fill = Fill::UnderWay { stored: None, same_epoch: None },
            Action::Fill(_, slot) => {
                let entry = flight.entry(at, protocol.cast.ask(at)).expect("a fill has an entry").0;
                let filled = self.store.run(slot, Operation::Fill { entry, until: LATER }, protocol.off);
                if let Fill::UnderWay { stored, .. } = &mut flight.fill {
                    *stored = Some(filled == Outcome::Filled);
                }
            }
            Action::CheckEpoch(_) => {
                let unchanged = self.number(Cell::Epoch) == flight.epoch.flatten();
                if let Fill::UnderWay { same_epoch, .. } = &mut flight.fill {
                    *same_epoch = Some(unchanged);
                }
            }
            Action::Forfeit(_, slot) => {
                self.store.run(slot, Operation::Forfeit { token }, protocol.off);
                self.land(protocol, at, &flight, false);
                match flight.loaded {
                    Some(_) => self.end(at, How::Loaded),
                    None => self.readers[at].step = Step::Alone,
                }
                return;
            }
            Action::EndFill(_) => {
                let accepted = matches!(flight.fill, Fill::UnderWay { stored, same_epoch }
                    if stored != Some(false) && same_epoch != Some(false));
                self.land(protocol, at, &flight, accepted);
                self.end(at, if accepted { How::Filled } else { How::Superseded });
                return;
            }
            other => unreachable!("{other:?} during a flight"),
        }
        self.readers[at].step = Step::Leading(flight);
    }

    /// Tells those who joined how the flight ended.
    fn land(&mut self, protocol: &Protocol, leader: usize, flight: &Flight, accepted: bool) {
        let usable = accepted || !protocol.keeps(Rule::JoinAfterAcceptedFill);
        let entry = flight.entry(leader, protocol.cast.ask(leader)).filter(|_| usable);
        for at in 0..self.readers.len() {
            let alias = match self.readers[at].step {
                Step::Joined { leader: joined, alias } if joined == leader => alias,
                _ => continue,
            };
            match &entry {
                None => self.readers[at].step = Step::Alone,
                Some(entry) if entry.0.is_absent() && protocol.keeps(Rule::JoinedAbsenceLooksAgain) => {
                    self.readers[at].step = Step::Looking(Look::after_flight(flight.at, alias));
                }
                Some(entry) => self.found(protocol, at, flight.at, alias, entry, How::Joined),
            }
        }
    }
}

/// The fill stores the entry, then checks the epoch; a refusal ends it.
fn fill_actions(
    protocol: &Protocol,
    at: usize,
    flight: &Flight,
    stored: Option<bool>,
    same_epoch: Option<bool>,
    actions: &mut Vec<Action>,
) {
    let checks_epoch = protocol.has_epoch(flight.at) && protocol.keeps(Rule::FillChecksEpoch);
    if stored == Some(false) || same_epoch == Some(false) {
        return actions.push(Action::EndFill(at));
    }
    let mut calls = Vec::with_capacity(2);
    if stored.is_none() {
        calls.push(Action::Fill(at, flight.at));
    }
    if checks_epoch && same_epoch.is_none() {
        calls.push(Action::CheckEpoch(at));
    }
    if calls.is_empty() {
        calls.push(Action::EndFill(at));
    } else if !protocol.cast.any_order {
        calls.truncate(1);
    }
    actions.append(&mut calls);
}

//! A reader of the row: may learn the schema before its call, and goes by what it knows in it.

use cache_core::{
    entry::{Entry, Epoch, Fingerprint, Generation, Token},
    slot::{Operation, Outcome},
};

use crate::{
    Known, OLD,
    cells::{Cell, LATER, content, entry},
    world::{Action, Protocol, Rule, Snapshot, World},
};

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Reader {
    pub(crate) known: Known,
    pub(crate) step: Step,
    /// What was committed since the call began.
    pub(crate) seen: Vec<Snapshot>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Step {
    Waiting,
    /// Learning: has asked for the generation.
    Labelled(Option<u64>),
    /// Rule off: has asked for the catalogue first.
    Unlabelled(bool),
    /// Has seen an entry; its token, what it says, and whether it is of the reader's own generation.
    Saw {
        token: u64,
        epoch: u64,
        content: (u8, bool),
        fits: bool,
    },
    /// May replace the entry with this token.
    Missed(Option<u64>),
    /// Rule off: was told its own generation before it asks for the lease.
    Named(Option<u64>),
    Leased,
    Opened(u64),
    /// Holds a lease under its own generation, and this epoch.
    Granted(u64),
    Loaded(u64, u8),
    Filled(u64),
    Alone,
    Hit,
    Ended,
    Wrong,
}

impl Reader {
    pub(crate) fn new() -> Self {
        Reader { known: OLD, step: Step::Waiting, seen: Vec::new() }
    }

    pub(crate) fn is_reading(&self) -> bool {
        !matches!(
            self.step,
            Step::Waiting | Step::Labelled(_) | Step::Unlabelled(_) | Step::Hit | Step::Ended | Step::Wrong
        )
    }

    pub(crate) fn numbers(&self) -> impl Iterator<Item = u64> {
        let number = match self.step {
            Step::Labelled(number) => number,
            Step::Saw { epoch, .. } => Some(epoch),
            Step::Opened(epoch) | Step::Granted(epoch) | Step::Loaded(epoch, _) | Step::Filled(epoch) => {
                Some(epoch)
            }
            _ => None,
        };
        self.known.generation.into_iter().chain(number)
    }

    fn finds_its_own(&self, protocol: &Protocol, entry: &Entry) -> bool {
        let shape = self.known.generation.map(|number| Fingerprint(0).under(Generation(number)));
        !protocol.keeps(Rule::EntriesCarryTheGeneration) || Some(entry.fingerprint) == shape
    }

    /// A hit is right if its filler and this reader take the schema for what it is.
    fn judge(&self, (value, trigger): (u8, bool)) -> Step {
        let right = trigger == self.known.trigger && self.seen.contains(&Snapshot { value, trigger });
        if right { Step::Hit } else { Step::Wrong }
    }
}

impl World {
    pub(crate) fn reader_actions(&self, protocol: &Protocol, at: usize, actions: &mut Vec<Action>) {
        let reader = &self.readers[at];
        let label_first = protocol.keeps(Rule::LabelBeforeCatalogue);
        match reader.step {
            Step::Waiting => {
                // Once, unless it learned during a change: who knows no generation asks the database.
                if reader.known == OLD || reader.known.generation.is_none() {
                    actions.push(if label_first { Action::Label(at) } else { Action::Learn(at) });
                }
                if reader.known.generation.is_some() {
                    actions.push(Action::See(at));
                }
            }
            Step::Labelled(_) => actions.push(Action::Learn(at)),
            Step::Unlabelled(_) => actions.push(Action::Label(at)),
            Step::Saw { .. } => actions.push(Action::SeeEpoch(at)),
            Step::Missed(_) if !protocol.keeps(Rule::LeaseNamesGenerationLast) => {
                actions.push(Action::CompareGeneration(at));
            }
            Step::Missed(_) | Step::Named(_) => actions.push(Action::Lease(at)),
            Step::Leased => actions.push(Action::Open(at)),
            Step::Opened(_) => actions.push(Action::CompareGeneration(at)),
            Step::Granted(_) | Step::Alone => actions.push(Action::Load(at)),
            Step::Loaded(..) => actions.push(Action::Fill(at)),
            Step::Filled(_) => actions.push(Action::CheckEpoch(at)),
            Step::Hit | Step::Ended | Step::Wrong => {}
        }
    }

    pub(crate) fn reader_step(&mut self, protocol: &Protocol, at: usize, action: Action) {
        let snapshot = self.snapshot();
        let step = self.readers[at].step;
        let token = Token(at as u64);
        let next = match (action, step) {
            (Action::Label(_), Step::Waiting) => Step::Labelled(self.generation(protocol)),
            (Action::Label(_), Step::Unlabelled(trigger)) => {
                self.readers[at].known = Known { generation: self.generation(protocol), trigger };
                Step::Waiting
            }
            (Action::Learn(_), Step::Labelled(generation)) => {
                self.readers[at].known = Known { generation, trigger: self.trigger };
                Step::Waiting
            }
            (Action::Learn(_), _) => Step::Unlabelled(self.trigger),
            (Action::See(_), _) => {
                self.readers[at].seen = vec![snapshot];
                match self.cells.entry() {
                    Some(entry) => Step::Saw {
                        token: entry.token.0,
                        epoch: entry.epoch.map_or(u64::MAX, |epoch| epoch.0),
                        content: content(entry),
                        fits: self.readers[at].finds_its_own(protocol, entry),
                    },
                    None => Step::Missed(None),
                }
            }
            (Action::SeeEpoch(_), Step::Saw { token, epoch, content, fits }) => {
                match fits && self.cells.number(Cell::Epoch) == Some(Epoch(epoch)) {
                    true => self.readers[at].judge(content),
                    false => Step::Missed(Some(token)),
                }
            }
            (Action::CompareGeneration(_), Step::Missed(replaces)) => {
                let seen = self.generation(protocol);
                let same = seen.is_some() && seen == self.readers[at].known.generation;
                if same { Step::Named(replaces) } else { Step::Alone }
            }
            (Action::Lease(_), Step::Missed(replaces) | Step::Named(replaces)) => {
                let lease = Operation::Lease { token, until: LATER, replaces: replaces.map(Token) };
                let granted = self.cells.run(Cell::Row, lease) == Outcome::Granted;
                if granted { Step::Leased } else { Step::Alone }
            }
            (Action::Open(_), _) => match self.open(protocol, Cell::Epoch) {
                Some(epoch) if protocol.keeps(Rule::LeaseNamesGenerationLast) => Step::Opened(epoch),
                Some(epoch) => Step::Granted(epoch),
                None => self.forfeit(token),
            },
            (Action::CompareGeneration(_), Step::Opened(epoch)) => {
                let seen = self.generation(protocol);
                let same = seen.is_some() && seen == self.readers[at].known.generation;
                match same || !protocol.keeps(Rule::ReaderComparesGeneration) {
                    true => Step::Granted(epoch),
                    false => self.forfeit(token),
                }
            }
            (Action::Load(_), Step::Granted(epoch)) => Step::Loaded(epoch, self.value),
            (Action::Load(_), _) => Step::Ended,
            (Action::Fill(_), Step::Loaded(epoch, value)) => {
                let entry = entry(token, Some(Epoch(epoch)), self.readers[at].known, value);
                let filled = self.cells.run(Cell::Row, Operation::Fill { entry, until: LATER });
                if filled == Outcome::Filled { Step::Filled(epoch) } else { Step::Ended }
            }
            (Action::CheckEpoch(_), Step::Filled(epoch)) => {
                let own = self.cells.entry().is_some_and(|entry| entry.token == token);
                if own && self.cells.number(Cell::Epoch) != Some(Epoch(epoch)) {
                    self.cells.evict(Cell::Row);
                }
                Step::Ended
            }
            (other, step) => unreachable!("{other:?} of a reader that is {step:?}"),
        };
        self.readers[at].step = next;
        if !self.readers[at].is_reading() {
            self.readers[at].seen.clear();
        }
    }

    fn forfeit(&mut self, token: Token) -> Step {
        self.cells.run(Cell::Row, Operation::Forfeit { token });
        Step::Alone
    }
}

//! The state of the model, its rules, and what may happen next.

use std::fmt;

use cache_core::{
    entry::Epoch,
    slot::{Operation, Outcome, Slot},
};
use stateright::{Model, Property};

use crate::{
    OLD,
    cells::{CELLS, Cell, Cells},
    changer::Changer,
    reader::{Reader, Step},
    writer::Writer,
};

/// One rule of the schema's generation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Rule {
    /// A reader fills only if its lease was granted under the generation that it knows.
    ReaderComparesGeneration,
    /// A lease names the generation when its slot is taken and its epoch read. Off: before.
    LeaseNamesGenerationLast,
    /// An entry is a hit only for who knows the generation that it was filled under.
    EntriesCarryTheGeneration,
    /// A writer that is told another generation learns anew and widens its fence.
    WriterComparesGeneration,
    /// So does one that is told of a change under way.
    WriterHeedsAChange,
    /// The generation is asked for when the statement has run.
    GenerationAfterStatement,
    /// A change marks the schema cell before it can commit.
    ChangeMarksBeforeCommit,
    /// A change empties the epochs of all tables.
    ChangeEmptiesEpochs,
    /// What is learned is labelled with a generation that was asked for before.
    LabelBeforeCatalogue,
    /// A schema cell that was fenced or evicted restarts at a number never used before.
    RandomGenerations,
}

pub(crate) const RULES: [Rule; 10] = [
    Rule::ReaderComparesGeneration,
    Rule::LeaseNamesGenerationLast,
    Rule::EntriesCarryTheGeneration,
    Rule::WriterComparesGeneration,
    Rule::WriterHeedsAChange,
    Rule::GenerationAfterStatement,
    Rule::ChangeMarksBeforeCommit,
    Rule::ChangeEmptiesEpochs,
    Rule::LabelBeforeCatalogue,
    Rule::RandomGenerations,
];

/// The protocol, perhaps without one of its rules.
pub(crate) struct Protocol {
    pub(crate) off: Option<Rule>,
    /// So often something may be evicted.
    pub(crate) evictions: u8,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct World {
    /// The schema as it was last committed: the trigger is there.
    pub(crate) trigger: bool,
    /// The row as it was last committed.
    pub(crate) value: u8,
    pub(crate) cells: Cells,
    pub(crate) changer: Changer,
    pub(crate) writer: Writer,
    pub(crate) readers: [Reader; 2],
    evictions: u8,
}

/// What was committed at one instant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Snapshot {
    pub(crate) value: u8,
    pub(crate) trigger: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Action {
    Mark(Cell),
    CommitChange,
    GiveUpChange,
    Unmark(Cell),
    Run,
    WriterMarks,
    WriterAsks,
    WriterLabels,
    WriterLearns,
    Commit,
    GiveUp,
    WriterReleases,
    Label(usize),
    Learn(usize),
    See(usize),
    SeeEpoch(usize),
    Lease(usize),
    Open(usize),
    CompareGeneration(usize),
    Load(usize),
    Fill(usize),
    CheckEpoch(usize),
    Evict(Cell),
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Action::Mark(cell) => write!(f, "the change fences the {cell:?} cell"),
            Action::CommitChange => f.write_str("the change commits: there is a trigger now"),
            Action::GiveUpChange => f.write_str("the change is given up"),
            Action::Unmark(cell) => write!(f, "the change releases the {cell:?} cell"),
            Action::Run => f.write_str("the writer runs its statement"),
            Action::WriterMarks => f.write_str("the writer fences the row"),
            Action::WriterAsks => f.write_str("the writer is told the generation"),
            Action::WriterLabels => f.write_str("the writer asks for the generation, to learn"),
            Action::WriterLearns => f.write_str("the writer reads the catalogue"),
            Action::Commit => f.write_str("the writer commits"),
            Action::GiveUp => f.write_str("the writer rolls back or dies"),
            Action::WriterReleases => f.write_str("the writer releases"),
            Action::Label(r) => write!(f, "reader {r} asks for the generation, to learn"),
            Action::Learn(r) => write!(f, "reader {r} reads the catalogue"),
            Action::See(r) => write!(f, "reader {r} looks at the row"),
            Action::SeeEpoch(r) => write!(f, "reader {r} looks at the epoch"),
            Action::Lease(r) => write!(f, "reader {r} asks for the lease"),
            Action::Open(r) => write!(f, "reader {r} opens the epoch"),
            Action::CompareGeneration(r) => write!(f, "reader {r} is told the generation"),
            Action::Load(r) => write!(f, "reader {r} loads"),
            Action::Fill(r) => write!(f, "reader {r} fills"),
            Action::CheckEpoch(r) => write!(f, "the fill of reader {r} checks the epoch"),
            Action::Evict(cell) => write!(f, "the {cell:?} cell is evicted"),
        }
    }
}

pub(crate) const NO_WRONG_ANSWER: &str = "no wrong answer";

impl World {
    pub(crate) fn snapshot(&self) -> Snapshot {
        Snapshot { value: self.value, trigger: self.trigger }
    }

    /// Every call that is under way may answer from this snapshot, too.
    pub(crate) fn committed(&mut self) {
        let snapshot = self.snapshot();
        for reader in self.readers.iter_mut().filter(|reader| reader.is_reading()) {
            if let Err(at) = reader.seen.binary_search(&snapshot) {
                reader.seen.insert(at, snapshot);
            }
        }
    }

    /// The number of an epoch cell, started at one that nobody remembers.
    pub(crate) fn open(&mut self, protocol: &Protocol, cell: Cell) -> Option<u64> {
        let remembered = self.readers.iter().flat_map(Reader::numbers).chain(self.writer.numbers());
        let mut used = 0_u64;
        for number in remembered.chain(self.cells.numbers()).filter(|number| *number < 64) {
            used |= 1 << number;
        }
        let random = cell != Cell::Schema || protocol.keeps(Rule::RandomGenerations);
        let fresh = if random { u64::from(used.trailing_ones()) } else { 0 };
        match self.cells.run(cell, Operation::Open { fresh: Epoch(fresh) }) {
            Outcome::Opened(epoch) => Some(epoch.0),
            _ => None,
        }
    }

    pub(crate) fn generation(&mut self, protocol: &Protocol) -> Option<u64> {
        self.open(protocol, Cell::Schema)
    }
}

impl Model for Protocol {
    type State = World;
    type Action = Action;

    fn init_states(&self) -> Vec<World> {
        vec![World {
            trigger: false,
            value: 0,
            cells: Cells::warm(OLD),
            changer: Changer::new(self),
            writer: Writer::new(),
            readers: [Reader::new(), Reader::new()],
            evictions: self.evictions,
        }]
    }

    fn actions(&self, world: &World, actions: &mut Vec<Action>) {
        world.changer_actions(actions);
        world.writer_actions(self, actions);
        for at in 0..world.readers.len() {
            world.reader_actions(self, at, actions);
        }
        if world.evictions > 0 {
            let spared = |cell: &Cell| matches!(world.cells.get(*cell), Slot::Fenced(_) | Slot::Empty);
            actions.extend(CELLS.into_iter().filter(|cell| !spared(cell)).map(Action::Evict));
        }
    }

    fn next_state(&self, world: &World, action: Action) -> Option<World> {
        let mut world = world.clone();
        match action {
            Action::Mark(_) | Action::CommitChange | Action::GiveUpChange | Action::Unmark(_) => {
                world.changer_step(self, action);
            }
            Action::Run
            | Action::WriterMarks
            | Action::WriterAsks
            | Action::WriterLabels
            | Action::WriterLearns
            | Action::Commit
            | Action::GiveUp
            | Action::WriterReleases => world.writer_step(self, action),
            Action::Evict(cell) => {
                world.cells.evict(cell);
                world.evictions -= 1;
            }
            Action::Label(at)
            | Action::Learn(at)
            | Action::See(at)
            | Action::SeeEpoch(at)
            | Action::Lease(at)
            | Action::Open(at)
            | Action::CompareGeneration(at)
            | Action::Load(at)
            | Action::Fill(at)
            | Action::CheckEpoch(at) => world.reader_step(self, at, action),
        }
        Some(world)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![
            Property::always(NO_WRONG_ANSWER, |_, world: &World| {
                world.readers.iter().all(|reader| reader.step != Step::Wrong)
            }),
            Property::sometimes("a hit for an old reader", |_, world: &World| {
                world.readers.iter().any(|reader| reader.step == Step::Hit && !reader.known.trigger)
            }),
            Property::sometimes("a hit for a new reader", |_, world: &World| {
                world.readers.iter().any(|reader| reader.step == Step::Hit && reader.known.trigger)
            }),
            Property::sometimes("a writer that learns anew", |_, world: &World| world.writer.known.trigger),
        ]
    }
}

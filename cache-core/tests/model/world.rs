//! The state of the model, and what may happen next in it.

use std::fmt;

use cache_core::{
    entry::{Epoch, Writer as WriterId},
    slot::Slot,
};
use stateright::{Model, Property};

use crate::{
    cast::Cast,
    database::{Database, Row},
    properties,
    reader::Reader,
    rules::Rule,
    store::{Cell, EARLIER, LATER, Store, entry},
    writer::{Writer, fenced_cells},
};

/// The protocol with one cast of actors, and perhaps without one of its rules.
pub(crate) struct Protocol {
    pub(crate) cast: Cast,
    pub(crate) off: Option<Rule>,
    /// The cells that each writer fences.
    pub(crate) fenced: Vec<Vec<Cell>>,
    epoch_takes_part: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct World {
    pub(crate) database: Database,
    pub(crate) store: Store,
    pub(crate) writers: Vec<Writer>,
    pub(crate) readers: Vec<Reader>,
    evictions: u8,
}

/// One step of one actor. Actors are numbered by their place in the cast.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Action {
    Fence(usize, Cell),
    Commit(usize),
    /// The write rolls back, or its process dies before the commit.
    GiveUp(usize),
    /// The connection is lost during the commit, which may still take effect.
    LoseConnection(usize),
    Release(usize, Cell),
    ExpireFence(usize, Cell),
    See(usize, Cell),
    Join(usize, usize),
    Lease(usize, Cell),
    Open(usize, Cell),
    Forfeit(usize, Cell),
    Load(usize),
    /// A read inside the transaction of a writer that has not committed.
    LoadUncommitted(usize, usize),
    StartFill(usize),
    Fill(usize, Cell),
    CheckEpoch(usize),
    EndFill(usize),
    Evict(Cell),
}

impl Action {
    /// The cell that the step reads or changes.
    pub(crate) fn cell(self) -> Option<Cell> {
        match self {
            Action::Fence(_, cell)
            | Action::Release(_, cell)
            | Action::ExpireFence(_, cell)
            | Action::See(_, cell)
            | Action::Lease(_, cell)
            | Action::Open(_, cell)
            | Action::Forfeit(_, cell)
            | Action::Fill(_, cell)
            | Action::Evict(cell) => Some(cell),
            Action::CheckEpoch(_) => Some(Cell::Epoch),
            _ => None,
        }
    }
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Action::Fence(w, cell) => write!(f, "writer {w} fences {cell:?}"),
            Action::Commit(w) => write!(f, "writer {w} commits"),
            Action::GiveUp(w) => write!(f, "writer {w} rolls back or dies"),
            Action::LoseConnection(w) => write!(f, "writer {w} loses its connection during the commit"),
            Action::Release(w, cell) => write!(f, "writer {w} releases {cell:?}"),
            Action::ExpireFence(w, cell) => write!(f, "the fence of writer {w} on {cell:?} expires"),
            Action::See(r, cell) => write!(f, "reader {r} looks at {cell:?}"),
            Action::Join(r, leader) => write!(f, "reader {r} joins the flight of reader {leader}"),
            Action::Lease(r, cell) => write!(f, "reader {r} asks for the lease of {cell:?}"),
            Action::Open(r, cell) => write!(f, "reader {r} opens {cell:?}"),
            Action::Forfeit(r, cell) => write!(f, "reader {r} forfeits the lease of {cell:?}"),
            Action::Load(r) => write!(f, "reader {r} loads"),
            Action::LoadUncommitted(r, w) => {
                write!(f, "reader {r} loads inside the transaction of writer {w}")
            }
            Action::StartFill(r) => write!(f, "the fill of reader {r} is under way"),
            Action::Fill(r, cell) => write!(f, "the fill of reader {r} reaches {cell:?}"),
            Action::CheckEpoch(r) => write!(f, "the fill of reader {r} checks the epoch"),
            Action::EndFill(r) => write!(f, "the fill of reader {r} returns"),
            Action::Evict(cell) => write!(f, "{cell:?} is evicted"),
        }
    }
}

impl Protocol {
    pub(crate) fn new(cast: Cast, off: Option<Rule>) -> Protocol {
        Protocol {
            cast,
            off,
            fenced: cast.writes.iter().map(|write| fenced_cells(*write, &cast, off)).collect(),
            epoch_takes_part: cast.fences_the_epoch(),
        }
    }

    /// All the cells of a writer, as bits.
    pub(crate) fn all_fenced(&self, writer: usize) -> u8 {
        (1 << self.fenced[writer].len()) - 1
    }

    pub(crate) fn keeps(&self, rule: Rule) -> bool {
        self.off != Some(rule)
    }

    /// The table epoch takes part only if somebody fences it.
    pub(crate) fn has_epoch(&self, cell: Cell) -> bool {
        self.epoch_takes_part && cell.has_epoch()
    }

    /// The presence cell takes part only if a row may be absent.
    pub(crate) fn has_presence(&self, cell: Cell) -> bool {
        self.cast.absence && cell.has_presence()
    }

    /// What earlier calls have left in the store.
    fn warm_store(&self) -> Store {
        let mut store = Store::default();
        if !self.cast.warm {
            return store;
        }
        let database = self.cast.database();
        let start = |yes: bool| yes.then_some(0);
        let fill = |cell, absent, code| Slot::Filled {
            entry: entry(EARLIER, start(self.has_epoch(cell)), start(absent), code),
            until: LATER,
        };
        for cell in self.cast.cells() {
            let slot = match cell {
                Cell::Row(row) => {
                    let found = database.row(row);
                    fill(cell, found == Row::ABSENT, found.code())
                }
                Cell::Alias(unique) => {
                    let key = database.find_unique(unique);
                    fill(cell, key.is_none(), key.unwrap_or_default())
                }
                Cell::All => fill(cell, false, database.code()),
                Cell::Epoch | Cell::Presence => Slot::Epoch(Epoch(0)),
                Cell::Misspelled => Slot::Empty,
            };
            store.put(cell, slot);
        }
        store
    }
}

impl World {
    /// A number for an epoch or presence cell that starts anew.
    pub(crate) fn fresh_epoch(&self, protocol: &Protocol) -> Epoch {
        if !protocol.keeps(Rule::RandomEpochs) {
            return Epoch(0);
        }
        let remembered = self.readers.iter().flat_map(Reader::numbers);
        Epoch(self.store.fresh(remembered))
    }
}

impl Model for Protocol {
    type State = World;
    type Action = Action;

    fn init_states(&self) -> Vec<World> {
        vec![World {
            database: self.cast.database(),
            store: self.warm_store(),
            writers: (0..self.cast.writes.len()).map(|at| Writer::new(self, at)).collect(),
            readers: vec![Reader::default(); self.cast.asks.len()],
            evictions: self.cast.evictions,
        }]
    }

    fn actions(&self, world: &World, actions: &mut Vec<Action>) {
        for at in 0..world.writers.len() {
            world.writer_actions(self, at, actions);
        }
        for at in 0..world.readers.len() {
            world.reader_actions(self, at, actions);
        }
        if world.evictions > 0 {
            let spared = |slot: &Slot| matches!(slot, Slot::Fenced(_));
            let evictable = world.store.cells().filter(|(_, slot)| !spared(slot));
            actions.extend(evictable.map(|(cell, _)| Action::Evict(cell)));
        }
    }

    fn next_state(&self, world: &World, action: Action) -> Option<World> {
        let mut world = world.clone();
        match action {
            Action::Fence(at, _)
            | Action::Commit(at)
            | Action::GiveUp(at)
            | Action::LoseConnection(at)
            | Action::Release(at, _)
            | Action::ExpireFence(at, _) => world.writer_step(self, at, action),
            Action::Evict(cell) => {
                world.store.evict(cell);
                world.evictions -= 1;
            }
            Action::See(at, _)
            | Action::Join(at, _)
            | Action::Lease(at, _)
            | Action::Open(at, _)
            | Action::Forfeit(at, _)
            | Action::Load(at)
            | Action::LoadUncommitted(at, _)
            | Action::StartFill(at)
            | Action::Fill(at, _)
            | Action::CheckEpoch(at)
            | Action::EndFill(at) => world.reader_step(self, at, action),
        }
        Some(world)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        properties::of(&self.cast)
    }
}

/// The name under which a writer fences.
pub(crate) fn writer_id(at: usize) -> WriterId {
    WriterId(at as u64)
}

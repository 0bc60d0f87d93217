//! A call that reads both rows: hits, a load of the misses, and the second look that validates the hits.

use crate::{
    database::{Database, ROWS, Row},
    reader::{How, Step},
    rules::Rule,
    store::{Cell, Kept},
    world::{Action, Protocol, World},
};

/// Loads its misses, and leaves the filling to readers of one row. What was looked at is `Some`, and
/// `Some(None)` if there was nothing.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Many {
    First {
        rows: [Option<Option<Kept>>; 2],
        epoch: Option<Option<u64>>,
        presence: Option<Option<u64>>,
    },
    Second {
        hits: [Option<Kept>; 2],
        loaded: Option<Database>,
        /// The cells to look at again.
        left: Vec<Cell>,
    },
}

impl Default for Many {
    fn default() -> Self {
        Many::First { rows: [None, None], epoch: None, presence: None }
    }
}

impl Many {
    pub(crate) fn numbers(&self) -> Vec<u64> {
        let (entries, read): (Vec<&Kept>, _) = match self {
            Many::First { rows, epoch, presence } => {
                (rows.iter().flatten().flatten().collect(), [epoch.flatten(), presence.flatten()])
            }
            Many::Second { hits, .. } => (hits.iter().flatten().collect(), [None, None]),
        };
        entries.into_iter().flat_map(Kept::stamps).chain(read).flatten().collect()
    }

    pub(crate) fn actions(&self, protocol: &Protocol, at: usize, actions: &mut Vec<Action>) {
        match self {
            Many::First { rows, epoch, presence } => {
                for row in ROWS {
                    if rows[usize::from(row)].is_none() {
                        actions.push(Action::See(at, Cell::Row(row)));
                    }
                }
                if protocol.has_epoch(Cell::Row(0)) && epoch.is_none() {
                    actions.push(Action::See(at, Cell::Epoch));
                }
                let slots_seen = rows.iter().all(Option::is_some);
                if protocol.has_presence(Cell::Row(0)) && presence.is_none() && slots_seen {
                    actions.push(Action::See(at, Cell::Presence));
                }
            }
            Many::Second { hits, loaded, left } => {
                if loaded.is_none() && hits.iter().any(Option::is_none) {
                    actions.push(Action::Load(at));
                } else {
                    actions.extend(left.iter().map(|cell| Action::See(at, *cell)));
                }
            }
        }
    }
}

impl World {
    pub(crate) fn many_step(&mut self, protocol: &Protocol, at: usize, mut many: Many, action: Action) {
        match (&mut many, action) {
            (Many::First { epoch, .. }, Action::See(_, Cell::Epoch)) => {
                *epoch = Some(self.number(Cell::Epoch));
            }
            (Many::First { presence, .. }, Action::See(_, Cell::Presence)) => {
                *presence = Some(self.number(Cell::Presence));
            }
            (Many::First { rows, .. }, Action::See(_, Cell::Row(row))) => {
                rows[usize::from(row)] = Some(self.entry(Cell::Row(row)));
            }
            (Many::Second { loaded, .. }, Action::Load(_)) => *loaded = Some(self.database),
            (Many::Second { hits, left, .. }, Action::See(_, cell)) => {
                if !self.is_unchanged(protocol, hits, cell) {
                    self.readers[at].step = Step::Alone;
                    return;
                }
                left.retain(|other| *other != cell);
            }
            (_, other) => unreachable!("{other:?} during a read of both rows"),
        }
        self.many_goes_on(protocol, at, many);
    }

    /// Moves from the first look to the second, and from there to the answer.
    fn many_goes_on(&mut self, protocol: &Protocol, at: usize, many: Many) {
        let mut open = Vec::new();
        many.actions(protocol, at, &mut open);
        if !open.is_empty() {
            self.readers[at].step = Step::Many(many);
            return;
        }
        match many {
            Many::First { rows, epoch, presence } => {
                let valid = |entry: &Kept| {
                    let [entry_epoch, entry_presence] = entry.stamps();
                    (!protocol.has_epoch(Cell::Row(0)) || Some(entry_epoch) == epoch)
                        && (!entry.0.is_absent() || Some(entry_presence) == presence)
                };
                let hits = rows.map(|row| row.flatten().filter(valid));
                if hits.iter().all(Option::is_none) {
                    self.readers[at].step = Step::Alone;
                    return;
                }
                let left = cells_to_validate(protocol, &hits);
                self.many_goes_on(protocol, at, Many::Second { hits, loaded: None, left });
            }
            Many::Second { hits, loaded, .. } => {
                let row = |row: u8| match (&hits[usize::from(row)], loaded) {
                    (Some(hit), _) => Row::from_code(hit.code()),
                    (None, Some(database)) => database.row(row),
                    (None, None) => unreachable!("misses are loaded"),
                };
                self.answer(protocol, at, Database::new(ROWS.map(row)).code(), How::Validated);
            }
        }
    }

    fn is_unchanged(&self, protocol: &Protocol, hits: &[Option<Kept>; 2], cell: Cell) -> bool {
        let mut hits_here = ROWS.into_iter().zip(hits).filter_map(|(row, hit)| Some((row, hit.as_ref()?)));
        match cell {
            Cell::Row(row) => {
                let token = |entry: &Kept| entry.0.token;
                hits_here
                    .all(|(at, hit)| at != row || self.entry(cell).as_ref().map(token) == Some(token(hit)))
            }
            Cell::Epoch => hits_here.all(|(_, hit)| self.number(cell) == hit.stamps()[0]),
            _ => {
                debug_assert!(protocol.has_presence(Cell::Row(0)));
                hits_here.all(|(_, hit)| !hit.0.is_absent() || self.number(cell) == hit.stamps()[1])
            }
        }
    }
}

fn cells_to_validate(protocol: &Protocol, hits: &[Option<Kept>; 2]) -> Vec<Cell> {
    let mut cells = Vec::new();
    if !protocol.keeps(Rule::ValidateMixedReads) {
        return cells;
    }
    cells.extend(ROWS.into_iter().filter(|row| hits[usize::from(*row)].is_some()).map(Cell::Row));
    if protocol.keeps(Rule::ValidateStamps) {
        if protocol.has_epoch(Cell::Row(0)) {
            cells.push(Cell::Epoch);
        }
        if hits.iter().flatten().any(|hit| hit.0.is_absent()) {
            cells.push(Cell::Presence);
        }
    }
    cells
}

//! The promise, and signs that the model is alive.

use stateright::Property;

use crate::{
    cast::{Ask, Cast},
    database::{Database, ROWS, Row},
    reader::{How, Step},
    store::Cell,
    world::{Protocol, World},
};

/// An answer that the database could not have given at any instant of the call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Wrong {
    /// Not the row of any snapshot of the call.
    Stale,
    /// "No such row", although there was one all along.
    StaleAbsence,
    /// Each row alone could be, both together could not.
    Torn,
}

impl Wrong {
    pub(crate) fn judge(ask: Ask, answer: u8, snapshots: &[Database]) -> Option<Wrong> {
        if snapshots.iter().any(|snapshot| ask.answer(*snapshot) == answer) {
            return None;
        }
        let rows = Database::from_code(answer);
        let possible = |row: u8| snapshots.iter().any(|snapshot| snapshot.row(row) == rows.row(row));
        match ask {
            Ask::Both | Ask::All if ROWS.into_iter().all(possible) => Some(Wrong::Torn),
            Ask::Row(_) | Ask::Unique(_) if answer == Row::ABSENT.code() => Some(Wrong::StaleAbsence),
            _ => Some(Wrong::Stale),
        }
    }
}

pub(crate) const NO_STALE_ROW: &str = "no stale row";
pub(crate) const NO_STALE_ABSENCE: &str = "no stale absence";
pub(crate) const NO_TORN_ROWS: &str = "no torn rows";
pub(crate) const NOTHING_STALE_AT_REST: &str = "nothing stale at rest";

pub(crate) fn of(cast: &Cast) -> Vec<Property<Protocol>> {
    if cast.fences_get_lost {
        // Then the promise is broken while the write is undecided; but not for ever.
        return vec![
            Property::always(NOTHING_STALE_AT_REST, nothing_stale_at_rest),
            Property::sometimes("a stale row is answered", |_, world| any(world, Step::Wrong(Wrong::Stale))),
        ];
    }
    let mut properties = vec![
        Property::always(NO_STALE_ROW, |_, world| !any(world, Step::Wrong(Wrong::Stale))),
        Property::always(NO_STALE_ABSENCE, |_, world| !any(world, Step::Wrong(Wrong::StaleAbsence))),
        Property::always(NO_TORN_ROWS, |_, world| !any(world, Step::Wrong(Wrong::Torn))),
    ];
    properties.extend(cast.happens.iter().map(|how| match how {
        How::Hit => Property::sometimes("a hit", |_, world| any(world, Step::Done(How::Hit))),
        How::AbsentHit => {
            Property::sometimes("an absent hit", |_, world| any(world, Step::Done(How::AbsentHit)))
        }
        How::AliasHit => {
            Property::sometimes("a hit by alias", |_, world| any(world, Step::Done(How::AliasHit)))
        }
        How::Joined => Property::sometimes("a joined answer", |_, world| any(world, Step::Done(How::Joined))),
        How::Loaded => Property::sometimes("a load", |_, world| any(world, Step::Done(How::Loaded))),
        How::Filled => Property::sometimes("a fill", |_, world| any(world, Step::Done(How::Filled))),
        How::Superseded => {
            Property::sometimes("a superseded fill", |_, world| any(world, Step::Done(How::Superseded)))
        }
        How::Validated => {
            Property::sometimes("a validated answer", |_, world| any(world, Step::Done(How::Validated)))
        }
    }));
    properties
}

fn any(world: &World, step: Step) -> bool {
    world.readers.iter().any(|reader| reader.step == step)
}

/// When every writer has ended, no slot holds an entry that a hit would use and the database would not.
fn nothing_stale_at_rest(protocol: &Protocol, world: &World) -> bool {
    if !world.writers.iter().all(|writer| writer.has_released_everything()) {
        return true;
    }
    world.store.cells().all(|(cell, _)| {
        let (Cell::Row(row), Some(entry)) = (cell, world.entry(cell)) else {
            return true;
        };
        let [epoch, presence] = entry.stamps();
        let valid = (!protocol.has_epoch(cell) || epoch == world.number(Cell::Epoch))
            && (!entry.0.is_absent() || presence == world.number(Cell::Presence));
        !valid || world.database.row(row).code() == entry.code()
    })
}

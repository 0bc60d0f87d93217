//! Files as rooms, rooms on floors.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    circles::{self, Arrows},
    tree::Tree,
    uses::{self, Uses},
};

/// The house as the code gives it.
pub(super) struct House {
    pub(super) uses: Uses,
    /// All arrows between rooms. A room without arrows is here too.
    pub(super) arrows: Arrows,
}

impl House {
    pub(super) fn of(tree: &Tree) -> Self {
        let uses = uses::uses(tree);
        let mut arrows = Arrows::new();
        for module in &tree.modules {
            // A file that only hands names on is no room.
            if !module.defined.is_empty() {
                arrows.entry(room(&module.file)).or_default();
            }
        }
        for (from, to) in uses.keys().map(|(from, to)| (room(from), room(to))).filter(|(from, to)| from != to)
        {
            arrows.entry(to.clone()).or_default();
            arrows.entry(from).or_default().insert(to);
        }
        House { uses, arrows }
    }

    /// The arrows between files.
    pub(super) fn files(&self) -> Arrows {
        let mut arrows = Arrows::new();
        for (from, to) in self.uses.keys() {
            arrows.entry(from.clone()).or_default().insert(to.clone());
        }
        arrows
    }

    /// The floor of each room, from 0: above all that it names, and above the package `ground`. Rooms of one circle
    /// share a floor.
    pub(super) fn floors(&self, ground: &str) -> BTreeMap<String, usize> {
        let reached = self.reached();
        let mut floors: BTreeMap<String, usize> = BTreeMap::new();
        // A room that is reached by another reaches fewer itself: so each comes after all that it reaches.
        let mut order: Vec<_> = reached.keys().collect();
        order.sort_by_key(|room| (package(room) != ground, reached[*room].len()));
        let mut lowest = 0;
        for room in order {
            let below = |other: &&String| !reached[*other].contains(room);
            let above = reached[room]
                .iter()
                .filter(below)
                .filter_map(|other| floors.get(other))
                .map(|floor| floor + 1);
            let own = package(room) == ground;
            let floor = above.chain((!own).then_some(lowest)).max().unwrap_or(0);
            lowest = if own { lowest.max(floor + 1) } else { lowest };
            floors.insert(room.clone(), floor);
        }
        floors
    }

    /// The arrows that no way over other rooms replaces.
    pub(super) fn without_detours(&self) -> Arrows {
        let reached = self.reached();
        let is_needed = |from: &str, to: &String| {
            let replaces = |over: &&String| {
                *over != to
                    && reached[*over].contains(to)
                    && !reached[to].contains(*over)
                    && !reached[*over].contains(from)
            };
            !self.arrows[from].iter().any(|over| replaces(&over))
        };
        let needed = |from: &str, all: &BTreeSet<String>| {
            all.iter().filter(|to| is_needed(from, to)).cloned().collect()
        };
        self.arrows.iter().map(|(from, all)| (from.clone(), needed(from, all))).collect()
    }

    /// What each room reaches, over whatever rooms.
    fn reached(&self) -> BTreeMap<String, BTreeSet<String>> {
        self.arrows.keys().map(|room| (room.clone(), circles::reached(&self.arrows, room))).collect()
    }

    /// The arrows between files of which one stands in `from` and the other in `to`.
    pub(super) fn between(&self, from: &str, to: &str) -> impl Iterator<Item = String> {
        self.uses
            .iter()
            .filter(move |((file, other), _)| room(file) == from && room(other) == to)
            .map(|((file, other), names)| line(file, other, names))
    }
}

/// `cache-orm/src/read/slot.rs` stands in `cache-orm/read`.
pub(super) fn room(file: &str) -> String {
    let (package, inside) = file.split_once("/src/").unwrap_or(("", file));
    let top = inside.split_once('/').map_or(inside.trim_end_matches(".rs"), |(folder, _)| folder);
    format!("{package}/{top}")
}

/// The package that a room belongs to.
pub(super) fn package(room: &str) -> &str {
    room.split_once('/').map_or("", |(package, _)| package)
}

/// An arrow between files, with the names that it carries.
pub(super) fn line(from: &str, to: &str, names: &BTreeSet<String>) -> String {
    format!("{from} -> {to}: {}", names.iter().map(String::as_str).collect::<Vec<_>>().join(", "))
}

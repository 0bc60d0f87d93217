//! Names of cells, in words.

use std::collections::{BTreeMap, BTreeSet};

use tests::{CellName, Place};

/// What a store call reached for, in words: `row of product`, `table review`, `everything`.
///
/// `fenced` asks for all of it; otherwise the epoch and presence cells, which stand beside each slot, are left
/// out.
pub(crate) fn words<'n>(
    names: impl IntoIterator<Item = &'n str>,
    tables: &BTreeSet<String>,
    fenced: bool,
) -> String {
    let mut parts: BTreeMap<String, Parts> = BTreeMap::new();
    // Every statement that changes the schema fences the schema's cell, and no other.
    for cell in names.into_iter().filter_map(CellName::read) {
        // What is said of a table is said without its schema.
        parts.entry(cell.table).or_default().add(cell.place);
    }
    let whole = |table: &String| parts.get(table).is_some_and(Parts::is_whole);
    if fenced && tables.iter().all(whole) {
        return "everything".to_owned();
    }
    let said: Vec<String> = parts.iter().filter_map(|(table, parts)| parts.words(table, fenced)).collect();
    said.join(", ")
}

/// Cells of one table.
#[derive(Default)]
struct Parts {
    rows: BTreeSet<String>,
    aliases: BTreeSet<(String, String)>,
    epochs: BTreeSet<String>,
    all: bool,
    presence: bool,
}

impl Parts {
    fn add(&mut self, place: Place) {
        match place {
            Place::Row(key) => drop(self.rows.insert(key)),
            Place::Alias(columns, values) => drop(self.aliases.insert((columns, values))),
            Place::Epoch(shard) => drop(self.epochs.insert(shard)),
            Place::All => self.all = true,
            Place::Presence => self.presence = true,
        }
    }

    fn is_whole(&self) -> bool {
        self.epochs.len() as u64 == cache_core::key::SHARDS && self.all && self.presence
    }

    fn words(&self, table: &str, fenced: bool) -> Option<String> {
        if fenced && self.is_whole() {
            return Some(format!("table {table}"));
        }
        let several = |what: &str, count: usize| match count {
            0 => None,
            1 => Some(format!("{what} of {table}")),
            _ => Some(format!("{count} {what}s of {table}")),
        };
        let aliases = match self.aliases.len() {
            0 => None,
            1 => Some(format!("alias of {table}")),
            count => Some(format!("{count} aliases of {table}")),
        };
        let slots = [several("row", self.rows.len()), aliases, self.all.then(|| format!("all of {table}"))];
        let mut said: Vec<String> = slots.into_iter().flatten().collect();
        if fenced || said.is_empty() {
            said.extend(several("epoch", self.epochs.len()));
            said.extend(self.presence.then(|| format!("presence of {table}")));
        }
        (!said.is_empty()).then(|| said.join(", "))
    }
}

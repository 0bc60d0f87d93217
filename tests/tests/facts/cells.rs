//! Names of cells, in words.

use std::collections::{BTreeMap, BTreeSet};

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
    for name in names.into_iter().filter(|name| !is_of_schema(name)) {
        let (table, cell) = split(name);
        parts.entry(table).or_default().add(cell);
    }
    let whole = |table: &String| parts.get(table).is_some_and(Parts::is_whole);
    if fenced && tables.iter().all(whole) {
        return "everything".to_owned();
    }
    let said: Vec<String> = parts.iter().filter_map(|(table, parts)| parts.words(table, fenced)).collect();
    said.join(", ")
}

/// One cell of a table.
enum Cell {
    Row(String),
    Epoch(String),
    All,
    Presence,
    Alias(String),
}

/// `{namespace}:schema` and its like: every statement that changes the schema fences it, and no other.
fn is_of_schema(name: &str) -> bool {
    name.split_once('}').is_some_and(|(tag, _)| !tag.contains(':'))
}

/// `{namespace:schema.table.shard}:key` and its like. What is said of a table is said without its schema.
fn split(name: &str) -> (String, Cell) {
    let (tag, key) = name.split_once('}').unwrap_or_else(|| panic!("{name} is no cell"));
    let (_, cell) = tag.split_once(':').unwrap_or_else(|| panic!("{name} is no cell"));
    let (table, kind) = cell.rsplit_once('.').unwrap_or_else(|| panic!("{name} is no cell"));
    let cell = match (kind, key) {
        ("all", _) => Cell::All,
        ("here", _) => Cell::Presence,
        ("u", key) => Cell::Alias(key.to_owned()),
        (shard, "") => Cell::Epoch(shard.to_owned()),
        (_, key) => Cell::Row(key.to_owned()),
    };
    let table = table.rsplit_once('.').map_or(table, |(_, table)| table);
    (table.to_owned(), cell)
}

/// Cells of one table.
#[derive(Default)]
struct Parts {
    rows: BTreeSet<String>,
    aliases: BTreeSet<String>,
    epochs: BTreeSet<String>,
    all: bool,
    presence: bool,
}

impl Parts {
    fn add(&mut self, cell: Cell) {
        match cell {
            Cell::Row(key) => drop(self.rows.insert(key)),
            Cell::Alias(key) => drop(self.aliases.insert(key)),
            Cell::Epoch(shard) => drop(self.epochs.insert(shard)),
            Cell::All => self.all = true,
            Cell::Presence => self.presence = true,
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

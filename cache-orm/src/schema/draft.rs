//! A schema while its parts come in.

use std::collections::{BTreeSet, HashMap, HashSet, hash_map::Entry};

use super::{
    cascades::{Action, Cascades, ForeignKey},
    learned::Schema,
    table::{Column, Id, TableKind, TableSchema, id},
};
use crate::classify::Writers;

/// Tables come first then columns, then keys.
#[derive(Default)]
pub(super) struct Draft {
    pub(super) tables: HashMap<Id, TableSchema>,
    pub(super) bare: HashMap<String, Option<Id>>,
    /// Columns of each unique index, by table and index; `None` once a part turned out not to count.
    pub(super) unique: HashMap<(Id, String), Option<BTreeSet<String>>>,
    pub(super) foreign_keys: HashMap<String, ForeignKey>,
    pub(super) inheritance: Vec<(Id, Id)>,
    pub(super) writers: Writers,
}

/// A table as the catalogue spells it: schema and name.
pub(super) type Of<'n> = [&'n str; 2];

impl Draft {
    /// Adds a table. Of two whose names differ only in case, a statement does not say which it means: so what one of
    /// them may change elsewhere counts for both.
    pub(super) fn table(&mut self, table: TableSchema) {
        match self.tables.entry(table.id.clone()) {
            Entry::Vacant(entry) => drop(entry.insert(table)),
            Entry::Occupied(mut entry) => {
                let earlier = entry.get_mut();
                earlier.kind = TableKind::Other("several tables have this name");
                earlier.writes_elsewhere |= table.writes_elsewhere;
                earlier.namesakes.push(table.name);
            }
        }
    }

    /// Says that the bare name means this table.
    pub(super) fn visible(&mut self, table: Of<'_>) {
        let [schema, name] = table;
        let id = id(schema, name);
        let known = self.bare.entry(name.to_lowercase()).or_insert_with(|| Some(id.clone()));
        if known.as_ref() != Some(&id) {
            *known = None;
        }
    }

    pub(super) fn column(&mut self, [schema, table]: Of<'_>, name: &str, column: Column) {
        let Some(table) = self.tables.get_mut(&id(schema, table)) else {
            return;
        };
        if table.columns.insert(name.to_lowercase(), column).is_some() && table.is_plain() {
            table.kind = TableKind::Other("columns differ only in case");
        }
    }

    pub(super) fn column_of(&self, [schema, table]: Of<'_>, name: &str) -> Option<&Column> {
        self.tables.get(&id(schema, table))?.column(name)
    }

    /// Adds a column of a unique index. `counts`: this part makes the column's own equality unique.
    pub(super) fn unique_part(&mut self, [schema, table]: Of<'_>, index: &str, column: &str, counts: bool) {
        let set =
            self.unique.entry((id(schema, table), index.to_owned())).or_insert_with(|| Some(BTreeSet::new()));
        match set {
            Some(columns) if counts => {
                columns.insert(column.to_lowercase());
            }
            _ => *set = None,
        }
    }

    /// Adds a foreign key, or one more pair of columns to it: each is schema, table and column. An empty `parent_column` is not known.
    pub(super) fn foreign_key(
        &mut self,
        key: String,
        child: [&str; 3],
        parent: [&str; 3],
        actions: [Action; 2],
    ) {
        let [on_delete, on_update] = actions;
        let key = self.foreign_keys.entry(key).or_insert_with(|| ForeignKey {
            child: id(child[0], child[1]),
            child_columns: BTreeSet::new(),
            parent: id(parent[0], parent[1]),
            parent_columns: Some(BTreeSet::new()),
            on_delete,
            on_update,
        });
        key.child_columns.insert(child[2].to_lowercase());
        if let Some(columns) = &mut key.parent_columns {
            columns.insert(parent[2].to_lowercase());
        }
    }

    /// Says that a write of the table may change others.
    pub(super) fn writes_elsewhere(&mut self, [schema, table]: Of<'_>) {
        if let Some(table) = self.tables.get_mut(&id(schema, table)) {
            table.writes_elsewhere = true;
        }
        self.writers.tables.insert(table.to_lowercase());
    }

    /// Says that even a read of a relation may.
    pub(super) fn writes_when_read(&mut self, [schema, relation]: Of<'_>) {
        if let Some(table) = self.tables.get_mut(&id(schema, relation)) {
            (table.writes_elsewhere, table.writes_when_read) = (true, true);
        }
        self.writers.relations.insert(relation.to_lowercase());
    }

    /// Says that rows of one table are rows of the other as well.
    pub(super) fn inheritance(&mut self, one: Of<'_>, other: Of<'_>) {
        self.inheritance.push((id(one[0], one[1]), id(other[0], other[1])));
    }

    pub(super) fn finish(mut self, identity: String, path: Vec<String>) -> Schema {
        for ((table, _), columns) in self.unique {
            let (Some(table), Some(columns)) = (self.tables.get_mut(&table), columns) else {
                continue;
            };
            // A column that changes without being assigned would move a row to another key unseen.
            if columns.iter().all(|name| table.column(name).is_some_and(|column| !column.changes_by_itself)) {
                table.unique.push(columns);
            }
        }
        let tables = self.tables;
        let assigned_only = |key: &ForeignKey| {
            tables.get(&key.parent).filter(|parent| parent.is_plain()).is_some_and(|parent| {
                let columns = key.parent_columns.iter().flatten();
                columns.map(|name| parent.column(name)).all(|it| it.is_some_and(|c| !c.changes_by_itself))
            })
        };
        let keys = self.foreign_keys.into_values().map(|key| match assigned_only(&key) {
            true => key,
            false => ForeignKey { parent_columns: None, ..key },
        });
        let cascades = Cascades::new(keys, self.inheritance);
        Schema {
            identity,
            triggers_hidden: false,
            dirty_reads: false,
            rendering: String::new(),
            orders_texts_by_bytes: false,
            writers: self.writers,
            quiet_procedures: HashSet::new(),
            tables,
            bare: self.bare,
            path,
            cascades,
        }
    }
}

//! One table, as one process knows it.

use std::sync::Mutex;

use crate::{
    counters::Counters,
    key::{Namespace, QualifiedName, TableKeys},
    quarantine::Quarantine,
    settings::{Settings, Unreachable},
    unpoisoned,
};

/// One table's names, counters and quarantine. [`Cache::table`](crate::cache::Cache::table) makes it.
#[derive(Debug)]
pub struct Table {
    name: QualifiedName,
    keys: TableKeys,
    pub(crate) quarantine: Quarantine,
    unreachable: Mutex<Option<Unreachable>>,
    /// What happened to this table in this process.
    pub counters: Counters,
}

impl Table {
    pub(crate) fn new(namespace: &Namespace, name: QualifiedName) -> Self {
        let keys = TableKeys::new(namespace, name.clone());
        Table::with_keys(name, keys)
    }

    /// The schema, as a table of its own.
    pub(crate) fn of_schema(namespace: &Namespace) -> Self {
        Table::with_keys("schema".into(), TableKeys::of_schema(namespace))
    }

    fn with_keys(name: QualifiedName, keys: TableKeys) -> Self {
        Table {
            name,
            keys,
            quarantine: Quarantine::default(),
            unreachable: Mutex::default(),
            counters: Counters::default(),
        }
    }

    /// The table's name, `schema.table`: no other table has it.
    pub fn name(&self) -> &str {
        self.name.as_str()
    }

    /// The names of the table's cells.
    pub fn keys(&self) -> &TableKeys {
        &self.keys
    }

    /// What becomes of writes to this table that can't be fenced, whatever [`Settings::unreachable`] says. Where it
    /// is said more than once, the stricter counts.
    pub fn when_unreachable(&self, policy: Unreachable) {
        let mut unreachable = unpoisoned::lock(&self.unreachable);
        *unreachable = (*unreachable).max(Some(policy));
    }

    pub(crate) fn policy(&self, settings: &Settings) -> Unreachable {
        unpoisoned::lock(&self.unreachable).unwrap_or(settings.unreachable)
    }
}

//! An entity, its keys, and the kinds of reads by them.

use std::{any::TypeId, sync::Arc};

use cache_core::entry::Fingerprint;
use sea_orm::{DbBackend, QueryResult, Value};

use crate::{
    classify::{TableName, reason::BypassReason},
    model::Policy,
    row::{Row, Shape, Unfit},
    stats::Bypasses,
};

/// What is known about an entity without asking the database.
pub(crate) struct Entity {
    /// Where its facts stand in `Eligibility`.
    pub(crate) index: usize,
    pub(crate) backend: DbBackend,
    pub(crate) model: TypeId,
    pub(crate) type_name: &'static str,
    /// The table as the entity names it. Which one that is, `Eligibility` says.
    pub(crate) table: TableName,
    /// The same, as counts are reported by it.
    pub(crate) label: String,
    /// Its schema as it is spelled.
    pub(super) schema: Option<String>,
    pub(crate) bypasses: Bypasses,
    pub(crate) policy: Policy,
    pub(crate) shape: Arc<Shape>,
    /// The columns' names in lower case, in the shape's order: how statements and the schema are compared.
    pub(crate) columns: Vec<String>,
    pub(crate) fingerprint: Fingerprint,
    /// Positions of the primary key's columns in the shape.
    pub(crate) primary: Vec<usize>,
    /// What each column is cast to when it is selected or compared, in the shape's order.
    pub(crate) casts: Vec<Vec<String>>,
    /// Positions of the columns that a key or a relation of the entity names.
    pub(crate) named: Vec<usize>,
    /// The read by primary key: one value for each column, in order.
    pub(crate) primary_sql: String,
    pub(crate) uniques: Vec<UniqueKey>,
    pub(crate) capture: fn(&Shape, &QueryResult) -> Result<Row, Unfit>,
    pub(crate) verify: fn(&Shape, Vec<Value>) -> Option<Row>,
}

/// A unique key of an entity.
#[derive(Clone, Debug)]
pub(crate) struct UniqueKey {
    /// Its columns' names, joined: part of the alias's name.
    pub(crate) name: String,
    /// Positions of its columns in the shape.
    pub(crate) columns: Vec<usize>,
    /// The read by this key: one value for each column, in order.
    pub(crate) sql: String,
}

/// Which key a read is by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ReadKind {
    Primary,
    /// By the entity's unique key of this position.
    Unique(usize),
    All,
}

impl Entity {
    /// A read of it goes to the database.
    pub(crate) fn count_bypass(&self, reason: BypassReason) {
        self.bypasses.count(reason);
        tracing::debug!(db.collection.name = self.label, %reason, "bypass");
    }

    /// The positions of the columns that a keyed read gives values for.
    pub(crate) fn key_columns(&self, kind: ReadKind) -> &[usize] {
        match kind {
            ReadKind::Primary => &self.primary,
            ReadKind::Unique(key) => &self.uniques[key].columns,
            ReadKind::All => &[],
        }
    }

    /// The read of a key: one value for each of its columns, in order.
    pub(crate) fn sql(&self, kind: ReadKind) -> Option<&str> {
        match kind {
            ReadKind::Primary => Some(&self.primary_sql),
            ReadKind::Unique(key) => Some(&self.uniques[key].sql),
            ReadKind::All => None,
        }
    }

    /// The key over exactly these columns, in whatever order they are named.
    pub(crate) fn key_over(&self, columns: &[usize]) -> Option<ReadKind> {
        let same =
            |key: &[usize]| key.len() == columns.len() && columns.iter().all(|column| key.contains(column));
        if same(&self.primary) {
            return Some(ReadKind::Primary);
        }
        self.uniques.iter().position(|unique| same(&unique.columns)).map(ReadKind::Unique)
    }
}

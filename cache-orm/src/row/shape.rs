//! The columns of an entity, and what SeaORM reads a row of them from.

use std::{collections::BTreeMap, fmt};

use sea_orm::{ColumnType, IntoMockRow, MockRow, Value};

use super::{field, strict};
use crate::decoders::Decoders;

/// The columns of one entity, in the order in which SeaORM selects them.
///
/// Its `Debug` form holds the names and types and nothing else: equal in every process for equal entities.
pub(crate) struct Shape {
    columns: Box<[(String, ColumnType)]>,
    /// A row to copy and fill in. SeaORM keeps a row sorted by key, reads a tuple by position and shows every key in
    /// JSON. So for tuples the columns stand in it twice: under their names, and before them under keys that sort in
    /// select order. (Positions that the names alone give right have no such key.)
    template: BTreeMap<String, Value>,
    /// For each entry of the template, the position of its column; `None` if it stays as it is.
    sources: Box<[Option<usize>]>,
    is_strict: bool,
}

impl Shape {
    /// Rows that are right for these decoders. Where they are strict, the others fail.
    pub(crate) fn new(
        columns: impl IntoIterator<Item = (String, ColumnType)>,
        decoders: Decoders,
        is_strict: bool,
    ) -> Self {
        let columns: Box<[_]> = columns.into_iter().collect();
        let mut sorted: Vec<usize> = (0..columns.len()).collect();
        sorted.sort_by(|a, b| columns[*a].0.cmp(&columns[*b].0));
        let positional = match decoders {
            Decoders::Tuples => (0..=columns.len())
                .find(|first| (*first..columns.len()).eq(sorted[..columns.len() - first].iter().copied()))
                .unwrap_or(columns.len()),
            Decoders::Json | Decoders::Model => 0,
        };
        let null = || Value::Bool(None);
        let positions = (0..positional).map(|column| (format!("\0{column:04}"), (null(), Some(column))));
        let names = sorted.iter().map(|column| (columns[*column].0.clone(), (null(), Some(*column))));
        let mut entries: BTreeMap<String, (Value, Option<usize>)> = positions.chain(names).collect();
        if is_strict {
            entries
                .extend(strict::refusals(decoders, columns.len()).map(|(key, value)| (key, (value, None))));
        }
        Shape {
            sources: entries.values().map(|(_, source)| *source).collect(),
            template: entries.into_iter().map(|(key, (value, _))| (key, value)).collect(),
            columns,
            is_strict,
        }
    }

    /// True if every answer is a cached row, also that of a read that was loaded.
    pub(crate) fn is_strict(&self) -> bool {
        self.is_strict
    }

    /// How many columns the entity has.
    pub(crate) fn len(&self) -> usize {
        self.columns.len()
    }

    /// Their names, in select order.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.columns.iter().map(|(name, _)| name.as_str())
    }

    /// Their types, in select order.
    pub(crate) fn types(&self) -> impl Iterator<Item = &ColumnType> {
        self.columns.iter().map(|(_, kind)| kind)
    }

    /// The row that SeaORM reads.
    pub(super) fn answer(&self, values: &[Value]) -> MockRow {
        let mut entries = self.template.clone();
        for (entry, source) in entries.values_mut().zip(&self.sources) {
            if let Some(source) = source {
                *entry = values[*source].clone();
            }
        }
        entries.into_mock_row()
    }

    /// About how many bytes the answer takes, and what the values and the model hold outside of themselves.
    pub(super) fn weight(&self, values: &[Value]) -> usize {
        let keys: usize = self.template.keys().map(|key| size_of::<(String, Value)>() + key.len()).sum();
        let copies = self.sources.iter().flatten().map(|source| field::heap(&values[*source])).sum::<usize>();
        // Once in the values, once in the model.
        keys + copies + 2 * values.iter().map(field::heap).sum::<usize>()
    }
}

impl fmt::Debug for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.columns.iter().map(|(name, kind)| (name, kind))).finish()
    }
}

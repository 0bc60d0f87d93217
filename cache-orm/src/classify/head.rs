//! The head of a write.

use super::{TableName, TableWrite, WriteKind};

/// The head of a write: the tables it may change, and the position where the scan goes on.
pub(super) struct Head {
    pub(super) writes: Vec<TableWrite>,
    pub(super) next: usize,
}

/// One write to each table, of rows that are not known.
pub(super) fn writes(tables: Vec<TableName>, kind: &WriteKind) -> Vec<TableWrite> {
    let write = |table| TableWrite::of_any_row(table, kind.clone());
    tables.into_iter().map(write).collect()
}

//! Values of key columns in the rows that a write returned.

use sea_orm::{DbBackend, QueryResult, Value};

use crate::keys::{self, KeyClass};

/// Where a result holds a column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Place {
    At(usize),
    Named(String),
}

/// The value of a column; `None` if it is of another type than its class has. The row spells its own key, so the
/// spelling names the slot under any collation.
pub(super) fn value(row: &QueryResult, place: &Place, class: KeyClass, backend: DbBackend) -> Option<Value> {
    match place {
        Place::At(position) => keys::given(row, *position, class, backend),
        Place::Named(name) => keys::given(row, name.as_str(), class, backend),
    }
}

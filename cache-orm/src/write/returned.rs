//! Values of key columns in the rows that a write returned.

use sea_orm::{DbErr, QueryResult, TryGetable, Value, prelude::Uuid};

use crate::{keys::KeyClass, write::exact::Place};

/// The value of a column; `None` if it is NULL or of another type than its class has. The row spells its own
/// key, so the spelling names the slot under any collation.
pub(super) fn value(row: &QueryResult, place: &Place, class: KeyClass) -> Option<Value> {
    match class {
        // Drivers are strict about the width.
        KeyClass::Integer => get::<i64>(row, place)
            .or_else(|_| get::<i32>(row, place).map(i64::from))
            .or_else(|_| get::<i16>(row, place).map(i64::from))
            .map(Value::from),
        KeyClass::Uuid => get::<Uuid>(row, place).map(Value::from),
        KeyClass::Bytes => get::<Vec<u8>>(row, place).map(Value::from),
        KeyClass::Text | KeyClass::PaddedText | KeyClass::LooseText => {
            get::<String>(row, place).map(Value::from)
        }
    }
    .ok()
}

fn get<T: TryGetable>(row: &QueryResult, place: &Place) -> Result<T, DbErr> {
    match place {
        Place::At(position) => row.try_get_by_index(*position),
        Place::Named(name) => row.try_get_by(name.as_str()),
    }
}

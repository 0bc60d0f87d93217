//! Values of key columns as the database gave them, before any type of the model has read them.

use sea_orm::{ColIdx, DbBackend, DbErr, QueryResult, TryGetable, Value, prelude::Uuid};

use super::{KeyClass, is_null};
use crate::dialect::{Dialect, Integers};

/// The value of a key column, or NULL. `None` if it is not of the one type that values of this class have in the
/// database.
pub(crate) fn given<I: ColIdx>(
    row: &QueryResult,
    at: I,
    class: KeyClass,
    backend: DbBackend,
) -> Option<Value> {
    let rules = &Dialect::of(backend).types;
    match class {
        KeyClass::Integer => integer(row, at, rules.integers),
        KeyClass::Uuid | KeyClass::Bytes if rules.columns_hold_any_type && is_text(row, at) => None,
        KeyClass::Uuid => read::<Uuid, _>(row, at).ok(),
        KeyClass::Bytes => read::<Vec<u8>, _>(row, at).ok(),
        KeyClass::Text | KeyClass::PaddedText | KeyClass::LooseText => read::<String, _>(row, at).ok(),
    }
}

/// True if the value that a model gives for a key column is the one that the database gave.
pub(crate) fn is_given(
    row: &QueryResult,
    column: &str,
    class: KeyClass,
    value: &Value,
    backend: DbBackend,
) -> bool {
    given(row, column, class, backend).is_some_and(|given| match (is_null(&given), is_null(value)) {
        (false, false) => class.takes(value) && class.order(&given, value).is_eq(),
        (one, other) => one == other,
    })
}

fn integer<I: ColIdx>(row: &QueryResult, at: I, integers: Integers) -> Option<Value> {
    let value = match integers {
        Integers::ByWidth => {
            read::<i32, _>(row, at).or_else(|_| read::<i64, _>(row, at)).or_else(|_| read::<i16, _>(row, at))
        }
        Integers::BySign => read::<i64, _>(row, at).or_else(|_| read::<u64, _>(row, at)),
        Integers::Any => read::<i64, _>(row, at),
    };
    value.ok()
}

fn is_text<I: ColIdx>(row: &QueryResult, at: I) -> bool {
    matches!(row.try_get_by::<Option<String>, _>(at), Ok(Some(_)))
}

fn read<T: TryGetable + Into<Value>, I: ColIdx>(row: &QueryResult, at: I) -> Result<Value, DbErr>
where
    Option<T>: Into<Value>,
{
    row.try_get_by::<Option<T>, _>(at).map(Into::into)
}

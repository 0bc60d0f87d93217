//! Canonical keys: from the values of a statement or row to the name of a slot.
//!
//! Two spellings must give one key exactly when the database takes them for equal. Only types for which this
//! is certain may be keys; a value of any other type, or NULL, gives none.

mod given;

use std::cmp::Ordering;

use cache_core::key::RowKey;
use sea_orm::{
    Value,
    sea_query::{ColumnType, StringLen},
};

use crate::schema::{ColumnKind, TextEquality};

pub(crate) use given::{given, is_given};

/// How the values of a key column are made canonical.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum KeyClass {
    /// Every integer width alike.
    Integer,
    Uuid,
    Bytes,
    /// Text that the database compares byte by byte.
    Text,
    /// The same, without regard to trailing spaces.
    PaddedText,
    /// Text that the database compares in some other way. A row whose own text equals the one asked for byte
    /// by byte is the right one under any collation, so reads may use it; a write may spell the key of the
    /// same row differently, so it can't name the slot.
    LooseText,
}

impl KeyClass {
    /// The class of a column, if the entity's type and the database's type fit together.
    pub(crate) fn of(entity: &ColumnType, database: ColumnKind) -> Option<Self> {
        use ColumnType as T;
        match (entity, database) {
            (
                T::TinyInteger
                | T::SmallInteger
                | T::Integer
                | T::BigInteger
                | T::TinyUnsigned
                | T::SmallUnsigned
                | T::Unsigned
                | T::BigUnsigned,
                ColumnKind::Integer,
            ) => Some(KeyClass::Integer),
            (T::Uuid, ColumnKind::Uuid | ColumnKind::Bytes) => Some(KeyClass::Uuid),
            (T::Binary(_) | T::VarBinary(_) | T::Blob, ColumnKind::Bytes) => Some(KeyClass::Bytes),
            (
                T::String(StringLen::None | StringLen::N(_) | StringLen::Max) | T::Text,
                ColumnKind::Text(equality),
            ) => Some(match equality {
                TextEquality::Bytewise => KeyClass::Text,
                TextEquality::PaddedBytewise => KeyClass::PaddedText,
                TextEquality::Loose => KeyClass::LooseText,
            }),
            _ => None,
        }
    }

    /// The class whose values are like this one, whatever database compares them.
    pub(crate) fn of_value(value: &Value) -> Option<Self> {
        match value {
            Value::String(_) => Some(KeyClass::Text),
            Value::Uuid(_) => Some(KeyClass::Uuid),
            Value::Bytes(_) => Some(KeyClass::Bytes),
            value => integer(value).map(|_| KeyClass::Integer),
        }
    }

    /// True if values are told apart as before when they are cast to this type of Postgres, named in lower case.
    /// `collated`: the column has a collation of its own, so it is no citext.
    pub(crate) fn survives(self, cast: &str, collated: bool) -> bool {
        match self {
            KeyClass::Integer => ["int4", "int", "integer", "int8", "bigint"].contains(&cast),
            KeyClass::Uuid => cast == "uuid",
            KeyClass::Bytes => cast == "bytea",
            KeyClass::Text | KeyClass::PaddedText => ["text", "varchar", "character varying"].contains(&cast),
            KeyClass::LooseText => cast == "text" || (cast == "citext" && !collated),
        }
    }

    /// True if a write that names such a key names the one slot it can touch.
    pub(crate) fn is_exact(self) -> bool {
        self != KeyClass::LooseText
    }

    /// True if [`order`](Self::order) is the database's own. Texts that are equal byte by byte may still be
    /// ordered in other ways: `texts_by_bytes` says that this database orders them by their UTF-8.
    pub(crate) fn is_orderable(self, texts_by_bytes: bool) -> bool {
        match self {
            KeyClass::Integer | KeyClass::Uuid | KeyClass::Bytes => true,
            KeyClass::Text => texts_by_bytes,
            KeyClass::PaddedText | KeyClass::LooseText => false,
        }
    }

    /// How two values of the column are ordered; values of another type are all alike.
    pub(crate) fn order(self, one: &Value, other: &Value) -> Ordering {
        match self {
            KeyClass::Integer => integer(one).cmp(&integer(other)),
            KeyClass::Uuid | KeyClass::Bytes => bytes(one).cmp(&bytes(other)),
            KeyClass::Text | KeyClass::PaddedText | KeyClass::LooseText => match (one, other) {
                (Value::String(one), Value::String(other)) => one.cmp(other),
                _ => Ordering::Equal,
            },
        }
    }

    /// True for a value that may be part of a key of this class.
    pub(crate) fn takes(self, value: &Value) -> bool {
        self.append(RowKey::default(), value).is_some()
    }

    fn append(self, key: RowKey, value: &Value) -> Option<RowKey> {
        Some(match (self, value) {
            (KeyClass::Integer, value) => key.with_integer(integer(value)?),
            (KeyClass::Uuid, Value::Uuid(Some(v))) => key.with_bytes(v.as_bytes()),
            (KeyClass::Bytes, Value::Bytes(Some(v))) => key.with_bytes(v),
            (KeyClass::Text | KeyClass::LooseText, Value::String(Some(v))) => key.with_text(v),
            (KeyClass::PaddedText, Value::String(Some(v))) => key.with_text(v.trim_end_matches(' ')),
            _ => return None,
        })
    }
}

/// True for NULL: it is equal to nothing, so no key holds it.
pub(crate) fn is_null(value: &Value) -> bool {
    *value == value.as_null()
}

fn integer(value: &Value) -> Option<i128> {
    Some(match value {
        Value::TinyInt(Some(v)) => (*v).into(),
        Value::SmallInt(Some(v)) => (*v).into(),
        Value::Int(Some(v)) => (*v).into(),
        Value::BigInt(Some(v)) => (*v).into(),
        Value::TinyUnsigned(Some(v)) => (*v).into(),
        Value::SmallUnsigned(Some(v)) => (*v).into(),
        Value::Unsigned(Some(v)) => (*v).into(),
        Value::BigUnsigned(Some(v)) => (*v).into(),
        _ => return None,
    })
}

fn bytes(value: &Value) -> Option<&[u8]> {
    match value {
        Value::Uuid(Some(v)) => Some(v.as_bytes()),
        Value::Bytes(Some(v)) => Some(v),
        _ => None,
    }
}

/// The canonical key of these values; `None` if one is NULL or not of its column's type.
pub(crate) fn canonical<'v>(parts: impl IntoIterator<Item = (KeyClass, &'v Value)>) -> Option<RowKey> {
    parts.into_iter().try_fold(RowKey::default(), |key, (class, value)| class.append(key, value))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(class: KeyClass, value: impl Into<Value>) -> Option<RowKey> {
        canonical([(class, &value.into())])
    }

    #[test]
    fn integers_of_every_width_are_one_key() {
        let key = one(KeyClass::Integer, 7i32);
        assert!(key.is_some());
        assert_eq!(key, one(KeyClass::Integer, 7i64));
        assert_eq!(key, one(KeyClass::Integer, 7u8));
        assert_ne!(key, one(KeyClass::Integer, -7i8));
    }

    #[test]
    fn null_and_values_of_another_type_are_no_key() {
        assert_eq!(one(KeyClass::Integer, None::<i32>), None);
        assert_eq!(one(KeyClass::Integer, "7"), None);
        assert_eq!(one(KeyClass::Text, 7), None);
        assert_eq!(one(KeyClass::Integer, true), None);
    }

    #[test]
    fn trailing_spaces_count_only_where_the_database_counts_them() {
        assert_ne!(one(KeyClass::Text, "a "), one(KeyClass::Text, "a"));
        assert_eq!(one(KeyClass::PaddedText, "a "), one(KeyClass::PaddedText, "a"));
    }

    #[test]
    fn text_under_a_loose_collation_names_no_slot_for_writes() {
        let class = KeyClass::of(&ColumnType::Text, ColumnKind::Text(TextEquality::Loose)).expect("text");
        assert!(!class.is_exact());
    }
}

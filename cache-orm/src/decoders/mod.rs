//! Who decodes the rows of an entity, and what each of them sees.
//!
//! `find_by_id(7)` sends one statement whatever follows: `.one`, `.into_json().one`, `.into_tuple().one`. The
//! connection hands out a row and never learns who decodes it. So an entity promises for whom its cached rows are
//! right ([`Decoders`]), and three questions are asked before a row is cached for `into_json`:
//!
//! - by the compiler, of each column's Rust type: is it one of those that look alike at all ([`SameJson`])?
//! - when the database's schema is learned: does its own type look alike on this database ([`Likeness::of`])?
//! - of a row, where neither of them settles it: is its JSON the same ([`same_json`](crate::row::same_json))?

mod probe;

pub use probe::{Otherwise, Probe};

use sea_orm::{
    ColumnType, DbBackend, Value,
    prelude::{
        ChronoUnixTimestamp, ChronoUnixTimestampMillis, Json, TextUuid, TimeUnixTimestamp,
        TimeUnixTimestampMillis, Uuid,
    },
    sea_query::value::prelude::uuid::fmt::{Braced, Hyphenated, Simple, Urn},
};

use crate::{dialect::Dialect, schema::ColumnKind};

/// For whom the cached rows of an entity are right, besides its own model and models of the same types.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Decoders {
    /// `into_json`. A tuple is right if the columns are declared in alphabetical order.
    #[default]
    Json,
    /// `into_tuple`, in the order of the columns.
    Tuples,
    /// Nobody else.
    Model,
}

/// A type whose values `into_json` sees alike in a cached row and in the database's own.
///
/// Every column of an entity that derives [`Cacheable`](crate::Cacheable) needs such a type, unless the entity says
/// `#[cacheable(model_only)]`. Integers, floats, `bool`, `String`, `Uuid`, JSON, and options and lists of them are such
/// types, and so are the enums that derive `DeriveActiveEnum` and the structures that derive `FromJsonQueryResult`
/// without an impl of this trait. Dates, times, decimals and bytes are not.
///
/// A type of your own that wraps one of them says so itself:
///
/// ```
/// # use sea_orm::entity::prelude::*;
/// #[derive(Clone, Debug, PartialEq, DeriveValueType)]
/// pub struct Isbn(pub String);
///
/// impl cache_orm::SameJson for Isbn {}
/// ```
///
/// It can't do harm by saying so wrongly: the JSON of each row with such a column is compared before the row is
/// cached.
pub trait SameJson {
    /// Its values are kept as the database gave them: nothing is left to compare.
    #[doc(hidden)]
    const EXACT: bool = false;
}

macro_rules! exact {
    ($($Type:ty),+) => {
        $(impl SameJson for $Type {
            const EXACT: bool = true;
        })+
    };
}

macro_rules! compared {
    ($($Type:ty),+) => { $(impl SameJson for $Type {})+ };
}

exact!(bool, i8, i16, i32, i64, u8, u16, u32, u64, f32, f64, char, String, Uuid, Json);
// What they are converted from may be spelled in several ways.
compared!(TextUuid, Braced, Hyphenated, Simple, Urn);
// Integers to the database.
compared!(ChronoUnixTimestamp, ChronoUnixTimestampMillis, TimeUnixTimestamp, TimeUnixTimestampMillis);

impl<T: SameJson> SameJson for Option<T> {
    const EXACT: bool = T::EXACT;
}

/// A list of `u8` is bytes.
#[cfg(feature = "postgres-array")]
impl<T: SameJson + sea_orm::sea_query::postgres_array::NotU8> SameJson for Vec<T> {}

/// What `into_json` sees in a column of a cached row, next to what it sees in the database's own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Likeness {
    /// The same, in every row.
    Same,
    /// Something else, in every row or in some that are not rare.
    Different,
    /// It depends on the value, or is not known: each row is compared.
    Compared,
}

impl Likeness {
    /// What is known of a column from the entity's type and the database's, if its values are [natural](is_natural).
    /// Established by the test `decoding`.
    pub(crate) fn of(entity: &ColumnType, database: ColumnKind, backend: DbBackend) -> Self {
        use ColumnType as T;
        let rules = &Dialect::of(backend).types.json;
        match (entity, database) {
            (T::Double | T::Json | T::JsonBinary, _) if rules.loses_doubles_and_documents => {
                Likeness::Different
            }
            (T::Boolean, ColumnKind::Integer) if rules.truth_as_integer => Likeness::Different,
            (T::Boolean, ColumnKind::Bool) if rules.declared_truth_as_integer => Likeness::Different,
            _ if !rules.by_type => Likeness::Compared,
            (T::Boolean, ColumnKind::Bool) | (T::String(_) | T::Text, ColumnKind::Text(_)) => Likeness::Same,
            (T::Uuid, ColumnKind::Uuid) if rules.uuids => Likeness::Same,
            (entity, ColumnKind::Integer) if is_integer(entity) => Likeness::Same,
            _ => Likeness::Compared,
        }
    }
}

/// True for a value of the Rust type that a column of this type usually has. Whoever names a column's type may give it
/// any Rust type that can be read from it.
pub(crate) fn is_natural(value: &Value, kind: &ColumnType) -> bool {
    use ColumnType as T;
    match value {
        Value::Bool(_) => matches!(kind, T::Boolean),
        Value::String(_) => matches!(kind, T::String(_) | T::Text),
        Value::Uuid(_) => matches!(kind, T::Uuid),
        Value::TinyInt(_)
        | Value::SmallInt(_)
        | Value::Int(_)
        | Value::BigInt(_)
        | Value::TinyUnsigned(_)
        | Value::SmallUnsigned(_)
        | Value::Unsigned(_)
        | Value::BigUnsigned(_) => is_integer(kind),
        _ => false,
    }
}

fn is_integer(kind: &ColumnType) -> bool {
    use ColumnType as T;
    matches!(
        kind,
        T::TinyInteger
            | T::SmallInteger
            | T::Integer
            | T::BigInteger
            | T::TinyUnsigned
            | T::SmallUnsigned
            | T::Unsigned
            | T::BigUnsigned
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::TextEquality;

    #[test]
    fn what_is_not_known_is_compared() {
        for backend in [DbBackend::Postgres, DbBackend::MySql, DbBackend::Sqlite] {
            assert_eq!(Likeness::of(&ColumnType::Float, ColumnKind::Other, backend), Likeness::Compared);
            let citext = ColumnType::custom("citext");
            let text = ColumnKind::Text(TextEquality::Loose);
            assert_eq!(Likeness::of(&citext, text, backend), Likeness::Compared);
        }
    }

    #[test]
    fn a_truth_value_in_a_column_of_numbers_is_compared() {
        assert!(is_natural(&true.into(), &ColumnType::Boolean));
        assert!(!is_natural(&true.into(), &ColumnType::Integer));
        assert!(!is_natural(&serde_json::json!(1).into(), &ColumnType::Text));
        assert!(is_natural(&Value::BigInt(None), &ColumnType::Integer));
    }

    #[test]
    fn truth_values_are_numbers_to_some_databases() {
        let of = |kind, backend| Likeness::of(&ColumnType::Boolean, kind, backend);
        assert_eq!(of(ColumnKind::Bool, DbBackend::Postgres), Likeness::Same);
        assert_eq!(of(ColumnKind::Bool, DbBackend::Sqlite), Likeness::Same);
        assert_eq!(of(ColumnKind::Integer, DbBackend::Sqlite), Likeness::Different);
        assert_eq!(of(ColumnKind::Bool, DbBackend::MySql), Likeness::Different);
    }
}

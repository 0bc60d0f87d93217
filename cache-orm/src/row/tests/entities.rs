//! Entities with a column of every type that SeaORM offers.

use sea_orm::entity::prelude::*;
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, PartialEq, Eq, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "String(StringLen::N(1))")]
pub(super) enum Letter {
    #[sea_orm(string_value = "A")]
    A,
    #[sea_orm(string_value = "B")]
    B,
}

#[derive(Clone, Debug, PartialEq, Eq, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "i32", db_type = "Integer")]
pub(super) enum Digit {
    #[sea_orm(num_value = 0)]
    Zero,
    #[sea_orm(num_value = 1)]
    One,
}

/// A native enum that is text in Rust.
#[derive(Clone, Debug, PartialEq, Eq, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "Enum", enum_name = "mood")]
pub(super) enum Mood {
    #[sea_orm(string_value = "glad")]
    Glad,
    #[sea_orm(string_value = "sad")]
    Sad,
}

/// A native enum that is an enum in Rust too.
#[derive(Clone, Debug, PartialEq, Eq, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "Enum", db_type = "Enum", enum_name = "genre")]
pub(super) enum Genre {
    #[sea_orm(string_value = "novel")]
    Novel,
    #[sea_orm(string_value = "poem")]
    Poem,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, FromJsonQueryResult)]
pub(super) struct Note {
    pub(super) text: String,
    pub(super) weight: f64,
}

#[derive(Clone, Debug, PartialEq, Eq, DeriveValueType)]
pub(super) struct Isbn(pub(super) String);

pub(super) mod every {
    use super::*;

    #[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
    #[sea_orm(table_name = "every")]
    pub(crate) struct Model {
        #[sea_orm(primary_key)]
        pub(crate) id: i64,
        pub(crate) truth: bool,
        pub(crate) tiny: i8,
        pub(crate) small: i16,
        pub(crate) int: i32,
        pub(crate) tiny_unsigned: u8,
        pub(crate) small_unsigned: u16,
        pub(crate) unsigned: u32,
        pub(crate) big_unsigned: u64,
        pub(crate) float: f32,
        pub(crate) double: f64,
        pub(crate) text: String,
        pub(crate) bytes: Vec<u8>,
        pub(crate) json: Json,
        pub(crate) note: Note,
        pub(crate) letter: Letter,
        pub(crate) digit: Digit,
        pub(crate) mood: Mood,
        pub(crate) genre: Genre,
        pub(crate) isbn: Isbn,
        pub(crate) chrono_date: ChronoDate,
        pub(crate) chrono_time: ChronoTime,
        pub(crate) chrono_moment: ChronoDateTime,
        pub(crate) chrono_utc: ChronoDateTimeUtc,
        pub(crate) chrono_local: ChronoDateTimeLocal,
        pub(crate) chrono_zoned: ChronoDateTimeWithTimeZone,
        pub(crate) time_date: TimeDate,
        pub(crate) time_time: TimeTime,
        pub(crate) time_moment: TimeDateTime,
        pub(crate) time_zoned: TimeDateTimeWithTimeZone,
        pub(crate) unix: ChronoUnixTimestamp,
        pub(crate) uuid: Uuid,
        pub(crate) text_uuid: TextUuid,
        pub(crate) decimal: Decimal,
        #[sea_orm(column_name = "no longer int")]
        pub(crate) renamed: i32,
        #[sea_orm(ignore)]
        pub(crate) ignored: u128,
        pub(crate) maybe_truth: Option<bool>,
        pub(crate) maybe_int: Option<i32>,
        pub(crate) maybe_double: Option<f64>,
        pub(crate) maybe_text: Option<String>,
        pub(crate) maybe_bytes: Option<Vec<u8>>,
        pub(crate) maybe_json: Option<Json>,
        pub(crate) maybe_note: Option<Note>,
        pub(crate) maybe_mood: Option<Mood>,
        pub(crate) maybe_genre: Option<Genre>,
        pub(crate) maybe_isbn: Option<Isbn>,
        pub(crate) maybe_chrono: Option<ChronoDateTimeWithTimeZone>,
        pub(crate) maybe_time: Option<TimeDateTime>,
        pub(crate) maybe_uuid: Option<Uuid>,
        pub(crate) maybe_decimal: Option<Decimal>,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub(crate) enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

#[cfg(feature = "postgres-array")]
pub(super) mod lists {
    use super::*;

    #[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
    #[sea_orm(table_name = "lists")]
    pub(crate) struct Model {
        #[sea_orm(primary_key)]
        pub(crate) id: i64,
        pub(crate) ints: Vec<i32>,
        pub(crate) texts: Vec<String>,
        pub(crate) blobs: Vec<Vec<u8>>,
        pub(crate) decimals: Vec<Decimal>,
        pub(crate) uuids: Vec<Uuid>,
        pub(crate) moments: Vec<ChronoDateTimeUtc>,
        pub(crate) moods: Vec<Mood>,
        pub(crate) genres: Vec<Genre>,
        pub(crate) documents: Vec<Json>,
        #[sea_orm(column_type = "JsonBinary")]
        pub(crate) notes: Vec<Note>,
        pub(crate) maybe_ints: Option<Vec<i32>>,
        pub(crate) maybe_genres: Option<Vec<Genre>>,
        #[sea_orm(column_type = "JsonBinary", nullable)]
        pub(crate) maybe_notes: Option<Vec<Note>>,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub(crate) enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// A list of JSON structs whose column type says "array", as it does by default.
#[cfg(feature = "postgres-array")]
pub(super) mod notebook {
    use super::*;

    #[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
    #[sea_orm(table_name = "notebook")]
    pub(crate) struct Model {
        #[sea_orm(primary_key)]
        pub(crate) id: i64,
        pub(crate) notes: Vec<Note>,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub(crate) enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// A type with whatever conversions a test gives it.
macro_rules! odd_entity {
    ($module:ident, $field:ty) => {
        pub(super) mod $module {
            use super::*;

            #[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
            #[sea_orm(table_name = "odd")]
            pub(crate) struct Model {
                #[sea_orm(primary_key)]
                pub(crate) id: i32,
                pub(crate) odd: $field,
            }

            #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
            pub(crate) enum Relation {}

            impl ActiveModelBehavior for ActiveModel {}
        }
    };
}

/// Forgets what it does not serialize.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, FromJsonQueryResult)]
pub(super) struct Forgetful {
    #[serde(skip_serializing, default)]
    pub(super) secret: String,
}

/// Can't be serialized at all, though it can be read.
#[derive(Clone, Debug, PartialEq, Deserialize, FromJsonQueryResult)]
pub(super) struct ReadOnly(pub(super) i32);

impl Serialize for ReadOnly {
    fn serialize<S: serde::Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
        Err(serde::ser::Error::custom("read only"))
    }
}

/// Equal to anything, and another value each time it is written.
#[derive(Clone, Debug, Deserialize, FromJsonQueryResult)]
pub(super) struct Drifting(pub(super) i32);

impl Serialize for Drifting {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_i32(self.0 + 1)
    }
}

impl PartialEq for Drifting {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

odd_entity!(forgetful, Forgetful);
odd_entity!(read_only, ReadOnly);
odd_entity!(drifting, Drifting);
odd_entity!(measured, f64);
odd_entity!(optional, Option<i32>);

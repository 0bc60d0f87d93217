//! Column types that every database has in some form.

use std::collections::BTreeMap;

use sea_orm::{
    entity::prelude::*,
    sea_query::value::prelude::{
        chrono::{FixedOffset, Local, NaiveDate, NaiveDateTime, TimeZone, Utc},
        uuid::fmt::{Hyphenated, Simple},
    },
};
use serde::{Deserialize, Serialize};

use super::column::columns;

/// A structure in a JSON column.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, FromJsonQueryResult)]
pub(crate) struct Note {
    pub(crate) text: String,
    pub(crate) weight: f64,
    pub(crate) tags: Option<Vec<u8>>,
}

/// A map in a JSON column.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, FromJsonQueryResult)]
pub(crate) struct Shelf(pub(crate) BTreeMap<String, i64>);

#[derive(Clone, Debug, PartialEq, Eq, DeriveValueType)]
pub(crate) struct Isbn(pub(crate) String);

#[derive(Clone, Debug, PartialEq, Eq, DeriveValueType)]
pub(crate) struct Count(pub(crate) i32);

#[derive(Clone, Debug, PartialEq, Eq, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "String(StringLen::N(1))")]
pub(crate) enum Letter {
    #[sea_orm(string_value = "A")]
    A,
    #[sea_orm(string_value = "é")]
    E,
}

#[derive(Clone, Debug, PartialEq, Eq, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "i32", db_type = "Integer")]
pub(crate) enum Digit {
    #[sea_orm(num_value = -1)]
    Minus,
    #[sea_orm(num_value = 2147483647)]
    Most,
}

#[derive(Clone, Debug, PartialEq, Eq, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "Enum", enum_name = "mood")]
pub(crate) enum Mood {
    #[sea_orm(string_value = "glad")]
    Glad,
    #[sea_orm(string_value = "so so")]
    SoSo,
}

#[derive(Clone, Debug, PartialEq, Eq, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "Enum", db_type = "Enum", enum_name = "genre")]
pub(crate) enum Genre {
    #[sea_orm(string_value = "novel")]
    Novel,
    #[sea_orm(string_value = "poem")]
    Poem,
}

fn day(year: i32, month: u32, day: u32) -> NaiveDate {
    NaiveDate::from_ymd_opt(year, month, day).expect("a day")
}

fn moment() -> NaiveDateTime {
    day(2024, 2, 29).and_hms_micro_opt(23, 59, 58, 123_456).expect("a time")
}

fn early() -> NaiveDateTime {
    day(1971, 1, 1).and_hms_opt(0, 0, 0).expect("a time")
}

pub(crate) fn time_day(year: i32, ordinal: u16) -> TimeDate {
    TimeDate::from_ordinal_date(year, ordinal).expect("a day")
}

fn time_moment() -> TimeDateTime {
    TimeDateTime::new(time_day(1999, 365), TimeTime::from_hms_micro(1, 2, 3, 4).expect("a time"))
}

fn decimal(text: &str) -> Decimal {
    text.parse().expect("a number")
}

/// Every kind of character: empty, quoted, combining, four bytes long, trailing spaces.
fn texts() -> [String; 4] {
    ["", "it's \"q\" \\ \n\t%_", "e\u{301} \u{1F980} \u{10FFFF}", "  both sides  "].map(str::to_owned)
}

columns! {
    char_text "char_text" (column_type = "Char(Some(4))") String = ["abcd", "é\u{1F980}", "a"].map(str::to_owned);
    char_default "char_default" (column_type = "Char(None)") String = ["x".to_owned()];
    string "string_n" (column_type = "String(StringLen::N(40))") String = texts();
    string_default "string_default" () String = texts();
    text "text_default" (column_type = "Text") String = texts();
    custom "custom_text" (column_type = "custom(\"text\")") String = texts();
    newtype "newtype" () Isbn = [Isbn(String::new()), Isbn("978-3".to_owned())];
    letter "letter" () Letter = [Letter::A, Letter::E];

    small "small" (column_type = "SmallInteger") i16 = [i16::MIN, 0, i16::MAX];
    integer "integer_4" (column_type = "Integer") i32 = [i32::MIN, 0, i32::MAX];
    big "big" (column_type = "BigInteger") i64 = [i64::MIN, 0, i64::MAX];
    unsigned "unsigned_4" (column_type = "Unsigned") u32 = [0, u32::MAX];
    count "count_newtype" () Count = [Count(i32::MIN), Count(7)];
    digit "digit" () Digit = [Digit::Minus, Digit::Most];
    truth "truth" (column_type = "Boolean") bool = [true, false];

    float "float_4" (column_type = "Float") f32 = [0.1, -0.0, 1e-30, 3.4e38];
    double "double_8" (column_type = "Double") f64 = [0.1, -0.0, f64::MIN_POSITIVE, f64::MAX, f64::MIN];
    endless_float "endless_4" (column_type = "Float") f32 = [f32::MIN_POSITIVE];
    endless_double "endless_8" (column_type = "Double") f64 = [f64::EPSILON];
    decimal_scaled "decimal_scaled" (column_type = "Decimal(Some((16, 4)))") Decimal =
        ["0", "9.5", "-0.0001", "999999999999.9999"].map(decimal);
    decimal_default "decimal_default" (column_type = "Decimal(None)") Decimal = ["-1", "7", "1000000"].map(decimal);
    big_decimal "big_decimal" (column_type = "Decimal(Some((16, 4)))") BigDecimal =
        ["0", "9.5", "-0.0001", "999999999999.9999"].map(|text| text.parse().expect("a number"));

    big_decimal_default "big_decimal_default" (column_type = "Decimal(None)") BigDecimal =
        ["-1", "1000000"].map(|text| text.parse().expect("a number"));

    blob "blob_bytes" (column_type = "Blob") Vec<u8> = [vec![], vec![0, 0xff, b'x'], vec![7; 10_000]];
    binary "binary_n" (column_type = "Binary(4)") Vec<u8> = [vec![0, 1, 2, 0xff], vec![0; 4]];
    var_binary "var_binary" (column_type = "VarBinary(StringLen::N(8))") Vec<u8> = [vec![], vec![0, 0xff]];
    uuid "uuid_native" (column_type = "Uuid") Uuid = [Uuid::nil(), Uuid::from_u128(1), Uuid::max()];
    hyphenated "uuid_hyphenated" (column_type = "Uuid") Hyphenated = [Uuid::max().hyphenated()];
    simple "uuid_simple" (column_type = "Uuid") Simple = [Uuid::nil().simple()];

    date "chrono_date" (column_type = "Date") ChronoDate = [day(2024, 2, 29), day(1000, 1, 1), day(9999, 12, 31)];
    time "chrono_time" (column_type = "Time") ChronoTime = [early().time(), moment().time()];
    date_time "chrono_date_time" (column_type = "DateTime") ChronoDateTime = [early(), moment()];
    timestamp "chrono_timestamp" (column_type = "Timestamp") ChronoDateTime = [early(), moment()];
    utc "chrono_utc" (column_type = "TimestampWithTimeZone") ChronoDateTimeUtc =
        [early(), moment()].map(|moment| Utc.from_utc_datetime(&moment));
    local "chrono_local" (column_type = "TimestampWithTimeZone") ChronoDateTimeLocal =
        [early(), moment()].map(|moment| Local.from_utc_datetime(&moment));
    zoned "chrono_zoned" (column_type = "TimestampWithTimeZone") ChronoDateTimeWithTimeZone = [-5 * 3600, 0, 19_800]
        .map(|offset| FixedOffset::east_opt(offset).expect("an offset").from_utc_datetime(&moment()));
    unix "unix" () ChronoUnixTimestamp = [early(), moment()].map(|at| ChronoUnixTimestamp(at.and_utc()));
    unix_millis "unix_millis" () ChronoUnixTimestampMillis =
        [early(), moment()].map(|at| ChronoUnixTimestampMillis(at.and_utc()));

    time_date "time_date" (column_type = "Date") TimeDate = [time_day(1000, 1), time_day(2024, 60), time_day(9999, 365)];
    time_time "time_time" (column_type = "Time") TimeTime = [TimeTime::MIDNIGHT, time_moment().time()];
    time_date_time "time_date_time" (column_type = "DateTime") TimeDateTime = [time_moment()];
    time_timestamp "time_timestamp" (column_type = "Timestamp") TimeDateTime = [time_moment()];
    time_zoned "time_zoned" (column_type = "TimestampWithTimeZone") TimeDateTimeWithTimeZone =
        [time_moment().assume_utc()];
    time_unix "time_unix" () TimeUnixTimestamp = [TimeUnixTimestamp(time_moment().assume_utc())];
    time_unix_millis "time_unix_millis" () TimeUnixTimestampMillis =
        [TimeUnixTimestampMillis(time_moment().assume_utc())];

    json "json_document" (column_type = "Json") Json = [
        serde_json::json!(null), serde_json::json!([]), serde_json::json!({"b": [1, 0.1, null, "\u{1F980}"], "a": {"": {}}}),
        serde_json::json!(i64::MIN), serde_json::json!("text"),
    ];
    json_binary "json_binary" (column_type = "JsonBinary") Json = [
        serde_json::json!({"b": [1, 0.1, null], "a": {"deep": "er"}}), serde_json::json!(true),
    ];
    note "json_note" (column_type = "JsonBinary") Note = [
        Note { text: "n".into(), weight: 0.1, tags: None },
        Note { text: String::new(), weight: -0.0, tags: Some(vec![]) },
    ];
    shelf "json_map" (column_type = "Json") Shelf =
        [Shelf(BTreeMap::new()), Shelf(BTreeMap::from([("b".into(), i64::MAX), ("a".into(), i64::MIN)]))];

    mood "native_mood" () Mood = [Mood::Glad, Mood::SoSo];
    genre "native_genre" () Genre = [Genre::Novel, Genre::Poem];
}

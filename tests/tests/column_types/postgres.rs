//! Column types that Postgres alone has.

use sea_orm::{
    entity::prelude::*,
    sea_query::value::prelude::{IpNetwork, MacAddress},
};

use super::{
    column::columns,
    everywhere::{Genre, Note, time_day},
};

fn networks<const N: usize>(texts: [&str; N]) -> [IpNetwork; N] {
    texts.map(|text| text.parse().expect("a network"))
}

/// Read as text: SeaORM has no Rust type for them.
pub(crate) fn texts<const N: usize>(texts: [&str; N]) -> [String; N] {
    texts.map(str::to_owned)
}

#[derive(Clone, Debug, PartialEq, Eq, DeriveValueType)]
pub(crate) struct Words(pub(crate) Vec<String>);

columns! {
    inet "inet_host" (column_type = "Inet") IpNetwork = networks(["10.0.0.1", "10.0.0.0/8", "::1", "2001:db8::/32"]);
    cidr "cidr_network" (column_type = "Cidr") IpNetwork = networks(["10.0.0.0/8", "2001:db8::/32"]);
    mac "mac_address" (column_type = "MacAddr") MacAddress =
        [MacAddress::new([0; 6]), MacAddress::new([1, 2, 3, 4, 5, 255])];
    tiny "tiny_char" (column_type = "custom(\"\\\"char\\\"\")") i8 = [i8::MIN, 0, i8::MAX];
    interval "interval_text" (column_type = "Interval(None, None)", select_as = "text", save_as = "interval") String =
        texts(["1 year 2 mons 3 days 04:05:06", "00:00:00"]);
    bit "bit_text" (column_type = "Bit(Some(3))", select_as = "text", save_as = "bit(3)") String =
        texts(["101", "000"]);
    var_bit "var_bit_text" (column_type = "VarBit(8)", select_as = "text", save_as = "varbit") String =
        texts(["1", "10101010"]);
    ltree "ltree_text" (column_type = "LTree", select_as = "text", save_as = "ltree") String = texts(["a", "a.b.c"]);
    money "money_decimal" (column_type = "Money(None)", select_as = "numeric", save_as = "money") Decimal =
        ["0.01", "-12345.67"].map(|text| text.parse().expect("a number"));
    vector "tsvector_text" (column_type = "custom(\"tsvector\")", select_as = "text", save_as = "tsvector") String =
        texts(["'a' 'b'"]);
    int_range "int4range_text" (column_type = "custom(\"int4range\")", select_as = "text", save_as = "int4range") String =
        texts(["[1,5)", "empty", "(,)"]);

    bools "array_bool" () Vec<bool> = [vec![], vec![true, false]];
    tinies "array_tiny" (column_type = "Array(RcOrArc::new(ColumnType::custom(\"\\\"char\\\"\")))") Vec<i8> = [vec![], vec![i8::MIN, 1]];
    smalls "array_small" () Vec<i16> = [vec![], vec![i16::MIN, i16::MAX]];
    ints "array_int" () Vec<i32> = [vec![], vec![i32::MIN, i32::MAX]];
    bigs "array_big" () Vec<i64> = [vec![], vec![i64::MIN, i64::MAX]];
    floats "array_float" () Vec<f32> = [vec![], vec![0.1, -0.0]];
    doubles "array_double" () Vec<f64> = [vec![], vec![0.1, f64::MAX]];
    strings "array_text" () Vec<String> = [vec![], vec![String::new(), "a,\"b\"{}".into(), "NULL".into()]];
    blobs "array_bytes" () Vec<Vec<u8>> = [vec![], vec![vec![], vec![0, 0xff]]];
    decimals "array_decimal" (column_type = "Array(RcOrArc::new(ColumnType::Decimal(None)))") Vec<Decimal> =
        [vec![], vec!["1.50".parse().expect("a number")]];
    big_decimals "array_big_decimal" (column_type = "Array(RcOrArc::new(ColumnType::Decimal(None)))") Vec<BigDecimal> =
        [vec![], vec!["1.50".parse().expect("a number")]];
    uuids "array_uuid" () Vec<Uuid> = [vec![], vec![Uuid::nil(), Uuid::max()]];
    dates "array_date" () Vec<ChronoDate> = [vec![], vec![ChronoDate::default()]];
    times "array_time" () Vec<ChronoTime> = [vec![], vec![ChronoTime::default()]];
    moments "array_moment" () Vec<ChronoDateTime> = [vec![], vec![ChronoDateTime::default()]];
    utcs "array_utc" () Vec<ChronoDateTimeUtc> = [vec![], vec![ChronoDateTimeUtc::default()]];
    zoneds "array_zoned" () Vec<ChronoDateTimeWithTimeZone> = [vec![], vec![ChronoDateTimeWithTimeZone::default()]];
    time_dates "array_time_date" () Vec<TimeDate> = [vec![], vec![time_day(1, 1), time_day(9999, 365)]];
    time_times "array_time_time" () Vec<TimeTime> = [vec![], vec![TimeTime::MIDNIGHT]];
    documents "array_json" () Vec<Json> = [vec![], vec![serde_json::json!({"a": [1]}), serde_json::json!("x")]];
    notes "json_notes" (column_type = "JsonBinary") Vec<Note> =
        [vec![], vec![Note { text: "n".into(), weight: 0.1, tags: None }]];
    words "array_newtype" () Words = [Words(vec![]), Words(vec!["a".into()])];
    genres "array_genre" () Vec<Genre> = [vec![], vec![Genre::Poem, Genre::Novel]];
    hosts "array_inet" (column_type = "Array(RcOrArc::new(ColumnType::Inet))") Vec<IpNetwork> = [vec![], networks(["10.0.0.1"]).to_vec()];
}

//! The codec: exact on everything it carries, unmoved by everything else.

use proptest::{collection::vec, prelude::*};
use sea_orm::{ColumnType, Value, prelude::*, sea_query::OptionEnum};

use super::values;
use crate::{
    decoders::Decoders,
    row::{self, Shape, codec::Malformed, field::ValueKind},
};

fn shape(columns: usize) -> Shape {
    Shape::new((0..columns).map(|column| (format!("c{column}"), ColumnType::Text)), Decoders::Json, false)
}

fn encode(rows: &[Vec<Value>]) -> Option<bytes::Bytes> {
    row::encode(&shape(rows.first().map_or(3, Vec::len)), rows.iter().map(Vec::as_slice))
}

fn rows() -> impl Strategy<Value = Vec<Vec<Value>>> {
    (1..6_usize).prop_flat_map(|columns| vec(vec(values::value(), columns), 0..4))
}

/// `Value`'s own equality takes -0.0 for 0.0, 1.0 for 1.00 and 12:00+00:00 for 13:00+01:00. Text and bits
/// tell them apart.
fn assert_exact(left: &[Vec<Value>], right: &[Vec<Value>]) {
    assert_eq!(format!("{left:?}"), format!("{right:?}"));
    assert_eq!(encode(left), encode(right));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn rows_come_back_exactly(rows in rows()) {
        let bytes = encode(&rows).expect("values of every kind are carried");
        let columns = rows.first().map_or(3, Vec::len);
        assert_exact(&rows, &row::decode(&bytes, &shape(columns)).expect("what was encoded"));
        // Another number of columns, or more bytes, is not what was written.
        if !rows.is_empty() {
            prop_assert_eq!(row::decode(&bytes, &shape(columns + 1)), Err(Malformed));
        }
        let mut longer = bytes.to_vec();
        longer.push(0);
        prop_assert_eq!(row::decode(&longer, &shape(columns)), Err(Malformed));
    }

    #[test]
    fn damaged_bytes_are_refused_or_read_but_never_panic(
        rows in rows(),
        flips in vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
        cut in any::<prop::sample::Index>(),
    ) {
        let columns = rows.first().map_or(3, Vec::len);
        let mut bytes = encode(&rows).expect("values of every kind are carried").to_vec();
        prop_assert_eq!(row::decode(&bytes[..cut.index(bytes.len())], &shape(columns)), Err(Malformed));
        for (at, byte) in flips {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        assert_bounded(&bytes, columns);
    }

    #[test]
    fn random_bytes_are_refused_or_read_but_never_panic(
        version in prop_oneof![Just(b"".as_slice()), Just(b"\x01".as_slice())],
        noise in vec(any::<u8>(), 0..200),
        columns in 0..4_usize,
    ) {
        assert_bounded(&[version, &noise].concat(), columns);
    }
}

/// What was read is no larger than the input allows, and can be written again.
fn assert_bounded(bytes: &[u8], columns: usize) {
    let shape = shape(columns);
    if let Ok(rows) = row::decode(bytes, &shape) {
        let held: usize = rows.iter().flatten().map(|value| 32 + crate::row::field::heap(value)).sum();
        assert!(held <= 128 * bytes.len(), "{held} bytes from {}", bytes.len());
        let again = row::encode(&shape, rows.iter().map(Vec::as_slice)).expect("what was read is carried");
        assert_exact(&rows, &row::decode(&again, &shape).expect("what was encoded"));
    }
}

#[test]
fn invented_counts_are_refused_before_anything_is_allocated() {
    let most = [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01];
    let refused = |parts: &[&[u8]]| assert_eq!(row::decode(&parts.concat(), &shape(1)), Err(Malformed));
    refused(&[&[1], &most, &[1, ValueKind::Bool.tag(), 1]]);
    refused(&[&[1, 1, 1, ValueKind::String.tag()], &most, b"text"]);
    refused(&[&[1, 1, 1, ValueKind::Int.tag() | 0x40], &most, &[2]]);
    // An integer of more than 64 bits.
    refused(&[&[1, 1, 1, ValueKind::BigUnsigned.tag()], &most[..9], &[0x02]]);
    // A thousand rows of nothing.
    assert_eq!(row::decode(&[1, 0xe8, 0x07, 0], &shape(0)), Err(Malformed));
}

#[test]
fn deep_documents_are_not_carried() {
    let nested = |levels| (0..levels).fold(Json::Null, |inner, _| Json::Array(vec![inner]));
    let row = [vec![Value::from(nested(100))]];
    let bytes = encode(&row).expect("100 levels are carried");
    assert_exact(&row, &row::decode(&bytes, &shape(1)).expect("what was encoded"));
    assert_eq!(encode(&[vec![nested(101).into()]]), None);
    // A store may say what it likes: reading is bounded too.
    let opening = "[".repeat(1_000_000);
    let head = [1, 1, 1, ValueKind::Json.tag(), 0xc0, 0x84, 0x3d];
    assert_eq!(row::decode(&[&head[..], opening.as_bytes()].concat(), &shape(1)), Err(Malformed));
}

#[test]
fn enums_are_not_carried() {
    let name = Value::Enum(OptionEnum::None("mood".into()));
    assert_eq!(encode(&[vec![name]]), None);
}

#[cfg(feature = "postgres-array")]
#[test]
fn irregular_arrays_are_not_carried() {
    use sea_orm::sea_query::ArrayType;
    let array = |items| Value::Array(ArrayType::Int, Some(Box::new(items)));
    for items in [vec![Value::Int(None)], vec![1_i64.into()], vec![array(vec![])]] {
        assert_eq!(encode(&[vec![array(items)]]), None);
    }
}

/// Numbers of kinds are read by other versions of the program: this test may only grow.
#[test]
fn the_format_stays_as_it_is() {
    let row = || {
        vec![vec![
            Value::from(-3_i32),
            "Emma".into(),
            true.into(),
            Value::BigInt(None),
            Decimal::new(950, 2).into(),
            ChronoDate::from_ymd_opt(1815, 12, 23).expect("a day").into(),
            TimeTime::from_hms_nano(7, 5, 9, 1).expect("a time").into(),
            Json::from(vec![1]).into(),
            f64::NAN.into(),
            vec![0xab_u8].into(),
        ]]
    };
    let binary = encode(&row()).expect("carried");
    assert_eq!(
        &binary[..],
        b"\x01\x01\x0a\x04\x05\x0c\x04Emma\x01\x01\x85\x1b\x00\x00\x02\x00\xb6\x03\x00\x00\x00\x00\x00\x00\x00\x00\
          \x00\x00\x10\xae\x1c\x0c\x17\x17\xa5\xc7\x01\x01\x0f\x03[1]\x0b\x00\x00\x00\x00\x00\x00\xf8\x7f\x0e\x01\xab"
    );
}

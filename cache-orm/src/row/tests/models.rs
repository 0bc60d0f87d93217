//! Models come back equal through the whole way, and what does not is refused.

use proptest::prelude::*;
use sea_orm::{
    ColumnTrait, EntityTrait, FromQueryResult, IdenStatic, Iterable, ModelTrait, Value,
    prelude::*,
    sea_query::value::prelude::{chrono, time},
};

use super::{entities::*, values};
use crate::{
    decoders::Decoders,
    row::{self, Row, Shape, Unfit, capture, field::ValueKind, verify},
};

/// Of rows that are right for their model alone, and strict: a model is decoded from any.
pub(super) fn shape<M: ModelTrait>() -> Shape {
    shape_for::<M>(Decoders::Model, true)
}

pub(super) fn shape_for<M: ModelTrait>(decoders: Decoders, is_strict: bool) -> Shape {
    let columns = <M::Entity as EntityTrait>::Column::iter();
    let types = columns.map(|column| (column.as_str().to_owned(), column.def().get_column_type().clone()));
    Shape::new(types, decoders, is_strict)
}

fn model<M: FromQueryResult>(row: &Row) -> M {
    M::from_query_result(&row.answer, "").expect("a row that was looked at")
}

/// Through a store and back.
fn assert_survives<M: ModelTrait + FromQueryResult + PartialEq>(original: &M) {
    let shape = shape::<M>();
    let row = capture(&shape, original).expect("a model that SeaORM can read back");
    assert_eq!(model::<M>(&row), *original);
    let bytes = row::encode(&shape, [row.values()].into_iter()).expect("values that are carried");
    let mut rows = row::decode(&bytes, &shape).expect("what was encoded");
    let row = verify::<M>(&shape, rows.remove(0)).expect("values of the model");
    assert_eq!(model::<M>(&row), *original);
}

/// Takes the value out of a strategy's `Value`.
fn of<T: sea_orm::sea_query::ValueType + std::fmt::Debug>(kind: ValueKind) -> impl Strategy<Value = T> {
    values::some(kind).prop_map(|value| value.unwrap())
}

fn maybe<T: Clone + std::fmt::Debug>(strategy: impl Strategy<Value = T>) -> impl Strategy<Value = Option<T>> {
    proptest::option::of(strategy)
}

fn note() -> impl Strategy<Value = Note> {
    (".{0,9}", -1e300..1e300_f64).prop_map(|(text, weight)| Note { text, weight })
}

fn mood() -> impl Strategy<Value = Mood> {
    prop_oneof![Just(Mood::Glad), Just(Mood::Sad)]
}

fn genre() -> impl Strategy<Value = Genre> {
    prop_oneof![Just(Genre::Novel), Just(Genre::Poem)]
}

fn numbers() -> impl Strategy<Value = every::Model> {
    let signed = any::<(i64, i8, i16, i32, i32)>();
    let unsigned = any::<(u8, u16, u32, u64, bool)>();
    let floats = (-1e30..1e30_f32, -1e300..1e300_f64);
    (signed, unsigned, floats).prop_map(|(signed, unsigned, (float, double))| {
        let (id, tiny, small, int, renamed) = signed;
        let (tiny_unsigned, small_unsigned, unsigned, big_unsigned, truth) = unsigned;
        every::Model {
            id,
            tiny,
            small,
            int,
            renamed,
            tiny_unsigned,
            small_unsigned,
            unsigned,
            big_unsigned,
            truth,
            float,
            double,
            ..blank()
        }
    })
}

fn texts() -> impl Strategy<Value = every::Model> {
    let texts = (".{0,40}", ".{0,13}".prop_map(Isbn), of(ValueKind::Bytes), values::json(), note());
    let enums = (any::<bool>(), any::<bool>(), mood(), genre());
    let others = (of(ValueKind::Uuid), of(ValueKind::Decimal));
    (numbers(), texts, enums, others).prop_map(|(model, texts, enums, (uuid, decimal))| {
        let (text, isbn, bytes, json, note) = texts;
        let (letter, digit, mood, genre) = enums;
        let letter = if letter { Letter::A } else { Letter::B };
        let digit = if digit { Digit::Zero } else { Digit::One };
        let text_uuid = TextUuid(uuid);
        every::Model {
            text,
            isbn,
            bytes,
            json,
            note,
            letter,
            digit,
            mood,
            genre,
            uuid,
            text_uuid,
            decimal,
            ..model
        }
    })
}

fn times() -> impl Strategy<Value = every::Model> {
    let days = (
        of(ValueKind::ChronoDate),
        of(ValueKind::ChronoTime),
        of(ValueKind::TimeDate),
        of(ValueKind::TimeTime),
    );
    let moments =
        (of(ValueKind::ChronoDateTime), of(ValueKind::ChronoDateTimeUtc), of(ValueKind::TimeDateTime));
    let zoned = (
        of(ValueKind::ChronoDateTimeLocal),
        of(ValueKind::ChronoDateTimeWithTimeZone),
        of(ValueKind::TimeDateTimeWithTimeZone),
    );
    (texts(), days, moments, zoned).prop_map(|(model, days, moments, zoned)| {
        let (chrono_date, chrono_time, time_date, time_time) = days;
        let (chrono_moment, chrono_utc, time_moment) = moments;
        let (chrono_local, chrono_zoned, time_zoned) = zoned;
        every::Model {
            chrono_date,
            chrono_time,
            time_date,
            time_time,
            chrono_moment,
            chrono_utc,
            time_moment,
            chrono_local,
            chrono_zoned,
            time_zoned,
            ..model
        }
    })
}

fn every() -> impl Strategy<Value = every::Model> {
    let plain = (any::<Option<bool>>(), any::<Option<i32>>(), maybe(-1e300..1e300_f64), maybe(".{0,9}"));
    let boxed = (maybe(of(ValueKind::Bytes)), maybe(values::json()), maybe(note()));
    let named = (maybe(mood()), maybe(genre()), maybe(".{0,9}".prop_map(Isbn)));
    let others = (
        maybe(of(ValueKind::ChronoDateTimeWithTimeZone)),
        maybe(of(ValueKind::TimeDateTime)),
        maybe(of(ValueKind::Uuid)),
        maybe(of(ValueKind::Decimal)),
    );
    (times(), plain, boxed, named, others).prop_map(|(model, plain, boxed, named, others)| {
        let (maybe_truth, maybe_int, maybe_double, maybe_text) = plain;
        let (maybe_bytes, maybe_json, maybe_note) = boxed;
        let (maybe_mood, maybe_genre, maybe_isbn) = named;
        let (maybe_chrono, maybe_time, maybe_uuid, maybe_decimal) = others;
        every::Model {
            maybe_truth,
            maybe_int,
            maybe_double,
            maybe_text,
            maybe_bytes,
            maybe_json,
            maybe_note,
            maybe_mood,
            maybe_genre,
            maybe_isbn,
            maybe_chrono,
            maybe_time,
            maybe_uuid,
            maybe_decimal,
            ..model
        }
    })
}

pub(super) fn blank() -> every::Model {
    let day = ChronoDate::from_ymd_opt(2024, 2, 29).expect("a leap day");
    let moment = day.and_hms_nano_opt(23, 59, 59, 1_999_999_999).expect("a leap second");
    every::Model {
        id: 1,
        truth: true,
        tiny: -1,
        small: -2,
        int: -3,
        tiny_unsigned: 1,
        small_unsigned: 2,
        unsigned: 3,
        big_unsigned: u64::MAX,
        float: 0.1,
        double: -0.0,
        text: "Emma".into(),
        bytes: vec![0, 0xff],
        json: Json::from(vec![0.1]),
        note: Note { text: "n".into(), weight: 0.3 },
        letter: Letter::A,
        digit: Digit::Zero,
        mood: Mood::Glad,
        genre: Genre::Novel,
        isbn: Isbn("978".into()),
        chrono_date: day,
        chrono_time: moment.time(),
        chrono_moment: moment,
        chrono_utc: moment.and_utc(),
        chrono_local: moment.and_utc().into(),
        chrono_zoned: moment.and_utc().into(),
        time_date: TimeDate::MIN,
        time_time: TimeTime::MIDNIGHT,
        time_moment: TimeDateTime::MAX,
        time_zoned: TimeDateTimeWithTimeZone::UNIX_EPOCH,
        unix: ChronoUnixTimestamp(chrono::DateTime::UNIX_EPOCH),
        uuid: Uuid::nil(),
        text_uuid: TextUuid(Uuid::nil()),
        decimal: Decimal::new(950, 2),
        renamed: 7,
        ignored: 0,
        maybe_truth: None,
        maybe_int: None,
        maybe_double: None,
        maybe_text: None,
        maybe_bytes: None,
        maybe_json: None,
        maybe_note: None,
        maybe_mood: None,
        maybe_genre: None,
        maybe_isbn: None,
        maybe_chrono: None,
        maybe_time: None,
        maybe_uuid: None,
        maybe_decimal: None,
    }
}

proptest! {
    #[test]
    fn a_model_with_every_type_survives(model in every()) {
        assert_survives(&model);
    }
}

#[test]
fn the_ends_of_the_calendar_survive() {
    let offset = |hours| time::UtcOffset::from_hms(hours, 0, 0).expect("an offset");
    assert_survives(&every::Model {
        chrono_date: ChronoDate::MIN,
        chrono_moment: ChronoDateTime::MAX,
        chrono_utc: ChronoDateTimeUtc::MIN_UTC,
        time_zoned: TimeDateTime::MIN.assume_offset(offset(25)),
        ..blank()
    });
    assert_survives(&every::Model { time_zoned: TimeDateTime::MAX.assume_offset(offset(-25)), ..blank() });
}

/// A moment whose local time is after the end of chrono's calendar can be cached, but has no encoding.
#[test]
fn local_time_beyond_the_calendar_is_not_carried() {
    let offset = chrono::FixedOffset::east_opt(3600).expect("an offset");
    let chrono_zoned = ChronoDateTimeUtc::MAX_UTC.with_timezone(&offset);
    let shape = shape::<every::Model>();
    let row = capture(&shape, &every::Model { chrono_zoned, ..blank() })
        .expect("a model that SeaORM can read back");
    assert_eq!(model::<every::Model>(&row).chrono_zoned, chrono_zoned);
    assert_eq!(row::encode(&shape, [row.values()].into_iter()), None);
}

#[cfg(feature = "postgres-array")]
#[test]
fn lists_survive() {
    let note = Note { text: "n".into(), weight: 0.1 };
    let lists = lists::Model {
        id: 1,
        ints: vec![1, -2],
        texts: vec!["".into(), "b".into()],
        blobs: vec![vec![], vec![0xff]],
        decimals: vec![Decimal::new(100, 2)],
        uuids: vec![Uuid::nil()],
        moments: vec![],
        moods: vec![Mood::Glad, Mood::Sad],
        genres: vec![Genre::Poem, Genre::Novel],
        documents: vec![Json::Null, Json::from(vec![1])],
        notes: vec![note.clone()],
        maybe_ints: Some(vec![]),
        maybe_genres: Some(vec![Genre::Poem]),
        maybe_notes: Some(vec![]),
    };
    assert_survives(&lists);
    assert_survives(&lists::Model { maybe_ints: None, maybe_genres: None, maybe_notes: None, ..lists });
    assert_survives(&notebook::Model { id: 1, notes: vec![note] });
    assert_survives(&notebook::Model { id: 1, notes: vec![] });
}

#[test]
fn what_does_not_come_back_equal_is_not_captured() {
    fn refused<M: ModelTrait + FromQueryResult + PartialEq>(model: M) -> Unfit {
        capture(&shape::<M>(), &model).expect_err("a model that does not come back")
    }
    let secret = Forgetful { secret: "s".into() };
    assert_eq!(refused(forgetful::Model { id: 1, odd: secret }), Unfit::NotEqual);
    assert_eq!(refused(read_only::Model { id: 1, odd: ReadOnly(1) }), Unfit::Panicked);
    assert_eq!(refused(measured::Model { id: 1, odd: f64::NAN }), Unfit::NotEqual);
    // Its own equality would let it pass; its values don't.
    assert_eq!(refused(drifting::Model { id: 1, odd: Drifting(1) }), Unfit::NotEqual);
    // Ignored columns are not in the row: only their default can come back.
    assert_eq!(refused(every::Model { ignored: 1, ..blank() }), Unfit::NotEqual);
}

#[test]
fn the_wrong_kind_of_value_is_refused_and_not_read_as_null() {
    let shape = shape::<optional::Model>();
    let verified =
        |values| verify::<optional::Model>(&shape, values).map(|row| model::<optional::Model>(&row).odd);
    assert_eq!(verified(vec![1_i32.into(), 2_i32.into()]), Some(Some(2)));
    assert_eq!(verified(vec![1_i32.into(), Value::Int(None)]), Some(None));
    assert_eq!(verified(vec![1_i32.into(), 2_i64.into()]), None);
    assert_eq!(verified(vec![1_i32.into(), Value::BigInt(None)]), None);
    assert_eq!(verified(vec![Value::Int(None), 2_i32.into()]), None);
    assert_eq!(verified(vec![1_i32.into()]), None);
    assert_eq!(verified(vec![1_i32.into(), 2_i32.into(), 3_i32.into()]), None);
}

#[test]
fn an_enum_that_this_version_does_not_know_is_refused() {
    let shape = shape::<every::Model>();
    let row = capture(&shape, &blank()).expect("a model that SeaORM can read back");
    let genre = shape.names().position(|name| name == "genre").expect("a column");
    let mut values = row.values().to_vec();
    assert_eq!(values[genre], "novel".into());
    values[genre] = "drama".into();
    assert!(verify::<every::Model>(&shape, values).is_none());
}

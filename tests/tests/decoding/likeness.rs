//! Type by type and database by database: which columns look alike to `into_json` in a cached row and in the
//! database's own, and what becomes of those that do not.

use std::collections::BTreeMap;

use cache_orm::{SameJson, connection::ReadyError};
use sea_orm::{ConnectionTrait, FromQueryResult, entity::prelude::*};
use serde::{Deserialize, Serialize};
use tests::{Backend, Env, matrix, shop::store};

use super::{
    alike::{
        Column as Entry,
        Verdict::{self, Alike, NotCached, Some as SomeRows},
        columns,
    },
    connect,
};

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

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, FromJsonQueryResult)]
pub(crate) struct Note {
    pub(crate) text: String,
    pub(crate) weight: f64,
}

#[derive(Clone, Debug, PartialEq, Eq, DeriveValueType)]
pub(crate) struct Isbn(pub(crate) String);

impl SameJson for Isbn {}

/// Every kind of character, and what is JSON.
fn texts() -> [String; 7] {
    ["", "it's \"q\" \\ \n\t%_", "e\u{301} \u{1F980}", "  both sides  ", "123", "true", "{\"a\": [1.50]}"]
        .map(str::to_owned)
}

columns! {
    small "like_small" (column_type = "SmallInteger") i16 = [i16::MIN, 0, i16::MAX];
    int "like_int" () i32 = [i32::MIN, 0, i32::MAX];
    big "like_big" () i64 = [i64::MIN, 0, i64::MAX];
    digit "like_digit" () Digit = [Digit::Minus, Digit::Most];
    truth "like_truth" () bool = [true, false];
    float "like_float" () f32 = [0.1, -0.0, 1e-30, 3.4e38];
    double "like_double" () f64 = [0.1, -0.0, 1e300, 0.5];
    string "like_string" () String = texts();
    fixed "like_fixed" (column_type = "Char(Some(4))") String = ["abcd", "a"].map(str::to_owned);
    text "like_text" (column_type = "Text") String = texts();
    newtype "like_newtype" () Isbn = [Isbn(String::new()), Isbn("978-3".to_owned())];
    letter "like_letter" () Letter = [Letter::A, Letter::E];
    mood "like_mood" () Mood = [Mood::Glad, Mood::SoSo];
    genre "like_genre" () Genre = [Genre::Novel, Genre::Poem];
    uuid "like_uuid" () Uuid = [Uuid::nil(), Uuid::from_u128(1), Uuid::max()];
    uuid_as_text "like_uuid_as_text" (column_type = "custom(\"char(36)\")") TextUuid = [TextUuid(Uuid::max())];
    json "like_json" () Json = [
        serde_json::json!(null), serde_json::json!({"b": [1, 0.1, null, "\u{1F980}"], "a": {"": {}}}),
        serde_json::json!(i64::MIN), serde_json::json!("text"),
    ];
    json_binary "like_json_binary" (column_type = "JsonBinary") Json = [serde_json::json!({"a": [1, 0.1]})];
    note "like_note" (column_type = "JsonBinary") Note = [Note { text: "n".into(), weight: 0.1 }];
    unix "like_unix" () ChronoUnixTimestamp = [ChronoUnixTimestamp(DateTimeUtc::from_timestamp(1_000_000, 0).expect("a time"))];
}

/// Those of Postgres alone.
mod lists {
    use super::*;

    columns! {
        bools "like_bools" () Vec<bool> = [vec![], vec![true, false]];
        ints "like_ints" () Vec<i32> = [vec![], vec![i32::MIN, i32::MAX]];
        bigs "like_bigs" () Vec<i64> = [vec![], vec![i64::MIN]];
        floats "like_floats" () Vec<f32> = [vec![], vec![0.1]];
        doubles "like_doubles" () Vec<f64> = [vec![], vec![0.1]];
        strings "like_strings" () Vec<String> = [vec![], vec!["a,\"b\"{}".into()]];
        uuids "like_uuids" () Vec<Uuid> = [vec![], vec![Uuid::max()]];
        documents "like_documents" () Vec<Json> = [vec![], vec![serde_json::json!({"a": [1]})]];
        genres "like_genres" () Vec<Genre> = [vec![], vec![Genre::Poem]];
        notes "like_notes" (column_type = "JsonBinary") Vec<Note> =
            [vec![], vec![Note { text: "n".into(), weight: 0.1 }]];
    }

    pub(super) fn all() -> Vec<Entry> {
        columns()
    }
}

/// Those that are not alike on a database, and whether it is the kind of the column that tells.
fn exceptions(backend: Backend) -> (&'static [(&'static str, Verdict)], &'static [&'static str]) {
    match backend {
        // SeaORM can't read its NULL.
        Backend::Postgres => (&[("like_uuid_as_text", SomeRows)], &[]),
        Backend::MySql => (
            &[("like_truth", NotCached), ("like_uuid_as_text", SomeRows)],
            &["decoding::likeness::truth::Model.maybe", "decoding::likeness::truth::Model.value"],
        ),
        Backend::Sqlite => (
            &[
                ("like_double", NotCached),
                ("like_json", NotCached),
                ("like_json_binary", NotCached),
                ("like_note", NotCached),
                ("like_uuid_as_text", SomeRows),
            ],
            &[
                "decoding::likeness::double::Model.maybe",
                "decoding::likeness::double::Model.value",
                "decoding::likeness::json::Model.maybe",
                "decoding::likeness::json::Model.value",
                "decoding::likeness::json_binary::Model.maybe",
                "decoding::likeness::json_binary::Model.value",
                "decoding::likeness::note::Model.maybe",
                "decoding::likeness::note::Model.value",
            ],
        ),
    }
}

async fn compare(env: &Env, columns: Vec<Entry>) {
    let plain = env.connect().await;
    if env.backend() == Backend::Postgres {
        let types = "CREATE TYPE mood AS ENUM ('glad', 'so so'); CREATE TYPE genre AS ENUM ('novel', 'poem')";
        plain.execute_unprepared(types).await.expect("types can be created");
    }
    if env.backend() == Backend::MySql {
        // A server may default to something less.
        plain.execute_unprepared("ALTER DATABASE CHARACTER SET utf8mb4").await.expect("it may be changed");
    }
    for column in &columns {
        (column.create)(&plain).await;
    }
    let (exceptions, named) = exceptions(env.backend());
    for strict in [true, false] {
        let (db, ready) = connect(env, strict).await;
        let mut others = BTreeMap::new();
        for column in &columns {
            let verdict = (column.read)(&plain, &db).await;
            if verdict != Alike {
                others.insert(column.table, verdict);
            }
        }
        let here = |table: &str| columns.iter().any(|column| column.table == table);
        let expected = exceptions.iter().copied().filter(|(table, _)| here(table)).collect();
        assert_eq!(others, expected, "strict: {strict}");
        let mut told = match ready {
            Ok(()) => Vec::new(),
            Err(ReadyError::UnlikeAsJson { columns }) => columns,
            Err(error) => panic!("{error}"),
        };
        told.sort();
        assert_eq!(told, named.iter().copied().filter(|_| here("like_int")).collect::<Vec<_>>());
    }
}

matrix! {
    stores: store;

    async fn types_of_every_database(env: Env) {
        compare(&env, columns()).await;
    }
}

#[tokio::test]
async fn lists_of_postgres() {
    for kind in [tests::StoreKind::Memory, tests::StoreKind::Redis] {
        tests::run(Backend::Postgres, kind, store, |env| async move { compare(&env, lists::all()).await })
            .await;
    }
}

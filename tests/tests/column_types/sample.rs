//! Columns of many types in one row come out of the cache as they come out of the database: equal, and equal in what
//! their `PartialEq` does not see (offsets, scales, the sign of zero).

use std::fmt::Debug;

use cache_orm::CachedConnection;
use sea_orm::{
    ActiveValue::Set,
    ConnectionTrait, DatabaseConnection, DbBackend, EntityTrait, IntoActiveModel, PrimaryKeyTrait,
    prelude::*,
    sea_query::value::prelude::chrono::{FixedOffset, NaiveDate, TimeZone},
};
use tests::{
    Backend, Env, StoreKind, matrix, run,
    shop::{Shop, store},
};

use super::column::create_table;

mod entities {
    use cache_orm::Cacheable;
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, EnumIter, DeriveActiveEnum)]
    #[sea_orm(rs_type = "String", db_type = "String(StringLen::N(1))")]
    pub(crate) enum Letter {
        #[sea_orm(string_value = "A")]
        A,
        #[sea_orm(string_value = "B")]
        B,
    }

    #[derive(Clone, Debug, PartialEq, Eq, EnumIter, DeriveActiveEnum)]
    #[sea_orm(rs_type = "i32", db_type = "Integer")]
    pub(crate) enum Digit {
        #[sea_orm(num_value = 0)]
        Zero,
        #[sea_orm(num_value = 1)]
        One,
    }

    /// An enum of the database, text in Rust.
    #[derive(Clone, Debug, PartialEq, Eq, EnumIter, DeriveActiveEnum)]
    #[sea_orm(rs_type = "String", db_type = "Enum", enum_name = "mood")]
    pub(crate) enum Mood {
        #[sea_orm(string_value = "glad")]
        Glad,
        #[sea_orm(string_value = "sad")]
        Sad,
    }

    /// An enum of the database and in Rust.
    #[derive(Clone, Debug, PartialEq, Eq, EnumIter, DeriveActiveEnum)]
    #[sea_orm(rs_type = "Enum", db_type = "Enum", enum_name = "genre")]
    pub(crate) enum Genre {
        #[sea_orm(string_value = "novel")]
        Novel,
        #[sea_orm(string_value = "poem")]
        Poem,
    }

    #[derive(Clone, Debug, PartialEq, Eq, DeriveValueType)]
    pub(crate) struct Isbn(pub(crate) String);

    /// What every database can store and SeaORM can read back from it.
    pub(crate) mod sample {
        use super::*;

        #[derive(Clone, Debug, PartialEq, DeriveEntityModel, Cacheable)]
        #[sea_orm(table_name = "sample")]
        #[cacheable(tuples)]
        pub(crate) struct Model {
            #[sea_orm(primary_key, auto_increment = false)]
            pub(crate) id: i64,
            pub(crate) truth: bool,
            pub(crate) small: i16,
            pub(crate) int: i32,
            pub(crate) float: f32,
            pub(crate) double: f64,
            pub(crate) text: String,
            pub(crate) bytes: Vec<u8>,
            pub(crate) json: Json,
            pub(crate) letter: Letter,
            pub(crate) digit: Digit,
            pub(crate) mood: Mood,
            pub(crate) genre: Genre,
            pub(crate) isbn: Isbn,
            pub(crate) chrono_date: ChronoDate,
            pub(crate) chrono_time: ChronoTime,
            pub(crate) chrono_moment: ChronoDateTime,
            pub(crate) chrono_utc: ChronoDateTimeUtc,
            pub(crate) chrono_zoned: ChronoDateTimeWithTimeZone,
            pub(crate) time_date: TimeDate,
            pub(crate) time_time: TimeTime,
            pub(crate) time_moment: TimeDateTime,
            pub(crate) time_zoned: TimeDateTimeWithTimeZone,
            pub(crate) uuid: Uuid,
            #[sea_orm(column_type = "Decimal(Some((16, 4)))")]
            pub(crate) decimal: Decimal,
            pub(crate) maybe_truth: Option<bool>,
            pub(crate) maybe_int: Option<i32>,
            pub(crate) maybe_double: Option<f64>,
            pub(crate) maybe_text: Option<String>,
            pub(crate) maybe_bytes: Option<Vec<u8>>,
            pub(crate) maybe_json: Option<Json>,
            pub(crate) maybe_letter: Option<Letter>,
            pub(crate) maybe_mood: Option<Mood>,
            pub(crate) maybe_genre: Option<Genre>,
            pub(crate) maybe_isbn: Option<Isbn>,
            pub(crate) maybe_date: Option<ChronoDate>,
            pub(crate) maybe_zoned: Option<ChronoDateTimeWithTimeZone>,
            pub(crate) maybe_moment: Option<TimeDateTime>,
            pub(crate) maybe_uuid: Option<Uuid>,
            #[sea_orm(column_type = "Decimal(Some((16, 4)))", nullable)]
            pub(crate) maybe_decimal: Option<Decimal>,
        }

        #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
        pub(crate) enum Relation {}

        impl ActiveModelBehavior for ActiveModel {}
    }

    /// What PostgreSQL alone has.
    pub(crate) mod lists {
        use super::*;

        #[derive(Clone, Debug, PartialEq, DeriveEntityModel, Cacheable)]
        #[sea_orm(table_name = "lists")]
        #[cacheable(model_only)]
        pub(crate) struct Model {
            #[sea_orm(primary_key, auto_increment = false)]
            pub(crate) id: i64,
            pub(crate) ints: Vec<i32>,
            pub(crate) texts: Vec<String>,
            pub(crate) blobs: Vec<Vec<u8>>,
            #[sea_orm(column_type = "Array(RcOrArc::new(ColumnType::Decimal(None)))")]
            pub(crate) decimals: Vec<Decimal>,
            pub(crate) uuids: Vec<Uuid>,
            pub(crate) moments: Vec<ChronoDateTimeUtc>,
            pub(crate) genres: Vec<Genre>,
            pub(crate) documents: Vec<Json>,
            pub(crate) maybe_ints: Option<Vec<i32>>,
            pub(crate) maybe_genres: Option<Vec<Genre>>,
        }

        #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
        pub(crate) enum Relation {}

        impl ActiveModelBehavior for ActiveModel {}
    }
}

use entities::{Digit, Genre, Isbn, Letter, Mood, lists, sample};

tests::audited!(sample::Entity, lists::Entity);

async fn create<E: EntityTrait>(db: &DatabaseConnection, entity: E) {
    if db.get_database_backend() == DbBackend::Postgres {
        let types = "CREATE TYPE mood AS ENUM ('glad', 'sad'); CREATE TYPE genre AS ENUM ('novel', 'poem')";
        db.execute_unprepared(types).await.expect("types can be created");
    }
    create_table(db, entity).await;
}

fn full() -> sample::Model {
    let day = NaiveDate::from_ymd_opt(2024, 2, 29).expect("a leap day");
    let moment = day.and_hms_micro_opt(23, 59, 58, 123_456).expect("a time");
    let zoned = FixedOffset::west_opt(5 * 3600).expect("an offset").from_utc_datetime(&moment);
    let time_date = TimeDate::from_ordinal_date(1999, 365).expect("a day");
    let time_time = TimeTime::from_hms_micro(1, 2, 3, 4).expect("a time");
    let time_moment = TimeDateTime::new(time_date, time_time);
    sample::Model {
        id: 1,
        truth: true,
        small: -2,
        int: i32::MIN,
        float: 0.1,
        double: -0.0,
        text: "Ärger 'quoted' \\ \n".into(),
        bytes: vec![0, 0xff, b'x'],
        json: serde_json::json!({"b": [1, 0.1, null], "a": {"deep": "er"}}),
        letter: Letter::B,
        digit: Digit::One,
        mood: Mood::Sad,
        genre: Genre::Poem,
        isbn: Isbn("978-3".into()),
        chrono_date: day,
        chrono_time: moment.time(),
        chrono_moment: moment,
        chrono_utc: moment.and_utc(),
        chrono_zoned: zoned,
        time_date,
        time_time,
        time_moment,
        time_zoned: time_moment.assume_utc(),
        uuid: Uuid::from_u128(0x1234_5678_9abc),
        decimal: Decimal::new(95000, 4),
        maybe_truth: Some(false),
        maybe_int: Some(0),
        maybe_double: Some(1e300),
        maybe_text: Some(String::new()),
        maybe_bytes: Some(vec![]),
        maybe_json: Some(serde_json::json!([])),
        maybe_letter: Some(Letter::A),
        maybe_mood: Some(Mood::Glad),
        maybe_genre: Some(Genre::Novel),
        maybe_isbn: Some(Isbn(String::new())),
        maybe_date: Some(NaiveDate::from_ymd_opt(1000, 1, 1).expect("a day")),
        maybe_zoned: Some(zoned),
        maybe_moment: Some(time_moment),
        maybe_uuid: Some(Uuid::max()),
        maybe_decimal: Some(Decimal::new(-1, 4)),
    }
}

fn empty() -> sample::Model {
    sample::Model {
        id: 2,
        maybe_truth: None,
        maybe_int: None,
        maybe_double: None,
        maybe_text: None,
        maybe_bytes: None,
        maybe_json: None,
        maybe_letter: None,
        maybe_mood: None,
        maybe_genre: None,
        maybe_isbn: None,
        maybe_date: None,
        maybe_zoned: None,
        maybe_moment: None,
        maybe_uuid: None,
        maybe_decimal: None,
        ..full()
    }
}

/// Reads a row as the database has it, then twice through the cache; the second time must be a hit.
async fn assert_hit_is_the_database_s<E>(
    plain: &DatabaseConnection,
    db: &CachedConnection,
    table: &str,
    id: i64,
) where
    E: EntityTrait<Model: PartialEq + Debug + Send + Sync, PrimaryKey: PrimaryKeyTrait<ValueType = i64>>,
{
    let truth = E::find_by_id(id).one(plain).await.expect("an answer").expect("a row");
    let hits = db.stats().entities[table].counts.hits;
    for _ in 0..2 {
        let model = E::find_by_id(id).one(db).await.expect("an answer").expect("a row");
        assert_eq!(model, truth);
        assert_eq!(format!("{model:?}"), format!("{truth:?}"));
        db.settled().await;
    }
    assert_eq!(db.stats().entities[table].counts.hits, hits + 1, "row {id} was not cached");
}

matrix! {
    stores: store;

    async fn every_type_survives(env: Env) {
        let plain = env.connect().await;
        create(&plain, sample::Entity).await;
        for model in [full(), empty()] {
            let row = model.into_active_model().reset_all();
            sample::Entity::insert(row).exec_without_returning(&plain).await.expect("a row can be inserted");
        }
        let db = Shop::enter(&env, env.store().await).await;
        for id in [1, 2] {
            assert_hit_is_the_database_s::<sample::Entity>(&plain, &db, "sample", id).await;
            let tuple = |select: sea_orm::Select<sample::Entity>| select.into_tuple::<(i64, bool, i16, i32)>();
            let select = sample::Entity::find_by_id(id);
            let truth = tuple(select.clone()).one(&plain).await.expect("an answer");
            assert_eq!(tuple(select).one(&db).await.expect("an answer"), truth);
        }
    }
}

#[tokio::test]
async fn lists_survive() {
    for kind in [StoreKind::Memory, StoreKind::Redis] {
        run(Backend::Postgres, kind, store, |env| async move {
            let plain = env.connect().await;
            create(&plain, lists::Entity).await;
            let row = lists::ActiveModel {
                id: Set(1),
                ints: Set(vec![1, -2]),
                texts: Set(vec!["".into(), "a,b".into()]),
                blobs: Set(vec![vec![], vec![0xff]]),
                decimals: Set(vec![Decimal::new(100, 2)]),
                uuids: Set(vec![Uuid::max()]),
                moments: Set(vec![]),
                genres: Set(vec![Genre::Poem, Genre::Novel]),
                documents: Set(vec![serde_json::json!({"a": [1]})]),
                maybe_ints: Set(Some(vec![])),
                maybe_genres: Set(None),
            };
            lists::Entity::insert(row).exec_without_returning(&plain).await.expect("a row can be inserted");
            let db = Shop::enter(&env, env.store().await).await;
            assert_hit_is_the_database_s::<lists::Entity>(&plain, &db, "lists", 1).await;
        })
        .await;
    }
}

//! Values at the edges of their types, and values that a column holds although its type says otherwise: answered as
//! the database does, and cached or reported once.

use std::fmt::Debug;

use sea_orm::{ConnectionTrait, DatabaseConnection, EntityTrait, PrimaryKeyTrait};
use tests::{
    Backend, Env, StoreKind, matrix,
    shop::{Shop, store},
};

use super::{
    column::{
        Verdict::{self, Cached, NotCached, Unreadable},
        create_table, read_row,
    },
    everywhere::{
        big_decimal, big_decimal_default, blob, date, date_time, decimal_default, decimal_scaled, double,
        endless_double, endless_float, float, integer, json, json_binary, text, time, time_date, truth, uuid,
    },
    notices::Notices,
    postgres::{doubles, ints, strings},
};

const UNEQUAL: &str = "the model that is read back from its values is not equal to it";
const UNREADABLE: &str = "the model can't be read back from its own values";
const NOT_CARRIED: &str = "a value is of a type that the codec does not carry";

/// How each of these values, in both columns of the entity, goes through the cache.
async fn fares<E>(env: &Env, entity: E, values: &[(&str, Verdict)], report: Option<&str>)
where
    E: EntityTrait<Model: Debug + Send + Sync, PrimaryKey: PrimaryKeyTrait<ValueType = i64>>,
{
    let plain = env.connect().await;
    create_table(&plain, entity).await;
    let table = entity.table_name();
    for (id, (value, _)) in (1..).zip(values) {
        execute(&plain, &format!("INSERT INTO {table} VALUES ({id}, {value}, {value})")).await;
    }
    let db = Shop::enter(env, env.store().await).await;
    let notices = Notices::listen();
    // Twice: what has been reported is not reported again.
    for time in 1..=2 {
        for (id, (value, verdict)) in (1..).zip(values) {
            let fared = read_row::<E>(&plain, &db, id).await;
            assert_eq!(fared, *verdict, "{table}: {value}, time {time}");
        }
    }
    assert_eq!(notices.take(), Vec::from_iter(report), "{table}");
}

async fn execute(db: &DatabaseConnection, sql: &str) {
    db.execute_unprepared(sql).await.unwrap_or_else(|error| panic!("{sql}: {error}"));
}

fn all<'v>(values: &[&'v str], verdict: Verdict) -> Vec<(&'v str, Verdict)> {
    values.iter().map(|value| (*value, verdict)).collect()
}

/// A JSON document of that many levels.
fn nested(levels: usize) -> String {
    format!("'{}{}'", "[".repeat(levels), "]".repeat(levels))
}

matrix! {
    stores: store;

    async fn json_of_many_levels(env: Env) {
        // MariaDB reads no more than 32 levels.
        let fits = nested(if env.backend() == Backend::MySql { 30 } else { 100 });
        fares(&env, json::Entity, &all(&[&fits], Cached), None).await;
        // A store outside of the process has to read it back.
        let deep = nested(110);
        match (env.backend(), env.kind) {
            (Backend::MySql, _) => {}
            (_, StoreKind::Memory) => fares(&env, json_binary::Entity, &all(&[&deep], Cached), None).await,
            (_, StoreKind::Redis) => {
                fares(&env, json_binary::Entity, &all(&[&deep], NotCached), Some(NOT_CARRIED)).await;
            }
        }
    }

    async fn texts_and_bytes(env: Env) {
        let text_values = match env.backend() {
            Backend::Postgres => vec!["''", "U&'\\+01F980'", "repeat('x', 100000)"],
            Backend::Sqlite => vec!["''", "char(0x1F980)", "'a' || char(0) || 'b'", "printf('%.100000c', 'x')"],
            Backend::MySql => vec!["''", "x'F09FA680'", "x'610062'", "repeat('x', 60000)"],
        };
        fares(&env, text::Entity, &all(&text_values, Cached), None).await;
        let bytes = match env.backend() {
            Backend::Postgres => vec!["''", "'\\x00ff'"],
            _ => vec!["x''", "x'00ff'"],
        };
        fares(&env, blob::Entity, &all(&bytes, Cached), None).await;
    }

    async fn days_far_away(env: Env) {
        match env.backend() {
            Backend::Postgres => {
                let far = ["'0001-01-01'", "'0044-03-15 BC'", "'20000-01-01'"];
                fares(&env, date::Entity, &all(&far, Cached), None).await;
                fares(&env, date_time::Entity, &all(&["'4713-01-01 BC'", "'20000-01-01 23:59:59.999999'"], Cached), None).await;
                fares(&env, time_date::Entity, &all(&["'0044-03-15 BC'"], Cached), None).await;
            }
            Backend::Sqlite => {
                let far = ["'0000-01-01'", "'-0044-03-15'", "'+20000-01-01'"];
                fares(&env, date::Entity, &all(&far, Cached), None).await;
                fares(&env, time::Entity, &all(&["'23:59:59.999999999'"], Cached), None).await;
            }
            Backend::MySql => {
                fares(&env, date::Entity, &all(&["'0001-01-01'", "'9999-12-31'"], Cached), None).await;
                // The type allows what is no time of a day.
                let times = [("'-01:00:00'", Cached), ("'838:59:59'", Unreadable)];
                fares(&env, time::Entity, &times, Some(UNREADABLE)).await;
            }
        }
    }

    async fn numbers_that_are_none(env: Env) {
        match env.backend() {
            Backend::Postgres => {
                fares(&env, double::Entity, &all(&["'NaN'"], NotCached), Some(UNEQUAL)).await;
                fares(&env, float::Entity, &all(&["'NaN'"], NotCached), Some(UNEQUAL)).await;
                fares(&env, doubles::Entity, &all(&["'{NaN}'"], NotCached), Some(UNEQUAL)).await;
                fares(&env, decimal_default::Entity, &all(&["'NaN'"], Unreadable), Some(UNREADABLE)).await;
                let endless = all(&["'Infinity'", "'-Infinity'"], Cached);
                fares(&env, endless_double::Entity, &endless, None).await;
                fares(&env, endless_float::Entity, &endless, None).await;
            }
            Backend::Sqlite => fares(&env, double::Entity, &all(&["9e999", "-9e999"], Cached), None).await,
            // It has none.
            Backend::MySql => fares(&env, double::Entity, &all(&["-1.7976931348623157e308"], Cached), None).await,
        }
    }

    async fn decimals_of_many_digits(env: Env) {
        match env.backend() {
            Backend::Postgres => {
                let most = ["79228162514264337593543950335", "-0.0000000000000000000000000001", "1.10"];
                fares(&env, decimal_default::Entity, &all(&most, Cached), None).await;
                let long = format!("-{}.{}", "9".repeat(1000), "1".repeat(500));
                fares(&env, big_decimal_default::Entity, &all(&[&long, "1.10", "1e100"], Cached), None).await;
            }
            // Its decimals are floating point numbers.
            Backend::Sqlite => {
                let digits = ["0.1", "123456789.125", "-1e-7"];
                fares(&env, decimal_default::Entity, &all(&digits, Cached), None).await;
                fares(&env, big_decimal_default::Entity, &all(&digits, Cached), None).await;
            }
            Backend::MySql => {
                let most = ["999999999999.9999", "-999999999999.9999", "-0.0001"];
                fares(&env, decimal_scaled::Entity, &all(&most, Cached), None).await;
                fares(&env, big_decimal::Entity, &all(&most, Cached), None).await;
            }
        }
    }

    async fn what_is_not_of_the_columns_type(env: Env) {
        match env.backend() {
            // A type is advice there.
            Backend::Sqlite => {
                fares(&env, integer::Entity, &all(&["'text'", "1.5", "x'00'", "5000000000"], Unreadable), Some(UNREADABLE)).await;
                fares(&env, truth::Entity, &all(&["2", "-1"], Cached), None).await;
                fares(&env, uuid::Entity, &all(&["'no uuid'", "x'00'"], Unreadable), Some(UNREADABLE)).await;
                fares(&env, text::Entity, &all(&["x'ff'", "x'61'"], Unreadable), Some(UNREADABLE)).await;
                fares(&env, json::Entity, &all(&["'{'"], Unreadable), Some(UNREADABLE)).await;
            }
            Backend::Postgres => {
                fares(&env, ints::Entity, &all(&["'{1,NULL}'"], Unreadable), Some(UNREADABLE)).await;
                fares(&env, strings::Entity, &all(&["'{{a,b},{c,d}}'"], Unreadable), Some(UNREADABLE)).await;
            }
            Backend::MySql => {
                fares(&env, truth::Entity, &all(&["2", "-1"], Cached), None).await;
            }
        }
    }
}

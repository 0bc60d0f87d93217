//! Every column type that SeaORM offers, on each database that has it: what comes out of the cache is what comes
//! out of the database, and the second read is a hit.
//!
//! A program of its own: its hundred entities would be described anew for every connection of other tests.

mod column;
mod everywhere;
mod extremes;
mod integers;
mod my_sql;
mod notices;
mod postgres;
mod sample;
mod sqlite;

use std::collections::{BTreeMap, BTreeSet};

use column::{Column, Verdict};
use sea_orm::ConnectionTrait;
use tests::{
    Backend, Env, matrix,
    shop::{Shop, store},
};

/// Creates and reads the columns; all but the `exceptions` are cached.
async fn go_through(env: &Env, columns: Vec<Column>, exceptions: &[(&str, Verdict)]) {
    let plain = env.connect().await;
    if env.backend() == Backend::Postgres {
        let types = "CREATE TYPE mood AS ENUM ('glad', 'so so'); CREATE TYPE genre AS ENUM ('novel', 'poem'); \
                     CREATE EXTENSION ltree";
        plain.execute_unprepared(types).await.expect("types can be created");
    }
    if env.backend() == Backend::MySql {
        // A server may default to something less.
        plain.execute_unprepared("ALTER DATABASE CHARACTER SET utf8mb4").await.expect("it may be changed");
    }
    for column in &columns {
        (column.create)(&plain).await;
    }
    let db = Shop::enter(env, env.store().await).await;
    let mut others = BTreeMap::new();
    for column in &columns {
        let verdict = (column.read)(&plain, &db).await;
        if verdict != Verdict::Cached {
            others.insert(column.name, verdict);
        }
    }
    assert_eq!(others, exceptions.iter().copied().collect());
}

matrix! {
    stores: store;

    async fn types_of_every_database(env: Env) {
        let exceptions: &[(&str, Verdict)] = match env.backend() {
            Backend::Sqlite => &[],
            Backend::Postgres => &[("unsigned_4", Verdict::Unreadable)],
            Backend::MySql => {
                &[("chrono_timestamp", Verdict::Unreadable), ("time_timestamp", Verdict::Unreadable)]
            }
        };
        go_through(&env, everywhere::columns(), exceptions).await;
    }

    async fn types_of_one_database(env: Env) {
        let mut columns = match env.backend() {
            Backend::Sqlite => sqlite::columns(),
            Backend::Postgres => postgres::columns(),
            Backend::MySql => my_sql::columns(),
        };
        let exceptions: &[(&str, Verdict)] = match env.backend() {
            Backend::Sqlite => {
                &[("big_unsigned", Verdict::Unreadable), ("text_uuid_sqlite", Verdict::NullUnreadable)]
            }
            Backend::Postgres => &[],
            Backend::MySql => &[("text_uuid", Verdict::NullUnreadable)],
        };
        if env.backend() != Backend::Postgres {
            columns.extend(integers::columns());
        }
        go_through(&env, columns, exceptions).await;
    }
}

/// The variants of `ColumnType`, but for `Vector`: no server of the tests has that extension of Postgres.
const VARIANTS: &str = "Array BigInteger BigUnsigned Binary Bit Blob Boolean Char Cidr Custom Date DateTime Decimal \
    Double Enum Float Inet Integer Interval Json JsonBinary LTree MacAddr Money SmallInteger SmallUnsigned String Text \
    Time Timestamp TimestampWithTimeZone TinyInteger TinyUnsigned Unsigned Uuid VarBinary VarBit Year";

#[test]
fn no_variant_is_forgotten() {
    let lists = [
        everywhere::columns(),
        integers::columns(),
        my_sql::columns(),
        postgres::columns(),
        sqlite::columns(),
    ];
    let variant = |column: Column| {
        let shown = format!("{:?}", column.kind);
        shown.split(['(', ' ']).next().unwrap_or_default().to_owned()
    };
    let variants: BTreeSet<String> = lists.into_iter().flatten().map(variant).collect();
    assert_eq!(
        variants.iter().map(String::as_str).collect::<Vec<_>>(),
        VARIANTS.split(' ').collect::<Vec<_>>()
    );
}

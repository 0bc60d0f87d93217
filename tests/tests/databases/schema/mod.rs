//! What the cache learns of a schema, on every database.

mod my_sql;
mod postgres;
mod sqlite;

use std::{
    collections::BTreeSet,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use cache_orm::testing::LearnedSchema;
use sea_orm::{ConnectOptions, ConnectionTrait, DatabaseConnection};
use tests::{Backend, Database};

/// A database of its own for one test, and one connection to it: what a session sets or creates stays there.
struct Scratch {
    database: Database,
    db: DatabaseConnection,
}

impl Scratch {
    async fn postgres() -> Self {
        Scratch::create(Backend::Postgres).await
    }

    async fn mysql() -> Self {
        Scratch::create(Backend::MySql).await
    }

    async fn create(backend: Backend) -> Self {
        let database = Database::create(backend).await;
        let db = database.connect_with(|options| _ = options.max_connections(1)).await;
        Scratch { database, db }
    }

    fn name(&self) -> &str {
        let url = self.database.url();
        let path = url.split_once('?').map_or(url, |(path, _)| path);
        path.rsplit_once('/').expect("a URL has a path").1
    }

    async fn learn(&self) -> LearnedSchema {
        learn(&self.db).await
    }

    /// A connection as another user, without a password: MySQL takes one over TLS only.
    async fn connect_as(&self, user: &str) -> DatabaseConnection {
        let (scheme, rest) = self.database.url().split_once("://").expect("a URL has a scheme");
        let host = rest.rsplit_once('@').map_or(rest, |(_, host)| host);
        connect(&format!("{scheme}://{user}@{host}")).await
    }

    async fn drop(self) {
        self.db.close().await.expect("the connection closes");
        self.database.close().await.expect("it can be removed");
    }
}

async fn connect(url: &str) -> DatabaseConnection {
    let options = ConnectOptions::new(url).max_connections(1).sqlx_logging(false).to_owned();
    sea_orm::Database::connect(options).await.expect("the server accepts the connection")
}

async fn sqlite() -> DatabaseConnection {
    connect("sqlite::memory:").await
}

async fn run(db: &DatabaseConnection, sql: &str) {
    db.execute_unprepared(sql).await.unwrap_or_else(|error| panic!("{error}\n{sql}"));
}

async fn learn(db: &DatabaseConnection) -> LearnedSchema {
    LearnedSchema::learn(db).await.expect("the catalogs can be read")
}

async fn queries_to_learn(mut db: DatabaseConnection) -> usize {
    let count = Arc::new(AtomicUsize::new(0));
    let seen = Arc::clone(&count);
    db.set_metric_callback(move |_| {
        seen.fetch_add(1, Ordering::Relaxed);
    });
    learn(&db).await;
    count.load(Ordering::Relaxed)
}

fn names<'a>(names: impl IntoIterator<Item = &'a str>) -> BTreeSet<&'a str> {
    names.into_iter().collect()
}

#[track_caller]
fn assert_tables(schema: &LearnedSchema, expected: &[(&str, &str)]) {
    for (table, words) in expected {
        assert_eq!(schema.table(table).as_deref(), Some(*words), "{table}");
    }
}

#[track_caller]
fn assert_columns(schema: &LearnedSchema, table: &str, expected: &[(&str, &str)]) {
    for (column, words) in expected {
        assert_eq!(schema.column(table, column).as_deref(), Some(*words), "{table}.{column}");
    }
}

#[track_caller]
fn assert_unique(schema: &LearnedSchema, table: &str, unique: &[&[&str]], not: &[&[&str]]) {
    for columns in unique {
        assert!(schema.is_unique(table, columns), "{columns:?} of {table} is unique");
    }
    for columns in not {
        assert!(!schema.is_unique(table, columns), "{columns:?} of {table} is not known to be unique");
    }
}

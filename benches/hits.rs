//! What a hit costs, against SeaORM's own floor, against the database, and against a raw GET of Redis.
//!
//! `cargo bench -p benches`. Set `CACHE_TEST_POSTGRES_URL` and `CACHE_TEST_REDIS_URL` (as `cargo xtask servers`
//! prints them) to measure those too.

#![allow(clippy::print_stdout, missing_docs, reason = "a program that prints what it measured")]

use std::{env, error::Error, time::Instant};

use benches::{Measured, table};
use cache_orm::{CachedConnection, MemoryStore, RedisStore};
use examples::shop::product;
use migrations::{Migrator, MigratorTrait};
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ConnectionTrait, Database, DatabaseConnection, DbBackend, DbErr,
    EntityTrait, ExecResult, QueryResult, Statement,
};

const ROUNDS: u32 = 300;
const ROWS: i32 = 100;

type Outcome = Result<(), Box<dyn Error>>;

#[tokio::main]
async fn main() -> Outcome {
    let sqlite = shop("sqlite::memory:").await?;
    let postgres = match env::var("CACHE_TEST_POSTGRES_URL") {
        Ok(url) => Some(shop(&url).await?),
        Err(_) => None,
    };
    in_process(&sqlite, postgres.as_ref()).await?;
    if let Ok(url) = env::var("CACHE_TEST_REDIS_URL") {
        through_redis(&sqlite, &url).await?;
    }
    Ok(())
}

/// A connection that returns nothing: what is left is SeaORM's own work.
struct Nothing;

#[async_trait::async_trait]
impl ConnectionTrait for Nothing {
    fn get_database_backend(&self) -> DbBackend {
        DbBackend::Sqlite
    }
    async fn execute_raw(&self, _: Statement) -> Result<ExecResult, DbErr> {
        Err(DbErr::RecordNotInserted)
    }
    async fn execute_unprepared(&self, _: &str) -> Result<ExecResult, DbErr> {
        Err(DbErr::RecordNotInserted)
    }
    async fn query_one_raw(&self, _: Statement) -> Result<Option<QueryResult>, DbErr> {
        Ok(None)
    }
    async fn query_all_raw(&self, _: Statement) -> Result<Vec<QueryResult>, DbErr> {
        Ok(Vec::new())
    }
}

async fn in_process(sqlite: &DatabaseConnection, postgres: Option<&DatabaseConnection>) -> Outcome {
    let cached = CachedConnection::new(sqlite.clone(), MemoryStore::default());
    warm(&cached).await?;
    let mut all = vec![
        Measured::new("SeaORM's floor: a connection that returns nothing"),
        Measured::new("hit by primary key, memory store"),
        Measured::new("hit by unique key, memory store"),
        Measured::new("direct, SQLite in memory"),
    ];
    if postgres.is_some() {
        all.push(Measured::new("direct, Postgres on loopback"));
    }
    for _ in 0..ROUNDS {
        by_id(&Nothing, &mut all[0]).await?;
        by_id(&cached, &mut all[1]).await?;
        let begin = Instant::now();
        for id in 1..=ROWS {
            product::Entity::find_by_sku(sku(id)).one(&cached).await?;
        }
        all[2].round(begin, ROWS as u32);
        by_id(sqlite, &mut all[3]).await?;
        if let Some(postgres) = postgres {
            by_id(postgres, &mut all[4]).await?;
        }
    }
    println!("{}", table(&all));
    Ok(())
}

async fn through_redis(sqlite: &DatabaseConnection, url: &str) -> Outcome {
    let namespace = format!("bench-{}", std::process::id());
    let cached = CachedConnection::new(sqlite.clone(), RedisStore::connect(url, &namespace).await?);
    warm(&cached).await?;
    let mut raw = redis::Client::open(url)?.get_multiplexed_async_connection().await?;
    let key = format!("{namespace}:raw");
    redis::cmd("SET").arg(&key).arg("x".repeat(100)).arg("EX").arg(600).exec_async(&mut raw).await?;
    let mut all = vec![Measured::new("raw GET of 100 bytes"), Measured::new("hit by primary key, Redis")];
    for _ in 0..ROUNDS {
        let begin = Instant::now();
        for _ in 0..ROWS {
            redis::cmd("GET").arg(&key).query_async::<Vec<u8>>(&mut raw).await?;
        }
        all[0].round(begin, ROWS as u32);
        by_id(&cached, &mut all[1]).await?;
    }
    println!("{}", table(&all));
    Ok(())
}

async fn by_id(db: &impl ConnectionTrait, measured: &mut Measured) -> Outcome {
    let begin = Instant::now();
    for id in 1..=ROWS {
        product::Entity::find_by_id(id).one(db).await?;
    }
    measured.round(begin, ROWS as u32);
    Ok(())
}

async fn warm(db: &CachedConnection) -> Outcome {
    for _ in 0..3 {
        for id in 1..=ROWS {
            product::Entity::find_by_id(id).one(db).await?;
            product::Entity::find_by_sku(sku(id)).one(db).await?;
        }
        db.settled().await;
    }
    Ok(())
}

async fn shop(url: &str) -> Result<DatabaseConnection, DbErr> {
    let db = Database::connect(url).await?;
    Migrator::up(&db, None).await?;
    product::Entity::delete_many().exec(&db).await?;
    for id in 1..=ROWS {
        let product = product::ActiveModel {
            id: Set(id),
            sku: Set(sku(id)),
            name: Set(format!("product {id}")),
            price: Set(id),
            category_id: Set(None),
        };
        product.insert(&db).await?;
    }
    Ok(db)
}

fn sku(id: i32) -> String {
    format!("SKU-{id:07}")
}

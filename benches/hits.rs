//! What a hit costs, against SeaORM's own floor, against the database, and against a raw GET of Redis.
//!
//! `cargo bench -p benches`. Set `CACHE_TEST_POSTGRES_URL` and `CACHE_TEST_REDIS_URL` (as `cargo xtask servers`
//! prints them) to measure those too.

#![allow(clippy::print_stdout, missing_docs, reason = "a program that prints what it measured")]

use std::{env, error::Error, time::Instant};

use benches::{Measured, table};
use cache_orm::{CachedConnection, CachedEntity, MemoryStore, RedisStore};
use examples::shop::{category, product};
use migrations::{Migrator, MigratorTrait};
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, ConnectionTrait, Database, DatabaseConnection,
    DbBackend, DbErr, EntityTrait, ExecResult, ModelTrait, QueryFilter, QueryResult, Statement,
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
    let redis = env::var("CACHE_TEST_REDIS_URL");
    for direct in [Some(&sqlite), postgres.as_ref()].into_iter().flatten() {
        several(direct, redis.as_deref().ok()).await?;
    }
    if let Ok(url) = redis {
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
        Measured::new("typed hit by primary key, memory store"),
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
        let begin = Instant::now();
        for id in 1..=ROWS {
            product::Entity::get(&cached, id).await?;
        }
        all[3].round(begin, ROWS as u32);
        by_id(sqlite, &mut all[4]).await?;
        if let Some(postgres) = postgres {
            by_id(postgres, &mut all[5]).await?;
        }
    }
    println!("{}", table(&all));
    Ok(())
}

/// A list of a hundred keys, and a hop from a product to its category: cached and direct.
async fn several(direct: &DatabaseConnection, redis: Option<&str>) -> Outcome {
    let mut cached = vec![("memory store", CachedConnection::new(direct.clone(), MemoryStore::default()))];
    if let Some(url) = redis {
        let namespace = format!("bench-several-{}-{:?}", std::process::id(), direct.get_database_backend());
        cached.push((
            "Redis",
            CachedConnection::new(direct.clone(), RedisStore::connect(url, namespace).await?),
        ));
    }
    let products = product::Entity::find().all(direct).await?;
    for (_, db) in &cached {
        warm(db).await?;
        for _ in 0..3 {
            hundred(db, &mut Measured::new("")).await?;
            hops(db, &products, &mut Measured::new("")).await?;
            db.settled().await;
        }
    }
    let what = format!("{:?}", direct.get_database_backend());
    let mut all = vec![Measured::new(format!("100 keys in one list, direct, {what}"))];
    let names = cached.iter().map(|(store, _)| Measured::new(format!("100 keys in one list, {store}")));
    all.extend(names);
    all.push(Measured::new(format!("hop to the category, direct, {what}")));
    all.extend(cached.iter().map(|(store, _)| Measured::new(format!("hop to the category, {store}"))));
    for _ in 0..ROUNDS / 3 {
        let mut measured = all.iter_mut();
        let mut next = || measured.next().expect("one for each measurement");
        hundred(direct, next()).await?;
        for (_, db) in &cached {
            hundred(db, next()).await?;
        }
        hops(direct, &products, next()).await?;
        for (_, db) in &cached {
            hops(db, &products, next()).await?;
        }
    }
    println!("{}", table(&all));
    Ok(())
}

async fn hundred(db: &impl ConnectionTrait, measured: &mut Measured) -> Outcome {
    let begin = Instant::now();
    for _ in 0..10 {
        product::Entity::find().filter(product::Column::Id.is_in(1..=ROWS)).all(db).await?;
    }
    measured.round(begin, 10);
    Ok(())
}

async fn hops(db: &impl ConnectionTrait, products: &[product::Model], measured: &mut Measured) -> Outcome {
    let begin = Instant::now();
    for product in products {
        product.find_related(category::Entity).one(db).await?;
    }
    measured.round(begin, products.len() as u32);
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
    category::Entity::delete_many().exec(&db).await?;
    for id in 1..=5 {
        category::ActiveModel { id: Set(id), name: Set(format!("category {id}")) }.insert(&db).await?;
    }
    for id in 1..=ROWS {
        let product = product::ActiveModel {
            id: Set(id),
            sku: Set(sku(id)),
            name: Set(format!("product {id}")),
            price: Set(id),
            category_id: Set(Some(id % 5 + 1)),
        };
        product.insert(&db).await?;
    }
    Ok(db)
}

fn sku(id: i32) -> String {
    format!("SKU-{id:07}")
}

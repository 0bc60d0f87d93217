//! The connection.

use std::{env, error::Error};

use axum::extract::State;
use cache_orm::{CachedConnection, MemoryStore, RedisStore, stats::EntityStats};
use sea_orm::Database;
use sea_orm_migration::MigratorTrait;

use crate::schema::Migrator;

pub type Db = CachedConnection;

pub async fn connect() -> Result<Db, Box<dyn Error>> {
    let url = env::var("DATABASE_URL").unwrap_or_else(|_| "sqlite::memory:".to_owned());
    let db = Database::connect(url).await?;
    let db = CachedConnection::builder(db);
    let db = match env::var("REDIS_URL") {
        Ok(url) => db.store(RedisStore::connect(&url, "bookshop").await?),
        Err(_) => db.store(MemoryStore::default()),
    };
    let db = db.build().await?;
    db.migrate(async |db| Migrator::up(db, None).await).await?;
    Ok(db)
}

/// `GET /stats`: what was read from the cache, and what was not.
pub async fn stats(State(db): State<Db>) -> String {
    let line = |(table, of): (String, EntityStats)| {
        let (hits, misses, writes) = (of.counts.hits, of.counts.misses, of.counts.fences);
        format!("{table}: {hits} hits, {misses} misses, {writes} writes\n")
    };
    db.stats().entities.into_iter().map(line).collect()
}

//! The first thing to read: one entity, one connection, and what of it asks the database.
//!
//! `cargo run --example basic` needs nothing but Rust: the database is a SQLite in memory. It prints:
//!
//! ```text
//! read            Some(900)
//! read again      Some(900)
//! update          750
//! read            Some(750)
//! no such row     None
//! again           None
//! hits 1, "no such row" 1, misses 3, fences 2
//! ```

#![allow(clippy::print_stdout, missing_docs, reason = "a program that talks to a person")]

use cache_orm::{Cacheable, CachedConnection, MemoryStore};
use sea_orm::{ActiveValue::Set, Database, DbErr, entity::prelude::*};

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, DeriveEntityModel, Cacheable)] // `Cacheable`: one word for each entity
#[sea_orm(table_name = "lamp")]
pub struct Model {
    #[sea_orm(primary_key)]
    pub id: i32,
    pub price: i32,
}

impl ActiveModelBehavior for ActiveModel {}

#[tokio::main]
async fn main() -> Result<(), DbErr> {
    let db = Database::connect("sqlite::memory:").await?;
    let db = CachedConnection::new(db, MemoryStore::default()); // and one line for the connection
    db.get_schema_builder().register(Entity).apply(&db).await?;
    ActiveModel { id: Set(1), price: Set(900) }.insert(&db).await?;

    println!("read            {:?}", price(&db, 1).await?);
    println!("read again      {:?}", price(&db, 1).await?);
    let update = ActiveModel { id: Set(1), price: Set(750) };
    println!("update          {}", update.update(&db).await?.price);
    println!("read            {:?}", price(&db, 1).await?);
    println!("no such row     {:?}", price(&db, 2).await?);
    println!("again           {:?}", price(&db, 2).await?);

    db.settled().await;
    let lamp = &db.stats().entities["lamp"].counts;
    let (hits, absent, misses, fences) = (lamp.hits, lamp.absent_hits, lamp.misses, lamp.fences);
    println!("hits {hits}, \"no such row\" {absent}, misses {misses}, fences {fences}");
    Ok(())
}

/// Standard SeaORM.
async fn price(db: &impl ConnectionTrait, id: i32) -> Result<Option<i32>, DbErr> {
    Ok(Entity::find_by_id(id).one(db).await?.map(|lamp| lamp.price))
}

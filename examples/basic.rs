//! The first thing to read: one entity, one connection, and which reads ask the database. It prints:
//! ```text
//! lamp 1: Some(Model { id: 1, price: 900 })
//! lamp 1: Some(Model { id: 1, price: 900 })
//! lamp 2: None
//! lamp 2: None
//! lamp 1: Some(Model { id: 1, price: 750 })
//! table     hits   absent   misses    ratio    fills   fences bypassed
//! lamp         1        1        3   40.0 %        3        2        0
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
    db.get_schema_builder().register(Entity).apply(&db).await?;
    let db = CachedConnection::new(db, MemoryStore::default()); // and one line for the connection

    ActiveModel { id: Set(1), price: Set(900) }.insert(&db).await?;
    for id in [1, 1, 2, 2] {
        println!("lamp {id}: {:?}", Entity::find_by_id(id).one(&db).await?);
    }
    ActiveModel { id: Set(1), price: Set(750) }.update(&db).await?;
    println!("lamp 1: {:?}", Entity::find_by_id(1).one(&db).await?);
    db.settled().await; // what goes on in the background has ended
    println!("{}", db.stats());
    Ok(())
}

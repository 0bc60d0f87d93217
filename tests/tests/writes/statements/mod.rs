//! What texts do on the real databases that the cache must know of without being told: transactions and session
//! changes that hide in them, keywords that are functions' names, and what invalidates no more than it changes.
//!
//! - [`hidden`]: texts that change the session of a pooled connection, and the way back;
//! - [`keywords`]: words that are keywords in one place and something else in another;
//! - [`narrow`]: texts that must leave what is cached alone.

#![allow(missing_docs, unreachable_pub)]

mod hidden;
mod keywords;
mod narrow;

use cache_orm::{BypassReason, CachedConnection, MemoryStore};
use sea_orm::{ConnectionTrait, DatabaseConnection, EntityTrait};
use tests::{Backend, Database};

pub mod item {
    use cache_orm::Cacheable;
    use sea_orm::entity::prelude::*;

    #[sea_orm::model]
    #[derive(Clone, Debug, PartialEq, DeriveEntityModel, Cacheable)]
    #[sea_orm(table_name = "item")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: i32,
        #[sea_orm(unique)]
        pub sku: String,
        pub price: i32,
    }

    impl ActiveModelBehavior for ActiveModel {}
}

tests::audited!(item::Entity);

const ITEM: &str =
    "CREATE TABLE item (id int PRIMARY KEY, sku varchar(20) NOT NULL UNIQUE, price int NOT NULL)";
const ROWS: &str = "INSERT INTO item (id, sku, price) VALUES (1, 'a', 100), (2, 'b', 200), (3, 'c', 300)";

/// A database with three items, and a connection that the cache knows nothing of.
async fn items(backend: Backend, setup: &[&str]) -> (Database, DatabaseConnection) {
    let database = Database::create(backend).await;
    let plain = database.connect().await;
    for sql in [ITEM, ROWS].iter().chain(setup) {
        plain.execute_unprepared(sql).await.unwrap_or_else(|error| panic!("{sql}: {error}"));
    }
    (database, plain)
}

/// The price of item 1.
async fn price(db: &impl ConnectionTrait) -> Option<i32> {
    let item = item::Entity::find_by_id(1).one(db).await.expect("an answer");
    item.map(|item| item.price)
}

/// A connection of its own to the database, with item 1 in its memory.
async fn warm(database: &Database) -> CachedConnection {
    let db = CachedConnection::new(database.connect().await, MemoryStore::default());
    price(&db).await;
    db.settled().await;
    db
}

/// True if item 1 is answered from the cache.
async fn hits(db: &CachedConnection) -> bool {
    let hits = || db.stats().entities["item"].counts.hits;
    let before = hits();
    price(db).await;
    hits() > before
}

/// True if reads go to the database because raw SQL has changed a session.
async fn is_switched_off(db: &CachedConnection) -> bool {
    let bypassed = || db.stats().entities["item"].bypasses.get(&BypassReason::SessionState).copied();
    let before = bypassed();
    price(db).await;
    bypassed() > before
}

async fn send(db: &CachedConnection, sql: &str) {
    db.execute_unprepared(sql).await.unwrap_or_else(|error| panic!("{sql}: {error}"));
    db.settled().await;
}

//! The reads that are measured: standard SeaORM, the same code for both connections.

use std::{future::Future, pin::Pin};

use cache_orm::CachedConnection;
use examples::shop::{category, offer, product, stock};
use sea_orm::{ConnectionTrait, DatabaseConnection, DbErr, EntityTrait};

use crate::seed::sku;

/// A connection that reads can run on: with the cache or without.
pub(crate) trait Reads: Sync {
    fn run(&self, read: Read, key: i32) -> Running<'_>;
}

type Running<'a> = Pin<Box<dyn Future<Output = Result<Answer, DbErr>> + Send + 'a>>;

impl Reads for DatabaseConnection {
    fn run(&self, read: Read, key: i32) -> Running<'_> {
        Box::pin(read.kind.run(self, key))
    }
}

impl Reads for CachedConnection {
    fn run(&self, read: Read, key: i32) -> Running<'_> {
        Box::pin(read.kind.run(self, key))
    }
}

/// What a read returned.
#[derive(Debug, PartialEq)]
pub(crate) enum Answer {
    Product(Option<product::Model>),
    Stock(Option<stock::Model>),
    Offer(Option<offer::Model>),
    Categories(Vec<category::Model>),
}

/// One kind of read, and the keys that it is run with.
#[derive(Clone, Copy)]
pub(crate) struct Read {
    pub(crate) name: &'static str,
    kind: Kind,
    /// Keys are drawn from 1 to this one.
    pub(crate) keys: u32,
}

#[derive(Clone, Copy)]
enum Kind {
    Primary,
    Unique,
    CompositePrimary,
    CompositeUnique,
    All,
    Absent,
}

/// Every kind of read that the cache answers. The keys are a part of the products that is read often.
pub(crate) fn all(products: u32) -> Vec<Read> {
    let keys = (products / 10).clamp(1, 1_000);
    let read = |name, kind, keys| Read { name, kind, keys };
    vec![
        read("find_by_id", Kind::Primary, keys),
        read("find_by_sku (unique)", Kind::Unique, keys),
        read("find_by_id (composite)", Kind::CompositePrimary, keys),
        read("find_by_offer (composite)", Kind::CompositeUnique, keys),
        read("find().all(), 50 rows", Kind::All, 1),
        read("find_by_id, no such row", Kind::Absent, keys),
    ]
}

impl Kind {
    async fn run(self, db: &impl ConnectionTrait, key: i32) -> Result<Answer, DbErr> {
        Ok(match self {
            Kind::Primary => Answer::Product(product::Entity::find_by_id(key).one(db).await?),
            Kind::Unique => Answer::Product(product::Entity::find_by_sku(sku(key)).one(db).await?),
            Kind::CompositePrimary => Answer::Stock(stock::Entity::find_by_id((1, key)).one(db).await?),
            Kind::CompositeUnique => {
                Answer::Offer(offer::Entity::find_by_offer((key, "de".to_owned())).one(db).await?)
            }
            Kind::All => Answer::Categories(category::Entity::find().all(db).await?),
            Kind::Absent => Answer::Product(product::Entity::find_by_id(-key).one(db).await?),
        })
    }
}

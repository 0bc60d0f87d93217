//! What the cached connection offers beside SeaORM's own calls: typed reads, and options of a read. Each is
//! compared with what SeaORM's own connection answers to the same question.

use std::time::Duration;

use cache_orm::{CachedConnection, CachedEntity};
use sea_orm::{ColumnTrait, DatabaseConnection, EntityTrait, QueryFilter};
use tests::shop::{product, stock};

use crate::call::{Answer, Call, shown};

/// A name, the question to SeaORM's own connection, and the same to the cached one.
macro_rules! twins {
    ($($name:literal => |$plain:ident| $truth:expr, |$db:ident| $body:expr,)+) => {
        vec![$({
            fn plain($plain: &DatabaseConnection) -> Answer<'_> {
                Box::pin(async move {
                    let outcome = async { $truth }.await;
                    shown($name, outcome)
                })
            }
            fn cached($db: &CachedConnection) -> Answer<'_> {
                Box::pin(async move {
                    let outcome = async { $body }.await;
                    shown($name, outcome)
                })
            }
            Call::new($name, plain, cached)
        },)+]
    };
}

fn first<M>(rows: Vec<M>) -> Option<M> {
    rows.into_iter().next()
}

fn each<M>(rows: Vec<M>) -> Vec<Option<M>> {
    rows.into_iter().map(Some).collect()
}

fn count<M>(rows: Vec<M>) -> usize {
    rows.len()
}

pub(crate) fn reads() -> Vec<Call> {
    twins! {
        "Entity::get(1)" =>
            |db| product::Entity::find_by_id(1).all(db).await.map(first),
            |db| product::Entity::get(db, 1).await,
        "Entity::get((1, 1)): composite key" =>
            |db| stock::Entity::find_by_id((1, 1)).all(db).await.map(first),
            |db| stock::Entity::get(db, (1, 1)).await,
        "Entity::get_by(Sku, \"A-1\"): unique key" =>
            |db| product::Entity::find_by_sku("A-1").all(db).await.map(first),
            |db| product::Entity::get_by(db, [(product::Column::Sku, "A-1".into())]).await,
        "Entity::get_many([1, 2])" =>
            |db| product::Entity::find().filter(product::Column::Id.is_in([1, 2])).all(db).await.map(each),
            |db| product::Entity::get_many(db, [1, 2]).await,
        "Entity::warm([1, 99])" =>
            |db| product::Entity::find().filter(product::Column::Id.is_in([1, 99])).all(db).await.map(count),
            |db| product::Entity::warm(db, [1, 99]).await,
        "find_by_id(1).one(db.bypass())" =>
            |db| product::Entity::find_by_id(1).one(db).await,
            |db| product::Entity::find_by_id(1).one(&db.bypass()).await,
        "find_by_id(1).one(db.refresh())" =>
            |db| product::Entity::find_by_id(1).one(db).await,
            |db| product::Entity::find_by_id(1).one(&db.refresh()).await,
        "find_by_id(1).one(db.with_ttl(5 s))" =>
            |db| product::Entity::find_by_id(1).one(db).await,
            |db| product::Entity::find_by_id(1).one(&db.with_ttl(Duration::from_secs(5))).await,
    }
}

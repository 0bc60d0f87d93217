//! Six products, all of them cached.

use std::{fmt::Debug, sync::Arc};

use cache_orm::{Builder, CachedConnection, Namespace};
use sea_orm::{ActiveModelTrait, ConnectOptions, DbErr, EntityTrait, ExecResult, Statement};
pub(crate) use tests::shop::price;
use tests::{
    Backend, Env,
    shop::{Shop, assert_same_products, new_product, product},
};

pub(crate) const ALL: [i32; 6] = [1, 2, 3, 4, 5, 6];

/// The shop with products of 100 to 600, each in the cache.
pub(crate) async fn warm_shop(env: &Env) -> Shop {
    let shop = Shop::open(env).await;
    restock(&shop).await;
    shop
}

/// Puts the products of 100 to 600, and nothing else, into the database and the cache.
pub(crate) async fn restock(shop: &Shop) {
    product::Entity::delete_many().exec(&shop.plain).await.expect("products can be deleted");
    for id in ALL {
        product(id).insert(&shop.plain).await.expect("a product can be inserted");
    }
    shop.db.invalidate_all().await.expect("the store answers");
    warm(&shop.db).await;
    assert_eq!(cached(&shop.db).await, ALL);
}

/// The same with other settings.
pub(crate) async fn warm_shop_with(
    env: &Env,
    change: impl FnOnce(Builder) -> Builder,
    connect: impl FnOnce(&mut ConnectOptions),
) -> Shop {
    let shop = warm_shop(env).await;
    let builder = CachedConnection::builder(env.database.connect_with(connect).await)
        .shared_store(env.store().await)
        .namespace(Namespace::new(env.namespace.clone()).expect("the harness makes valid names"))
        .store_time_out(std::time::Duration::from_secs(60));
    let db = change(builder).build().await.expect("the cache is ready");
    warm(&db).await;
    Shop { db, ..shop }
}

pub(crate) fn product(id: i32) -> product::ActiveModel {
    new_product(id, &format!("{}-{id}", char::from(b'A' + id as u8 - 1)))
}

pub(crate) async fn warm(db: &CachedConnection) {
    for _ in 0..2 {
        for id in ALL {
            product::Entity::find_by_id(id).one(db).await.expect("an answer");
        }
        db.settled().await;
    }
}

/// Which products are answered from the cache right now.
pub(crate) async fn cached(db: &CachedConnection) -> Vec<i32> {
    db.settled().await;
    let mut found = Vec::new();
    for id in ALL {
        let hits = || db.stats().entities["product"].counts.hits;
        let before = hits();
        product::Entity::find_by_id(id).one(db).await.expect("an answer");
        if hits() > before {
            found.push(id);
        }
    }
    db.settled().await;
    found
}

/// Every product, by key, by unique key and all of them, as the database has them: now, and once more from the
/// cache.
pub(crate) async fn assert_coherent(shop: &Shop) {
    for _ in 0..3 {
        let skus = ["A-1", "B-2", "C-3", "D-4", "E-5", "F-6", "G-7", "new"];
        assert_same_products(&shop.db, &shop.plain, 1..=9, &skus, "after the write").await;
        shop.db.settled().await;
    }
}

/// After a write that leaves these rows as they are, they alone are still cached, where the database tells
/// which rows it changed.
#[track_caller]
pub(crate) fn left(backend: Backend, untouched: &[i32]) -> Vec<i32> {
    if backend == Backend::MySql { Vec::new() } else { untouched.to_vec() }
}

pub(crate) fn raw(backend: Backend, sql: &str) -> Statement {
    Statement::from_string(backend.into(), sql)
}

/// What a statement gave, in words: equal words are equal results.
pub(crate) fn shown<T: Debug>(result: Result<T, DbErr>) -> String {
    format!("{result:?}")
}

pub(crate) fn count(result: Result<ExecResult, DbErr>) -> Result<u64, DbErr> {
    result.map(|result| result.rows_affected())
}

/// Another process with a store of the test's.
pub(crate) async fn enter(env: &Env, store: impl cache_core::store::Store) -> CachedConnection {
    Shop::enter(env, Arc::new(store)).await
}

/// Runs a statement on the plain connection and undoes it, then on the cached one, first by itself and then in
/// a transaction, each time with every product cached. Every result must be the same, and the rows that it
/// leaves as they are must still be cached.
macro_rules! same {
    ($env:expr, untouched: $untouched:expr, |$db:ident| $run:expr) => {{
        let shop = $crate::bulk::products::warm_shop(&$env).await;
        $crate::bulk::products::same!($env, shop, untouched: $untouched, |$db| $run);
    }};

    ($env:expr, $shop:ident, untouched: $untouched:expr, |$db:ident| $run:expr) => {{
        let shop = &$shop;
        for in_transaction in [false, true] {
            $crate::bulk::products::restock(shop).await;
            let expected = {
                let undone = shop.plain.begin().await.expect("a transaction");
                let $db = &undone;
                let expected = $crate::bulk::products::shown($run.await);
                undone.rollback().await.expect("the rollback succeeds");
                expected
            };
            let found = if in_transaction {
                let transaction = shop.db.begin().await.expect("a transaction");
                let $db = &transaction;
                let found = $crate::bulk::products::shown($run.await);
                transaction.commit().await.expect("the commit succeeds");
                found
            } else {
                let $db = &shop.db;
                $crate::bulk::products::shown($run.await)
            };
            assert_eq!(found, expected, "in a transaction: {in_transaction}");
            let left = $crate::bulk::products::left($env.backend(), &$untouched);
            let cached = $crate::bulk::products::cached(&shop.db).await;
            assert_eq!(cached, left, "in a transaction: {in_transaction}: {found}");
            $crate::bulk::products::assert_coherent(shop).await;
            assert_eq!(shop.counts("product").abandoned_fences, 0);
        }
    }};
}
pub(crate) use same;

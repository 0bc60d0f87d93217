//! A shop, and what a working application does in it.

use std::{sync::Arc, time::Duration};

use cache_core::store::Store;
use cache_orm::{Builder, BypassReason, CachedConnection, Namespace, Unreachable};
use sea_orm::{ActiveModelTrait, ConnectionTrait, DatabaseConnection, DbErr, EntityTrait, TransactionTrait};
pub(crate) use tests::shop::{new_product, price_of as price, priced};
use tests::{
    Env,
    shop::{assert_same_products, category, product},
};

/// Longer than any wait of a test that passes.
pub(crate) const PATIENCE: Duration = Duration::from_secs(120);

/// The settings of the tests: no time-out but where one is wanted, a store that fails twice is lost, and hits as soon
/// as it is back.
pub(crate) async fn settings(env: &Env, store: Arc<dyn Store>) -> Builder {
    CachedConnection::builder(env.connect().await)
        .shared_store(store)
        .namespace(Namespace::new(env.namespace.clone()).expect("the harness makes valid names"))
        .store_time_out(Duration::from_secs(60))
        .fence_time_out(Duration::ZERO)
        .grace(Duration::ZERO)
        .when_unreachable(Unreachable::Proceed)
}

/// A connection with these settings.
pub(crate) async fn enter(env: &Env, store: Arc<dyn Store>) -> CachedConnection {
    let builder = settings(env, store).await;
    builder.build().await.expect("the store answers so far")
}

/// Every kind of cached read gives what the database gives.
pub(crate) async fn assert_coherent(db: &CachedConnection, plain: &DatabaseConnection, when: &str) {
    assert_same_products(db, plain, 1..=5, &["A-1", "B-2", "D-4", "none"], when).await;
    let find = category::Entity::find;
    assert_eq!(find().all(db).await, find().all(plain).await, "all categories {when}");
}

/// Reads everything until it is cached, if the store lets it.
pub(crate) async fn warm(db: &CachedConnection, plain: &DatabaseConnection) {
    for _ in 0..3 {
        assert_coherent(db, plain, "while it is being cached").await;
        db.settled().await;
    }
}

/// A day in the shop: every kind of write, each followed by reads. `round` makes the values differ from those
/// of another day; it ends with the rows it began with, at other prices.
pub(crate) async fn work(db: &CachedConnection, plain: &DatabaseConnection, round: i32) {
    let when = format!("in round {round}");
    let updated = priced(1, 1000 + round).update(db).await.expect("an update goes through");
    assert_eq!(updated.price, 1000 + round);
    assert_coherent(db, plain, &when).await;

    let inserted = new_product(4, "D-4").insert(db).await.expect("an insert goes through");
    assert_eq!(inserted, product::Entity::find_by_id(4).one(plain).await.expect("an answer").expect("a row"));
    assert_coherent(db, plain, &when).await;

    let transaction = db.begin().await.expect("a transaction begins");
    priced(2, 2000 + round).update(&transaction).await.expect("an update goes through");
    priced(4, 4000 + round).update(&transaction).await.expect("an update goes through");
    transaction.commit().await.expect("a commit goes through");
    assert_coherent(db, plain, &when).await;

    let transaction = db.begin().await.expect("a transaction begins");
    priced(2, -1).update(&transaction).await.expect("an update goes through");
    transaction.rollback().await.expect("a rollback goes through");
    assert_coherent(db, plain, &when).await;

    same_error(
        new_product(5, "A-1").insert(db).await.map(drop),
        new_product(5, "A-1").insert(plain).await.map(drop),
    );

    let raw = format!("UPDATE product SET price = {} WHERE price > 2500", 3000 + round);
    db.execute_unprepared(&raw).await.expect("raw SQL goes through");
    assert_coherent(db, plain, &when).await;

    let deleted = product::Entity::delete_by_id(4).exec(db).await.expect("a delete goes through");
    assert_eq!(deleted.rows_affected, 1);
    assert_coherent(db, plain, &when).await;
}

/// The database's own error, unchanged.
fn same_error(ours: Result<(), DbErr>, plain: Result<(), DbErr>) {
    let (ours, plain) = (ours.expect_err("a duplicate"), plain.expect_err("a duplicate"));
    assert_eq!(ours.sql_err(), plain.sql_err());
    assert_eq!(ours.to_string(), plain.to_string());
}

/// Repeats `attempt` until it returns something, while everything else goes on.
pub(crate) async fn until<T>(what: &str, mut attempt: impl AsyncFnMut() -> Option<T>) -> T {
    let repeated = async {
        loop {
            if let Some(done) = attempt().await {
                return done;
            }
            tokio::task::yield_now().await;
        }
    };
    let outcome = tokio::time::timeout(PATIENCE, repeated).await;
    outcome.unwrap_or_else(|_| panic!("never happened: {what}"))
}

/// Reads until this process asks the store again: it has invalidated what it wrote unfenced.
pub(crate) async fn trust_again(db: &CachedConnection, plain: &DatabaseConnection) {
    let unavailable = || {
        let reasons = &db.stats().entities["product"].bypasses;
        reasons.get(&BypassReason::StoreUnavailable).copied()
    };
    until("a read that asks the store", async || {
        let before = unavailable();
        assert_eq!(price(db, 3).await, price(plain, 3).await, "until the store is back");
        (unavailable() == before).then_some(())
    })
    .await;
}

/// Reads the product until the store answers once more. Every answer on the way must be right.
pub(crate) async fn hit_again(db: &CachedConnection, plain: &DatabaseConnection, id: i32) {
    let hits = || db.stats().entities["product"].counts.hits;
    let before = hits();
    until("a hit", async || {
        assert_eq!(price(db, id).await, price(plain, id).await, "until the store is back");
        db.settled().await;
        (hits() > before).then_some(())
    })
    .await;
}

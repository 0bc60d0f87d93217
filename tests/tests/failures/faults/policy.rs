//! Writes while the store can't be fenced, and the circuit breaker.

use std::{sync::Arc, time::Instant};

use cache_core::testing::{Call, CountingStore, Fault, FaultyStore};
use cache_orm::{CacheErr, CachedConnection, Unreachable};
use sea_orm::{ActiveModelTrait, ConnectionTrait, DbErr, EntityTrait, TransactionTrait};
use tests::{
    Env, matrix,
    shop::{Shop, product, store},
};

use super::shop::{assert_coherent, enter, hit_again, new_product, price, priced, settings, until, warm};

/// A process with the policy `Refuse`, everything cached.
async fn refusing(env: &Env, shop: &Shop) -> (CachedConnection, FaultyStore) {
    let store = FaultyStore::new(env.store().await);
    let builder = settings(env, Arc::new(store.clone())).await.when_unreachable(Unreachable::Refuse);
    let db = builder.build().await.expect("the store answers so far");
    warm(&db, &shop.plain).await;
    (db, store)
}

/// Every way to write.
async fn attempts(db: &CachedConnection) -> Vec<Result<(), DbErr>> {
    let in_transaction = async |id| {
        let transaction = db.begin().await?;
        priced(id, -1).update(&transaction).await?;
        new_product(4, "D-4").insert(&transaction).await?;
        transaction.commit().await
    };
    let with_raw_ddl = async || {
        let transaction = db.begin().await?;
        priced(2, -1).update(&transaction).await?;
        transaction.execute_unprepared("DROP TABLE customer").await?;
        transaction.commit().await
    };
    vec![
        priced(1, -1).update(db).await.map(drop),
        new_product(4, "D-4").insert(db).await.map(drop),
        product::Entity::delete_by_id(3).exec(db).await.map(drop),
        product::Entity::delete_many().exec(db).await.map(drop),
        db.execute_unprepared("UPDATE product SET price = -1").await.map(drop),
        db.execute_unprepared("DROP TABLE review").await.map(drop),
        in_transaction(1).await,
        with_raw_ddl().await,
    ]
}

/// Refused with an error that says so.
fn assert_refused(outcome: Result<(), DbErr>) {
    let error = outcome.expect_err("a write that can't be fenced");
    assert!(matches!(CacheErr::of(&error), Some(CacheErr::WriteRefused(_))), "{error:?}");
    let error = error.to_string();
    assert!(
        error.contains("the write was refused because its cached rows could not be invalidated"),
        "{error}"
    );
}

matrix! {
    stores: store;

    async fn a_refused_write_changes_nothing(env: Env) on [Redis] {
        let shop = Shop::open(&env).await;
        for fault in [Fault::Refuse, Fault::LoseAnswer, Fault::Garbage] {
            let (db, store) = refusing(&env, &shop).await;
            let all = async || product::Entity::find().all(&shop.plain).await.expect("an answer");
            let before = all().await;
            store.fail(Call::Fence, fault);
            for outcome in attempts(&db).await {
                assert_refused(outcome);
                assert_eq!(all().await, before, "{fault:?}");
                assert_coherent(&db, &shop.plain, "while writes are refused").await;
            }
            store.mend();
            // The breaker may have opened.
            until("a write that goes through", async || priced(1, 8).update(&db).await.ok()).await;
            assert_eq!(price(&db, 1).await, 8);
            db.settled().await;
            assert_coherent(&shop.db, &shop.plain, "after a write went through").await;
            shop.db.settled().await;
            db.close().await.expect("an open connection can be closed");
        }
        assert!(shop.plain.execute_unprepared("DELETE FROM customer").await.is_ok(), "no table was dropped");
        assert!(shop.plain.execute_unprepared("DELETE FROM review").await.is_ok(), "no table was dropped");
    }

    async fn a_refused_commit_lets_go_of_its_rows(env: Env) on [Redis] {
        let shop = Shop::open(&env).await;
        let (db, store) = refusing(&env, &shop).await;
        store.fail(Call::Fence, Fault::Refuse);
        let transaction = db.begin().await.expect("a transaction begins");
        priced(1, -1).update(&transaction).await.expect("noted, not yet fenced");
        assert_refused(transaction.commit().await);
        // Would wait for the row if the transaction were still open.
        priced(1, 8).update(&shop.plain).await.expect("the row is free");
    }

    /// Only the fence fails: everything else would happily serve the old row.
    async fn an_unfenced_write_keeps_its_process_from_the_table(env: Env) on [Redis] {
        let shop = Shop::open(&env).await;
        for (round, fault) in (0..).zip([Fault::Refuse, Fault::LoseAnswer, Fault::Garbage]) {
            let store = FaultyStore::new(env.store().await);
            let db = enter(&env, Arc::new(store.clone())).await;
            warm(&db, &shop.plain).await;
            store.fail(Call::Fence, fault);
            priced(1, 70 + round).update(&db).await.expect("the policy is to proceed");
            let transaction = db.begin().await.expect("a transaction begins");
            priced(2, 80 + round).update(&transaction).await.expect("noted");
            transaction.commit().await.expect("the policy is to proceed");
            assert_eq!(db.stats().entities["product"].counts.unfenced_writes, 2);
            let hits = db.stats().entities["product"].counts.hits;
            for _ in 0..3 {
                assert_coherent(&db, &shop.plain, "in quarantine").await;
                db.settled().await;
            }
            assert_eq!(db.stats().entities["product"].counts.hits, hits, "no hit while in quarantine");
            store.mend();
            hit_again(&db, &shop.plain, 1).await;
            // The epoch was rotated: the other process sees the new rows, too.
            for _ in 0..3 {
                assert_eq!(price(&shop.db, 1).await, 70 + round);
                assert_eq!(price(&shop.db, 2).await, 80 + round);
                assert_coherent(&shop.db, &shop.plain, "after the rotation").await;
                shop.db.settled().await;
            }
            db.close().await.expect("an open connection can be closed");
        }
    }

    async fn a_store_that_fails_again_and_again_is_left_alone(env: Env) on [Redis] {
        let shop = Shop::open(&env).await;
        let faulty = FaultyStore::new(env.store().await);
        let counting = CountingStore::new(Arc::new(faulty.clone()));
        let db = enter(&env, Arc::new(counting.clone())).await;
        warm(&db, &shop.plain).await;
        faulty.fail_all(Fault::Refuse);
        for _ in 0..3 {
            price(&db, 1).await;
        }
        counting.take();
        let began = Instant::now();
        for _ in 0..100 {
            assert_eq!(price(&db, 1).await, 100);
        }
        priced(1, 7).update(&db).await.expect("the policy is to proceed");
        assert_eq!(price(&db, 1).await, 7);
        // One probe each half second, however long this took.
        let probes = 1 + began.elapsed().as_millis() / 500;
        let probes = probes * 2; // each is made twice
        let calls = counting.take();
        assert!(calls.len() as u128 <= probes, "{} calls, {probes} probes: {calls:?}", calls.len());
        faulty.mend();
        hit_again(&db, &shop.plain, 1).await;
        assert_coherent(&db, &shop.plain, "after the store is back").await;
    }
}

//! Each single call to the store fails, in each way.

use std::{sync::Arc, time::Duration};

use cache_core::testing::{Call, Fault, FaultyStore};
use cache_orm::{CachedConnection, Unreachable};
use tests::{
    Env, matrix,
    shop::{Shop, store},
};

use super::shop::{assert_coherent, enter, hit_again, price, settings, trust_again, warm, work};

/// A shop that another process serves too, over a store of its own that is well.
async fn open(env: &Env) -> (Shop, FaultyStore) {
    let shop = Shop::open(env).await;
    (shop, FaultyStore::new(env.store().await))
}

/// One process works while `call` fails like this. The other process, whose store is well, agrees with the
/// database whenever it could be told: at once if every write was fenced (an open breaker fences nothing), and
/// in any case when the first process has invalidated what it wrote.
async fn works_without(env: &Env, shop: &Shop, call: Call, fault: Fault, round: i32) {
    let store = FaultyStore::new(env.store().await);
    let db = enter(env, Arc::new(store.clone())).await;
    warm(&db, &shop.plain).await;
    warm(&shop.db, &shop.plain).await;
    store.fail(call, fault);
    work(&db, &shop.plain, round).await;
    let when = format!("after {call}: {fault:?}");
    if db.stats().entities["product"].counts.unfenced_writes == 0 {
        assert_coherent(&shop.db, &shop.plain, &when).await;
    }
    store.mend();
    db.settled().await;
    // Not until a hit: fences whose release failed stand for a minute.
    trust_again(&db, &shop.plain).await;
    for _ in 0..2 {
        assert_coherent(&db, &shop.plain, &when).await;
        assert_coherent(&shop.db, &shop.plain, &when).await;
        db.settled().await;
        shop.db.settled().await;
    }
    work(&db, &shop.plain, round + 1).await;
    db.settled().await;
    assert_coherent(&shop.db, &shop.plain, &when).await;
    shop.db.settled().await;
    db.close().await.expect("an open connection can be closed");
}

matrix! {
    stores: store;

    async fn every_call_may_be_refused(env: Env) on [Redis] {
        let shop = Shop::open(&env).await;
        for (round, call) in (0..).step_by(2).zip(Call::ALL) {
            works_without(&env, &shop, call, Fault::Refuse, round).await;
        }
    }

    async fn every_answer_may_be_lost(env: Env) on [Redis] {
        let shop = Shop::open(&env).await;
        for (round, call) in (0..).step_by(2).zip(Call::ALL) {
            works_without(&env, &shop, call, Fault::LoseAnswer, round).await;
        }
    }

    async fn every_answer_may_be_garbage(env: Env) on [Redis] {
        let shop = Shop::open(&env).await;
        for (round, call) in (0..).step_by(2).zip(Call::ALL) {
            works_without(&env, &shop, call, Fault::Garbage, round).await;
        }
    }

    /// The time-out is short, so calls that are well may exceed it too: nothing here depends on that.
    async fn every_call_may_hang(env: Env) on [Redis] {
        let (shop, store) = open(&env).await;
        for (round, call) in (0..).step_by(2).zip(Call::ALL) {
            let impatient = settings(&env, Arc::new(store.clone())).await;
            let impatient = impatient.store_time_out(Duration::from_millis(20));
            let db = impatient.build_lazily().expect("the namespace is named");
            warm(&db, &shop.plain).await;
            store.fail(call, Fault::Hang);
            work(&db, &shop.plain, round).await;
            assert_coherent(&db, &shop.plain, "while the store hangs").await;
            store.mend();
            work(&db, &shop.plain, round + 1).await;
            // If it ended before, the next process could find the old rows.
            trust_again(&db, &shop.plain).await;
            db.inner().clone().close().await.expect("an open connection can be closed");
        }
    }

    async fn all_calls_may_fail_together(env: Env) on [Redis] {
        let shop = Shop::open(&env).await;
        for (round, fault) in (0..).step_by(2).zip([Fault::Refuse, Fault::LoseAnswer, Fault::Garbage]) {
            let store = FaultyStore::new(env.store().await);
            let db = enter(&env, Arc::new(store.clone())).await;
            warm(&db, &shop.plain).await;
            store.fail_all(fault);
            work(&db, &shop.plain, round).await;
            assert_coherent(&db, &shop.plain, "while all calls fail").await;
            store.mend();
            hit_again(&db, &shop.plain, 3).await;
            warm(&db, &shop.plain).await;
            assert_coherent(&shop.db, &shop.plain, "after the store is back").await;
            shop.db.settled().await;
            work(&shop.db, &shop.plain, round + 1).await;
            shop.db.settled().await;
            assert_coherent(&db, &shop.plain, "after the other process wrote").await;
            db.close().await.expect("an open connection can be closed");
        }
    }

    async fn a_store_that_is_down_from_the_start_is_used_when_it_is_up(env: Env) on [Redis] {
        let (shop, store) = open(&env).await;
        store.fail_all(Fault::Refuse);
        let builder = settings(&env, Arc::new(store.clone())).await.when_unreachable(Unreachable::Refuse);
        let error = builder.build().await.expect_err("the namespace can't be claimed");
        assert!(error.to_string().contains("unreachable"), "{error}");

        let db: CachedConnection = settings(&env, Arc::new(store.clone())).await.build_lazily().expect("named");
        work(&db, &shop.plain, 0).await;
        assert_eq!(price(&db, 3).await, 300);
        store.mend();
        hit_again(&db, &shop.plain, 3).await;
        assert_coherent(&db, &shop.plain, "after the store is up").await;
    }
}

//! Races of readers and writers, run as schedules: a call to the store stops where the test wants it, never by sleeping.

use std::{sync::Arc, time::Duration};

use cache_core::testing::{Call, PausableStore};
use cache_orm::{CachedConnection, Namespace};
use sea_orm::{ActiveModelTrait, ConnectionTrait, EntityTrait, TransactionTrait};
use tests::{
    Backend, Env, matrix,
    shop::{Shop, new_product, price, priced, product, store},
};

/// Two processes over one database and one store; the calls of the first can be stopped.
pub(super) struct Two {
    pub(super) first: CachedConnection,
    pub(super) second: CachedConnection,
    pub(super) pausable: PausableStore,
}

impl Two {
    pub(super) async fn open(env: &Env) -> Self {
        let shop = Shop::open(env).await;
        let pausable = PausableStore::new(env.store().await);
        let first = Shop::enter(env, Arc::new(pausable.clone())).await;
        Two { first, second: shop.db, pausable }
    }
}

/// Reads in the background.
fn reading(db: &CachedConnection, id: i32) -> tokio::task::JoinHandle<Option<i32>> {
    let db = db.clone();
    tokio::spawn(async move { price(&db, id).await })
}

/// Updates the first product in the background.
fn writing(db: &CachedConnection, new: i32) -> tokio::task::JoinHandle<()> {
    let db = db.clone();
    tokio::spawn(async move {
        priced(1, new).update(&db).await.expect("the update succeeds");
    })
}

matrix! {
    stores: store;

    async fn a_write_between_load_and_fill_defeats_the_fill(env: Env) {
        let two = Two::open(&env).await;
        let mut pause = two.pausable.pause_before(Call::Fill);
        let reader = reading(&two.first, 1);
        pause.reached().await;
        priced(1, 7).update(&two.second).await.expect("the update succeeds");
        two.second.settled().await;
        pause.resume();
        assert_eq!(reader.await.expect("the reader ends"), Some(100), "the reader began before the write");
        two.first.settled().await;
        assert_eq!(price(&two.second, 1).await, Some(7));
        assert_eq!(price(&two.first, 1).await, Some(7));
    }

    async fn an_insert_between_load_and_fill_defeats_the_absent_entry(env: Env) {
        let two = Two::open(&env).await;
        let mut pause = two.pausable.pause_before(Call::Fill);
        let reader = reading(&two.first, 4);
        pause.reached().await;
        new_product(4, "D-4").insert(&two.second).await.expect("the insert succeeds");
        two.second.settled().await;
        pause.resume();
        assert_eq!(reader.await.expect("the reader ends"), None, "the reader began before the insert");
        two.first.settled().await;
        assert_eq!(price(&two.first, 4).await, Some(400));
    }

    async fn a_call_that_begins_during_a_fill_does_not_join_it(env: Env) {
        let two = Two::open(&env).await;
        // The fill has taken effect, but the leader does not know yet.
        let mut pause = two.pausable.pause_after(Call::Fill);
        let leader = reading(&two.first, 1);
        pause.reached().await;
        priced(1, 7).update(&two.second).await.expect("the update succeeds");
        two.second.settled().await;
        assert_eq!(price(&two.first, 1).await, Some(7), "the write had committed before this call began");
        pause.resume();
        leader.await.expect("the leader ends");
    }

    async fn a_reader_after_the_commit_sees_the_write_before_its_release(env: Env) {
        let two = Two::open(&env).await;
        for _ in 0..2 {
            price(&two.second, 1).await;
            two.second.settled().await;
        }
        let mut pause = two.pausable.pause_before(Call::Release);
        let writer = writing(&two.first, 7);
        pause.reached().await;
        assert_eq!(price(&two.second, 1).await, Some(7));
        pause.resume();
        writer.await.expect("the writer ends");
    }

    async fn a_writer_that_vanishes_after_its_commit_leaves_no_old_row(env: Env) {
        let two = Two::open(&env).await;
        for _ in 0..2 {
            price(&two.second, 1).await;
            two.second.settled().await;
        }
        let mut pause = two.pausable.pause_before(Call::Release);
        let writer = writing(&two.first, 7);
        pause.reached().await;
        writer.abort();
        drop(pause);
        for _ in 0..3 {
            assert_eq!(price(&two.second, 1).await, Some(7));
            two.second.settled().await;
        }
    }

    async fn a_row_is_not_filled_between_fence_and_commit(env: Env) {
        let two = Two::open(&env).await;
        let mut pause = two.pausable.pause_after(Call::Fence);
        let writer = writing(&two.first, 7);
        pause.reached().await;
        assert_eq!(price(&two.second, 1).await, Some(100), "the write has not been sent yet");
        two.second.settled().await;
        pause.resume();
        writer.await.expect("the writer ends");
        assert_eq!(price(&two.second, 1).await, Some(7));
    }

    async fn the_first_of_two_writers_does_not_open_the_slot_for_the_second(env: Env) {
        let two = Two::open(&env).await;
        let mut pause = two.pausable.pause_after(Call::Fence);
        let slow = {
            let db = two.first.clone();
            tokio::spawn(async move {
                let transaction = db.begin().await.expect("a transaction");
                if db.get_database_backend() != sea_orm::DbBackend::Sqlite {
                    // Holds no lock on the row that the fast writer updates.
                    transaction.execute_unprepared("UPDATE product SET price = price WHERE 1 = 0").await.expect("ok");
                }
                let noted = product::Entity::delete_by_id(99).exec(&transaction).await;
                noted.expect("deletes nothing, and fences the table's all slot");
                transaction.commit().await.expect("the commit succeeds");
            })
        };
        pause.reached().await;
        if env.backend() != Backend::Sqlite {
            // (SQLite has one writer at a time.)
            priced(1, 7).update(&two.second).await.expect("the update succeeds");
            two.second.settled().await;
        }
        let before = product::Entity::find().all(&two.second).await.expect("an answer");
        two.second.settled().await;
        let hits = two.second.stats().entities["product"].counts.hits;
        assert_eq!(product::Entity::find().all(&two.second).await.expect("an answer"), before);
        assert_eq!(two.second.stats().entities["product"].counts.hits, hits, "still fenced: no hit");
        pause.resume();
        slow.await.expect("the writer ends");
    }

    async fn calls_that_miss_together_load_once(env: Env) {
        let shop = Shop::open(&env).await;
        let pausable = PausableStore::new(env.store().await);
        let db = CachedConnection::builder(env.connect().await)
            .shared_store(Arc::new(pausable.clone()))
            .namespace(Namespace::new(env.namespace.clone()).expect("the harness makes valid names"))
            .store_time_out(Duration::from_secs(60))
            // However slow the machine is, the joined calls wait for the leader.
            .lease_ttl(Duration::from_secs(3600))
            .build()
            .await
            .expect("the cache is ready");
        let mut pause = pausable.pause_after(Call::Lease);
        let leader = reading(&db, 1);
        pause.reached().await;
        let joined: Vec<_> = (0..10).map(|_| reading(&db, 1)).collect();
        // A call that has counted its miss goes aboard before it waits for anything.
        while db.stats().entities["product"].counts.misses < 11 {
            tokio::task::yield_now().await;
        }
        pause.resume();
        assert_eq!(leader.await.expect("the leader ends"), Some(100));
        for call in joined {
            assert_eq!(call.await.expect("the call ends"), Some(100));
        }
        let counts = db.stats().entities["product"].counts;
        assert_eq!((counts.joins, counts.fills), (10, 1), "{counts:?}");
        drop(shop);
    }
}

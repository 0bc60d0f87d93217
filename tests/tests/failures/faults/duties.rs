//! What a process owes to those that share its store when it ends.

use std::{sync::Arc, time::Duration};

use cache_core::testing::{Call, Fault, FaultyStore};
use cache_orm::{CachedConnection, Duty, RedisStore, Unreachable};
use sea_orm::{ActiveModelTrait, DbErr};
use tests::{
    Env, Link, RedisServer, matrix,
    shop::{Shop, store},
};

use super::shop::{PATIENCE, enter, price, priced, settings, until, warm};

/// Long enough to see that something does not happen.
const SHORT: Duration = Duration::from_millis(100);

/// A process behind a link that may be cut, and one that reaches the server by itself; everything cached.
struct Two {
    shop: Shop,
    _server: RedisServer,
    link: Link,
    db: CachedConnection,
    other: CachedConnection,
}

impl Two {
    async fn open(env: &Env, policy: Unreachable) -> Self {
        let shop = Shop::open(env).await;
        let server = RedisServer::start();
        let link = Link::to(server.port()).await;
        let connect = async |url: &str| {
            Arc::new(RedisStore::connect(url, &env.namespace).await.expect("the server answers"))
        };
        let builder = settings(env, connect(&link.redis_url()).await).await;
        // A fence whose writer is not heard of again is soon over.
        let builder = builder.when_unreachable(policy).fence_ttl(SHORT).close_time_out(SHORT);
        let db = builder.build().await.expect("the store answers so far");
        let other = enter(env, connect(&server.url()).await).await;
        warm(&db, &shop.plain).await;
        warm(&other, &shop.plain).await;
        Two { shop, _server: server, link, db, other }
    }

    async fn owes(&self, duty: Duty) {
        let left = self.db.settled_within(SHORT).await.expect_err("the link is cut");
        let is_owed = |(table, owed): &(String, Duty)| table.ends_with(".product") && *owed == duty;
        assert!(left.duties.iter().any(is_owed), "{left:?}");
    }

    /// The link is there again: what was owed is done, and the other process sees the price.
    async fn mended(&self, new: i32) {
        self.link.mend();
        self.db.settled_within(PATIENCE).await.expect("nothing is left");
        for _ in 0..2 {
            assert_eq!(price(&self.other, 1).await, new);
            self.other.settled().await;
        }
    }
}

fn assert_says(outcome: Result<(), DbErr>, words: &str) {
    let error = outcome.expect_err("the link is cut").to_string();
    assert!(error.contains(words), "{error}");
}

matrix! {
    stores: store;

    async fn what_was_written_unfenced_is_invalidated_before_a_process_ends(env: Env) on [Redis] {
        let two = Two::open(&env, Unreachable::Proceed).await;
        two.link.cut();
        priced(1, 7).update(&two.db).await.expect("the policy is to proceed");
        two.owes(Duty::Invalidate).await;
        assert_eq!(price(&two.other, 1).await, 100, "it could not know");
        two.mended(7).await;
        two.db.close().await.expect("it owes nothing");
    }

    async fn close_names_what_is_left_and_closes_all_the_same(env: Env) on [Redis] {
        let two = Two::open(&env, Unreachable::Proceed).await;
        two.link.cut();
        priced(1, 7).update(&two.db).await.expect("the policy is to proceed");
        let closed = two.db.clone().close().await;
        assert_says(closed.clone(), "written and not invalidated: ");
        assert_says(closed, ".product");
        assert!(two.db.ping().await.is_err(), "the database connection is closed");
        // It goes on in the background.
        two.mended(7).await;
    }

    async fn a_release_that_the_store_did_not_hear_of(env: Env) on [Redis] {
        let shop = Shop::open(&env).await;
        let store = FaultyStore::new(env.store().await);
        let db = enter(&env, Arc::new(store.clone())).await;
        store.fail(Call::Release, Fault::Refuse);
        priced(1, 7).update(&db).await.expect("the update goes through");
        let left = until("a release that failed", async || {
            db.settled().await;
            db.settled_within(Duration::ZERO).await.err()
        })
        .await;
        let [(table, Duty::Release)] = &left.duties[..] else { panic!("one release: {left:?}") };
        assert!(table.ends_with(".product"), "{table}");
        store.mend();
        db.settled_within(PATIENCE).await.expect("nothing is left");
        let counts = db.stats().entities["product"].counts;
        assert_eq!((counts.unfenced_writes, counts.lost_fences), (0, 0));
        warm(&shop.db, &shop.plain).await;
        assert!(shop.counts("product").hits > 0, "no fence is left");
    }

    /// It was sent already: nobody can refuse it.
    async fn a_write_that_was_noticed_when_it_was_sent(env: Env) on [Redis] {
        let two = Two::open(&env, Unreachable::Refuse).await;
        two.link.cut();
        priced(1, 7).update(two.db.inner()).await.expect("nobody refuses it");
        two.owes(Duty::Invalidate).await;
        two.mended(7).await;
    }

    async fn an_invalidation_of_everything_that_the_store_did_not_hear_of(env: Env) on [Redis] {
        let two = Two::open(&env, Unreachable::Refuse).await;
        priced(1, 7).update(&two.shop.plain).await.expect("behind our back");
        two.link.cut();
        assert_says(two.db.invalidate_all().await, "not invalidated yet");
        assert_eq!(price(&two.db, 1).await, 7, "bypassed");
        two.owes(Duty::Invalidate).await;
        two.mended(7).await;
    }

    async fn a_migration_that_outlives_the_store(env: Env) on [Redis] {
        let two = Two::open(&env, Unreachable::Refuse).await;
        let migrated = two.db.migrate(async |plain| {
            two.link.cut();
            priced(1, 7).update(plain).await.map(drop)
        });
        assert_says(migrated.await, "not invalidated yet");
        two.owes(Duty::Invalidate).await;
        two.mended(7).await;
    }
}

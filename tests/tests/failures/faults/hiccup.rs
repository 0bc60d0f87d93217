//! One hiccup is no outage: no write goes ahead unfenced for it, and nobody stops trusting the store.

use std::{sync::Arc, time::Duration};

use cache_core::testing::CountingStore;
use cache_orm::{CachedConnection, RedisStore};
use sea_orm::ActiveModelTrait;
use tests::{
    Env, Link, Lost, RedisServer, matrix,
    shop::{Shop, store},
};

use super::shop::{PATIENCE, enter, price, priced, settings, until, warm};

/// Longer than any test lasts.
const FOR_EVER: Duration = Duration::from_secs(3600);

async fn connect(url: &str, env: &Env) -> Arc<RedisStore> {
    Arc::new(RedisStore::connect(url, &env.namespace).await.expect("the server answers"))
}

/// A process behind the link, that would serve no hit for an hour if it took the store for lost, and another one
/// that reaches the server by itself.
async fn two(env: &Env, server: &RedisServer, link: &Link) -> [CachedConnection; 2] {
    let behind = settings(env, connect(&link.redis_url(), env).await).await.grace(FOR_EVER);
    let behind = behind.build().await.expect("the store answers so far");
    [behind, enter(env, connect(&server.url(), env).await).await]
}

/// The first two products are cached, as far as this process can tell.
async fn cached(db: &CachedConnection) {
    for _ in 0..2 {
        price(db, 1).await;
        assert_eq!(price(db, 2).await, 200);
        db.settled().await;
    }
}

/// Nobody noticed anything: the store is trusted, and every alarm is silent.
async fn assert_unfelt(db: &CachedConnection, when: &str) {
    let counts = || db.stats().entities["product"].counts;
    let before = counts();
    assert_eq!((before.unfenced_writes, before.lost_fences), (0, 0), "{when}");
    assert_eq!(price(db, 2).await, 200);
    assert_eq!(counts().hits, before.hits + 1, "the store is trusted {when}");
}

matrix! {
    stores: store;

    /// At each request of a write and the reads that follow.
    async fn a_connection_that_is_reset_once(env: Env) on [Redis] {
        let _shop = Shop::open(&env).await;
        let server = RedisServer::start();
        let link = Link::to(server.port()).await;
        let [db, other] = two(&env, &server, &link).await;
        for lost in [Lost::Request, Lost::Answer] {
            for requests in 0.. {
                let when = format!("when {lost:?} {requests} is lost");
                cached(&db).await;
                cached(&other).await;
                link.lose_after(requests, lost);
                let new = 1000 + requests as i32;
                priced(1, new).update(&db).await.expect("the update goes through");
                assert_eq!(price(&other, 1).await, new, "{when}");
                db.settled().await;
                for _ in 0..2 {
                    assert_eq!(price(&db, 1).await, new, "{when}");
                    assert_eq!(price(&other, 1).await, new, "{when}");
                    db.settled().await;
                }
                assert_unfelt(&db, &when).await;
                if !link.has_lost() {
                    assert!(requests >= 4, "fence, release, lookup, lease at least: {requests}");
                    break;
                }
            }
        }
    }

    async fn an_idle_connection_that_the_server_closed(env: Env) on [Redis] {
        let shop = Shop::open(&env).await;
        let server = RedisServer::start();
        let link = Link::to(server.port()).await;
        let [db, other] = two(&env, &server, &link).await;
        warm(&db, &shop.plain).await;
        warm(&other, &shop.plain).await;
        link.close_idle().await;
        priced(1, 7).update(&db).await.expect("the update goes through");
        assert_eq!(price(&other, 1).await, 7);
        assert_eq!(db.stats().entities["product"].counts.store_errors, 0);
        assert_unfelt(&db, "after a write").await;
        db.settled().await;
        link.close_idle().await;
        assert_unfelt(&db, "after a read").await;
    }

    /// As one does behind a router that has forgotten it.
    async fn a_connection_that_goes_silent(env: Env) on [Redis] {
        let shop = Shop::open(&env).await;
        let server = RedisServer::start();
        let link = Link::to(server.port()).await;
        let other = enter(&env, connect(&server.url(), &env).await).await;
        let hurried = settings(&env, connect(&link.redis_url(), &env).await).await;
        let hurried = hurried.store_time_out(Duration::from_millis(50)).fence_time_out(FOR_EVER);
        let db = hurried.build_lazily().expect("the namespace is named");
        until("a first answer", async || db.ready().await.ok()).await;
        db.settled().await;
        warm(&other, &shop.plain).await;
        link.lose_after(0, Lost::Silence);
        let written = tokio::time::timeout(PATIENCE, priced(1, 7).update(&db)).await;
        written.expect("over a new connection, it is fenced").expect("the update goes through");
        assert!(link.has_lost());
        assert_eq!(db.stats().entities["product"].counts.unfenced_writes, 0);
        assert_eq!(price(&other, 1).await, 7);
    }

    /// As a machine does that has no time for it.
    async fn a_server_that_stops_for_a_moment(env: Env) on [Redis] {
        let shop = Shop::open(&env).await;
        let server = RedisServer::start();
        let other = enter(&env, connect(&server.url(), &env).await).await;
        let counting = CountingStore::new(connect(&server.url(), &env).await);
        let hurried = settings(&env, Arc::new(counting.clone())).await;
        let hurried = hurried.store_time_out(Duration::from_millis(20)).fence_time_out(FOR_EVER);
        let db = hurried.build_lazily().expect("the namespace is named");
        // The schema is known: the write is of one row.
        until("a first answer", async || db.ready().await.ok()).await;
        warm(&other, &shop.plain).await;
        server.pause();
        counting.take();
        let write = {
            let db = db.clone();
            tokio::spawn(async move { priced(1, 7).update(&db).await })
        };
        let mut fences = 0;
        until("a fence that is tried again and again", async || {
            fences += counting.take().iter().filter(|call| call.starts_with("fence ")).count();
            (fences >= 4).then_some(())
        })
        .await;
        server.resume();
        write.await.expect("the writer ends").expect("the update goes through");
        assert_eq!(db.stats().entities["product"].counts.unfenced_writes, 0);
        for _ in 0..3 {
            assert_eq!(price(&other, 1).await, 7);
            other.settled().await;
        }
    }
}

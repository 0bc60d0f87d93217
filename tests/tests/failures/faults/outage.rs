//! A real server that is killed, restarted, stopped, flushed, or full.

use std::{env::temp_dir, fs, path::PathBuf, sync::Arc, time::Duration};

use cache_core::testing::{Call, PausableStore};
use cache_orm::{CachedConnection, RedisStore};
use redis::{Cmd, InfoDict, aio::MultiplexedConnection, cmd};
use sea_orm::ActiveModelTrait;
use tests::{Env, RedisServer, matrix, shop::Shop, unique_name};

use super::shop::{assert_coherent, enter, hit_again, new_product, price, priced, settings, warm, work};

async fn store(server: &RedisServer, env: &Env) -> RedisStore {
    RedisStore::connect(&server.url(), &env.namespace).await.expect("the server answers")
}

/// Two processes over one server, everything cached.
async fn two(server: &RedisServer, env: &Env, shop: &Shop) -> [CachedConnection; 2] {
    let one = enter(env, Arc::new(store(server, env).await)).await;
    let other = enter(env, Arc::new(store(server, env).await)).await;
    warm(&one, &shop.plain).await;
    warm(&other, &shop.plain).await;
    [one, other]
}

async fn raw(server: &RedisServer) -> MultiplexedConnection {
    let client = redis::Client::open(server.url()).expect("a URL");
    client.get_multiplexed_async_connection().await.expect("the server answers")
}

async fn send(connection: &mut MultiplexedConnection, command: &Cmd) {
    command.query_async::<()>(connection).await.expect("the server does as it is told");
}

/// Many reads at once, on their way to the store.
async fn traffic(db: &CachedConnection) -> Vec<tokio::task::JoinHandle<i32>> {
    let reading = |id: i32| {
        let db = db.clone();
        tokio::spawn(async move { price(&db, id).await })
    };
    let reads = (0..30).map(|n| reading(1 + n % 3)).collect();
    tokio::task::yield_now().await;
    reads
}

async fn assert_answered(reads: Vec<tokio::task::JoinHandle<i32>>) {
    for (n, read) in (0..).zip(reads) {
        assert_eq!(read.await.expect("no read panics"), 100 * (1 + n % 3));
    }
}

/// A file that is removed again.
struct Dump(String);

impl Dump {
    fn path(&self) -> PathBuf {
        temp_dir().join(&self.0)
    }
}

impl Drop for Dump {
    fn drop(&mut self) {
        let _ = fs::remove_file(self.path());
    }
}

matrix! {
    stores: tests::shop::store;

    async fn a_server_that_is_killed_mid_traffic_and_started_again(env: Env) on [Redis] {
        let shop = Shop::open(&env).await;
        let mut server = RedisServer::start();
        let [db, other] = two(&server, &env, &shop).await;
        let reads = traffic(&db).await;
        server.kill();
        assert_answered(reads).await;
        work(&db, &shop.plain, 0).await;
        assert_coherent(&db, &shop.plain, "while the server is gone").await;
        assert_coherent(&other, &shop.plain, "while the server is gone").await;
        server.restart();
        hit_again(&db, &shop.plain, 1).await;
        hit_again(&other, &shop.plain, 1).await;
        work(&db, &shop.plain, 1).await;
        db.settled().await;
        assert_coherent(&other, &shop.plain, "after the restart").await;
    }

    /// The snapshot was taken before a row changed; whoever changed it could not invalidate it.
    async fn a_server_that_comes_back_with_an_old_snapshot(env: Env) on [Redis] {
        let shop = Shop::open(&env).await;
        let dump = Dump(format!("{}.rdb", unique_name()));
        let mut server = RedisServer::start_with(&["--dbfilename", &dump.0]);
        let [db, _] = two(&server, &env, &shop).await;
        send(&mut raw(&server).await, &cmd("SAVE")).await;
        assert!(dump.path().exists());
        server.kill();
        priced(1, 7).update(&shop.plain).await.expect("an update goes through");
        server.restart();
        let kept: u64 = cmd("DBSIZE").query_async(&mut raw(&server).await).await.expect("it answers");
        assert!(kept > 5, "the old entries are there: {kept}");
        for _ in 0..5 {
            assert_eq!(price(&db, 1).await, 7);
            assert_coherent(&db, &shop.plain, "over the old snapshot").await;
            db.settled().await;
        }
        let newcomer = enter(&env, Arc::new(store(&server, &env).await)).await;
        assert_coherent(&newcomer, &shop.plain, "over the old snapshot").await;
        hit_again(&db, &shop.plain, 1).await;
    }

    /// Calls time out, and those that the server got it executes when it goes on.
    async fn a_server_that_hangs_and_goes_on(env: Env) on [Redis] {
        let shop = Shop::open(&env).await;
        let server = RedisServer::start();
        let connected = Arc::new(store(&server, &env).await);
        let impatient = settings(&env, connected).await.store_time_out(Duration::from_millis(200));
        let db = impatient.build_lazily().expect("the namespace is named");
        let other = enter(&env, Arc::new(store(&server, &env).await)).await;
        warm(&db, &shop.plain).await;
        warm(&other, &shop.plain).await;
        server.pause();
        let reads = traffic(&db).await;
        assert_answered(reads).await;
        priced(1, 7).update(&db).await.expect("the policy is to proceed");
        work(&db, &shop.plain, 0).await;
        assert_coherent(&db, &shop.plain, "while the server hangs").await;
        server.resume();
        hit_again(&db, &shop.plain, 3).await;
        for _ in 0..3 {
            assert_coherent(&db, &shop.plain, "after the server went on").await;
            assert_coherent(&other, &shop.plain, "after the server went on").await;
            other.settled().await;
        }
        work(&other, &shop.plain, 1).await;
        other.settled().await;
        assert_coherent(&db, &shop.plain, "after the server went on").await;
    }

    async fn a_server_that_drops_its_clients(env: Env) on [Redis] {
        let shop = Shop::open(&env).await;
        let server = RedisServer::start();
        let [db, other] = two(&server, &env, &shop).await;
        let mut raw = raw(&server).await;
        for round in 0..5 {
            send(&mut raw, cmd("CLIENT").arg(&["KILL", "TYPE", "normal", "SKIPME", "yes"])).await;
            work(&db, &shop.plain, round).await;
            let reads = async || assert_coherent(&db, &shop.plain, "after the connection was lost").await;
            send(&mut raw, cmd("CLIENT").arg(&["KILL", "TYPE", "normal", "SKIPME", "yes"])).await;
            reads().await;
            reads().await;
        }
        hit_again(&db, &shop.plain, 1).await;
        assert_coherent(&other, &shop.plain, "after the tables were invalidated").await;
    }

    async fn a_server_that_is_flushed(env: Env) on [Redis] {
        let shop = Shop::open(&env).await;
        let server = RedisServer::start();
        let [db, other] = two(&server, &env, &shop).await;
        let mut raw = raw(&server).await;
        send(&mut raw, &cmd("FLUSHALL")).await;
        work(&db, &shop.plain, 0).await;
        db.settled().await;
        assert_coherent(&other, &shop.plain, "after the flush").await;
        hit_again(&other, &shop.plain, 1).await;
        send(&mut raw, &cmd("FLUSHALL")).await;
        send(&mut raw, cmd("SCRIPT").arg("FLUSH")).await;
        work(&db, &shop.plain, 1).await;
        db.settled().await;
        assert_coherent(&other, &shop.plain, "after the flush").await;
    }

    /// The fence is lost, a reader fills the old row, and the release makes up for it.
    async fn a_flush_between_fence_and_commit(env: Env) on [Redis] {
        let shop = Shop::open(&env).await;
        let server = RedisServer::start();
        let pausable = PausableStore::new(Arc::new(store(&server, &env).await));
        let writer = enter(&env, Arc::new(pausable.clone())).await;
        let [reader, _] = two(&server, &env, &shop).await;
        let mut pause = pausable.pause_after(Call::Fence);
        let write = {
            let writer = writer.clone();
            tokio::spawn(async move { priced(1, 7).update(&writer).await })
        };
        pause.reached().await;
        send(&mut raw(&server).await, &cmd("FLUSHALL")).await;
        for _ in 0..2 {
            assert_eq!(price(&reader, 1).await, 100, "not yet written");
            reader.settled().await;
        }
        pause.resume();
        write.await.expect("the writer ends").expect("the update goes through");
        writer.settled().await;
        for _ in 0..3 {
            assert_eq!(price(&reader, 1).await, 7);
            reader.settled().await;
        }
        assert!(writer.stats().entities["product"].counts.lost_fences > 0, "it is reported");
    }

    async fn a_flush_and_a_write_between_load_and_fill(env: Env) on [Redis] {
        let _shop = Shop::open(&env).await;
        let server = RedisServer::start();
        let pausable = PausableStore::new(Arc::new(store(&server, &env).await));
        let reader = enter(&env, Arc::new(pausable.clone())).await;
        let writer = enter(&env, Arc::new(store(&server, &env).await)).await;
        let mut pause = pausable.pause_before(Call::Fill);
        assert_eq!(price(&reader, 1).await, 100);
        pause.reached().await;
        send(&mut raw(&server).await, &cmd("FLUSHALL")).await;
        priced(1, 7).update(&writer).await.expect("the update goes through");
        writer.settled().await;
        pause.resume();
        reader.settled().await;
        for _ in 0..3 {
            assert_eq!(price(&reader, 1).await, 7);
            reader.settled().await;
        }
    }

    /// Anything may be evicted at any time, fences too.
    async fn a_server_that_is_full(env: Env) on [Redis] {
        const ROWS: i32 = 20;
        let shop = Shop::open(&env).await;
        for id in 4..=ROWS {
            new_product(id, &format!("sku {id}")).insert(&shop.plain).await.expect("a new product");
        }
        let server = RedisServer::start_with(&["--maxmemory-policy", "allkeys-lru"]);
        let [db, other] = two(&server, &env, &shop).await;
        let mut admin = raw(&server).await;
        let info: InfoDict = cmd("INFO").query_async(&mut admin).await.expect("it answers");
        let used: u64 = info.get("used_memory").expect("Redis says how much it uses");
        let limit = used + (256 << 10);
        send(&mut admin, cmd("CONFIG").arg("SET").arg("maxmemory").arg(limit)).await;

        let mut prices: Vec<i32> = (0..=ROWS).map(|id| id * 100).collect();
        let mut stranger = raw(&server).await;
        for n in 0..300 {
            let id = 1 + n * 7 % ROWS;
            prices[id as usize] = 10_000 + n;
            let pressure = async {
                for key in 0..20 {
                    let junk = cmd("SET").arg(20 * (n % 4) + key).arg(vec![b'x'; 8 << 10]).to_owned();
                    // Redis may find nothing left to evict.
                    drop(junk.query_async::<()>(&mut stranger).await);
                }
            };
            let load = async {
                for offset in 0..5 {
                    // May be old: a fence may have been evicted before its write was decided.
                    price(&other, 1 + (id + offset) % ROWS).await;
                }
            };
            let (updated, (), ()) = tokio::join!(priced(id, 10_000 + n).update(&db), pressure, load);
            updated.expect("the update goes through");
            db.settled().await;
            for (reader, who) in [(&db, "the writer"), (&other, "the other process")] {
                for id in [id, 1 + n % ROWS] {
                    assert_eq!(price(reader, id).await, prices[id as usize], "{who}, product {id}, write {n}");
                }
            }
        }
        let info: InfoDict = cmd("INFO").query_async(&mut admin).await.expect("it answers");
        assert!(info.get::<u64>("evicted_keys").is_some_and(|evicted| evicted > 0));
    }
}

//! The Redis store keeps the contract of a store on a real server, whatever stands under its names and
//! whatever becomes of its connection.

#![allow(clippy::unwrap_used, reason = "a test")]

mod redis_server;

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use cache_core::{
    backend::RedisStore,
    conformance::check_all,
    entry::{Entry, Epoch, Fingerprint, Payload, Token, Writer},
    key::{Address, Key, Namespace, RowKey, TableKeys},
    store::{Grant, Store, StoreError},
};
use redis::AsyncTypedCommands;
use redis_server::{Proxy, raw, store, url};

const TTL: Duration = Duration::from_secs(60);

/// Cells that no other test uses.
fn table() -> TableKeys {
    TableKeys::new(&Namespace::new(redis_server::unique()).unwrap(), "product")
}

fn schema() -> Key {
    Namespace::new(redis_server::unique()).unwrap().schema()
}

fn row(table: &TableKeys) -> Address {
    table.row(&RowKey::default().with_integer(1))
}

fn entry(grant: Grant, bytes: usize) -> Entry {
    Entry {
        token: grant.token,
        epoch: grant.epoch,
        presence: None,
        fingerprint: Fingerprint(1),
        payload: Payload::Encoded(Bytes::from(vec![7; bytes])),
    }
}

async fn lease(store: &RedisStore, at: &Address) -> Option<Grant> {
    store.lease(&schema(), at, None, TTL).await.unwrap()
}

async fn put(store: &RedisStore, at: &Address) -> Entry {
    let entry = entry(lease(store, at).await.unwrap(), 10);
    assert!(store.fill(at, entry.clone(), TTL).await.unwrap());
    entry
}

#[tokio::test]
async fn a_redis_store_conforms() {
    let store: Arc<dyn Store> = Arc::new(store().await);
    check_all(async || store.clone()).await;
}

#[tokio::test]
async fn a_redis_store_conforms_over_resp3() {
    let url = format!("{}?protocol=resp3", url());
    let store: Arc<dyn Store> = Arc::new(RedisStore::connect(&url, "test").await.unwrap());
    check_all(async || store.clone()).await;
}

#[tokio::test]
async fn every_cell_expires_and_a_lease_lets_epochs_live_on() {
    let (store, at, mut raw) = (store().await, row(&table()), raw().await);
    put(&store, &at).await;
    let [slot, epoch] = [&at.slot, at.epoch.as_ref().unwrap()].map(|key| format!("*{}", key.as_str()));
    let slot = only_key(&mut raw, &slot).await;
    let epoch = only_key(&mut raw, &epoch).await;
    let ttl = |left: i64| (1..=60_000).contains(&left);
    let left: i64 = redis::cmd("PTTL").arg(&slot).query_async(&mut raw).await.unwrap();
    assert!(ttl(left), "{left}");
    let presence = only_key(&mut raw, &format!("*{}", at.presence.as_ref().unwrap().as_str())).await;
    for cell in [&epoch, &presence, "{cache-orm}:incarnation"] {
        let left = async |raw: &mut _| redis::cmd("PTTL").arg(cell).query_async::<i64>(raw).await.unwrap();
        assert!(left(&mut raw).await > 60_000, "{cell}");
        // A cell that is used is far from its end.
        let _: i64 = redis::cmd("PEXPIRE").arg(cell).arg(60_000).query_async(&mut raw).await.unwrap();
        raw.del(&slot).await.unwrap();
        put(&store, &at).await;
        assert!(left(&mut raw).await > 60_000, "{cell}");
    }

    // The cell lives as long as its last holder, in whatever order they came.
    let cells = [at.slot.clone()];
    store.fence(&schema(), &cells, Writer(1), TTL).await.unwrap();
    store.fence(&schema(), &cells, Writer(2), TTL / 60).await.unwrap();
    let left: i64 = redis::cmd("PTTL").arg(&slot).query_async(&mut raw).await.unwrap();
    assert!(left > 1000 && ttl(left), "{left}");
    store.release(&cells, Writer(1)).await.unwrap();
    let left: i64 = redis::cmd("PTTL").arg(&slot).query_async(&mut raw).await.unwrap();
    assert!(left <= 1000, "{left}");
}

/// The one key that ends like this. Brackets and braces mean nothing to the server's pattern here.
async fn only_key(raw: &mut redis::aio::MultiplexedConnection, pattern: &str) -> String {
    let keys: Vec<String> = raw.keys(pattern).await.unwrap();
    let [key] = keys.try_into().unwrap();
    key
}

#[tokio::test]
async fn whatever_does_not_parse_counts_as_empty_and_is_replaced() {
    let (store, table, mut raw) = (store().await, table(), raw().await);
    let at = row(&table);
    put(&store, &at).await;
    let slot = only_key(&mut raw, &format!("*{}", at.slot.as_str())).await;
    let epoch = only_key(&mut raw, &format!("*{}", at.epoch.as_ref().unwrap().as_str())).await;
    let valid: Vec<u8> = redis::cmd("GET").arg(&slot).query_async(&mut raw).await.unwrap();

    let mut garbage: Vec<Vec<u8>> = [
        &b""[..],
        b"x",
        b"F",
        b"F2",
        b"F1 another version of the encoding",
        b"L2short",
        b"L2longer than a token and an incarnation",
        b"E1short",
        b"W1",
        b"W1shorter than a holder",
        b"\xff\xfe\xfd",
        b"{\"json\": true}",
    ]
    .map(<[u8]>::to_vec)
    .to_vec();
    garbage.push(valid[..26].to_vec());
    garbage.push(valid[..30].to_vec()); // the epoch is cut
    garbage.push([&valid[..26], &[4], &valid[27..]].concat()); // an unknown flag
    garbage.push([&valid[..10], &[0; 8], &valid[18..]].concat()); // another incarnation's
    garbage.push([&b"W1"[..], &[0xff; 16]].concat()); // until the end of time
    garbage.push([&b"W1"[..], &[0; 16]].concat()); // since the beginning of time
    garbage.push([&valid[..], &vec![0; 17 << 20]].concat());

    for bytes in garbage {
        let shown = String::from_utf8_lossy(&bytes[..bytes.len().min(40)]).into_owned();
        for cell in [&slot, &epoch] {
            raw.set(cell, &bytes).await.unwrap();
            let seen = store.lookup(&at).await.unwrap();
            assert!(seen.entry.is_none() || cell == &epoch, "{shown:?}");
            assert!(seen.epoch.is_none() || cell == &slot, "{shown:?}");
            if cell == &epoch {
                raw.del(&slot).await.unwrap();
            }
            let grant = lease(&store, &at).await.unwrap_or_else(|| panic!("{shown:?} in {cell}"));
            assert!(store.fill(&at, entry(grant, 10), TTL).await.unwrap(), "{shown:?}");
            raw.set(cell, &bytes).await.unwrap();
            let fenced = [if cell == &slot { at.slot.clone() } else { at.epoch.clone().unwrap() }];
            store.fence(&schema(), &fenced, Writer(1), TTL).await.unwrap();
            assert!(lease(&store, &at).await.is_none(), "{shown:?}");
            assert_eq!(store.release(&fenced, Writer(1)).await.unwrap(), 0, "{shown:?}");
            raw.set(cell, &bytes).await.unwrap();
            assert_eq!(store.release(&fenced, Writer(1)).await.unwrap(), 1, "{shown:?}");
            assert!(!raw.exists(cell).await.unwrap(), "{shown:?}");
        }
    }
}

#[tokio::test]
async fn a_value_of_another_type_counts_as_empty_and_is_replaced() {
    let (store, table, mut raw) = (store().await, table(), raw().await);
    let at = row(&table);
    put(&store, &at).await;
    let mut cells = Vec::new();
    for key in [&at.slot, at.epoch.as_ref().unwrap(), at.presence.as_ref().unwrap()] {
        cells.push(only_key(&mut raw, &format!("*{}", key.as_str())).await);
    }
    for cell in &cells {
        raw.del(cell).await.unwrap();
        raw.lpush(cell, "a list").await.unwrap();
    }
    let seen = store.lookup(&at).await.unwrap();
    assert_eq!((seen.entry, seen.epoch, seen.presence), (None, None, None));
    let grant = lease(&store, &at).await.unwrap();
    assert!(grant.epoch.is_some() && grant.presence.is_some());
    assert!(store.fill(&at, entry(grant, 10), TTL).await.unwrap());

    raw.del(&cells[0]).await.unwrap();
    raw.lpush(&cells[0], "a list").await.unwrap();
    let fenced = [at.slot.clone()];
    store.fence(&schema(), &fenced, Writer(1), TTL).await.unwrap();
    assert!(lease(&store, &at).await.is_none());
    assert_eq!(store.release(&fenced, Writer(1)).await.unwrap(), 0);
}

#[tokio::test]
async fn an_entry_that_is_too_long_is_refused_and_its_lease_forfeited() {
    let (store, at) = (store().await, row(&table()));
    let grant = lease(&store, &at).await.unwrap();
    assert!(!store.fill(&at, entry(grant, 16 << 20), TTL).await.unwrap());
    put(&store, &at).await;
}

#[tokio::test]
async fn the_longest_time_to_live_is_taken() {
    let (store, at) = (store().await, row(&table()));
    let grant = store.lease(&schema(), &at, None, Duration::MAX).await.unwrap().unwrap();
    assert!(store.fill(&at, entry(grant, 10), Duration::MAX).await.unwrap());
    let cells = [at.slot.clone()];
    store.fence(&schema(), &cells, Writer(1), Duration::MAX).await.unwrap();
    assert_eq!(store.release(&cells, Writer(1)).await.unwrap(), 0);
}

#[tokio::test]
async fn scripts_are_loaded_again_after_the_server_forgot_them() {
    let (store, at, mut raw) = (store().await, row(&table()), raw().await);
    let entry = put(&store, &at).await;
    let _: String = redis::cmd("SCRIPT").arg("FLUSH").query_async(&mut raw).await.unwrap();
    let cells = [at.slot.clone()];
    store.fence(&schema(), &cells, Writer(1), TTL).await.unwrap();
    assert_eq!(store.release(&cells, Writer(1)).await.unwrap(), 0);
    assert_ne!(put(&store, &at).await.token, entry.token);
}

#[tokio::test]
async fn a_lost_connection_fails_the_calls_under_way_and_the_next_one_connects_anew() {
    let proxy = Proxy::start();
    let store = RedisStore::connect(&proxy.url(), "test").await.unwrap();
    let at = row(&table());
    let entry = put(&store, &at).await;
    for _ in 0..3 {
        proxy.cut();
        let lost = store.lookup(&at).await.unwrap_err();
        assert!(matches!(lost, StoreError::Unreachable(_)), "{lost:?}");
        // The same incarnation: nothing was lost.
        assert_eq!(store.lookup(&at).await.unwrap().entry, Some(entry.clone()));
    }
    proxy.refuse();
    for _ in 0..3 {
        let refused = store.lookup(&at).await.unwrap_err();
        assert!(matches!(refused, StoreError::Unreachable(_)), "{refused:?}");
    }
    proxy.accept();
    assert_eq!(store.lookup(&at).await.unwrap().entry, Some(entry));
}

#[tokio::test]
async fn thousands_of_cells_are_fenced_and_released() {
    let (store, table) = (store().await, table());
    let slots: Vec<_> = (0..2500).map(|id| table.row(&RowKey::default().with_integer(id)).slot).collect();
    store.fence(&schema(), &slots, Writer(1), TTL).await.unwrap();
    let ends = [0, 999, 1000, 2499].map(|id| table.row(&RowKey::default().with_integer(id)));
    for at in &ends {
        assert_eq!(lease(&store, at).await, None);
    }
    assert_eq!(store.release(&slots, Writer(1)).await.unwrap(), 0);
    for at in &ends {
        assert!(lease(&store, at).await.is_some());
    }
    assert_eq!(store.release(&slots, Writer(1)).await.unwrap(), 2500);
}

/// The server lets this user at some keys only.
#[tokio::test]
async fn a_fence_fails_if_any_of_its_scripts_does() {
    let (mut raw, user) = (raw().await, redis_server::unique());
    let rules = ["on", ">secret", "~*mine*", "~{cache-orm}:incarnation", "~*:schema", "+@all"];
    let _: String =
        redis::cmd("ACL").arg("SETUSER").arg(&user).arg(&rules).query_async(&mut raw).await.unwrap();
    let url = url().replacen("redis://", &format!("redis://{user}:secret@"), 1);
    let store = RedisStore::connect(&url, "test").await.unwrap();
    let mut cells: Vec<Key> = (0..1000).map(|id| Key::from(format!("{user}:mine:{id}"))).collect();
    store.fence(&schema(), &cells, Writer(1), TTL).await.unwrap();
    assert_eq!(store.release(&cells, Writer(1)).await.unwrap(), 0);
    cells.push(Key::from(format!("{user}:another's")));
    let refused = store.fence(&schema(), &cells, Writer(1), TTL).await.unwrap_err();
    assert!(matches!(refused, StoreError::Unexpected(_)), "{refused:?}");
    store.release(&cells, Writer(1)).await.unwrap_err();
    let _: i64 = redis::cmd("ACL").arg("DELUSER").arg(&user).query_async(&mut raw).await.unwrap();
}

#[test]
fn a_store_outlives_the_runtime_that_it_was_opened_on() {
    let runtime = || tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let first = runtime();
    let store = first.block_on(store());
    drop(first);
    let at = row(&table());
    runtime().block_on(async {
        assert!(store.lookup(&at).await.is_err());
        put(&store, &at).await;
    });
}

#[tokio::test]
async fn a_store_of_another_epoch_is_not_confused_with_this_one() {
    let (store, at) = (store().await, row(&table()));
    let entry = put(&store, &at).await;
    let stale = Entry { epoch: Some(Epoch(1)), token: Token(1), ..entry.clone() };
    assert!(!store.fill(&at, stale, TTL).await.unwrap());
    assert_eq!(store.lookup(&at).await.unwrap().entry, Some(entry));
}

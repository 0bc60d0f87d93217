//! Failover, and back: what a server keeps of a former reign is not believed, and nothing that a process fenced
//! elsewhere stays in the cache that it comes to. Against real servers, replicas and Sentinels.

#![allow(clippy::unwrap_used, reason = "a test")]

mod redis_server;

use std::{
    future::{Future, poll_fn},
    pin::pin,
    task::Poll,
    time::Duration,
};

use bytes::Bytes;
use cache_core::{
    backend::{ConnectError, RedisStore},
    entry::{Entry, Fingerprint, Payload, Writer},
    key::{Address, Key, Namespace, RowKey, TableKeys},
    store::{Grant, Store, StoreError},
};
use redis_server::{
    Proxy,
    private::{MASTER, Sentinels, Server, until},
};

const TTL: Duration = Duration::from_secs(3600);

fn table() -> TableKeys {
    TableKeys::new(&Namespace::new("shop").unwrap(), "product")
}

fn schema() -> Key {
    Namespace::new("shop").unwrap().schema()
}

fn row() -> Address {
    table().row(&RowKey::default().with_integer(1))
}

/// The store of one process that uses the table.
async fn process(url: &str) -> RedisStore {
    let store = RedisStore::connect(url, "shop").await.unwrap();
    store.know(&table());
    store
}

fn entry(grant: Grant) -> Entry {
    Entry {
        token: grant.token,
        epoch: grant.epoch,
        presence: None,
        fingerprint: Fingerprint(1),
        payload: Payload::Encoded(Bytes::from_static(b"old")),
    }
}

/// As a reader does that sees nothing valid.
async fn lease(store: &RedisStore) -> Grant {
    let replaces = store.lookup(&row()).await.unwrap().entry.map(|entry| entry.token);
    store.lease(&schema(), &row(), replaces, TTL).await.unwrap().unwrap()
}

async fn put(store: &RedisStore) {
    assert!(store.fill(&row(), entry(lease(store).await), TTL).await.unwrap());
}

/// True if a hit would use what the slot holds.
async fn hits(store: &RedisStore) -> bool {
    let seen = store.lookup(&row()).await.unwrap();
    seen.entry.is_some_and(|entry| entry.epoch == seen.epoch)
}

/// A whole write: the fence, the commit, the release.
async fn write(store: &RedisStore, writer: u64) {
    let cells: [Key; 1] = [row().slot];
    store.fence(&schema(), &cells, Writer(writer), TTL).await.unwrap();
    store.release(&cells, Writer(writer)).await.unwrap();
}

/// Makes the connection notice that it was lost.
async fn lose(store: &RedisStore) {
    let lost = store.lookup(&row()).await.unwrap_err();
    assert!(matches!(lost, StoreError::Unreachable(_)), "{lost:?}");
}

/// A master, and a replica that has everything.
async fn pair() -> (Server, Server) {
    let (first, second) = (Server::start(), Server::start());
    second.follow(&first).await;
    (first, second)
}

/// A replica becomes a master of its own.
async fn promote(server: &Server) {
    let () = server.say("REPLICAOF NO ONE").await;
}

/// The master becomes a replica that hears nothing of its master, and a master again.
async fn depose_and_promote(server: &Server) {
    let () = server.say("REPLICAOF 127.0.0.1 1").await;
    promote(server).await;
}

/// Asynchronous replication: the first server never hears of what its successor was told.
#[tokio::test]
async fn an_entry_of_a_former_reign_is_not_believed_though_its_server_keeps_its_run_id() {
    let (first, second) = pair().await;
    let proxy = Proxy::to("127.0.0.1", first.port);
    let store = process(&proxy.url()).await;
    put(&store).await;
    assert!(hits(&store).await);
    let run = first.info("run_id").await;

    promote(&second).await;
    proxy.lead_to(second.port);
    let writer = process(&second.url()).await;
    write(&writer, 1).await;

    depose_and_promote(&first).await;
    assert_eq!(first.info("run_id").await, run);
    // This process slept meanwhile; another one begins now. Neither has ever heard of the second server.
    proxy.lead_to(first.port);
    lose(&store).await;
    let later = process(&first.url()).await;
    assert!(!hits(&store).await && !hits(&later).await);
    put(&later).await;
    assert!(hits(&store).await, "both are of one incarnation");
}

#[tokio::test]
async fn a_master_that_forgets_its_predecessor_is_the_same_incarnation() {
    let (first, second) = pair().await;
    let () = second.say("CONFIG SET repl-backlog-ttl 1").await;
    promote(&second).await;
    let promoted = process(&second.url()).await;
    put(&promoted).await;
    // A replica comes and goes, and the history of replications with it.
    first.follow(&second).await;
    let known = second.info("master_replid2").await;
    drop(first);
    until(async || second.info("master_replid2").await != known).await;
    let later = process(&second.url()).await;
    assert!(hits(&later).await);
    write(&later, 1).await;
    assert!(!hits(&promoted).await);
}

/// A former master that is cut off from its Sentinels goes on taking fences of writers that are cut off with it.
#[tokio::test]
async fn a_process_that_comes_from_another_incarnation_invalidates_its_tables() {
    let (first, second) = pair().await;
    let proxy = Proxy::to("127.0.0.1", first.port);
    let writer = process(&proxy.url()).await;
    put(&writer).await;
    promote(&second).await;
    let reader = process(&second.url()).await;
    // The reader loads before the commit, where nobody sees the fence.
    put(&reader).await;
    write(&writer, 1).await;
    assert!(hits(&reader).await, "nobody can know yet");

    proxy.lead_to(second.port);
    lose(&writer).await;
    assert!(!hits(&writer).await && !hits(&reader).await);
}

#[tokio::test]
async fn a_lease_of_another_incarnation_fills_nothing() {
    let (first, second) = pair().await;
    let proxy = Proxy::to("127.0.0.1", first.port);
    // It has told its store of no table that would be invalidated first.
    let reader = RedisStore::connect(&proxy.url(), "shop").await.unwrap();
    let grant = lease(&reader).await;
    first.replicated(&second).await;
    // Its fence and release are not replicated.
    promote(&second).await;
    write(&process(&first.url()).await, 1).await;

    proxy.lead_to(second.port);
    lose(&reader).await;
    assert!(!reader.fill(&row(), entry(grant), TTL).await.unwrap());
    assert!(!hits(&process(&second.url()).await).await);
}

#[tokio::test]
async fn a_fence_outlives_a_failover_if_it_was_replicated() {
    let (first, second) = pair().await;
    let writer = process(&first.url()).await;
    writer.fence(&schema(), &[row().slot], Writer(1), TTL).await.unwrap();
    first.replicated(&second).await;
    promote(&second).await;
    let reader = process(&second.url()).await;
    assert_eq!(reader.lease(&schema(), &row(), None, TTL).await.unwrap(), None);
}

/// Somebody flushed the server, and a process that began since has made a new number.
#[tokio::test]
async fn processes_agree_on_the_incarnation_after_a_flush() {
    let server = Server::start();
    let early = process(&server.url()).await;
    put(&early).await;
    let () = server.say("FLUSHALL").await;
    let late = process(&server.url()).await;
    put(&late).await;
    // What it filled is not believed here, and what is fenced here is fenced there.
    assert!(!hits(&early).await);
    write(&early, 1).await;
    assert!(!hits(&late).await);
    put(&late).await;
    let over = early.lease(&schema(), &row(), None, TTL).await.unwrap_err();
    assert!(matches!(over, StoreError::Unexpected(_)), "{over:?}");
    assert!(!hits(&early).await, "it invalidates before it reads");
    put(&early).await;
    assert!(hits(&late).await);
}

#[tokio::test]
async fn an_evicted_incarnation_is_restored() {
    let server = Server::start();
    let store = process(&server.url()).await;
    put(&store).await;
    let () = server.say("DEL {cache-orm}:incarnation").await;
    store.lease(&schema(), &row(), None, TTL).await.unwrap_err();
    assert!(hits(&store).await);
    assert!(hits(&process(&server.url()).await).await);
}

/// The first fence on a server that knows no script, given up as soon as it was sent.
#[tokio::test]
async fn a_first_fence_that_is_given_up_is_placed_all_the_same() {
    let server = Server::start();
    let store = process(&server.url()).await;
    let (schema, cells) = (schema(), [row().slot]);
    server.pause();
    {
        let mut fence = pin!(store.fence(&schema, &cells, Writer(1), TTL));
        // The task of the connection runs meanwhile, and sends it.
        for _ in 0..100 {
            let pending = poll_fn(|context| Poll::Ready(fence.as_mut().poll(context).is_pending())).await;
            assert!(pending, "nobody answers");
            tokio::task::yield_now().await;
        }
    }
    server.resume();
    // The server takes the commands of a connection in order.
    assert_eq!(store.lease(&schema, &row(), None, TTL).await.unwrap(), None);
}

#[tokio::test]
async fn three_sentinels_lead_there_and_back() {
    let (first, second) = pair().await;
    let sentinels = Sentinels::watch(&first).await;
    let [writer, sleeper] = [process(&sentinels.url()).await, process(&sentinels.url()).await];
    put(&sleeper).await;
    first.replicated(&second).await;
    let run = first.info("run_id").await;
    for (from, to) in [(&first, &second), (&second, &first)] {
        assert!(hits(&process(&from.url()).await).await);
        sentinels.fail_over(from, to).await;
        lose(&writer).await;
        assert!(!hits(&writer).await);
        write(&writer, 1).await;
        put(&writer).await;
        to.replicated(from).await;
    }
    assert_eq!(first.info("run_id").await, run, "it was never restarted");
    lose(&sleeper).await;
    assert!(!hits(&sleeper).await, "it comes from the first reign");
    put(&sleeper).await;
    assert!(hits(&writer).await);
}

#[tokio::test]
async fn a_master_that_sentinels_do_not_know_is_an_error_that_says_so() {
    let master = Server::start();
    let replica = Server::start();
    replica.follow(&master).await;
    let sentinels = Sentinels::watch(&master).await;
    let url = sentinels.url().replace(MASTER, "elsewhere");
    match RedisStore::connect(&url, "shop").await {
        Err(ConnectError::Unusable { reason, .. }) => assert!(reason.contains("elsewhere"), "{reason}"),
        other => panic!("{other:?}"),
    }
    drop(sentinels);
    let gone = RedisStore::connect(&url, "shop").await.unwrap_err();
    assert!(matches!(gone, ConnectError::Unreachable { .. }), "{gone:?}");
}

//! The memcached backend keeps the contract of a backend on real servers: one, three, over a socket; whatever others put
//! there, and whatever becomes of a server.

#![allow(clippy::unwrap_used, reason = "a test")]

mod conforming;
mod counting;
mod hostile;
mod lost;
mod others;
mod server;

use std::time::{Duration, Instant};

use bytes::Bytes;
use cache_values::{
    backend::{Backend, Item, MemcachedBackend, Put, StoreError, Stored, When},
    name::Name,
};
use server::Server;

const MINUTE: Option<Duration> = Some(Duration::from_secs(60));

/// A text that nobody else has.
fn unique() -> String {
    format!("cache_test_{:016x}", rand::random::<u64>())
}

fn name(text: &str) -> Name {
    Name::new(text.to_owned(), false)
}

fn put(text: &str, bytes: impl Into<Bytes>, when: When) -> Put {
    Put { name: name(text), bytes: bytes.into(), ttl: MINUTE, when }
}

/// A backend that is patient: slow machines are no failures here.
async fn on(servers: &[&Server]) -> MemcachedBackend {
    let patience = Duration::from_secs(60);
    let builder = MemcachedBackend::builder(servers.iter().map(|server| server.address()));
    builder.connect_timeout(patience).server_timeout(patience).connect().await.unwrap()
}

async fn keep(backend: &MemcachedBackend, text: &str, bytes: impl Into<Bytes>) -> Result<Stored, StoreError> {
    Ok(backend.put(&[put(text, bytes, When::Always)]).await?[0])
}

async fn look(backend: &MemcachedBackend, text: &str) -> Option<Item> {
    backend.get(&[name(text)], true).await.unwrap().remove(0)
}

async fn read(backend: &MemcachedBackend, text: &str) -> Option<Bytes> {
    look(backend, text).await.map(|item| item.bytes)
}

/// Asks again until it is so: a server tells nobody when it is. One that never is fails the test instead of holding it up.
async fn until(is_so: impl AsyncFn() -> bool) {
    let began = Instant::now();
    while !is_so().await {
        assert!(began.elapsed() < Duration::from_secs(60), "it does not become so");
        tokio::task::yield_now().await;
    }
}

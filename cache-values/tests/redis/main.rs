//! The Redis backend keeps the contract of a backend on real servers: one, a leader with replicas, a master behind
//! Sentinels, a cluster; over TLS too; whatever stands under its names, and whatever becomes of its connection.

#![allow(clippy::unwrap_used, reason = "a test")]

mod cluster;
mod contract;
mod faults;
mod items;
#[path = "../../../cache-core/tests/redis_server/mod.rs"]
mod redis_server;
mod replicas;
mod sentinel;
mod single;
#[cfg(feature = "redis-tls")]
mod tls;
mod users;

use std::{
    future::{Future, poll_fn},
    pin::pin,
    task::Poll,
};

use bytes::Bytes;
use cache_values::{
    backend::{Backend, Item, Put, RedisBackend, Stored, When},
    name::Name,
};
use redis_server::url;

/// A backend on the server that the tests share.
async fn shared() -> RedisBackend {
    RedisBackend::connect(&url()).await.unwrap()
}

/// Names that no other test uses.
struct Names(String);

impl Names {
    fn new() -> Self {
        Names(format!("{}:1:", redis_server::unique()))
    }

    fn value(&self, key: impl std::fmt::Display) -> Name {
        Name::new(format!("{}g{{:{key}}}", self.0), false)
    }

    fn cell(&self) -> Name {
        Name::new(format!("{}generation", self.0), true)
    }
}

fn put(name: &Name, bytes: impl Into<Bytes>, when: When) -> Put {
    Put { name: name.clone(), bytes: bytes.into(), ttl: None, when }
}

async fn keep(backend: &dyn Backend, name: &Name, bytes: impl Into<Bytes>) {
    assert_eq!(backend.put(&[put(name, bytes, When::Always)]).await.unwrap(), [Stored::Kept]);
}

async fn look(backend: &dyn Backend, name: &Name) -> Option<Item> {
    let mut items = backend.get(std::slice::from_ref(name), true).await.unwrap();
    assert_eq!(items.len(), 1);
    items.pop().unwrap()
}

async fn read(backend: &dyn Backend, name: &Name) -> Option<Bytes> {
    let mut items = backend.get(std::slice::from_ref(name), false).await.unwrap();
    assert_eq!(items.len(), 1);
    items.pop().unwrap().map(|item| item.bytes)
}

/// Makes a call that is not answered, and leaves it once it was sent.
async fn give_up(call: impl Future) {
    let mut call = pin!(call);
    // The task of the connection runs meanwhile.
    for _ in 0..100 {
        let pending = poll_fn(|context| Poll::Ready(call.as_mut().poll(context).is_pending())).await;
        assert!(pending, "nobody answers");
        tokio::task::yield_now().await;
    }
}

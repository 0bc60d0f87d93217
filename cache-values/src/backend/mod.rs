//! Bytes under names, for a time: the contract of a backend, and the backends that there are.

mod contract;
#[cfg(feature = "database")]
pub mod database;
mod dummy;
#[cfg(feature = "file")]
pub mod file;
mod item;
#[cfg(feature = "memcached")]
mod memcached;
mod memory;
#[cfg(feature = "redis")]
mod redis;

pub use cache_core::store::StoreError;

pub(crate) use self::item::PROMISE;
#[cfg(feature = "memcached")]
pub use self::memcached::{MemcachedBackend, MemcachedBackendBuilder, MemcachedError};
#[cfg(feature = "redis")]
pub use self::redis::{ConnectError, RedisBackend, RedisBackendBuilder};
pub use self::{
    contract::{Backend, Capabilities},
    dummy::DummyBackend,
    item::{Counted, HEAD, Item, Left, Put, Start, Stored, Version, When, is_promise, number},
    memory::MemoryBackend,
};

//! The stores.

mod memory;
mod null;
/// Its rooms that lead to a server are of use to other caches.
#[cfg(feature = "redis")]
#[doc(hidden)]
pub mod redis;

pub use memory::MemoryStore;
pub use null::NullStore;
#[cfg(feature = "redis")]
pub use redis::{ConnectError, RedisBuilder, RedisStore};

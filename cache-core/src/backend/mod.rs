//! The stores.

mod memory;
mod null;
#[cfg(feature = "redis")]
mod redis;

pub use memory::MemoryStore;
pub use null::NullStore;
#[cfg(feature = "redis")]
pub use redis::{ConnectError, RedisBuilder, RedisStore};

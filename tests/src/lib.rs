//! What the tests of the whole share: fresh databases, a Redis to kill, and one test body run against every
//! database and every store.
//!
//! The servers' URLs come from the environment, where `cargo xtask test` puts them. A test whose server is
//! missing fails; it is never skipped.
//!
//! [`matrix!`] is where most tests start; after each run an [`audit`] compares what is left in its store with the
//! database. [`Database`], [`RedisServer`] and [`Link`] serve those that need one thing.

pub mod audit;
mod database;
mod environment;
mod link;
mod matrix;
mod proxy;
mod redis;
mod run;
pub mod shop;
mod vanish;

pub use audit::{Audited, CellName, Place};
pub use database::{Backend, Database, backends};
pub use environment::{is_long, unique_name};
pub use link::{Link, Lost};
pub use proxy::Proxy;
pub use redis::{RedisServer, redis_namespace, redis_url};
pub use run::{Env, StoreKind, run, run_on_database};
pub use vanish::{Sweep, vanish_after};

#[doc(hidden)]
pub use inventory;

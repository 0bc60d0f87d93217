//! A transparent, coherent model-instance cache for SeaORM 2.
//!
//! Entities opt in with a derive, the application changes one line, the connection, and its queries stay
//! standard SeaORM:
//!
//! ```
//! use cache_orm::{CachedConnection, Cacheable, MemoryStore};
//! use sea_orm::{DatabaseConnection, DbErr, entity::prelude::*};
//!
//! #[sea_orm::model]
//! #[derive(Clone, Debug, PartialEq, DeriveEntityModel, Cacheable)]
//! #[sea_orm(table_name = "product")]
//! #[cacheable(ttl = "10m")]
//! pub struct Model {
//!     #[sea_orm(primary_key)]
//!     pub id: i32,
//!     #[sea_orm(unique)]
//!     pub sku: String,
//!     pub price: i32,
//! }
//!
//! impl ActiveModelBehavior for ActiveModel {}
//!
//! async fn price(db: DatabaseConnection) -> Result<Option<i32>, DbErr> {
//!     let db = CachedConnection::new(db, MemoryStore::default());
//!     let product = Entity::find_by_sku("A-1").one(&db).await?; // from the cache after the first times
//!     Ok(product.map(|product| product.price))
//! }
//! ```
//!
//! # By task
//!
//! - **Cache an entity**: derive [`Cacheable`]; what may stand in `#[cacheable(…)]` is said there.
//! - **Choose a store**: [`MemoryStore`] for a database that one process writes to, `RedisStore` (feature `redis`) for
//!   several. [`Builder`] has the settings.
//! - **Write**: [`CachedConnection`] and [`CachedTransaction`] are used as SeaORM's own. What the cache itself refuses
//!   is a [`CacheErr`].
//! - **Read by key without a statement**: [`CachedEntity::get`], [`get_many`](CachedEntity::get_many),
//!   [`warm`](CachedEntity::warm).
//! - **Know what is cached, and why not**: [`CachedConnection::explain`], [`BypassReason`], and at the start
//!   [`Builder::require_cacheable`].
//! - **Changes behind the connection's back**: [`CachedConnection::migrate`] for migrations;
//!   [`CachedEntity::invalidate`], [`CachedConnection::invalidate_all`]; for other programs that share the store,
//!   [`Cache::invalidate`](cache_core::cache::Cache::invalidate).
//! - **Operate it**: [`Stats`], events of the `tracing` crate (what is cached at `info`; hits, misses,
//!   fills, fences and bypasses at `debug`; what goes wrong as warnings), [`CachedConnection::close`].
//!
//! What is never cached, and what must not be done: `docs/caveats.md`.
//!
//! # How it goes
//!
//! **A read** goes `connection` → `registry` (is this text a read we know?) → `read` → the store, or the
//! database and then the store → `row` (cached values back to a `QueryResult`).
//!
//! **A write** goes `connection` → `classify` (what does this text change?) → `write` (which cells is that?)
//! → fence → the database → release.
//!
//! What the real schema says (keys, collations, foreign keys, triggers) is learned from the database by
//! `schema` before anything is cached; `eligibility` combines it with the entities.

pub mod model;

mod dialect;

mod decoders;

mod keys;

mod registry;

mod schema;

mod not_cacheable;

mod eligibility;

mod classify;

mod row;

mod shield;

mod spans;

mod context;

mod write;

mod read;

pub mod connection;

mod entity;

mod error;

#[cfg(feature = "hooks")]
pub mod hooks;

pub mod stats;

#[doc(hidden)]
pub mod __private;

/// What was learned from the database, for tests against real servers.
#[cfg(feature = "testing")]
pub mod testing {
    pub use crate::schema::testing::LearnedSchema;
}

pub use cache_core;
pub use cache_core::{
    backend::{MemoryStore, NullStore},
    cache::{CacheError, Duty, Unsettled},
    key::Namespace,
    settings::Unreachable,
    store::{Store, StoreError},
};
pub use cache_macros::Cacheable;
pub use classify::reason::BypassReason;
#[doc(inline)]
pub use connection::{
    CachedConnection, NotCacheable, ReadyError, builder::Builder, explain::Explanation, stream::CachedStream,
    transaction::CachedTransaction,
};
pub use decoders::SameJson;
pub use entity::{CachedEntity, PrimaryKeyOf};
pub use error::CacheErr;
pub use stats::Stats;

#[cfg(feature = "redis")]
pub use cache_core::backend::{ConnectError, RedisStore};

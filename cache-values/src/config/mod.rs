//! The caches of an application, by name, as its configuration has them.
//!
//! A configuration is a URL with options, or a table of a file as Django's `CACHES`:
//!
//! ```
//! use cache_values::{CacheConfig, Caches};
//! # tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
//! let caches = Caches::builder()
//!     .add("default", "memory:?max_bytes=64MiB&timeout=5m&key_prefix=shop")
//!     .add("fragments", CacheConfig::url("memory:fragments").option("max_entries", "1000"))
//!     .add("tests", "dummy:")
//!     .build()
//!     .await?;
//! caches.get("default")?.set("greeting", "hello", Default::default()).await?;
//! assert!(caches.get("other").is_err());
//! # Ok::<(), Box<dyn std::error::Error>>(()) })?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! | scheme | backend | options of its own | feature |
//! |---|---|---|---|
//! | `memory:NAME` | memory of this process; caches of one name share it | `max_bytes`, or `max_entries` and `cull_frequency` | |
//! | `dummy:` | keeps nothing | | |
//! | `redis://[user:password@]host[:port][/database]` | a Redis; several URLs: a leader and its replicas | `read_your_writes`, `connect_timeout`, `replica_timeout`; of the connection: `protocol`, `db`, `user`, `pass` | `redis` |
//! | `redis+unix:///path` | the same over a socket | as above | `redis` |
//! | `redis+sentinel://one,two,three/master[/database]` | the master that Sentinels name | also `sentinel_user`, `sentinel_pass` | `redis` |
//! | `redis+cluster://one,two,three` | a cluster | as above | `redis` |
//! | `rediss://…`, `rediss+…://…` | the same over TLS | as above | `redis-tls` |
//! | `memcached://host[:port][,host[:port]…]`, `memcached:unix:/path` | memcached servers | `connections`, `connect_timeout` | `memcached` |
//! | `file:/FOLDER` | a folder | `max_entries`, `cull_frequency`, `max_bytes` | `file` |
//! | `database:TABLE` | a table of SQLite, PostgreSQL, MariaDB or MySQL | `connection` and `replica` (URLs; or the builder's connection), `max_entries`, `cull_frequency` | `database` |
//!
//! Options of all: `timeout` (`300`, `1h30m`, `0.5`, `never`), `version`, `key_prefix`, `codec` (`messagepack`, `json`),
//! `compress_from` (bytes, `never`), `longest_value` (bytes), `jitter` (0 to 1), `failure` (`degrade`, `strict`),
//! `call_timeout`, `lease`, `patience`. Times are seconds, or numbers with `ms`, `s`, `m`, `h`, `d`; sizes are bytes, or numbers with
//! `KiB`, `MiB`, `GiB`. An option that nobody knows is an error.

mod builder;
mod cache_config;
mod error;
mod open;
mod options;
mod units;

pub use self::{
    builder::{Caches, CachesBuilder},
    cache_config::CacheConfig,
    error::ConfigError,
};

#[cfg(test)]
mod tests;

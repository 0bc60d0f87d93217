//! The cache: values under the application's keys.
//!
//! A call goes down one way: the key becomes a [`Name`](crate::name::Name) under the cache's generation, the port calls the
//! backend, and what comes back is judged: is it a value, does it still count, is it of the type that was asked for.

mod compute;
mod counters;
mod entry;
mod judged;
mod many;
mod promise;
mod read;
mod tags;
mod versions;
mod write;

use std::{fmt, sync::Arc};

use bytes::Bytes;
use cache_core::flight::Flights;

pub use self::entry::Entry;
use crate::{
    backend::{Backend, MemoryBackend},
    error::Error,
    generation::Generations,
    name::{KeyFunction, Name, Naming},
    port::Port,
    settings::Settings,
    stats::Stats,
};

/// A cache of values under the application's own keys. Cheap to clone: clones, and views with another
/// [version](Cache::version) or [prefix](Cache::prefix), are one cache.
///
/// ```
/// use cache_values::{Cache, Ttl};
/// # tokio::runtime::Builder::new_current_thread().build()?.block_on(async {
/// let cache = Cache::in_memory();
/// cache.set("greeting", "hello", Ttl::secs(60)).await?;
/// assert_eq!(cache.get::<String>("greeting").await?.as_deref(), Some("hello"));
/// # Ok::<(), cache_values::Error>(()) })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Cache {
    shared: Arc<Shared>,
    /// Read by the tests of conformance too.
    pub(crate) naming: Naming,
}

/// What all views of a cache have in common.
struct Shared {
    port: Port,
    generations: Generations,
    /// The computations of this process. Each hands over the item that was stored.
    flights: Flights<Name, Bytes>,
    settings: Settings,
}

impl Cache {
    /// A cache that keeps its values in `backend`.
    ///
    /// # Errors
    /// [`Error::Prefix`] if the prefix is too long.
    pub fn new(backend: impl Backend, settings: Settings) -> Result<Self, Error> {
        Cache::shared(Arc::new(backend), settings)
    }

    /// A cache in a backend that others use too.
    ///
    /// # Errors
    /// [`Error::Prefix`] if the prefix is too long.
    pub fn shared(backend: Arc<dyn Backend>, settings: Settings) -> Result<Self, Error> {
        let naming = Naming::new(&settings.prefix, settings.version, settings.key_function.clone())?;
        let shared = Shared {
            port: Port::new(backend, settings.time_out),
            generations: Generations::default(),
            flights: Flights::default(),
            settings,
        };
        Ok(Cache { shared: Arc::new(shared), naming })
    }

    /// A cache of 64 MiB in the memory of this process, with default settings.
    pub fn in_memory() -> Self {
        let built = Cache::new(MemoryBackend::default(), Settings::default());
        built.expect("the default settings have no prefix")
    }

    /// The same cache with another version of its keys.
    pub fn version(&self, version: i64) -> Self {
        Cache { naming: self.naming.with_version(version), ..self.clone() }
    }

    /// The same cache with another prefix of its keys.
    ///
    /// # Errors
    /// [`Error::Prefix`] if it is too long.
    pub fn prefix(&self, prefix: &str) -> Result<Self, Error> {
        Ok(Cache { naming: self.naming.with_prefix(prefix)?, ..self.clone() })
    }

    /// The same cache with another [key function](Settings::key_function).
    pub fn key_function(&self, function: impl Fn(&str, i64, &str) -> String + Send + Sync + 'static) -> Self {
        let function: KeyFunction = Arc::new(function);
        Cache { naming: self.naming.with_function(function), ..self.clone() }
    }

    /// Empties the cache: its prefix and its version, and nothing else in the backend. Costs the same whatever is there.
    ///
    /// Once this has returned, no process finds a value that was there before, numbers and tags included. The room is
    /// given back later.
    ///
    /// # Errors
    /// [`Error::Backend`]: nobody knows whether the cache was emptied.
    ///
    /// # Cancel safety
    /// A dropped call may or may not have emptied the cache.
    pub async fn clear(&self) -> Result<(), Error> {
        let ended = self.shared.generations.end(&self.shared.port, &self.naming).await?;
        if let Some(ended) = ended {
            self.shared.port.sweep(self.naming.stem_of(ended));
        }
        tracing::debug!(backend = ?self.shared.port.backend(), "cache cleared");
        Ok(())
    }

    /// Ends the backend's connections. Calls that follow fail, or connect anew.
    pub async fn close(&self) {
        self.shared.port.close().await;
    }

    /// What happened to this cache in this process.
    pub fn stats(&self) -> Stats {
        self.shared.port.counters().snapshot()
    }

    fn settings(&self) -> &Settings {
        &self.shared.settings
    }
}

impl fmt::Debug for Cache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("Cache");
        shown.field("backend", &self.shared.port.backend());
        shown.field("naming", &self.naming).finish_non_exhaustive()
    }
}

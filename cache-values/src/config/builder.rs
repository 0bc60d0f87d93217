//! Several caches under names.

use std::{collections::BTreeMap, fmt, sync::Arc};

use super::{
    cache_config::CacheConfig,
    error::{ConfigError, listed},
    open::{Shared, open},
};
use crate::{backend::Backend, cache::Cache, settings::Settings};

/// The caches of an application, by name. Cheap to clone.
#[derive(Clone)]
pub struct Caches {
    caches: Arc<BTreeMap<String, Cache>>,
}

impl Caches {
    /// Names caches one by one.
    pub fn builder() -> CachesBuilder {
        CachesBuilder::default()
    }

    /// The caches of a configuration: a map from names to what a [`CacheConfig`] is read from.
    ///
    /// # Errors
    /// [`ConfigError::Several`] says what is wrong with each.
    pub async fn from_config(
        configs: impl IntoIterator<Item = (String, CacheConfig)>,
    ) -> Result<Self, ConfigError> {
        let builder = Caches::builder();
        configs.into_iter().fold(builder, |builder, (alias, config)| builder.add(alias, config)).build().await
    }

    /// The cache of this name.
    ///
    /// # Errors
    /// [`ConfigError::Cache`] names those that there are.
    pub fn get(&self, alias: &str) -> Result<Cache, ConfigError> {
        self.caches.get(alias).cloned().ok_or_else(|| ConfigError::Cache {
            alias: alias.to_owned(),
            known: listed(self.caches.keys().map(String::as_str)),
        })
    }

    /// All caches, by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Cache)> {
        self.caches.iter().map(|(alias, cache)| (alias.as_str(), cache))
    }

    /// [Closes](Cache::close) all of them.
    pub async fn close(&self) {
        for cache in self.caches.values() {
            cache.close().await;
        }
    }
}

impl fmt::Debug for Caches {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter()).finish()
    }
}

/// Names caches one by one.
#[derive(Debug, Default)]
#[must_use = "a builder does nothing until it builds"]
pub struct CachesBuilder {
    caches: Vec<(String, Wanted)>,
    #[cfg(feature = "database")]
    connection: Option<sea_orm::DatabaseConnection>,
}

#[derive(Debug)]
enum Wanted {
    Config(CacheConfig),
    Backend(Arc<dyn Backend>, Box<Settings>),
}

impl CachesBuilder {
    /// A cache as its configuration says: a URL, or a [`CacheConfig`].
    pub fn add(mut self, alias: impl Into<String>, config: impl Into<CacheConfig>) -> Self {
        self.caches.push((alias.into(), Wanted::Config(config.into())));
        self
    }

    /// A cache in a backend that is made elsewhere.
    pub fn backend(mut self, alias: impl Into<String>, backend: impl Backend, settings: Settings) -> Self {
        self.caches.push((alias.into(), Wanted::Backend(Arc::new(backend), Box::new(settings))));
        self
    }

    /// The connection of caches in a database whose configuration names none. They take no part in its transactions.
    #[cfg(feature = "database")]
    pub fn connection(mut self, connection: sea_orm::DatabaseConnection) -> Self {
        self.connection = Some(connection);
        self
    }

    /// Opens all of them.
    ///
    /// # Errors
    /// [`ConfigError::Several`] says what is wrong with each.
    pub async fn build(self) -> Result<Caches, ConfigError> {
        let (mut caches, mut wrong) = (BTreeMap::new(), Vec::new());
        #[cfg(feature = "database")]
        let mut shared = Shared { connection: self.connection, ..Shared::default() };
        #[cfg(not(feature = "database"))]
        let mut shared = Shared::default();
        for (alias, wanted) in self.caches {
            let opened = match wanted {
                Wanted::Config(config) => open(&config, &mut shared).await,
                Wanted::Backend(backend, settings) => Ok((backend, *settings)),
            };
            let cache = opened.and_then(|(backend, settings)| {
                Cache::shared(backend, settings).map_err(|error| ConfigError::Backend(error.to_string()))
            });
            match cache {
                Ok(_) if caches.contains_key(&alias) => wrong.push((alias, ConfigError::Twice)),
                Ok(cache) => drop(caches.insert(alias, cache)),
                Err(error) => wrong.push((alias, error)),
            }
        }
        if wrong.is_empty() {
            Ok(Caches { caches: Arc::new(caches) })
        } else {
            Err(ConfigError::Several(wrong))
        }
    }
}

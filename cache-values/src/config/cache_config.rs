//! Where a cache is kept, and its options, from a URL or a table.

use std::{collections::BTreeMap, fmt};

use serde::Deserialize;

use super::{error::ConfigError, options::Options};
use crate::ttl::Ttl;

/// Where a cache is kept, and its options.
///
/// From a file, with serde: `url` (or `location`; several, where a backend has several servers), `timeout`, `version`,
/// `key_prefix` and the table `options`; Django's spelling in capitals is understood too.
///
/// ```
/// let config: cache_values::CacheConfig = serde_json::from_str(
///     r#"{"LOCATION": "memory:", "TIMEOUT": null, "OPTIONS": {"MAX_ENTRIES": 1000, "CULL_FREQUENCY": 4}}"#,
/// )?;
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Deserialize)]
#[serde(from = "Table")]
pub struct CacheConfig {
    pub(super) urls: Vec<String>,
    pub(super) options: Options,
}

/// What stands before the first colon.
pub(super) fn scheme(url: &str) -> &str {
    url.split_once(':').map_or("", |(scheme, _)| scheme)
}

impl CacheConfig {
    /// A cache at this URL, whose query has the options.
    pub fn url(url: impl Into<String>) -> Self {
        CacheConfig::urls([url])
    }

    /// A cache with several servers: what that means is the backend's to say. The options are those of the first URL.
    pub fn urls(urls: impl IntoIterator<Item = impl Into<String>>) -> Self {
        let mut urls: Vec<String> = urls.into_iter().map(Into::into).collect();
        let mut options = Options::default();
        if let Some(first) = urls.first_mut() {
            options = Options::split_off(first);
        }
        CacheConfig { urls, options }
    }

    /// How long values are kept, as the option `timeout` says.
    ///
    /// # Errors
    /// [`ConfigError::Value`] if that is no time.
    pub fn timeout(&self) -> Result<Ttl, ConfigError> {
        Ok(self.options.timeout()?.map_or(Ttl::Default, Ttl::from))
    }

    /// The table that the cache is kept in, if it is kept in a database.
    ///
    /// # Errors
    /// [`ConfigError::Backend`] if no table can have this name.
    #[cfg(feature = "database")]
    pub fn table(&self) -> Result<Option<crate::backend::database::Table>, ConfigError> {
        let url = self.urls.first().map_or("", String::as_str);
        let Some(name) = url.strip_prefix("database:") else { return Ok(None) };
        let table = crate::backend::database::Table::new(name.trim_start_matches('/'));
        table.map(Some).map_err(|error| ConfigError::Backend(error.to_string()))
    }

    /// The URL of the database that the cache is kept in, if the configuration has one.
    #[cfg(feature = "database")]
    pub fn connection(&self) -> Option<&str> {
        self.options.text("connection")
    }

    /// Sets an option, whatever the URL says.
    pub fn option(mut self, name: &str, value: impl Into<String>) -> Self {
        self.options.set(name, value.into());
        self
    }
}

impl<T: Into<String>> From<T> for CacheConfig {
    fn from(url: T) -> Self {
        CacheConfig::url(url)
    }
}

/// Shows the scheme alone: what follows may be a password.
impl fmt::Debug for CacheConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let schemes: Vec<_> = self.urls.iter().map(|url| format!("{}:..", scheme(url))).collect();
        f.debug_struct("CacheConfig").field("urls", &schemes).field("options", &self.options).finish()
    }
}

/// A table of a configuration file.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    #[serde(alias = "URL", alias = "location", alias = "LOCATION")]
    url: OneOrMore,
    #[serde(alias = "TIMEOUT", default, deserialize_with = "given")]
    timeout: Option<Given>,
    #[serde(alias = "VERSION", default, deserialize_with = "given")]
    version: Option<Given>,
    #[serde(alias = "KEY_PREFIX", default, deserialize_with = "given")]
    key_prefix: Option<Given>,
    #[serde(alias = "OPTIONS", default)]
    options: BTreeMap<String, Given>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum OneOrMore {
    One(String),
    More(Vec<String>),
}

/// A value of an option, however it is written.
#[derive(Deserialize)]
#[serde(untagged)]
enum Given {
    Bool(bool),
    Integer(i64),
    Float(f64),
    Text(String),
    /// As Django's `None`.
    Nothing(()),
}

/// What is there, were it nothing.
fn given<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<Given>, D::Error> {
    Given::deserialize(deserializer).map(Some)
}

impl Given {
    fn into_text(self) -> String {
        match self {
            Given::Bool(value) => value.to_string(),
            Given::Integer(value) => value.to_string(),
            Given::Float(value) => value.to_string(),
            Given::Text(text) => text,
            Given::Nothing(()) => "never".to_owned(),
        }
    }
}

impl From<Table> for CacheConfig {
    fn from(table: Table) -> Self {
        let mut config = match table.url {
            OneOrMore::One(url) => CacheConfig::url(url),
            OneOrMore::More(urls) => CacheConfig::urls(urls),
        };
        let named =
            [("timeout", table.timeout), ("version", table.version), ("key_prefix", table.key_prefix)];
        for (name, value) in named {
            if let Some(value) = value {
                config.options.set(name, value.into_text());
            }
        }
        for (name, value) in table.options {
            config.options.set(&name, value.into_text());
        }
        config
    }
}

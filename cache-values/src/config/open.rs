//! From a URL to a backend.

use std::{collections::HashMap, sync::Arc};

use super::{
    cache_config::{CacheConfig, scheme},
    error::{ConfigError, listed},
};
use crate::{
    backend::{Backend, DummyBackend, MemoryBackend},
    settings::Settings,
};

/// All schemes, with the features that bring them.
const SCHEMES: &[(&str, Option<&str>)] = &[
    ("memory", None),
    ("dummy", None),
    ("redis", Some("redis")),
    ("rediss", Some("redis-tls")),
    ("redis+unix", Some("redis")),
    ("redis+sentinel", Some("redis")),
    ("rediss+sentinel", Some("redis-tls")),
    ("redis+cluster", Some("redis")),
    ("rediss+cluster", Some("redis-tls")),
    ("memcached", Some("memcached")),
    ("file", Some("file")),
    ("database", Some("database")),
];

/// What caches of one application have in common.
#[derive(Debug, Default)]
pub(super) struct Shared {
    /// The application's connection, for caches in a database that name none.
    #[cfg(feature = "database")]
    pub(super) connection: Option<sea_orm::DatabaseConnection>,
    /// Stores in memory, by name.
    pub(super) memory: HashMap<String, MemoryBackend>,
}

/// Opens the backend of a cache, and reads its settings.
pub(super) async fn open(
    config: &CacheConfig,
    shared: &mut Shared,
) -> Result<(Arc<dyn Backend>, Settings), ConfigError> {
    let url = config.urls.first().map_or("", String::as_str);
    let settings = config.options.settings()?;
    let backend: Arc<dyn Backend> = match scheme(url) {
        "memory" => Arc::new(memory(url, config, shared)?),
        "dummy" => Arc::new(DummyBackend),
        #[cfg(feature = "redis")]
        scheme if scheme.starts_with("redis") => Arc::new(redis(config)?),
        #[cfg(feature = "memcached")]
        "memcached" => Arc::new(memcached(config)?),
        #[cfg(feature = "file")]
        "file" => Arc::new(file(url, config).await?),
        #[cfg(feature = "database")]
        "database" => Arc::new(database(url, config, shared).await?),
        other => return Err(unknown(other)),
    };
    config.options.all_taken()?;
    if config.urls.len() > 1 && !matches!(scheme(url), "redis" | "rediss" | "memcached") {
        return Err(ConfigError::Backend(format!("`{}:` has one place, not several", scheme(url))));
    }
    Ok((backend, settings))
}

fn memory(url: &str, config: &CacheConfig, shared: &mut Shared) -> Result<MemoryBackend, ConfigError> {
    let (bytes, entries) = (config.options.size("max_bytes")?, config.options.number("max_entries")?);
    let frequency = config.options.number("cull_frequency")?;
    let made = match (bytes, entries, frequency) {
        (Some(_), Some(_), _) => {
            return Err(ConfigError::Backend("give either `max_bytes` or `max_entries`".to_owned()));
        }
        (_, None, Some(_)) => {
            return Err(ConfigError::Backend("`cull_frequency` goes with `max_entries`".to_owned()));
        }
        (None, Some(entries), frequency) => MemoryBackend::with_entries(entries, frequency.unwrap_or(3)),
        (Some(bytes), None, None) => MemoryBackend::with_capacity(bytes),
        (None, None, None) => MemoryBackend::default(),
    };
    let name = url["memory:".len()..].trim_start_matches('/').to_owned();
    // Caches without a name share the one that has none, as Django's do.
    Ok(shared.memory.entry(name).or_insert(made).clone())
}

/// One server, or a leader and the replicas that follow in the list. What belongs to the connection is the URL's again.
#[cfg(feature = "redis")]
fn redis(config: &CacheConfig) -> Result<crate::backend::RedisBackend, ConfigError> {
    let options = &config.options;
    let own = ["protocol", "db", "user", "pass", "sentinel_user", "sentinel_pass"];
    let own: Vec<_> = own.into_iter().filter_map(|name| Some((name, options.text(name)?))).collect();
    let (first, replicas) =
        config.urls.split_first().map_or(("", &[][..]), |(first, rest)| (first.as_str(), rest));
    let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(&own).finish();
    let url = if query.is_empty() { first.to_owned() } else { format!("{first}?{query}") };
    let mut builder = crate::backend::RedisBackend::builder(url).replicas(replicas);
    if let Some(read) = options.read("read_your_writes", "true or false", |text| text.parse().ok())? {
        builder = builder.read_your_writes(read);
    }
    if let Some(time) = options.time("connect_timeout")? {
        builder = builder.connect_timeout(time);
    }
    if let Some(time) = options.time("replica_timeout")? {
        builder = builder.replica_timeout(time);
    }
    // The server may be down while the application starts.
    builder.open().map_err(|error| ConfigError::Backend(error.to_string()))
}

/// Several servers, in one URL or in several.
#[cfg(feature = "memcached")]
fn memcached(config: &CacheConfig) -> Result<crate::backend::MemcachedBackend, ConfigError> {
    let address =
        |url: &String| url.strip_prefix("memcached:").unwrap_or(url).trim_start_matches("//").to_owned();
    let servers = config.urls.iter().map(address);
    let servers: Vec<String> =
        servers.flat_map(|urls| urls.split(',').map(str::to_owned).collect::<Vec<_>>()).collect();
    let mut builder = crate::backend::MemcachedBackend::builder(servers);
    if let Some(connections) = config.options.number("connections")? {
        builder = builder.connections(connections);
    }
    if let Some(time) = config.options.time("connect_timeout")? {
        builder = builder.connect_timeout(time);
    }
    builder.open().map_err(|error| ConfigError::Backend(error.to_string()))
}

#[cfg(feature = "file")]
async fn file(url: &str, config: &CacheConfig) -> Result<crate::backend::file::FileBackend, ConfigError> {
    let options = &config.options;
    let (entries, frequency) = (options.number("max_entries")?, options.number("cull_frequency")?);
    let bytes = options.size("max_bytes")?;
    let path = url["file:".len()..].trim_start_matches("//");
    if path.is_empty() {
        return Err(ConfigError::Backend("`file:` needs a folder, as in file:/var/cache/shop".to_owned()));
    }
    let opened = crate::backend::file::FileBackend::open(path).await;
    let mut backend = opened.map_err(|error| ConfigError::Backend(error.to_string()))?;
    if let Some(entries) = entries {
        backend = backend.with_entries(entries, frequency.unwrap_or(3));
    }
    Ok(match bytes {
        Some(bytes) => backend.with_bytes(bytes as u64),
        None => backend,
    })
}

#[cfg(feature = "database")]
async fn database(
    url: &str,
    config: &CacheConfig,
    shared: &Shared,
) -> Result<crate::backend::database::DatabaseBackend, ConfigError> {
    use crate::backend::database::DatabaseBackend;

    let options = &config.options;
    let (entries, frequency) = (options.number("max_entries")?, options.number("cull_frequency")?);
    let table = config.table()?.ok_or_else(|| unknown(scheme(url)))?;
    let connection = match (config.connection(), &shared.connection) {
        (Some(url), _) => connect(url).await?,
        (None, Some(connection)) => connection.clone(),
        (None, None) => return Err(ConfigError::Backend(NO_CONNECTION.to_owned())),
    };
    let mut backend =
        DatabaseBackend::new(connection, &table).map_err(|error| ConfigError::Backend(error.to_string()))?;
    if let Some(url) = options.text("replica") {
        backend = backend.with_replica(connect(url).await?);
    }
    Ok(match entries {
        Some(entries) => backend.with_entries(entries, frequency.unwrap_or(3)),
        None => backend,
    })
}

#[cfg(feature = "database")]
const NO_CONNECTION: &str =
    "`database:` needs a connection: give the builder one, or the option `connection` a URL";

/// The error of the driver may repeat the URL, and with it the password.
#[cfg(feature = "database")]
async fn connect(url: &str) -> Result<sea_orm::DatabaseConnection, ConfigError> {
    let mut options = sea_orm::ConnectOptions::new(url);
    options.sqlx_logging(false);
    sea_orm::Database::connect(options).await.map_err(|_| {
        ConfigError::Backend(
            "the database of the cache can't be connected to by the URL that is given".to_owned(),
        )
    })
}

fn unknown(scheme: &str) -> ConfigError {
    match SCHEMES.iter().find(|(known, _)| *known == scheme) {
        Some((scheme, Some(feature))) => ConfigError::Feature { scheme: (*scheme).to_owned(), feature },
        _ => ConfigError::Scheme {
            // What has no colon may be anything.
            scheme: scheme
                .chars()
                .filter(|c| c.is_ascii_alphanumeric() || "+-.".contains(*c))
                .take(20)
                .collect(),
            known: listed(SCHEMES.iter().map(|(known, _)| *known)),
        },
    }
}

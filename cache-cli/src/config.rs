//! Which caches there are.

use std::{collections::BTreeMap, env, fs, path::Path};

use cache_values::{Cache, CacheConfig, Caches};

use crate::{arguments::Arguments, output::Failure};

const NOWHERE: &str = "which cache? give --url URL or --config FILE, or set CACHECTL_URL or CACHECTL_CONFIG";

/// The caches that the arguments, or else the environment, name.
pub(crate) fn configs(arguments: &Arguments) -> Result<BTreeMap<String, CacheConfig>, Failure> {
    let variable = |name| env::var(name).ok().filter(|value: &String| !value.is_empty());
    let (url, file) = match (&arguments.place.url, &arguments.place.config) {
        (None, None) => (variable("CACHECTL_URL"), variable("CACHECTL_CONFIG").map(Into::into)),
        (url, file) => (url.clone(), file.clone()),
    };
    match (url, file) {
        (Some(url), _) => Ok(BTreeMap::from([(arguments.cache.clone(), CacheConfig::url(url))])),
        (None, Some(file)) => read(&file),
        (None, None) => Err(Failure::Usage(NOWHERE.to_owned())),
    }
}

/// Opens them.
pub(crate) async fn open(arguments: &Arguments) -> Result<Caches, Failure> {
    let configs = configs(arguments)?;
    // A miss would hide that the backend is down.
    let strict = configs.into_iter().map(|(alias, config)| (alias, config.option("failure", "strict")));
    Caches::from_config(strict).await.map_err(|error| Failure::Usage(error.to_string()))
}

/// The cache that is meant.
pub(crate) fn one(caches: &Caches, arguments: &Arguments) -> Result<Cache, Failure> {
    let cache = caches.get(&arguments.cache).map_err(|error| Failure::Usage(error.to_string()))?;
    Ok(match arguments.key_version {
        Some(version) => cache.version(version),
        None => cache,
    })
}

fn read(file: &Path) -> Result<BTreeMap<String, CacheConfig>, Failure> {
    let text = fs::read_to_string(file)
        .map_err(|error| Failure::Usage(format!("{} can't be read: {error}", file.display())))?;
    // The message of the error shows a line of the file: it may hold a password.
    toml::from_str(&text).map_err(|error: toml::de::Error| {
        let line = error.span().map_or(0, |span| text[..span.start.min(text.len())].lines().count());
        Failure::Usage(format!("{}, line {}: {}", file.display(), line.max(1), error.message()))
    })
}

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
const SCHEMES: &[(&str, Option<&str>)] = &[("memory", None), ("dummy", None)];

/// What caches of one application have in common.
#[derive(Debug, Default)]
pub(super) struct Shared {
    /// Stores in memory, by name.
    memory: HashMap<String, MemoryBackend>,
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
        other => return Err(unknown(other)),
    };
    config.options.all_taken()?;
    if config.urls.len() > 1 {
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

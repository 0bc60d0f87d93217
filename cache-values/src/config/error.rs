//! What can be wrong with a configuration.

/// A configuration that makes no cache. Never holds a password: what was given is not repeated, but for names.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// No backend has this scheme.
    #[error("there is no backend `{scheme}:`; there are {known}")]
    Scheme {
        /// What stands before the colon.
        scheme: String,
        /// Those that there are.
        known: String,
    },
    /// The backend is there, but was not built in.
    #[error("`{scheme}:` needs the feature `{feature}` of cache-values")]
    Feature {
        /// What stands before the colon.
        scheme: String,
        /// The feature that brings it.
        feature: &'static str,
    },
    /// The backend has no such option.
    #[error("there is no option `{option}` here; there are {known}")]
    Option {
        /// Its name.
        option: String,
        /// Those that there are.
        known: String,
    },
    /// The value of an option is none.
    #[error("`{option}` is {expected}")]
    Value {
        /// The name of the option.
        option: String,
        /// What it should be.
        expected: &'static str,
    },
    /// The backend can't be used as it is configured, or is not there.
    #[error("{0}")]
    Backend(String),
    /// Two caches have one name.
    #[error("there are two caches of this name")]
    Twice,
    /// There is no cache of this name.
    #[error("there is no cache {alias:?}; there are {known}")]
    Cache {
        /// What was asked for.
        alias: String,
        /// Those that there are.
        known: String,
    },
    /// What is wrong, cache by cache.
    #[error("{}", .0.iter().map(|(alias, error)| format!("cache {alias:?}: {error}")).collect::<Vec<_>>().join("\n"))]
    Several(Vec<(String, ConfigError)>),
}

/// Names in a sentence.
pub(super) fn listed<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    let names: Vec<_> = names.into_iter().map(|name| format!("`{name}`")).collect();
    match names.is_empty() {
        true => "none".to_owned(),
        false => names.join(", "),
    }
}

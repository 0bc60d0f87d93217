//! The settings of one cache.

use std::{sync::Arc, time::Duration};

use crate::{codec::Codec, name::KeyFunction};

/// Django's default: five minutes.
pub(crate) const DEFAULT_TTL: Duration = Duration::from_secs(300);

/// What becomes of calls while the backend fails.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Failure {
    /// Reads are misses, and values that can't be set are not: both are counted, and the application goes on. What answers a
    /// question that nobody else can answer (`add`, `incr`, `touch`, `delete`, `clear`, …) is an error all the same.
    #[default]
    Degrade,
    /// Every call says so. (But not `get_or_set` and its like: they compute.)
    Strict,
}

/// How one cache names, encodes and keeps its values, and calls its backend.
///
/// ```
/// use std::time::Duration;
/// use cache_values::{Cache, Settings, backend::MemoryBackend};
/// let settings = Settings::default().prefix("shop").ttl(Duration::from_secs(60));
/// let cache = Cache::new(MemoryBackend::default(), settings)?;
/// # Ok::<(), cache_values::Error>(())
/// ```
#[derive(Clone)]
pub struct Settings {
    pub(crate) ttl: Option<Duration>,
    pub(crate) version: i64,
    pub(crate) prefix: String,
    pub(crate) key_function: Option<KeyFunction>,
    pub(crate) codec: Codec,
    pub(crate) pack_from: Option<usize>,
    pub(crate) longest: usize,
    pub(crate) jitter: f64,
    pub(crate) failure: Failure,
    pub(crate) time_out: Duration,
    pub(crate) lease: Duration,
    pub(crate) patience: Duration,
}

impl Default for Settings {
    fn default() -> Self {
        Settings {
            ttl: Some(DEFAULT_TTL),
            version: 1,
            prefix: String::new(),
            key_function: None,
            codec: Codec::default(),
            pack_from: Some(1024),
            longest: 64 << 20,
            jitter: 0.0,
            failure: Failure::default(),
            time_out: Duration::from_millis(500),
            lease: Duration::from_secs(10),
            patience: Duration::from_secs(10),
        }
    }
}

impl Settings {
    /// How long values are kept whose time to live is not given: 300 seconds, if nothing else is said; `None` is for ever; nothing at
    /// all is not at all.
    pub fn ttl(self, ttl: impl Into<Option<Duration>>) -> Self {
        Settings { ttl: ttl.into(), ..self }
    }

    /// The version of the keys: 1, if nothing else is said.
    pub fn version(self, version: i64) -> Self {
        Settings { version, ..self }
    }

    /// What sets this cache's keys apart from those of others in the same backend. At most 80 bytes.
    pub fn prefix(self, prefix: impl Into<String>) -> Self {
        Settings { prefix: prefix.into(), ..self }
    }

    /// Makes one key of prefix, version and the application's key, instead of the usual way.
    ///
    /// Keys that are made equal are one key. The prefix sets caches apart all the same; versions are the function's to tell
    /// apart, and `clear` is one for all of them.
    pub fn key_function(self, function: impl Fn(&str, i64, &str) -> String + Send + Sync + 'static) -> Self {
        Settings { key_function: Some(Arc::new(function)), ..self }
    }

    /// How values are encoded: as MessagePack, if nothing else is said. Values of the other encoding are read all the same.
    pub fn codec(self, codec: Codec) -> Self {
        Settings { codec, ..self }
    }

    /// From how many bytes on values are compressed: 1024, if nothing else is said; `None` is never.
    pub fn compress_from(self, bytes: impl Into<Option<usize>>) -> Self {
        Settings { pack_from: bytes.into(), ..self }
    }

    /// How many bytes a value may have, encoded and before it is compressed: 64 MiB, if nothing else is said.
    pub fn longest_value(self, bytes: usize) -> Self {
        Settings { longest: bytes, ..self }
    }

    /// By which part of its time, at most, a value goes earlier, at random, so that what was stored at once is not computed at once:
    /// from 0, which is the default, to 1.
    pub fn jitter(self, part: f64) -> Self {
        Settings { jitter: if part.is_finite() { part.clamp(0.0, 1.0) } else { 0.0 }, ..self }
    }

    /// What becomes of calls while the backend fails.
    pub fn failure(self, failure: Failure) -> Self {
        Settings { failure, ..self }
    }

    /// How long one call to the backend may take: half a second, if nothing else is said.
    pub fn time_out(self, time_out: Duration) -> Self {
        Settings { time_out, ..self }
    }

    /// For how long a process that computes a value and is not heard of any more keeps others from it: ten seconds, if nothing else
    /// is said. A computation may take longer.
    pub fn lease(self, lease: Duration) -> Self {
        Settings { lease: lease.max(Duration::from_millis(10)), ..self }
    }

    /// How long a call waits for a value that another process computes, before it computes the value itself: ten seconds, if
    /// nothing else is said.
    pub fn patience(self, patience: Duration) -> Self {
        Settings { patience, ..self }
    }
}

impl std::fmt::Debug for Settings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut shown = f.debug_struct("Settings");
        shown.field("ttl", &self.ttl).field("version", &self.version).field("prefix", &self.prefix);
        shown.field("codec", &self.codec).field("failure", &self.failure).finish_non_exhaustive()
    }
}

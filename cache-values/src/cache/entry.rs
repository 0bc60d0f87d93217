//! One key, with options of its own.

use std::{marker::PhantomData, time::Duration};

use serde::{Serialize, de::DeserializeOwned};

use super::Cache;
use crate::{error::Error, key::KeyFor, ttl::Ttl};

/// One key of a cache, with options of its own. [`Cache::entry`] makes it.
///
/// ```
/// use std::time::Duration;
/// use cache_values::{Cache, Ttl};
/// # tokio::runtime::Builder::new_current_thread().enable_time().build()?.block_on(async {
/// let cache = Cache::in_memory();
/// let top: Vec<u32> = cache
///     .entry("top")
///     .ttl(Ttl::secs(60))
///     .tags(["home"])
///     .stale_if_error(Duration::from_secs(3600))
///     .get_or_set(async || Ok::<_, std::io::Error>(vec![3, 1, 2]))
///     .await?;
/// cache.invalidate_tag("home").await?;
/// assert_eq!(cache.get::<Vec<u32>>("top").await?, None);
/// # Ok::<(), Box<dyn std::error::Error>>(()) })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[must_use = "an entry does nothing by itself"]
pub struct Entry<'a, T, K> {
    pub(super) cache: &'a Cache,
    pub(super) key: K,
    pub(super) options: Options,
    value: PhantomData<fn() -> T>,
}

#[derive(Clone, Debug, Default)]
pub(super) struct Options {
    pub(super) ttl: Ttl,
    pub(super) tags: Vec<String>,
    pub(super) revalidate: Duration,
    pub(super) on_error: Duration,
    pub(super) early: f64,
}

impl Cache {
    /// One key of the cache, with options of its own: tags, times, what to do when its value is over.
    pub fn entry<'a, T, K: KeyFor<T> + 'a>(&'a self, key: K) -> Entry<'a, T, K> {
        Entry::new(self, key)
    }
}

impl Options {
    /// How long the item is kept beyond the value's time.
    pub(super) fn grace(&self) -> Duration {
        self.revalidate.max(self.on_error)
    }

    /// Whether it matters how much time is left.
    pub(super) fn wants_left(&self) -> bool {
        self.early > 0.0 || !self.grace().is_zero()
    }
}

impl<'a, T, K: KeyFor<T>> Entry<'a, T, K> {
    pub(super) fn new(cache: &'a Cache, key: K) -> Self {
        Entry { cache, key, options: Options::default(), value: PhantomData }
    }

    /// How long the value is kept.
    pub fn ttl(mut self, ttl: impl Into<Ttl>) -> Self {
        self.options.ttl = ttl.into();
        self
    }

    /// [Invalidating](Cache::invalidate_tag) one of these tags invalidates the value. A hit reads their numbers: one call more.
    pub fn tags(mut self, tags: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.options.tags = tags.into_iter().map(Into::into).collect();
        self
    }

    /// For so long beyond its time the value is served to everybody but the one who computes it anew. No value is served
    /// whose tags were invalidated.
    pub fn stale_while_revalidate(mut self, time: Duration) -> Self {
        self.options.revalidate = time;
        self
    }

    /// For so long beyond its time the value is served if computing it anew fails. No value is served whose tags were
    /// invalidated.
    pub fn stale_if_error(mut self, time: Duration) -> Self {
        self.options.on_error = time;
        self
    }

    /// Computes the value anew before its time is over, with a probability that grows towards the end: about as early as it took to
    /// compute, times `beta`. 1 is a good value, 0 is never.
    ///
    /// The algorithm is XFetch: A. Vattani, F. Chierichetti, K. Lowenstein, "Optimal Probabilistic Cache Stampede Prevention",
    /// VLDB 2015.
    pub fn refresh_early(mut self, beta: f64) -> Self {
        self.options.early = if beta.is_finite() { beta.max(0.0) } else { 0.0 };
        self
    }

    /// As [`Cache::get`].
    ///
    /// # Errors
    /// As there.
    pub async fn get(self) -> Result<Option<T>, Error>
    where
        T: DeserializeOwned,
    {
        self.cache.get(self.key).await
    }

    /// As [`Cache::set`], with the options of this entry.
    ///
    /// # Errors
    /// As there.
    ///
    /// # Cancel safety
    /// As there.
    pub async fn set(self, value: &T) -> Result<(), Error>
    where
        T: Serialize,
    {
        let Options { ttl, tags, .. } = &self.options;
        self.cache.set_tagged(self.key.text(), value, *ttl, tags, self.options.grace()).await
    }
}

//! The sign that a value is being computed, which keeps other processes from computing it too.
//!
//! Where there is no value, the promise stands in its place, and what was computed is kept only if it still does: whoever
//! sets or deletes the key meanwhile takes it away, and wins. Where there is a value that others may go on using, the promise stands
//! beside it, and what was computed is kept only if the value was not changed.
//!
//! A promise whose process is not heard of any more ends by itself.

use std::{future::Future, pin::pin, sync::Arc, time::Duration};

use bytes::Bytes;
use tokio::time::sleep;

use super::{Cache, Shared};
use crate::{
    backend::{Put, StoreError, Stored, Version, When},
    envelope,
    name::Name,
    port::spawn,
};

/// Dropping it takes the promise back.
#[must_use = "a promise that is dropped is taken back"]
pub(super) struct Promise {
    shared: Arc<Shared>,
    /// Where it stands.
    at: Name,
    bytes: Bytes,
    /// Where the value will be.
    target: Name,
    /// What must still be there.
    unchanged: Version,
    is_over: bool,
}

impl Promise {
    /// Promises a value. `None` if somebody else has, or the key was changed since `seen`.
    pub(super) async fn make(
        cache: &Cache,
        target: Name,
        seen: Option<Version>,
        beside: Option<Name>,
    ) -> Result<Option<Self>, StoreError> {
        let promise = Promise::new(cache, target, seen, beside);
        let stored = cache.shared.port.put_one(promise.put(seen)).await;
        Ok(promise.if_kept(stored?))
    }

    /// Promises several values, in one call. Those that are promised, in the order of `vacant`.
    pub(super) async fn make_all(
        cache: &Cache,
        vacant: Vec<Option<(Name, Option<Version>)>>,
    ) -> Vec<Option<Self>> {
        let mut puts = Vec::with_capacity(vacant.len());
        let mut promise = |(name, seen)| {
            let promise = Promise::new(cache, name, seen, None);
            puts.push(promise.put(seen));
            promise
        };
        let made: Vec<_> = vacant.into_iter().map(|vacant| vacant.map(&mut promise)).collect();
        let stored = match puts.is_empty() {
            true => Vec::new(),
            // Where nobody knows, they are taken back.
            false => cache.shared.port.put(&puts).await.unwrap_or_default(),
        };
        let mut stored = stored.into_iter();
        let mut kept = |promise: Promise| promise.if_kept(stored.next()?);
        made.into_iter().map(|promise| promise.and_then(&mut kept)).collect()
    }

    fn new(cache: &Cache, target: Name, seen: Option<Version>, beside: Option<Name>) -> Self {
        let bytes = envelope::promise();
        let unchanged = match (&beside, seen) {
            (Some(_), Some(value)) => value,
            _ => Version::of(&bytes),
        };
        let at = beside.unwrap_or_else(|| target.clone());
        Promise { shared: Arc::clone(&cache.shared), at, bytes, target, unchanged, is_over: false }
    }

    fn put(&self, seen: Option<Version>) -> Put {
        // Beside a value, nobody else may have promised; in its place, what was seen there must still be.
        let when = if self.at == self.target { When::Unchanged(seen) } else { When::Unchanged(None) };
        let ttl = Some(self.shared.settings.lease);
        Put { name: self.at.clone(), bytes: self.bytes.clone(), ttl, when }
    }

    fn if_kept(mut self, stored: Stored) -> Option<Self> {
        self.is_over = stored != Stored::Kept;
        (!self.is_over).then_some(self)
    }

    pub(super) fn name(&self) -> &Name {
        &self.target
    }

    /// Does the work, and renews the promise for as long as it takes.
    pub(super) async fn renewed<T>(&self, work: impl Future<Output = T>) -> T {
        let mut work = pin!(work);
        loop {
            tokio::select! {
                biased;
                done = &mut work => return done,
                () = sleep(self.shared.settings.lease / 3) => self.again(self.shared.settings.lease),
            }
        }
    }

    /// Keeps the value that was promised, if nobody came between.
    pub(super) async fn keep(mut self, bytes: Bytes, ttl: Option<Duration>) -> Result<Stored, StoreError> {
        let stored = self.shared.port.put_one(self.fulfilled(bytes, ttl)).await?;
        // In its place, the value has replaced it.
        self.is_over = self.at == self.target && stored == Stored::Kept;
        count(&self.shared, stored);
        Ok(stored)
    }

    /// Keeps several values that were promised, in one call, each if nobody came between.
    pub(super) async fn keep_all(values: Vec<(Promise, Bytes)>, ttl: Option<Duration>) {
        let (mut promises, puts): (Vec<_>, Vec<_>) = values
            .into_iter()
            .map(|(promise, bytes)| {
                let put = promise.fulfilled(bytes, ttl);
                (promise, put)
            })
            .unzip();
        let Some(shared) = promises.first().map(|promise| Arc::clone(&promise.shared)) else { return };
        if let Ok(stored) = shared.port.put(&puts).await {
            for (promise, stored) in promises.iter_mut().zip(stored) {
                promise.is_over = stored == Stored::Kept;
                count(&shared, stored);
            }
        }
    }

    fn fulfilled(&self, bytes: Bytes, ttl: Option<Duration>) -> Put {
        Put { name: self.target.clone(), bytes, ttl, when: When::Unchanged(Some(self.unchanged)) }
    }

    /// Promises the same for so long from now on, if it still stands. Nobody waits for it.
    fn again(&self, ttl: Duration) {
        let when = When::Unchanged(Some(Version::of(&self.bytes)));
        let put = Put { name: self.at.clone(), bytes: self.bytes.clone(), ttl: Some(ttl), when };
        let shared = Arc::clone(&self.shared);
        spawn(async move {
            // If it fails, the promise ends earlier.
            let _ = shared.port.put_one(put).await;
        });
    }
}

impl Drop for Promise {
    fn drop(&mut self) {
        if !self.is_over {
            // The shortest time there is.
            self.again(Duration::from_millis(1));
        }
    }
}

fn count(shared: &Shared, stored: Stored) {
    let counters = shared.port.counters();
    match stored {
        Stored::Kept => counters.sets.increment(),
        Stored::Refused => counters.superseded.increment(),
        Stored::TooLarge => counters.oversized.increment(),
    }
}

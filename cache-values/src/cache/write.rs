//! Writing.

use std::time::Duration;

use bytes::Bytes;
use serde::Serialize;

use super::Cache;
use crate::{
    backend::{Put, StoreError, Stored, When},
    codec::Encoded,
    envelope::{Envelope, TagNumber},
    error::Error,
    key::KeyFor,
    name::{Name, Naming},
    settings::Failure,
    ttl::Ttl,
};

/// A value that is ready to be kept.
#[derive(Clone, Debug)]
pub(super) enum Ready {
    Number(i64),
    Encoded(Bytes),
}

/// What is kept beside a value.
#[derive(Clone, Debug, Default)]
pub(super) struct Extras {
    pub(super) tags: Vec<(String, TagNumber)>,
    pub(super) grace: Duration,
    pub(super) cost: Duration,
}

impl Cache {
    /// Keeps a value under the key, in place of whatever is there. A `ttl` of nothing removes it.
    ///
    /// # Errors
    /// [`Error::Encode`]; and where failures are [strict](Failure::Strict), [`Error::Backend`] and [`Error::TooLarge`]:
    /// otherwise they are counted.
    ///
    /// # Cancel safety
    /// A dropped call may or may not have taken effect.
    pub async fn set<T: Serialize + ?Sized>(
        &self,
        key: impl KeyFor<T>,
        value: &T,
        ttl: Ttl,
    ) -> Result<(), Error> {
        self.set_tagged(key.text(), value, ttl, &[], Duration::ZERO).await
    }

    /// Keeps a value under the key if there is none. Of several that try at once, in whatever process, one succeeds.
    ///
    /// # Errors
    /// [`Error::Encode`], [`Error::TooLarge`], [`Error::Backend`]: nobody knows whether the value is kept.
    ///
    /// # Cancel safety
    /// A dropped call may or may not have taken effect.
    pub async fn add<T: Serialize + ?Sized>(
        &self,
        key: impl KeyFor<T>,
        value: &T,
        ttl: Ttl,
    ) -> Result<bool, Error> {
        let key = key.text();
        let ready = self.ready(value)?;
        let ttl = self.time(ttl);
        if ttl == Some(Duration::ZERO) {
            // As if it had been added, and its time were over.
            return Ok(!self.has(key).await?);
        }
        let stored = self.put(key, &ready, ttl, When::Vacant, &[], Duration::ZERO).await?;
        match stored {
            Stored::TooLarge => Err(Error::TooLarge),
            stored => Ok(stored == Stored::Kept),
        }
    }

    /// Removes the value under the key. Whether there was one.
    ///
    /// # Errors
    /// [`Error::Backend`]: nobody knows whether it was removed.
    ///
    /// # Cancel safety
    /// A dropped call may or may not have taken effect.
    pub async fn delete(&self, key: &str) -> Result<bool, Error> {
        Ok(self.delete_many([key]).await? > 0)
    }

    /// Gives the value under the key a new time to live, from now on. False if there is none: what is over is not revived.
    ///
    /// # Errors
    /// [`Error::Backend`]: nobody knows whether it was given.
    ///
    /// # Cancel safety
    /// A dropped call may or may not have taken effect.
    pub async fn touch(&self, key: &str, ttl: Ttl) -> Result<bool, Error> {
        let judged = self.look_at(key, false).await?;
        let (name, Some(value)) = (judged.name.clone(), judged.fresh()) else { return Ok(false) };
        let Some(ttl) = self.time(ttl) else { return Ok(self.shared.port.touch(&name, None).await?) };
        if ttl.is_zero() {
            return self.delete(key).await;
        }
        Ok(self.shared.port.touch(&name, Some(ttl + value.grace())).await?)
    }

    /// Keeps a value with tags, for a time and one of grace.
    pub(super) async fn set_tagged<T: Serialize + ?Sized>(
        &self,
        key: &str,
        value: &T,
        ttl: Ttl,
        tags: &[String],
        grace: Duration,
    ) -> Result<(), Error> {
        let ready = self.ready(value)?;
        let ttl = self.time(ttl);
        if ttl == Some(Duration::ZERO) {
            return self.writes(self.delete(key).await.map(drop));
        }
        let stored = self.put(key, &ready, ttl, When::Always, tags, grace).await;
        self.writes(stored.map_err(Error::from).and_then(|stored| match stored {
            Stored::TooLarge => Err(Error::TooLarge),
            _ => Ok(()),
        }))
    }

    /// The value in its encoding.
    pub(super) fn ready<T: Serialize + ?Sized>(&self, value: &T) -> Result<Ready, Error> {
        match self.settings().codec.encode(value) {
            Ok(Encoded::Number(number)) => Ok(Ready::Number(number)),
            Ok(Encoded::Bytes(bytes)) => Ok(Ready::Encoded(bytes.into())),
            Err(reason) => {
                self.shared.port.counters().unencodable.increment();
                Err(Error::Encode(reason))
            }
        }
    }

    /// How long a value is kept: less by the jitter.
    pub(super) fn time(&self, ttl: Ttl) -> Option<Duration> {
        let ttl = ttl.or(self.settings().ttl)?;
        let jitter = self.settings().jitter;
        if jitter == 0.0 || ttl.is_zero() {
            return Some(ttl);
        }
        Some(ttl.mul_f64(1.0 - jitter * rand::random::<f64>()).max(Duration::from_millis(1)))
    }

    /// The item to keep under this name; `None` if it is too long.
    pub(super) fn item(&self, key: &str, name: &Name, ready: &Ready, extras: &Extras) -> Option<Bytes> {
        let bare = extras.tags.is_empty() && extras.grace.is_zero() && extras.cost.is_zero();
        let payload = match ready {
            Ready::Number(number) if bare => return Some(number.to_string().into()),
            // A number that has more to say than itself is no counter.
            Ready::Number(number) => self.settings().codec.encode_number(*number).into(),
            Ready::Encoded(bytes) => bytes.clone(),
        };
        if payload.len() > self.settings().longest {
            return None;
        }
        let envelope = Envelope {
            codec: self.settings().codec,
            grace: extras.grace,
            cost: extras.cost,
            key: Naming::stands_beside(name, key).then(|| key.to_owned()),
            tags: extras.tags.clone(),
            payload,
        };
        Some(envelope.write(self.settings().pack_from))
    }

    /// Keeps an item under the cache's generation. What computes it in this process takes no more followers.
    async fn put(
        &self,
        key: &str,
        ready: &Ready,
        ttl: Option<Duration>,
        when: When,
        tags: &[String],
        grace: Duration,
    ) -> Result<Stored, StoreError> {
        let port = &self.shared.port;
        let put = |generation| async move {
            let name = self.naming.value(generation, key);
            let tags = self.tag_numbers(generation, tags).await?;
            let item = self.item(key, &name, ready, &Extras { tags, grace, cost: Duration::ZERO });
            self.shared.flights.close(&name);
            let Some(bytes) = item else {
                port.remove(&[name]).await?;
                return Ok(Stored::TooLarge);
            };
            port.put_one(Put { name, bytes, ttl: with_grace(ttl, grace), when }).await
        };
        let stored = self.shared.generations.under(port, &self.naming, put).await?;
        match stored {
            Stored::Kept => port.counters().sets.increment(),
            Stored::TooLarge => port.counters().oversized.increment(),
            Stored::Refused => {}
        }
        Ok(stored)
    }

    /// What a write answers that nobody asked a question.
    pub(super) fn writes(&self, written: Result<(), Error>) -> Result<(), Error> {
        match (written, self.settings().failure) {
            (Err(Error::Backend(_) | Error::TooLarge), Failure::Degrade) => Ok(()),
            (written, _) => written,
        }
    }
}

/// How long an item is kept whose value has this time and one of grace.
pub(super) fn with_grace(ttl: Option<Duration>, grace: Duration) -> Option<Duration> {
    ttl.map(|ttl| ttl.saturating_add(grace))
}

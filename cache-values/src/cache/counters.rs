//! Numbers that are counted in the backend.

use super::Cache;
use crate::{
    backend::{Counted, Start},
    error::Error,
    ttl::Ttl,
};

impl Cache {
    /// Adds to the number under the key, which keeps its time to live, and returns it.
    ///
    /// # Errors
    /// [`Error::Missing`], [`Error::NoNumber`], [`Error::Overflow`]: nothing was changed. [`Error::Backend`]: nobody knows
    /// whether it was.
    ///
    /// # Cancel safety
    /// A dropped call may or may not have taken effect.
    pub async fn incr(&self, key: &str, by: i64) -> Result<i64, Error> {
        self.count(key, by, None).await
    }

    /// Takes from the number under the key. It may fall below zero.
    ///
    /// # Errors
    /// As [`incr`](Self::incr).
    ///
    /// # Cancel safety
    /// As [`incr`](Self::incr).
    pub async fn decr(&self, key: &str, by: i64) -> Result<i64, Error> {
        self.count(key, by.checked_neg().ok_or(Error::Overflow)?, None).await
    }

    /// Adds to the number under the key, or begins it with `start`, to which nothing is added, where there is none.
    ///
    /// # Errors
    /// As [`incr`](Self::incr), but for [`Error::Missing`].
    ///
    /// # Cancel safety
    /// As [`incr`](Self::incr).
    pub async fn incr_or(&self, key: &str, by: i64, start: i64, ttl: Ttl) -> Result<i64, Error> {
        match self.time(ttl) {
            // It begins and is over.
            Some(time) if time.is_zero() => match self.count(key, by, None).await {
                Err(Error::Missing) => Ok(start),
                counted => counted,
            },
            ttl => self.count(key, by, Some(Start { value: start, ttl })).await,
        }
    }

    async fn count(&self, key: &str, by: i64, start: Option<Start>) -> Result<i64, Error> {
        let port = &self.shared.port;
        let count = |generation| {
            let name = self.naming.value(generation, key);
            self.shared.flights.close(&name);
            async move { port.count(&name, by, start).await }
        };
        match self.shared.generations.under(port, &self.naming, count).await? {
            Counted::Is(value) => Ok(value),
            Counted::Missing => Err(Error::Missing),
            Counted::NoNumber => Err(Error::NoNumber),
            Counted::Overflow => Err(Error::Overflow),
        }
    }
}

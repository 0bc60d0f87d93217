//! Reading.

use std::{collections::HashMap, time::Duration};

use serde::de::DeserializeOwned;

use super::{
    Cache,
    judged::{Judged, State},
};
use crate::{
    backend::{Left, StoreError},
    error::Error,
    key::KeyFor,
    settings::Failure,
};

impl Cache {
    /// The value under the key, if there is one of this type. A value of `None` or `()` is one.
    ///
    /// # Errors
    /// [`Error::Backend`] where failures are [strict](Failure::Strict); otherwise they are misses.
    pub async fn get<T: DeserializeOwned>(&self, key: impl KeyFor<T>) -> Result<Option<T>, Error> {
        let Some(judged) = self.reads(self.look_at(key.text(), false).await)? else { return Ok(None) };
        Ok(self.count_answer(judged))
    }

    /// The values under several keys: one call to the backend. Keys without a value are left out.
    ///
    /// # Errors
    /// [`Error::Backend`] where failures are [strict](Failure::Strict); otherwise they are misses.
    pub async fn get_many<T, K>(&self, keys: impl IntoIterator<Item = K>) -> Result<HashMap<String, T>, Error>
    where
        T: DeserializeOwned,
        K: KeyFor<T>,
    {
        let keys: Vec<K> = keys.into_iter().collect();
        let texts: Vec<&str> = keys.iter().map(|key| key.text()).collect();
        if texts.is_empty() {
            return Ok(HashMap::new());
        }
        let looked = self.reads_of(texts.len(), self.look(&texts, false).await)?.unwrap_or_default();
        let value = |(key, judged): (&&str, Judged)| Some(((*key).to_owned(), self.count_answer(judged)?));
        Ok(texts.iter().zip(looked).filter_map(value).collect())
    }

    /// Whether there is a value under the key, of whatever type.
    ///
    /// # Errors
    /// [`Error::Backend`] where failures are [strict](Failure::Strict); otherwise they are misses.
    pub async fn has(&self, key: &str) -> Result<bool, Error> {
        let judged = self.reads(self.look_at(key, false).await)?;
        Ok(judged.is_some_and(|judged| judged.fresh().is_some()))
    }

    /// How long the value under the key is still kept: `None` if there is none, `Some(None)` if it has no end.
    ///
    /// # Errors
    /// [`Error::Backend`] where failures are [strict](Failure::Strict); otherwise they are misses.
    pub async fn ttl(&self, key: &str) -> Result<Option<Option<Duration>>, Error> {
        let judged = self.reads(self.look_at(key, true).await)?;
        Ok(judged.and_then(Judged::fresh).map(|value| match value.left {
            Left::For(left) => Some(left),
            Left::Forever | Left::Unknown => None,
        }))
    }

    /// What one look found; `None` if it failed and that counts as a miss.
    pub(super) fn reads<T>(&self, looked: Result<T, StoreError>) -> Result<Option<T>, Error> {
        self.reads_of(1, looked)
    }

    fn reads_of<T>(&self, keys: usize, looked: Result<T, StoreError>) -> Result<Option<T>, Error> {
        match looked {
            Ok(looked) => Ok(Some(looked)),
            Err(error) => {
                self.shared.port.counters().misses.add(keys as u64);
                match self.settings().failure {
                    Failure::Degrade => Ok(None),
                    Failure::Strict => Err(error.into()),
                }
            }
        }
    }

    /// The value, if it is of the type that was asked for, counted.
    pub(super) fn count_answer<T: DeserializeOwned>(&self, judged: Judged) -> Option<T> {
        let counters = self.shared.port.counters();
        let found: Option<T> = match &judged.state {
            State::Fresh(value) => value.decode(),
            _ => None,
        };
        match (&found, &judged.state) {
            (Some(_), _) => counters.hits.increment(),
            (None, state) => {
                counters.misses.increment();
                match state {
                    State::Fresh(_) | State::Unreadable => counters.unreadable.increment(),
                    State::Untagged => counters.untagged.increment(),
                    State::Nothing | State::Promised | State::Stale(..) => {}
                }
            }
        }
        found
    }
}

//! Writing and computing several values at once.

use std::{
    collections::{HashMap, HashSet},
    hash::Hash,
    time::Duration,
};

use serde::{Serialize, de::DeserializeOwned};

use super::{
    Cache,
    judged::State,
    promise::Promise,
    write::{Extras, Ready},
};
use crate::{
    backend::{Put, Stored, When},
    error::Error,
    key::KeyFor,
    settings::Failure,
    ttl::Ttl,
};

impl Cache {
    /// Keeps several values: one call to the backend. The keys of those that could not be kept, under which there is
    /// nothing now.
    ///
    /// # Errors
    /// [`Error::Encode`]: nothing was stored. [`Error::Backend`] where failures are [strict](Failure::Strict); otherwise all keys
    /// are answered.
    ///
    /// # Cancel safety
    /// A dropped call may have stored some of them.
    pub async fn set_many<'a, T, K>(
        &self,
        values: impl IntoIterator<Item = (K, &'a T)>,
        ttl: Ttl,
    ) -> Result<Vec<String>, Error>
    where
        T: Serialize + ?Sized + 'a,
        K: KeyFor<T>,
    {
        let ready = |(key, value): (K, &'a T)| Ok((key.text().to_owned(), self.ready(value)?));
        let values: Vec<(String, Ready)> = values.into_iter().map(ready).collect::<Result<_, Error>>()?;
        if values.is_empty() {
            return Ok(Vec::new());
        }
        let keys = || values.iter().map(|(key, _)| key.as_str());
        let time = self.time(ttl);
        if time == Some(Duration::ZERO) {
            self.writes(self.delete_many(keys()).await.map(drop))?;
            return Ok(Vec::new());
        }
        let port = &self.shared.port;
        let put = |generation| {
            let values = &values;
            async move {
                let (mut puts, mut too_long) = (Vec::with_capacity(values.len()), Vec::new());
                for (key, ready) in values {
                    let name = self.naming.value(generation, key);
                    self.shared.flights.close(&name);
                    match self.item(key, &name, ready, &Extras::default()) {
                        Some(bytes) => puts.push((key, Put { name, bytes, ttl: time, when: When::Always })),
                        None => too_long.push((key, name)),
                    }
                }
                let mut failed: Vec<String> = too_long.iter().map(|(key, _)| (*key).clone()).collect();
                if !too_long.is_empty() {
                    let names: Vec<_> = too_long.into_iter().map(|(_, name)| name).collect();
                    port.remove(&names).await?;
                }
                let (kept, items): (Vec<&String>, Vec<Put>) = puts.into_iter().unzip();
                let stored = if items.is_empty() { Vec::new() } else { port.put(&items).await? };
                let refused = kept.into_iter().zip(stored).filter(|(_, stored)| *stored != Stored::Kept);
                failed.extend(refused.map(|(key, _)| key.clone()));
                Ok(failed)
            }
        };
        match self.shared.generations.under(port, &self.naming, put).await {
            Ok(failed) => {
                port.counters().oversized.add(failed.len() as u64);
                port.counters().sets.add((values.len() - failed.len()) as u64);
                Ok(failed)
            }
            Err(_) if self.settings().failure == Failure::Degrade => Ok(keys().map(str::to_owned).collect()),
            Err(error) => Err(error.into()),
        }
    }

    /// Removes the values under several keys: one call to the backend. How many there were.
    ///
    /// # Errors
    /// [`Error::Backend`]: nobody knows which were removed.
    ///
    /// # Cancel safety
    /// A dropped call may have removed some of them.
    pub async fn delete_many<'a>(&self, keys: impl IntoIterator<Item = &'a str>) -> Result<usize, Error> {
        let keys: Vec<&str> = keys.into_iter().collect();
        if keys.is_empty() {
            return Ok(0);
        }
        let port = &self.shared.port;
        let remove = |generation| {
            let names: Vec<_> = keys.iter().map(|key| self.naming.value(generation, key)).collect();
            names.iter().for_each(|name| self.shared.flights.close(name));
            async move { port.remove(&names).await }
        };
        port.counters().deletes.add(keys.len() as u64);
        let removed = self.shared.generations.under(port, &self.naming, remove).await?;
        Ok(removed.into_iter().filter(|removed| *removed).count())
    }

    /// The values of several keys: those that are kept, and the rest from `load`, which is asked once for all that miss and
    /// whose answers are kept. What it does not answer is not there.
    ///
    /// A key that is set or deleted during the computation is answered with what was computed, and that is not kept.
    ///
    /// # Errors
    /// The error of `load`. The cache's own never: what it can't answer is computed.
    ///
    /// # Cancel safety
    /// A dropped call keeps nothing; others compute what it would have.
    pub async fn get_or_set_many<T, K, E, F>(
        &self,
        keys: impl IntoIterator<Item = K>,
        ttl: Ttl,
        load: impl FnOnce(Vec<K>) -> F,
    ) -> Result<HashMap<K, T>, E>
    where
        T: Serialize + DeserializeOwned,
        K: KeyFor<T> + Clone + Eq + Hash,
        F: Future<Output = Result<HashMap<K, T>, E>>,
    {
        let mut keys: Vec<K> = keys.into_iter().collect();
        let mut seen = HashSet::new();
        keys.retain(|key| seen.insert(key.clone()));
        let texts: Vec<&str> = keys.iter().map(|key| key.text()).collect();
        let looked = if texts.is_empty() { Ok(Vec::new()) } else { self.look(&texts, false).await };
        let mut answers = HashMap::with_capacity(keys.len());
        let (mut missing, mut promises) = (Vec::new(), Vec::new());
        match looked {
            Ok(looked) => {
                for (key, judged) in keys.iter().zip(looked) {
                    // What another call computes is computed here as well, and not kept.
                    let vacant = (!matches!(judged.state, State::Promised))
                        .then(|| (judged.name.clone(), judged.seen));
                    match self.count_answer(judged) {
                        Some(value) => drop(answers.insert(key.clone(), value)),
                        None => {
                            missing.push(key.clone());
                            promises.push(vacant);
                        }
                    }
                }
            }
            Err(_) => {
                self.shared.port.counters().misses.add(keys.len() as u64);
                missing.clone_from(&keys);
            }
        }
        if missing.is_empty() {
            return Ok(answers);
        }
        let promises = Promise::make_all(self, promises).await;
        let counters = self.shared.port.counters();
        counters.loads.increment();
        let loaded = match load(missing.clone()).await {
            Ok(loaded) => loaded,
            Err(error) => {
                counters.failed_loads.increment();
                return Err(error);
            }
        };
        let time = self.time(ttl);
        let mut kept = Vec::with_capacity(promises.len());
        for (key, promise) in missing.iter().zip(promises) {
            let (Some(promise), Some(value)) = (promise, loaded.get(key)) else { continue };
            let ready = self.ready(value).ok();
            let item =
                ready.and_then(|ready| self.item(key.text(), promise.name(), &ready, &Extras::default()));
            match item {
                Some(bytes) if time != Some(Duration::ZERO) => kept.push((promise, bytes)),
                _ => {}
            }
        }
        Promise::keep_all(kept, time).await;
        let missing: HashSet<K> = missing.into_iter().collect();
        answers.extend(loaded.into_iter().filter(|(key, _)| missing.contains(key)));
        Ok(answers)
    }
}

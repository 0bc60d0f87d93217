//! Computing what is not there, once.
//!
//! ```text
//! look ── fresh ──► answer
//!   │ nothing, or over
//! join ── another call of this process computes it ──► wait for it, or answer what is over
//!   │ this call leads
//! promise ── another process computes it ──► wait for it, or answer what is over
//!   │ promised
//! compute ──► keep, if nobody set or deleted the key meanwhile ──► hand it to those who wait
//! ```

use std::{future::Future, time::Duration};

use bytes::Bytes;
use cache_core::flight::{Flight, Role};
use serde::{Serialize, de::DeserializeOwned};
use tokio::time::{Instant, sleep};

use super::{
    Cache, Entry,
    entry::Options,
    judged::{State, Value},
    promise::Promise,
    write::{Extras, with_grace},
};
use crate::{
    backend::{Left, Stored, Version},
    envelope::TagNumber,
    key::KeyFor,
    name::{Generation, Name},
    port::spawn,
    ttl::Ttl,
};

/// How long a call waits, at first, before it looks whether another process is ready.
const FIRST_PAUSE: Duration = Duration::from_millis(2);
/// And how long at most.
const LONGEST_PAUSE: Duration = Duration::from_millis(100);

/// What one look found, for a call that may compute.
struct Sight<T> {
    name: Name,
    generation: Generation,
    seen: Option<Version>,
    /// Somebody computes it.
    is_promised: bool,
    standing: Option<Standing<T>>,
}

/// A value that may be of use.
struct Standing<T> {
    value: T,
    age: Age,
    /// The item.
    bytes: Bytes,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Age {
    Fresh,
    /// It may be used, and it is time to compute it anew.
    Early,
    /// Its time has been over for so long.
    Over(Duration),
}

/// How a call goes on.
enum Turn<T> {
    Answer(T),
    /// This call computes the value; what stands is of use if that fails, or meanwhile.
    Lead(Box<Work>, Option<Standing<T>>),
}

/// What a call that computes has to do besides.
struct Work {
    cache: Cache,
    key: String,
    options: Options,
    name: Name,
    flight: Flight<Name, Bytes>,
    keeping: Keeping,
}

/// What becomes of what is computed.
enum Keeping {
    /// It is kept, with these tags.
    Promised(Promise, Vec<(String, TagNumber)>),
    /// It is not kept, but handed to the calls of this process that wait: the backend fails.
    HandedOver,
    /// It is neither: another process was waited for in vain.
    Nothing,
}

impl Cache {
    /// The value under the key, or else what `load` computes, which is kept. One call computes, in all processes; the others wait
    /// for it. A value of `None` is one.
    ///
    /// If the key is set or deleted during the computation, what was computed is answered and not kept.
    ///
    /// # Errors
    /// The error of `load`, which is not kept. The cache's own never: what it can't answer is computed.
    ///
    /// # Cancel safety
    /// A dropped call keeps nothing; another one computes in its place.
    pub async fn get_or_set<T, E, F>(
        &self,
        key: impl KeyFor<T>,
        ttl: Ttl,
        load: impl FnOnce() -> F,
    ) -> Result<T, E>
    where
        T: Serialize + DeserializeOwned,
        F: Future<Output = Result<T, E>>,
    {
        self.entry(key).ttl(ttl).get_or_set(load).await
    }
}

impl<T: Serialize + DeserializeOwned, K: KeyFor<T>> Entry<'_, T, K> {
    /// As [`Cache::get_or_set`], with the options of this entry.
    ///
    /// # Errors
    /// The error of `load`, unless a value may be [served in its place](Self::stale_if_error).
    ///
    /// # Cancel safety
    /// As there.
    pub async fn get_or_set<E, F>(self, load: impl FnOnce() -> F) -> Result<T, E>
    where
        F: Future<Output = Result<T, E>>,
    {
        match self.turn().await {
            Turn::Answer(value) => Ok(value),
            Turn::Lead(work, standing) => work.compute(standing, load()).await,
        }
    }

    /// As [`get_or_set`](Self::get_or_set), but nobody waits where there is a value that may be used
    /// [meanwhile](Self::stale_while_revalidate): it is computed anew by a task of its own. The error of that is logged.
    ///
    /// # Errors
    /// The error of `load`, where there was no such value.
    ///
    /// # Cancel safety
    /// As [`get_or_set`](Self::get_or_set); a task that was begun goes on.
    pub async fn get_or_refresh<E, F, L>(self, load: L) -> Result<T, E>
    where
        T: Send + Sync + 'static,
        E: std::fmt::Display + Send + 'static,
        F: Future<Output = Result<T, E>> + Send + 'static,
        L: FnOnce() -> F,
    {
        match self.turn().await {
            Turn::Answer(value) => Ok(value),
            Turn::Lead(work, Some(standing)) if self.may_serve(&standing) => {
                let loading = load();
                spawn(async move {
                    if let Err(error) = work.compute(None, loading).await {
                        tracing::warn!(%error, "a cached value could not be computed anew");
                    }
                });
                Ok(self.stale(standing))
            }
            Turn::Lead(work, standing) => work.compute(standing, load()).await,
        }
    }

    /// Finds a value that may be answered, or the right to compute one.
    async fn turn(&self) -> Turn<T> {
        let counters = self.cache.shared.port.counters();
        let mut missed = false;
        let (flight, mut sight) = loop {
            let sight = match self.sight().await {
                Some(Sight { standing: Some(Standing { value, age: Age::Fresh, .. }), .. }) => {
                    counters.hits.increment();
                    return Turn::Answer(value);
                }
                sight => sight,
            };
            if !std::mem::replace(&mut missed, true) {
                counters.misses.increment();
            }
            let name = match &sight {
                Some(sight) => sight.name.clone(),
                None => self.cache.naming.value(Generation(0), self.key.text()),
            };
            let follower = match self.cache.shared.flights.join(&name) {
                Role::Leader(flight) => break (flight, sight),
                Role::Follower(follower) => follower,
            };
            if let Some(standing) = self.servable(sight) {
                return Turn::Answer(self.stale(standing));
            }
            if let Some(value) = follower.completed().await.and_then(|item| self.handed_over(item)) {
                counters.joins.increment();
                return Turn::Answer(value);
            }
        };
        let (began, mut pause) = (Instant::now(), FIRST_PAUSE);
        loop {
            let Some(found) = sight else { return self.lead(flight, Keeping::HandedOver, None) };
            match self.promise(&found).await {
                Ok(Some(keeping)) => return self.lead(flight, keeping, Some(found)),
                Err(_) => return self.lead(flight, Keeping::HandedOver, Some(found)),
                Ok(None) => {}
            }
            // Another process computes it.
            sight = Some(found);
            if sight.as_ref().and_then(|sight| sight.standing.as_ref()).is_some_and(|it| self.may_serve(it)) {
                if let Some(standing) = self.servable(sight) {
                    return Turn::Answer(self.stale(standing));
                }
                return self.lead(flight, Keeping::Nothing, None);
            }
            if began.elapsed() >= self.cache.settings().patience {
                return self.lead(flight, Keeping::Nothing, sight);
            }
            // Those who wait get what the next look finds, and nobody who comes after it has begun.
            flight.close();
            sleep(pause).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
            sight = match self.sight().await {
                Some(Sight { standing: Some(Standing { value, age: Age::Fresh, bytes }), .. }) => {
                    flight.complete(bytes);
                    counters.joins.increment();
                    return Turn::Answer(value);
                }
                sight => sight,
            };
        }
    }

    /// What stands under the key; nothing if the backend fails.
    async fn sight(&self) -> Option<Sight<T>> {
        let judged = self.cache.look_at(self.key.text(), self.options.wants_left()).await.ok()?;
        let counters = self.cache.shared.port.counters();
        let is_promised = matches!(judged.state, State::Promised);
        let standing = match judged.state {
            State::Fresh(value) => {
                let age = if self.is_early(&value) { Age::Early } else { Age::Fresh };
                Some((value, age))
            }
            State::Stale(value, over) if over < self.options.grace() => Some((value, Age::Over(over))),
            State::Untagged => {
                counters.untagged.increment();
                None
            }
            State::Unreadable => {
                counters.unreadable.increment();
                None
            }
            State::Nothing | State::Promised | State::Stale(..) => None,
        };
        let standing = standing.and_then(|(value, age)| {
            let decoded = value.decode();
            if decoded.is_none() {
                counters.unreadable.increment();
            }
            Some(Standing { value: decoded?, age, bytes: value.bytes })
        });
        Some(Sight {
            name: judged.name,
            generation: judged.generation,
            seen: judged.seen,
            is_promised,
            standing,
        })
    }

    /// Promises the value. `None` if another process has. The numbers of the tags are read before anything is computed.
    async fn promise(&self, sight: &Sight<T>) -> Result<Option<Keeping>, crate::backend::StoreError> {
        if sight.is_promised {
            return Ok(None);
        }
        let beside =
            sight.standing.as_ref().map(|_| self.cache.naming.promise(sight.generation, self.key.text()));
        let Some(promise) = Promise::make(self.cache, sight.name.clone(), sight.seen, beside).await? else {
            return Ok(None);
        };
        let tags = self.cache.tag_numbers(sight.generation, &self.options.tags).await?;
        Ok(Some(Keeping::Promised(promise, tags)))
    }

    fn lead(&self, flight: Flight<Name, Bytes>, keeping: Keeping, sight: Option<Sight<T>>) -> Turn<T> {
        let key = self.key.text().to_owned();
        let (name, standing) = match sight {
            Some(sight) => (sight.name, sight.standing),
            None => (self.cache.naming.value(Generation(0), &key), None),
        };
        let (cache, options) = (self.cache.clone(), self.options.clone());
        Turn::Lead(Box::new(Work { cache, key, options, name, flight, keeping }), standing)
    }

    /// Whether a value is to be computed anew before its time is over.
    fn is_early(&self, value: &Value) -> bool {
        let Left::For(left) = value.left else { return false };
        let gap = value.cost().as_secs_f64() * self.options.early * -(1.0 - rand::random::<f64>()).ln();
        self.options.early > 0.0 && gap >= left.as_secs_f64()
    }

    fn may_serve(&self, standing: &Standing<T>) -> bool {
        match standing.age {
            Age::Fresh | Age::Early => true,
            Age::Over(over) => over < self.options.revalidate,
        }
    }

    fn servable(&self, sight: Option<Sight<T>>) -> Option<Standing<T>> {
        sight?.standing.filter(|standing| self.may_serve(standing))
    }

    /// Answers a value that somebody computes anew meanwhile.
    fn stale(&self, standing: Standing<T>) -> T {
        if matches!(standing.age, Age::Over(_)) {
            self.cache.shared.port.counters().stale.increment();
        }
        standing.value
    }

    /// The value in an item that another call of this process has computed.
    fn handed_over(&self, item: Bytes) -> Option<T> {
        Value::handed_over(item, self.cache.settings().longest)?.decode()
    }
}

impl Work {
    async fn compute<T: Serialize, E>(
        self: Box<Self>,
        standing: Option<Standing<T>>,
        load: impl Future<Output = Result<T, E>>,
    ) -> Result<T, E> {
        let began = Instant::now();
        let counters = self.cache.shared.port.counters();
        counters.loads.increment();
        let loaded = match &self.keeping {
            Keeping::Promised(promise, _) => promise.renewed(load).await,
            Keeping::HandedOver | Keeping::Nothing => load.await,
        };
        let error = match loaded {
            Ok(value) => {
                self.keep(&value, began.elapsed()).await;
                return Ok(value);
            }
            Err(error) => error,
        };
        counters.failed_loads.increment();
        let is_allowed = |age: Age| match age {
            Age::Fresh | Age::Early => true,
            Age::Over(over) => over < self.options.on_error,
        };
        match standing.filter(|standing| is_allowed(standing.age)) {
            Some(standing) => {
                counters.stale.increment();
                Ok(standing.value)
            }
            None => Err(error),
        }
    }

    async fn keep<T: Serialize>(self: Box<Self>, value: &T, took: Duration) {
        let Work { cache, key, options, name, flight, keeping } = *self;
        let cost = if options.early > 0.0 { took } else { Duration::ZERO };
        let (promise, tags) = match keeping {
            Keeping::Promised(promise, tags) => (Some(promise), tags),
            Keeping::HandedOver => (None, Vec::new()),
            Keeping::Nothing => return,
        };
        let (ttl, extras) = (cache.time(options.ttl), Extras { tags, grace: options.grace(), cost });
        let item = match cache.ready(value) {
            Ok(ready) => cache.item(&key, &name, &ready, &extras),
            Err(error) => {
                tracing::warn!(%error, "a computed value is not kept");
                return;
            }
        };
        let Some(bytes) = item else {
            cache.shared.port.counters().oversized.increment();
            return;
        };
        // Nobody joins any more: what is kept from now on may be set or deleted at once.
        flight.close();
        match promise {
            None => flight.complete(bytes),
            Some(_) if ttl == Some(Duration::ZERO) => {}
            Some(promise) => {
                let kept = promise.keep(bytes.clone(), with_grace(ttl, extras.grace)).await;
                if matches!(kept, Ok(Stored::Kept)) {
                    flight.complete(bytes);
                }
            }
        }
    }
}

//! The generation of a cache: a random number in a cell, part of the name of everything the cache keeps.
//!
//! Whoever calls the backend assumes the generation that this process saw last, and reads the cell beside the call. If another
//! stands there, what was done was done to a generation that has ended, where nobody finds it: the call is made once more, under the
//! new one. So what was there before `clear` returned is not found by any call that begins after it, and a call still takes
//! one round trip.

use std::{
    collections::HashMap,
    future::Future,
    sync::{Arc, RwLock},
};

use bytes::Bytes;
use cache_core::unpoisoned;

use crate::{
    backend::{Item, Put, StoreError, Stored, When},
    name::{Generation, Name, Naming},
    port::Port,
};

/// So many calls in a row may each be overtaken by a `clear`.
const ATTEMPTS: usize = 100;

/// A process that makes a view for each of its users has as many generations. No more than so many are remembered.
const MOST_SEEN: usize = 10_000;

/// What a generation cell begins with: neither a number nor a promise.
const MARK: u8 = b'G';

/// The generations that this process saw last, by their cells. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub(crate) struct Generations {
    seen: Arc<RwLock<HashMap<Name, Generation>>>,
}

impl Generations {
    /// Makes a call under the cache's generation, beside which the cell is read.
    pub(crate) async fn under<T, C>(
        &self,
        port: &Port,
        naming: &Naming,
        call: impl Fn(Generation) -> C,
    ) -> Result<T, StoreError>
    where
        C: Future<Output = Result<T, StoreError>>,
    {
        if !port.capabilities().keeps {
            return call(Generation(0)).await;
        }
        let cell = naming.generation();
        let mut assumed = self.assumed(port, cell).await?;
        for _ in 0..ATTEMPTS {
            let (result, seen) = tokio::join!(call(assumed), port.get(std::slice::from_ref(cell), false));
            if number(seen?.first()) == Some(assumed) {
                return result;
            }
            assumed = self.learn(port, cell).await?;
        }
        Err(too_busy())
    }

    /// Reads what is under these names, and the cell with it: one call.
    pub(crate) async fn get(
        &self,
        port: &Port,
        naming: &Naming,
        names: impl Fn(Generation) -> Vec<Name>,
        left: bool,
    ) -> Result<Found, StoreError> {
        if !port.capabilities().keeps {
            let names = names(Generation(0));
            let items = port.get(&names, left).await?;
            return Ok(Found { generation: Generation(0), names, items });
        }
        let cell = naming.generation();
        let mut assumed = self.assumed(port, cell).await?;
        for _ in 0..ATTEMPTS {
            let mut asked = names(assumed);
            asked.push(cell.clone());
            let mut items = port.get(&asked, left).await?;
            let seen = items.pop();
            if number(seen.as_ref()) == Some(assumed) {
                asked.pop();
                return Ok(Found { generation: assumed, names: asked, items });
            }
            assumed = self.learn(port, cell).await?;
        }
        Err(too_busy())
    }

    /// The generation that stands now: one call.
    pub(crate) async fn current(&self, port: &Port, naming: &Naming) -> Result<Generation, StoreError> {
        if !port.capabilities().keeps {
            return Ok(Generation(0));
        }
        self.learn(port, naming.generation()).await
    }

    /// Begins a new generation. The one that ended, if this process knew it.
    pub(crate) async fn end(&self, port: &Port, naming: &Naming) -> Result<Option<Generation>, StoreError> {
        let (cell, next) = (naming.generation(), Generation(rand::random()));
        let before = unpoisoned::read(&self.seen).get(cell).copied();
        port.put_one(Put { name: cell.clone(), bytes: bytes(next), ttl: None, when: When::Always }).await?;
        self.note(cell, next);
        Ok(before)
    }

    async fn assumed(&self, port: &Port, cell: &Name) -> Result<Generation, StoreError> {
        let known = unpoisoned::read(&self.seen).get(cell).copied();
        match known {
            Some(known) => Ok(known),
            None => self.learn(port, cell).await,
        }
    }

    /// Reads the cell; begins a generation where there is none.
    async fn learn(&self, port: &Port, cell: &Name) -> Result<Generation, StoreError> {
        for _ in 0..ATTEMPTS {
            let seen = port.get(std::slice::from_ref(cell), false).await?.pop().flatten();
            if let Some(generation) = number(Some(&seen)) {
                self.note(cell, generation);
                return Ok(generation);
            }
            let (next, version) = (Generation(rand::random()), seen.map(|item| item.version));
            let when = When::Unchanged(version);
            let put = Put { name: cell.clone(), bytes: bytes(next), ttl: None, when };
            if port.put_one(put).await? == Stored::Kept {
                self.note(cell, next);
                return Ok(next);
            }
        }
        Err(too_busy())
    }

    fn note(&self, cell: &Name, generation: Generation) {
        let mut seen = unpoisoned::write(&self.seen);
        // They are read anew.
        if seen.len() >= MOST_SEEN {
            seen.clear();
        }
        seen.insert(cell.clone(), generation);
    }
}

/// What one look found.
#[derive(Debug)]
pub(crate) struct Found {
    pub(crate) generation: Generation,
    pub(crate) names: Vec<Name>,
    pub(crate) items: Vec<Option<Item>>,
}

fn bytes(generation: Generation) -> Bytes {
    [&[MARK][..], &generation.0.to_be_bytes()].concat().into()
}

fn number(seen: Option<&Option<Item>>) -> Option<Generation> {
    let [MARK, number @ ..] = seen?.as_ref()?.bytes.as_ref() else { return None };
    Some(Generation(u64::from_be_bytes(number.try_into().ok()?)))
}

fn too_busy() -> StoreError {
    StoreError::Unexpected(format!("the cache was cleared {ATTEMPTS} times in a row"))
}

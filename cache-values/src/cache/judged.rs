//! What a backend's answer is worth.

use std::time::Duration;

use bytes::Bytes;
use serde::de::DeserializeOwned;

use super::Cache;
use crate::{
    backend::{Item, Left, StoreError, Version, is_promise, number},
    codec::Codec,
    envelope::Envelope,
    generation::Found,
    name::{Generation, Name, Naming},
};

/// One key, as one look found it.
#[derive(Debug)]
pub(super) struct Judged {
    pub(super) name: Name,
    pub(super) generation: Generation,
    /// What stands there: the condition for putting something in its place.
    pub(super) seen: Option<Version>,
    pub(super) state: State,
}

#[derive(Debug)]
pub(super) enum State {
    Nothing,
    /// Somebody computes the value.
    Promised,
    /// Nothing that this program could have stored under this key.
    Unreadable,
    /// A tag of the value has been invalidated.
    Untagged,
    Fresh(Value),
    /// Its time is over since then; it is kept for those who would rather have it than nothing.
    Stale(Value, Duration),
}

#[derive(Clone, Debug)]
pub(super) struct Value {
    pub(super) content: Content,
    /// How much of its own time is left.
    pub(super) left: Left,
    /// The item as it is stored.
    pub(super) bytes: Bytes,
}

#[derive(Clone, Debug)]
pub(super) enum Content {
    Number(i64),
    Envelope(Box<Envelope>),
}

impl Value {
    /// The value as the type that was asked for; `None` if it is of another.
    pub(super) fn decode<T: DeserializeOwned>(&self) -> Option<T> {
        match &self.content {
            Content::Number(value) => Codec::decode_number(*value),
            Content::Envelope(envelope) => envelope.codec.decode(&envelope.payload),
        }
    }

    pub(super) fn cost(&self) -> Duration {
        match &self.content {
            Content::Number(_) => Duration::ZERO,
            Content::Envelope(envelope) => envelope.cost,
        }
    }

    pub(super) fn grace(&self) -> Duration {
        match &self.content {
            Content::Number(_) => Duration::ZERO,
            Content::Envelope(envelope) => envelope.grace,
        }
    }
}

impl Judged {
    pub(super) fn fresh(self) -> Option<Value> {
        match self.state {
            State::Fresh(value) => Some(value),
            _ => None,
        }
    }
}

impl Cache {
    /// Looks under several keys: one call, and one more where values have tags or times of grace.
    pub(super) async fn look(&self, keys: &[&str], left: bool) -> Result<Vec<Judged>, StoreError> {
        let mut judged = self.look_once(keys, left).await?;
        if !left && judged.iter().any(Judged::needs_time) {
            judged = self.look_once(keys, true).await?;
        }
        self.check_tags(&mut judged).await?;
        Ok(judged)
    }

    async fn look_once(&self, keys: &[&str], left: bool) -> Result<Vec<Judged>, StoreError> {
        let names = |generation| keys.iter().map(|key| self.naming.value(generation, key)).collect();
        let (port, naming) = (&self.shared.port, &self.naming);
        let Found { generation, names, items } =
            self.shared.generations.get(port, naming, names, left).await?;
        let judge = |((item, name), key): ((Option<Item>, Name), &&str)| Judged {
            generation,
            seen: item.as_ref().map(|item| item.version),
            state: item.map_or(State::Nothing, |item| self.judge(&name, key, item)),
            name,
        };
        Ok(items.into_iter().zip(names).zip(keys).map(judge).collect())
    }

    /// Looks under one key.
    pub(super) async fn look_at(&self, key: &str, left: bool) -> Result<Judged, StoreError> {
        let mut judged = self.look(&[key], left).await?;
        Ok(judged.remove(0))
    }

    fn judge(&self, name: &Name, key: &str, item: Item) -> State {
        if is_promise(&item.bytes) {
            return State::Promised;
        }
        if let Some(number) = number(&item.bytes) {
            let content = Content::Number(number);
            return State::Fresh(Value { content, left: item.left, bytes: item.bytes });
        }
        let Some(envelope) = Envelope::read(&item.bytes, self.settings().longest) else {
            return State::Unreadable;
        };
        // Two keys may have one hash.
        if Naming::stands_beside(name, key) && envelope.key.as_deref() != Some(key) {
            return State::Unreadable;
        }
        Value { content: Content::Envelope(Box::new(envelope)), left: item.left, bytes: item.bytes }.aged()
    }
}

impl Value {
    /// The value in an item that this process has made.
    pub(super) fn handed_over(item: Bytes, longest: usize) -> Option<Self> {
        let content = match number(&item) {
            Some(number) => Content::Number(number),
            None => Content::Envelope(Box::new(Envelope::read(&item, longest)?)),
        };
        Some(Value { content, left: Left::Unknown, bytes: item })
    }

    /// Takes the time of grace off what is left.
    fn aged(self) -> State {
        let grace = self.grace();
        match self.left {
            Left::For(left) if left <= grace && !grace.is_zero() => {
                State::Stale(Value { left: Left::For(Duration::ZERO), ..self }, grace - left)
            }
            Left::For(left) => State::Fresh(Value { left: Left::For(left - grace), ..self }),
            Left::Unknown | Left::Forever => State::Fresh(self),
        }
    }
}

impl Judged {
    /// Whether it can't be told without the time that is left.
    fn needs_time(&self) -> bool {
        match &self.state {
            State::Fresh(value) => value.left == Left::Unknown && !value.grace().is_zero(),
            _ => false,
        }
    }
}

//! Single-flight loads and the joining rule.
//!
//! Several calls of one process that miss the same slot load it once: the first leads, the others join. A
//! joiner may use the leader's row only if the row was current at a moment *after the joiner's call began*.
//! Two conditions make that certain:
//!
//! 1. the fill was accepted: when it took effect, no fence had overtaken the lease; and
//! 2. the joiner was in before the fill was under way. A call that came later might join after the moment
//!    at which the fill took effect, and after a write that committed since.
//!
//! So a flight takes followers until it closes, which is right before the fill, and only its completion hands
//! them the entry. Everybody else loads by itself.

use std::{
    collections::HashMap,
    hash::Hash,
    sync::{Arc, Mutex},
};

use tokio::sync::watch;

use crate::unpoisoned;

/// The flights of one process that still take followers.
#[derive(Debug)]
pub struct Flights<K, V> {
    open: Open<K, V>,
}

type Open<K, V> = Arc<Mutex<HashMap<K, watch::Receiver<Option<V>>>>>;

/// The same flights.
impl<K, V> Clone for Flights<K, V> {
    fn clone(&self) -> Self {
        Flights { open: Arc::clone(&self.open) }
    }
}

impl<K, V> Default for Flights<K, V> {
    fn default() -> Self {
        Flights { open: Arc::default() }
    }
}

/// How a call takes part in the load of a slot.
#[derive(Debug)]
pub enum Role<K: Eq + Hash, V> {
    /// This call loads.
    Leader(Flight<K, V>),
    /// Another call loads already.
    Follower(Follower<V>),
}

/// The leader's side. Dropping it sends the followers off to load by themselves.
#[must_use = "a flight that is dropped ends without completing"]
#[derive(Debug)]
pub struct Flight<K: Eq + Hash, V> {
    flights: Flights<K, V>,
    slot: K,
    completion: watch::Sender<Option<V>>,
}

/// A joiner's side.
#[derive(Debug)]
pub struct Follower<V>(watch::Receiver<Option<V>>);

impl<K: Clone + Eq + Hash, V> Flights<K, V> {
    /// Joins the flight of this slot, or starts one.
    pub fn join(&self, slot: &K) -> Role<K, V> {
        let mut open = unpoisoned::lock(&self.open);
        if let Some(flight) = open.get(slot) {
            return Role::Follower(Follower(flight.clone()));
        }
        let (completion, followers) = watch::channel(None);
        open.insert(slot.clone(), followers);
        Role::Leader(Flight { flights: self.clone(), slot: slot.clone(), completion })
    }

    /// Lets nobody join the flight of this slot any more: what it loads is not current for calls that begin now.
    pub fn close(&self, slot: &K) {
        unpoisoned::lock(&self.open).remove(slot);
    }
}

impl<K: Eq + Hash, V> Flights<K, V> {
    fn end(&self, flight: &Flight<K, V>) {
        let mut open = unpoisoned::lock(&self.open);
        let followers = flight.completion.subscribe();
        let ours = open.get(&flight.slot).is_some_and(|open| open.same_channel(&followers));
        if ours {
            open.remove(&flight.slot);
        }
    }
}

impl<K: Eq + Hash, V> Flight<K, V> {
    /// Takes no more followers. To be called right before the fill.
    pub fn close(&self) {
        self.flights.end(self);
    }

    /// Hands the entry, which the store has accepted, to the followers.
    pub fn complete(self, entry: V) {
        self.completion.send_replace(Some(entry));
    }
}

impl<K: Eq + Hash, V> Drop for Flight<K, V> {
    fn drop(&mut self) {
        self.flights.end(self);
    }
}

impl<V: Clone> Follower<V> {
    /// Waits for the flight's end: the accepted entry, or `None` if the caller must load by itself.
    pub async fn completed(mut self) -> Option<V> {
        self.0.wait_for(Option::is_some).await.ok().and_then(|entry| entry.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        entry::{Entry, Fingerprint, Payload, Token},
        key::Key,
    };

    fn entry() -> Entry {
        Entry {
            token: Token(1),
            epoch: None,
            presence: None,
            fingerprint: Fingerprint(1),
            payload: Payload::Encoded("row".into()),
        }
    }

    fn leader(open: Role<Key, Entry>) -> Flight<Key, Entry> {
        match open {
            Role::Leader(flight) => flight,
            Role::Follower(_) => panic!("expected to lead"),
        }
    }

    fn follower(open: Role<Key, Entry>) -> Follower<Entry> {
        match open {
            Role::Follower(follower) => follower,
            Role::Leader(_) => panic!("expected to join"),
        }
    }

    #[tokio::test]
    async fn followers_get_the_entry_of_a_flight_that_completed() {
        let (flights, slot) = (Flights::default(), Key::from("slot".to_owned()));
        let flight = leader(flights.join(&slot));
        let joined = follower(flights.join(&slot));
        flight.close();
        flight.complete(entry());
        assert_eq!(joined.completed().await, Some(entry()));
    }

    #[tokio::test]
    async fn followers_of_a_flight_that_never_completes_load_by_themselves() {
        let (flights, slot) = (Flights::default(), Key::from("slot".to_owned()));
        let flight = leader(flights.join(&slot));
        let joined = follower(flights.join(&slot));
        drop(flight);
        assert_eq!(joined.completed().await, None);
        drop(leader(flights.join(&slot)));
    }

    #[tokio::test]
    async fn nobody_boards_after_the_fill_is_under_way() {
        let (flights, slot) = (Flights::default(), Key::from("slot".to_owned()));
        let first = leader(flights.join(&slot));
        first.close();
        let second = leader(flights.join(&slot));
        // The end of the first flight leaves the second one open for open.
        first.complete(entry());
        drop(follower(flights.join(&slot)));
        drop(second);
    }
}

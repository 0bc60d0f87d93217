//! Single-flight loads and the joining rule.
//!
//! Several calls of one process that miss the same slot load it once: the first leads, the others join. A
//! joiner may use the leader's row only if the row was current at a moment *after the joiner's call began*.
//! Two conditions make that certain:
//!
//! 1. the fill was accepted: when it took effect, no fence had overtaken the lease; and
//! 2. the joiner was aboard before the fill was under way. A call that came later might join after the moment
//!    at which the fill took effect, and after a write that committed since.
//!
//! So a flight takes passengers until it departs, which is right before the fill, and only a landing hands
//! them the entry. Everybody else loads by itself.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use tokio::sync::watch;

use crate::{entry::Entry, key::Key};

/// The flights of one process that still take passengers.
#[derive(Clone, Debug, Default)]
pub(crate) struct Flights {
    boarding: Arc<Mutex<HashMap<Key, watch::Receiver<Option<Entry>>>>>,
}

/// How a call takes part in the load of a slot.
pub(crate) enum Boarding {
    /// This call loads.
    Leader(Flight),
    /// Another call loads already.
    Passenger(Passenger),
}

/// The leader's side. Dropping it sends the passengers off to load by themselves.
#[must_use = "a flight that is dropped ends without landing"]
#[derive(Debug)]
pub(crate) struct Flight {
    flights: Flights,
    slot: Key,
    landing: watch::Sender<Option<Entry>>,
}

/// A joiner's side.
pub(crate) struct Passenger(watch::Receiver<Option<Entry>>);

impl Flights {
    /// Joins the flight of this slot, or starts one.
    pub(crate) fn board(&self, slot: &Key) -> Boarding {
        let mut boarding = self.boarding.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(flight) = boarding.get(slot) {
            return Boarding::Passenger(Passenger(flight.clone()));
        }
        let (landing, passengers) = watch::channel(None);
        boarding.insert(slot.clone(), passengers);
        Boarding::Leader(Flight { flights: self.clone(), slot: slot.clone(), landing })
    }

    fn close(&self, flight: &Flight) {
        let mut boarding = self.boarding.lock().unwrap_or_else(PoisonError::into_inner);
        let passengers = flight.landing.subscribe();
        let ours = boarding.get(&flight.slot).is_some_and(|open| open.same_channel(&passengers));
        if ours {
            boarding.remove(&flight.slot);
        }
    }
}

impl Flight {
    /// Takes no more passengers. To be called right before the fill.
    pub(crate) fn depart(&self) {
        self.flights.close(self);
    }

    /// Hands the entry, which the store has accepted, to the passengers.
    pub(crate) fn land(self, entry: Entry) {
        self.landing.send_replace(Some(entry));
    }
}

impl Drop for Flight {
    fn drop(&mut self) {
        self.flights.close(self);
    }
}

impl Passenger {
    /// Waits for the flight's end: the accepted entry, or `None` if the caller must load by itself.
    pub(crate) async fn landed(mut self) -> Option<Entry> {
        self.0.wait_for(Option::is_some).await.ok().and_then(|entry| entry.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entry::{Fingerprint, Payload, Token};

    fn entry() -> Entry {
        Entry {
            token: Token(1),
            epoch: None,
            presence: None,
            fingerprint: Fingerprint(1),
            payload: Payload::Encoded("row".into()),
        }
    }

    fn leader(boarding: Boarding) -> Flight {
        match boarding {
            Boarding::Leader(flight) => flight,
            Boarding::Passenger(_) => panic!("expected to lead"),
        }
    }

    fn passenger(boarding: Boarding) -> Passenger {
        match boarding {
            Boarding::Passenger(passenger) => passenger,
            Boarding::Leader(_) => panic!("expected to join"),
        }
    }

    #[tokio::test]
    async fn passengers_get_the_entry_of_a_flight_that_landed() {
        let (flights, slot) = (Flights::default(), Key::from("slot".to_owned()));
        let flight = leader(flights.board(&slot));
        let joined = passenger(flights.board(&slot));
        flight.depart();
        flight.land(entry());
        assert_eq!(joined.landed().await, Some(entry()));
    }

    #[tokio::test]
    async fn passengers_of_a_flight_that_never_lands_load_by_themselves() {
        let (flights, slot) = (Flights::default(), Key::from("slot".to_owned()));
        let flight = leader(flights.board(&slot));
        let joined = passenger(flights.board(&slot));
        drop(flight);
        assert_eq!(joined.landed().await, None);
        drop(leader(flights.board(&slot)));
    }

    #[tokio::test]
    async fn nobody_boards_after_the_fill_is_under_way() {
        let (flights, slot) = (Flights::default(), Key::from("slot".to_owned()));
        let first = leader(flights.board(&slot));
        first.depart();
        let second = leader(flights.board(&slot));
        // The end of the first flight leaves the second one open for boarding.
        first.land(entry());
        drop(passenger(flights.board(&slot)));
        drop(second);
    }
}

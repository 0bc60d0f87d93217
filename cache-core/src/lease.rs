//! A reader's revocable right to fill one slot.

use std::{sync::Arc, time::Duration};

use crate::{
    cache::{Cache, Table},
    entry::{Entry, Fingerprint, Payload},
    flight::Flight,
    key::Address,
    store::Grant,
};

/// Dropping it gives the right back in the background and sends joined calls off to load by themselves.
///
/// Load from the database only while holding one, and fill with what that load returned: this order is what
/// makes a write that commits in between defeat the fill.
#[must_use = "a lease that is dropped fills nothing"]
#[derive(Debug)]
pub struct Lease {
    ticket: Option<Ticket>,
}

#[derive(Debug)]
pub(crate) struct Ticket {
    pub(crate) cache: Cache,
    pub(crate) table: Arc<Table>,
    pub(crate) at: Address,
    pub(crate) grant: Grant,
    pub(crate) flight: Flight,
}

impl Lease {
    pub(crate) fn new(ticket: Ticket) -> Self {
        Lease { ticket: Some(ticket) }
    }

    /// Stores what the load returned, expiring after about `ttl` (the connection's default if `None`).
    ///
    /// With a shared store this returns at once and the fill goes on in the background.
    ///
    /// # Cancel safety
    /// Dropped midway, the entry is stored or not; either is right.
    pub async fn fill(self, payload: Payload, fingerprint: Fingerprint, ttl: Option<Duration>) {
        self.store(payload, fingerprint, ttl, false).await;
    }

    /// Stores "no such row"; `key` is the key in full. Does nothing if rows are being inserted right now.
    ///
    /// # Cancel safety
    /// As [`fill`](Self::fill).
    pub async fn fill_absent(self, key: Payload, fingerprint: Fingerprint, ttl: Option<Duration>) {
        self.store(key, fingerprint, ttl, true).await;
    }

    async fn store(
        mut self,
        payload: Payload,
        fingerprint: Fingerprint,
        ttl: Option<Duration>,
        absent: bool,
    ) {
        let Some(ticket) = self.ticket.take() else { return };
        let presence = if absent { ticket.grant.presence } else { None };
        let too_large = payload.weight() > ticket.cache.settings().max_entry_bytes;
        if too_large {
            ticket.table.counters.oversized.increment();
        }
        if too_large || (absent && presence.is_none()) {
            return ticket.forfeit();
        }
        let entry =
            Entry { token: ticket.grant.token, epoch: ticket.grant.epoch, presence, fingerprint, payload };
        let ttl = ticket.cache.settings().jittered(ttl);
        let cache = ticket.cache.clone();
        cache.in_background(ticket.fill(entry, ttl)).await;
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        if let Some(ticket) = self.ticket.take() {
            ticket.forfeit();
        }
    }
}

impl Ticket {
    async fn fill(self, entry: Entry, ttl: Duration) {
        self.flight.depart();
        let stored =
            self.cache.call(&self.table, self.cache.store().fill(&self.at, entry.clone(), ttl)).await;
        match stored {
            Ok(true) => {
                self.table.counters.fills.increment();
                self.flight.land(entry);
            }
            Ok(false) => self.table.counters.superseded_fills.increment(),
            // The lease expires by itself, or the entry was stored although the answer got lost.
            Err(_) => {}
        }
    }

    /// Nobody waits for a forfeit: it only shortens the time until the next reader may lease the slot.
    fn forfeit(self) {
        let cache = self.cache.clone();
        cache.spawn(async move {
            let call = self.cache.store().forfeit(&self.at, self.grant.token);
            // On failure the lease expires by itself.
            drop(self.cache.call(&self.table, call).await);
        });
    }
}

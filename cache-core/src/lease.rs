//! A reader's revocable right to fill one slot.

use std::{sync::Arc, time::Duration};

use tokio::sync::oneshot;

use crate::{
    entry::{Entry, Fingerprint, Generation, Payload, Token},
    flight::Flight,
    key::{Address, Key},
    port::Port,
    store::{FillRequest, Grant},
    table::Table,
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
    pub(crate) port: Port,
    pub(crate) table: Arc<Table>,
    pub(crate) at: Address,
    pub(crate) grant: Grant,
    pub(crate) flight: Flight<Key, Entry>,
}

impl Lease {
    pub(crate) fn new(ticket: Ticket) -> Self {
        Lease { ticket: Some(ticket) }
    }

    /// The token that the entry will carry.
    pub fn token(&self) -> Option<Token> {
        self.ticket.as_ref().map(|ticket| ticket.grant.token)
    }

    /// The generation of the schema under which it was granted.
    pub(crate) fn generation(&self) -> Option<Generation> {
        self.ticket.as_ref().map(|ticket| ticket.grant.generation)
    }

    /// True if this is the right to fill that slot.
    pub fn is_for(&self, at: &Address) -> bool {
        self.ticket.as_ref().is_some_and(|ticket| ticket.at.slot == at.slot)
    }

    /// Stores what the load returned, expiring after about `ttl` (the connection's default if `None`).
    ///
    /// With a shared store this returns at once and the fill goes on in the background.
    ///
    /// # Cancel safety
    /// Dropped midway, the entry is stored or not; either is right.
    pub async fn fill(self, payload: Payload, fingerprint: Fingerprint, ttl: Option<Duration>) {
        Fill { lease: self, content: Content::Present(payload), fingerprint, ttl }.run(None).await;
    }

    /// Stores "no such row"; `key` is the key in full. Does nothing if rows are being inserted right now.
    ///
    /// # Cancel safety
    /// As [`fill`](Self::fill).
    pub async fn fill_absent(self, key: Payload, fingerprint: Fingerprint, ttl: Option<Duration>) {
        Fill { lease: self, content: Content::Absent(key), fingerprint, ttl }.run(None).await;
    }

    /// As [`fill`](Self::fill), but waits for the store: true if it took the entry.
    ///
    /// # Cancel safety
    /// As [`fill`](Self::fill).
    pub async fn fill_now(self, payload: Payload, fingerprint: Fingerprint, ttl: Option<Duration>) -> bool {
        let (tell, told) = oneshot::channel();
        Fill { lease: self, content: Content::Present(payload), fingerprint, ttl }.run(Some(tell)).await;
        told.await.unwrap_or(false)
    }
}

/// What a load found for one slot.
#[derive(Debug)]
pub enum Content {
    /// The row or rows, or where an alias leads.
    Present(Payload),
    /// "No such row"; the key in full.
    Absent(Payload),
}

/// A fill that is due: a lease, and what was loaded under it.
#[derive(Debug)]
pub struct Fill {
    /// The right to fill.
    pub lease: Lease,
    /// What was loaded.
    pub content: Content,
    /// Its shape.
    pub fingerprint: Fingerprint,
    /// About how long it lives; the connection's default if `None`.
    pub ttl: Option<Duration>,
}

impl Fill {
    async fn run(self, tell: Option<oneshot::Sender<bool>>) {
        let Some(Prepared { ticket, entry, ttl }) = self.prepare() else { return };
        let port = ticket.port.clone();
        let fill = async move {
            let stored = ticket.fill(entry, ttl).await;
            if let Some(tell) = tell {
                // Whoever waited may have vanished.
                let _ = tell.send(stored);
            }
        };
        port.in_background(fill).await;
    }

    /// The entry to store; `None`, and the lease is given back, if it must not be stored.
    pub(crate) fn prepare(mut self) -> Option<Prepared> {
        let ticket = self.lease.ticket.take()?;
        let (payload, presence, may) = match self.content {
            Content::Present(payload) => (payload, None, true),
            Content::Absent(key) => (key, ticket.grant.presence, ticket.grant.presence.is_some()),
        };
        let too_large = payload.weight() > ticket.port.settings().max_entry_bytes;
        if too_large {
            ticket.table.counters.oversized.increment();
        }
        if too_large || !may {
            ticket.forfeit();
            return None;
        }
        let (Grant { token, epoch, .. }, fingerprint) = (ticket.grant, self.fingerprint);
        let ttl = ticket.port.settings().jittered(self.ttl);
        Some(Prepared { entry: Entry { token, epoch, presence, fingerprint, payload }, ttl, ticket })
    }
}

/// A fill that may be sent.
pub(crate) struct Prepared {
    ticket: Ticket,
    entry: Entry,
    ttl: Duration,
}

/// Stores several entries in one call.
pub(crate) async fn fill_many(port: Port, prepared: Vec<Prepared>) {
    let Some(table) = prepared.first().map(|first| first.ticket.table.clone()) else { return };
    for fill in &prepared {
        fill.ticket.flight.close();
    }
    let fill = || {
        let filled = prepared.iter().map(|Prepared { ticket, entry, ttl }| FillRequest {
            at: &ticket.at,
            entry: entry.clone(),
            ttl: *ttl,
        });
        port.store().fill_many(filled.collect())
    };
    let stored = port.call(&table, fill).await;
    let Ok(stored) = stored else { return };
    for (Prepared { ticket, entry, .. }, stored) in prepared.into_iter().zip(stored) {
        ticket.end(entry, stored);
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
    async fn fill(self, entry: Entry, ttl: Duration) -> bool {
        self.flight.close();
        let call = || self.port.store().fill(&self.at, entry.clone(), ttl);
        // On failure the lease expires by itself, or the entry was stored although the answer got lost.
        let Ok(stored) = self.port.call(&self.table, call).await else { return false };
        self.end(entry, stored);
        stored
    }

    fn end(self, entry: Entry, stored: bool) {
        if stored {
            self.table.counters.fills.increment();
            tracing::debug!(db.collection.name = self.table.name(), "fill");
            self.flight.complete(entry);
        } else {
            self.table.counters.superseded_fills.increment();
            tracing::debug!(db.collection.name = self.table.name(), "fill superseded by a write");
        }
    }

    /// Nobody waits for a forfeit: it only shortens the time until the next reader may lease the slot.
    fn forfeit(self) {
        let port = self.port.clone();
        port.spawn(async move {
            let call = || self.port.store().forfeit(&self.at, self.grant.token);
            // On failure the lease expires by itself.
            drop(self.port.call(&self.table, call).await);
        });
    }
}

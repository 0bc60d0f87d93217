//! Several slots in one call.

use std::sync::Arc;

use super::{
    Cache, Table,
    outcome::{Lookup, Outdated, validate},
};
use crate::{
    entry::{Fingerprint, Generation, Token},
    flight::Role,
    key::Address,
    lease::{self, Fill, Lease, Ticket},
    store::LeaseRequest,
};

/// A slot, and what is expected of its entry.
#[derive(Clone, Copy, Debug)]
pub struct Wanted<'a> {
    /// The slot's table.
    pub table: &'a Table,
    /// The slot.
    pub at: &'a Address,
    /// The shape of what it should hold.
    pub fingerprint: Fingerprint,
}

/// What the cache knows about several slots.
#[derive(Debug)]
pub struct Lookups {
    /// One for each slot, in the order asked.
    pub found: Vec<Lookup>,
    /// All of it was so at one instant. If not, and more than one was found, [`Cache::revalidate`] finds out.
    pub at_once: bool,
}

impl Cache {
    /// Reads several slots and checks their stamps. No slot is seen before those that stand before it.
    ///
    /// # Cancel safety
    /// Changes nothing.
    pub async fn lookup_many(&self, wanted: &[Wanted<'_>]) -> Lookups {
        let unavailable =
            || Lookups { found: wanted.iter().map(|_| Lookup::Unavailable).collect(), at_once: false };
        let distrusted = || wanted.iter().any(|wanted| self.port().distrusts(wanted.table));
        let Some(first) = wanted.first().filter(|_| !distrusted()) else {
            self.inner.backlog.take_up();
            return unavailable();
        };
        let at: Vec<&Address> = wanted.iter().map(|wanted| wanted.at).collect();
        // The first table stands for all of them in the counters of a call.
        let Ok(seen) = self.port().call(first.table, || self.port().store().lookup_many(&at)).await else {
            return unavailable();
        };
        if distrusted() {
            return unavailable();
        }
        let found =
            wanted.iter().zip(seen.seen).map(|(wanted, seen)| validate(wanted.at, wanted.fingerprint, seen));
        Lookups { found: found.collect(), at_once: seen.at_once }
    }

    /// True if every slot still holds the entry with this token, and it is still valid: then all of them were
    /// valid together at every instant since they were found.
    ///
    /// # Cancel safety
    /// Changes nothing.
    pub async fn revalidate(&self, held: &[(Wanted<'_>, Token)]) -> bool {
        if held.is_empty() {
            return true;
        }
        let wanted: Vec<_> = held.iter().map(|(wanted, _)| *wanted).collect();
        let found = self.lookup_many(&wanted).await.found;
        found.iter().zip(held).all(|(found, (_, token))| found.holds(*token))
    }

    /// After misses in one call: asks for the right to fill each of the slots. `None` where another call has
    /// it or a writer is at work: load, and fill nothing. `generation` is that of the schema that the caller
    /// knows.
    ///
    /// # Errors
    /// [`Outdated`] if the schema is of another generation: load, fill nothing, and learn it anew.
    ///
    /// # Cancel safety
    /// Leases that nobody knows of expire by themselves.
    pub async fn lease_or_join_many(
        &self,
        table: &Arc<Table>,
        generation: Generation,
        missed: &[(Address, Option<Token>)],
    ) -> Result<Vec<Option<Lease>>, Outdated> {
        // Nobody waits for another call's flight: a call that waits for many could wait for one that waits for it.
        let flights: Vec<_> = missed
            .iter()
            .map(|(at, _)| match self.inner.flights.join(&at.slot) {
                Role::Leader(flight) => Some(flight),
                Role::Follower(_) => None,
            })
            .collect();
        let ours = missed.iter().zip(&flights).filter(|(_, flight)| flight.is_some());
        let requests: Vec<_> =
            ours.map(|((at, replaces), _)| LeaseRequest { at, replaces: *replaces }).collect();
        if requests.is_empty() {
            return Ok(missed.iter().map(|_| None).collect());
        }
        self.inner.backlog.take_up();
        let port = self.port();
        let call = || port.store().lease_many(port.schema_cell(), &requests, port.settings().lease_ttl);
        let mut grants = port.call(table, call).await.unwrap_or_default().into_iter();
        let leases = missed.iter().zip(flights).map(|((at, _), flight)| {
            let flight = flight?;
            let grant = grants.next().flatten()?;
            Some(Lease::new(Ticket {
                port: port.clone(),
                table: table.clone(),
                at: at.clone(),
                grant,
                flight,
            }))
        });
        let leases: Vec<_> = leases.collect();
        let is_current = |lease: &Lease| lease.generation() == Some(generation);
        if leases.iter().flatten().all(is_current) { Ok(leases) } else { Err(Outdated) }
    }

    /// Stores what was loaded under several leases at once. With a shared store this returns at once and the
    /// fills go on in the background.
    ///
    /// # Cancel safety
    /// As [`Lease::fill`].
    pub async fn fill_many(&self, fills: Vec<Fill>) {
        let prepared: Vec<_> = fills.into_iter().filter_map(Fill::prepare).collect();
        if !prepared.is_empty() {
            self.port().in_background(lease::fill_many(self.port().clone(), prepared)).await;
        }
    }
}

//! The contract of a store.

use std::{
    fmt,
    time::{Duration, Instant},
};

use async_trait::async_trait;

use crate::{
    entry::{Entry, Epoch, Generation, Token, Writer},
    key::{Address, Key, Namespace, TableKeys},
};

/// A fence or release of more cells than this is several calls, one after the other, each with its own time-out.
pub const MOST_CELLS: usize = 1000;

/// A place that keeps cells. Object safe; shared behind an `Arc`.
///
/// # Legal call sequences
///
/// - Reader: `lookup`. On a miss `lease`, then the load, then `fill` or `forfeit` with the granted token. The
///   same with `lookup_many`, `lease_many` and `fill_many` for several slots at once.
/// - Writer: `fence` before the write can commit, then the write, then `release` of the same cells with the
///   same writer if, and only if, its outcome is known. A fence that is not released expires.
/// - Once before either, and again whenever the caller likes: `claim`. Before the schema is learned:
///   `generation`.
///
/// # Contract
///
/// - Each cell moves as [`slot::apply`](crate::slot::apply) says, atomically per cell.
/// - One call sees a slot before its presence cell, and changes a slot before it reads its epoch cell, so
///   that a call over several cells need not be atomic as a whole.
/// - Any entry, lease or epoch may be evicted at any time; a fence should not be.
/// - A call whose answer got lost may be made again. `fence` (with the same writer), `release` and `forfeit` are
///   idempotent; of `lease` and `fill`, the second is refused if the first was executed.
/// - The schema cell is an epoch cell: a change of the schema fences it like any other. A lease is granted, and a
///   fence answered, with the number that stands there, read when the lease and its numbers, or all marks, stand.
/// - A store never answers from a replica.
///
/// # Cancel safety
///
/// A dropped call may or may not have taken effect. Neither is wrong: a lease or fence that nobody knows
/// of expires by itself.
///
/// # Errors
///
/// A [`StoreError`] says nothing about whether the call took effect. Callers answer the query from the
/// database; they never show the error as the query's result.
#[async_trait]
pub trait Store: fmt::Debug + Send + Sync + 'static {
    /// What the slot holds, with the cells that decide whether it is valid. One round trip; changes nothing.
    async fn lookup(&self, at: &Address) -> Result<LookupResult, StoreError>;

    /// Asks for the right to fill the slot, and opens its epoch and presence cells and the schema cell. Refused
    /// while the slot, its epoch cell or the schema cell is fenced. `replaces` is the token of an entry that the
    /// reader saw and found invalid.
    async fn lease(
        &self,
        schema: &Key,
        at: &Address,
        replaces: Option<Token>,
        ttl: Duration,
    ) -> Result<Option<Grant>, StoreError>;

    /// Stores `entry` if its lease still stands and its epoch is unchanged. True if it was stored.
    async fn fill(&self, at: &Address, entry: Entry, ttl: Duration) -> Result<bool, StoreError>;

    /// Looks into several slots, in this order: no slot is seen before those that stand before it. One round
    /// trip where the store can, or a few for very many slots.
    async fn lookup_many(&self, at: &[&Address]) -> Result<LookupResults, StoreError> {
        let mut seen = Vec::with_capacity(at.len());
        for at in at {
            seen.push(self.lookup(at).await?);
        }
        Ok(LookupResults { at_once: seen.len() <= 1, seen })
    }

    /// Asks for the right to fill several slots. The grants come in the order of the wishes.
    async fn lease_many(
        &self,
        schema: &Key,
        wanted: &[LeaseRequest<'_>],
        ttl: Duration,
    ) -> Result<Vec<Option<Grant>>, StoreError> {
        let mut grants = Vec::with_capacity(wanted.len());
        for wish in wanted {
            grants.push(self.lease(schema, wish.at, wish.replaces, ttl).await?);
        }
        Ok(grants)
    }

    /// Fills several slots. For each, whether its entry was stored.
    async fn fill_many(&self, filled: Vec<FillRequest<'_>>) -> Result<Vec<bool>, StoreError> {
        let mut stored = Vec::with_capacity(filled.len());
        for FillRequest { at, entry, ttl } in filled {
            stored.push(self.fill(at, entry, ttl).await?);
        }
        Ok(stored)
    }

    /// Gives a lease back unused.
    async fn forfeit(&self, at: &Address, token: Token) -> Result<(), StoreError>;

    /// Fences every cell, or fails; then opens the schema cell and answers its number, `None` while it is
    /// fenced. One round trip, or a few for very many cells.
    async fn fence(
        &self,
        schema: &Key,
        cells: &[Key],
        writer: Writer,
        ttl: Duration,
    ) -> Result<Option<Generation>, StoreError>;

    /// Releases every cell and returns how many of the fences were lost: expired or evicted.
    async fn release(&self, cells: &[Key], writer: Writer) -> Result<usize, StoreError>;

    /// The number in the schema cell, which is started at random if it is empty; `None` while it is fenced.
    async fn generation(&self, schema: &Key) -> Result<Option<Generation>, StoreError>;

    /// Binds the namespace to one database, for ever: the first identity claims it.
    async fn claim(&self, namespace: &Namespace, identity: &str) -> Result<Claim, StoreError>;

    /// Tells the store of a table that this process uses. A store that may come to forget acknowledged calls
    /// (a server that fails over) invalidates the tables that it knows when it has.
    fn know(&self, _table: &TableKeys) {}

    /// An answer to a call that was made at `since` is overdue: calls that follow go through a newer connection, where
    /// the store has any. Those that are under way go on.
    fn doubt(&self, _since: Instant) {}

    /// The namespace to use when the user names none; `None` if the user must.
    fn default_namespace(&self) -> Option<Namespace>;

    /// What it takes to use the store. Always the same.
    fn capabilities(&self) -> Capabilities;
}

/// What a store can do, and what it takes to use it. Each fact stands for itself: a store may be in this process and
/// shared, as one that keeps copies of what a server has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Capabilities {
    /// It keeps entries. If not, caching is switched off.
    pub keeps: bool,
    /// Payloads may be kept as they are, decoded. If not, they are encoded first.
    pub keeps_decoded: bool,
    /// Calls may wait: what nobody needs to wait for goes on in the background.
    pub may_wait: bool,
    /// Calls may fail, or never be answered: they get time-outs, repetitions and a circuit breaker.
    pub may_fail: bool,
    /// Other processes read and write the same cells, of tables too that this one does not know.
    pub is_shared: bool,
}

impl Capabilities {
    /// It keeps nothing.
    pub const NONE: Capabilities = Capabilities {
        keeps: false,
        keeps_decoded: false,
        may_wait: false,
        may_fail: false,
        is_shared: false,
    };
    /// In the memory of this process alone: calls never wait and never fail.
    pub const IN_PROCESS: Capabilities =
        Capabilities { keeps: true, keeps_decoded: true, ..Capabilities::NONE };
    /// On a server that other processes use too: calls may be slow or fail, payloads are encoded.
    pub const SERVER: Capabilities =
        Capabilities { keeps: true, may_wait: true, may_fail: true, is_shared: true, ..Capabilities::NONE };
}

/// What one `lookup` saw.
#[derive(Clone, Debug, PartialEq)]
pub struct LookupResult {
    /// The slot's entry, if it holds one.
    pub entry: Option<Entry>,
    /// The epoch cell's number; `None` if the cell is missing, fenced or not part of the address.
    pub epoch: Option<Epoch>,
    /// The presence cell's number, read not before the slot; `None` likewise.
    pub presence: Option<Epoch>,
}

/// What one `lookup_many` saw.
#[derive(Clone, Debug, PartialEq)]
pub struct LookupResults {
    /// One for each slot, in the order asked.
    pub seen: Vec<LookupResult>,
    /// All of it stood so at one instant. If not, the caller looks again to find out.
    pub at_once: bool,
}

/// A slot that a reader would like to fill.
#[derive(Clone, Copy, Debug)]
pub struct LeaseRequest<'a> {
    /// The slot.
    pub at: &'a Address,
    /// The token of an entry that the reader saw there and found invalid.
    pub replaces: Option<Token>,
}

/// What a reader loaded for one slot.
#[derive(Clone, Debug)]
pub struct FillRequest<'a> {
    /// The slot.
    pub at: &'a Address,
    /// The entry, with the token of its lease.
    pub entry: Entry,
    /// How long it lives.
    pub ttl: Duration,
}

/// A granted lease.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Grant {
    /// Names the lease; the entry that is filled carries it.
    pub token: Token,
    /// The epoch to stamp the entry with; `None` if the address has no epoch cell.
    pub epoch: Option<Epoch>,
    /// The presence epoch to stamp an absent entry with; `None` if the address has no presence cell or the
    /// cell is fenced, and then an absent entry must not be filled.
    pub presence: Option<Epoch>,
    /// The schema's generation. A reader that knows the schema of another one must not fill.
    pub generation: Generation,
}

/// The answer to a `claim`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Claim {
    /// The namespace belongs to this database.
    Held,
    /// The namespace belongs to the database with this identity.
    Taken(String),
}

/// A store that did not do what it was asked. Never holds a password or a cached value.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// The server could not be reached, or the connection was lost midway.
    #[error("the cache store is unreachable: {0}")]
    Unreachable(String),
    /// No answer within the store time-out.
    #[error("the cache store did not answer within {0:?}")]
    TimedOut(Duration),
    /// The server answered something that the protocol does not know, or refused.
    #[error("the cache store answered unexpectedly: {0}")]
    Unexpected(String),
    /// The circuit breaker is open after repeated failures: the store was not asked.
    #[error("the cache store is resting after repeated failures")]
    Resting,
}

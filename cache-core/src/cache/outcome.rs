//! What a reader is told.

use crate::{
    entry::{Entry, Fingerprint, Token},
    key::Address,
    lease::Lease,
    store::LookupResult,
};

/// What the cache knows about a slot.
#[derive(Debug)]
pub enum Lookup {
    /// An entry that is valid now. The caller still compares its key with the one asked for.
    Found(Entry),
    /// Nothing valid.
    Missing {
        /// The entry that the slot holds all the same; a lease may replace it.
        replaces: Option<Token>,
    },
    /// The cache must not or can't be asked: read from the database and store nothing.
    Unavailable,
}

/// How a read that missed goes on.
#[derive(Debug)]
pub enum LeaseOutcome {
    /// Load, then fill.
    Granted(Lease),
    /// Another call has loaded the row meanwhile.
    Joined(Entry),
    /// Load, and fill nothing: a writer is at work, or another reader.
    Denied,
}

/// The store leases under another generation of the schema than the caller knows: learn it anew.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Outdated;

impl Lookup {
    pub(super) fn holds(&self, token: Token) -> bool {
        matches!(self, Lookup::Found(entry) if entry.token == token)
    }
}

/// What a slot holds for a reader: an entry is valid if its shape and its stamps are what they should be now.
pub(super) fn validate(at: &Address, fingerprint: Fingerprint, seen: LookupResult) -> Lookup {
    let Some(entry) = seen.entry else {
        return Lookup::Missing { replaces: None };
    };
    let valid = entry.fingerprint == fingerprint
        && entry.epoch == seen.epoch
        && entry.epoch.is_some() == at.epoch.is_some()
        && (entry.presence.is_none() || entry.presence == seen.presence);
    if valid { Lookup::Found(entry) } else { Lookup::Missing { replaces: Some(entry.token) } }
}

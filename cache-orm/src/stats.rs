//! What the cache did, in numbers.

use std::collections::BTreeMap;

use cache_core::event::{Counter, Counts};

use crate::classify::reason::BypassReason;

/// What one connection's cache did since the connection was made.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Stats {
    /// By the table's name as entities write it: `product`, or `sales.product` if they name the schema. Two names
    /// of one table have the same counts.
    pub entities: BTreeMap<String, EntityStats>,
    /// Reads sent to the database that belong to no entity in particular.
    pub bypasses: BTreeMap<BypassReason, u64>,
    /// Writes that could not be narrowed to tables: raw SQL that is not understood, DDL, triggers. Each
    /// invalidated everything.
    pub unknown_writes: u64,
}

/// What happened to one entity.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct EntityStats {
    /// Hits, misses, fills, fences and errors.
    pub counts: Counts,
    /// Recognised reads sent to the database, by reason.
    pub bypasses: BTreeMap<BypassReason, u64>,
}

/// One counter for each reason.
#[derive(Debug)]
pub(crate) struct Bypasses(Box<[Counter]>);

impl Default for Bypasses {
    fn default() -> Self {
        Bypasses(BypassReason::ALL.iter().map(|_| Counter::default()).collect())
    }
}

impl Bypasses {
    pub(crate) fn count(&self, reason: BypassReason) {
        self.0[reason as usize].increment();
    }

    pub(crate) fn snapshot(&self) -> BTreeMap<BypassReason, u64> {
        let counts = BypassReason::ALL.iter().zip(&self.0).map(|(reason, count)| (*reason, count.get()));
        counts.filter(|(_, count)| *count > 0).collect()
    }
}

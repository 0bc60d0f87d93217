//! What the cache did, in numbers.

mod table;

use std::{collections::BTreeMap, sync::Mutex};

use cache_core::{
    counters::{Counter, Counts},
    unpoisoned,
};

use crate::classify::reason::BypassReason;

/// What one connection's cache did since the connection was made. [`Display`](std::fmt::Display) is a table for a terminal;
/// serialised, it has the fields by their names.
///
/// ```
/// # async fn show(db: cache_orm::CachedConnection) {
/// println!("{}", db.stats());
/// # }
/// ```
#[derive(Clone, Debug, Default, serde::Serialize)]
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
    /// The texts of such writes, without the values in them, and how often each was sent: the first 32. Texts that
    /// differ in nothing else count as one.
    pub unknown_texts: BTreeMap<String, u64>,
    /// The text that switched the cache off, without the values in it: it controls a transaction, or changes the
    /// session of a pooled connection. [`CachedConnection::resume`](crate::CachedConnection::resume) is the way back.
    pub session_changed_by: Option<String>,
}

/// What happened to one entity.
#[derive(Clone, Debug, Default, serde::Serialize)]
#[non_exhaustive]
pub struct EntityStats {
    /// Hits, misses, fills, fences and errors.
    pub counts: Counts,
    /// Recognised reads sent to the database, by reason.
    pub bypasses: BTreeMap<BypassReason, u64>,
}

impl EntityStats {
    /// The part of the recognised reads that were answered without asking the database, from 0 to 1: those that were
    /// [sent to it in any case](Self::bypasses) count. `None` before the first read.
    pub fn hit_ratio(&self) -> Option<f64> {
        let Counts { hits, absent_hits, misses, joins, .. } = self.counts;
        let reads = hits + absent_hits + misses + self.bypasses.values().sum::<u64>();
        (reads > 0).then(|| (hits + absent_hits + joins) as f64 / reads as f64)
    }
}

/// Writes that could not be narrowed to tables, and the first texts of them.
#[derive(Debug, Default)]
pub(crate) struct WideWrites {
    count: Counter,
    texts: Mutex<BTreeMap<String, u64>>,
}

impl WideWrites {
    /// So many texts are remembered.
    const TEXTS: usize = 32;

    pub(crate) fn count(&self, text: impl FnOnce() -> String) {
        self.count.increment();
        let text = text();
        if self.is_news(&text) {
            tracing::info!(text, "what this changes is not known: it invalidates everything");
        }
    }

    fn is_news(&self, text: &str) -> bool {
        let mut texts = unpoisoned::lock(&self.texts);
        if let Some(count) = texts.get_mut(text) {
            *count += 1;
            return false;
        }
        let has_room = texts.len() < Self::TEXTS;
        if has_room {
            texts.insert(text.to_owned(), 1);
        }
        has_room
    }

    pub(crate) fn get(&self) -> u64 {
        self.count.get()
    }

    pub(crate) fn texts(&self) -> BTreeMap<String, u64> {
        unpoisoned::lock(&self.texts).clone()
    }
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

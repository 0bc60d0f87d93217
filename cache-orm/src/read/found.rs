//! What a slot turned out to hold, checked against what was asked for.

use std::sync::Arc;

use cache_core::{
    cache::Lookup,
    entry::{Entry, Token},
    key::{Address, RowKey},
};
use sea_orm::QueryResult;

use crate::{
    classify::reason::BypassReason,
    read::{
        plan::Read,
        rows::{self, Rows},
    },
    row::Row,
};

/// The answer that a slot holds.
#[derive(Clone)]
pub(crate) enum Found {
    /// "The database has no such row."
    Absent,
    Rows(Arc<Rows>),
}

impl Found {
    /// The row of a keyed read.
    pub(crate) fn row(&self) -> Option<&Arc<Row>> {
        match self {
            Found::Absent => None,
            Found::Rows(rows) => rows.only(),
        }
    }

    /// The rows as the database would return them; `None` if that would show them to a logger.
    pub(super) fn into_rows(self) -> Option<Vec<QueryResult>> {
        match self {
            Found::Absent => Some(Vec::new()),
            Found::Rows(rows) => rows.results(),
        }
    }
}

/// The rows of a read, and where they come from.
pub(crate) enum Answer {
    Cached(Found),
    Loaded(Vec<QueryResult>),
}

impl Answer {
    /// The rows as the database would return them; `None` if that would show cached ones to a logger.
    pub(super) fn into_rows(self) -> Option<Vec<QueryResult>> {
        match self {
            Answer::Cached(found) => found.into_rows(),
            Answer::Loaded(rows) => Some(rows),
        }
    }
}

/// What a look into a slot gave.
pub(super) enum Look {
    /// The answer, and the token of its entry.
    Hit(Found, Token),
    /// Nothing usable; the token of an entry that may be replaced.
    Miss(Option<Token>),
    Unavailable,
}

impl Read<'_> {
    pub(super) async fn look(&self, key: &RowKey, at: &Address) -> Look {
        let lookup = self.shared().cache.lookup(self.table, at, self.fingerprint).await;
        self.check(key, lookup)
    }

    /// Checks that what a slot holds is what was asked for, and counts it. A refresh finds everything missing.
    pub(super) fn check(&self, key: &RowKey, lookup: Lookup) -> Look {
        let replaces = match lookup {
            Lookup::Found(entry) => {
                let token = entry.token;
                match open(self, key, entry) {
                    Some(found) if !self.is_refresh() => {
                        self.count_hit(&found);
                        return Look::Hit(found, token);
                    }
                    _ => Some(token),
                }
            }
            Lookup::Missing { replaces } => replaces,
            Lookup::Unavailable => {
                self.count_unavailable();
                return Look::Unavailable;
            }
        };
        self.count_miss();
        Look::Miss(replaces)
    }

    pub(super) fn count_hit(&self, found: &Found) {
        let counters = &self.table.counters;
        let counter = if matches!(found, Found::Absent) { &counters.absent_hits } else { &counters.hits };
        counter.increment();
        tracing::debug!(db.collection.name = self.entity.label, "hit");
    }

    pub(super) fn count_miss(&self) {
        self.table.counters.misses.increment();
        tracing::debug!(db.collection.name = self.entity.label, "miss");
    }

    /// The store can't be asked, or not be trusted.
    pub(super) fn count_unavailable(&self) {
        self.entity.count_bypass(BypassReason::StoreUnavailable);
    }
}

/// Opens an entry: `None` if it is damaged, of another type, or not what was asked for.
pub(super) fn open(read: &Read<'_>, key: &RowKey, entry: Entry) -> Option<Found> {
    if entry.is_absent() {
        return (entry.payload.to_bytes() == key.as_str().as_bytes()).then_some(Found::Absent);
    }
    let rows = rows::rows(read, entry.payload)?;
    rows.are_asked_for(read, key).then_some(Found::Rows(rows))
}

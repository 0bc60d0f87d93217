//! Reads whose key names the slot: by primary key, and all().

use cache_core::{
    cache::{LeaseOutcome, Lookup},
    entry::{Payload, Token},
    key::{Address, RowKey},
    lease::Lease,
};
use sea_orm::{DbErr, QueryResult};

use crate::{
    classify::reason::BypassReason,
    read::{
        Answer, Query, Read,
        found::{self, Found, Rows},
    },
    registry::ReadKind,
};

/// What a look into a slot gave.
pub(super) enum Look {
    /// The answer, and the token of its entry.
    Hit(Found, Token),
    /// Nothing usable; the token of an entry that may be replaced.
    Miss(Option<Token>),
    Unavailable,
}

impl Read<'_> {
    pub(super) async fn by_slot(
        &self,
        key: &RowKey,
        at: Address,
        query: &Query<'_>,
    ) -> Result<Answer, DbErr> {
        let look = self.look(key, &at).await;
        self.by_look(look, key, at, query).await
    }

    /// Goes on from a look into the slot.
    pub(super) async fn by_look(
        &self,
        look: Look,
        key: &RowKey,
        at: Address,
        query: &Query<'_>,
    ) -> Result<Answer, DbErr> {
        let replaces = match look {
            Look::Hit(found, _) => return Ok(Answer::Cached(found)),
            Look::Miss(replaces) => replaces,
            Look::Unavailable => return self.load(query).await,
        };
        match self.lease_or_join(&at, replaces).await {
            LeaseOutcome::Joined(entry) => {
                match found::open(self, key, entry.payload, entry.presence.is_some()) {
                    Some(found) => Ok(Answer::Cached(found)),
                    None => self.load(query).await,
                }
            }
            LeaseOutcome::Granted(lease) => {
                let rows = query.load(self.shared()).await?;
                self.fill(lease, key, &rows).await;
                Ok(Answer::Loaded(rows))
            }
            LeaseOutcome::Denied => self.load(query).await,
        }
    }

    pub(super) async fn load(&self, query: &Query<'_>) -> Result<Answer, DbErr> {
        query.load(self.shared()).await.map(Answer::Loaded)
    }

    pub(super) async fn look(&self, key: &RowKey, at: &Address) -> Look {
        let lookup = self.shared().cache.lookup(self.table(), at, self.fingerprint).await;
        self.judge(key, lookup)
    }

    /// Checks that what a slot holds is what was asked for, and counts it. A refresh finds everything missing.
    pub(super) fn judge(&self, key: &RowKey, lookup: Lookup) -> Look {
        let counters = &self.table().counters;
        let replaces = match lookup {
            Lookup::Found(entry) => {
                let token = entry.token;
                match found::open(self, key, entry.payload, entry.presence.is_some()) {
                    Some(found) if !self.is_refresh() => {
                        self.count_hit(&found);
                        return Look::Hit(found, token);
                    }
                    _ => Some(token),
                }
            }
            Lookup::Missing { replaces } => replaces,
            Lookup::Unavailable => {
                self.entity.bypasses.count(BypassReason::StoreUnavailable);
                return Look::Unavailable;
            }
        };
        counters.misses.increment();
        Look::Miss(replaces)
    }

    pub(super) fn count_hit(&self, found: &Found) {
        let counters = &self.table().counters;
        let counter = if matches!(found, Found::Absent) { &counters.absent_hits } else { &counters.hits };
        counter.increment();
    }

    /// Stores what was loaded under the lease, if it is what the slot is for. A row that may not be stored
    /// gives the lease back.
    pub(super) async fn fill(&self, lease: Lease, key: &RowKey, rows: &[QueryResult]) {
        if rows.is_empty() && self.kind != ReadKind::All {
            return self.fill_absent(lease, key).await;
        }
        if let Some(payload) = Rows::capture(self, key, rows).and_then(|rows| rows.payload(self)) {
            lease.fill(payload, self.fingerprint, self.ttl()).await;
        }
    }

    pub(super) async fn fill_absent(&self, lease: Lease, key: &RowKey) {
        if self.entity.policy.absent {
            lease.fill_absent(absence(key), self.fingerprint, self.ttl()).await;
        }
    }
}

/// What an absent entry carries: the key in full.
pub(super) fn absence(key: &RowKey) -> Payload {
    Payload::Encoded(key.as_str().to_owned().into())
}

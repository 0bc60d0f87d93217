//! After a miss: lease or join, load, fill.

use cache_core::{
    cache::{LeaseOutcome, Outdated},
    entry::{Entry, Payload, Token},
    key::{Address, RowKey},
    lease::Lease,
};
use sea_orm::{DbErr, QueryResult};

use crate::{
    read::{plan::Read, query::Query, rows::Rows},
    registry::ReadKind,
};

/// What a miss turned into.
pub(super) enum Load<T> {
    /// Another call of this process has loaded it meanwhile.
    Joined(T),
    /// The database's rows, and the right to fill the slot with them, if it was to be had.
    Loaded(Vec<QueryResult>, Option<Lease>),
}

impl Read<'_> {
    /// Joins the load of another call, if `usable` can make something of the entry that it filled. Else loads, under a
    /// lease if there is one.
    ///
    /// # Errors
    /// The database's own.
    pub(super) async fn load_or_join<T>(
        &self,
        at: &Address,
        replaces: Option<Token>,
        query: &Query<'_>,
        usable: impl FnOnce(Entry) -> Option<T>,
    ) -> Result<Load<T>, DbErr> {
        let lease = match self.lease_or_join(at, replaces).await {
            LeaseOutcome::Granted(lease) => Some(lease),
            LeaseOutcome::Denied => None,
            LeaseOutcome::Joined(entry) => match usable(entry) {
                Some(joined) => return Ok(Load::Joined(joined)),
                None => None,
            },
        };
        Ok(Load::Loaded(query.load(self.shared()).await?, lease))
    }

    /// Asks for the right to fill a slot. A refresh never joins the load of another call, which may have begun
    /// before it.
    pub(super) async fn lease_or_join(&self, at: &Address, replaces: Option<Token>) -> LeaseOutcome {
        let cache = &self.shared().cache;
        if self.is_refresh() {
            let mut leases = self.leases(&[(at.clone(), replaces)]).await;
            return leases.pop().flatten().map_or(LeaseOutcome::Denied, LeaseOutcome::Granted);
        }
        let outcome = cache.lease_or_join(self.table, at, self.fingerprint, self.generation, replaces).await;
        outcome.unwrap_or_else(|Outdated| {
            self.shared().forget_generation(self.generation);
            LeaseOutcome::Denied
        })
    }

    /// Asks for the right to fill several slots.
    pub(super) async fn leases(&self, missed: &[(Address, Option<Token>)]) -> Vec<Option<Lease>> {
        match self.shared().cache.lease_or_join_many(self.table, self.generation, missed).await {
            Ok(leases) => leases,
            Err(Outdated) => {
                self.shared().forget_generation(self.generation);
                missed.iter().map(|_| None).collect()
            }
        }
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

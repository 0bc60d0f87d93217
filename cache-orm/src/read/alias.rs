//! Reads by unique key: through an alias to the row's own slot.
//!
//! An alias says which primary key a unique key led to. Nobody invalidates it: the row that it leads to is
//! compared with the key asked for, so an alias that is out of date is found out.

use std::sync::Arc;

use cache_core::{
    cache::{LeaseOutcome, Lookup},
    entry::{Entry, Payload, Token},
    key::{Address, RowKey},
    lease::Lease,
};
use sea_orm::{DbErr, QueryResult};

use crate::{
    read::{
        found::{Answer, Found, open},
        load::Load,
        plan::Read,
        query::Query,
        rows::{self, Rows},
    },
    registry::ReadKind,
};

/// What is known about a unique key before the database is asked.
enum Trail {
    /// The answer.
    Hit(Found),
    /// The alias leads to a slot that holds nothing usable. A lease on the *slot* lets the load fill the row.
    Row {
        at: Address,
        primary: RowKey,
        replaces: Option<Token>,
        alias: Token,
    },
    /// There is no alias, or it is out of date. A lease on the *alias* lets the load renew it.
    Alias {
        replaces: Option<Token>,
    },
    Unavailable,
}

impl Read<'_> {
    /// A read by a unique key of the entity.
    ///
    /// The load always asks by the unique key: an alias is a guess and must not replace the question.
    pub(super) async fn by_alias(
        &self,
        unique: usize,
        key: &RowKey,
        query: &Query<'_>,
    ) -> Result<Answer, DbErr> {
        let alias_at = self.table.keys().alias(&self.entity.uniques[unique].name, key);
        let mut trail = self.follow(&alias_at, key).await;
        if let Trail::Alias { replaces } = trail {
            self.count_miss();
            match self.load_or_join(&alias_at, replaces, query, Some).await? {
                // Another call has renewed the alias meanwhile.
                Load::Joined(_) => trail = self.follow(&alias_at, key).await,
                Load::Loaded(rows, lease) => {
                    if let Some(lease) = lease {
                        self.fill_alias(lease, key, &rows).await;
                    }
                    return Ok(Answer::Loaded(rows));
                }
            }
        }
        match trail {
            Trail::Hit(found) => {
                self.count_hit(&found);
                Ok(Answer::Cached(found))
            }
            Trail::Row { at, primary, replaces, alias } => {
                self.count_miss();
                let usable = |entry| self.joined_row(key, entry);
                match self.load_or_join(&at, replaces, query, usable).await? {
                    Load::Joined(rows) => Ok(Answer::Cached(Found::Rows(rows))),
                    Load::Loaded(rows, lease) => {
                        self.fill_row(lease, key, &primary, &rows, &alias_at, alias).await;
                        Ok(Answer::Loaded(rows))
                    }
                }
            }
            Trail::Alias { .. } => query.load(self.shared()).await.map(Answer::Loaded),
            Trail::Unavailable => {
                self.count_unavailable();
                query.load(self.shared()).await.map(Answer::Loaded)
            }
        }
    }

    /// Follows the alias to the row, as far as the cache knows it. A refresh goes the same way and finds no
    /// answer at its end.
    async fn follow(&self, alias_at: &Address, key: &RowKey) -> Trail {
        let cache = &self.shared().cache;
        let alias = match cache.lookup(self.table, alias_at, self.fingerprint).await {
            Lookup::Found(alias) => alias,
            Lookup::Missing { replaces } => return Trail::Alias { replaces },
            Lookup::Unavailable => return Trail::Unavailable,
        };
        let token = alias.token;
        let primary = match self.lead(key, alias) {
            Lead::Absent if !self.is_refresh() => return Trail::Hit(Found::Absent),
            Lead::Absent | Lead::Nowhere => return Trail::Alias { replaces: Some(token) },
            Lead::To(primary) => primary,
        };
        let at = self.table.keys().row(&primary);
        match cache.lookup(self.table, &at, self.fingerprint).await {
            Lookup::Found(row) => match self.arrive(key, &primary, row) {
                Arrival::Row(rows, _) if !self.is_refresh() => Trail::Hit(Found::Rows(rows)),
                Arrival::Row(_, row) | Arrival::Unusable(row) => {
                    Trail::Row { at, primary, replaces: Some(row), alias: token }
                }
                Arrival::Elsewhere => Trail::Alias { replaces: Some(token) },
            },
            Lookup::Missing { replaces } => Trail::Row { at, primary, replaces, alias: token },
            Lookup::Unavailable => Trail::Unavailable,
        }
    }

    /// Where an alias leads.
    pub(super) fn lead(&self, key: &RowKey, alias: Entry) -> Lead {
        if alias.is_absent() {
            let known = open(self, key, alias).is_some();
            return if known { Lead::Absent } else { Lead::Nowhere };
        }
        target(alias).map_or(Lead::Nowhere, Lead::To)
    }

    /// What the slot holds to which an alias led.
    pub(super) fn arrive(&self, key: &RowKey, primary: &RowKey, row: Entry) -> Arrival {
        let token = row.token;
        if row.is_absent() {
            // "No such row" under the old primary key says nothing about the unique key.
            return Arrival::Elsewhere;
        }
        match rows::rows(self, row.payload) {
            Some(rows) if rows.key(self, ReadKind::Primary).as_ref() != Some(primary) => {
                Arrival::Unusable(token)
            }
            Some(rows) if rows.key(self, self.kind).as_ref() == Some(key) => Arrival::Row(rows, token),
            Some(_) => Arrival::Elsewhere,
            None => Arrival::Unusable(token),
        }
    }

    /// The row that another call has just loaded under the same primary key, if it has the unique key too.
    fn joined_row(&self, key: &RowKey, entry: Entry) -> Option<Arc<Rows>> {
        if entry.is_absent() {
            return None;
        }
        let rows = rows::rows(self, entry.payload)?;
        (rows.key(self, self.kind).as_ref() == Some(key)).then_some(rows)
    }

    /// Stores the loaded row under its primary key, or renews the alias if it led elsewhere.
    async fn fill_row(
        &self,
        lease: Option<Lease>,
        key: &RowKey,
        primary: &RowKey,
        rows: &[QueryResult],
        alias_at: &Address,
        alias: Token,
    ) {
        let captured = Rows::capture(self, key, rows);
        let leads_to = captured.as_ref().and_then(|rows| rows.key(self, ReadKind::Primary));
        if leads_to.as_ref() != Some(primary) {
            drop(lease);
            self.renew_alias(alias_at, alias, key, rows).await;
            return;
        }
        let payload = captured.and_then(|rows| rows.payload(self));
        if let (Some(payload), Some(lease)) = (payload, lease) {
            lease.fill(payload, self.fingerprint, self.ttl()).await;
        }
    }

    /// Stores where the unique key leads to, or that it leads nowhere.
    async fn fill_alias(&self, lease: Lease, key: &RowKey, rows: &[QueryResult]) {
        if rows.is_empty() {
            return self.fill_absent(lease, key).await;
        }
        if let Some(payload) = Rows::capture(self, key, rows).and_then(|rows| self.alias_to(&rows)) {
            lease.fill(payload, self.fingerprint, self.ttl()).await;
        }
    }

    /// What an alias to this row holds. Only a row whose own columns spell its key is found again through it.
    pub(super) fn alias_to(&self, rows: &Rows) -> Option<Payload> {
        let primary = rows.key(self, ReadKind::Primary)?;
        Some(Payload::Encoded(primary.as_str().to_owned().into()))
    }

    /// Replaces an alias that led to another row. Right without a lease before the load, because an alias is
    /// compared on every hit. "Leads nowhere" is not compared with a row, so such an alias is only taken away:
    /// the next read finds out under a lease.
    async fn renew_alias(&self, alias_at: &Address, outdated: Token, key: &RowKey, rows: &[QueryResult]) {
        if let LeaseOutcome::Granted(lease) = self.lease_or_join(alias_at, Some(outdated)).await
            && !rows.is_empty()
        {
            self.fill_alias(lease, key, rows).await;
        }
    }
}

/// Where an alias leads.
pub(super) enum Lead {
    /// To this primary key.
    To(RowKey),
    /// The database has no row with this unique key.
    Absent,
    /// The alias is damaged.
    Nowhere,
}

/// What the slot holds to which an alias led.
pub(super) enum Arrival {
    /// The row that has the unique key, and the token of its entry.
    Row(Arc<Rows>, Token),
    /// An entry that says nothing, with its token.
    Unusable(Token),
    /// Another row: the alias is out of date.
    Elsewhere,
}

/// The primary key that an alias leads to.
fn target(alias: Entry) -> Option<RowKey> {
    let bytes = alias.payload.to_bytes();
    Some(RowKey::from_text(std::str::from_utf8(&bytes).ok()?))
}

//! Reads by unique key: through an alias to the row's own slot.
//!
//! An alias says which primary key a unique key led to. Nobody invalidates it: the row that it leads to is
//! compared with the key asked for, so an alias that is out of date is found out.

use cache_core::{
    cache::{Lookup, Turn},
    entry::{Entry, Payload, Token},
    key::{Address, RowKey},
    lease::Lease,
};
use sea_orm::{DbErr, QueryResult, Statement};

use crate::{
    classify::reason::BypassReason,
    read::{
        Door, Read,
        found::{self, Found, Rows},
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
        statement: Statement,
        door: Door,
    ) -> Result<Vec<QueryResult>, DbErr> {
        let alias_at = self.entity.keys().alias(&self.entity.uniques[unique].name, &self.key);
        let mut trail = self.follow(&alias_at).await;
        if let Trail::Alias { replaces } = trail {
            self.table().counters.misses.increment();
            match self.turn(&alias_at, replaces).await {
                Turn::Lead(lease) => {
                    let rows = door.load(self.shared, statement).await?;
                    self.fill_alias(lease, &rows).await;
                    return Ok(rows);
                }
                Turn::Alone => return door.load(self.shared, statement).await,
                // Another call has renewed the alias meanwhile.
                Turn::Joined(_) => trail = self.follow(&alias_at).await,
            }
        }
        match trail {
            Trail::Hit(found) => match self.hit(found) {
                Some(rows) => Ok(rows),
                None => door.load(self.shared, statement).await,
            },
            Trail::Row { at, primary, replaces, alias } => {
                self.table().counters.misses.increment();
                let lease = match self.turn(&at, replaces).await {
                    Turn::Lead(lease) => Some(lease),
                    Turn::Alone => None,
                    Turn::Joined(entry) => match self.joined_row(entry) {
                        Some(rows) => return Ok(rows),
                        None => None,
                    },
                };
                let rows = door.load(self.shared, statement).await?;
                self.fill_row(lease, &primary, &rows, &alias_at, alias).await;
                Ok(rows)
            }
            Trail::Alias { .. } => door.load(self.shared, statement).await,
            Trail::Unavailable => {
                self.entity.group.bypasses.count(BypassReason::StoreUnavailable);
                door.load(self.shared, statement).await
            }
        }
    }

    /// Follows the alias to the row, as far as the cache knows it.
    async fn follow(&self, alias_at: &Address) -> Trail {
        let alias = match self.shared.cache.lookup(self.table(), alias_at, self.entity.fingerprint).await {
            Lookup::Found(alias) => alias,
            Lookup::Missing { replaces } => return Trail::Alias { replaces },
            Lookup::Unavailable => return Trail::Unavailable,
        };
        let token = alias.token;
        if alias.is_absent() {
            return match found::open(self, alias.payload, true) {
                Some(found) => Trail::Hit(found),
                None => Trail::Alias { replaces: Some(token) },
            };
        }
        let Some(primary) = target(alias) else { return Trail::Alias { replaces: Some(token) } };
        let at = self.entity.keys().row(&primary);
        match self.shared.cache.lookup(self.table(), &at, self.entity.fingerprint).await {
            // "No such row" under the old primary key says nothing about the unique key.
            Lookup::Found(entry) if entry.is_absent() => Trail::Alias { replaces: Some(token) },
            Lookup::Found(entry) => {
                let row_token = entry.token;
                match found::rows(self, entry.payload) {
                    Some(rows) if rows.key(self, ReadKind::Primary).as_ref() != Some(&primary) => {
                        Trail::Row { at, primary, replaces: Some(row_token), alias: token }
                    }
                    Some(rows) if rows.key(self, self.kind).as_ref() == Some(&self.key) => {
                        Trail::Hit(Found::Rows(rows))
                    }
                    Some(_) => Trail::Alias { replaces: Some(token) },
                    None => Trail::Row { at, primary, replaces: Some(row_token), alias: token },
                }
            }
            Lookup::Missing { replaces } => Trail::Row { at, primary, replaces, alias: token },
            Lookup::Unavailable => Trail::Unavailable,
        }
    }

    async fn turn(&self, at: &Address, replaces: Option<Token>) -> Turn {
        self.shared.cache.take_turn(self.table(), at, self.entity.fingerprint, replaces).await
    }

    /// The row that another call has just loaded under the same primary key, if it has the unique key too.
    fn joined_row(&self, entry: Entry) -> Option<Vec<QueryResult>> {
        if entry.is_absent() {
            return None;
        }
        let rows = found::rows(self, entry.payload)?;
        let matches = rows.key(self, self.kind).as_ref() == Some(&self.key);
        if matches { Found::Rows(rows).into_rows() } else { None }
    }

    /// Stores the loaded row under its primary key, or renews the alias if it led elsewhere.
    async fn fill_row(
        &self,
        lease: Option<Lease>,
        primary: &RowKey,
        rows: &[QueryResult],
        alias_at: &Address,
        alias: Token,
    ) {
        let captured = Rows::capture(self, rows);
        let leads_to = captured.as_ref().and_then(|rows| rows.key(self, ReadKind::Primary));
        if leads_to.as_ref() != Some(primary) {
            drop(lease);
            self.renew_alias(alias_at, alias, rows).await;
            return;
        }
        let payload = captured.and_then(|rows| rows.into_payload(self));
        if let (Some(payload), Some(lease)) = (payload, lease) {
            lease.fill(payload, self.entity.fingerprint, self.entity.policy.ttl).await;
        }
    }

    /// Stores where the unique key leads to, or that it leads nowhere.
    async fn fill_alias(&self, lease: Lease, rows: &[QueryResult]) {
        let policy = &self.entity.policy;
        if rows.is_empty() {
            return self.fill(lease, rows).await;
        }
        // Only a row whose own columns spell the key is found again through the alias.
        let primary = Rows::capture(self, rows).and_then(|rows| rows.key(self, ReadKind::Primary));
        if let Some(primary) = primary {
            let payload = Payload::Encoded(primary.as_str().to_owned().into());
            lease.fill(payload, self.entity.fingerprint, policy.ttl).await;
        }
    }

    /// Replaces an alias that led to another row. Right without a lease before the load, because an alias is
    /// compared on every hit; "leads nowhere" is not, and is left to the next read.
    async fn renew_alias(&self, alias_at: &Address, outdated: Token, rows: &[QueryResult]) {
        if rows.is_empty() {
            return;
        }
        if let Turn::Lead(lease) = self.turn(alias_at, Some(outdated)).await {
            self.fill_alias(lease, rows).await;
        }
    }
}

/// The primary key that an alias leads to.
fn target(alias: Entry) -> Option<RowKey> {
    let bytes = alias.payload.to_bytes();
    Some(RowKey::from_text(std::str::from_utf8(&bytes).ok()?))
}

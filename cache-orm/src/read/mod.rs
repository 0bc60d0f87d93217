//! Reads that are answered from the cache: lookup → hit, or lease → load → fill.

mod alias;

mod found;

mod seal;

use std::sync::Arc;

use cache_core::{
    cache::{Lookup, Table, Turn},
    entry::{Payload, Token},
    key::{Address, RowKey},
    lease::Lease,
};
use sea_orm::{ConnectionTrait, DbErr, QueryResult, Statement, Value};

use crate::{
    classify::reason::BypassReason,
    connection::{CachedConnection, Shared},
    keys,
    knowledge::Knowledge,
    registry::{Entity, ReadKind, ReadShape},
};

use found::{Found, Rows};

/// The method by which a read came in, and goes to the database.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Door {
    One,
    All,
}

impl Door {
    async fn load(self, shared: &Shared, statement: Statement) -> Result<Vec<QueryResult>, DbErr> {
        match self {
            Door::One => Ok(shared.db.query_one_raw(statement).await?.into_iter().collect()),
            Door::All => shared.db.query_all_raw(statement).await,
        }
    }
}

/// Answers one recognised read.
///
/// # Errors
/// The database's own.
///
/// # Cancel safety
/// Dropped anywhere, a lease that was granted is given back, and nothing wrong is stored.
pub(crate) async fn answer(
    connection: &CachedConnection,
    shape: &ReadShape,
    statement: Statement,
    door: Door,
) -> Result<Vec<QueryResult>, DbErr> {
    let shared = connection.shared();
    let knowledge = shared.knowledge().await;
    let entity = &shape.entity;
    let key = match admit(connection, &knowledge, shape, &statement, door) {
        Ok(key) => key,
        Err(reason) => {
            entity.group.bypasses.count(reason);
            let rows = door.load(shared, statement).await?;
            if knowledge.is_worth_refreshing(entity) {
                shared.forget();
            }
            return Ok(rows);
        }
    };
    let read = Read { shared, knowledge: &knowledge, entity, kind: shape.kind, key };
    match shape.kind {
        ReadKind::Primary => read.by_slot(entity.keys().row(&read.key), statement, door).await,
        ReadKind::All => read.by_slot(entity.keys().all(), statement, door).await,
        ReadKind::Unique(unique) => read.by_alias(unique, statement, door).await,
    }
}

/// The key that a read asks for, or why it may not be answered from the cache.
fn admit(
    connection: &CachedConnection,
    knowledge: &Knowledge,
    shape: &ReadShape,
    statement: &Statement,
    door: Door,
) -> Result<RowKey, BypassReason> {
    let entity = &shape.entity;
    if connection.is_bypassed() {
        return Err(BypassReason::Requested);
    }
    if let Some(reason) = connection.shared().is_disabled() {
        return Err(reason);
    }
    if shape.ambiguous {
        return Err(BypassReason::AmbiguousEntity);
    }
    if let Some(reason) = knowledge.obstacle(entity, shape.kind) {
        return Err(reason);
    }
    // One row of `all()` is not all of them.
    if shape.kind == ReadKind::All && matches!(door, Door::One) {
        return Err(BypassReason::NotAKeyLookup);
    }
    let values = statement.values.as_ref().map_or(&[][..], |values| &values.0);
    if values.len() != shape.parameters.len() + usize::from(shape.limited) {
        return Err(BypassReason::NotAKeyLookup);
    }
    if shape.limited && values.last() != Some(&Value::BigUnsigned(Some(1))) {
        return Err(BypassReason::NotAKeyLookup);
    }
    let classes = knowledge.classes(entity, entity.key_columns(shape.kind));
    let parts =
        shape.parameters.iter().zip(classes).map(|(position, class)| Some((class?, values.get(*position)?)));
    let parts = parts.collect::<Option<Vec<_>>>().ok_or(BypassReason::KeyType)?;
    keys::canonical(parts).ok_or(BypassReason::KeyValue)
}

/// One read under way.
struct Read<'r> {
    shared: &'r Arc<Shared>,
    knowledge: &'r Knowledge,
    entity: &'r Entity,
    kind: ReadKind,
    /// The key asked for, as its columns spell it; empty for `all()`.
    key: RowKey,
}

impl Read<'_> {
    /// A read whose key names the slot.
    async fn by_slot(
        &self,
        at: Address,
        statement: Statement,
        door: Door,
    ) -> Result<Vec<QueryResult>, DbErr> {
        let replaces = match self.look(&at).await {
            Look::Hit(rows) => return Ok(rows),
            Look::Miss(replaces) => replaces,
            Look::Unavailable => return door.load(self.shared, statement).await,
        };
        match self.shared.cache.take_turn(self.table(), &at, self.entity.fingerprint, replaces).await {
            Turn::Joined(entry) => {
                match found::open(self, entry.payload, entry.presence.is_some()).and_then(Found::into_rows) {
                    Some(rows) => Ok(rows),
                    None => door.load(self.shared, statement).await,
                }
            }
            Turn::Lead(lease) => {
                let rows = door.load(self.shared, statement).await?;
                self.fill(lease, &rows).await;
                Ok(rows)
            }
            Turn::Alone => door.load(self.shared, statement).await,
        }
    }

    /// Looks into a slot and checks that what it holds is what was asked for.
    async fn look(&self, at: &Address) -> Look {
        match self.shared.cache.lookup(self.table(), at, self.entity.fingerprint).await {
            Lookup::Found(entry) => {
                let token = entry.token;
                match found::open(self, entry.payload, entry.presence.is_some()) {
                    Some(found) => self.hit(found).map_or(Look::Unavailable, Look::Hit),
                    None => self.missed(Some(token)),
                }
            }
            Lookup::Missing { replaces } => self.missed(replaces),
            Lookup::Unavailable => {
                self.entity.group.bypasses.count(BypassReason::StoreUnavailable);
                Look::Unavailable
            }
        }
    }

    /// Stores what was loaded under the lease, if it is what the slot is for.
    async fn fill(&self, lease: Lease, rows: &[QueryResult]) {
        let policy = &self.entity.policy;
        if rows.is_empty() && self.kind != ReadKind::All {
            if policy.absent {
                let key = Payload::Encoded(self.key.as_str().to_owned().into());
                lease.fill_absent(key, self.entity.fingerprint, policy.ttl).await;
            }
            return;
        }
        // A row that may not be stored gives the lease back.
        if let Some(payload) = Rows::capture(self, rows).and_then(|rows| rows.into_payload(self)) {
            lease.fill(payload, self.entity.fingerprint, policy.ttl).await;
        }
    }

    /// The rows of a hit, counted; `None` if they can't be given out right now.
    fn hit(&self, found: Found) -> Option<Vec<QueryResult>> {
        let counters = &self.table().counters;
        let counter = if matches!(found, Found::Absent) { &counters.absent_hits } else { &counters.hits };
        let rows = found.into_rows()?;
        counter.increment();
        Some(rows)
    }

    fn missed(&self, replaces: Option<Token>) -> Look {
        self.table().counters.misses.increment();
        Look::Miss(replaces)
    }

    fn table(&self) -> &Arc<Table> {
        self.entity.table()
    }
}

/// What a look into a slot gave.
enum Look {
    Hit(Vec<QueryResult>),
    /// Nothing usable; the token of an entry that may be replaced.
    Miss(Option<Token>),
    Unavailable,
}

//! Reads of the row that another row refers to: the source's slot, then the target's, of one snapshot.

use std::sync::Arc;

use cache_core::{
    cache::{LeaseOutcome, Lookup},
    entry::Token,
    key::{Address, Key, RowKey},
};
use sea_orm::{QueryResult, Value};

use crate::{
    classify::reason::BypassReason,
    keys,
    read::{
        found::{Found, Look, open},
        options::QueryMethod,
        plan::{Read, ReadContext, without_limit},
        query::Query,
        rows::Rows,
    },
    registry::{ReadKind, ToOneShape},
};

/// A read along a relation that may be answered from the cache.
pub(super) struct ToOne<'r> {
    shape: &'r ToOneShape,
    source: Read<'r>,
    target: Read<'r>,
    /// The source's primary key, its slot, and its values as they were given.
    key: RowKey,
    at: Address,
    values: &'r [Value],
}

/// The source's row, with what proves later that it is still current.
enum Held {
    Row(Arc<Rows>, Token),
    /// The database has no such row.
    Absent,
    /// The cache has no part in it.
    Not,
}

impl<'r> ReadContext<'r> {
    pub(super) fn plan_to_one(
        &self,
        to_one: &'r ToOneShape,
        query: &Query<'r>,
    ) -> Result<ToOne<'r>, BypassReason> {
        let (source, target) =
            (self.read(&to_one.source, ReadKind::Primary)?, self.read(&to_one.target, to_one.kind)?);
        if to_one.ambiguous {
            return Err(BypassReason::AmbiguousEntity);
        }
        let values = without_limit(query.values, to_one.limited).ok_or(BypassReason::NotAKeyLookup)?;
        if values.len() != to_one.source.primary.len() {
            return Err(BypassReason::NotAKeyLookup);
        }
        // The join compares the two columns as a keyed read compares its value only if they compare alike.
        let columns = to_one.target.key_columns(to_one.kind);
        let here = self.eligibility.classes(&to_one.source, &to_one.references);
        let there = self.eligibility.classes(&to_one.target, columns);
        let alike = here.eq(there)
            && self
                .eligibility
                .are_comparable((&to_one.source, &to_one.references), (&to_one.target, columns));
        if !alike || !source.is_exact() || !target.is_exact() {
            return Err(BypassReason::KeyType);
        }
        let key = source.key(values)?;
        Ok(ToOne { shape: to_one, target, at: source.table.keys().row(&key), source, key, values })
    }
}

impl ToOne<'_> {
    /// The slot of the row that refers to the other.
    pub(super) fn source_cell(&self) -> Key {
        self.at.slot.clone()
    }

    /// The target's row; `None` if the database must be asked.
    ///
    /// The source is looked at again after the target was found: then it was current when the target was, and
    /// both are of one snapshot.
    pub(super) async fn follow(&self) -> Option<Vec<QueryResult>> {
        let (rows, token) = match self.hold_source().await {
            Held::Absent => return Some(Vec::new()),
            Held::Not => return None,
            Held::Row(rows, token) => (rows, token),
        };
        let row = rows.only()?;
        let reference: Vec<Value> =
            self.shape.references.iter().map(|column| row.values()[*column].clone()).collect();
        // What refers to nothing is joined with nothing.
        if reference.iter().any(keys::is_null) {
            return Some(Vec::new());
        }
        let key = self.target.key(&reference).ok()?;
        let sql = self.shape.target.sql(self.shape.kind)?;
        let load = Query { sql, values: &reference, method: QueryMethod::All };
        // The statement of the caller decides which error it gets.
        let answer = match self.shape.kind {
            ReadKind::Primary => {
                let at = self.target.table.keys().row(&key);
                let wanted = [self.target.wanted(&at), self.source.wanted(&self.at)];
                let mut found = self.target.shared().cache.lookup_many(&wanted).await.found.into_iter();
                let look = self.target.check(&key, found.next().unwrap_or(Lookup::Unavailable));
                if !matches!(found.next(), Some(Lookup::Found(entry)) if entry.token == token) {
                    // The source has changed since: what it referred to is of another snapshot.
                    return None;
                }
                match look {
                    Look::Hit(found, _) => return found.into_rows(),
                    look => self.target.after_look(look, &key, &at, &load).await.ok()?,
                }
            }
            _ => self.target.get(&key, &load).await.ok()?,
        };
        let held = [(self.source.wanted(&self.at), token)];
        let is_current = self.source.shared().cache.revalidate(&held).await;
        if is_current { answer.into_rows() } else { None }
    }

    /// Finds the source's row in its slot, or loads it into it.
    async fn hold_source(&self) -> Held {
        let (read, key, at) = (&self.source, &self.key, &self.at);
        let replaces = match read.look(key, at).await {
            Look::Hit(found, token) => return Held::of(found, token),
            Look::Miss(replaces) => replaces,
            Look::Unavailable => return Held::Not,
        };
        let lease = match read.lease_or_join(at, replaces).await {
            LeaseOutcome::Granted(lease) => lease,
            LeaseOutcome::Denied => return Held::Not,
            LeaseOutcome::Joined(entry) => {
                let token = entry.token;
                let found = open(read, key, entry);
                return found.map_or(Held::Not, |found| Held::of(found, token));
            }
        };
        let load =
            Query { sql: &self.shape.source.primary_sql, values: self.values, method: QueryMethod::All };
        // The statement of the caller decides which error it gets.
        let Ok(loaded) = load.load(read.shared()).await else { return Held::Not };
        if loaded.is_empty() {
            read.fill_absent(lease, key).await;
            return Held::Absent;
        }
        let Some(rows) = Rows::capture(read, key, &loaded) else { return Held::Not };
        let (Some(payload), Some(token)) = (rows.payload(read), lease.token()) else { return Held::Not };
        let stored = lease.fill_now(payload, read.fingerprint, read.ttl()).await;
        if stored { Held::Row(rows, token) } else { Held::Not }
    }
}

impl Held {
    fn of(found: Found, token: Token) -> Self {
        match found {
            Found::Absent => Held::Absent,
            Found::Rows(rows) => Held::Row(rows, token),
        }
    }
}

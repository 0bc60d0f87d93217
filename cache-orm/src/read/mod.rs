//! Reads that are answered from the cache: lookup → hit, or lease → load → fill.
//!
//! ```text
//! slot      by primary key, and all(): the key names the slot
//! alias     by unique key: an alias leads to the slot
//! list      by a list of keys: many slots, one load for all that miss, one snapshot
//! hop       the row that another row refers to: two slots, one snapshot
//! found     what a slot turned out to hold
//! checksum  before the rows that a remote store keeps
//! ```

mod alias;
mod checksum;
mod found;
mod hop;
mod list;
mod slot;

use std::{sync::Arc, time::Duration};

use cache_core::{
    cache::{LeaseOutcome, Outdated, Table, Wanted},
    entry::{Fingerprint, Generation, Token},
    key::{Address, RowKey},
    lease::Lease,
};
use sea_orm::{ConnectionTrait, DbErr, QueryResult, Statement, Value, Values};

use crate::{
    classify::reason::BypassReason,
    connection::{CachedConnection, Shared},
    decoders::Decoders,
    keys,
    knowledge::Knowledge,
    registry::{Entity, ReadKind, ReadShape, Recognised},
    row, write,
};

pub(crate) use found::{Found, Rows};

/// The method by which a read came in, and goes to the database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum QueryMethod {
    One,
    All,
}

/// What one handle of a connection wants of its reads.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Options {
    pub(crate) mode: Mode,
    /// How long an entry lives that such a read fills; `None`: what the entity says.
    pub(crate) ttl: Option<Duration>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Mode {
    /// Entries are used and filled.
    #[default]
    Cached,
    /// Entries are filled and not used.
    Refresh,
    /// Entries are neither used nor filled.
    Bypass,
}

/// What to ask the database if the cache has no answer.
#[derive(Clone, Copy)]
pub(crate) struct Query<'q> {
    pub(crate) sql: &'q str,
    pub(crate) values: &'q [Value],
    pub(crate) method: QueryMethod,
}

impl<'q> Query<'q> {
    fn of(statement: &'q Statement, method: QueryMethod) -> Self {
        let values = statement.values.as_ref().map_or(&[][..], |values| &values.0);
        Query { sql: &statement.sql, values, method }
    }

    fn statement(&self, shared: &Shared) -> Statement {
        let values = Some(Values(self.values.to_vec()));
        Statement { sql: self.sql.to_owned(), values, db_backend: shared.backend }
    }

    async fn load(&self, shared: &Shared) -> Result<Vec<QueryResult>, DbErr> {
        let statement = self.statement(shared);
        match self.method {
            QueryMethod::One => Ok(shared.db.query_one_raw(statement).await?.into_iter().collect()),
            QueryMethod::All => shared.db.query_all_raw(statement).await,
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
    fn into_rows(self) -> Option<Vec<QueryResult>> {
        match self {
            Answer::Cached(found) => found.into_rows(),
            Answer::Loaded(rows) => Some(rows),
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
    recognised: Recognised<'_>,
    statement: Statement,
    method: QueryMethod,
) -> Result<Vec<QueryResult>, DbErr> {
    let shared = connection.shared();
    let knowledge = shared.knowledge().await;
    let query = Query::of(&statement, method);
    let context = ReadContext { shared, knowledge: &knowledge, options: connection.options() };
    let attempt = match &recognised {
        Recognised::One(shape) => match context.plan(shape, &query) {
            Ok((read, key)) => read.by_key(&key, &query).await.map(Answer::into_rows),
            Err(reason) => return context.bypass(&shape.entity, reason, &query).await,
        },
        Recognised::List(list) => match context.plan_list(list, &query) {
            Ok((read, parts)) => read.by_list(list, parts, &query).await,
            Err(reason) => return context.bypass(&list.shape.entity, reason, &query).await,
        },
        Recognised::Hop(shape) => match context.plan_hop(shape, &query) {
            Ok(hop) => Ok(hop.follow().await),
            Err(reason) => return context.bypass(&shape.target, reason, &query).await,
        },
    };
    let rows = match attempt? {
        Some(rows) => rows,
        None => query.load(shared).await?,
    };
    Ok(context.as_cached(recognised.entity(), rows))
}

/// Where a read is let in or turned away.
#[derive(Clone, Copy)]
pub(crate) struct ReadContext<'r> {
    pub(crate) shared: &'r Arc<Shared>,
    pub(crate) knowledge: &'r Knowledge,
    pub(crate) options: Options,
}

impl<'r> ReadContext<'r> {
    /// A read of this entity by this key, if it may be answered from the cache.
    pub(crate) fn read(&self, entity: &'r Arc<Entity>, kind: ReadKind) -> Result<Read<'r>, BypassReason> {
        if self.options.mode == Mode::Bypass {
            return Err(BypassReason::Requested);
        }
        if let Some(reason) = self.shared.is_disabled() {
            return Err(reason);
        }
        if row::rows_would_be_logged() {
            return Err(BypassReason::TraceLogged);
        }
        let table = self.knowledge.admits(entity, kind)?;
        let (generation, fingerprint) =
            self.knowledge.fingerprint(entity).ok_or(BypassReason::SchemaChanging)?;
        Ok(Read { context: *self, entity, table, kind, generation, fingerprint })
    }

    /// The key that a read asks for, or why it may not be answered from the cache.
    fn plan(&self, shape: &'r ReadShape, query: &Query<'_>) -> Result<(Read<'r>, RowKey), BypassReason> {
        let read = self.read(&shape.entity, shape.kind)?;
        if shape.ambiguous {
            return Err(BypassReason::AmbiguousEntity);
        }
        // One row of `all()` is not all of them.
        if shape.kind == ReadKind::All && query.method == QueryMethod::One {
            return Err(BypassReason::NotAKeyLookup);
        }
        let values = without_limit(query.values, shape.limited).ok_or(BypassReason::NotAKeyLookup)?;
        if values.len() != shape.parameters.len() {
            return Err(BypassReason::NotAKeyLookup);
        }
        let key = read.key(shape.parameters.iter().map(|position| &values[*position]))?;
        Ok((read, key))
    }

    /// In builds with debug assertions, the rows as hits would give them, also where they were loaded: a decoder for
    /// whom a cached row is wrong fails the first time, and not in production the second.
    fn as_cached(&self, entity: &Entity, rows: Vec<QueryResult>) -> Vec<QueryResult> {
        if !entity.shape.is_strict() {
            return rows;
        }
        if entity.policy.decoders != Decoders::Json {
            row::explain(entity.type_name);
        }
        rows.into_iter().map(|row| found::as_cached(self, entity, row)).collect()
    }

    async fn bypass(
        &self,
        entity: &Entity,
        reason: BypassReason,
        query: &Query<'_>,
    ) -> Result<Vec<QueryResult>, DbErr> {
        entity.bypasses.count(reason);
        let rows = match self.shared.writing(query.sql) {
            Some(class) => write::query(self.shared, &class, query.statement(self.shared)).await?,
            None => query.load(self.shared).await?,
        };
        if self.knowledge.is_worth_refreshing(entity) {
            self.shared.forget();
        }
        Ok(rows)
    }
}

/// The values before a `LIMIT 1`; `None` if the limit is another.
fn without_limit(values: &[Value], limited: bool) -> Option<&[Value]> {
    if !limited {
        return Some(values);
    }
    let (limit, values) = values.split_last()?;
    (*limit == Value::BigUnsigned(Some(1))).then_some(values)
}

/// One read under way: of this entity, by keys of this kind.
#[derive(Clone, Copy)]
pub(crate) struct Read<'r> {
    context: ReadContext<'r>,
    entity: &'r Arc<Entity>,
    table: &'r Arc<Table>,
    kind: ReadKind,
    /// Of the schema by which it is judged.
    generation: Generation,
    /// What its entries carry.
    fingerprint: Fingerprint,
}

impl<'r> Read<'r> {
    /// The canonical key of these values, in the order of the key's columns.
    pub(crate) fn key<'v>(
        &self,
        values: impl IntoIterator<Item = &'v Value>,
    ) -> Result<RowKey, BypassReason> {
        let classes = self.context.knowledge.classes(self.entity, self.entity.key_columns(self.kind));
        let parts = classes.zip(values).map(|(class, value)| Some((class?, value)));
        let parts = parts.collect::<Option<Vec<_>>>().ok_or(BypassReason::KeyType)?;
        keys::canonical(parts).ok_or(BypassReason::KeyValue)
    }

    /// The rows of one key; all of them if the read is of all.
    ///
    /// # Errors
    /// The database's own.
    pub(crate) async fn by_key(&self, key: &RowKey, query: &Query<'_>) -> Result<Answer, DbErr> {
        match self.kind {
            ReadKind::Primary => self.by_slot(key, self.table.keys().row(key), query).await,
            ReadKind::All => self.by_slot(key, self.table.keys().all(), query).await,
            ReadKind::Unique(unique) => self.by_alias(unique, key, query).await,
        }
    }

    /// Asks for the right to fill a slot. A refresh never joins the load of another call, which may have begun
    /// before it.
    async fn lease_or_join(&self, at: &Address, replaces: Option<Token>) -> LeaseOutcome {
        let cache = &self.shared().cache;
        if self.is_refresh() {
            let mut leases = self.turns(&[(at.clone(), replaces)]).await;
            return leases.pop().flatten().map_or(LeaseOutcome::Denied, LeaseOutcome::Granted);
        }
        let turn = cache.lease_or_join(self.table(), at, self.fingerprint, self.generation, replaces).await;
        turn.unwrap_or_else(|Outdated| {
            self.shared().outdated(self.generation);
            LeaseOutcome::Denied
        })
    }

    /// Asks for the right to fill several slots.
    async fn turns(&self, missed: &[(Address, Option<Token>)]) -> Vec<Option<Lease>> {
        match self.shared().cache.lease_or_join_many(self.table(), self.generation, missed).await {
            Ok(leases) => leases,
            Err(Outdated) => {
                self.shared().outdated(self.generation);
                missed.iter().map(|_| None).collect()
            }
        }
    }

    /// What a slot of this entity should hold.
    fn wanted<'w>(&self, at: &'w Address) -> Wanted<'w>
    where
        'r: 'w,
    {
        Wanted { table: self.table, at, fingerprint: self.fingerprint }
    }

    fn ttl(&self) -> Option<Duration> {
        self.context.options.ttl.or(self.entity.policy.ttl)
    }

    fn is_refresh(&self) -> bool {
        self.context.options.mode == Mode::Refresh
    }

    fn shared(&self) -> &'r Arc<Shared> {
        self.context.shared
    }

    fn table(&self) -> &'r Arc<Table> {
        self.table
    }
}

//! Which reads may be answered from the cache, and by which key.

use std::{sync::Arc, time::Duration};

use cache_core::{
    cache::{Table, Wanted},
    entry::{Fingerprint, Generation},
    key::{Address, RowKey},
};
use sea_orm::Value;

use crate::{
    classify::reason::BypassReason,
    context::Context,
    eligibility::Eligibility,
    keys,
    read::{
        options::{Mode, Options, QueryMethod},
        query::Query,
    },
    registry::{Entity, ReadKind, ReadShape},
    row,
};

/// Where a read is let in or turned away.
#[derive(Clone, Copy)]
pub(crate) struct ReadContext<'r> {
    pub(crate) shared: &'r Arc<Context>,
    pub(crate) eligibility: &'r Eligibility,
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
        let table = self.eligibility.admits(entity, kind)?;
        let (generation, fingerprint) =
            self.eligibility.fingerprint(entity).ok_or(BypassReason::SchemaChanging)?;
        Ok(Read { context: *self, entity, table, kind, generation, fingerprint })
    }

    /// The key that a read asks for, or why it may not be answered from the cache.
    pub(super) fn plan(
        &self,
        shape: &'r ReadShape,
        query: &Query<'_>,
    ) -> Result<(Read<'r>, RowKey), BypassReason> {
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
}

/// The values before a `LIMIT 1`; `None` if the limit is another.
pub(super) fn without_limit(values: &[Value], limited: bool) -> Option<&[Value]> {
    if !limited {
        return Some(values);
    }
    let (limit, values) = values.split_last()?;
    (*limit == Value::BigUnsigned(Some(1))).then_some(values)
}

/// One read under way: of this entity, by keys of this kind.
#[derive(Clone, Copy)]
pub(crate) struct Read<'r> {
    pub(super) context: ReadContext<'r>,
    pub(super) entity: &'r Arc<Entity>,
    pub(super) table: &'r Arc<Table>,
    pub(super) kind: ReadKind,
    /// Of the schema by which it is judged.
    pub(super) generation: Generation,
    /// What its entries carry.
    pub(super) fingerprint: Fingerprint,
}

impl<'r> Read<'r> {
    /// The canonical key of these values, in the order of the key's columns.
    pub(crate) fn key<'v>(
        &self,
        values: impl IntoIterator<Item = &'v Value>,
    ) -> Result<RowKey, BypassReason> {
        let classes = self.context.eligibility.classes(self.entity, self.entity.key_columns(self.kind));
        let parts = classes.zip(values).map(|(class, value)| Some((class?, value)));
        let parts = parts.collect::<Option<Vec<_>>>().ok_or(BypassReason::KeyType)?;
        keys::canonical(parts).ok_or(BypassReason::KeyValue)
    }

    /// What a slot of this entity should hold.
    pub(super) fn wanted<'w>(&self, at: &'w Address) -> Wanted<'w>
    where
        'r: 'w,
    {
        Wanted { table: self.table, at, fingerprint: self.fingerprint }
    }

    pub(super) fn ttl(&self) -> Option<Duration> {
        self.context.options.ttl.or(self.entity.policy.ttl)
    }

    pub(super) fn is_refresh(&self) -> bool {
        self.context.options.mode == Mode::Refresh
    }

    pub(super) fn shared(&self) -> &'r Arc<Context> {
        self.context.shared
    }

    /// True if the database compares every column of the key as canonical keys are compared.
    pub(super) fn is_exact(&self) -> bool {
        let mut classes = self.context.eligibility.classes(self.entity, self.entity.key_columns(self.kind));
        classes.all(|class| class.is_some_and(keys::KeyClass::is_exact))
    }
}

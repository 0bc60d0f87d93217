//! Rows as the cache keeps them.

use std::{
    any::{Any, TypeId},
    fmt,
    sync::Arc,
};

use bytes::Bytes;
use cache_core::{
    entry::{Decoded, Payload},
    key::RowKey,
};
use sea_orm::{QueryResult, Value};

use crate::{
    context::Context,
    decoders::{self, Decoders},
    keys,
    read::{
        checksum,
        plan::{Read, ReadContext},
    },
    registry::{Entity, ReadKind},
    row::{self, Row, Shape, Unfit},
};

/// The row of one slot, or the rows of `all()`.
pub(crate) struct Rows {
    rows: Vec<Arc<Row>>,
    /// The type that gave the values, and gets them back.
    model: TypeId,
    shape: Arc<Shape>,
}

impl Rows {
    /// Takes over rows that were loaded, if every one comes back unchanged and is what was asked for.
    pub(super) fn capture(read: &Read<'_>, key: &RowKey, loaded: &[QueryResult]) -> Option<Arc<Self>> {
        let entity = read.entity;
        let most = if read.kind == ReadKind::All { entity.policy.all_max_rows? } else { 1 };
        if loaded.len() > most {
            return None;
        }
        let rows = loaded.iter().map(|row| capture(&read.context, entity, row)).collect::<Option<_>>()?;
        let rows = Rows::of(read, rows);
        rows.are_asked_for(read, key).then(|| Arc::new(rows))
    }

    /// Takes over one row that was loaded, whatever its key.
    pub(super) fn capture_one(read: &Read<'_>, loaded: &QueryResult) -> Option<Arc<Self>> {
        Some(Arc::new(Rows::of(read, vec![capture(&read.context, read.entity, loaded)?])))
    }

    fn of(read: &Read<'_>, rows: Vec<Arc<Row>>) -> Self {
        Rows::from(read.entity, rows)
    }

    fn from(entity: &Entity, rows: Vec<Arc<Row>>) -> Self {
        Rows { rows, model: entity.model, shape: entity.shape.clone() }
    }

    /// The rows that these values are to the entity's own model.
    fn verified(entity: &Entity, rows: impl IntoIterator<Item = Vec<Value>>) -> Option<Self> {
        let rows = rows.into_iter().map(|values| (entity.verify)(&entity.shape, values).map(Arc::new));
        Some(Rows::from(entity, rows.collect::<Option<_>>()?))
    }

    /// What the store keeps: the rows as they are in this process, their encoding elsewhere. `None` if the
    /// codec does not carry one of the values.
    pub(super) fn payload(self: &Arc<Self>, read: &Read<'_>) -> Option<Payload> {
        if read.shared().capabilities.keeps_decoded {
            return Some(Payload::Decoded(self.clone()));
        }
        let encoded = self.encoded();
        if encoded.is_none() {
            report(read.shared(), read.entity, "a value is of a type that the codec does not carry");
        }
        encoded.map(Payload::Encoded)
    }

    fn encoded(&self) -> Option<Bytes> {
        let rows = row::encode(&self.shape, self.rows.iter().map(|row| row.values()))?;
        Some(checksum::add(&rows))
    }

    /// A keyed read gets its row only if the row's own columns spell the key that was asked for.
    pub(super) fn are_asked_for(&self, read: &Read<'_>, key: &RowKey) -> bool {
        match read.kind {
            ReadKind::All => true,
            kind => self.key(read, kind).as_ref() == Some(key),
        }
    }

    /// The key of the only row, in the columns of `kind`.
    pub(super) fn key(&self, read: &Read<'_>, kind: ReadKind) -> Option<RowKey> {
        let row = self.only()?;
        let columns = read.entity.key_columns(kind);
        let classes = read.context.eligibility.classes(read.entity, columns);
        let parts = columns.iter().zip(classes).map(|(column, class)| Some((class?, &row.values()[*column])));
        keys::canonical(parts.collect::<Option<Vec<_>>>()?)
    }

    /// The rows as the database would return them; `None` if that would show them to a logger.
    pub(super) fn results(&self) -> Option<Vec<QueryResult>> {
        row::query_results(&self.rows)
    }

    /// The row, if there is exactly one.
    pub(crate) fn only(&self) -> Option<&Arc<Row>> {
        match &self.rows[..] {
            [row] => Some(row),
            _ => None,
        }
    }
}

/// One row as the cache keeps it. Says once for each entity why its rows can't be kept.
fn capture(context: &ReadContext<'_>, entity: &Entity, loaded: &QueryResult) -> Option<Arc<Row>> {
    match (entity.capture)(&entity.shape, loaded) {
        Ok(row) if !is_given(context, entity, &row, loaded) => {
            report(context.shared, entity, Unfit::NotGiven);
            None
        }
        Ok(row) if !is_as_promised(context, entity, &row, loaded) => {
            report(
                context.shared,
                entity,
                "`into_json` would see another row than the database's, and the entity does not say `model_only`",
            );
            None
        }
        Ok(row) => Some(Arc::new(row)),
        Err(unfit) => {
            report(context.shared, entity, unfit);
            None
        }
    }
}

/// True if `into_json` sees the row as the database's own, or its entity does not promise that.
fn is_as_promised(context: &ReadContext<'_>, entity: &Entity, row: &Row, loaded: &QueryResult) -> bool {
    let is_settled = || {
        let mut columns = row.values().iter().zip(entity.shape.types());
        !context.eligibility.compares_json(entity)
            && columns.all(|(value, kind)| decoders::is_natural(value, kind))
    };
    entity.policy.decoders != Decoders::Json || is_settled() || row::same_json(row, loaded)
}

/// The row as a hit would give it; as it is, if it can't be cached.
pub(super) fn as_cached(context: &ReadContext<'_>, entity: &Entity, given: QueryResult) -> QueryResult {
    if given.try_as_mock_row().is_some() {
        return given;
    }
    let cached = capture(context, entity, &given).and_then(|row| row::query_results(&[row])?.pop());
    cached.unwrap_or(given)
}

/// True if every column that a key or a relation names holds what the database gave: the row's slot, the aliases that
/// lead to it and the rows that it refers to are named by these values, and so are the fences of writers.
fn is_given(context: &ReadContext<'_>, entity: &Entity, row: &Row, loaded: &QueryResult) -> bool {
    let classes = context.eligibility.classes(entity, &entity.named);
    let backend = context.shared.backend;
    entity.named.iter().zip(classes).all(|(column, class)| {
        let name = entity.shape.names().nth(*column).unwrap_or_default();
        // A column without a class is part of no key here.
        class.is_none_or(|class| keys::is_given(loaded, name, class, &row.values()[*column], backend))
    })
}

impl Decoded for Rows {
    fn encode(&self) -> Bytes {
        // Only stores in process are given decoded rows, and they keep them so.
        self.encoded().unwrap_or_default()
    }

    fn weight(&self) -> usize {
        self.rows.iter().map(|row| row.weight()).sum()
    }
}

/// The rows of an entry, decoded through the model's own column types if they come from a remote store, or from
/// another entity over the same columns of one table.
pub(super) fn rows(read: &Read<'_>, payload: Payload) -> Option<Arc<Rows>> {
    let entity = read.entity;
    let verified = match payload {
        Payload::Decoded(value) => {
            let rows = (value as Arc<dyn Any + Send + Sync>).downcast::<Rows>().ok()?;
            if rows.model == entity.model {
                return Some(rows);
            }
            Rows::verified(entity, rows.rows.iter().map(|row| row.values().to_vec()))
        }
        Payload::Encoded(bytes) => {
            let decoded = row::decode(checksum::verify(&bytes)?, &entity.shape).ok()?;
            Rows::verified(entity, decoded)
        }
    };
    verified.map(Arc::new)
}

/// Says once for each entity that its rows can't be cached, and why.
fn report(shared: &Context, entity: &Entity, why: impl fmt::Display) {
    let entity = entity.type_name;
    if shared.is_news(&format!("{entity}: {why}")) {
        tracing::warn!(entity, %why, "a row of this entity is not cached");
    }
}

//! Rows as the cache keeps them, and what a slot turned out to hold.

use std::{any::Any, fmt, sync::Arc};

use bytes::Bytes;
use cache_core::{
    entry::{Decoded, Payload},
    key::RowKey,
    store::Reach,
};
use sea_orm::QueryResult;

use crate::{
    keys,
    read::{Read, seal},
    registry::{Entity, ReadKind},
    row::{self, Codec, Row, Shape, Unfit},
};

/// What a slot holds, checked against what was asked for.
pub(super) enum Found {
    /// "The database has no such row."
    Absent,
    Rows(Arc<Rows>),
}

impl Found {
    /// The rows as the database would return them; `None` if that would show them to a logger.
    pub(super) fn into_rows(self) -> Option<Vec<QueryResult>> {
        match self {
            Found::Absent => Some(Vec::new()),
            Found::Rows(rows) => row::query_results(&rows.rows),
        }
    }
}

/// The row of one slot, or the rows of `all()`.
pub(super) struct Rows {
    rows: Vec<Arc<Row>>,
    shape: Arc<Shape>,
    codec: Codec,
}

impl Rows {
    /// Takes over rows that were loaded, if every one comes back unchanged and is what was asked for.
    pub(super) fn capture(read: &Read<'_>, loaded: &[QueryResult]) -> Option<Self> {
        let entity = read.entity;
        let most = if read.kind == ReadKind::All { entity.policy.all_max_rows? } else { 1 };
        if loaded.len() > most {
            return None;
        }
        let rows = loaded.iter().map(|row| (entity.capture)(&entity.shape, row).map(Arc::new));
        let rows = match rows.collect::<Result<_, Unfit>>() {
            Ok(rows) => rows,
            Err(unfit) => {
                report(read, unfit);
                return None;
            }
        };
        let rows = Rows { rows, shape: entity.shape.clone(), codec: read.shared.codec };
        rows.are_asked_for(read).then_some(rows)
    }

    /// What the store keeps: the rows as they are in this process, their encoding elsewhere. `None` if the
    /// codec does not carry one of the values.
    pub(super) fn into_payload(self, read: &Read<'_>) -> Option<Payload> {
        if read.shared.reach == Reach::Process {
            return Some(Payload::Decoded(Arc::new(self)));
        }
        let encoded = self.encoded();
        if encoded.is_none() {
            report(read, "a value is of a type that the codec does not carry");
        }
        encoded.map(Payload::Encoded)
    }

    fn encoded(&self) -> Option<Bytes> {
        let rows = self.codec.encode(&self.shape, self.rows.iter().map(|row| row.values()))?;
        Some(seal::seal(&rows))
    }

    /// A keyed read gets its row only if the row's own columns spell the key that was asked for.
    fn are_asked_for(&self, read: &Read<'_>) -> bool {
        match read.kind {
            ReadKind::All => true,
            kind => self.key(read, kind).as_ref() == Some(&read.key),
        }
    }

    /// The key of the only row, in the columns of `kind`.
    pub(super) fn key(&self, read: &Read<'_>, kind: ReadKind) -> Option<RowKey> {
        let [row] = &self.rows[..] else { return None };
        let columns = read.entity.key_columns(kind);
        let classes = read.knowledge.classes(read.entity, columns);
        let parts = columns.iter().zip(classes).map(|(column, class)| Some((class?, &row.values()[*column])));
        keys::canonical(parts.collect::<Option<Vec<_>>>()?)
    }
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

/// Opens an entry: `None` if it is damaged, of another type, or not what was asked for.
pub(super) fn open(read: &Read<'_>, payload: Payload, absent: bool) -> Option<Found> {
    if absent {
        return (payload.to_bytes() == read.key.as_str().as_bytes()).then_some(Found::Absent);
    }
    let rows = rows(read, payload)?;
    rows.are_asked_for(read).then_some(Found::Rows(rows))
}

/// The rows of an entry, decoded through the model's own column types if they come from a remote store.
pub(super) fn rows(read: &Read<'_>, payload: Payload) -> Option<Arc<Rows>> {
    match payload {
        Payload::Decoded(value) => (value as Arc<dyn Any + Send + Sync>).downcast::<Rows>().ok(),
        Payload::Encoded(bytes) => decode(read.entity, read.shared.codec, &bytes).map(Arc::new),
    }
}

fn decode(entity: &Entity, codec: Codec, bytes: &Bytes) -> Option<Rows> {
    let decoded = Codec::decode(seal::open(bytes)?, &entity.shape).ok()?;
    let rows = decoded.into_iter().map(|values| (entity.verify)(&entity.shape, values).map(Arc::new));
    Some(Rows { rows: rows.collect::<Option<_>>()?, shape: entity.shape.clone(), codec })
}

/// Says once for each entity that its rows can't be cached, and why.
fn report(read: &Read<'_>, why: impl fmt::Display) {
    let entity = read.entity.type_name;
    if read.shared.is_news(&format!("{entity}: {why}")) {
        tracing::warn!(entity, %why, "a row of this entity is not cached");
    }
}

//! How the cells of an entity are read.

use std::fmt::Debug;

use cache_orm::CachedConnection;
use futures_util::future::BoxFuture;
use sea_orm::{
    ColumnTrait, ColumnType, ConnectionTrait, DatabaseConnection, DbErr, EntityTrait, IdenStatic, Iterable,
    PrimaryKeyToColumn, QueryFilter, Select, Value, prelude::Uuid,
};

use super::cell::{CellName, Place, hex, unescaped};

/// An entity whose cells the audit reads. [`audited!`](crate::audited) makes it known.
#[derive(Clone, Copy)]
pub struct Audited {
    /// Its table as the entity writes it, in lower case: the schema, if it names one, and the table.
    pub(super) table: fn() -> (Option<String>, String),
    /// The answers that a connection gives to the question that the cell holds the answer of.
    pub(super) plain: for<'r> fn(&'r DatabaseConnection, &'r CellName) -> Option<BoxFuture<'r, String>>,
    pub(super) cached: for<'r> fn(&'r CachedConnection, &'r CellName) -> Option<BoxFuture<'r, String>>,
}

inventory::collect!(Audited);

impl Audited {
    /// How the cells of this entity are read.
    pub const fn of<E>() -> Self
    where
        E: EntityTrait<Model: Send + Sync>,
    {
        Audited {
            table: || {
                let entity = E::default();
                (entity.schema_name().map(str::to_lowercase), entity.table_name().to_lowercase())
            },
            plain: |db, cell| read::<E, _>(db, cell),
            cached: |db, cell| read::<E, _>(db, cell),
        }
    }

    /// Every entity that is known.
    pub(super) fn all() -> impl Iterator<Item = &'static Audited> {
        inventory::iter::<Audited>.into_iter()
    }

    /// As counts are reported by it.
    pub(super) fn label(&self) -> String {
        let (schema, table) = (self.table)();
        schema.into_iter().chain([table]).collect::<Vec<_>>().join(".")
    }

    /// True if the cell may be one of this entity's table.
    pub(super) fn may_own(&self, cell: &CellName) -> bool {
        let (schema, table) = (self.table)();
        table == cell.table.to_lowercase() && schema.is_none_or(|schema| schema == cell.schema.to_lowercase())
    }
}

/// Makes entities known to the audit.
#[macro_export]
macro_rules! audited {
    ($($Entity:path),+ $(,)?) => {$(
        $crate::inventory::submit! { $crate::Audited::of::<$Entity>() }
    )+};
}

/// Asks the question that the cell holds the answer of. `None` where its name does not tell.
fn read<'r, E, C>(db: &'r C, cell: &CellName) -> Option<BoxFuture<'r, String>>
where
    E: EntityTrait<Model: Send + Sync>,
    C: ConnectionTrait,
{
    let (columns, key): (Vec<E::Column>, _) = match &cell.place {
        Place::Epoch(_) | Place::Presence => return None,
        Place::All => return Some(Box::pin(async move { shown(E::find().all(db).await) })),
        Place::Row(key) => (E::PrimaryKey::iter().map(|key| key.into_column()).collect(), key),
        Place::Alias(names, key) => {
            let named = |name: &str| E::Column::iter().find(|column| column.as_str() == name);
            (names.split(',').map(named).collect::<Option<_>>()?, key)
        }
    };
    let parts: Vec<&str> = key.split(',').collect();
    if parts.len() != columns.len() {
        return None;
    }
    let select = columns.iter().zip(parts).try_fold(E::find(), |select: Select<E>, (column, part)| {
        Some(select.filter(column.eq(value(column.def().get_column_type(), part)?)))
    })?;
    Some(Box::pin(async move { shown(select.one(db).await.map(Vec::from_iter)) }))
}

/// Rows in an order of their own, by what `Debug` shows: offsets and scales count, and NaN equals itself.
fn shown<M: Debug>(answer: Result<Vec<M>, DbErr>) -> String {
    match answer {
        Ok(rows) => {
            let mut rows: Vec<_> = rows.iter().map(|row| format!("{row:?}")).collect();
            rows.sort();
            rows.join("\n")
        }
        Err(error) => error.to_string(),
    }
}

/// The value of one part of a canonical key. `None` where the key is a hash.
fn value(kind: &ColumnType, part: &str) -> Option<Value> {
    let rest = part.get(1..).unwrap_or_default();
    Some(match (part.as_bytes().first()?, kind) {
        (b'#', _) => return None,
        (b'~', _) => unescaped(rest)?.into(),
        (b't', _) => true.into(),
        (b'f', _) => false.into(),
        (b'x', ColumnType::Uuid) => Uuid::from_slice(&hex(rest.as_bytes())?).ok()?.into(),
        (b'x', _) => hex(rest.as_bytes())?.into(),
        _ => match part.parse::<i64>() {
            Ok(number) => number.into(),
            Err(_) => part.parse::<u64>().ok()?.into(),
        },
    })
}

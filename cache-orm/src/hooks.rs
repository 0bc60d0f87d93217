//! A net for writers that forget the cached connection: hooks that invalidate what is saved or deleted through
//! SeaORM's own. With the feature `hooks`.
//!
//! `#[cacheable(hooks)]` writes an `ActiveModelBehavior` that calls them. An entity with a behavior of its own
//! calls them from there:
//!
//! ```
//! use cache_orm::Cacheable;
//! use sea_orm::entity::prelude::*;
//!
//! #[sea_orm::model]
//! #[derive(Clone, Debug, PartialEq, DeriveEntityModel, Cacheable)]
//! #[sea_orm(table_name = "product")]
//! pub struct Model {
//!     #[sea_orm(primary_key)]
//!     pub id: i32,
//! }
//!
//! #[async_trait::async_trait]
//! impl ActiveModelBehavior for ActiveModel {
//!     async fn before_save<C: ConnectionTrait>(self, db: &C, insert: bool) -> Result<Self, DbErr> {
//!         cache_orm::hooks::before_save(&self, db, insert).await?;
//!         Ok(self)
//!     }
//! }
//! ```
//!
//! # What the net catches
//!
//! `insert`, `update`, `save` and `delete` of an `ActiveModel`, through whatever connection or transaction of
//! SeaORM's own, in a process that has a cached connection to a database with that table. The write is fenced
//! before it is sent. Nobody learns how it ends, so the fence stands until it expires: until then the row is
//! read from the database. Nobody knows either which database the write goes to: where a process has cached
//! connections to several that have the table, the row is fenced in all of them.
//!
//! # What it does not catch
//!
//! `update_many`, `delete_by_id` and other statements, which have no hooks; other processes that have no cached
//! connection; a transaction that stays open longer than a fence stands.

use sea_orm::{
    ActiveModelTrait, ActiveValue, ConnectionTrait, DbErr, EntityName, EntityTrait, IdenStatic, Iterable,
    PrimaryKeyToColumn, Values,
};

use crate::{
    classify::{Equality, TableName, TableWrite, WriteKind},
    connection::{CachedConnection, transaction::CachedTransaction},
    context::live,
    write::elsewhere,
};

/// Invalidates what saving `row` through `db` changes. Does nothing if `db` is a cached connection, which sees
/// to it by itself.
///
/// # Errors
/// [`CacheErr`](crate::CacheErr) under the policy `Refuse` when the store can't be reached.
///
/// # Cancel safety
/// Dropped midway, marks that were placed expire by themselves.
pub async fn before_save<A, C>(row: &A, db: &C, insert: bool) -> Result<(), DbErr>
where
    A: ActiveModelTrait + Sync,
    C: ConnectionTrait,
{
    let kind = if insert {
        WriteKind::Insert
    } else {
        let columns = <Columns<A> as Iterable>::iter();
        let assigned = columns.filter(|column| matches!(row.get(*column), ActiveValue::Set(_)));
        WriteKind::Update { assigned: assigned.map(|column| column.as_str().to_lowercase()).collect() }
    };
    before_write(row, db, kind).await
}

/// Invalidates what deleting `row` through `db` changes. Does nothing if `db` is a cached connection.
///
/// # Errors
/// As [`before_save`].
///
/// # Cancel safety
/// As [`before_save`].
pub async fn before_delete<A, C>(row: &A, db: &C) -> Result<(), DbErr>
where
    A: ActiveModelTrait + Sync,
    C: ConnectionTrait,
{
    before_write(row, db, WriteKind::Delete).await
}

type Columns<A> = <<A as ActiveModelTrait>::Entity as EntityTrait>::Column;
type Keys<A> = <<A as ActiveModelTrait>::Entity as EntityTrait>::PrimaryKey;

async fn before_write<A, C>(row: &A, _: &C, kind: WriteKind) -> Result<(), DbErr>
where
    A: ActiveModelTrait + Sync,
    C: ConnectionTrait,
{
    let through = typeid::of::<C>();
    if through == typeid::of::<CachedConnection>() || through == typeid::of::<CachedTransaction>() {
        return Ok(());
    }
    let (mut keys, mut values) = (Vec::new(), Vec::new());
    for column in <Keys<A> as Iterable>::iter().map(|key| key.into_column()) {
        if let ActiveValue::Set(value) | ActiveValue::Unchanged(value) = row.get(column) {
            keys.push(Equality { column: column.as_str().to_lowercase(), parameter: values.len() });
            values.push(value);
        }
    }
    let entity = A::Entity::default();
    let table = TableName::new(entity.schema_name(), entity.table_name());
    let values = Values(values);
    for shared in live::connections(&table.name) {
        let (table, kind, keys) = (table.clone(), kind.clone(), keys.clone());
        elsewhere::fence(&shared, TableWrite { table, kind, keys, returning: None }, &values).await?;
    }
    Ok(())
}

//! Typed reads by key, without SeaORM's statements.

use std::{any::TypeId, collections::HashMap, marker::PhantomData, sync::Arc};

use cache_core::key::RowKey;
use sea_orm::{
    ColumnTrait, ConnectionTrait, DbBackend, DbErr, EntityTrait, FromQueryResult, IdenStatic, IntoSimpleExpr,
    Iterable, ModelTrait, PrimaryKeyToColumn, PrimaryKeyTrait, QueryFilter, QueryResult, QueryTrait, Select,
    TransactionTrait, Value,
    sea_query::{Expr, ExprTrait, IntoValueTuple, ValueTuple},
};

use crate::{
    classify::TableName,
    connection::CachedConnection,
    keys::{self, KeyClass},
    read::{Answer, Query, QueryMethod, Read, ReadContext},
    registry::Entity,
    spans, write,
};

/// The value of an entity's primary key.
pub type PrimaryKeyOf<E> = <<E as EntityTrait>::PrimaryKey as PrimaryKeyTrait>::ValueType;

/// How many keys are warmed at a time.
const WARMED_AT_ONCE: usize = 1000;

/// Reads of a cacheable entity by key. They share their slots with SeaORM's own reads, and a hit hands out the row that
/// the cache holds instead of a copy. One row is read without a statement, unless the database must be asked.
///
/// Implemented for every entity; those whose model does not derive [`Cacheable`](crate::Cacheable) are read from the
/// database.
///
/// ```
/// use cache_orm::{CachedConnection, CachedEntity};
/// # use cache_orm::Cacheable;
/// # mod product {
/// #     use sea_orm::entity::prelude::*;
/// #     #[sea_orm::model]
/// #     #[derive(Clone, Debug, PartialEq, DeriveEntityModel, cache_orm::Cacheable)]
/// #     #[sea_orm(table_name = "product")]
/// #     pub struct Model {
/// #         #[sea_orm(primary_key)]
/// #         pub id: i32,
/// #         #[sea_orm(unique)]
/// #         pub sku: String,
/// #     }
/// #     impl ActiveModelBehavior for ActiveModel {}
/// # }
/// # async fn example(db: CachedConnection) -> Result<(), sea_orm::DbErr> {
/// let one = product::Entity::get(&db, 1).await?;
/// let some = product::Entity::get_many(&db, [1, 2, 3]).await?; // in this order, `None` where there is no row
/// let named = product::Entity::get_by(&db, [(product::Column::Sku, "A-1".into())]).await?;
/// # Ok(()) }
/// ```
#[async_trait::async_trait]
pub trait CachedEntity: EntityTrait<Model: Send + Sync + 'static> {
    /// The row with this primary key.
    ///
    /// # Errors
    /// The database's own.
    ///
    /// # Cancel safety
    /// Dropped anywhere, nothing wrong is stored.
    async fn get(
        db: &CachedConnection,
        key: impl Into<PrimaryKeyOf<Self>> + Send,
    ) -> Result<Option<Arc<Self::Model>>, DbErr> {
        let values: Vec<Value> = key.into().into_value_tuple().into_iter().collect();
        one::<Self>(db, &primary_key::<Self>(), &values).await
    }

    /// The rows with these primary keys, in their order; `None` where there is no such row. All of them are of
    /// one snapshot.
    ///
    /// Where texts of several spellings are equal to the database, it is asked in a transaction for each key that
    /// is not found as it is spelled.
    ///
    /// # Errors
    /// The database's own.
    ///
    /// # Cancel safety
    /// As [`get`](Self::get).
    async fn get_many<K>(
        db: &CachedConnection,
        keys: impl IntoIterator<Item = K, IntoIter: Send> + Send,
    ) -> Result<Vec<Option<Arc<Self::Model>>>, DbErr>
    where
        K: Into<PrimaryKeyOf<Self>>,
    {
        let keys: Vec<_> = keys.into_iter().map(|key| key.into().into_value_tuple()).collect();
        many::<Self>(db, &keys).await
    }

    /// The row with these values in the columns of a unique key, in whatever order they are given.
    ///
    /// # Errors
    /// The database's own.
    ///
    /// # Cancel safety
    /// As [`get`](Self::get).
    async fn get_by(
        db: &CachedConnection,
        key: impl IntoIterator<Item = (Self::Column, Value), IntoIter: Send> + Send,
    ) -> Result<Option<Arc<Self::Model>>, DbErr> {
        let (columns, values): (Vec<_>, Vec<_>) = key.into_iter().unzip();
        one::<Self>(db, &columns, &values).await
    }

    /// Invalidates the row with this primary key, for a change that was made behind the connection's back: whether it was
    /// inserted, updated or deleted. (Writes through the connection need no such call.)
    ///
    /// # Errors
    /// [`CacheErr::NotInvalidated`](crate::CacheErr::NotInvalidated) if the store can't be reached and the entity's
    /// policy is to refuse. Whatever the policy, this process reads the table from the database until it is invalidated.
    ///
    /// # Cancel safety
    /// Dropped midway, the row's slot may stay fenced until that expires.
    async fn invalidate(
        db: &CachedConnection,
        key: impl Into<PrimaryKeyOf<Self>> + Send,
    ) -> Result<(), DbErr> {
        Self::invalidate_many(db, [key]).await
    }

    /// The same for several rows.
    ///
    /// # Errors
    /// As [`invalidate`](Self::invalidate).
    ///
    /// # Cancel safety
    /// As [`invalidate`](Self::invalidate).
    async fn invalidate_many<K>(
        db: &CachedConnection,
        keys: impl IntoIterator<Item = K, IntoIter: Send> + Send,
    ) -> Result<(), DbErr>
    where
        K: Into<PrimaryKeyOf<Self>>,
    {
        let columns: Vec<String> =
            primary_key::<Self>().iter().map(|column| column.as_str().to_lowercase()).collect();
        let keys = keys.into_iter().map(|key| key.into().into_value_tuple().into_iter().collect()).collect();
        write::invalidate_rows(db.shared(), table_of::<Self>(), &columns, keys).await
    }

    /// The same for all rows of the entity's table.
    ///
    /// # Errors
    /// As [`invalidate`](Self::invalidate).
    ///
    /// # Cancel safety
    /// As [`invalidate`](Self::invalidate).
    async fn invalidate_all_of(db: &CachedConnection) -> Result<(), DbErr> {
        write::invalidate_table(db.shared(), table_of::<Self>()).await
    }

    /// Reads the rows with these primary keys, so that later reads find them; a thousand at a time. Returns how
    /// many exist.
    ///
    /// # Errors
    /// The database's own.
    ///
    /// # Cancel safety
    /// As [`get`](Self::get): what was warmed so far stays.
    async fn warm<K>(
        db: &CachedConnection,
        keys: impl IntoIterator<Item = K, IntoIter: Send> + Send,
    ) -> Result<usize, DbErr>
    where
        K: Into<PrimaryKeyOf<Self>>,
    {
        let keys: Vec<_> = keys.into_iter().map(|key| key.into().into_value_tuple()).collect();
        let mut found = 0;
        for keys in keys.chunks(WARMED_AT_ONCE) {
            found += many::<Self>(db, keys).await?.iter().flatten().count();
        }
        Ok(found)
    }
}

impl<E: EntityTrait<Model: Send + Sync + 'static>> CachedEntity for E {}

/// The row with these values in these columns. A row that the cache holds is handed out as it is; everything
/// else goes the way of any other query.
async fn one<E>(
    db: &CachedConnection,
    columns: &[E::Column],
    values: &[Value],
) -> Result<Option<Arc<E::Model>>, DbErr>
where
    E: EntityTrait<Model: Send + Sync + 'static>,
{
    let shared = db.shared();
    if let Some(entity) = shared.registry.model(TypeId::of::<E::Model>()) {
        let eligibility = shared.eligibility().await;
        let context = ReadContext { shared, eligibility: &eligibility, options: db.options() };
        if let Some(read) = typed_read::<E>(&context, entity, columns, values) {
            return spans::read(&entity.label, read.run()).await;
        }
    }
    Ok(select::<E>(columns, values).one(db).await?.map(Arc::new))
}

/// A read by key that may be answered from the cache.
struct TypedRead<'r, E> {
    read: Read<'r>,
    key: RowKey,
    sql: &'r str,
    /// In the order of the key's columns.
    values: Vec<Value>,
    entity: PhantomData<E>,
}

fn typed_read<'r, E: EntityTrait>(
    context: &ReadContext<'r>,
    entity: &'r Arc<Entity>,
    columns: &[E::Column],
    values: &[Value],
) -> Option<TypedRead<'r, E>> {
    let position = |column: &E::Column| entity.shape.names().position(|name| name == column.as_str());
    let named = columns.iter().map(position).collect::<Option<Vec<_>>>()?;
    let kind = entity.key_over(&named)?;
    let ordered = entity.key_columns(kind).iter().map(|column| {
        let at = named.iter().position(|named| named == column)?;
        values.get(at).cloned()
    });
    let values = ordered.collect::<Option<Vec<_>>>()?;
    let read = context.read(entity, kind).ok()?;
    Some(TypedRead {
        key: read.key(&values).ok()?,
        sql: entity.sql(kind)?,
        read,
        values,
        entity: PhantomData,
    })
}

impl<E> TypedRead<'_, E>
where
    E: EntityTrait<Model: Send + Sync + 'static>,
{
    async fn run(self) -> Result<Option<Arc<E::Model>>, DbErr> {
        let query = Query { sql: self.sql, values: &self.values, method: QueryMethod::All };
        match self.read.get(&self.key, &query).await? {
            Answer::Cached(found) => match found.row() {
                None => Ok(None),
                Some(row) => row.model::<E::Model>().map(Some).ok_or_else(|| {
                    DbErr::Type(format!("a cached row is not a {}", std::any::type_name::<E::Model>()))
                }),
            },
            Answer::Loaded(rows) => {
                let model = rows.first().map(|row| E::Model::from_query_result(row, ""));
                Ok(model.transpose()?.map(Arc::new))
            }
        }
    }
}

/// The rows with these primary keys.
async fn many<E>(db: &CachedConnection, keys: &[ValueTuple]) -> Result<Vec<Option<Arc<E::Model>>>, DbErr>
where
    E: EntityTrait<Model: Send + Sync + 'static>,
{
    if keys.is_empty() {
        return Ok(Vec::new());
    }
    let (columns, backend) = (primary_key::<E>(), db.get_database_backend());
    let keys: Vec<Vec<Value>> = keys.iter().map(|key| key.clone().into_iter().collect()).collect();
    let list = match &columns[..] {
        [column] => column.is_in(keys.iter().flatten().cloned()),
        columns => Expr::tuple(columns.iter().map(|column| column.into_simple_expr()))
            .is_in(keys.iter().map(|key| Expr::tuple(key.iter().cloned().map(Expr::val)))),
    };
    let list: Select<E> = E::find().filter(list);
    let query = list.into_query();
    let (found, all_told) = in_order::<E>(db.query_all(&query).await?, &columns, &keys, backend)?;
    let spellings = Spellings::of::<E>(db).await;
    let is_unclear = |spellings: &Spellings, key: &[Value], row: &Option<_>, all_told: bool| {
        row.is_none() && !(all_told && spellings.is_only_one(key))
    };
    if !keys.iter().zip(&found).any(|(key, row)| is_unclear(&spellings, key, row, all_told)) {
        return Ok(found);
    }
    // A row may spell its key in another way than it was asked for, and a type may change it. Only the database knows,
    // and all must be of one snapshot.
    let level = db.shared().dialect().sessions.snapshot;
    let shared = db.shared().clone();
    let asked = db.shared().shields.raise(|caller| async move {
        let transaction = shared.db.begin_with_config(level, None).await?;
        let mut found = Vec::new();
        if !caller.is_gone() {
            let rows = transaction.query_all(&query).await?;
            let all_told;
            (found, all_told) = in_order::<E>(rows, &columns, &keys, backend)?;
            for (key, row) in keys.iter().zip(&mut found) {
                if is_unclear(&spellings, key, row, all_told) && !caller.is_gone() {
                    *row = select::<E>(&columns, key).one(&transaction).await?.map(Arc::new);
                }
            }
        }
        transaction.commit().await?;
        Ok(found)
    });
    asked.await
}

/// The models of the rows in the order of their keys, and whether every row told its key: a type may give another value
/// than the database's.
#[expect(clippy::type_complexity, reason = "the second part is of no use elsewhere")]
fn in_order<E: EntityTrait>(
    rows: Vec<QueryResult>,
    columns: &[E::Column],
    keys: &[Vec<Value>],
    backend: DbBackend,
) -> Result<(Vec<Option<Arc<E::Model>>>, bool), DbErr> {
    let mut by_key = HashMap::with_capacity(rows.len());
    let mut all_told = true;
    for row in rows {
        let model = E::Model::from_query_result(&row, "")?;
        let key: Vec<Value> = columns.iter().map(|column| model.get(*column)).collect();
        // A row of the cache was looked at when it was filled.
        let is_cached = row.try_as_mock_row().is_some();
        let told = is_cached
            || columns.iter().zip(&key).all(|(column, value)| {
                KeyClass::of_value(value)
                    .is_none_or(|class| keys::is_given(&row, column.as_str(), class, value, backend))
            });
        all_told &= told;
        if told {
            by_key.insert(key, Arc::new(model));
        }
    }
    Ok((keys.iter().map(|key| by_key.get(key).cloned()).collect(), all_told))
}

/// How the database compares an entity's primary key, as far as it is known.
struct Spellings(Vec<Option<KeyClass>>);

impl Spellings {
    async fn of<E: EntityTrait<Model: 'static>>(db: &CachedConnection) -> Self {
        let shared = db.shared();
        let Some(entity) = shared.registry.model(TypeId::of::<E::Model>()) else {
            return Spellings(Vec::new());
        };
        Spellings(shared.eligibility().await.classes(entity, &entity.primary).collect())
    }

    /// True if no other value is equal to a value of this key.
    fn is_only_one(&self, key: &[Value]) -> bool {
        key.iter().enumerate().all(|(position, value)| match value {
            Value::String(_) => self.0.get(position) == Some(&Some(KeyClass::Text)),
            Value::Uuid(_) | Value::Bytes(_) => true,
            value => KeyClass::Integer.takes(value),
        })
    }
}

fn select<E: EntityTrait>(columns: &[E::Column], values: &[Value]) -> Select<E> {
    let named = columns.iter().zip(values);
    named.fold(E::find(), |select, (column, value)| select.filter(column.eq(value.clone())))
}

fn primary_key<E: EntityTrait>() -> Vec<E::Column> {
    <E::PrimaryKey as Iterable>::iter().map(|key| key.into_column()).collect()
}

/// The table as the entity names it.
fn table_of<E: EntityTrait>() -> TableName {
    let entity = E::default();
    TableName::new(entity.schema_name(), entity.table_name())
}

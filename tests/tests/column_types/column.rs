//! One column type with one Rust type: a table, its rows, and how reading them goes.

use std::fmt::Debug;

use cache_orm::CachedConnection;
use futures_util::future::BoxFuture;
use sea_orm::{
    ColumnType, ConnectionTrait, DatabaseConnection, EntityTrait, IntoActiveModel, PrimaryKeyTrait, Schema,
};

/// How the rows of a table went through the cache. Their answers were the database's in any case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// The second read of every row was a hit.
    Cached,
    /// No row was cached.
    NotCached,
    /// SeaORM can't read the column on this database: the same error each time.
    Unreadable,
    /// SeaORM can't read NULL as the column's type; other values are cached.
    NullUnreadable,
}

/// A table with a column of the type that holds values, and one that holds the same or NULL.
pub(crate) struct Column {
    pub(crate) name: &'static str,
    pub(crate) kind: ColumnType,
    pub(crate) create: fn(&DatabaseConnection) -> BoxFuture<'_, ()>,
    pub(crate) read: for<'c> fn(&'c DatabaseConnection, &'c CachedConnection) -> BoxFuture<'c, Verdict>,
}

/// Creates the entity's table with these rows.
pub(crate) async fn create<E>(db: &DatabaseConnection, entity: E, rows: Vec<E::Model>)
where
    E: EntityTrait<Model: IntoActiveModel<E::ActiveModel>>,
    E::ActiveModel: Send,
{
    create_table(db, entity).await;
    let name = entity.table_name().to_owned();
    for row in rows {
        let row = sea_orm::ActiveModelTrait::reset_all(row.into_active_model());
        let insert = E::insert(row).exec_without_returning(db).await;
        insert.unwrap_or_else(|error| panic!("{name}: {error}"));
    }
}

/// Creates the entity's table.
pub(crate) async fn create_table<E: EntityTrait>(db: &DatabaseConnection, entity: E) {
    let table = Schema::new(db.get_database_backend()).create_table_from_entity(entity);
    let name = entity.table_name().to_owned();
    db.execute(&table).await.unwrap_or_else(|error| panic!("{name}: {error}"));
}

/// Reads the rows 1 to `count`. They fare alike, but for the first, which holds a NULL.
pub(crate) async fn read<E>(plain: &DatabaseConnection, db: &CachedConnection, count: i64) -> Verdict
where
    E: EntityTrait<Model: Debug + Send + Sync, PrimaryKey: PrimaryKeyTrait<ValueType = i64>>,
{
    let null = read_row::<E>(plain, db, 1).await;
    let mut others = Vec::new();
    for id in 2..=count {
        others.push(read_row::<E>(plain, db, id).await);
    }
    let table = E::default().table_name().to_owned();
    assert!(others.iter().all(|other| *other == others[0]), "{table}: {others:?}");
    match (null, others[0]) {
        (null, other) if null == other => null,
        (Verdict::Unreadable, Verdict::Cached) => Verdict::NullUnreadable,
        verdicts => panic!("{table}: {verdicts:?}"),
    }
}

/// Reads a row as the database has it, then twice through the cache.
pub(crate) async fn read_row<E>(plain: &DatabaseConnection, db: &CachedConnection, id: i64) -> Verdict
where
    E: EntityTrait<Model: Debug + Send + Sync, PrimaryKey: PrimaryKeyTrait<ValueType = i64>>,
{
    let table = E::default().table_name().to_owned();
    // By what `Debug` shows: offsets, scales and the sign of zero count, and NaN equals itself.
    let truth = E::find_by_id(id).one(plain).await;
    assert!(!matches!(truth, Ok(None)), "{table} has no row {id}");
    let hits = || db.stats().entities[&table].counts.hits;
    let before = hits();
    for time in ["first", "second"] {
        let answer = E::find_by_id(id).one(db).await;
        assert_eq!(format!("{answer:?}"), format!("{truth:?}"), "{table}, row {id}, {time} time");
        db.settled().await;
    }
    match (truth.is_ok(), hits() - before) {
        // The first time, the first read fills.
        (true, 1 | 2) => Verdict::Cached,
        (true, 0) => Verdict::NotCached,
        (false, 0) => Verdict::Unreadable,
        (_, hits) => panic!("{table}, row {id}: {hits} hits"),
    }
}

/// Declares a column: its table, what SeaORM is told of it, its Rust type and its values.
macro_rules! columns {
    ($(
        $(#[$attribute:meta])*
        $name:ident $table:literal ($($options:tt)*) $Type:ty = $values:expr;
    )+) => {
        $($(#[$attribute])*
        pub(crate) mod $name {
            use super::*;
            use cache_orm::Cacheable;

            #[derive(Clone, Debug, PartialEq, DeriveEntityModel, Cacheable)]
            #[sea_orm(table_name = $table)]
            #[cacheable(model_only)]
            pub(crate) struct Model {
                #[sea_orm(primary_key, auto_increment = false)]
                pub(crate) id: i64,
                #[sea_orm($($options)*)]
                pub(crate) value: $Type,
                #[sea_orm($($options)*)]
                pub(crate) maybe: Option<$Type>,
            }

            #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
            pub(crate) enum Relation {}

            impl ActiveModelBehavior for ActiveModel {}

            tests::audited!(Entity);

            fn values() -> Vec<$Type> {
                Vec::from($values)
            }

            /// The column.
            pub(crate) fn column() -> $crate::column::Column {
                $crate::column::Column {
                    name: $table,
                    kind: Column::Value.def().get_column_type().clone(),
                    create: |db| Box::pin(async move {
                        let values = values();
                        let nothing = Model { id: 1, value: values[0].clone(), maybe: None };
                        let rows = (2..).zip(values).map(|(id, value)| Model { id, maybe: Some(value.clone()), value });
                        $crate::column::create(db, Entity, std::iter::once(nothing).chain(rows).collect()).await;
                    }),
                    read: |plain, db| Box::pin(async move {
                        let rows = 1 + values().len() as i64;
                        $crate::column::read::<Entity>(plain, db, rows).await
                    }),
                }
            }
        })+

        /// The columns of this file.
        pub(crate) fn columns() -> Vec<$crate::column::Column> {
            vec![$($name::column()),+]
        }
    };
}
pub(crate) use columns;

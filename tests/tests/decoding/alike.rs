//! One column type with one Rust type, in an entity that promises JSON: its table, its rows, and how `into_json` and
//! `into_model` see them.

use cache_orm::CachedConnection;
use futures_util::future::BoxFuture;
use sea_orm::{
    ConnectionTrait, DatabaseConnection, EntityTrait, FromQueryResult, IntoActiveModel, PrimaryKeyTrait,
    Schema,
};

use super::{hits, promises::as_json};

/// How the rows of a table went. Their JSON and their models were the database's in any case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Every second read was a hit.
    Alike,
    /// No row was cached.
    NotCached,
    /// Some rows were cached: it depends on the value.
    Some,
}

/// A table with a column of the type that holds values, and one that holds the same or NULL.
pub(crate) struct Column {
    pub(crate) table: &'static str,
    pub(crate) create: fn(&DatabaseConnection) -> BoxFuture<'_, ()>,
    pub(crate) read: for<'c> fn(&'c DatabaseConnection, &'c CachedConnection) -> BoxFuture<'c, Verdict>,
}

pub(crate) async fn create<E>(db: &DatabaseConnection, entity: E, rows: Vec<E::Model>)
where
    E: EntityTrait<Model: IntoActiveModel<E::ActiveModel>>,
    E::ActiveModel: Send,
{
    let name = entity.table_name().to_owned();
    let table = Schema::new(db.get_database_backend()).create_table_from_entity(entity);
    db.execute(&table).await.unwrap_or_else(|error| panic!("{name}: {error}"));
    for row in rows {
        let row = sea_orm::ActiveModelTrait::reset_all(row.into_active_model());
        let insert = E::insert(row).exec_without_returning(db).await;
        insert.unwrap_or_else(|error| panic!("{name}: {error}"));
    }
}

/// Reads every row three times as JSON and as another model of the same types.
pub(crate) async fn read<E, Same>(plain: &DatabaseConnection, db: &CachedConnection, count: i64) -> Verdict
where
    E: EntityTrait<Model: Send + Sync, PrimaryKey: PrimaryKeyTrait<ValueType = i64>>,
    Same: FromQueryResult + std::fmt::Debug + Send + Sync,
{
    let table = E::default().table_name().to_owned();
    let mut cached = 0;
    for id in 1..=count {
        let select = || E::find_by_id(id);
        let truth = as_json(select(), plain).await;
        assert_eq!(truth.len(), 1, "{table} has row {id}");
        let model = format!("{:?}", select().into_model::<Same>().one(plain).await);
        let before = hits(db, &table);
        for time in 1..=3 {
            assert_eq!(as_json(select(), db).await, truth, "{table}, row {id}, time {time}");
            db.settled().await;
            let answer = select().into_model::<Same>().one(db).await;
            assert_eq!(format!("{answer:?}"), model, "{table}, row {id}, time {time}");
        }
        cached += i64::from(hits(db, &table) > before);
    }
    match cached {
        0 => Verdict::NotCached,
        all if all == count => Verdict::Alike,
        _ => Verdict::Some,
    }
}

/// Declares a column: its table, what SeaORM is told of it, its Rust type and its values.
macro_rules! columns {
    ($($name:ident $table:literal ($($options:tt)*) $Type:ty = $values:expr;)+) => {
        $(mod $name {
            use super::*;
            use cache_orm::Cacheable;

            #[derive(Clone, Debug, PartialEq, DeriveEntityModel, Cacheable)]
            #[sea_orm(table_name = $table)]
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

            /// The same types under another name.
            #[derive(Debug, FromQueryResult)]
            #[expect(dead_code, reason = "shown by Debug")]
            pub(crate) struct Same {
                id: i64,
                value: $Type,
                maybe: Option<$Type>,
            }

            fn values() -> Vec<$Type> {
                Vec::from($values)
            }

            pub(super) fn column() -> $crate::alike::Column {
                $crate::alike::Column {
                    table: $table,
                    create: |db| Box::pin(async move {
                        let values = values();
                        let nothing = Model { id: 1, value: values[0].clone(), maybe: None };
                        let rows = (2..).zip(values).map(|(id, value)| Model { id, maybe: Some(value.clone()), value });
                        $crate::alike::create(db, Entity, std::iter::once(nothing).chain(rows).collect()).await;
                    }),
                    read: |plain, db| Box::pin(async move {
                        let rows = 1 + values().len() as i64;
                        $crate::alike::read::<Entity, Same>(plain, db, rows).await
                    }),
                }
            }
        })+

        /// The columns of this list.
        fn columns() -> Vec<$crate::alike::Column> {
            vec![$($name::column()),+]
        }
    };
}
pub(crate) use columns;

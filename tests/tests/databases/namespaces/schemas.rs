//! Entities that name a schema.

use std::fmt::Debug;

use cache_orm::CachedConnection;
use sea_orm::{
    ActiveModelTrait,
    ActiveValue::{Set, Unchanged},
    ColumnTrait, EntityTrait, PrimaryKeyTrait, QueryFilter,
};
use tests::{Backend, Env, StoreKind, run, shop::store};

use super::places::{Place, agree, agree_in_any_order, beside, execute};

/// The same table under a schema's name, or none.
macro_rules! shelf {
    ($($name:ident ($($schema:tt)*),)+) => {$(
        mod $name {
            use cache_orm::Cacheable;
            use sea_orm::entity::prelude::*;

            #[derive(Clone, Debug, PartialEq, DeriveEntityModel, Cacheable)]
            #[sea_orm($($schema)* table_name = "shelf")]
            pub(crate) struct Model {
                #[sea_orm(primary_key, auto_increment = false)]
                pub(crate) id: i32,
                #[sea_orm(unique)]
                pub(crate) label: i32,
                pub(crate) books: i32,
            }

            #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
            pub(crate) enum Relation {}

            impl ActiveModelBehavior for ActiveModel {}

            tests::audited!(Entity);
        }
    )+};
}

shelf! {
    here (),
    in_main (schema_name = "main",),
    in_public (schema_name = "public",),
    elsewhere (schema_name = "cache_test_elsewhere",),
}

/// The name under which counts are reported.
fn label(entity: &str) -> &'static str {
    match entity {
        "here" => "shelf",
        "in_main" => "main.shelf",
        "in_public" => "public.shelf",
        _ => "cache_test_elsewhere.shelf",
    }
}

fn table(schema: &str, books: i32) -> [String; 2] {
    [
        format!(
            "CREATE TABLE {schema}shelf (id INTEGER PRIMARY KEY NOT NULL, label INTEGER NOT NULL UNIQUE, \
             books INTEGER NOT NULL)"
        ),
        format!("INSERT INTO {schema}shelf VALUES (1, 11, {books}), (2, 12, {books})"),
    ]
}

async fn entity_agrees<E>(
    place: &Place,
    other: &CachedConnection,
    id: E::Column,
    label: E::Column,
    when: &str,
) where
    E: EntityTrait<Model: PartialEq + Debug + Send + Sync, PrimaryKey: PrimaryKeyTrait<ValueType = i32>>,
{
    for db in [&place.db, other] {
        for key in 1..=3 {
            agree(db, &place.plain, E::find_by_id(key), when).await;
            agree(db, &place.plain, E::find().filter(label.eq(10 + key)), when).await;
        }
        agree_in_any_order(db, &place.plain, E::find().filter(id.is_in([1, 2, 3])), when).await;
        agree_in_any_order(db, &place.plain, E::find(), when).await;
    }
}

/// Writes through each of two entities, and reads through both after each.
macro_rules! both_agree {
    ($place:expr, $other:expr, $one:ident, $two:ident) => {{
        let (place, other) = ($place, $other);
        let reads = async |when: &str| {
            place.db.settled().await;
            entity_agrees::<$one::Entity>(place, other, $one::Column::Id, $one::Column::Label, when).await;
            entity_agrees::<$two::Entity>(place, other, $two::Column::Id, $two::Column::Label, when).await;
        };
        reads("at first").await;
        for entity in [stringify!($one), stringify!($two)] {
            assert!(place.hits(label(entity)) > 0, "{entity} is cached");
        }
        $one::ActiveModel { id: Unchanged(1), books: Set(5), ..Default::default() }
            .update(&place.db)
            .await
            .expect("the update goes through");
        reads("after an update through the one").await;
        $two::ActiveModel { id: Unchanged(1), books: Set(6), ..Default::default() }
            .update(&place.db)
            .await
            .expect("the update goes through");
        reads("after an update through the other").await;
        $two::ActiveModel { id: Set(3), label: Set(13), books: Set(7) }
            .insert(&place.db)
            .await
            .expect("the insert goes through");
        reads("after an insert through the other").await;
        $one::Entity::update_many()
            .set($one::ActiveModel { books: Set(8), ..Default::default() })
            .filter($one::Column::Label.is_in([12, 13]))
            .exec(&place.db)
            .await
            .expect("the update goes through");
        reads("after an update of a list through the one").await;
        $two::Entity::delete_by_id(2).exec(&place.db).await.expect("the delete goes through");
        reads("after a delete through the other").await;
        $one::Entity::delete_many().exec(&place.db).await.expect("the delete goes through");
        reads("after a delete of all through the one").await;
    }};
}

async fn spelled_out(env: Env) {
    let ddl = table("", 1);
    let place = Place::with(&env, &[&ddl[0], &ddl[1]]).await;
    let other = beside(&env).await;
    match env.backend() {
        Backend::Sqlite => both_agree!(&place, &other, here, in_main),
        _ => both_agree!(&place, &other, here, in_public),
    }
}

async fn of_the_same_name(env: Env) {
    let (ours, theirs) = (table("", 1), table("cache_test_elsewhere.", 100));
    let schema = ["DROP SCHEMA IF EXISTS cache_test_elsewhere", "CREATE SCHEMA cache_test_elsewhere"];
    let ddl = [schema[0], schema[1], &ours[0], &ours[1], &theirs[0], &theirs[1]];
    let place = Place::with(&env, &ddl).await;
    let other = beside(&env).await;
    both_agree!(&place, &other, here, elsewhere);
    execute(&place.db, "UPDATE cache_test_elsewhere.shelf SET books = 9").await;
    place.db.settled().await;
    let (id, label) = (elsewhere::Column::Id, elsewhere::Column::Label);
    entity_agrees::<elsewhere::Entity>(&place, &other, id, label, "after raw SQL").await;
    if env.backend() == Backend::MySql {
        // It is a database of its own there, which the harness does not know of.
        execute(&place.plain, schema[0]).await;
    }
}

/// Two names of one table.
#[tokio::test]
async fn the_schema_that_is_meant_anyway() {
    for backend in [Backend::Sqlite, Backend::Postgres] {
        for kind in [StoreKind::Memory, StoreKind::Redis] {
            run(backend, kind, store, spelled_out).await;
        }
    }
}

/// Two tables, one after the other on each server: MySQL's schemas are shared by all tests.
#[tokio::test]
async fn a_table_of_the_same_name_in_another_schema() {
    for backend in [Backend::Postgres, Backend::MySql] {
        for kind in [StoreKind::Memory, StoreKind::Redis] {
            run(backend, kind, store, of_the_same_name).await;
        }
    }
}

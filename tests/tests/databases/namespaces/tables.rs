//! Tables whose rows can't be cached, and why.

use std::sync::Arc;

use cache_orm::{BypassReason, CachedConnection, Namespace};
use sea_orm::{
    ActiveModelTrait,
    ActiveValue::{Set, Unchanged},
    ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryTrait, Statement, Value,
};
use tests::{Backend, Env, StoreKind, matrix, shop::store};

use super::{
    entities::wide,
    places::{Place, agree_in_any_order, by_backend, entity, execute},
};

entity! {
    /// A view of `item`.
    shown, "shown", {
        #[sea_orm(primary_key, auto_increment = false)]
        id: i32,
        price: i32,
    }
}

entity! {
    /// A table of many kinds.
    special, "special", {
        #[sea_orm(primary_key, auto_increment = false)]
        id: i32,
        price: i32,
    }
}

entity! {
    /// Its key is none in the database.
    loose, "loose", {
        #[sea_orm(primary_key, auto_increment = false)]
        id: i32,
        price: i32,
    }
}

entity! {
    /// A key whose values can be spelled in many ways.
    priced, "priced", {
        #[sea_orm(primary_key, auto_increment = false, column_type = "Decimal(Some((10, 2)))")]
        id: Decimal,
        name: String,
    }
}

entity! {
    /// No table has this name.
    missing, "missing", {
        #[sea_orm(primary_key, auto_increment = false)]
        id: i32,
    }
}

const TABLE: &str = "CREATE TABLE special (id INTEGER PRIMARY KEY NOT NULL, price INTEGER NOT NULL)";
const ROWS: &str = "INSERT INTO special VALUES (1, 10), (2, 20)";

fn special(id: i32, price: i32) -> special::ActiveModel {
    special::ActiveModel { id: Unchanged(id), price: Set(price) }
}

/// A special table: answers are right before and after writes, and none comes from the cache.
async fn is_special(env: &Env, ddl: &[&str], reason: BypassReason) {
    let place = Place::with(env, ddl).await;
    place.is_bypassed("special", special::Entity::find_by_id(1), reason).await;
    place.is_bypassed("special", special::Entity::find_by_id(9), reason).await;
    place.is_bypassed("special", special::Entity::find(), reason).await;
    special(1, 11).update(&place.db).await.expect("the update goes through");
    place.is_bypassed("special", special::Entity::find_by_id(1), reason).await;
    let row = special::ActiveModel { id: Set(9), price: Set(90) };
    row.insert(&place.db).await.expect("the insert goes through");
    place.is_bypassed("special", special::Entity::find_by_id(9), reason).await;
    place.is_bypassed("special", special::Entity::find(), reason).await;
    lists_agree(&place).await;
}

/// Lists of keys, read and written, where nothing may be cached.
async fn lists_agree(place: &Place) {
    let list = || special::Entity::find().filter(special::Column::Id.is_in([2, 9, 1, 7]));
    agree_in_any_order(&place.db, &place.plain, list(), "a list").await;
    special::Entity::update_many()
        .set(special::ActiveModel { price: Set(33), ..Default::default() })
        .filter(special::Column::Id.is_in([1, 9]))
        .exec(&place.db)
        .await
        .expect("the update goes through");
    agree_in_any_order(&place.db, &place.plain, list(), "after an update of a list").await;
    special::Entity::delete_many()
        .filter(special::Column::Price.gt(30))
        .exec(&place.db)
        .await
        .expect("the delete goes through");
    agree_in_any_order(&place.db, &place.plain, list(), "after a delete").await;
    assert_eq!(place.hits("special"), 0);
}

/// One test body against one kind of database, with every store.
macro_rules! on {
    ($Backend:ident: $(async fn $name:ident($env:ident: $Env:ty) $body:block)+) => {$(
        mod $name {
            use super::*;

            async fn body($env: $Env) $body

            #[tokio::test]
            async fn memory() {
                tests::run(Backend::$Backend, StoreKind::Memory, store, body).await;
            }

            #[tokio::test]
            async fn redis() {
                tests::run(Backend::$Backend, StoreKind::Redis, store, body).await;
            }
        }
    )+};
}

matrix! {
    stores: store;

    async fn a_view_is_read_from_the_database_and_writes_below_it_are_seen(env: Env) {
        let place = Place::with(&env, &[
            "CREATE TABLE item (id INTEGER PRIMARY KEY NOT NULL, code VARCHAR(20) NOT NULL UNIQUE, \
             price INTEGER NOT NULL)",
            "INSERT INTO item VALUES (1, 'one', 10), (2, 'two', 20)",
            "CREATE VIEW shown AS SELECT id, price FROM item WHERE price > 5",
        ])
        .await;
        place.is_bypassed("shown", shown::Entity::find_by_id(1), BypassReason::TableKind).await;
        place.agree(wide::Entity::find_by_id(1), "at first").await;
        let update = wide::ActiveModel { id: Unchanged(1), price: Set(11), ..Default::default() };
        update.update(&place.db).await.expect("the update goes through");
        place.agree(shown::Entity::find_by_id(1), "after a write below the view").await;
        place.agree(wide::Entity::find_by_id(1), "after a write below the view").await;
        if env.backend() != Backend::Sqlite {
            // The view can be written to, and changes the table below it.
            let through = shown::ActiveModel { id: Unchanged(1), price: Set(12) };
            through.update(&place.db).await.expect("the update goes through");
            place.agree(shown::Entity::find_by_id(1), "after a write through the view").await;
            place.agree(wide::Entity::find_by_id(1), "after a write through the view").await;
            place.agree(wide::Entity::find(), "after a write through the view").await;
        }
        place.is_bypassed("shown", shown::Entity::find(), BypassReason::TableKind).await;
        let list = || shown::Entity::find().filter(shown::Column::Id.is_in([1, 2]));
        agree_in_any_order(&place.db, &place.plain, list(), "a list of the view").await;
        wide::Entity::update_many()
            .set(wide::ActiveModel { price: Set(50), ..Default::default() })
            .filter(wide::Column::Id.is_in([1, 2]))
            .exec(&place.db)
            .await
            .expect("the update goes through");
        agree_in_any_order(&place.db, &place.plain, list(), "after a write below the view").await;
        assert_eq!(place.hits("shown"), 0);
    }

    async fn a_key_that_the_database_does_not_know_is_none(env: Env) {
        let place = Place::with(&env, &[
            "CREATE TABLE loose (id INTEGER NOT NULL, price INTEGER NOT NULL)",
            "INSERT INTO loose VALUES (1, 10), (1, 11)",
        ])
        .await;
        place.is_bypassed("loose", loose::Entity::find_by_id(1), BypassReason::NotUnique).await;
        execute(&place.db, "UPDATE loose SET price = 12").await;
        place.is_bypassed("loose", loose::Entity::find_by_id(1), BypassReason::NotUnique).await;
    }

    async fn a_key_of_an_inexact_type_is_none(env: Env) {
        let place = Place::with(&env, &[
            by_backend(
                env.backend(),
                "CREATE TABLE priced (id REAL PRIMARY KEY NOT NULL, name TEXT NOT NULL)",
                "CREATE TABLE priced (id DECIMAL(10, 2) PRIMARY KEY NOT NULL, name TEXT NOT NULL)",
                "CREATE TABLE priced (id DECIMAL(10, 2) PRIMARY KEY NOT NULL, name TEXT NOT NULL)",
            ),
            "INSERT INTO priced VALUES (1.5, 'one and a half')",
        ])
        .await;
        for id in ["1.5", "1.50", "2"] {
            let id: sea_orm::prelude::Decimal = id.parse().expect("a number");
            place.is_bypassed("priced", priced::Entity::find_by_id(id), BypassReason::KeyType).await;
        }
    }

    async fn a_table_that_is_not_there_is_the_databases_error(env: Env) {
        let place = Place::with(&env, &[]).await;
        let find = missing::Entity::find_by_id(1);
        let error = find.clone().one(&place.db).await.expect_err("no such table");
        assert_eq!(Err(error), find.one(&place.plain).await);
        assert_eq!(place.bypasses("missing", BypassReason::TableUnknown), 1);
    }

    /// Whoever locks the row, asks for no row, or asks in another way than by key.
    async fn other_questions_go_to_the_database(env: Env) {
        let place = Place::with(&env, &[TABLE, ROWS]).await;
        let backend = place.plain.get_database_backend();
        let text = special::Entity::find_by_id(1).build(backend).sql;
        for key in [Value::Int(None), Value::String(Some("1".to_owned()))] {
            if env.backend() == Backend::Postgres && key != Value::Int(None) {
                continue; // Does not compare a number with a text.
            }
            let raw = Statement::from_sql_and_values(backend, &text, [key]);
            let ours = place.db.query_all_raw(raw.clone()).await.expect("an answer");
            let plain = place.plain.query_all_raw(raw).await.expect("an answer");
            assert_eq!(ours.len(), plain.len());
        }
        let asked = if env.backend() == Backend::Postgres { 1 } else { 2 };
        assert_eq!(place.bypasses("special", BypassReason::KeyValue), asked);
        if env.backend() != Backend::Sqlite {
            use sea_orm::QuerySelect;
            let locking = special::Entity::find_by_id(1).lock_exclusive();
            place.agree(locking, "locked").await;
            assert_eq!(place.db.stats().bypasses[&BypassReason::Locking], 6);
        }
        assert_eq!(place.hits("special"), 0);
        place.agree(special::Entity::find_by_id(1), "in earnest").await;
        assert_eq!(place.hits("special"), 5);
        execute(&place.db, by_backend(
            env.backend(),
            "PRAGMA case_sensitive_like = ON",
            "SET search_path = public",
            "SET @x = 1",
        ))
        .await;
        if env.backend() != Backend::MySql {
            place.agree(special::Entity::find_by_id(1), "in a changed session").await;
            assert_eq!(place.bypasses("special", BypassReason::SessionState), 6);
        }
    }
}

on! { MySql:
    async fn a_table_without_transactions(env: Env) {
        let myisam = format!("{TABLE} ENGINE = MyISAM");
        is_special(&env, &[&myisam, ROWS], BypassReason::NotTransactional).await;
    }

    async fn a_table_of_another_engine(env: Env) {
        let memory = format!("{TABLE} ENGINE = MEMORY");
        is_special(&env, &[&memory, ROWS], BypassReason::TableKind).await;
    }
}

on! { Postgres:
    async fn a_partitioned_table(env: Env) {
        let partitioned = format!("{TABLE} PARTITION BY RANGE (id)");
        let partition = "CREATE TABLE special_low PARTITION OF special FOR VALUES FROM (0) TO (100)";
        is_special(&env, &[&partitioned, partition, ROWS], BypassReason::TableKind).await;
    }

    async fn a_table_with_heirs(env: Env) {
        let heir = "CREATE TABLE special_heir (more INTEGER) INHERITS (special)";
        is_special(&env, &[TABLE, heir, ROWS], BypassReason::TableKind).await;
    }

    async fn an_unlogged_table(env: Env) {
        let unlogged = TABLE.replace("CREATE TABLE", "CREATE UNLOGGED TABLE");
        is_special(&env, &[&unlogged, ROWS], BypassReason::TableKind).await;
    }

    async fn a_materialized_view(env: Env) {
        let ddl = [&TABLE.replace("special", "below"), &ROWS.replace("special", "below"),
            "CREATE MATERIALIZED VIEW special AS SELECT * FROM below"];
        let place = Place::with(&env, &ddl).await;
        place.is_bypassed("special", special::Entity::find_by_id(1), BypassReason::TableKind).await;
        execute(&place.db, "UPDATE below SET price = 11").await;
        execute(&place.db, "REFRESH MATERIALIZED VIEW special").await;
        place.is_bypassed("special", special::Entity::find_by_id(1), BypassReason::TableKind).await;
    }

    async fn a_table_under_row_level_security(env: Env) {
        let secured = [TABLE, ROWS, "ALTER TABLE special ENABLE ROW LEVEL SECURITY"];
        is_special(&env, &secured, BypassReason::RowSecurity).await;
        // As the user allows.
        let allowing = CachedConnection::builder(env.connect().await)
            .shared_store(Arc::clone(&env.store().await))
            .namespace(Namespace::new(env.namespace.clone()).expect("the harness makes valid names"))
            .cache_row_secured_tables()
            .build()
            .await
            .expect("the cache is ready");
        let place = Place { plain: env.connect().await, db: allowing };
        place.agree(special::Entity::find_by_id(1), "allowed").await;
        assert_eq!(place.hits("special"), 5);
    }
}

//! Several entities over one table, and names that need quoting.

use cache_orm::{BypassReason, CachedConnection, CachedEntity, Namespace};
use sea_orm::{
    ActiveModelTrait,
    ActiveValue::{Set, Unchanged},
    ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, Schema,
};
use tests::{Env, matrix, shop::store};

use super::places::{Place, agree_in_any_order, beside, entity, execute};

entity! {
    /// All columns of a table.
    wide, "item", {
        #[sea_orm(primary_key, auto_increment = false)]
        id: i32,
        #[sea_orm(unique)]
        code: String,
        price: i32,
    }
}

entity! {
    /// Fewer columns of the same table.
    narrow, "item", {
        #[sea_orm(primary_key, auto_increment = false)]
        id: i32,
        price: i32,
    }
}

entity! {
    /// Its statements are those of `twice`, its types are not.
    once, "twin", {
        #[sea_orm(primary_key, auto_increment = false)]
        id: i32,
        amount: i32,
    }
}

entity! {
    twice, "twin", {
        #[sea_orm(primary_key, auto_increment = false)]
        id: i32,
        amount: i64,
    }
}

entity! {
    /// The same columns of the same types.
    thrice, "twin", {
        #[sea_orm(primary_key, auto_increment = false)]
        id: i32,
        amount: i64,
    }
}

entity! {
    /// The columns of `cut`, as the database has them.
    whole, "label", {
        #[sea_orm(primary_key, auto_increment = false)]
        id: i32,
        text: String,
    }
}

entity! {
    /// What an entity selects a column as may be another value.
    cut, "label", {
        #[sea_orm(primary_key, auto_increment = false)]
        id: i32,
        #[sea_orm(select_as = "char(2)")]
        text: String,
    }
}

entity! {
    /// The session says what a time is written as.
    stamped, "stamped", {
        #[sea_orm(primary_key, auto_increment = false)]
        id: i32,
        at: DateTimeUtc,
    }
}

entity! {
    /// Whatever may stand in a name.
    quoted, "Ünï\"q`uote' t.able", {
        #[sea_orm(primary_key, auto_increment = false)]
        id: i32,
        #[sea_orm(column_name = "n\"a`m'e é", unique)]
        name: String,
        #[sea_orm(column_name = "Select")]
        keyword: i32,
    }
}

pub(crate) const ITEM: &[&str] = &[
    "CREATE TABLE item (id INTEGER PRIMARY KEY NOT NULL, code VARCHAR(20) NOT NULL UNIQUE, \
     price INTEGER NOT NULL)",
    "INSERT INTO item VALUES (1, 'one', 10), (2, 'two', 20)",
];

async fn both_agree(place: &Place, when: &str) {
    for id in 1..=3 {
        place.agree(wide::Entity::find_by_id(id), when).await;
        place.agree(narrow::Entity::find_by_id(id), when).await;
    }
    place.agree(wide::Entity::find().filter(wide::Column::Code.eq("one")), when).await;
    place.agree(wide::Entity::find().filter(wide::Column::Code.eq("three")), when).await;
    place.agree(wide::Entity::find(), when).await;
    place.agree(narrow::Entity::find(), when).await;
}

matrix! {
    stores: store;

    async fn two_entities_over_one_table_are_both_invalidated(env: Env) {
        let place = Place::with(&env, ITEM).await;
        both_agree(&place, "at first").await;
        assert!(place.hits("item") > 0);
        let through_wide = wide::ActiveModel { id: Unchanged(1), price: Set(11), ..Default::default() };
        through_wide.update(&place.db).await.expect("the update goes through");
        both_agree(&place, "after an update through the one").await;
        let through_narrow = narrow::ActiveModel { id: Unchanged(1), price: Set(12) };
        through_narrow.update(&place.db).await.expect("the update goes through");
        both_agree(&place, "after an update through the other").await;
        let row = wide::ActiveModel { id: Set(3), code: Set("three".into()), price: Set(30) };
        row.insert(&place.db).await.expect("the insert goes through");
        both_agree(&place, "after an insert").await;
        let code = wide::ActiveModel { id: Unchanged(1), code: Set("uno".into()), ..Default::default() };
        code.update(&place.db).await.expect("the update goes through");
        both_agree(&place, "after an update of the unique column").await;
        narrow::Entity::delete_by_id(3).exec(&place.db).await.expect("the delete goes through");
        both_agree(&place, "after a delete through the other").await;
        narrow::Entity::delete_many().exec(&place.db).await.expect("the delete goes through");
        both_agree(&place, "after all are gone").await;
    }

    async fn a_statement_that_two_entities_send_is_not_cached(env: Env) {
        let place = Place::with(&env, &[
            "CREATE TABLE twin (id INTEGER PRIMARY KEY NOT NULL, amount BIGINT NOT NULL)",
            "INSERT INTO twin VALUES (1, 100)",
        ])
        .await;
        // (Postgres does not let `once` read the column; the error is the database's own.)
        place.is_bypassed("twin", twice::Entity::find_by_id(1), BypassReason::AmbiguousEntity).await;
        place.is_bypassed("twin", once::Entity::find_by_id(1), BypassReason::AmbiguousEntity).await;
        place.is_bypassed("twin", twice::Entity::find(), BypassReason::AmbiguousEntity).await;
        let huge = twice::ActiveModel { id: Unchanged(1), amount: Set(1 << 40) };
        huge.update(&place.db).await.expect("the update goes through");
        place.agree(twice::Entity::find_by_id(1), "a value that one of them can't read").await;
        let error = once::Entity::find_by_id(1).one(&place.db).await;
        assert_eq!(error, once::Entity::find_by_id(1).one(&place.plain).await);
    }

    /// A slot in the memory of the process held a decoded model of the one, of which the other made an error.
    async fn typed_reads_of_two_entities_with_the_same_columns_are_told_apart(env: Env) {
        let place = Place::with(&env, &[
            "CREATE TABLE twin (id INTEGER PRIMARY KEY NOT NULL, amount BIGINT NOT NULL)",
            "INSERT INTO twin VALUES (1, 100)",
        ])
        .await;
        for _ in 0..2 {
            let one = twice::Entity::get(&place.db, 1).await.expect("an answer").expect("a row");
            place.db.settled().await;
            let other = thrice::Entity::get(&place.db, 1).await.expect("an answer").expect("a row");
            place.db.settled().await;
            assert_eq!((one.amount, other.amount), (100, 100));
        }
        assert_eq!(place.hits("twin"), 3);
    }

    async fn names_may_be_anything(env: Env) {
        let place = Place::with(&env, &[]).await;
        let backend = place.plain.get_database_backend();
        let create = Schema::new(backend).create_table_from_entity(quoted::Entity);
        place.db.execute(&create).await.expect("the table can be created");
        let other = beside(&env).await;
        let row = |id: i32, name: &str| quoted::ActiveModel {
            id: Set(id),
            name: Set(name.to_owned()),
            keyword: Set(0),
        };
        let reads = async |when: &str| {
            for db in [&place.db, &other] {
                let find = quoted::Entity::find;
                for id in 1..3 {
                    crate::namespaces::places::agree(db, &place.plain, quoted::Entity::find_by_id(id), when).await;
                }
                for name in ["a\"b", "c'd"] {
                    let by_name = find().filter(quoted::Column::Name.eq(name));
                    crate::namespaces::places::agree(db, &place.plain, by_name, when).await;
                }
                crate::namespaces::places::agree(db, &place.plain, find(), when).await;
                let ids = find().filter(quoted::Column::Id.is_in([1, 2, 3]));
                agree_in_any_order(db, &place.plain, ids, when).await;
                let names = find().filter(quoted::Column::Name.is_in(["a\"b", "c'd", "none"]));
                agree_in_any_order(db, &place.plain, names, when).await;
            }
        };
        reads("at first").await;
        row(1, "a\"b").insert(&place.db).await.expect("the insert goes through");
        place.db.settled().await;
        reads("after an insert").await;
        let table = "ünï\"q`uote' t.able";
        assert!(place.hits(table) > 0, "{:?}", place.db.stats());
        let update = quoted::ActiveModel { id: Unchanged(1), keyword: Set(5), ..Default::default() };
        update.update(&place.db).await.expect("the update goes through");
        place.db.settled().await;
        reads("after an update").await;
        row(2, "c'd").insert(&other).await.expect("the insert goes through");
        other.settled().await;
        reads("after an insert by another").await;
        quoted::Entity::update_many()
            .set(quoted::ActiveModel { keyword: Set(6), ..Default::default() })
            .filter(quoted::Column::Name.is_in(["c'd"]))
            .exec(&place.db)
            .await
            .expect("the update goes through");
        place.db.settled().await;
        reads("after an update of a list").await;
        quoted::Entity::delete_by_id(1).exec(&place.db).await.expect("the delete goes through");
        place.db.settled().await;
        reads("after a delete").await;
        let quote = if backend == sea_orm::DbBackend::MySql { '`' } else { '"' };
        let name = "Ünï\"q`uote' t.able".replace(quote, &format!("{quote}{quote}"));
        execute(&place.db, &format!("UPDATE {quote}{name}{quote} SET {quote}Select{quote} = 9")).await;
        place.db.settled().await;
        reads("after raw SQL").await;
        let unknown = place.db.stats().unknown_writes;
        assert_eq!(unknown, 1, "only the DDL was not narrowed to its table");
    }

    async fn an_entity_was_given_what_another_one_had_cast(env: Env) {
        let ddl = [
            "CREATE TABLE label (id INTEGER NOT NULL PRIMARY KEY, text VARCHAR(20) NOT NULL)",
            "INSERT INTO label VALUES (1, 'abcdef'), (2, 'ghijkl')",
        ];
        let place = Place::with(&env, &ddl).await;
        place.agree(cut::Entity::find_by_id(1), "cut first").await;
        place.agree(whole::Entity::find_by_id(1), "whole afterwards").await;
        place.agree(whole::Entity::find_by_id(2), "whole first").await;
        place.agree(cut::Entity::find_by_id(2), "cut afterwards").await;
        assert!(place.hits("label") > 0);
    }

    async fn a_session_was_given_the_times_of_another_time_zone(env: Env) on [MySql] {
        let ddl = [
            "CREATE TABLE stamped (id INT NOT NULL PRIMARY KEY, at TIMESTAMP NOT NULL)",
            "INSERT INTO stamped VALUES (1, '2024-01-01 12:00:00')",
        ];
        let place = Place::with(&env, &ddl).await;
        let east = || {
            env.database.connect_with(|options| {
                options.map_sqlx_mysql_opts(|options| options.timezone(Some("+02:00".to_owned())));
            })
        };
        let there = CachedConnection::builder(east().await)
            .shared_store(env.store().await)
            .namespace(Namespace::new(env.namespace.clone()).expect("the harness makes valid names"))
            .build()
            .await
            .expect("both are one database");
        let plain_there = east().await;
        for _ in 0..2 {
            crate::namespaces::places::agree(&there, &plain_there, stamped::Entity::find_by_id(1), "in the east").await;
            place.agree(stamped::Entity::find_by_id(1), "at home").await;
        }
        assert!(place.hits("stamped") > 0);
    }
}

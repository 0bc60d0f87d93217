//! What becomes of writes while the store can't be fenced: each entity may say so for itself.

#![allow(unreachable_pub, reason = "entities are public")]

use std::{sync::Arc, time::Duration};

use cache_core::testing::{Call, Fault, FaultyStore};
use cache_orm::{CachedConnection, Namespace, Unreachable};
use sea_orm::{
    ActiveModelTrait,
    ActiveValue::{Set, Unchanged},
    ConnectionTrait, DatabaseConnection, DbErr, EntityTrait, TransactionTrait,
};
use tests::{Env, matrix, shop::store};

use crate::ALONE;

mod account {
    use cache_orm::Cacheable;
    use sea_orm::entity::prelude::*;

    #[sea_orm::model]
    #[derive(Clone, Debug, PartialEq, DeriveEntityModel, Cacheable)]
    #[sea_orm(table_name = "account")]
    pub struct Model {
        #[sea_orm(primary_key)]
        pub id: i32,
        pub name: String,
    }

    impl ActiveModelBehavior for ActiveModel {}
}

mod booking {
    use cache_orm::Cacheable;
    use sea_orm::entity::prelude::*;

    #[sea_orm::model]
    #[derive(Clone, Debug, PartialEq, DeriveEntityModel, Cacheable)]
    #[sea_orm(table_name = "booking")]
    #[cacheable(hooks, when_unreachable = "refuse")]
    pub struct Model {
        #[sea_orm(primary_key)]
        pub id: i32,
        pub account_id: i32,
        pub amount: i32,
    }
}

mod draft {
    use cache_orm::Cacheable;
    use sea_orm::entity::prelude::*;

    #[sea_orm::model]
    #[derive(Clone, Debug, PartialEq, DeriveEntityModel, Cacheable)]
    #[sea_orm(table_name = "draft")]
    #[cacheable(when_unreachable = "proceed")]
    pub struct Model {
        #[sea_orm(primary_key)]
        pub id: i32,
        pub text: String,
    }

    impl ActiveModelBehavior for ActiveModel {}
}

tests::audited!(account::Entity, booking::Entity, draft::Entity);

const TABLES: &[&str] = &[
    "CREATE TABLE account (id INT PRIMARY KEY, name VARCHAR(40) NOT NULL)",
    "CREATE TABLE booking (id INT PRIMARY KEY, account_id INT NOT NULL, amount INT NOT NULL, \
     FOREIGN KEY (account_id) REFERENCES account (id) ON DELETE CASCADE)",
    "CREATE TABLE draft (id INT PRIMARY KEY, text VARCHAR(40) NOT NULL)",
    "INSERT INTO account VALUES (1, 'old')",
    "INSERT INTO booking VALUES (1, 1, 10)",
    "INSERT INTO draft VALUES (1, 'old')",
];

/// A bank whose store can't be fenced.
async fn bank(env: &Env, policy: Unreachable) -> (DatabaseConnection, CachedConnection) {
    let plain = env.connect().await;
    for sql in TABLES {
        plain.execute_unprepared(sql).await.expect("a table is made and filled");
    }
    let store = FaultyStore::new(env.store().await);
    let builder = CachedConnection::builder(env.connect().await)
        .shared_store(Arc::new(store.clone()))
        .namespace(Namespace::new(env.namespace.clone()).expect("the harness makes valid names"))
        .store_time_out(Duration::from_secs(60))
        .fence_time_out(Duration::ZERO)
        .when_unreachable(policy);
    let db = builder.build().await.expect("the store answers so far");
    store.fail(Call::Fence, Fault::Refuse);
    (plain, db)
}

fn named(name: &str) -> account::ActiveModel {
    account::ActiveModel { id: Unchanged(1), name: Set(name.to_owned()) }
}

fn booked(amount: i32) -> booking::ActiveModel {
    booking::ActiveModel { id: Unchanged(1), amount: Set(amount), ..Default::default() }
}

fn drafted(text: &str) -> draft::ActiveModel {
    draft::ActiveModel { id: Unchanged(1), text: Set(text.to_owned()) }
}

fn assert_refused(outcome: Result<(), DbErr>, what: &str) {
    let error = outcome.expect_err(what).to_string();
    let words = "the write was refused because its cached rows could not be invalidated";
    assert!(error.contains(words) && error.contains(".booking` is to refuse)"), "{what}: {error}");
}

/// What the database holds: the account's name, the booking's amount, the draft's text.
async fn rows(plain: &DatabaseConnection) -> (String, i32, String) {
    let account = account::Entity::find_by_id(1).one(plain).await.expect("an answer").expect("a row");
    let booking = booking::Entity::find_by_id(1).one(plain).await.expect("an answer").expect("a row");
    let draft = draft::Entity::find_by_id(1).one(plain).await.expect("an answer").expect("a row");
    (account.name, booking.amount, draft.text)
}

matrix! {
    stores: store;

    async fn writes_of_an_entity_that_refuses_among_others_that_proceed(env: Env) on [Redis] {
        env.keep(ALONE.lock().await);
        let (plain, db) = bank(&env, Unreachable::Proceed).await;
        assert_refused(booked(11).update(&db).await.map(drop), "an update");
        assert_refused(booking::Entity::delete_by_id(1).exec(&db).await.map(drop), "a delete");
        assert_refused(booking::Entity::delete_many().exec(&db).await.map(drop), "a delete of all");
        let raw = db.execute_unprepared("UPDATE booking SET amount = 12").await;
        assert_refused(raw.map(drop), "raw SQL");
        let through_hooks = booked(13).update(&plain).await;
        assert_refused(through_hooks.map(drop), "an update through SeaORM's own connection, with hooks");
        let cascade = account::Entity::delete_by_id(1).exec(&db).await;
        assert_refused(cascade.map(drop), "a delete that cascades to it");
        let unknown = db.execute_unprepared("CREATE TABLE other (id INT)").await;
        assert_refused(unknown.map(drop), "what may change any table");
        let transaction = db.begin().await.expect("a transaction begins");
        drafted("new").update(&transaction).await.expect("noted");
        booked(14).update(&transaction).await.expect("noted");
        assert_refused(transaction.commit().await, "a transaction that changes it too");
        assert_eq!(rows(&plain).await, ("old".to_owned(), 10, "old".to_owned()));

        named("new").update(&db).await.expect("the policy of the connection is to proceed");
        drafted("new").update(&db).await.expect("its own policy is to proceed");
        assert_eq!(rows(&plain).await, ("new".to_owned(), 10, "new".to_owned()));
    }

    async fn writes_of_an_entity_that_proceeds_where_the_others_refuse(env: Env) on [Redis] {
        env.keep(ALONE.lock().await);
        let (plain, db) = bank(&env, Unreachable::Refuse).await;
        drafted("new").update(&db).await.expect("its own policy is to proceed");
        let error = named("new").update(&db).await.expect_err("the connection's policy").to_string();
        assert!(error.contains(".account` is to refuse)"), "{error}");
        assert_eq!(rows(&plain).await, ("old".to_owned(), 10, "new".to_owned()));
    }
}

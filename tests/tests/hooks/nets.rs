//! Writers that forget the cached connection, and what catches them.

#![allow(unreachable_pub, reason = "entities are public")]

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use cache_orm::{CachedConnection, Namespace};
use sea_orm::{
    ActiveModelTrait,
    ActiveValue::{Set, Unchanged},
    ColumnTrait, ConnectionTrait, DatabaseConnection, EntityTrait, ModelTrait, QueryFilter, TransactionTrait,
    sea_query::Expr,
};
use tests::{
    Env, matrix,
    shop::{Shop, hits, price, product, store},
};

use crate::ALONE;

/// Its hooks are the derive's.
mod note {
    use cache_orm::Cacheable;
    use sea_orm::entity::prelude::*;

    #[sea_orm::model]
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel, Cacheable)]
    #[sea_orm(table_name = "note")]
    #[cacheable(hooks)]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: i32,
        pub text: String,
    }
}

tests::audited!(note::Entity);

async fn notes(env: &Env) -> (DatabaseConnection, CachedConnection) {
    let raw = env.connect().await;
    for ddl in [
        "CREATE TABLE note (id INT PRIMARY KEY, text VARCHAR(50) NOT NULL)",
        "INSERT INTO note VALUES (1, 'one'), (2, 'two'), (3, 'three')",
    ] {
        raw.execute_unprepared(ddl).await.expect("the statement is right");
    }
    (raw, Shop::enter(env, env.store().await).await)
}

async fn text(db: &impl ConnectionTrait, id: i32) -> Option<String> {
    note::Entity::find_by_id(id).one(db).await.expect("an answer").map(|note| note.text)
}

fn written(id: i32, text: &str) -> note::ActiveModel {
    note::ActiveModel { id: Unchanged(id), text: Set(text.to_owned()) }
}

matrix! {
    stores: store;

    async fn hooks_invalidate_what_is_saved_through_a_raw_connection(env: Env) {
        env.keep(ALONE.lock().await);
        let (raw, db) = notes(&env).await;
        for _ in 0..2 {
            for id in 1..=4 {
                text(&db, id).await;
            }
            note::Entity::find().all(&db).await.expect("an answer");
            db.settled().await;
        }
        written(1, "uno").update(&raw).await.expect("the update succeeds");
        assert_eq!(text(&db, 1).await.as_deref(), Some("uno"));
        let new = note::ActiveModel { id: Set(4), text: Set("four".into()) };
        new.insert(&raw).await.expect("the insert succeeds");
        assert_eq!(text(&db, 4).await.as_deref(), Some("four"));
        let two = note::Entity::find_by_id(2).one(&raw).await.expect("an answer").expect("a row");
        two.delete(&raw).await.expect("the delete succeeds");
        assert_eq!(text(&db, 2).await, None);
        assert_eq!(note::Entity::find().all(&db).await.expect("an answer").len(), 3);
        // Nobody learns how such a write ends: its row is not cached until the fence expires.
        let before = hits(&db, "note");
        text(&db, 1).await;
        assert_eq!(hits(&db, "note"), before);
        assert!(db.stats().entities["note"].counts.abandoned_fences >= 3);
    }

    async fn hooks_invalidate_what_a_raw_transaction_commits_later(env: Env) {
        env.keep(ALONE.lock().await);
        let (raw, db) = notes(&env).await;
        text(&db, 1).await;
        db.settled().await;
        let transaction = raw.begin().await.expect("a transaction");
        written(1, "uno").update(&transaction).await.expect("the update succeeds");
        // The old row must not be cached again before the commit.
        for _ in 0..2 {
            if env.backend() != tests::Backend::Sqlite {
                assert_eq!(text(&db, 1).await.as_deref(), Some("one"));
            }
        }
        transaction.commit().await.expect("the commit succeeds");
        assert_eq!(text(&db, 1).await.as_deref(), Some("uno"));
    }

    /// The hook can't know that the write goes to another database than this one.
    async fn a_hook_leaves_a_database_without_its_table_alone(env: Env) {
        env.keep(ALONE.lock().await);
        let shop = Shop::open(&env).await;
        price(&shop.db, 1).await;
        shop.db.settled().await;
        written(1, "uno").update(&shop.plain).await.expect_err("there is no table of notes");
        let before = shop.counts("product");
        price(&shop.db, 1).await;
        let after = shop.counts("product");
        assert_eq!((before.abandoned_fences, after.hits), (0, before.hits + 1));
    }

    async fn statements_of_the_inner_connection_are_noticed(env: Env) {
        env.keep(ALONE.lock().await);
        let shop = Shop::open(&env).await;
        for id in 1..=3 {
            price(&shop.db, id).await;
        }
        shop.db.settled().await;
        let raw = shop.db.inner().clone();
        product::Entity::update_many()
            .col_expr(product::Column::Price, Expr::value(7))
            .filter(product::Column::Id.eq(1))
            .exec(&raw)
            .await
            .expect("the update succeeds");
        // The fence is placed by a task of its own.
        while shop.counts("product").abandoned_fences == 0 {
            tokio::task::yield_now().await;
        }
        assert_eq!(price(&shop.db, 1).await, Some(7));
        // In a transaction it is placed before the commit, and still stands after it.
        let transaction = raw.begin().await.expect("a transaction");
        product::Entity::update_many()
            .col_expr(product::Column::Price, Expr::value(8))
            .filter(product::Column::Id.eq(2))
            .exec(&transaction)
            .await
            .expect("the update succeeds");
        while shop.counts("product").abandoned_fences == 1 {
            tokio::task::yield_now().await;
        }
        transaction.commit().await.expect("the commit succeeds");
        assert_eq!(price(&shop.db, 2).await, Some(8));
        // What is only read changes nothing.
        let before = shop.counts("product");
        product::Entity::find().all(&raw).await.expect("an answer");
        price(&shop.db, 3).await;
        let after = shop.counts("product");
        assert_eq!((after.abandoned_fences, after.hits), (before.abandoned_fences, before.hits + 1));
    }

    async fn an_inner_connection_that_is_not_watched_is_as_it_was_given(env: Env) {
        env.keep(ALONE.lock().await);
        let shop = Shop::open(&env).await;
        let reported = Arc::new(AtomicUsize::new(0));
        let mut below = env.connect().await;
        let count = reported.clone();
        below.set_metric_callback(move |_| {
            count.fetch_add(1, Ordering::Relaxed);
        });
        let db = CachedConnection::builder(below)
            .shared_store(env.store().await)
            .namespace(Namespace::new(env.namespace.clone()).expect("the harness makes valid names"))
            .unwatched()
            .build()
            .await
            .expect("the cache is ready");
        let before = reported.load(Ordering::Relaxed);
        product::Entity::update_many()
            .col_expr(product::Column::Price, Expr::value(7))
            .filter(product::Column::Id.eq(1))
            .exec(db.inner())
            .await
            .expect("the update succeeds");
        assert_eq!(reported.load(Ordering::Relaxed), before + 1);
        assert_eq!(price(&shop.plain, 1).await, Some(7));
        assert_eq!(db.stats().entities["product"].counts.abandoned_fences, 0);
    }
}

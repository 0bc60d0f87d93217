//! What fails: the caller gets the database's own error, and nothing is left behind.

use std::{sync::Arc, time::Duration};

use cache_core::testing::{Call, Fault, FaultyStore};
use cache_orm::{CachedConnection, Namespace, Unreachable};
use sea_orm::{
    ColumnTrait, ConnectionTrait, DbErr, EntityTrait, QueryFilter, SqlErr, TransactionTrait, UpdateResult,
    sea_query::Expr,
};
use tests::{
    Backend, Env, matrix,
    shop::{product, stock, store},
};

use super::products::{ALL, assert_coherent, cached, count, left, price, raw, warm_shop};

/// Gives two products the number of the first.
async fn duplicate(db: &impl ConnectionTrait) -> Result<UpdateResult, DbErr> {
    let update = product::Entity::update_many()
        .col_expr(product::Column::Sku, Expr::value("A-1"))
        .filter(product::Column::Price.gte(500));
    update.exec(db).await
}

async fn reprice(db: &impl ConnectionTrait, new: i32) -> Result<UpdateResult, DbErr> {
    let update = product::Entity::update_many()
        .col_expr(product::Column::Price, Expr::value(new))
        .filter(product::Column::Price.gte(500));
    update.exec(db).await
}

matrix! {
    stores: store;

    async fn an_error_of_the_database_reaches_the_caller_unchanged(env: Env) {
        let shop = warm_shop(&env).await;
        let plain = duplicate(&shop.plain).await.expect_err("the number is taken");
        let error = duplicate(&shop.db).await.expect_err("the number is taken");
        assert_eq!(format!("{error:?}"), format!("{plain:?}"));
        assert!(matches!(error.sql_err(), Some(SqlErr::UniqueConstraintViolation(_))));
        // Nothing was changed, so nothing was invalidated.
        assert_eq!(cached(&shop.db).await, left(env.backend(), &ALL));
        assert_coherent(&shop).await;

        let text = "UPDATE product SET price = NULL WHERE price > 500";
        let texts = [text.to_owned(), format!("{text} RETURNING id")];
        for text in &texts[..if env.backend() == Backend::MySql { 1 } else { 2 }] {
            let plain = shop.plain.query_all_raw(raw(env.backend(), text)).await.expect_err("no price");
            let error = shop.db.query_all_raw(raw(env.backend(), text)).await.expect_err("no price");
            assert_eq!(format!("{error:?}"), format!("{plain:?}"));
            let plain = count(shop.plain.execute_raw(raw(env.backend(), text)).await).expect_err("no price");
            let error = count(shop.db.execute_raw(raw(env.backend(), text)).await).expect_err("no price");
            assert_eq!(format!("{error:?}"), format!("{plain:?}"));
        }
        assert_coherent(&shop).await;
        assert_eq!(shop.counts("product").abandoned_fences, 0);
    }

    async fn an_error_in_a_transaction_leaves_it_as_the_database_does(env: Env) {
        let shop = warm_shop(&env).await;
        let transaction = shop.db.begin().await.expect("a transaction");
        reprice(&transaction, 501).await.expect("the update succeeds");
        let savepoint = transaction.begin().await.expect("a savepoint");
        duplicate(&savepoint).await.expect_err("the number is taken");
        savepoint.rollback().await.expect("the rollback succeeds");
        reprice(&transaction, 502).await.expect("the update succeeds");
        transaction.commit().await.expect("the commit succeeds");
        assert_coherent(&shop).await;
        assert_eq!(price(&shop.db, 6).await, Some(502));
    }

    /// Such a constraint is checked when the statement commits.
    async fn an_error_of_the_commit_reaches_the_caller_unchanged(env: Env) on [Postgres] {
        let shop = warm_shop(&env).await;
        let constraint = "ALTER TABLE stock ADD FOREIGN KEY (quantity) REFERENCES category DEFERRABLE INITIALLY DEFERRED";
        shop.db.execute_unprepared(constraint).await.expect("it succeeds");
        let row = "INSERT INTO stock VALUES (1, 1, 1), (2, 1, 2)";
        shop.db.execute_unprepared(row).await.expect("it succeeds");
        let find = || stock::Entity::find_by_id((1, 1));
        for _ in 0..2 {
            find().one(&shop.db).await.expect("an answer");
            shop.db.settled().await;
        }
        let update = || stock::Entity::update_many()
            .col_expr(stock::Column::Quantity, Expr::value(99))
            .filter(stock::Column::Quantity.eq(1));
        let plain = update().exec(&shop.plain).await.expect_err("no such category");
        let error = update().exec(&shop.db).await.expect_err("no such category");
        assert_eq!(format!("{error:?}"), format!("{plain:?}"));
        let plain = update().exec_with_returning(&shop.plain).await.expect_err("no such category");
        let error = update().exec_with_returning(&shop.db).await.expect_err("no such category");
        assert_eq!(format!("{error:?}"), format!("{plain:?}"));
        shop.db.settled().await;
        assert_eq!(find().one(&shop.db).await, find().one(&shop.plain).await);
        assert_eq!(shop.counts("stock").abandoned_fences, 0);
    }

    async fn a_write_that_can_t_be_fenced_is_undone_or_goes_through(env: Env) on [Redis] {
        // (It never fails.)
        let shop = warm_shop(&env).await;
        for policy in [Unreachable::Refuse, Unreachable::Proceed] {
            let store = FaultyStore::new(env.store().await);
            let db = CachedConnection::builder(env.connect().await)
                .shared_store(Arc::new(store.clone()))
                .namespace(Namespace::new(env.namespace.clone()).expect("the harness makes valid names"))
                .store_time_out(Duration::from_secs(60))
                .when_unreachable(policy)
                .build()
                .await
                .expect("the cache is ready");
            let before = price(&shop.plain, 6).await.expect("a row");
            store.fail(Call::Fence, Fault::Refuse);
            let result = reprice(&db, before + 1).await;
            match policy {
                Unreachable::Refuse => {
                    let error = result.expect_err("it can't be fenced").to_string();
                    assert!(error.contains("could not be invalidated"), "{error}");
                    assert_eq!(price(&shop.plain, 6).await, Some(before));
                    assert_coherent(&shop).await;
                }
                _ => {
                    for cell in ["product 5", "product 6", "all of product"] {
                        env.leaves_old(cell, "its writer went ahead, and ends before it reaches the store");
                    }
                    assert_eq!(result.expect("it goes through").rows_affected, 2);
                    assert_eq!(price(&db, 6).await, Some(before + 1), "this process bypasses the table");
                }
            }
        }
    }

    async fn a_column_that_may_not_be_read_is_not_asked_for(env: Env) on [Postgres] {
        let shop = warm_shop(&env).await;
        let role = format!("writer_{}", env.namespace.replace('-', "_"));
        for text in [
            format!("CREATE ROLE {role} LOGIN"),
            format!("GRANT UPDATE, SELECT (price) ON product TO {role}"),
        ] {
            shop.plain.execute_unprepared(&text).await.expect("it succeeds");
        }
        let writer = env.database.connect_with(|options| {
            options.map_sqlx_postgres_opts({
                let role = role.clone();
                move |connection| connection.username(&role)
            });
        });
        let db = CachedConnection::builder(writer.await)
            .shared_store(env.store().await)
            .namespace(Namespace::new(env.namespace.clone()).expect("the harness makes valid names"))
            .build()
            .await
            .expect("the cache is ready");
        assert_eq!(reprice(&db, 777).await.expect("it may update").rows_affected, 2);
        assert_coherent(&shop).await;
        db.close().await.expect("it closes");
        for text in [format!("DROP OWNED BY {role}"), format!("DROP ROLE {role}")] {
            shop.plain.execute_unprepared(&text).await.expect("it succeeds");
        }
    }
}

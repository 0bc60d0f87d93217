//! How many rows are invalidated one by one, and where a write runs as it is.

use cache_core::testing::CountingStore;
use cache_orm::CachedConnection;
use sea_orm::{
    ActiveValue::Set, ColumnTrait, ConnectionTrait, EntityTrait, ExprTrait, QueryFilter, TransactionTrait,
    sea_query::Expr,
};
use tests::{
    Backend, Env, matrix,
    shop::{Shop, category, fenced_cells, product, stock, store},
};

use super::products::{assert_coherent, cached, left, price, raw, restock, warm, warm_shop, warm_shop_with};

/// Raises the price of every product from `least` on.
async fn raise(db: &impl ConnectionTrait, least: i32) -> u64 {
    let update = product::Entity::update_many()
        .col_expr(product::Column::Price, Expr::col(product::Column::Price).add(1))
        .filter(product::Column::Price.gte(least));
    update.exec(db).await.expect("the update succeeds").rows_affected
}

matrix! {
    stores: store;

    async fn more_rows_than_the_limit_are_the_table(env: Env) {
        let shop = warm_shop_with(&env, |builder| builder.max_fenced_rows(2), |_| {}).await;
        assert_eq!(raise(&shop.db, 500).await, 2);
        assert_eq!(cached(&shop.db).await, left(env.backend(), &[1, 2, 3, 4]));
        assert_coherent(&shop).await;
        warm(&shop.db).await;
        assert_eq!(raise(&shop.db, 400).await, 3);
        assert_eq!(cached(&shop.db).await, left(env.backend(), &[]));
        assert_coherent(&shop).await;
        // The limit counts what a transaction writes in all.
        warm(&shop.db).await;
        let transaction = shop.db.begin().await.expect("a transaction");
        assert_eq!(raise(&transaction, 600).await, 1);
        assert_eq!(raise(&transaction, 500).await, 2);
        transaction.commit().await.expect("the commit succeeds");
        assert_eq!(cached(&shop.db).await, left(env.backend(), &[1, 2, 3, 4]));
        let transaction = shop.db.begin().await.expect("a transaction");
        assert_eq!(raise(&transaction, 500).await, 2);
        product::Entity::delete_by_sku("A-1").exec(&transaction).await.expect("the delete succeeds");
        transaction.commit().await.expect("the commit succeeds");
        assert_eq!(cached(&shop.db).await, left(env.backend(), &[]));
        assert_coherent(&shop).await;
    }

    async fn a_limit_of_no_rows_sends_statements_as_they_are_and_invalidates_the_table(env: Env) {
        let shop = warm_shop_with(&env, |builder| builder.max_fenced_rows(0), |_| {}).await;
        assert_eq!(raise(&shop.db, 500).await, 2);
        assert_eq!(cached(&shop.db).await, left(env.backend(), &[]));
        assert_coherent(&shop).await;
    }

    async fn thousands_of_rows_are_invalidated_one_by_one(env: Env) {
        let shop = warm_shop(&env).await;
        let operations = CountingStore::new(env.store().await);
        let db = crate::bulk::products::enter(&env, operations.clone()).await;
        for first in (0..2500).step_by(500) {
            let rows = (first..first + 500).map(|number| stock::ActiveModel {
                warehouse: Set(number),
                product_id: Set(1 + number % 2),
                quantity: Set(number),
            });
            stock::Entity::insert_many(rows).exec_without_returning(&shop.plain).await.expect("rows");
        }
        let quantity = async |warehouse| {
            let find = stock::Entity::find_by_id((warehouse, 1 + warehouse % 2));
            find.one(&db).await.expect("an answer").expect("a row").quantity
        };
        for warehouse in [0, 1234, 2300, 2400] {
            for _ in 0..2 {
                assert_eq!(quantity(warehouse).await, warehouse);
                db.settled().await;
            }
        }
        operations.take();
        let update = stock::Entity::update_many()
            .col_expr(stock::Column::Quantity, Expr::value(-1))
            .filter(stock::Column::Quantity.lt(2350));
        assert_eq!(update.exec(&db).await.expect("the update succeeds").rows_affected, 2350);
        db.settled().await;
        let cells = if env.backend() == Backend::MySql { 10 } else { 2351 };
        assert_eq!(fenced_cells(&operations).iter().sum::<usize>(), cells);
        let hits = || db.stats().entities["stock"].counts.hits;
        let before = hits();
        assert_eq!(quantity(2400).await, 2400);
        assert_eq!(hits() - before, u64::from(env.backend() != Backend::MySql));
        for warehouse in [0, 1234, 2300] {
            assert_eq!(quantity(warehouse).await, -1);
        }
        db.settled().await;
        assert_eq!(db.stats().entities["stock"].counts.lost_fences, 0);
    }

    async fn a_write_of_no_row_asks_the_store_for_nothing(env: Env) {
        let shop = warm_shop(&env).await;
        let operations = CountingStore::new(env.store().await);
        let db = crate::bulk::products::enter(&env, operations.clone()).await;
        operations.take();
        assert_eq!(raise(&db, 10_000).await, 0);
        let transaction = db.begin().await.expect("a transaction");
        assert_eq!(raise(&transaction, 10_000).await, 0);
        transaction.commit().await.expect("the commit succeeds");
        let fences = if env.backend() == Backend::MySql { vec![10, 10] } else { vec![] };
        assert_eq!(fenced_cells(&operations), fences);
        assert_coherent(&shop).await;
    }

    async fn what_foreign_keys_reach_is_invalidated_too(env: Env) {
        let shop = warm_shop(&env).await;
        let row = stock::ActiveModel { warehouse: Set(1), product_id: Set(2), quantity: Set(5) };
        stock::Entity::insert(row).exec_without_returning(&shop.plain).await.expect("a row can be inserted");
        let find = || stock::Entity::find_by_id((1, 2));
        let categories = async || category::Entity::find().all(&shop.db).await.expect("an answer");
        for _ in 0..2 {
            assert!(find().one(&shop.db).await.expect("an answer").is_some());
            categories().await;
            shop.db.settled().await;
        }
        product::Entity::delete_by_sku("B-2").exec(&shop.db).await.expect("the delete succeeds");
        assert_eq!(find().one(&shop.db).await.expect("an answer"), None);
        // SET NULL in every product of the category.
        restock(&shop).await;
        let update = product::Entity::update_many()
            .col_expr(product::Column::CategoryId, Expr::value(1))
            .filter(product::Column::Id.is_in([1, 2]));
        update.exec(&shop.db).await.expect("the update succeeds");
        warm(&shop.db).await;
        category::Entity::delete_by_name("tools").exec(&shop.db).await.expect("the delete succeeds");
        assert_eq!(cached(&shop.db).await, [0; 0]);
        assert_eq!(categories().await.len(), 1);
        assert_coherent(&shop).await;
    }

    async fn triggers_invalidate_everything(env: Env) {
        let shop = warm_shop(&env).await;
        let trigger = match env.backend() {
            Backend::Sqlite => "CREATE TRIGGER t AFTER UPDATE ON product WHEN new.id = 6 BEGIN \
                                UPDATE product SET name = 'changed' WHERE id = 1; END",
            // (MySQL's triggers can't write to their own table.)
            Backend::MySql => "CREATE TRIGGER t AFTER UPDATE ON product FOR EACH ROW \
                               UPDATE category SET name = CONCAT('changed', id)",
            Backend::Postgres => "CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS \
                                  'BEGIN UPDATE product SET name = ''changed'' WHERE id = 1; RETURN NEW; END'; \
                                  CREATE TRIGGER t AFTER UPDATE ON product FOR EACH ROW WHEN (new.id = 6) \
                                  EXECUTE FUNCTION f()",
        };
        shop.db.execute_unprepared(trigger).await.expect("it succeeds");
        warm(&shop.db).await;
        raise(&shop.db, 600).await;
        assert_eq!(cached(&shop.db).await, [0; 0]);
        assert_coherent(&shop).await;
    }

    async fn a_raw_begin_through_the_pool_is_not_disturbed(env: Env) {
        let shop = warm_shop(&env).await;
        let one = env.database.connect_with(|options| { options.max_connections(1); }).await;
        let db = CachedConnection::builder(one)
            .shared_store(env.store().await)
            .namespace(cache_orm::Namespace::new(env.namespace.clone()).expect("a valid name"))
            .build()
            .await
            .expect("the cache is ready");
        db.execute_unprepared("BEGIN").await.expect("it succeeds");
        assert_eq!(raise(&db, 500).await, 2);
        assert_eq!(price(&shop.plain, 5).await, Some(500), "nothing is committed yet");
        db.execute_unprepared("ROLLBACK").await.expect("it succeeds");
        assert_eq!(price(&shop.plain, 5).await, Some(500));
        assert_coherent(&shop).await;
    }

    async fn sqlite_tells_the_last_row_id_as_ever(env: Env) on [Sqlite] {
        let update = "UPDATE product SET price = 1 WHERE price > 400";
        let upsert = |id: i32, sku: &str| {
            format!(
                "INSERT INTO product (id, sku, name, price) VALUES ({id}, '{sku}', 'x', 1) \
                 ON CONFLICT (sku) DO UPDATE SET price = 2"
            )
        };
        let texts = [&upsert(41, "new"), update, &upsert(42, "new"), &upsert(43, "newer"), update];
        let shop = warm_shop(&env).await;
        let plain = shop.plain.begin().await.expect("a transaction");
        let expected = told(&plain, &texts).await;
        plain.rollback().await.expect("the rollback succeeds");
        let transaction = shop.db.begin().await.expect("a transaction");
        assert_eq!(told(&transaction, &texts).await, expected);
        transaction.rollback().await.expect("the rollback succeeds");
        assert_eq!(told(&shop.db, &texts[..1]).await, expected[..1]);
        assert_eq!(expected[0], (1, 41));
    }

    async fn another_process_sees_the_write(env: Env) {
        let shop = warm_shop(&env).await;
        let other = Shop::enter(&env, env.store().await).await;
        raise(&other, 500).await;
        assert_coherent(&shop).await;
    }
}

/// What executing each text says: rows affected, and the last row id.
async fn told(db: &impl ConnectionTrait, texts: &[&str]) -> Vec<(u64, u64)> {
    let mut told = Vec::new();
    for text in texts {
        let result = db.execute_raw(raw(Backend::Sqlite, text)).await.expect("it succeeds");
        told.push((result.rows_affected(), result.last_insert_id()));
    }
    told
}

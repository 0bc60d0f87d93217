//! What each write invalidates: exactly its row where the statement names it, more where it does not, and
//! never less than it changes.

use sea_orm::{
    ActiveModelTrait,
    ActiveValue::{Set, Unchanged},
    ColumnTrait, ConnectionTrait, EntityTrait, ModelTrait, QueryFilter, QuerySelect, Statement,
    sea_query::{Expr, OnConflict, Query},
};
use tests::{
    Backend, Env, matrix,
    shop::{Shop, assert_same_products, category, new_product, priced, product, review, stock, store},
};

/// Everything that is cached of the shop, twice: after it, all of it is cached.
async fn warm(shop: &Shop) {
    for _ in 0..3 {
        for id in 1..=4 {
            product::Entity::find_by_id(id).one(&shop.db).await.expect("an answer");
        }
        for sku in ["A-1", "B-2", "C-3", "D-4"] {
            product::Entity::find_by_sku(sku).one(&shop.db).await.expect("an answer");
        }
        product::Entity::find().all(&shop.db).await.expect("an answer");
        category::Entity::find().all(&shop.db).await.expect("an answer");
        category::Entity::find_by_id(1).one(&shop.db).await.expect("an answer");
        review::Entity::find_by_id(1).one(&shop.db).await.expect("an answer");
        stock::Entity::find_by_id((1, 1)).one(&shop.db).await.expect("an answer");
        shop.db.settled().await;
    }
}

/// Every cached read must give what the database gives, now and once more from the cache.
async fn assert_coherent(shop: &Shop) {
    for _ in 0..3 {
        let skus = ["A-1", "B-2", "C-3", "D-4"];
        assert_same_products(&shop.db, &shop.plain, 1..=4, &skus, "after the write").await;
        let find = category::Entity::find;
        assert_eq!(find().all(&shop.db).await, find().all(&shop.plain).await);
        let find = review::Entity::find_by_id(1);
        assert_eq!(find.clone().one(&shop.db).await, find.one(&shop.plain).await);
        let find = stock::Entity::find_by_id((1, 1));
        assert_eq!(find.clone().one(&shop.db).await, find.one(&shop.plain).await);
        shop.db.settled().await;
    }
}

/// Opens a shop with everything cached.
async fn warm_shop(env: &Env) -> Shop {
    let shop = Shop::open(env).await;
    let review = review::ActiveModel { id: Set(1), product_id: Set(1), stars: Set(5) };
    review.insert(&shop.plain).await.expect("a review can be inserted");
    let stock = stock::ActiveModel { warehouse: Set(1), product_id: Set(1), quantity: Set(5) };
    stock.insert(&shop.plain).await.expect("stock can be inserted");
    warm(&shop).await;
    shop
}

/// True if the product's row is answered from the cache right now.
async fn is_cached(shop: &Shop, id: i32) -> bool {
    let before = shop.counts("product").hits;
    product::Entity::find_by_id(id).one(&shop.db).await.expect("an answer");
    shop.counts("product").hits > before
}

matrix! {
    stores: store;

    async fn an_update_invalidates_its_row_and_no_other(env: Env) {
        let shop = warm_shop(&env).await;
        priced(1, 111).update(&shop.db).await.expect("the update succeeds");
        shop.db.settled().await;
        assert!(is_cached(&shop, 2).await);
        if env.backend() != Backend::MySql {
            // (On MySQL, SeaORM reads the row back after the update, which fills the slot again.)
            assert!(!is_cached(&shop, 1).await);
        }
        assert_coherent(&shop).await;
    }

    async fn save_and_insert(env: Env) {
        let shop = warm_shop(&env).await;
        new_product(4, "D-4").insert(&shop.db).await.expect("the insert succeeds");
        assert_coherent(&shop).await;
        assert!(is_cached(&shop, 1).await, "an insert leaves the other rows cached");
        product::ActiveModel { id: Unchanged(4), price: Set(1), ..Default::default() }
            .save(&shop.db)
            .await
            .expect("the save succeeds");
        assert_coherent(&shop).await;
    }

    async fn insert_with_a_generated_key(env: Env) {
        let shop = warm_shop(&env).await;
        let mut row = new_product(4, "D-4");
        row.id = sea_orm::ActiveValue::NotSet;
        if env.backend() == Backend::Postgres {
            shop.plain
                .execute_unprepared("SELECT setval('product_id_seq', 3)")
                .await
                .expect("the sequence can be set");
        }
        let row = row.insert(&shop.db).await.expect("the insert succeeds");
        assert_eq!(row.id, 4);
        assert_coherent(&shop).await;
    }

    async fn a_unique_column_that_moves(env: Env) {
        let shop = warm_shop(&env).await;
        let renamed = |id, sku: &str| product::ActiveModel {
            id: Unchanged(id),
            sku: Set(sku.to_owned()),
            ..Default::default()
        };
        // A-1 moves from product 1 to product 2, and D-4, which was absent, appears.
        renamed(1, "D-4").update(&shop.db).await.expect("the update succeeds");
        assert_coherent(&shop).await;
        renamed(2, "A-1").update(&shop.db).await.expect("the update succeeds");
        assert_coherent(&shop).await;
    }

    async fn every_way_to_delete_a_row(env: Env) {
        let shop = warm_shop(&env).await;
        product::Entity::delete_by_id(3).exec(&shop.db).await.expect("the delete succeeds");
        assert_coherent(&shop).await;
        let product = product::Entity::find_by_id(2).one(&shop.db).await.expect("an answer").expect("a row");
        product.delete(&shop.db).await.expect("the delete succeeds");
        assert_coherent(&shop).await;
        product::Entity::delete(priced(1, 0)).exec(&shop.db).await.expect("the delete succeeds");
        assert_coherent(&shop).await;
    }

    async fn a_delete_by_unique_key(env: Env) {
        let shop = warm_shop(&env).await;
        product::Entity::delete_by_sku("B-2").exec(&shop.db).await.expect("the delete succeeds");
        assert_coherent(&shop).await;
    }

    async fn cascades_reach_the_tables_behind_foreign_keys(env: Env) {
        let shop = warm_shop(&env).await;
        // SET NULL in product
        category::Entity::delete_by_id(1).exec(&shop.db).await.expect("the delete succeeds");
        assert_coherent(&shop).await;
        // CASCADE to review and stock
        product::Entity::delete_by_id(1).exec(&shop.db).await.expect("the delete succeeds");
        assert_coherent(&shop).await;
        assert_eq!(review::Entity::find_by_id(1).one(&shop.db).await.expect("an answer"), None);
    }

    async fn a_primary_key_that_changes(env: Env) {
        let shop = warm_shop(&env).await;
        product::Entity::delete_by_id(3).exec(&shop.db).await.expect("the delete succeeds");
        product::Entity::update_many()
            .col_expr(product::Column::Id, Expr::value(4))
            .filter(product::Column::Id.eq(2))
            .exec(&shop.db)
            .await
            .expect("the update succeeds");
        assert_coherent(&shop).await;
    }

    async fn bulk_updates_and_deletes(env: Env) {
        let shop = warm_shop(&env).await;
        product::Entity::update_many()
            .col_expr(product::Column::Price, Expr::value(7))
            .filter(product::Column::Price.gt(150))
            .exec(&shop.db)
            .await
            .expect("the update succeeds");
        assert_coherent(&shop).await;
        product::Entity::delete_many()
            .filter(product::Column::Name.eq("product 2"))
            .exec(&shop.db)
            .await
            .expect("the delete succeeds");
        assert_coherent(&shop).await;
        product::Entity::insert_many([new_product(4, "D-4")]).exec(&shop.db).await.expect("the insert succeeds");
        assert_coherent(&shop).await;
    }

    async fn upserts(env: Env) {
        let shop = warm_shop(&env).await;
        let mut row = new_product(4, "D-4");
        row.id = Set(1);
        product::Entity::insert(row)
            .on_conflict(
                OnConflict::column(product::Column::Id)
                    .update_columns([product::Column::Sku, product::Column::Price])
                    .to_owned(),
            )
            .exec(&shop.db)
            .await
            .expect("the upsert succeeds");
        assert_coherent(&shop).await;
    }

    async fn raw_sql_through_every_door(env: Env) {
        let shop = warm_shop(&env).await;
        let backend = shop.db.get_database_backend();
        let raw = |sql: &str| Statement::from_string(backend, sql);
        shop.db.execute_unprepared("UPDATE product SET price = price + 1").await.expect("it succeeds");
        assert_coherent(&shop).await;
        shop.db.execute_raw(raw("UPDATE product SET price = price + 1 WHERE id = 1")).await.expect("it succeeds");
        assert_coherent(&shop).await;
        if env.backend() != Backend::MySql {
            let returning = "UPDATE product SET price = price + 1 WHERE id = 2 RETURNING id";
            shop.db.query_one_raw(raw(returning)).await.expect("it succeeds");
            assert_coherent(&shop).await;
            shop.db.query_all_raw(raw(returning)).await.expect("it succeeds");
            assert_coherent(&shop).await;
        }
        let delete = Query::delete().from_table(product::Entity).and_where(product::Column::Id.eq(3)).to_owned();
        shop.db.execute(&delete).await.expect("it succeeds");
        assert_coherent(&shop).await;
        shop.db.execute_unprepared("/* a comment */ DELETE FROM product WHERE id = 2").await.expect("it succeeds");
        assert_coherent(&shop).await;
    }

    async fn statements_that_nobody_understands_invalidate_everything(env: Env) {
        let shop = warm_shop(&env).await;
        let unknown = match env.backend() {
            Backend::Sqlite => "REPLACE INTO product SELECT id, sku, name, price + 1, category_id FROM product",
            Backend::Postgres => "DO $$ BEGIN UPDATE product SET price = price + 1; END $$",
            Backend::MySql => "/*!40000 UPDATE product SET price = price + 1 */",
        };
        shop.db.execute_unprepared(unknown).await.expect("it succeeds");
        assert_coherent(&shop).await;
    }

    async fn schema_changes_are_learned(env: Env) {
        let shop = warm_shop(&env).await;
        // From now on, a product takes its category with it.
        let trigger = match env.backend() {
            Backend::Sqlite => "CREATE TRIGGER t AFTER UPDATE ON product BEGIN \
                                UPDATE category SET name = 'changed'; END",
            Backend::MySql => "CREATE TRIGGER t AFTER UPDATE ON product FOR EACH ROW \
                               UPDATE category SET name = CONCAT('changed', id)",
            Backend::Postgres => "CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS \
                                  'BEGIN UPDATE category SET name = ''changed'' || id; RETURN NEW; END'; \
                                  CREATE TRIGGER t AFTER UPDATE ON product FOR EACH ROW EXECUTE FUNCTION f()",
        };
        if env.backend() == Backend::Sqlite {
            category::Entity::delete_by_id(2).exec(&shop.db).await.expect("it succeeds");
        }
        shop.db.execute_unprepared(trigger).await.expect("it succeeds");
        warm(&shop).await;
        priced(1, 5).update(&shop.db).await.expect("it succeeds");
        assert_coherent(&shop).await;
    }

    async fn a_write_that_the_database_refuses_leaves_the_cache_usable(env: Env) {
        let shop = warm_shop(&env).await;
        let duplicate = product::ActiveModel { id: Unchanged(1), sku: Set("B-2".into()), ..Default::default() };
        let error = duplicate.clone().update(&shop.db).await.expect_err("the key is taken");
        let plain = duplicate.update(&shop.plain).await.expect_err("the key is taken");
        assert_eq!(error.to_string(), plain.to_string());
        shop.db.settled().await;
        assert_coherent(&shop).await;
        assert!(is_cached(&shop, 1).await);
        assert_eq!(shop.counts("product").abandoned_fences, 0);
    }

    async fn another_process_sees_the_write(env: Env) {
        let shop = warm_shop(&env).await;
        let other = Shop::enter(&env, env.store().await).await;
        priced(1, 77).update(&other).await.expect("the update succeeds");
        assert_coherent(&shop).await;
        other.execute_unprepared("UPDATE product SET price = 3").await.expect("it succeeds");
        assert_coherent(&shop).await;
    }

    async fn columns_of_a_write_in_a_subquery(env: Env) {
        let shop = warm_shop(&env).await;
        let cheap = Query::select()
            .column(product::Column::Id)
            .from(product::Entity)
            .and_where(product::Column::Price.lt(250))
            .to_owned();
        review::Entity::update_many()
            .col_expr(review::Column::Stars, Expr::value(1))
            .filter(review::Column::ProductId.in_subquery(cheap))
            .exec(&shop.db)
            .await
            .expect("the update succeeds");
        assert_coherent(&shop).await;
        let count = product::Entity::find().select_only().column(product::Column::Id).into_tuple::<i32>();
        assert_eq!(count.all(&shop.db).await.expect("an answer").len(), 3);
    }
}

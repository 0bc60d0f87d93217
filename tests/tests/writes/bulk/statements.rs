//! Every statement that names no row, by itself and in a transaction.

use sea_orm::{
    ActiveValue::Set,
    ColumnTrait, ConnectionTrait, EntityTrait, ExprTrait, QueryFilter, QueryResult, TransactionTrait,
    sea_query::{Expr, OnConflict},
};
use tests::{
    Backend, Env, matrix,
    shop::{product, store},
};

use super::products::{count, product, raw, same, warm_shop};

/// The ids and prices of returned rows.
fn prices(rows: Vec<QueryResult>) -> Vec<(i32, i32)> {
    let price = |row: &QueryResult| (row.try_get("", "id"), row.try_get("", "price"));
    rows.iter().map(price).map(|(id, price)| (id.expect("an id"), price.expect("a price"))).collect()
}

/// Products 2 and 7, of which 2 is there already.
fn second_and_seventh() -> [product::ActiveModel; 2] {
    [2, 7].map(|id| product::ActiveModel { price: Set(id), ..product(id) })
}

fn on_id() -> OnConflict {
    OnConflict::column(product::Column::Id)
}

matrix! {
    stores: store;

    async fn an_update_of_some_rows(env: Env) {
        same!(env, untouched: [1, 2, 3, 4], |db| product::Entity::update_many()
            .col_expr(product::Column::Price, Expr::col(product::Column::Price).add(1))
            .filter(product::Column::Price.gte(500))
            .exec(db));
    }

    async fn an_update_that_returns_its_rows(env: Env) {
        // (MySQL has no RETURNING: SeaORM refuses.)
        if env.backend() != Backend::MySql {
            same!(env, untouched: [1, 2, 3, 4], |db| product::Entity::update_many()
                .col_expr(product::Column::Price, Expr::value(5))
                .filter(product::Column::Price.gte(500))
                .exec_with_returning(db));
        }
    }

    async fn an_update_of_a_unique_column(env: Env) {
        same!(env, untouched: [1, 2, 4, 5, 6], |db| product::Entity::update_many()
            .col_expr(product::Column::Sku, Expr::value("new"))
            .filter(product::Column::Price.eq(300))
            .exec(db));
    }

    async fn an_update_of_the_primary_key(env: Env) {
        same!(env, untouched: [], |db| product::Entity::update_many()
            .col_expr(product::Column::Id, Expr::value(9))
            .filter(product::Column::Price.eq(300))
            .exec(db));
    }

    async fn an_update_of_no_row(env: Env) {
        same!(env, untouched: [1, 2, 3, 4, 5, 6], |db| product::Entity::update_many()
            .col_expr(product::Column::Price, Expr::value(5))
            .filter(product::Column::Price.gte(5000))
            .exec(db));
    }

    async fn a_delete_of_some_rows(env: Env) {
        same!(env, untouched: [3, 4, 5, 6], |db| product::Entity::delete_many()
            .filter(product::Column::Price.lt(300))
            .exec(db));
    }

    async fn a_delete_that_returns_its_rows(env: Env) {
        if env.backend() != Backend::MySql {
            same!(env, untouched: [3, 4, 5, 6], |db| product::Entity::delete_many()
                .filter(product::Column::Price.lt(300))
                .exec_with_returning(db));
        }
    }

    async fn a_delete_by_unique_key(env: Env) {
        same!(env, untouched: [1, 3, 4, 5, 6], |db| product::Entity::delete_by_sku("B-2").exec(db));
    }

    async fn a_delete_of_every_row(env: Env) {
        same!(env, untouched: [], |db| product::Entity::delete_many().exec(db));
    }

    async fn an_upsert_of_one_row(env: Env) {
        same!(env, untouched: [1, 3, 4, 5, 6], |db| {
            let [second, _] = second_and_seventh();
            let update = on_id().update_column(product::Column::Price).to_owned();
            product::Entity::insert(second).on_conflict(update).exec(db)
        });
    }

    async fn an_upsert_of_many_rows(env: Env) {
        same!(env, untouched: [1, 3, 4, 5, 6], |db| {
            let update = on_id().update_columns([product::Column::Price, product::Column::Sku]).to_owned();
            product::Entity::insert_many(second_and_seventh()).on_conflict(update).exec(db)
        });
    }

    async fn an_upsert_whose_rows_nobody_wants(env: Env) {
        same!(env, untouched: [1, 3, 4, 5, 6], |db| {
            let update = on_id().update_column(product::Column::Price).to_owned();
            product::Entity::insert_many(second_and_seventh()).on_conflict(update).exec_without_returning(db)
        });
    }

    async fn an_upsert_by_another_key_than_the_primary_one(env: Env) {
        same!(env, untouched: [1, 3, 4, 5, 6], |db| {
            let second = product::ActiveModel { id: Set(9), sku: Set("B-2".into()), ..product(2) };
            let by_sku = OnConflict::column(product::Column::Sku).update_column(product::Column::Name).to_owned();
            product::Entity::insert(second).on_conflict(by_sku).exec_without_returning(db)
        });
    }

    async fn an_upsert_that_assigns_the_primary_key(env: Env) {
        same!(env, untouched: [], |db| {
            let second = product::ActiveModel { id: Set(9), sku: Set("B-2".into()), ..product(2) };
            let by_sku = OnConflict::column(product::Column::Sku).update_column(product::Column::Id).to_owned();
            product::Entity::insert(second).on_conflict(by_sku).exec_without_returning(db)
        });
    }

    async fn an_upsert_with_a_condition_that_leaves_the_row(env: Env) {
        if env.backend() != Backend::MySql {
            same!(env, untouched: [1, 2, 3, 4, 5, 6], |db| {
                let [second, _] = second_and_seventh();
                let update = on_id()
                    .update_column(product::Column::Price)
                    .action_and_where(Expr::col((product::Entity, product::Column::Price)).gt(1000))
                    .to_owned();
                product::Entity::insert(second).on_conflict(update).exec(db)
            });
        }
    }

    async fn an_insert_that_leaves_the_rows_that_are_there(env: Env) {
        // (What SeaORM sends to MySQL for this is not SQL.)
        if env.backend() != Backend::MySql {
            same!(env, untouched: [1, 2, 3, 4, 5, 6], |db| {
                let nothing = on_id().do_nothing().to_owned();
                product::Entity::insert_many(second_and_seventh()).on_conflict(nothing).exec_without_returning(db)
            });
        }
    }

    async fn texts_that_are_executed(env: Env) {
        let shop = warm_shop(&env).await;
        for text in [
            "UPDATE product SET price = price + 1 WHERE price > 400",
            "update  product\nset price = 1 where id in (5, 6)",
            "DELETE FROM product WHERE product.name = 'product 5' OR id = 6",
        ] {
            same!(env, shop, untouched: [1, 2, 3, 4], |db| async {
                count(db.execute_raw(raw(env.backend(), text)).await)
            });
            // It asked for no rows, so it gets none.
            same!(env, shop, untouched: [1, 2, 3, 4], |db| async {
                db.query_all_raw(raw(env.backend(), text)).await.map(prices)
            });
        }
    }

    async fn texts_that_return_what_they_like(env: Env) on [Sqlite, Postgres] {
        let shop = warm_shop(&env).await;
        for list in [
            "id, price",
            "*",
            "price, name, product.id",
            // Names that lie.
            "price AS id, id AS price, id",
            "CAST(id AS text) AS sku, id + 1 AS id, price, id AS name",
        ] {
            let text = format!("UPDATE product SET price = price + 1 WHERE price > 400 RETURNING {list}");
            let untouched: &[i32] = if list.ends_with("name") { &[] } else { &[1, 2, 3, 4] };
            same!(env, shop, untouched: *untouched, |db| async {
                db.query_all_raw(raw(env.backend(), &text)).await.map(prices)
            });
            same!(env, shop, untouched: *untouched, |db| async {
                db.query_one_raw(raw(env.backend(), &text)).await.map(|row| prices(row.into_iter().collect()))
            });
            same!(env, shop, untouched: *untouched, |db| async {
                count(db.execute_raw(raw(env.backend(), &text)).await)
            });
        }
        // Without the key, nobody knows which rows they are.
        let text = "DELETE FROM product WHERE price > 400 RETURNING sku AS id, price";
        same!(env, shop, untouched: [], |db| async {
            let rows = db.query_all_raw(raw(env.backend(), text)).await;
            rows.map(|rows| rows.iter().map(|row| row.try_get::<String>("", "id")).collect::<Vec<_>>())
        });
    }
}

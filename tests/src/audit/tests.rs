//! That the audit finds what it looks for, and only that.

use sea_orm::{ConnectionTrait, EntityTrait, sea_query::Expr};

use super::Audit;
use crate::{
    Backend, Env, StoreKind, matrix, run,
    shop::{Shop, category, price, product, store},
};

/// A shop with a filled slot of every kind: five rows, of which two are absent, all of two tables, and two aliases, of
/// which one leads nowhere.
async fn filled(env: &Env) -> Shop {
    let shop = Shop::open(env).await;
    for id in [1, 2, 3, 50, 51] {
        price(&shop.db, id).await;
    }
    for sku in ["A-1", "none"] {
        product::Entity::find_by_sku(sku).one(&shop.db).await.expect("an answer");
    }
    product::Entity::find().all(&shop.db).await.expect("an answer");
    category::Entity::find().all(&shop.db).await.expect("an answer");
    shop.db.settled().await;
    shop
}

const PLANTED: [&str; 6] = [
    "UPDATE product SET price = 7 WHERE id = 1",
    "DELETE FROM product WHERE id = 2",
    "INSERT INTO product (id, sku, name, price) VALUES (50, 'none', 'new', 1)",
    "UPDATE product SET price = 9 WHERE id = 3",
    "UPDATE product SET price = 300 WHERE id = 3",
    "UPDATE category SET name = 'old' WHERE id = 1",
];

matrix! {
    stores: store;

    async fn every_kind_of_cell_is_compared(env: Env) {
        filled(&env).await;
        let audit = Audit::of(&env).await;
        assert_eq!((audit.compared, audit.old.len()), (9, 0), "{audit}");
        assert!(audit.passed_over.is_empty(), "{audit}");
    }

    async fn an_old_row_is_found_in_every_kind_of_cell(env: Env) {
        let shop = filled(&env).await;
        for sql in PLANTED {
            shop.plain.execute_unprepared(sql).await.expect("the statement is right");
        }
        let audit = Audit::of(&env).await;
        let old: Vec<&str> = audit.old.keys().map(String::as_str).collect();
        let expected =
            ["all of category", "all of product", "product 1", "product 2", "product 50", "product by sku ~none"];
        assert_eq!(old, expected, "{audit}");
        assert_eq!(audit.compared, 9, "{audit}");
        for cell in expected {
            env.leaves_old(cell, "it was planted");
        }
    }

    async fn a_cell_from_which_nobody_is_served_is_passed_over(env: Env) {
        let shop = filled(&env).await;
        let all = product::Entity::update_many().col_expr(product::Column::Price, Expr::value(7));
        all.exec(&shop.db).await.expect("the update succeeds");
        shop.db.settled().await;
        let audit = Audit::of(&env).await;
        assert!(audit.old.is_empty() && audit.compared < 9, "{audit}");
    }

    async fn the_audit_leaves_every_cell_as_it_is(env: Env) {
        let shop = filled(&env).await;
        shop.plain.execute_unprepared(PLANTED[0]).await.expect("the statement is right");
        for _ in 0..2 {
            assert_eq!(Audit::of(&env).await.old.len(), 2);
        }
        env.leaves_old("product 1", "it was planted");
        env.leaves_old("all of product", "the row was planted");
    }
}

async fn with_an_old_row(kind: StoreKind) {
    run(Backend::Sqlite, kind, store, async |env: Env| {
        let shop = filled(&env).await;
        shop.plain.execute_unprepared(PLANTED[5]).await.expect("the statement is right");
    })
    .await;
}

#[tokio::test]
#[should_panic(expected = "the test leaves old cells behind:\n`all of category`")]
async fn a_test_that_leaves_an_old_row_in_memory_fails() {
    with_an_old_row(StoreKind::Memory).await;
}

#[tokio::test]
#[should_panic(expected = "the test leaves old cells behind:\n`all of category`")]
async fn a_test_that_leaves_an_old_row_in_redis_fails() {
    with_an_old_row(StoreKind::Redis).await;
}

#[tokio::test]
#[should_panic(expected = "`product 1` is not old, though it was once")]
async fn an_exception_that_is_none_fails() {
    run(Backend::Sqlite, StoreKind::Memory, store, async |env: Env| {
        filled(&env).await;
        env.leaves_old("product 1", "it was once");
    })
    .await;
}

//! Invalidation by hand: for changes that were made behind the connection's back.

use std::sync::Arc;

use cache_core::{
    cache::Cache,
    fence::Affected,
    key::{Namespace, QualifiedName, RowKey},
    settings::Settings,
};
use cache_orm::CachedEntity;
use sea_orm::{ConnectionTrait, EntityTrait};
use tests::{
    Backend, Env, matrix,
    shop::{Shop, hits, price, product, store},
};

/// Fills the slots of three products, of one that is not there, an alias, and all of them.
async fn warm(shop: &Shop) {
    for _ in 0..2 {
        for id in [1, 2, 3, 50] {
            price(&shop.db, id).await;
        }
        by_sku(shop).await;
        all(shop).await;
        shop.db.settled().await;
    }
}

async fn by_sku(shop: &Shop) -> Option<i32> {
    let one = product::Entity::find_by_sku("A-1").one(&shop.db).await.expect("an answer");
    one.map(|product| product.price)
}

async fn all(shop: &Shop) -> usize {
    product::Entity::find().all(&shop.db).await.expect("an answer").len()
}

async fn behind_the_back(shop: &Shop, sql: &str) {
    shop.plain.execute_unprepared(sql).await.expect("the statement is right");
}

matrix! {
    stores: store;

    async fn a_row_that_was_changed_is_read_anew_and_the_others_are_not(env: Env) {
        let shop = Shop::open(&env).await;
        warm(&shop).await;
        behind_the_back(&shop, "UPDATE product SET price = 7 WHERE id = 1").await;
        assert_eq!(price(&shop.db, 1).await, Some(100), "nobody has told");
        product::Entity::invalidate(&shop.db, 1).await.expect("the store answers");
        assert_eq!((price(&shop.db, 1).await, by_sku(&shop).await), (Some(7), Some(7)));
        let before = hits(&shop.db, "product");
        assert_eq!((price(&shop.db, 2).await, price(&shop.db, 3).await), (Some(200), Some(300)));
        assert_eq!(hits(&shop.db, "product"), before + 2, "their slots were left alone");
    }

    async fn rows_that_were_inserted_and_deleted_are_known_of(env: Env) {
        let shop = Shop::open(&env).await;
        warm(&shop).await;
        behind_the_back(&shop, "INSERT INTO product (id, sku, name, price) VALUES (50, 'X', 'new', 5)").await;
        behind_the_back(&shop, "DELETE FROM product WHERE id = 3").await;
        assert_eq!((price(&shop.db, 50).await, price(&shop.db, 3).await), (None, Some(300)), "nobody has told");
        product::Entity::invalidate_many(&shop.db, [50, 3]).await.expect("the store answers");
        assert_eq!((price(&shop.db, 50).await, price(&shop.db, 3).await), (Some(5), None));
        assert_eq!(all(&shop).await, 3);
    }

    async fn a_table_that_was_changed_is_read_anew(env: Env) {
        let shop = Shop::open(&env).await;
        warm(&shop).await;
        behind_the_back(&shop, "UPDATE product SET price = 7").await;
        assert_eq!(price(&shop.db, 2).await, Some(200), "nobody has told");
        product::Entity::invalidate_all_of(&shop.db).await.expect("the store answers");
        for id in 1..4 {
            assert_eq!(price(&shop.db, id).await, Some(7));
        }
    }

    /// It knows the store and the names, and no more.
    async fn a_program_without_a_connection_invalidates_what_it_has_changed(env: Env) on [Sqlite, Postgres] {
        let shop = Shop::open(&env).await;
        warm(&shop).await;
        let namespace = Namespace::new(env.namespace.clone()).expect("the harness makes valid names");
        let cache = Cache::new(env.store().await, Some(namespace), Settings::default()).expect("a cache");
        let schema = if env.backend() == Backend::Sqlite { "main" } else { "public" };
        let products = Arc::new(cache.table(QualifiedName::new(schema, "product")));
        behind_the_back(&shop, "UPDATE product SET price = 7 WHERE id = 1").await;
        let mut changed = Affected::nothing(cache.settings().max_fenced_rows);
        changed.add_row(&products, &RowKey::default().with_integer(1));
        cache.invalidate(changed).await.expect("the store answers");
        assert_eq!((price(&shop.db, 1).await, by_sku(&shop).await), (Some(7), Some(7)));
    }
}

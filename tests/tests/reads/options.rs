//! What one handle of a connection wants of its reads, and typed reads by key.

use std::{sync::Arc, time::Duration};

use cache_core::{backend::MemoryStore, testing::ManualClock};
use cache_orm::{CachedConnection, CachedEntity};
use sea_orm::{
    ActiveModelTrait,
    ActiveValue::{Set, Unchanged},
    ColumnTrait, ConnectionTrait, EntityTrait, ModelTrait, QueryFilter,
};
use tests::{
    Backend, Env, matrix, run_on_database,
    shop::{Shop, category, offer, price, product, stock, store},
};

/// A write that nobody invalidates.
async fn behind_the_back(shop: &Shop, sql: &str) {
    shop.plain.execute_unprepared(sql).await.expect("the statement is right");
}

matrix! {
    stores: store;

    async fn a_refresh_replaces_what_was_cached(env: Env) {
        let shop = Shop::open(&env).await;
        let fresh = shop.db.refresh();
        let one = product::Entity::find_by_id(1).one(&shop.db).await.expect("an answer").expect("a row");
        let list = || product::Entity::find().filter(product::Column::Id.is_in([1, 2]));
        list().all(&shop.db).await.expect("an answer");
        for _ in 0..2 {
            product::Entity::find_by_sku("B-2").one(&shop.db).await.expect("an answer");
            shop.db.settled().await;
        }
        category::Entity::find().all(&shop.db).await.expect("an answer");
        one.find_related(category::Entity).one(&shop.db).await.expect("an answer");
        assert_eq!(price(&shop.db, 50).await, None);
        shop.db.settled().await;

        // By primary key.
        behind_the_back(&shop, "UPDATE product SET price = 1").await;
        assert_eq!(price(&shop.db, 1).await, Some(100));
        assert_eq!(price(&fresh, 1).await, Some(1));
        fresh.settled().await;
        assert_eq!(price(&shop.db, 1).await, Some(1));
        assert_eq!(price(&shop.db, 2).await, Some(200));
        // By unique key.
        let by_sku = product::Entity::find_by_sku("B-2").one(&fresh).await.expect("an answer");
        assert_eq!(by_sku.map(|product| product.price), Some(1));
        fresh.settled().await;
        assert_eq!(price(&shop.db, 2).await, Some(1));
        // By a list.
        behind_the_back(&shop, "UPDATE product SET price = 2").await;
        list().all(&fresh).await.expect("an answer");
        fresh.settled().await;
        assert_eq!((price(&shop.db, 1).await, price(&shop.db, 2).await), (Some(2), Some(2)));
        // All of them, and along a relation.
        behind_the_back(&shop, "UPDATE category SET name = 'new' WHERE id = 1").await;
        let all = category::Entity::find().all(&fresh).await.expect("an answer");
        assert!(all.iter().any(|category| category.name == "new"));
        one.find_related(category::Entity).one(&fresh).await.expect("an answer");
        fresh.settled().await;
        let name = one.find_related(category::Entity).one(&shop.db).await.expect("an answer");
        assert_eq!(name.map(|category| category.name).as_deref(), Some("new"));
        assert_eq!(category::Entity::find().all(&shop.db).await.expect("an answer"), all);
        // What was absent.
        behind_the_back(&shop, "INSERT INTO product (id, sku, name, price) VALUES (50, 'n', 'n', 5)").await;
        assert_eq!(price(&fresh, 50).await, Some(5));
        fresh.settled().await;
        assert_eq!(price(&shop.db, 50).await, Some(5));
    }

    async fn typed_reads_share_the_slots(env: Env) {
        let shop = Shop::open(&env).await;
        let one = product::Entity::get(&shop.db, 1).await.expect("an answer").expect("a row");
        shop.db.settled().await;
        assert_eq!(Some(&*one), product::Entity::find_by_id(1).one(&shop.db).await.expect("an answer").as_ref());
        let again = product::Entity::get(&shop.db, 1).await.expect("an answer").expect("a row");
        assert_eq!(again, one);
        assert_eq!(shop.counts("product").hits, 2);
        if env.kind == tests::StoreKind::Memory {
            let third = product::Entity::get(&shop.db, 1).await.expect("an answer").expect("a row");
            assert!(Arc::ptr_eq(&again, &third), "a hit hands out what the cache holds");
        }
        assert_eq!(product::Entity::get(&shop.db, 99).await.expect("an answer"), None);
        shop.db.settled().await;
        assert_eq!(product::Entity::get(&shop.db, 99).await.expect("an answer"), None);
        assert_eq!(shop.counts("product").absent_hits, 1);

        let changed = product::ActiveModel { id: Unchanged(1), price: Set(7), ..Default::default() };
        changed.update(&shop.db).await.expect("the update succeeds");
        let new = product::Entity::get(&shop.db, 1).await.expect("an answer").expect("a row");
        assert_eq!((new.price, one.price), (7, 100));
    }

    async fn typed_reads_by_every_kind_of_key(env: Env) {
        let shop = Shop::open(&env).await;
        behind_the_back(&shop, "INSERT INTO stock VALUES (7, 1, 5)").await;
        behind_the_back(&shop, "INSERT INTO offer VALUES (4, 1, 'de', 9)").await;
        for _ in 0..3 {
            let stock = stock::Entity::get(&shop.db, (7, 1)).await.expect("an answer").expect("a row");
            assert_eq!(stock.quantity, 5);
            let sku = [(product::Column::Sku, "B-2".into())];
            let product = product::Entity::get_by(&shop.db, sku).await.expect("an answer").expect("a row");
            assert_eq!(product.id, 2);
            let key = [(offer::Column::Country, "de".into()), (offer::Column::ProductId, 1.into())];
            let offer = offer::Entity::get_by(&shop.db, key).await.expect("an answer").expect("a row");
            assert_eq!(offer.id, 4);
            // No key at all: the way of any other query.
            let name = [(product::Column::Name, "product 3".into())];
            let named = product::Entity::get_by(&shop.db, name).await.expect("an answer").expect("a row");
            assert_eq!(named.id, 3);
            shop.db.settled().await;
        }
        assert_eq!(shop.counts("stock").hits, 2);
        assert_eq!(shop.counts("offer").hits, 1);
        assert_eq!(shop.counts("product").hits, 1);
        let bypass = shop.db.bypass();
        product::Entity::get(&bypass, 1).await.expect("an answer").expect("a row");
        assert_eq!(shop.counts("product").hits, 1);
    }

    async fn many_typed_reads_come_in_the_order_of_their_keys(env: Env) {
        let shop = Shop::open(&env).await;
        for _ in 0..2 {
            let rows = product::Entity::get_many(&shop.db, [3, 99, 1, 3]).await.expect("an answer");
            let ids: Vec<_> = rows.iter().map(|row| row.as_ref().map(|row| row.id)).collect();
            assert_eq!(ids, [Some(3), None, Some(1), Some(3)]);
            let stock = stock::Entity::get_many(&shop.db, [(1, 1), (2, 2)]).await.expect("an answer");
            assert_eq!(stock, [None, None]);
            shop.db.settled().await;
        }
        assert_eq!(shop.counts("product").hits, 2);
        assert!(product::Entity::get_many(&shop.db, [0; 0]).await.expect("an answer").is_empty());
    }

    async fn warmed_rows_are_hits(env: Env) {
        let shop = Shop::open(&env).await;
        assert_eq!(product::Entity::warm(&shop.db, 1..=1500).await.expect("an answer"), 3);
        shop.db.settled().await;
        for id in [1, 2, 3, 1500] {
            price(&shop.db, id).await;
        }
        let counts = shop.counts("product");
        assert_eq!((counts.hits, counts.absent_hits), (3, 1));
    }
}

#[tokio::test]
async fn a_ttl_of_its_own_bounds_what_a_read_fills() {
    run_on_database(Backend::Sqlite, async |database| {
        let clock = ManualClock::default();
        let plain = database.connect().await;
        for sql in [
            "CREATE TABLE product (id INTEGER PRIMARY KEY, sku TEXT UNIQUE, name TEXT, price INT, category_id INT)",
            "INSERT INTO product VALUES (1, 'a', 'a', 1, NULL), (2, 'b', 'b', 2, NULL)",
        ] {
            plain.execute_unprepared(sql).await.expect("the statement is right");
        }
        let store = MemoryStore::with_clock(64 << 20, clock.clone());
        let db = CachedConnection::builder(plain).store(store).jitter(0.0).build().await.expect("it is ready");
        let brief = db.with_ttl(Duration::from_secs(5));
        price(&brief, 1).await;
        price(&db, 2).await;
        let hits = |db: &CachedConnection| db.stats().entities["product"].counts.hits;
        clock.advance(Duration::from_secs(4));
        price(&db, 1).await;
        assert_eq!(hits(&db), 1);
        clock.advance(Duration::from_secs(2));
        price(&db, 1).await;
        assert_eq!(hits(&db), 1);
        // The entity's own ten minutes hold for what was filled without.
        price(&db, 2).await;
        assert_eq!(hits(&db), 2);
    })
    .await;
}

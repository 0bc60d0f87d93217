//! The shop in a fresh database, plain and cached.

use std::{sync::Arc, time::Duration};

use cache_core::{store::Store, testing::CountingStore};
use cache_orm::{CachedConnection, MemoryStore, Namespace, RedisStore};
use migrations::{Migrator, MigratorTrait};
use sea_orm::{
    ActiveModelTrait,
    ActiveValue::{Set, Unchanged},
    ConnectOptions, ConnectionTrait, DatabaseConnection, EntityTrait,
};

pub use examples::shop::*;

use crate::{Env, StoreKind, redis_url};

crate::audited!(
    category::Entity,
    customer::Entity,
    offer::Entity,
    product::Entity,
    review::Entity,
    stock::Entity
);

/// The store of a kind, for [`matrix!`](crate::matrix).
///
/// # Panics
/// When Redis is missing.
pub async fn store(kind: StoreKind, namespace: String) -> Arc<dyn Store> {
    match kind {
        StoreKind::Memory => Arc::new(MemoryStore::default()),
        StoreKind::Redis => {
            Arc::new(RedisStore::connect(&redis_url(), &namespace).await.expect("the tests' Redis answers"))
        }
    }
}

/// A shop with two categories and three products, as one process sees it.
#[derive(Debug)]
pub struct Shop {
    /// SeaORM's own connection, with connections of its own: what the cache must agree with.
    pub plain: DatabaseConnection,
    /// The cached connection.
    pub db: CachedConnection,
}

impl Shop {
    /// Creates the shop.
    ///
    /// # Panics
    /// When a server is missing.
    pub async fn open(env: &Env) -> Self {
        let plain = env.connect().await;
        Migrator::up(&plain, None).await.expect("the schema can be created");
        for (id, name) in [(1, "tools"), (2, "toys")] {
            let category = category::ActiveModel { id: Set(id), name: Set(name.to_owned()) };
            category.insert(&plain).await.expect("a category can be inserted");
        }
        for (id, sku, category_id) in [(1, "A-1", Some(1)), (2, "B-2", Some(2)), (3, "C-3", None)] {
            let product = product::ActiveModel { category_id: Set(category_id), ..new_product(id, sku) };
            product.insert(&plain).await.expect("a product can be inserted");
        }
        let db = Shop::enter(env, env.store().await).await;
        Shop { plain, db }
    }

    /// A cached connection of another process, over a store of the caller's.
    ///
    /// # Panics
    /// When the database or the store refuses.
    pub async fn enter(env: &Env, store: Arc<dyn Store>) -> CachedConnection {
        Shop::enter_with(env, store, |_| {}).await
    }

    /// The same over a pool with changed options.
    ///
    /// # Panics
    /// When the database or the store refuses.
    pub async fn enter_with(
        env: &Env,
        store: Arc<dyn Store>,
        change: impl FnOnce(&mut ConnectOptions),
    ) -> CachedConnection {
        CachedConnection::builder(env.database.connect_with(change).await)
            .shared_store(store)
            .namespace(Namespace::new(env.namespace.clone()).expect("the harness makes valid names"))
            // A machine that is busy with other tests must not look like a store that is down.
            .store_time_out(Duration::from_secs(60))
            .build()
            .await
            .expect("the cache is ready")
    }

    /// The counters of a table.
    pub fn counts(&self, table: &str) -> cache_core::counters::Counts {
        self.db.stats().entities[table].counts
    }
}

/// A product that is not there yet, in no category.
pub fn new_product(id: i32, sku: &str) -> product::ActiveModel {
    product::ActiveModel {
        id: Set(id),
        sku: Set(sku.to_owned()),
        name: Set(format!("product {id}")),
        price: Set(id * 100),
        category_id: Set(None),
    }
}

/// A change of a product's price.
pub fn priced(id: i32, price: i32) -> product::ActiveModel {
    product::ActiveModel { id: Unchanged(id), price: Set(price), ..Default::default() }
}

/// A product's price, if there is the product.
///
/// # Panics
/// When the database does not answer.
pub async fn price(db: &impl ConnectionTrait, id: i32) -> Option<i32> {
    product::Entity::find_by_id(id).one(db).await.expect("an answer").map(|product| product.price)
}

/// The price of a product that is there.
///
/// # Panics
/// When it is not.
pub async fn price_of(db: &impl ConnectionTrait, id: i32) -> i32 {
    price(db, id).await.expect("a row")
}

/// Demands of these products, by primary key, by unique key and all of them, what the database says.
///
/// # Panics
/// When an answer differs.
pub async fn assert_same_products(
    db: &CachedConnection,
    plain: &DatabaseConnection,
    ids: impl IntoIterator<Item = i32>,
    skus: &[&str],
    when: &str,
) {
    for id in ids {
        let find = product::Entity::find_by_id(id);
        assert_eq!(find.clone().one(db).await, find.one(plain).await, "product {id} {when}");
    }
    for sku in skus {
        let find = product::Entity::find_by_sku(*sku);
        assert_eq!(find.clone().one(db).await, find.one(plain).await, "product {sku} {when}");
    }
    let find = product::Entity::find;
    assert_eq!(find().all(db).await, find().all(plain).await, "all products {when}");
}

/// How many cells the fences since the last time have marked, one number for each.
pub fn fenced_cells(operations: &CountingStore) -> Vec<usize> {
    let fences = operations.take().into_iter().filter(|operation| operation.starts_with("fence "));
    fences.map(|operation| operation.split(' ').count() - 1).collect()
}

/// How often the cache has said that a row of the table is there, or is not.
///
/// # Panics
/// When no entity of the table is registered.
pub fn hits(db: &CachedConnection, table: &str) -> u64 {
    let counts = db.stats().entities[table].counts;
    counts.hits + counts.absent_hits
}

//! Who owns a namespace.

use std::sync::Arc;

use cache_core::testing::CountingStore;
use cache_orm::{
    BypassReason, CacheError, CachedConnection, MemoryStore, Namespace, NullStore, RedisStore,
    connection::ReadyError, testing::LearnedSchema,
};
use migrations::{Migrator, MigratorTrait};
use sea_orm::{ActiveModelTrait, ActiveValue::Set, DatabaseConnection, EntityTrait};
use tests::{
    Database, Env, StoreKind, matrix, redis_url,
    shop::{Shop, priced, product, store},
};

use super::places::{Place, agree, beside, entity, execute};

fn named(namespace: &str) -> Namespace {
    Namespace::new(namespace).expect("the harness makes valid names")
}

/// A shop of the same kind in another database: the same keys, another row.
async fn another_shop(database: &Database) -> DatabaseConnection {
    let plain = database.connect().await;
    Migrator::up(&plain, None).await.expect("the schema can be created");
    let other = product::ActiveModel {
        id: Set(1),
        sku: Set("A-1".to_owned()),
        name: Set("of another shop".to_owned()),
        price: Set(1),
        category_id: Set(None),
    };
    other.insert(&plain).await.expect("a product can be inserted");
    plain
}

async fn warm(db: &CachedConnection) {
    for _ in 0..2 {
        let product = product::Entity::find_by_id(1).one(db).await.expect("an answer");
        assert_eq!(product.expect("a row").name, "product 1");
        db.settled().await;
    }
}

matrix! {
    stores: store;

    async fn a_second_database_under_one_namespace_is_refused(env: Env) on [Sqlite, Postgres] {
        // One server is one database: see `servers`.
        let shop = Shop::open(&env).await;
        warm(&shop.db).await;
        let database = Database::create(env.backend()).await;
        let plain = another_shop(&database).await;

        let builder = CachedConnection::builder(database.connect().await)
            .shared_store(env.store().await)
            .namespace(named(&env.namespace));
        let error = builder.build().await.expect_err("the namespace belongs to another database");
        assert!(matches!(&error, ReadyError::Cache(CacheError::NamespaceTaken { .. })), "{error:?}");
        let text = error.to_string();
        for connection in [&shop.plain, &plain] {
            let identity = LearnedSchema::learn(connection).await.expect("a schema").identity().to_owned();
            assert!(text.contains(&identity), "{text} does not name {identity}");
        }
        assert!(text.contains(&env.namespace), "{text}");

        let lazily = match env.kind {
            StoreKind::Memory => CachedConnection::builder(database.connect().await)
                .shared_store(env.store().await)
                .namespace(named(&env.namespace))
                .build_lazily()
                .expect("nobody has been asked yet"),
            StoreKind::Redis => {
                let store = RedisStore::connect(&redis_url(), &env.namespace).await;
                CachedConnection::new(database.connect().await, store.expect("the tests' Redis answers"))
            }
        };
        agree(&lazily, &plain, product::Entity::find_by_id(1), "under the namespace of another").await;
        agree(&lazily, &plain, product::Entity::find_by_id(2), "under the namespace of another").await;
        priced(1, 2).update(&lazily).await.expect("writes go through");
        agree(&lazily, &plain, product::Entity::find_by_id(1), "under the namespace of another").await;
        let stats = lazily.stats().entities["product"].clone();
        assert_eq!((stats.counts.hits, stats.counts.absent_hits, stats.counts.fills), (0, 0, 0));
        // It may be the same database under another identity: whoever caches its rows must be told.
        assert_eq!(stats.counts.fences, 1);
        lazily.settled().await;
        assert!(stats.bypasses[&BypassReason::Disabled] > 0, "{stats:?}");
        assert!(lazily.ready().await.is_err());

        let hits = shop.counts("product").hits;
        warm(&shop.db).await;
        assert_eq!(shop.counts("product").hits, hits + 1, "the owner goes on as before");

        // As the error advises.
        let next = CachedConnection::builder(database.connect().await)
            .shared_store(env.store().await)
            .namespace(named(&env.namespace).with_version(2))
            .build()
            .await
            .expect("a version of its own");
        agree(&next, &plain, product::Entity::find_by_id(1), "under a version of its own").await;
        assert!(next.stats().entities["product"].counts.hits > 0);
        drop((lazily, next));
        database.close().await.expect("a database can be removed");
    }

    async fn a_new_version_leaves_every_entry_behind(env: Env) {
        let shop = Shop::open(&env).await;
        warm(&shop.db).await;
        let counting = CountingStore::new(env.store().await);
        let next = CachedConnection::builder(env.connect().await)
            .shared_store(Arc::new(counting.clone()))
            .namespace(named(&env.namespace).with_version(2))
            .build()
            .await
            .expect("the cache is ready");
        warm(&next).await;
        let counts = next.stats().entities["product"].counts;
        assert_eq!((counts.misses, counts.hits), (1, 1), "the first read found nothing");
        let calls = counting.take();
        assert!(calls.iter().all(|call| !call.contains(&format!("{}.1:", env.namespace))), "{calls:?}");
    }

    async fn a_name_of_the_users_stands_for_what_the_database_says(env: Env) {
        let named = async |name: &str| {
            let builder = CachedConnection::builder(env.connect().await)
                .shared_store(env.store().await)
                .namespace(named(&env.namespace));
            builder.database_identity(name).build().await
        };
        named("orders").await.expect("the first name claims the namespace");
        named("orders").await.expect("the same database");
        let error = named("invoices").await.expect_err("another database");
        assert!(error.to_string().contains("there: named orders; here: named invoices"), "{error}");
    }

    async fn the_same_database_may_come_again(env: Env) {
        let shop = Shop::open(&env).await;
        warm(&shop.db).await;
        let again = beside(&env).await;
        warm(&again).await;
        assert_eq!(again.stats().entities["product"].counts.hits, 2);
        again.ready().await.expect("still the same database");
        again.invalidate_all().await.expect("everything can be invalidated");
        warm(&again).await;
        assert!(again.stats().entities["product"].counts.misses > 0);
        again.ready().await.expect("still the same database");
    }
}

matrix! {
    async fn the_null_store_switches_everything_off(database: Arc<Database>) {
        let plain = another_shop(&database).await;
        let db = CachedConnection::new(database.connect().await, NullStore);
        for price in 1..4 {
            agree(&db, &plain, product::Entity::find_by_id(1), "without a cache").await;
            agree(&db, &plain, product::Entity::find_by_sku("A-1"), "without a cache").await;
            agree(&db, &plain, product::Entity::find(), "without a cache").await;
            priced(1, price).update(&db).await.expect("writes go through");
        }
        let stats = db.stats().entities["product"].clone();
        assert_eq!(stats.counts, Default::default());
        assert!(stats.bypasses[&BypassReason::Disabled] >= 3 * (6 + 6 + 3), "{stats:?}");
    }

    async fn a_memory_store_is_for_one_database(database: Arc<Database>) on [Sqlite, Postgres] {
        // One server is one database: see `servers`.
        let plain = another_shop(&database).await;
        let memory = MemoryStore::default();
        let first = CachedConnection::new(database.connect().await, memory.clone());
        agree(&first, &plain, product::Entity::find_by_id(1), "first").await;

        let other = Database::create(database.backend()).await;
        let other_plain = another_shop(&other).await;
        priced(1, 77).update(&other_plain).await.expect("the update goes through");
        let second = CachedConnection::new(other.connect().await, memory.clone());
        agree(&second, &other_plain, product::Entity::find_by_id(1), "second").await;
        let error = second.ready().await.expect_err("the store belongs to the first database");
        assert!(matches!(error, ReadyError::Cache(CacheError::NamespaceTaken { .. })), "{error:?}");
        assert_eq!(second.stats().entities["product"].counts.hits, 0);
        agree(&first, &plain, product::Entity::find_by_id(1), "first again").await;
        assert!(first.stats().entities["product"].counts.hits > 0);
        drop(second);
        other.close().await.expect("a database can be removed");
    }

    async fn a_shared_store_demands_a_namespace(database: Arc<Database>) {
        let nameless = RedisStore::builder(redis_url()).connect().await.expect("the tests' Redis answers");
        let builder = CachedConnection::builder(database.connect().await).store(nameless);
        let error = builder.build().await.expect_err("nobody named a namespace");
        assert!(matches!(error, ReadyError::Cache(CacheError::NoNamespace)), "{error:?}");
        assert!(error.to_string().contains("name the namespace"), "{error}");
    }
}

entity! {
    /// A table that is created through the cached connection.
    late, "late", {
        #[sea_orm(primary_key, auto_increment = false)]
        id: i32,
        name: String,
    }
}

/// A database in memory has no name: it is told apart by what its first connection drew.
#[tokio::test]
async fn a_database_in_memory_stays_the_same_when_its_schema_changes() {
    let database = Database::create_in_memory().await;
    let plain = database.connect().await;
    let db = CachedConnection::new(database.connect().await, MemoryStore::default());
    let place = Place { plain, db };
    execute(&place.db, "CREATE TABLE late (id INTEGER PRIMARY KEY NOT NULL, name TEXT NOT NULL)").await;
    execute(&place.db, "INSERT INTO late VALUES (1, 'one')").await;
    place.agree(late::Entity::find_by_id(1), "after the first DDL").await;
    assert!(place.hits("late") > 0);
    execute(&place.db, "ALTER TABLE late ADD COLUMN more TEXT").await;
    let hits = place.hits("late");
    place.agree(late::Entity::find_by_id(1), "after the second DDL").await;
    assert!(place.hits("late") > hits, "{:?}", place.db.stats().entities["late"]);
    place.db.ready().await.expect("still the same database");

    let elsewhere = Database::create_in_memory().await;
    let memory = MemoryStore::default();
    for (n, connection) in [place.plain.clone(), elsewhere.connect().await].into_iter().enumerate() {
        let db = CachedConnection::new(connection, memory.clone());
        assert_eq!(db.ready().await.is_ok(), n == 0, "two databases in memory are two databases");
    }
}

//! Writes that no text shows: a view, a default, a constraint, an operator or a cast calls a function that writes.

use std::{sync::Arc, time::Duration};

use cache_core::testing::CountingStore;
use cache_orm::{CachedConnection, Namespace, RedisStore, testing::LearnedSchema};
use futures_util::TryStreamExt;
use sea_orm::{
    ConnectionTrait, DatabaseConnection, EntityTrait, FromQueryResult, Statement, StreamTrait,
    TransactionTrait,
};
use tests::{
    Backend, Env, StoreKind, redis_url,
    shop::{Shop, product, store},
};

/// An entity over a view that writes.
mod raised {
    use cache_orm::Cacheable;
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, DeriveEntityModel, Cacheable)]
    #[sea_orm(table_name = "raised")]
    pub(crate) struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub(crate) id: i32,
        pub(crate) price: i32,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub(crate) enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

tests::audited!(raised::Entity);

/// A function that changes the first product, and what calls it.
const POSTGRES: &str = "
    CREATE FUNCTION raise(x int) RETURNS int LANGUAGE plpgsql AS
        $$ BEGIN UPDATE product SET price = price + 1 WHERE product.id = 1; RETURN x; END $$;
    CREATE FUNCTION raise_unseen() RETURNS int LANGUAGE sql STABLE BEGIN ATOMIC SELECT raise(1); END;
    CREATE FUNCTION plain(x int) RETURNS int LANGUAGE sql STABLE AS 'SELECT x';
    CREATE VIEW raised AS SELECT id, raise(id) AS price FROM category;
    CREATE VIEW again AS SELECT price FROM raised;
    CREATE VIEW through_another AS SELECT raise_unseen();
    CREATE VIEW harmless AS SELECT plain(id), now(), nextval('category_id_seq') FROM category;
    CREATE DOMAIN checked AS int CHECK (raise(VALUE) > 0);
    CREATE DOMAIN over AS checked;
    CREATE TYPE pair AS (a int);
    CREATE FUNCTION pair_add(pair, pair) RETURNS int LANGUAGE plpgsql AS $$ BEGIN RETURN raise(1); END $$;
    CREATE OPERATOR + (LEFTARG = pair, RIGHTARG = pair, FUNCTION = pair_add);
    CREATE FUNCTION lower(pair) RETURNS int LANGUAGE plpgsql AS $$ BEGIN RETURN raise(1); END $$;
    CREATE TABLE with_default (id int PRIMARY KEY, n int DEFAULT raise(1));
    CREATE TABLE with_check (id int PRIMARY KEY CHECK (raise(id) > 0));
    CREATE TABLE with_domain (id int PRIMARY KEY, n over);
    CREATE TABLE with_array (id int PRIMARY KEY, n checked[]);
    CREATE TABLE with_rule (id int PRIMARY KEY);
    CREATE RULE raises AS ON INSERT TO with_rule DO ALSO SELECT raise(1);
    CREATE TABLE with_policy (id int PRIMARY KEY);
    ALTER TABLE with_policy ENABLE ROW LEVEL SECURITY;
    CREATE POLICY raises ON with_policy USING (raise(id) > 0);
    CREATE TABLE harmless_table (id serial PRIMARY KEY, u uuid DEFAULT gen_random_uuid(), n int DEFAULT plain(1));";

const MYSQL: &str = "
    CREATE FUNCTION raise(x int) RETURNS int MODIFIES SQL DATA
        BEGIN UPDATE product SET price = price + 1 WHERE product.id = 1; RETURN x; END;
    CREATE FUNCTION plain(x int) RETURNS int READS SQL DATA RETURN x;
    CREATE VIEW raised AS SELECT id, raise(id) AS price FROM category;
    CREATE VIEW again AS SELECT price FROM raised;
    CREATE VIEW harmless AS SELECT plain(id) FROM category;";

async fn price(db: &impl ConnectionTrait) -> i32 {
    product::Entity::find_by_id(1).one(db).await.expect("an answer").expect("a row").price
}

fn statement(db: &CachedConnection, sql: &str) -> Statement {
    Statement::from_string(db.get_database_backend(), sql)
}

async fn open(env: &Env, schema: &str) -> (DatabaseConnection, CachedConnection) {
    let shop = Shop::open(env).await;
    shop.plain.execute_unprepared(schema).await.expect("the schema is right");
    (shop.plain, Shop::enter(env, env.store().await).await)
}

/// Sends the text in every way that there is: each time, the cached row is the database's own afterwards.
async fn is_seen(plain: &DatabaseConnection, db: &CachedConnection, sql: &str) {
    for way in 0..5 {
        for _ in 0..2 {
            price(db).await;
            db.settled().await;
        }
        let before = price(plain).await;
        let asked = statement(db, &sql.replace("{n}", &format!("{}", way + 1)));
        match way {
            0 => _ = db.query_all_raw(asked).await.expect("an answer"),
            1 => _ = db.query_one_raw(asked).await.expect("an answer"),
            2 => _ = db.execute_unprepared(&asked.sql).await.expect("an answer"),
            3 => {
                let rows = db.stream_raw(asked).await.expect("a stream");
                rows.try_collect::<Vec<_>>().await.expect("an answer");
            }
            _ => {
                let transaction = db.begin().await.expect("a transaction");
                transaction.query_all_raw(asked).await.expect("an answer");
                transaction.commit().await.expect("it commits");
            }
        }
        db.settled().await;
        let after = price(plain).await;
        assert_ne!(after, before, "it writes: {sql} ({way})");
        assert_eq!(price(db).await, after, "{sql} ({way})");
    }
}

/// Cells that the text fences.
async fn fenced(db: &CachedConnection, operations: &CountingStore, sql: &str) -> usize {
    operations.take();
    db.query_all_raw(statement(db, sql)).await.expect("an answer");
    db.settled().await;
    let fences = operations.take().into_iter().filter(|operation| operation.starts_with("fence "));
    fences.map(|operation| operation.split(' ').count() - 1).sum()
}

async fn in_every_store(backend: Backend, body: impl AsyncFn(Env)) {
    for kind in [StoreKind::Memory, StoreKind::Redis] {
        tests::run(backend, kind, store, |env| body(env)).await;
    }
}

#[tokio::test]
async fn a_view_that_calls_a_writing_function_is_no_plain_read() {
    for (backend, schema) in [(Backend::Postgres, POSTGRES), (Backend::MySql, MYSQL)] {
        in_every_store(backend, async |env| {
            let (plain, db) = open(&env, schema).await;
            for sql in
                ["SELECT * FROM raised", "SELECT price FROM again", "SELECT (SELECT max(price) FROM raised)"]
            {
                is_seen(&plain, &db, sql).await;
            }
            if backend == Backend::Postgres {
                is_seen(&plain, &db, "SELECT * FROM through_another").await;
            }
            if env.kind == StoreKind::Memory {
                return;
            }
            // The first statement of a process that has not looked at the schema yet.
            price(&db).await;
            db.settled().await;
            let redis = RedisStore::connect(&redis_url(), &env.namespace).await.expect("Redis answers");
            let late = CachedConnection::new(env.connect().await, redis);
            late.query_all_raw(statement(&db, "SELECT * FROM raised")).await.expect("an answer");
            late.settled().await;
            assert_eq!(price(&db).await, price(&plain).await);
        })
        .await;
    }
}

#[tokio::test]
async fn an_entity_over_such_a_view_is_no_plain_read() {
    for (backend, schema) in [(Backend::Postgres, POSTGRES), (Backend::MySql, MYSQL)] {
        in_every_store(backend, async |env| {
            let (plain, db) = open(&env, schema).await;
            for _ in 0..2 {
                price(&db).await;
                db.settled().await;
                let before = price(&plain).await;
                raised::Entity::find_by_id(1).one(&db).await.expect("an answer").expect("a row");
                db.settled().await;
                assert_ne!(price(&plain).await, before);
                assert_eq!(price(&db).await, price(&plain).await);
                let transaction = db.begin().await.expect("a transaction");
                raised::Entity::find().all(&transaction).await.expect("an answer");
                transaction.commit().await.expect("it commits");
                db.settled().await;
                assert_eq!(price(&db).await, price(&plain).await);
                let rows = raised::Entity::find().stream(&db).await.expect("a stream");
                rows.try_collect::<Vec<_>>().await.expect("an answer");
                db.settled().await;
                assert_eq!(price(&db).await, price(&plain).await);
            }
        })
        .await;
    }
}

#[tokio::test]
async fn a_view_that_writes_is_noticed_below_the_cache() {
    for (backend, schema) in [(Backend::Postgres, POSTGRES), (Backend::MySql, MYSQL)] {
        in_every_store(backend, async |env| {
            let (plain, db) = open(&env, schema).await;
            price(&db).await;
            db.settled().await;
            db.inner().query_all_raw(statement(&db, "SELECT * FROM raised")).await.expect("an answer");
            // The fence is placed by a task of its own.
            while db.stats().entities["product"].counts.abandoned_fences == 0 {
                tokio::task::yield_now().await;
            }
            assert_eq!(price(&db).await, price(&plain).await);
        })
        .await;
    }
}

#[tokio::test]
async fn operators_casts_and_overloads_that_call_a_writing_function_are_no_plain_reads() {
    in_every_store(Backend::Postgres, async |env| {
        let (plain, db) = open(&env, POSTGRES).await;
        for sql in [
            "SELECT ROW(1)::pair + ROW(2)::pair",
            "SELECT lower(ROW(1)::pair)",
            "SELECT 1::checked",
            "SELECT CAST(1 AS public.over)",
            "SELECT checked '1'",
        ] {
            is_seen(&plain, &db, sql).await;
        }
    })
    .await;
}

#[tokio::test]
async fn a_table_whose_default_or_constraint_calls_a_writing_function_is_written_with_everything() {
    in_every_store(Backend::Postgres, async |env| {
        let (plain, db) = open(&env, POSTGRES).await;
        for sql in [
            "INSERT INTO with_default (id) VALUES ({n})",
            "INSERT INTO with_check VALUES ({n})",
            "INSERT INTO with_domain VALUES ({n}, {n})",
            "INSERT INTO with_array VALUES ({n}, ARRAY[{n}]::int[])",
            "UPDATE with_domain SET n = n + 1 WHERE id = {n}",
            "INSERT INTO with_rule VALUES ({n})",
        ] {
            is_seen(&plain, &db, sql).await;
        }
    })
    .await;
}

#[tokio::test]
async fn sequences_uuids_and_harmless_functions_cost_what_they_did() {
    tests::run(Backend::Postgres, StoreKind::Memory, store, |env| async move {
        let shop = Shop::open(&env).await;
        let alter = "CREATE EXTENSION IF NOT EXISTS \"uuid-ossp\";
            CREATE SEQUENCE numbers;
            ALTER TABLE product ADD COLUMN u uuid DEFAULT gen_random_uuid(), ADD COLUMN v uuid DEFAULT uuid_generate_v4(),
                ADD COLUMN n int DEFAULT nextval('numbers'), ADD COLUMN at timestamptz DEFAULT clock_timestamp()";
        for sql in [POSTGRES, alter] {
            shop.plain.execute_unprepared(sql).await.expect("the schema is right");
        }
        let operations = CountingStore::new(env.store().await);
        let db = Shop::enter(&env, Arc::new(operations.clone())).await;
        let insert = |id: i32| format!("INSERT INTO product (id, sku, name, price) VALUES ({id}, 's{id}', '', 1)");
        assert_eq!(fenced(&db, &operations, &insert(10)).await, 2);
        for sql in ["SELECT * FROM harmless", "INSERT INTO harmless_table DEFAULT VALUES"] {
            assert_eq!(fenced(&db, &operations, sql).await, 0, "{sql}");
        }
        // With a writing default, the same insert invalidates everything.
        let alter = "ALTER TABLE product ADD COLUMN w int DEFAULT raise(1)";
        shop.plain.execute_unprepared(alter).await.expect("the schema is right");
        let db = Shop::enter(&env, Arc::new(operations.clone())).await;
        assert!(fenced(&db, &operations, &insert(11)).await > 10);
    })
    .await;
}

#[tokio::test]
async fn the_catalog_says_what_may_write() {
    tests::run(Backend::Postgres, StoreKind::Memory, store, |env| async move {
        let shop = Shop::open(&env).await;
        shop.plain.execute_unprepared(POSTGRES).await.expect("the schema is right");
        let schema = LearnedSchema::learn(&shop.plain).await.expect("the catalogs can be read");
        for (table, words) in [
            ("raised", "Other(\"view\") writes elsewhere writes when read"),
            ("again", "Other(\"view\") writes elsewhere writes when read"),
            ("harmless", "Other(\"view\") writes elsewhere"),
            ("with_default", "Plain writes elsewhere"),
            ("with_check", "Plain writes elsewhere"),
            ("with_domain", "Plain writes elsewhere"),
            ("with_array", "Plain writes elsewhere"),
            ("with_policy", "Plain row security writes elsewhere writes when read"),
            ("harmless_table", "Plain"),
            ("product", "Plain"),
        ] {
            assert_eq!(schema.table(table).as_deref(), Some(words), "{table}");
        }
    })
    .await;
}

/// A row of any statement.
#[derive(Debug, FromQueryResult)]
struct Nothing {}

#[tokio::test]
async fn a_plain_view_stays_a_plain_read() {
    for (backend, schema) in [(Backend::Postgres, POSTGRES), (Backend::MySql, MYSQL)] {
        in_every_store(backend, async |env| {
            let (_plain, db) = open(&env, schema).await;
            for _ in 0..2 {
                price(&db).await;
                db.settled().await;
            }
            let hits = || db.stats().entities["product"].counts.hits;
            let before = hits();
            Nothing::find_by_statement(statement(&db, "SELECT * FROM harmless"))
                .all(&db)
                .await
                .expect("an answer");
            db.settled().await;
            price(&db).await;
            assert_eq!(hits(), before + 1);
        })
        .await;
    }
}

/// A transaction does not wait for the schema, which says what may write.
async fn is_seen_without_the_schema(env: &Env, schema: &str, unknown: impl AsyncFn(&CachedConnection)) {
    let (plain, other) = open(env, schema).await;
    let below = env.database.connect_with(|options| _ = options.max_connections(1)).await;
    below.ping().await.expect("its one connection is open");
    let db = CachedConnection::builder(below)
        .shared_store(env.store().await)
        .namespace(Namespace::new(env.namespace.clone()).expect("the harness makes valid names"))
        .store_time_out(Duration::from_secs(60))
        .build_lazily()
        .expect("the store has a namespace");
    unknown(&db).await;
    for _ in 0..2 {
        price(&other).await;
        other.settled().await;
    }
    let transaction = db.begin().await.expect("a transaction");
    transaction.query_all_raw(statement(&db, "SELECT * FROM raised")).await.expect("an answer");
    transaction.commit().await.expect("it commits");
    db.settled().await;
    assert_ne!(price(&plain).await, 100, "it writes");
    assert_eq!(price(&other).await, price(&plain).await);
}

#[tokio::test]
async fn a_read_that_writes_in_a_transaction_was_a_plain_read_until_the_schema_was_known() {
    for (backend, schema) in [(Backend::Postgres, POSTGRES), (Backend::MySql, MYSQL)] {
        in_every_store(backend, async |env| is_seen_without_the_schema(&env, schema, async |_| ()).await)
            .await;
    }
}

#[tokio::test]
async fn a_read_that_writes_in_a_transaction_was_a_plain_read_once_the_schema_was_forgotten() {
    for (backend, schema) in [(Backend::Postgres, POSTGRES), (Backend::MySql, MYSQL)] {
        in_every_store(backend, async |env| {
            is_seen_without_the_schema(&env, schema, async |db| {
                db.ready().await.expect("the schema can be learned");
                db.execute_unprepared("CREATE TABLE newcomer (id INT)").await.expect("a new table");
            })
            .await;
        })
        .await;
    }
}

//! Transactions and session changes that hide in a text: what a connection of the pool then writes is not committed,
//! and nobody but it may see that.

use cache_orm::{CachedConnection, RedisStore};
use sea_orm::{ConnectionTrait, DatabaseConnection, Statement, TransactionTrait};
use tests::{Backend, Database, redis_url, unique_name};

use super::{hits, is_switched_off, items, price, send, warm};

async fn over_redis(db: DatabaseConnection, namespace: &str) -> CachedConnection {
    let store = RedisStore::connect(&redis_url(), namespace).await.expect("Redis answers");
    CachedConnection::builder(db).store(store).build().await.expect("a connection")
}

/// After each text, what its connection writes is not committed: another process must not see it.
async fn stay_invisible(backend: Backend, setup: &[&str], texts: &[&str]) {
    let (database, plain) = items(backend, setup).await;
    for text in texts {
        let namespace = unique_name();
        let one = database.connect_with(|options| _ = options.max_connections(1)).await;
        let one = over_redis(one, &namespace).await;
        let two = over_redis(database.connect().await, &namespace).await;
        price(&one).await;
        send(&one, text).await;
        let mark = if backend == Backend::Postgres { "$1" } else { "?" };
        let update = format!("UPDATE item SET price = 9 WHERE id = {mark}");
        let update = Statement::from_sql_and_values(backend.into(), update, [1.into()]);
        one.execute_raw(update).await.expect("the update succeeds");
        one.settled().await;
        price(&one).await;
        one.settled().await;
        assert_eq!(price(&plain).await, Some(100), "it was not committed: {text}");
        assert_eq!(price(&two).await, Some(100), "{text}");
        one.close().await.expect("it closes");
        two.close().await.expect("it closes");
    }
    close(database, plain).await;
}

/// No text switches the cache off.
async fn leave_it_on(backend: Backend, setup: &[&str], texts: &[&str]) {
    let (database, plain) = items(backend, setup).await;
    let db = warm(&database).await;
    for text in texts {
        send(&db, text).await;
        assert!(!is_switched_off(&db).await, "{text}");
        price(&db).await;
        db.settled().await;
        assert!(hits(&db).await, "{text}");
        assert_eq!(price(&db).await, price(&plain).await, "{text}");
    }
    close(database, plain).await;
}

async fn close(database: Database, plain: DatabaseConnection) {
    plain.close().await.expect("it closes");
    database.close().await.expect("it can be removed");
}

#[tokio::test]
async fn a_transaction_that_a_text_of_my_sql_hides() {
    let setup = [
        "CREATE PROCEDURE start_it() START TRANSACTION",
        "CREATE PROCEDURE ends_autocommit() BEGIN DECLARE x int; SET x = 1; SET SESSION autocommit = 0; END",
        "CREATE PROCEDURE outer_one() BEGIN IF 1 THEN CALL start_it(); END IF; END",
        "CREATE PROCEDURE executes() BEGIN EXECUTE IMMEDIATE CONCAT('SET auto', 'commit = 0'); END",
    ];
    let texts = [
        "BEGIN",
        "XA START 'x'",
        "/* x */ BEGIN",
        "/*!40000 SET autocommit=0 */",
        "/*M!100000 SET autocommit=0 */",
        "/*!40000 */ SET autocommit = 0",
        "/*!999999 UPDATE item */ SET autocommit = 0",
        "EXECUTE IMMEDIATE 'SET autocommit=0'",
        "EXECUTE IMMEDIATE CONCAT('SET auto', 'commit=0')",
        "PREPARE p FROM 'SET autocommit=0'; EXECUTE p",
        "SET STATEMENT max_statement_time=5 FOR SET autocommit=0",
        "BEGIN NOT ATOMIC SET autocommit = 0; END",
        "IF 1 THEN SET autocommit = 0; END IF",
        "CALL start_it()",
        "CALL ends_autocommit()",
        "CALL outer_one()",
        "CALL `executes`()",
        "/* x */ SET autocommit=0, @a = '\\''",
        "SELECT '\\''; SET autocommit=0",
    ];
    stay_invisible(Backend::MySql, &setup, &texts).await;
}

#[tokio::test]
async fn a_transaction_that_a_text_of_postgres_hides() {
    let texts =
        ["/* x */ BEGIN; SELECT U&'x'", "SELECT U&'x'; BEGIN", "-- x\nSTART TRANSACTION; SELECT U&'x'"];
    stay_invisible(Backend::Postgres, &[], &texts).await;
}

#[tokio::test]
async fn a_transaction_that_a_text_of_sqlite_hides() {
    let texts = ["\u{feff}BEGIN", "/* x */ BEGIN /* y", "\u{feff}/* x */ \u{feff}SAVEPOINT a /* y"];
    stay_invisible(Backend::Sqlite, &[], &texts).await;
}

#[tokio::test]
async fn a_body_that_changes_the_search_path_of_postgres() {
    let setup =
        ["CREATE SCHEMA other", "CREATE TABLE other.item AS SELECT id, sku, price + 1 AS price FROM item"];
    for text in [
        "DO $$ BEGIN SET search_path = other; END $$",
        "DO $x$ BEGIN IF true THEN EXECUTE 'SET search_path = other'; END IF; END $x$",
        "DO 'BEGIN PERFORM set_config(''search_path'', ''other'', false); END'",
        "SELECT set_config('search_path', 'other', false)",
    ] {
        let (database, plain) = items(Backend::Postgres, &setup).await;
        let namespace = unique_name();
        let one = database.connect_with(|options| _ = options.max_connections(1)).await;
        let one = over_redis(one, &namespace).await;
        let two = over_redis(database.connect().await, &namespace).await;
        price(&two).await;
        send(&one, text).await;
        assert_eq!(price(&one).await, Some(101), "the row of the other schema: {text}");
        one.settled().await;
        assert_eq!(price(&two).await, Some(100), "{text}");
        close(database, plain).await;
    }
}

#[tokio::test]
async fn the_text_that_switched_the_cache_off_is_named_and_there_is_a_way_back() {
    for backend in tests::backends() {
        let (database, plain) = items(backend, &[]).await;
        let one = database.connect_with(|options| _ = options.max_connections(1)).await;
        let db = CachedConnection::new(one, cache_orm::MemoryStore::default());
        price(&db).await;
        db.settled().await;
        send(&db, "/* a secret */ BEGIN; SELECT 'a secret'").await;
        assert!(is_switched_off(&db).await);
        assert_eq!(db.stats().session_changed_by.as_deref(), Some("BEGIN; SELECT ?"), "{backend:?}");
        send(&db, "ROLLBACK").await;
        assert!(is_switched_off(&db).await, "nobody knows which connection that was for: {backend:?}");
        plain.execute_unprepared("UPDATE item SET price = 7 WHERE id = 1").await.expect("it updates");
        db.resume().await.expect("the store answers");
        assert!(!is_switched_off(&db).await, "{backend:?}");
        assert_eq!(price(&db).await, Some(7), "what was cached before is not believed: {backend:?}");
        db.settled().await;
        assert!(hits(&db).await, "{backend:?}");
        assert_eq!(db.stats().session_changed_by, None);
        close(database, plain).await;
    }
}

/// What a pooled connection has written in a transaction that raw SQL began is committed by whatever comes next on it.
#[tokio::test]
async fn a_commit_by_somebody_else_is_one_of_what_raw_sql_began() {
    for backend in [Backend::Postgres, Backend::MySql] {
        let (database, plain) = items(backend, &[]).await;
        let namespace = unique_name();
        let one = database.connect_with(|options| _ = options.max_connections(1)).await;
        let one = over_redis(one, &namespace).await;
        let two = over_redis(database.connect().await, &namespace).await;
        price(&one).await;
        send(&one, "BEGIN").await;
        send(&one, "UPDATE item SET price = 9 WHERE id = 1").await;
        assert_eq!(price(&two).await, Some(100), "{backend:?}");
        two.settled().await;
        // MySQL commits when this begins, Postgres when it ends.
        let transaction = one.begin().await.expect("a transaction");
        if backend == Backend::MySql {
            transaction.rollback().await.expect("there is nothing to undo");
        } else {
            transaction.commit().await.expect("it commits");
        }
        one.settled().await;
        assert_eq!(price(&plain).await, Some(9), "{backend:?}");
        assert_eq!(price(&two).await, Some(9), "{backend:?}");
        close(database, plain).await;
    }
}

#[tokio::test]
async fn words_that_begin_no_statement_change_no_session() {
    let setup = ["CREATE PROCEDURE raises(p int) BEGIN DECLARE x int DEFAULT 1; SET x = p, @y = 2; \
         UPDATE item SET price = price + x; COMMIT; END"];
    let texts = [
        "UPDATE item SET price = 101 WHERE sku = '\\'; a'",
        "UPDATE item /* x */ SET price = 102, sku = 'it\\'s' WHERE id = 2",
        "/*!40000 UPDATE item SET price = 103 WHERE id = 1 */",
        "INSERT INTO item (id, sku, price) VALUES (1, '\\'', 5) ON DUPLICATE KEY UPDATE price = 104",
        "INSERT INTO item SET id = 11, sku = 'x\\'', price = 5",
        "ALTER TABLE item ALTER COLUMN price SET DEFAULT 7 /*! */",
        "EXECUTE IMMEDIATE 'UPDATE item SET price = 105 WHERE id = 1'",
        "SET STATEMENT max_statement_time = 5 FOR UPDATE item SET price = 106 WHERE id = 1",
        "BEGIN NOT ATOMIC DECLARE x int; UPDATE item SET price = 107 WHERE id = 1; END",
        "CALL raises(1)",
    ];
    leave_it_on(Backend::MySql, &setup, &texts).await;
    let texts = [
        "DO $$ BEGIN UPDATE item SET price = 101 WHERE id = 1; END $$",
        "DO $$ DECLARE x int := 1; BEGIN FOR x IN 1..2 LOOP PERFORM 1; END LOOP; SET LOCAL search_path = public; END $$",
        "DO $$ BEGIN EXECUTE 'ALTER TABLE item ALTER COLUMN price SET DEFAULT 5'; END $$",
        "MERGE INTO item i USING (SELECT 1 AS id) s ON s.id = i.id WHEN MATCHED THEN UPDATE SET price = 102",
        "INSERT INTO item (id, sku, price) VALUES (1, U&'x', 5) ON CONFLICT (id) DO UPDATE SET price = 103",
        "SELECT set_config('app.user', '1', true)",
    ];
    leave_it_on(Backend::Postgres, &[], &texts).await;
}

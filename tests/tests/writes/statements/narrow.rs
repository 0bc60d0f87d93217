//! Texts that must leave what is cached alone: they change nothing of it.

use sea_orm::{ConnectionTrait, TransactionTrait};
use tests::Backend;

use super::{hits, items, price, send, warm};

/// Each text, through a connection that has item 1 cached, leaves it cached; and what is cached is right.
async fn leave_it_cached(backend: Backend, setup: &[&str], texts: &[&str]) {
    let (database, plain) = items(backend, setup).await;
    for text in texts {
        let db = warm(&database).await;
        send(&db, text).await;
        assert!(hits(&db).await, "{text}");
        assert_eq!(price(&db).await, price(&plain).await, "{text}");
        assert_eq!(db.stats().unknown_writes, 0, "{text}");
    }
    plain.close().await.expect("it closes");
    database.close().await.expect("it can be removed");
}

#[tokio::test]
async fn what_invalidates_everything_is_named_without_its_values() {
    for backend in tests::backends() {
        let (database, plain) = items(backend, &["CREATE TABLE other (id int)"]).await;
        let db = warm(&database).await;
        for value in 0..3 {
            send(&db, &format!("ALTER TABLE other ADD a{value} int DEFAULT {value} /* a secret */")).await;
        }
        let stats = db.stats();
        assert_eq!(stats.unknown_writes, 3, "{backend:?}");
        assert_eq!(
            stats.unknown_texts.get("ALTER TABLE other ADD a1 int DEFAULT ?"),
            Some(&1),
            "{backend:?}"
        );
        plain.close().await.expect("it closes");
        database.close().await.expect("it can be removed");
    }
}

#[tokio::test]
async fn so_many_texts_are_named_and_no_more() {
    let (_database, plain) = items(Backend::Sqlite, &[]).await;
    let db = cache_orm::CachedConnection::new(plain, cache_orm::MemoryStore::default());
    for number in 0..40 {
        send(&db, &format!("CREATE TABLE t{number} (id int)")).await;
    }
    let stats = db.stats();
    assert_eq!((stats.unknown_writes, stats.unknown_texts.len()), (40, 32));
}

/// A write to a table with a trigger is counted and named as well.
#[tokio::test]
async fn a_trigger_is_what_invalidates_everything() {
    let changes = "CREATE FUNCTION changes() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'";
    let trigger = "CREATE TRIGGER t AFTER UPDATE ON item FOR EACH ROW EXECUTE FUNCTION changes()";
    let (database, plain) = items(Backend::Postgres, &[changes, trigger]).await;
    let db = warm(&database).await;
    send(&db, "UPDATE item SET price = 3 WHERE id = 1").await;
    send(&db, "UPDATE item SET price = 4 WHERE id = 2").await;
    let stats = db.stats();
    assert_eq!(stats.unknown_writes, 2);
    assert_eq!(stats.unknown_texts.get("UPDATE item SET price = ? WHERE id = ?"), Some(&2));
    plain.close().await.expect("it closes");
    database.close().await.expect("it can be removed");
}

/// Each text, which reaches item 1 by a detour, is seen.
async fn reach_it(backend: Backend, setup: &[&str], texts: &[&str]) {
    for text in texts {
        let (database, plain) = items(backend, setup).await;
        let db = warm(&database).await;
        send(&db, text).await;
        let fresh = price(&plain).await;
        assert_ne!(fresh, Some(100), "it reaches item 1: {text}");
        assert_eq!(price(&db).await, fresh, "{text}");
        plain.close().await.expect("it closes");
        database.close().await.expect("it can be removed");
    }
}

const AUDIT: [&str; 7] = [
    "CREATE SCHEMA audit",
    "CREATE TABLE audit.log (id int, note text)",
    "CREATE UNLOGGED TABLE buffer (id int, note text)",
    "CREATE TABLE event (id int, note text) PARTITION BY RANGE (id)",
    "CREATE TABLE event_low PARTITION OF event FOR VALUES FROM (0) TO (100)",
    "CREATE TABLE ancestor (id int, note text)",
    "CREATE TABLE descendant () INHERITS (ancestor)",
];

#[tokio::test]
async fn tables_that_are_never_cached_are_written_without_harm() {
    let mut texts = Vec::new();
    for table in ["audit.log", "buffer", "event", "event_low", "ancestor", "descendant"] {
        texts.push(format!("INSERT INTO {table} (id, note) VALUES (1, 'x')"));
        texts.push(format!("UPDATE {table} SET note = 'y' WHERE id = 1"));
        texts.push(format!("DELETE FROM {table} WHERE id = 1"));
        texts.push(format!("TRUNCATE {table}"));
    }
    let texts: Vec<_> = texts.iter().map(String::as_str).collect();
    leave_it_cached(Backend::Postgres, &AUDIT, &texts).await;
}

#[tokio::test]
async fn what_they_reach_is_written_with_them() {
    let changes = "CREATE FUNCTION changes() RETURNS trigger LANGUAGE plpgsql AS \
        'BEGIN UPDATE item SET price = 9 WHERE id = 1; RETURN NEW; END'";
    let on = |table: &str| {
        format!("CREATE TRIGGER t BEFORE INSERT ON {table} FOR EACH ROW EXECUTE FUNCTION changes()")
    };
    for (trigger, text) in [
        (on("audit.log"), "INSERT INTO audit.log (id) VALUES (1)"),
        (on("buffer"), "INSERT INTO buffer (id) VALUES (1)"),
        (on("event"), "INSERT INTO event_low (id) VALUES (1)"),
        (on("event_low"), "INSERT INTO event (id) VALUES (1)"),
        (
            "CREATE RULE r AS ON INSERT TO audit.log DO ALSO UPDATE item SET price = 9".to_owned(),
            "INSERT INTO audit.log (id) VALUES (1)",
        ),
    ] {
        let setup: Vec<_> = AUDIT.iter().copied().chain([changes, trigger.as_str()]).collect();
        reach_it(Backend::Postgres, &setup, &[text]).await;
    }
    let cascade = [
        "CREATE SCHEMA audit",
        "CREATE UNLOGGED TABLE owner (id int PRIMARY KEY)",
        "CREATE TABLE audit.owner (id int PRIMARY KEY)",
        "INSERT INTO audit.owner VALUES (1)",
        "ALTER TABLE item ADD owner int REFERENCES audit.owner ON DELETE CASCADE",
        "UPDATE item SET owner = 1",
    ];
    reach_it(Backend::Postgres, &cascade, &["DELETE FROM audit.owner", "TRUNCATE audit.owner CASCADE"]).await;
}

#[tokio::test]
async fn pure_reads_of_postgres() {
    let texts = [
        "SELECT pg_catalog.now(), \"pg_catalog\".lower('X')",
        "SELECT id FROM item WHERE sku ILIKE ('A' || '%')",
        "SELECT id FROM item i WHERE i.sku NOT ILIKE ('A' || '%') OR \"sku\" ILIKE ('a')",
        "SELECT id FROM item WHERE sku LIKE ('A') AND sku SIMILAR TO ('B')",
        "SELECT now() AT TIME ZONE ('UTC')",
        "SELECT * FROM (VALUES (1, 'a'), (2, 'b')) x (a, b)",
        "SELECT * FROM item x (i, s), item \"Y\" (j) JOIN item z (k) ON z.k = \"Y\".j",
        "SELECT * FROM public.item x (i, s)",
        "SELECT * FROM generate_series(1, 2) g (a), unnest(ARRAY[1]) WITH ORDINALITY u (b, c)",
        "SELECT (now(), now()) OVERLAPS (now(), now())",
        "SELECT set_config('app.user', '1', true)",
    ];
    leave_it_cached(Backend::Postgres, &[], &texts).await;
}

#[tokio::test]
async fn maintenance_of_my_sql() {
    let texts = [
        "ANALYZE TABLE item",
        "OPTIMIZE TABLE item",
        "CHECK TABLE item",
        "FLUSH TABLES",
        "FLUSH NO_WRITE_TO_BINLOG STATUS",
        "SELECT id FROM item WHERE sku LIKE ('a%') OR IF (1, 0, 1) OR LEFT (sku, 1) = 'x'",
    ];
    leave_it_cached(Backend::MySql, &[], &texts).await;
}

#[tokio::test]
async fn settings_of_sqlite_that_change_no_row() {
    let texts = [
        "PRAGMA foreign_keys = ON",
        "PRAGMA foreign_keys = OFF",
        "PRAGMA defer_foreign_keys = ON",
        "PRAGMA recursive_triggers = ON",
        "PRAGMA secure_delete = ON",
    ];
    leave_it_cached(Backend::Sqlite, &[], &texts).await;
}

/// Whether foreign keys are enforced is a setting of each connection: they are taken to be.
#[tokio::test]
async fn cascades_of_sqlite_are_seen_whatever_the_setting() {
    let setup = [
        "CREATE TABLE owner (id int PRIMARY KEY)",
        "INSERT INTO owner VALUES (1)",
        "ALTER TABLE item ADD owner int REFERENCES owner (id) ON DELETE CASCADE",
        "UPDATE item SET owner = 1",
    ];
    let (database, plain) = items(Backend::Sqlite, &setup).await;
    let one = database.connect_with(|options| _ = options.max_connections(1)).await;
    let db = cache_orm::CachedConnection::new(one, cache_orm::MemoryStore::default());
    send(&db, "PRAGMA foreign_keys = OFF").await;
    price(&db).await;
    db.settled().await;
    send(&db, "PRAGMA foreign_keys = ON").await;
    send(&db, "DELETE FROM owner WHERE id = 1").await;
    assert_eq!(price(&db).await, None, "it went with its owner");
    plain.close().await.expect("it closes");
}

/// What a transaction has written becomes visible at once when one of these statements commits it.
#[tokio::test]
async fn maintenance_of_my_sql_commits_the_transaction_that_it_is_in() {
    for text in ["ANALYZE TABLE item", "FLUSH TABLES", "OPTIMIZE TABLE item"] {
        let (database, plain) = items(Backend::MySql, &[]).await;
        let db = warm(&database).await;
        let transaction = db.begin().await.expect("a transaction");
        transaction.execute_unprepared("UPDATE item SET price = 9 WHERE id = 1").await.expect("it updates");
        transaction.execute_unprepared(text).await.expect("it runs");
        assert_eq!(price(&plain).await, Some(9), "{text} commits");
        assert_eq!(price(&db).await, Some(9), "{text}");
        transaction.rollback().await.expect("there is nothing left to undo");
        plain.close().await.expect("it closes");
        database.close().await.expect("it can be removed");
    }
}

#[tokio::test]
async fn deferred_constraints_leave_the_cache_on() {
    let (database, plain) = items(Backend::Postgres, &[]).await;
    let db = warm(&database).await;
    let transaction = db.begin().await.expect("a transaction");
    transaction.execute_unprepared("SET CONSTRAINTS ALL DEFERRED").await.expect("it runs");
    transaction.execute_unprepared("/* a comment */ SET LOCAL lock_timeout = 9").await.expect("it runs");
    transaction.execute_unprepared("/* a comment */ SAVEPOINT x").await.expect("it runs");
    transaction.commit().await.expect("it commits");
    assert!(hits(&db).await);
    plain.close().await.expect("it closes");
}

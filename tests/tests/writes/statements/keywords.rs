//! Words that are keywords in one place and something else in another.

use tests::Backend;

use super::{items, price, send, warm};

/// Sends the text through a connection that has item 1 cached: it must see what the text has changed.
async fn is_seen(backend: Backend, setup: &[&str], text: &str) {
    let (database, plain) = items(backend, setup).await;
    let db = warm(&database).await;
    send(&db, text).await;
    let fresh = price(&plain).await;
    assert_ne!(fresh, Some(100), "it writes: {text}");
    assert_eq!(price(&db).await, fresh, "{text}");
    plain.close().await.expect("it closes");
    database.close().await.expect("it can be removed");
}

#[tokio::test]
async fn an_option_of_explain_in_quotes_runs_the_statement() {
    let postgres = Backend::Postgres;
    is_seen(postgres, &[], r#"EXPLAIN ("analyze") UPDATE item SET price = 9 WHERE id = 1"#).await;
    is_seen(postgres, &[], r#"EXPLAIN (costs off, "analyze" true) DELETE FROM item"#).await;
}

#[tokio::test]
async fn a_byte_order_mark_is_white_space_to_sqlite() {
    let sqlite = Backend::Sqlite;
    is_seen(sqlite, &[], "WITH x AS (SELECT 1) \u{feff}DELETE FROM item WHERE id = 1").await;
    is_seen(sqlite, &[], "WITH x AS (SELECT 1)\u{feff}\u{feff}UPDATE item SET price = 9 WHERE id = 1").await;
    let upsert = "INSERT INTO item (id, sku, price) VALUES (1, 'q', 5) ON CONFLICT (id) DO \u{feff}UPDATE SET price = 9";
    is_seen(sqlite, &[], upsert).await;
}

#[tokio::test]
async fn keywords_of_one_clause_are_names_of_functions_elsewhere() {
    let function = |name: &str| {
        format!(
            "CREATE FUNCTION {name} RETURNS bool LANGUAGE sql AS 'UPDATE item SET price = 9 WHERE id = 1 RETURNING true'"
        )
    };
    for (name, text) in [
        ("conflict()", "SELECT 1 FROM item a JOIN item b ON conflict()"),
        ("conflict(int)", "SELECT 1 FROM item a JOIN item b ON conflict(1) WHERE true"),
        (
            "conflict(int)",
            "INSERT INTO item SELECT 9, 'x', 9 FROM item a JOIN item b ON conflict(a.id) WHERE a.id = 1 AND b.id = 1 \
             ON CONFLICT (id) WHERE true DO NOTHING",
        ),
        ("materialized()", "SELECT 1 WHERE NOT materialized()"),
        // What follows DISTINCT ON (…) begins an expression.
        ("over(int)", "SELECT DISTINCT ON (id) over(id) FROM item"),
        ("over()", "SELECT DISTINCT ON (id) over() FROM item"),
        ("filter(int)", "SELECT DISTINCT ON (id) filter(id) FROM item"),
        ("ilike(int)", "SELECT 1 WHERE NOT ilike(1)"),
        ("ilike(int)", "SELECT DISTINCT ON (id) ilike(id) FROM item"),
        ("zone(int)", "SELECT id FROM item WHERE zone(id)"),
        // Not the alias of a table, and its columns.
        ("f(int)", "SELECT DISTINCT ON (id) f(id) FROM item"),
        ("f(int)", "SELECT 1 FROM item i, LATERAL f(i.id)"),
        ("f(int)", "SELECT 1 FROM item i WHERE true IS DISTINCT FROM (NOT f(id))"),
    ] {
        is_seen(Backend::Postgres, &[&function(name)], text).await;
    }
    let by = "CREATE FUNCTION by(int) RETURNS int LANGUAGE sql AS 'UPDATE item SET price = 9 WHERE id = 1 RETURNING 1'";
    is_seen(Backend::Postgres, &[by], "SELECT substring('abc' FOR by(1))").await;
}

#[tokio::test]
async fn my_sql_takes_them_for_functions_as_well() {
    for (function, text) in [
        ("conflict()", "SELECT 1 FROM other a JOIN other b ON conflict()"),
        ("materialized()", "SELECT 1 FROM other WHERE NOT materialized()"),
        ("filter(a int)", "SELECT 1 FROM other WHERE filter(1)"),
        ("lateral(a int)", "INSERT INTO other (n) VALUES (1) ON DUPLICATE KEY UPDATE n = lateral(VALUES(n))"),
    ] {
        let create = format!(
            "CREATE FUNCTION {function} RETURNS int BEGIN UPDATE item SET price = 9 WHERE id = 1; RETURN 2; END"
        );
        let setup = ["CREATE TABLE other (n int PRIMARY KEY)", "INSERT INTO other VALUES (1)", &create];
        is_seen(Backend::MySql, &setup, text).await;
    }
}

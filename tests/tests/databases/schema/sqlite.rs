//! What is learned of a SQLite database.

use std::env;

use sea_orm::{ConnectionTrait, DbBackend, Statement};
use tests::unique_name;

use super::{
    assert_columns, assert_tables, assert_unique, connect, learn, names, queries_to_learn, run, sqlite,
};

#[tokio::test]
async fn tables_and_what_answers_to_a_tables_name() {
    let db = sqlite().await;
    run(
        &db,
        r#"CREATE TABLE plain (id integer PRIMARY KEY);
        CREATE TABLE "Größe ""x""" (id integer PRIMARY KEY);
        CREATE TABLE watched (id integer PRIMARY KEY);
        CREATE TABLE watched_by_temporary (id integer PRIMARY KEY);
        CREATE TABLE shadowed (id integer PRIMARY KEY AUTOINCREMENT);
        CREATE VIEW looking AS SELECT * FROM plain;
        CREATE VIRTUAL TABLE found USING fts5(body);
        CREATE TRIGGER one AFTER INSERT ON watched BEGIN DELETE FROM plain; END;
        CREATE TEMP TRIGGER two AFTER INSERT ON watched_by_temporary BEGIN DELETE FROM plain; END;
        CREATE TEMP TABLE shadowed (id integer PRIMARY KEY);
        CREATE TEMP TABLE passing (id integer PRIMARY KEY);
        ATTACH ':memory:' AS "o'th""er";
        CREATE TABLE "o'th""er".guest (id integer PRIMARY KEY);
        CREATE TABLE "o'th""er".plain2 (id integer PRIMARY KEY);
        CREATE TABLE plain2 (id integer PRIMARY KEY);"#,
    )
    .await;
    let schema = learn(&db).await;
    assert_tables(
        &schema,
        &[
            ("plain", "Plain"),
            ("PLAIN", "Plain"),
            ("größe \"x\"", "Plain"),
            ("watched", "Plain writes elsewhere"),
            ("watched_by_temporary", "Plain writes elsewhere"),
            ("looking", "Other(\"view\") writes elsewhere"),
            ("found", "Other(\"virtual table\") writes elsewhere"),
            ("sqlite_sequence", "Other(\"internal table\")"),
            ("passing", "Other(\"temporary table\")"),
            ("guest", "Apart(\"table of an attached database\")"),
            ("shadowed", "Other(\"temporary table\")"),
            ("main.shadowed", "Plain"),
            ("plain2", "Plain"),
        ],
    );
    assert_eq!(schema.table("nobody"), None);
    assert!(schema.is_in("main", "plain") && !schema.is_in("temp", "plain"));
}

#[tokio::test]
async fn columns_and_their_equality() {
    let db = sqlite().await;
    run(
        &db,
        "CREATE TABLE a (id integer PRIMARY KEY, n bigint NOT NULL, s varchar, u uuid_text NOT NULL,
            b blob, f boolean, free, code STRING, twice int AS (n * 2), stored int AS (n * 3) STORED);
        CREATE TABLE collated (id integer PRIMARY KEY, s text collate nocase UNIQUE, t text UNIQUE, n int UNIQUE);
        CREATE TABLE compact (id varchar PRIMARY KEY, n int) WITHOUT ROWID;
        CREATE TABLE loose (id varchar PRIMARY KEY);",
    )
    .await;
    let schema = learn(&db).await;
    assert_columns(
        &schema,
        "a",
        &[
            ("id", "Integer"),
            ("N", "Integer"),
            ("s", "Text(Bytewise) nullable"),
            ("u", "Uuid"),
            ("b", "Bytes nullable"),
            ("f", "Bool nullable"),
            ("free", "Bytes nullable"),
            ("code", "Other nullable"),
            ("twice", "Integer nullable changes by itself"),
            ("stored", "Integer nullable changes by itself"),
        ],
    );
    assert_columns(&schema, "collated", &[("s", "Text(Loose) nullable"), ("t", "Text(Loose) nullable")]);
    assert_columns(&schema, "compact", &[("id", "Text(Bytewise)")]);
    assert_columns(&schema, "loose", &[("id", "Text(Bytewise) nullable")]);
    assert_unique(&schema, "collated", &[&["id"], &["n"]], &[&["s"], &["t"]]);
    assert_unique(&schema, "compact", &[&["id"]], &[&["n"]]);
    assert_eq!(schema.column("a", "nobody"), None);
}

#[tokio::test]
async fn the_database_compares_as_the_kinds_say() {
    let db = sqlite().await;
    run(
        &db,
        "CREATE TABLE a (code STRING, u uuid_text, n int, s text, f boolean);
        INSERT INTO a VALUES ('007', x'30', 7.0, 7, true)",
    )
    .await;
    for (condition, holds) in [
        ("typeof(code) = 'integer'", true), // why such a column names no slot
        ("u = x'30'", true),
        ("u = '0'", false),
        ("typeof(n) = 'integer' AND n = 7", true),
        ("typeof(s) = 'text' AND s = '7'", true),
        ("s = '7 '", false),
        ("f = 1", true),
    ] {
        let sql = format!("SELECT 1 FROM a WHERE {condition}");
        let statement = Statement::from_string(DbBackend::Sqlite, sql);
        let row = db.query_one_raw(statement).await.expect("the query runs");
        assert_eq!(row.is_some(), holds, "{condition}");
    }
}

#[tokio::test]
async fn unique_keys() {
    let db = sqlite().await;
    run(
        &db,
        "CREATE TABLE a (id integer PRIMARY KEY, s text UNIQUE, t text, u text, v text, x int, y int, z int,
            g int AS (x + y) STORED, UNIQUE (x, y));
        CREATE UNIQUE INDEX other_collation ON a (t COLLATE NOCASE);
        CREATE UNIQUE INDEX partial ON a (u) WHERE u > 'a';
        CREATE UNIQUE INDEX expression ON a (lower(v));
        CREATE INDEX plain ON a (z);
        CREATE UNIQUE INDEX generated ON a (g);
        CREATE TABLE pair (a int, b int, c int, PRIMARY KEY (a, b));
        CREATE TABLE descending (id integer PRIMARY KEY DESC, n int);",
    )
    .await;
    let schema = learn(&db).await;
    assert_unique(
        &schema,
        "a",
        &[&["id"], &["S"], &["x", "y"], &["y", "x", "z"]],
        &[&["t"], &["u"], &["v"], &["x"], &["z"], &["g"], &[]],
    );
    assert_unique(&schema, "pair", &[&["a", "b"]], &[&["a"], &["b", "c"]]);
    assert_unique(&schema, "descending", &[&["id"]], &[&["n"]]);
}

#[tokio::test]
async fn foreign_keys_reach() {
    let db = sqlite().await;
    run(
        &db,
        r#"PRAGMA foreign_keys = OFF;
        CREATE TABLE author (id integer PRIMARY KEY, code text UNIQUE, name text);
        CREATE TABLE "Book" (id integer PRIMARY KEY, author integer REFERENCES AUTHOR ON DELETE CASCADE);
        CREATE TABLE note (id integer PRIMARY KEY, book integer REFERENCES book (id) ON DELETE SET NULL);
        CREATE TABLE award (code text REFERENCES author (code) ON UPDATE CASCADE);
        CREATE TABLE refused (author integer REFERENCES author (id));"#,
    )
    .await;
    let schema = learn(&db).await;
    assert_eq!(schema.reached_by_delete("Author"), names(["book", "note"]));
    assert_eq!(schema.reached_by_update("author", &["name", "id"]), names([]));
    assert_eq!(schema.reached_by_update("author", &["Code"]), names(["award"]));
    assert_eq!(schema.reached_by_update("author", &["rowid"]), names(["award"]));
    assert_eq!(schema.reached_by_replace("author"), names(["award", "book", "note"]));
    assert_eq!(schema.reached_by_truncate("author"), names(["award", "book", "note", "refused"]));
}

#[tokio::test]
async fn an_omitted_target_is_the_primary_key() {
    let db = sqlite().await;
    run(
        &db,
        "CREATE TABLE a (x int, y int, z int, PRIMARY KEY (x, y));
        CREATE TABLE b (x int, y int, FOREIGN KEY (x, y) REFERENCES a ON UPDATE CASCADE);",
    )
    .await;
    let schema = learn(&db).await;
    assert_eq!(schema.reached_by_update("a", &["z"]), names([]));
    assert_eq!(schema.reached_by_update("a", &["y"]), names(["b"]));
}

#[tokio::test]
async fn a_key_to_a_generated_column_follows_every_update() {
    let db = sqlite().await;
    run(
        &db,
        "CREATE TABLE a (id int PRIMARY KEY, n int, g int AS (n * 2) STORED UNIQUE);
        CREATE TABLE b (g int REFERENCES a (g) ON UPDATE CASCADE);",
    )
    .await;
    assert_eq!(learn(&db).await.reached_by_update("a", &["n"]), names(["b"]));
}

#[tokio::test]
async fn identity_is_of_the_file_or_a_random_number() {
    let folder = env::temp_dir().join(unique_name());
    std::fs::create_dir_all(folder.join("below")).expect("the folder can be made");
    let url = |path: &str| format!("sqlite://{}/{path}?mode=rwc", folder.display());
    let straight = learn(&connect(&url("a.db")).await).await;
    let winding = learn(&connect(&url("below/../a.db")).await).await;
    let other = learn(&connect(&url("b.db")).await).await;
    assert_eq!(straight.identity(), winding.identity());
    assert_ne!(straight.identity(), other.identity());
    std::fs::remove_dir_all(folder).expect("the folder can be removed");

    let (one, two) = (learn(&sqlite().await).await, learn(&sqlite().await).await);
    assert_ne!(one.identity(), two.identity());
}

#[tokio::test]
async fn the_number_of_queries_does_not_grow_with_the_schema() {
    let (small, large) = (sqlite().await, sqlite().await);
    for number in 0..50 {
        run(&large, &format!("CREATE TABLE t{number} (id integer PRIMARY KEY, s text UNIQUE)")).await;
    }
    assert_eq!(queries_to_learn(small).await, queries_to_learn(large).await);
}

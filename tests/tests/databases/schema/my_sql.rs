//! What is learned of a database of MySQL or MariaDB.

use sea_orm::{ConnectionTrait, DbBackend, Statement};
use tests::unique_name;

use super::{Scratch, assert_columns, assert_tables, assert_unique, learn, names, queries_to_learn, run};

async fn is_mariadb(scratch: &Scratch) -> bool {
    scratch.learn().await.identity().starts_with("mariadb ")
}

#[tokio::test]
async fn tables_and_what_answers_to_a_tables_name() {
    let scratch = Scratch::mysql().await;
    run(
        &scratch.db,
        "CREATE TABLE plain (id int PRIMARY KEY);
        CREATE TABLE `Größe ``x``` (id int PRIMARY KEY);
        CREATE TABLE lasting (id int) ENGINE = MyISAM;
        CREATE TABLE passing (id int) ENGINE = MEMORY;
        CREATE VIEW looking AS SELECT * FROM plain;
        CREATE TABLE watched (id int);
        CREATE TRIGGER t AFTER INSERT ON watched FOR EACH ROW DELETE FROM plain;",
    )
    .await;
    let schema = scratch.learn().await;
    assert_tables(
        &schema,
        &[
            ("plain", "Plain"),
            ("größe `x`", "Plain"),
            ("lasting", "Plain not transactional"),
            ("passing", "Other(\"table of a special engine\") not transactional writes elsewhere"),
            ("looking", "Other(\"view\") not transactional writes elsewhere"),
            ("watched", "Plain writes elsewhere"),
        ],
    );
    assert_eq!(schema.table("user"), None);
    assert!(schema.is_in(scratch.name(), "plain") && !schema.is_in("mysql", "plain"));
    assert!(!schema.triggers_hidden());
    if is_mariadb(&scratch).await {
        run(&scratch.db, "CREATE TABLE kept (id int) WITH SYSTEM VERSIONING; CREATE SEQUENCE numbers").await;
        let schema = scratch.learn().await;
        assert_tables(&schema, &[("kept", "Other(\"system-versioned table\")")]);
        assert!(schema.table("numbers").is_some_and(|words| words.starts_with("Other(\"sequence\")")));
    }
    scratch.drop().await;
}

#[tokio::test]
async fn columns_and_their_equality() {
    let scratch = Scratch::mysql().await;
    run(
        &scratch.db,
        "CREATE TABLE a (id bigint unsigned NOT NULL AUTO_INCREMENT PRIMARY KEY, t tinyint, f bool, flag bit,
            u binary(16), h binary(32), vb varbinary(20), bl blob, d decimal(10, 0),
            s varchar(20) COLLATE utf8mb4_bin, ci varchar(20) COLLATE utf8mb4_general_ci,
            l varchar(20) CHARACTER SET latin1 COLLATE latin1_bin, c char(8) COLLATE utf8mb4_bin,
            e enum ('a') COLLATE utf8mb4_bin, g int AS (t * 2) STORED,
            changed timestamp NOT NULL DEFAULT CURRENT_TIMESTAMP ON UPDATE CURRENT_TIMESTAMP,
            created timestamp NOT NULL DEFAULT CURRENT_TIMESTAMP)",
    )
    .await;
    let schema = scratch.learn().await;
    assert_columns(
        &schema,
        "A",
        &[
            ("ID", "Integer"),
            ("t", "Integer nullable"),
            ("f", "Bool nullable"),
            ("flag", "Other nullable"),
            ("u", "Uuid nullable"),
            ("h", "Other nullable"),
            ("vb", "Bytes nullable"),
            ("bl", "Bytes nullable"),
            ("d", "Other nullable"),
            ("s", "Text(PaddedBytewise) nullable"),
            ("ci", "Text(Loose) nullable"),
            ("l", "Text(Loose) nullable"),
            ("c", "Text(PaddedBytewise) nullable"),
            ("e", "Other nullable"),
            ("g", "Integer nullable changes by itself"),
            ("changed", "Other changes by itself"),
            ("created", "Other"),
        ],
    );
    let unpadded = if is_mariadb(&scratch).await { "utf8mb4_nopad_bin" } else { "utf8mb4_0900_bin" };
    run(&scratch.db, &format!("ALTER TABLE a ADD n varchar(20) COLLATE {unpadded}")).await;
    assert_columns(&scratch.learn().await, "a", &[("n", "Text(Bytewise) nullable")]);
    scratch.drop().await;
}

#[tokio::test]
async fn the_server_compares_as_the_kinds_say() {
    let scratch = Scratch::mysql().await;
    let mariadb = is_mariadb(&scratch).await;
    let unpadded = if mariadb { "utf8mb4_nopad_bin" } else { "utf8mb4_0900_bin" };
    run(
        &scratch.db,
        &format!(
            "CREATE TABLE a (id int PRIMARY KEY, padded varchar(9) COLLATE utf8mb4_bin,
                exact varchar(9) COLLATE {unpadded}); INSERT INTO a VALUES (1, 'a ', 'a ')"
        ),
    )
    .await;
    for (condition, found) in [
        ("padded = 'a'", true),
        ("padded = 'a   '", true),
        ("padded = 'A'", false),
        ("padded = 'a\\t'", false),
        ("exact = 'a '", true),
        ("exact = 'a'", false),
    ] {
        let sql = format!("SELECT id FROM a WHERE {condition}");
        let statement = Statement::from_string(DbBackend::MySql, sql);
        let row = scratch.db.query_one_raw(statement).await.expect("the query runs");
        assert_eq!(row.is_some(), found, "{condition}");
    }
    scratch.drop().await;
}

#[tokio::test]
async fn unique_keys() {
    let scratch = Scratch::mysql().await;
    run(
        &scratch.db,
        "CREATE TABLE a (id int PRIMARY KEY, s varchar(20) UNIQUE, x int, y int, long_text varchar(200),
            plain int, g int AS (x + y) STORED UNIQUE, UNIQUE both_of (x, y),
            UNIQUE prefix (long_text(10)), KEY k (plain))",
    )
    .await;
    let schema = scratch.learn().await;
    assert_unique(
        &schema,
        "a",
        &[&["id"], &["S"], &["y", "x"], &["x", "y", "plain"]],
        &[&["x"], &["long_text"], &["plain"], &["g"], &[]],
    );
    if is_mariadb(&scratch).await {
        run(&scratch.db, "ALTER TABLE a ADD t text, ADD UNIQUE by_hash (t)").await;
        assert_unique(&scratch.learn().await, "a", &[&["id"]], &[&["t"]]);
    } else {
        run(&scratch.db, "ALTER TABLE a ADD t int, ADD UNIQUE functional ((t + 1))").await;
        assert_unique(&scratch.learn().await, "a", &[&["id"]], &[&["t"]]);
    }
    scratch.drop().await;
}

#[tokio::test]
async fn foreign_keys_reach_other_databases_and_back() {
    let (scratch, other) = (Scratch::mysql().await, Scratch::mysql().await);
    let (ours, theirs) = (scratch.name(), other.name());
    run(
        &scratch.db,
        &format!(
            "CREATE TABLE Author (id int PRIMARY KEY, code varchar(9) UNIQUE, name text);
            CREATE TABLE book (id int PRIMARY KEY, author int,
                FOREIGN KEY (author) REFERENCES Author (id) ON DELETE CASCADE);
            CREATE TABLE {theirs}.copy (id int PRIMARY KEY, book int,
                FOREIGN KEY (book) REFERENCES {ours}.book (id) ON DELETE CASCADE);
            CREATE TABLE loan (copy int, FOREIGN KEY (copy) REFERENCES {theirs}.copy (id) ON DELETE SET NULL);
            CREATE TABLE award (code varchar(9),
                FOREIGN KEY (code) REFERENCES Author (code) ON UPDATE CASCADE);
            CREATE TABLE refused (author int, FOREIGN KEY (author) REFERENCES Author (id));"
        ),
    )
    .await;
    let schema = scratch.learn().await;
    assert_eq!(schema.reached_by_delete("author"), names(["book", "copy", "loan"]));
    assert_eq!(schema.reached_by_update("author", &["name", "id"]), names([]));
    assert_eq!(schema.reached_by_update("author", &["code"]), names(["award"]));
    assert_eq!(schema.reached_by_truncate("author"), names(["award", "book", "copy", "loan", "refused"]));
    assert_tables(&schema, &[("author", "Plain"), (&format!("{theirs}.copy"), "Plain")]);
    assert_eq!(schema.table("copy"), None);
    run(&scratch.db, "DROP TABLE loan").await;
    other.drop().await;
    scratch.drop().await;
}

#[tokio::test]
async fn a_user_who_sees_less_is_told_the_worst() {
    let scratch = Scratch::mysql().await;
    run(
        &scratch.db,
        "CREATE TABLE scribe (id int PRIMARY KEY);
        CREATE TABLE scroll (scribe int, FOREIGN KEY (scribe) REFERENCES scribe (id) ON DELETE SET NULL);
        CREATE TABLE silent (id int PRIMARY KEY);
        CREATE TRIGGER t AFTER DELETE ON scribe FOR EACH ROW DELETE FROM silent;",
    )
    .await;
    let (user, database) = (unique_name(), scratch.name());
    run(
        &scratch.db,
        &format!(
            "CREATE USER {user}@'%' IDENTIFIED BY ''; CREATE USER {user}@localhost IDENTIFIED BY '';
            GRANT SELECT ON {database}.* TO {user}@'%'; GRANT SELECT ON {database}.* TO {user}@localhost;
            GRANT SELECT, DELETE ON {database}.scribe TO {user}@'%', {user}@localhost"
        ),
    )
    .await;
    let limited = scratch.connect_as(&user).await;
    let schema = learn(&limited).await;
    assert_eq!(schema.identity(), scratch.learn().await.identity());
    assert_eq!(schema.reached_by_delete("scribe"), names(["scroll"]));
    assert_tables(&schema, &[("scribe", "Plain writes elsewhere")]);
    assert!(schema.triggers_hidden());
    assert_tables(&schema, &[("silent", "Plain writes elsewhere")]);
    limited.close().await.expect("the connection closes");

    let grant = format!("GRANT TRIGGER ON {database}.* TO {user}@'%', {user}@localhost");
    run(&scratch.db, &grant).await;
    // Open connections keep their privileges on a database.
    let trusted = scratch.connect_as(&user).await;
    let schema = learn(&trusted).await;
    assert!(!schema.triggers_hidden());
    assert_tables(&schema, &[("silent", "Plain"), ("scribe", "Plain writes elsewhere")]);
    trusted.close().await.expect("the connection closes");
    run(&scratch.db, &format!("DROP USER {user}@'%', {user}@localhost")).await;
    scratch.drop().await;
}

#[tokio::test]
async fn identity_is_of_the_server() {
    let (one, two) = (Scratch::mysql().await, Scratch::mysql().await);
    assert_eq!(one.learn().await.identity(), one.learn().await.identity());
    assert_eq!(one.learn().await.identity(), two.learn().await.identity());
    one.drop().await;
    two.drop().await;
}

#[tokio::test]
async fn the_number_of_queries_does_not_grow_with_the_schema() {
    let (small, large) = (Scratch::mysql().await, Scratch::mysql().await);
    for number in 0..50 {
        run(&large.db, &format!("CREATE TABLE t{number} (id int PRIMARY KEY, s varchar(9) UNIQUE)")).await;
    }
    assert_eq!(queries_to_learn(small.db.clone()).await, queries_to_learn(large.db.clone()).await);
    small.drop().await;
    large.drop().await;
}

//! What is learned of a PostgreSQL database.

use sea_orm::ConnectionTrait;
use tests::unique_name;

use super::{Scratch, assert_columns, assert_tables, assert_unique, names, queries_to_learn, run};

#[tokio::test]
async fn tables_and_what_answers_to_a_tables_name() {
    let scratch = Scratch::postgres().await;
    run(
        &scratch.db,
        r#"CREATE TABLE plain (id int PRIMARY KEY);
        CREATE TABLE "Größe ""x""" (id int PRIMARY KEY);
        CREATE TABLE "Twin" (id int); CREATE TABLE twin (id int);
        CREATE TABLE echo (id int, "ID" int);
        CREATE VIEW looking AS SELECT * FROM plain;
        CREATE MATERIALIZED VIEW stored AS SELECT * FROM plain;
        CREATE UNLOGGED TABLE volatile (id int);
        CREATE TEMP TABLE passing (id int);
        CREATE TABLE whole (id int) PARTITION BY LIST (id);
        CREATE TABLE part PARTITION OF whole FOR VALUES IN (1);
        CREATE TABLE ancestor (id int); CREATE TABLE heir () INHERITS (ancestor);
        CREATE TABLE guarded (id int); ALTER TABLE guarded ENABLE ROW LEVEL SECURITY;
        CREATE FUNCTION nothing() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
        CREATE TABLE watched (id int);
        CREATE TRIGGER t BEFORE INSERT ON watched FOR EACH ROW EXECUTE FUNCTION nothing();
        CREATE TABLE ruled (id int);
        CREATE RULE r AS ON DELETE TO ruled DO ALSO DELETE FROM plain;
        CREATE TABLE referenced (id int PRIMARY KEY);
        CREATE TABLE referring (id int REFERENCES referenced);
        CREATE FOREIGN DATA WRAPPER w; CREATE SERVER s FOREIGN DATA WRAPPER w;
        CREATE FOREIGN TABLE far (id int) SERVER s;
        CREATE SCHEMA archive; CREATE TABLE archive.plain (id text); CREATE TABLE archive.only (id int);
        CREATE TABLE archive.twice (id int); CREATE TABLE twice (id int);
        CREATE TRIGGER t BEFORE INSERT ON archive.twice FOR EACH ROW EXECUTE FUNCTION nothing();"#,
    )
    .await;
    let schema = scratch.learn().await;
    assert_tables(
        &schema,
        &[
            ("plain", "Plain"),
            ("größe \"x\"", "Plain"),
            ("twin", "Other(\"several tables have this name\")"),
            ("echo", "Other(\"columns differ only in case\")"),
            ("looking", "Other(\"view\") writes elsewhere"),
            ("stored", "Other(\"materialized view\")"),
            ("volatile", "Apart(\"unlogged table, which a crash empties\")"),
            ("passing", "Other(\"temporary table\")"),
            ("whole", "Apart(\"partitioned table\")"),
            ("part", "Apart(\"partition, or table with inheritance\")"),
            ("ancestor", "Apart(\"partition, or table with inheritance\")"),
            ("heir", "Apart(\"partition, or table with inheritance\")"),
            ("guarded", "Plain row security"),
            ("watched", "Plain writes elsewhere"),
            ("ruled", "Plain writes elsewhere"),
            ("referenced", "Plain"),
            ("referring", "Plain"),
            ("far", "Other(\"foreign table\") writes elsewhere"),
            ("archive.only", "Plain"),
            ("archive.plain", "Plain"),
            ("twice", "Plain"),
            ("archive.twice", "Plain writes elsewhere"),
        ],
    );
    assert_columns(&schema, "plain", &[("id", "Integer")]);
    assert!(schema.is_in("public", "plain") && !schema.is_in("archive", "plain"));
    run(&scratch.db, "SET search_path = archive").await;
    let archive = scratch.learn().await;
    assert!(archive.is_in("archive", "plain") && !archive.is_in("public", "plain"));
    assert_columns(&archive, "plain", &[("id", "Text(Bytewise) nullable")]);
    assert_eq!((schema.table("only"), schema.table("pg_class")), (None, None));
    scratch.drop().await;
}

#[tokio::test]
async fn columns_that_may_not_be_read() {
    let scratch = Scratch::postgres().await;
    let user = unique_name();
    run(
        &scratch.db,
        &format!(
            "CREATE TABLE a (id int NOT NULL, s text NOT NULL); CREATE TABLE b (id int NOT NULL);
            CREATE ROLE {user}; GRANT SELECT (id), INSERT ON a TO {user}; GRANT SELECT ON b TO {user};
            SET ROLE {user}"
        ),
    )
    .await;
    let schema = scratch.learn().await;
    assert_columns(&schema, "a", &[("id", "Integer"), ("s", "Other not readable")]);
    assert_columns(&schema, "b", &[("id", "Integer")]);
    run(&scratch.db, &format!("RESET ROLE; DROP OWNED BY {user}; DROP ROLE {user}")).await;
    scratch.drop().await;
}

#[tokio::test]
async fn columns_and_their_equality() {
    let scratch = Scratch::postgres().await;
    run(
        &scratch.db,
        "CREATE COLLATION ignore_case (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
        CREATE EXTENSION citext;
        CREATE TYPE mood AS ENUM ('good', 'bad');
        CREATE DOMAIN name_text AS text NOT NULL;
        CREATE DOMAIN short_name AS name_text CHECK (length(value) < 10);
        CREATE DOMAIN loose_name AS text COLLATE ignore_case;
        CREATE DOMAIN email AS citext;
        CREATE DOMAIN positive AS bigint CHECK (value > 0);
        CREATE DOMAIN tags AS text[];
        CREATE TABLE a (i2 smallint NOT NULL, i4 int, i8 bigint GENERATED ALWAYS AS IDENTITY, f bool, u uuid,
            b bytea, t text, v varchar(10), c char(10), n name, e mood, d numeric, ci citext,
            loose text COLLATE ignore_case, posix text COLLATE \"C\", list int[],
            short short_name, ln loose_name, m email, p positive, tg tags,
            g int GENERATED ALWAYS AS (i4 * 2) STORED);
        ALTER TABLE a DROP COLUMN d;",
    )
    .await;
    let schema = scratch.learn().await;
    assert_columns(
        &schema,
        "a",
        &[
            ("i2", "Integer"),
            ("I4", "Integer nullable"),
            ("i8", "Integer"),
            ("f", "Bool nullable"),
            ("u", "Uuid nullable"),
            ("b", "Bytes nullable"),
            ("t", "Text(Bytewise) nullable"),
            ("v", "Text(Bytewise) nullable"),
            ("c", "Other nullable"),
            ("n", "Other nullable"),
            ("e", "Other nullable"),
            ("ci", "Text(Loose) nullable"),
            ("loose", "Text(Loose) nullable"),
            ("posix", "Text(Bytewise) nullable"),
            ("list", "Other nullable"),
            ("short", "Text(Bytewise) nullable"),
            ("ln", "Text(Loose) nullable"),
            ("m", "Text(Loose) nullable"),
            ("p", "Integer nullable"),
            ("tg", "Other nullable"),
            ("g", "Integer nullable changes by itself"),
        ],
    );
    assert_eq!(schema.column("a", "d"), None);
    scratch.drop().await;
}

#[tokio::test]
async fn unique_keys() {
    let scratch = Scratch::postgres().await;
    run(
        &scratch.db,
        r#"CREATE COLLATION ignore_case (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
        CREATE TABLE a (id int PRIMARY KEY, s text UNIQUE, late int UNIQUE DEFERRABLE INITIALLY DEFERRED,
            x int, y int, included int, part int, expr text, coll text, opclass text, bad int,
            excluded int, plain int, loose text COLLATE ignore_case UNIQUE,
            g int GENERATED ALWAYS AS (x + y) STORED UNIQUE, "Quoted ""col" int UNIQUE,
            EXCLUDE USING btree (excluded WITH =));
        CREATE UNIQUE INDEX ON a (y, x) INCLUDE (included);
        CREATE UNIQUE INDEX ON a (part) WHERE part > 0;
        CREATE UNIQUE INDEX ON a (lower(expr));
        CREATE UNIQUE INDEX ON a (coll COLLATE "C");
        CREATE UNIQUE INDEX ON a (opclass text_pattern_ops);
        CREATE INDEX ON a (plain);
        INSERT INTO a (id, bad) VALUES (1, 1), (2, 1);"#,
    )
    .await;
    // Fails, and leaves an index that is not valid.
    scratch
        .db
        .execute_unprepared("CREATE UNIQUE INDEX CONCURRENTLY ON a (bad)")
        .await
        .expect_err("two rows are equal");
    let schema = scratch.learn().await;
    assert_unique(
        &schema,
        "a",
        &[&["id"], &["s"], &["late"], &["x", "y"], &["quoted \"col"]],
        &[&["x"], &["x", "included"], &["part"], &["expr"], &["coll"], &["opclass"], &["bad"]],
    );
    assert_unique(&schema, "a", &[], &[&["loose"], &["excluded"], &["plain"], &["g"], &[]]);
    scratch.drop().await;
}

#[tokio::test]
async fn foreign_keys_reach() {
    let scratch = Scratch::postgres().await;
    run(
        &scratch.db,
        "CREATE TABLE author (id int PRIMARY KEY, code text UNIQUE, name text, n int,
            g int GENERATED ALWAYS AS (n * 2) STORED UNIQUE);
        CREATE TABLE book (id int PRIMARY KEY, author int REFERENCES author ON DELETE CASCADE);
        CREATE SCHEMA archive;
        CREATE TABLE archive.copy (id int PRIMARY KEY, book int REFERENCES book ON DELETE CASCADE);
        CREATE TABLE loan (copy int REFERENCES archive.copy ON DELETE SET NULL);
        CREATE TABLE award (code text REFERENCES author (code) ON UPDATE CASCADE ON DELETE RESTRICT);
        CREATE TABLE doubled (g int REFERENCES author (g) ON DELETE SET DEFAULT);
        CREATE TABLE refused (author int REFERENCES author);
        CREATE TABLE whole (id int PRIMARY KEY) PARTITION BY LIST (id);
        CREATE TABLE part PARTITION OF whole FOR VALUES IN (1);
        CREATE TABLE of_whole (id int REFERENCES whole ON DELETE CASCADE);
        CREATE TABLE of_part (id int REFERENCES part ON DELETE CASCADE);",
    )
    .await;
    let schema = scratch.learn().await;
    assert_eq!(schema.reached_by_delete("author"), names(["book", "copy", "doubled", "loan"]));
    assert_eq!(schema.reached_by_update("author", &["name", "id"]), names([]));
    assert_eq!(schema.reached_by_update("author", &["code"]), names(["award"]));
    assert_eq!(
        schema.reached_by_truncate("author"),
        names(["award", "book", "copy", "doubled", "loan", "refused"])
    );
    assert!(schema.reached_by_delete("whole").is_superset(&names(["of_part", "of_whole", "part"])));
    assert!(schema.reached_by_delete("part").is_superset(&names(["of_part", "of_whole", "whole"])));
    scratch.drop().await;
}

#[tokio::test]
async fn identity_is_of_server_and_database_whatever_the_search_path() {
    let (one, two) = (Scratch::postgres().await, Scratch::postgres().await);
    let first = one.learn().await;
    assert_eq!(first.identity(), one.learn().await.identity());
    assert_ne!(first.identity(), two.learn().await.identity());
    let user = unique_name();
    run(&one.db, &format!("CREATE SCHEMA other; CREATE ROLE {user}; GRANT {user} TO current_user")).await;
    run(&one.db, "SET search_path = other").await;
    assert_eq!(first.identity(), one.learn().await.identity());

    // Without the right to ask for the system identifier there still is one.
    run(&one.db, "REVOKE EXECUTE ON FUNCTION pg_control_system() FROM PUBLIC; RESET search_path").await;
    run(&one.db, &format!("SET ROLE {user}")).await;
    let fallback = one.learn().await;
    assert!(fallback.identity().ends_with(&format!("/{}", one.name())), "{}", fallback.identity());
    assert_ne!(fallback.identity(), first.identity());
    assert_eq!(fallback.identity(), one.learn().await.identity());
    run(&one.db, &format!("RESET ROLE; DROP ROLE {user}")).await;
    one.drop().await;
    two.drop().await;
}

#[tokio::test]
async fn the_number_of_queries_does_not_grow_with_the_schema() {
    let (small, large) = (Scratch::postgres().await, Scratch::postgres().await);
    for number in 0..50 {
        run(&large.db, &format!("CREATE TABLE t{number} (id int PRIMARY KEY, s text UNIQUE)")).await;
    }
    assert_eq!(queries_to_learn(small.db.clone()).await, queries_to_learn(large.db.clone()).await);
    small.drop().await;
    large.drop().await;
}

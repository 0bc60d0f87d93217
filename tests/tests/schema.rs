//! What the cache learns of a schema, on every database.

use std::{
    collections::BTreeSet,
    env,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use cache_orm::testing::LearnedSchema;
use sea_orm::{ConnectOptions, ConnectionTrait, DatabaseConnection, DbBackend, Statement};
use tests::{Backend, Database, unique_name};

/// A database of its own for one test, and one connection to it: what a session sets or creates stays there.
struct Scratch {
    database: Database,
    db: DatabaseConnection,
}

impl Scratch {
    async fn postgres() -> Self {
        Scratch::create(Backend::Postgres).await
    }

    async fn mysql() -> Self {
        Scratch::create(Backend::MySql).await
    }

    async fn create(backend: Backend) -> Self {
        let database = Database::create(backend).await;
        let db = database.connect_with(|options| _ = options.max_connections(1)).await;
        Scratch { database, db }
    }

    fn name(&self) -> &str {
        let url = self.database.url();
        let path = url.split_once('?').map_or(url, |(path, _)| path);
        path.rsplit_once('/').expect("a URL has a path").1
    }

    async fn learn(&self) -> LearnedSchema {
        learn(&self.db).await
    }

    /// A connection as another user, without a password: MySQL takes one over TLS only.
    async fn connect_as(&self, user: &str) -> DatabaseConnection {
        let (scheme, rest) = self.database.url().split_once("://").expect("a URL has a scheme");
        let host = rest.rsplit_once('@').map_or(rest, |(_, host)| host);
        connect(&format!("{scheme}://{user}@{host}")).await
    }

    async fn drop(self) {
        self.db.close().await.expect("the connection closes");
        self.database.close().await.expect("it can be removed");
    }
}

async fn connect(url: &str) -> DatabaseConnection {
    let options = ConnectOptions::new(url).max_connections(1).sqlx_logging(false).to_owned();
    sea_orm::Database::connect(options).await.expect("the server accepts the connection")
}

async fn sqlite() -> DatabaseConnection {
    connect("sqlite::memory:").await
}

async fn run(db: &DatabaseConnection, sql: &str) {
    db.execute_unprepared(sql).await.unwrap_or_else(|error| panic!("{error}\n{sql}"));
}

async fn learn(db: &DatabaseConnection) -> LearnedSchema {
    LearnedSchema::learn(db).await.expect("the catalogs can be read")
}

async fn queries_to_learn(mut db: DatabaseConnection) -> usize {
    let count = Arc::new(AtomicUsize::new(0));
    let seen = Arc::clone(&count);
    db.set_metric_callback(move |_| {
        seen.fetch_add(1, Ordering::Relaxed);
    });
    learn(&db).await;
    count.load(Ordering::Relaxed)
}

fn names<'a>(names: impl IntoIterator<Item = &'a str>) -> BTreeSet<&'a str> {
    names.into_iter().collect()
}

#[track_caller]
fn assert_tables(schema: &LearnedSchema, expected: &[(&str, &str)]) {
    for (table, words) in expected {
        assert_eq!(schema.table(table).as_deref(), Some(*words), "{table}");
    }
}

#[track_caller]
fn assert_columns(schema: &LearnedSchema, table: &str, expected: &[(&str, &str)]) {
    for (column, words) in expected {
        assert_eq!(schema.column(table, column).as_deref(), Some(*words), "{table}.{column}");
    }
}

#[track_caller]
fn assert_unique(schema: &LearnedSchema, table: &str, unique: &[&[&str]], not: &[&[&str]]) {
    for columns in unique {
        assert!(schema.is_unique(table, columns), "{columns:?} of {table} is unique");
    }
    for columns in not {
        assert!(!schema.is_unique(table, columns), "{columns:?} of {table} is not known to be unique");
    }
}

mod sqlite {
    use super::*;

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
}

mod postgres {
    use super::*;

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
}

/// MySQL, or MariaDB.
mod mysql {
    use super::*;

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
            run(&scratch.db, "CREATE TABLE kept (id int) WITH SYSTEM VERSIONING; CREATE SEQUENCE numbers")
                .await;
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
            run(&large.db, &format!("CREATE TABLE t{number} (id int PRIMARY KEY, s varchar(9) UNIQUE)"))
                .await;
        }
        assert_eq!(queries_to_learn(small.db.clone()).await, queries_to_learn(large.db.clone()).await);
        small.drop().await;
        large.drop().await;
    }
}

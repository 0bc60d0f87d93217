//! Statements other than INSERT, UPDATE and DELETE, and reads that are none.

use super::*;

#[test]
fn reads() {
    check_all(
        &EVERY,
        "read",
        &[
            "SELECT 1",
            "  select\n*\nfrom t where a = 1  ",
            "(SELECT 1) UNION (SELECT 2)",
            "((SELECT 1))",
            "VALUES (1), (2)",
            "WITH x AS (SELECT 1) SELECT * FROM x",
            "WITH RECURSIVE x(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM x) SELECT * FROM x",
            "WITH x (a, b) AS (SELECT 1, 2), y(c) AS (VALUES (3)) SELECT * FROM x, y",
            "SELECT count(*), max(a), coalesce(a, 1), lower(b) FROM t GROUP BY (c) HAVING (count(*) > 1)",
            "SELECT row_number() OVER (PARTITION BY a ORDER BY b) FROM t",
            "SELECT a FROM t WHERE (b, c) IN ((1, 2)) AND EXISTS (SELECT 1) AND NOT (d)",
            "SELECT a FROM (SELECT 1 AS a) AS x JOIN (SELECT 2 AS b) AS y ON (x.a = y.b) JOIN z USING (b)",
            "SELECT t.delete, t.update, t.into FROM t",
            "SELECT CASE WHEN (a) THEN (b) ELSE (c) END FROM t ORDER BY (d) LIMIT (1)",
            "SELECT CAST(a AS varchar(10)), CAST(b AS decimal(10, 2)) FROM t",
            "SELECT replace(a, 'x', 'y') FROM t",
            "SELECT 1; SELECT 2",
        ],
    );
    check_all(
        &[Postgres],
        "read",
        &[
            "TABLE t",
            "SELECT a FROM generate_series(1, 3) AS g(a), unnest(ARRAY[1, 2]) WITH ORDINALITY AS u(b, c)",
            "SELECT sum(a) FILTER (WHERE b), array_agg(a ORDER BY b) FROM t GROUP BY GROUPING SETS ((a), (b))",
            "SELECT a::numeric(10,2), $1::\"genre\", now(), gen_random_uuid(), nextval('s') FROM ONLY (t)",
            "SELECT a IS DISTINCT FROM b, a[1], (c).d, extract(epoch from e) FROM t TABLESAMPLE system (10)",
            "SELECT pg_advisory_xact_lock($1)",
            "SELECT a FROM t, LATERAL (SELECT 1) AS x WHERE a = ANY ($1) AND b > ALL (SELECT 1)",
            "WITH x AS MATERIALIZED (SELECT 1), y AS NOT MATERIALIZED (SELECT 2) SELECT * FROM x, y",
        ],
    );
    check_all(
        &[MySql],
        "read",
        &[
            "SELECT group_concat(a), ifnull(b, 1), truncate(c, 2), insert(d, 1, 2, 'x') FROM t USE INDEX (i)",
            "SELECT LAST_INSERT_ID(), @a := 1, @@sql_mode, a->>'$.x' FROM t WHERE MATCH(b) AGAINST('x' IN BOOLEAN MODE)",
            "SELECT a FROM t, JSON_TABLE(b, '$[*]' COLUMNS(c INT PATH '$')) AS j",
        ],
    );
    check_all(&[Sqlite], "read", &["SELECT value FROM json_each(?), pragma_table_info('t')"]);
}

#[test]
fn locking_reads() {
    check_all(
        &EVERY,
        "locking",
        &["SELECT a FROM t FOR UPDATE", "SELECT 1 FROM t FOR SHARE", "SELECT 1; SELECT 1 FROM t FOR UPDATE"],
    );
    check_all(
        &[Postgres, MySql],
        "locking",
        &["SELECT a FROM t WHERE b IN (1) FOR UPDATE OF t SKIP LOCKED", "SELECT a FROM t LOCK IN SHARE MODE"],
    );
    check_all(
        &[Postgres],
        "locking",
        &[
            "SELECT a FROM t FOR NO KEY UPDATE NOWAIT",
            "SELECT a FROM t FOR KEY SHARE",
            "(SELECT a FROM t FOR UPDATE)",
        ],
    );
}

#[test]
fn calls_of_unknown_functions_may_do_anything() {
    check_all(
        &EVERY,
        "unknown",
        &[
            "SELECT f()",
            "SELECT f ( )",
            "SELECT f/**/(1)",
            "SELECT a FROM t WHERE f(a)",
            "SELECT a FROM t ORDER BY f(a)",
            "SELECT a FROM t LIMIT f(1)",
            "SELECT a FROM f(1)",
            "SELECT a FROM t, f(1) AS (b int)",
            "SELECT a FROM t, f(x) AS (deleted int)",
            "SELECT a FROM t JOIN u ON f(t.a)",
            "SELECT my.f(1)",
            "SELECT my.lower(a) FROM t",
            "SELECT my . lower(a) FROM t",
            "SELECT lower(upper(f(a))) FROM t",
            "SELECT CASE WHEN f(1) THEN 1 END",
            "WITH x AS (SELECT f(1)) SELECT * FROM x",
            "VALUES (f(1))",
            "SELECT query_to_xml('DELETE FROM t', true, true, '')",
            "SELECT load_extension('x')",
            "SELECT over(1)",
            "SELECT 1 WHERE x IN (SELECT conflict(1))",
            "SELECT 1 (2)",
            "SELECT 'f' (2)",
        ],
    );
    check_all(&[Postgres, Sqlite], "unknown", &[r#"SELECT "lower"(a) FROM t"#, r#"SELECT "f"(1)"#]);
    check_all(
        &[Postgres],
        "unknown",
        &[
            "SELECT dblink_exec('DELETE FROM t')",
            "SELECT set(a) FROM t",
            "SELECT join(a) FROM t",
            "SELECT by(1)",
        ],
    );
    // A stored function, because of the space.
    check_all(&[MySql], "unknown", &["SELECT count (*) FROM t", "SELECT any(1)", "SELECT `f`(1)"]);
}

#[test]
fn into_writes() {
    check_all(
        &EVERY,
        "unknown",
        &[
            "SELECT a INTO b FROM t",
            "SELECT a FROM t INTO OUTFILE 'x'",
            "SELECT a FROM t INTO @x",
            "TABLE t INTO OUTFILE 'x'",
            "(SELECT a INTO b FROM t)",
            "WITH x AS (SELECT 1) SELECT * INTO b FROM x",
        ],
    );
}

#[test]
fn what_is_not_known_may_do_anything() {
    check_all(
        &EVERY,
        "unknown",
        &[
            "CALL p()",
            "DO f(1)",
            "COPY t FROM STDIN",
            "COPY (DELETE FROM t RETURNING a) TO STDOUT",
            "MERGE INTO t USING s ON t.a = s.a WHEN MATCHED THEN DELETE",
            "WITH x AS (SELECT 1) MERGE INTO t USING x ON true WHEN MATCHED THEN DELETE",
            "WITH x AS (SELECT 1) MERGE t USING x ON true WHEN MATCHED THEN DO NOTHING",
            "SELECT a DELETE FROM t",
            "PREPARE p AS DELETE FROM t",
            "EXECUTE p",
            "EXECUTE IMMEDIATE 'DELETE FROM t'",
            "LOAD DATA INFILE 'x' INTO TABLE t",
            "REFRESH MATERIALIZED VIEW v",
            "HANDLER t OPEN",
            "DECLARE c CURSOR FOR SELECT 1",
            "FETCH c",
            "KILL 1",
            "SELEC 1",
            "'SELECT'",
            "\"SELECT\" 1",
            ")",
            "SELECT (1",
            "SELECT 1)",
            "(DELETE FROM t)",
            "(CALL p())",
            "BEGIN NOT ATOMIC DELETE FROM t",
            "START SLAVE",
            "SET STATEMENT max_statement_time = 1 FOR DELETE FROM t",
        ],
    );
    check_all(&[Postgres, MySql], "unknown", &["DO $$ BEGIN DELETE FROM t; END $$"]);
    check_all(&[Sqlite], "unknown", &["TRUNCATE t", "SHOW TABLES"]);
    check_all(
        &[MySql],
        "unknown",
        &["ANALYZE DELETE FROM t", "ANALYZE FORMAT=JSON UPDATE t SET a = 1", "VACUUM"],
    );
}

#[test]
fn schema() {
    check_all(
        &EVERY,
        "schema",
        &[
            "CREATE TABLE t (a int)",
            "CREATE TABLE t AS SELECT f(1)",
            "create index i on t (a)",
            "ALTER TABLE t ADD b int",
            "DROP TABLE t",
            "RENAME TABLE a TO b",
            "COMMENT ON TABLE t IS 'x'",
            "GRANT SELECT ON t TO u",
            "CREATE TABLE a (b int); INSERT INTO a VALUES (1); SELECT 1",
            "CREATE TRIGGER x AFTER UPDATE ON t BEGIN DELETE FROM u; UPDATE v SET a = CASE b WHEN 1 THEN 2 END; END",
        ],
    );
    check(&[MySql], &[("TRUNCATE t", "schema"), ("TRUNCATE TABLE t", "schema")]);
    check(
        &EVERY,
        &[
            ("CREATE TRIGGER x AFTER UPDATE ON t BEGIN SELECT 1; END; BEGIN; DELETE FROM t; END", "session"),
            ("CREATE TABLE t (a int); BEGIN; END", "session"),
        ],
    );
}

#[test]
fn session() {
    check_all(
        &EVERY,
        "session",
        &[
            "BEGIN",
            "begin transaction;",
            "START TRANSACTION READ ONLY",
            "BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY, NOT DEFERRABLE",
            "COMMIT",
            "ROLLBACK TO SAVEPOINT x",
            "SAVEPOINT x",
            "RELEASE x",
            "END",
            "SET search_path = x",
            "SET ROLE x",
            "SET sql_mode = ''",
            "SET @@foreign_key_checks = 0",
            "set x = 'never closed",
            "SET NAMES utf8mb4",
            "RESET ALL",
            "DISCARD ALL",
            "SELECT 1; SET ROLE x",
        ],
    );
    check_all(&[MySql], "session", &["USE x", "LOCK TABLES t WRITE", "UNLOCK TABLES"]);
    check_all(
        &[MySql],
        "commits",
        &[
            "ANALYZE TABLE t",
            "CHECK TABLE t",
            "OPTIMIZE LOCAL TABLE t",
            "FLUSH TABLES",
            "FLUSH NO_WRITE_TO_BINLOG STATUS",
            "ANALYZE TABLE t; SELECT 1",
        ],
    );
    check_all(
        &[MySql],
        "unknown",
        &[
            "FLUSH PRIVILEGES",
            "FLUSH TABLES WITH READ LOCK",
            "FLUSH TABLES t FOR EXPORT",
            "REPAIR TABLE t",
            "DELETE FROM t; ANALYZE TABLE t",
        ],
    );
    check_all(
        &[Sqlite],
        "session",
        &[
            "ATTACH 'x' AS y",
            "DETACH y",
            "PRAGMA case_sensitive_like = ON",
            "PRAGMA \"foreign_keys\" = ON",
            "PRAGMA writable_schema = 1",
            "PRAGMA journal_mode = OFF",
            "BEGIN IMMEDIATE",
        ],
    );
    // The widest: what comes after it, or fails within it, leaves the connection in that state.
    check_all(
        &EVERY,
        "session",
        &[
            "BEGIN; DELETE FROM t; COMMIT",
            "SET search_path = x; DELETE FROM t",
            "DROP TABLE t; COMMIT",
            "CALL p(); COMMIT",
        ],
    );
}

#[test]
fn harmless() {
    check_all(
        &[Postgres],
        "other",
        &[
            "LISTEN x",
            "NOTIFY x, 'y'",
            "VACUUM (ANALYZE) t",
            "ANALYZE t",
            "LOCK TABLE t IN EXCLUSIVE MODE",
            "SHOW search_path",
            "CHECKPOINT",
            "REINDEX TABLE t",
        ],
    );
    check(
        &[Postgres],
        &[
            ("SET statement_timeout = 1000", "other"),
            ("SET LOCAL lock_timeout TO '1s'", "other"),
            ("SET CONSTRAINTS ALL DEFERRED", "other"),
            ("SET LOCAL search_path TO x", "session"),
        ],
    );
    check_all(
        &[MySql],
        "other",
        &["SHOW TABLES", "SHOW CREATE TABLE t", "DESCRIBE t", "DESC t 'a%'", "EXPLAIN t"],
    );
    check_all(
        &[Sqlite],
        "other",
        &[
            "VACUUM",
            "ANALYZE",
            "PRAGMA foreign_keys",
            "PRAGMA foreign_keys = ON",
            "PRAGMA foreign_keys(0)",
            "PRAGMA main.recursive_triggers = 1",
            "PRAGMA table_info(t)",
            "PRAGMA main.cache_size = 9",
            "PRAGMA journal_mode = wal",
            "REINDEX",
        ],
    );
    check_all(&[MySql], "unknown", &["SHOW TABLES WHERE f(1)"]);
}

#[test]
fn explain_may_run_what_it_explains() {
    check_all(&EVERY, "other", &["EXPLAIN SELECT 1", "EXPLAIN DELETE FROM t", "EXPLAIN (SELECT 1)"]);
    check(
        &[Postgres],
        &[
            ("EXPLAIN ANALYZE DELETE FROM t WHERE id = $1", "delete t(id=0)"),
            ("EXPLAIN (COSTS off, ANALYZE) UPDATE t SET a = 1", "update[a] t"),
            ("EXPLAIN (FORMAT json) UPDATE t SET a = 1", "other"),
            ("EXPLAIN ANALYZE VERBOSE SELECT 1", "read"),
            ("EXPLAIN ANALYZE CREATE TABLE x AS SELECT 1", "unknown"),
            (
                "EXPLAIN ANALYZE MERGE INTO t USING (SELECT 1) AS s ON true WHEN MATCHED THEN DELETE",
                "unknown",
            ),
            ("EXPLAIN (ANALYZE) EXECUTE p", "unknown"),
            ("EXPLAIN EXECUTE p(f(1))", "unknown"),
            ("EXPLAIN SELECT f(1)", "unknown"),
            ("EXPLAIN ANALYZE (WITH x AS (DELETE FROM t) SELECT 1)", "delete t"),
        ],
    );
    check(
        &[MySql],
        &[
            ("EXPLAIN ANALYZE SELECT 1", "read"),
            ("EXPLAIN FORMAT=JSON SELECT 1", "other"),
            ("EXPLAIN FORMAT='tree' DELETE FROM t", "other"),
        ],
    );
    check(
        &[Sqlite],
        &[
            ("EXPLAIN QUERY PLAN DELETE FROM t", "other"),
            ("EXPLAIN PRAGMA foreign_keys = 0", "unknown"),
            ("EXPLAIN t", "unknown"),
        ],
    );
}

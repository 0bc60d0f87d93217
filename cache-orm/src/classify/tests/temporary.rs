//! What one session has for itself changes the session.

use super::*;

#[test]
fn a_temporary_table_changes_the_session() {
    check_all(
        &EVERY,
        "session",
        &[
            "CREATE TEMPORARY TABLE t (a int)",
            "create temporary table if not exists t select 1",
            "SELECT 1; CREATE TEMPORARY TABLE t (a int)",
            "CREATE TEMP VIEW v AS SELECT 1",
        ],
    );
    check_all(
        &[Postgres],
        "session",
        &[
            "CREATE TEMP TABLE t (a int)",
            "CREATE LOCAL TEMP TABLE t (a int) ON COMMIT PRESERVE ROWS",
            "CREATE GLOBAL TEMPORARY TABLE t (a int) ON COMMIT DELETE ROWS",
            "CREATE OR REPLACE TEMP VIEW v AS SELECT 1",
            "CREATE TABLE pg_temp.t (a int)",
            "CREATE TABLE \"pg_temp_3\".t AS SELECT 1",
            "CREATE FUNCTION pg_temp.f() RETURNS int LANGUAGE sql AS 'SELECT 1'",
            "SELECT a INTO TEMP t FROM u",
            "SELECT a INTO LOCAL TEMPORARY TABLE t FROM u",
            "WITH x AS (SELECT 1) SELECT * INTO pg_temp.t FROM x",
            "EXPLAIN ANALYZE CREATE TEMP TABLE t AS SELECT 1",
        ],
    );
    check_all(
        &[Sqlite],
        "session",
        &[
            "CREATE TEMP TABLE t (a int)",
            "CREATE TABLE temp.t (a int)",
            "CREATE TABLE \"Temp\".t (a int)",
            "CREATE TEMP TRIGGER x AFTER UPDATE ON t BEGIN DELETE FROM u; END",
        ],
    );
}

#[test]
fn what_only_looks_temporary_does_not() {
    check(
        &[Postgres],
        &[
            // Gone with its transaction, which is at once outside of one.
            ("CREATE TEMP TABLE t (a int) ON COMMIT DROP", "schema"),
            ("CREATE TABLE temp (temporary int)", "schema"),
            ("CREATE TABLE t AS SELECT temp FROM temporary", "schema"),
            ("INSERT INTO temp VALUES (1)", "insert temp"),
            ("INSERT INTO pg_temp.t VALUES (1)", "insert t"),
            ("SELECT a INTO t FROM u", "unknown"),
        ],
    );
    check(&[Sqlite], &[("CREATE TABLE temp (a int)", "schema"), ("DELETE FROM temp.t", "delete t")]);
    check(&[MySql], &[("CREATE TABLE temp.t (a int)", "schema")]);
}

#[test]
fn settings_of_later_sessions_are_settings_of_some_sessions() {
    check_all(
        &[Postgres],
        "session",
        &[
            "ALTER ROLE app SET search_path = t1, public",
            "ALTER USER app IN DATABASE shop RESET ALL",
            "ALTER DATABASE shop SET search_path TO t1",
            "SET ROLE x",
            "SET SESSION AUTHORIZATION x",
            "RESET ROLE",
        ],
    );
    check_all(
        &[Postgres],
        "schema",
        &["ALTER ROLE app NOLOGIN", "GRANT a TO b", "REVOKE SELECT (v) ON t FROM u"],
    );
}

#[test]
fn one_in_a_text_that_is_not_understood_does_too() {
    check_all(
        &[Postgres],
        "session",
        &[
            "CREATE TEMP TABLE t AS SELECT 'C:\\' AS path",
            "CREATE TABLE pg_temp.t (a text DEFAULT 'C:\\')",
            "SELECT 'C:\\' AS path INTO LOCAL TEMP TABLE t",
            "DO $$ BEGIN CREATE TEMP TABLE t (a int); END $$",
            "DO $$ BEGIN EXECUTE format('CREATE TEMP TABLE %I (a int)', 't'); END $$",
            "ALTER ROLE a SET search_path = 'C:\\'",
            "DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET search_path = a', 'b'); END $$",
        ],
    );
    check_all(
        &[Postgres],
        "unknown schema",
        &[
            "CREATE TEMP TABLE t ON COMMIT DROP AS SELECT 'C:\\' AS path",
            "DO $$ DECLARE temp int; BEGIN CREATE TABLE t (a int); SELECT 1 INTO temp; END $$",
            "ALTER ROLE a PASSWORD 'C:\\'; UPDATE t SET a = 1",
        ],
    );
    check_all(
        &[MySql],
        "session",
        &[
            "CREATE TEMPORARY TABLE t (a int) COMMENT 'it\\'s'",
            "CREATE TEMPORARY TABLE t (a int) /*! ENGINE = InnoDB */",
            "CREATE /*! TEMPORARY */ TABLE t (a int)",
            "/*! CREATE OR REPLACE TEMPORARY TABLE t (a int) */",
            "BEGIN NOT ATOMIC CREATE TEMPORARY TABLE t (a int); END",
            "EXECUTE IMMEDIATE 'CREATE TEMPORARY TABLE t (a int)'",
        ],
    );
    check_all(&[Sqlite], "session", &["CREATE TABLE temp.t AS SELECT 1a"]);
}

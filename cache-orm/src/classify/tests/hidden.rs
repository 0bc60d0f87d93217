//! Session changes that hide in texts, and words that only look like them.

use super::{super::hidden, *};

#[test]
fn a_verb_where_a_statement_can_begin() {
    check_all(
        &EVERY,
        "session",
        &[
            "/* x */ BEGIN; SELECT f(1)",
            "SELECT f(1); -- x\nSET x = 1",
            "SELECT f(1);\n/* ; */ ROLLBACK",
            "\u{feff}BEGIN",
            "/* x */ \u{feff} COMMIT 'never closed",
            "SAVEPOINT a /* never closed",
            "SELECT 1a; START TRANSACTION",
            "BEGIN TRANSACTION of_this_name",
        ],
    );
    check_all(
        &[MySql],
        "session",
        &[
            "XA START 'x'",
            "xa commit 'x'",
            "/*!40000 SET autocommit=0 */",
            "/*!SET autocommit=0*/",
            "/*M!100100 SET autocommit=0 */",
            "/*!40000 */ SET autocommit = 0",
            // On a server to which the comment is one.
            "/*!99999 UPDATE t */ SET autocommit = 0",
            "/*!99999 BEGIN NOT ATOMIC */ BEGIN",
            "SELECT 1 /*! ; SET autocommit = 0 */",
            "EXECUTE IMMEDIATE 'SET autocommit=0'",
            "EXECUTE IMMEDIATE \"BEGIN\" ",
            "EXECUTE IMMEDIATE 'EXECUTE IMMEDIATE ''START TRANSACTION'''",
            "EXECUTE IMMEDIATE CONCAT('S', 'ET autocommit=0')",
            "EXECUTE IMMEDIATE 'S' 'ET autocommit=0'",
            "EXECUTE IMMEDIATE @x",
            "PREPARE p FROM @x",
            "PREPARE p FROM 'SET autocommit = 0'",
            "SET STATEMENT max_statement_time=5 FOR SET autocommit=0",
            "BEGIN NOT ATOMIC SET autocommit = 0; END",
            "BEGIN NOT ATOMIC SELECT 1; START TRANSACTION; END",
            "BEGIN NOT ATOMIC SELECT 1; END; BEGIN",
            "BEGIN NOT ATOMIC DECLARE EXIT HANDLER FOR NOT FOUND SET autocommit = 0; SELECT f(); END",
            "BEGIN NOT ATOMIC DECLARE x int; SET x = 1, sql_mode = ''; END",
            "IF 1 THEN SET autocommit = 0; END IF",
            "IF 1 THEN SELECT 1; END IF; BEGIN",
            "WHILE 1 DO START TRANSACTION; END WHILE",
            "SELECT '\\''; SET autocommit=0",
            "SELECT '\\'; SET autocommit=0; -- '",
        ],
    );
    check_all(
        &[Postgres],
        "session",
        &[
            "DO $$ BEGIN SET search_path = x; END $$",
            "DO LANGUAGE plpgsql 'BEGIN RESET ALL; END'",
            "DO $a$ BEGIN EXECUTE 'SET ROLE x'; END $a$",
            "DO $a$ BEGIN IF true THEN EXECUTE $b$ SET ROLE x $b$; END IF; END $a$",
            "DO $$ BEGIN PERFORM set_config('search_path', 'x', false); END $$",
            "SELECT set_config('search_path', 'x', false)",
            "SELECT pg_catalog.\"set_config\"('search_path', 'x', $1)",
            "SELECT f(set_config('search_path', lower('x'), false))",
            "PREPARE TRANSACTION 'x'",
            "SELECT U&'x'; BEGIN",
        ],
    );
    check_all(&[Sqlite], "session", &["EXPLAIN 1a; PRAGMA foreign_keys = 0", "SELECT 1a;\0ATTACH 'x' AS y"]);
}

#[test]
fn elsewhere_it_is_none() {
    check_all(
        &EVERY,
        "unknown",
        &[
            "UPDATE t SET a = f(1)",
            "UPDATE t /* ; */ SET a = f(1), b = ';'",
            "UPDATE t /* x */ SET a = f(1) -- ; BEGIN",
            "INSERT INTO t VALUES (f(1)) ON CONFLICT (a) DO UPDATE SET b = 1",
            "INSERT INTO t VALUES (f(1)) ON DUPLICATE KEY UPDATE b = 1",
            "MERGE INTO t USING s ON t.a = s.a WHEN MATCHED THEN UPDATE SET b = 1",
            "SELECT f('; BEGIN', 'SET x')",
            "CALL p('BEGIN', \"x\")",
            "SELECT f(begin, commit) AS set FROM start",
        ],
    );
    check_all(
        &[Postgres],
        "unknown schema",
        &["DO $$ BEGIN EXECUTE 'ALTER TABLE t ALTER a SET DEFAULT 1'; UPDATE t SET a = 'set'; END $$"],
    );
    check_all(
        &[MySql],
        "unknown schema",
        &[
            "/*!50003 CREATE*/ /*!50003 TRIGGER x BEFORE INSERT ON t FOR EACH ROW SET NEW.a = 1 */",
            "/*! CREATE PROCEDURE p() BEGIN START TRANSACTION; IF 1 THEN SET x = 1; END IF; BEGIN END; COMMIT; END */",
            "ALTER TABLE t /*! ALTER COLUMN a SET DEFAULT 1 */",
        ],
    );
    check_all(
        &[MySql],
        "unknown",
        &[
            "/*!40000 UPDATE t SET a = 1 */",
            "UPDATE t /*!40000 SET a = 1 */",
            "UPDATE t SET a = 'it\\'s'",
            "EXECUTE IMMEDIATE 'UPDATE t SET a = 1' USING @x",
            "SET STATEMENT max_statement_time = 1 FOR UPDATE t SET a = 1",
            "BEGIN NOT ATOMIC DECLARE x, y int; SET x = 1, y = f(x, 2), @z = 3; COMMIT; END",
            "BEGIN NOT ATOMIC DECLARE done int; DECLARE CONTINUE HANDLER FOR SQLSTATE '02000' SET done = 1; END",
            "BEGIN NOT ATOMIC FOR i IN 1..2 DO SET i = 1; END FOR; SELECT CASE 1 WHEN 1 THEN 2 END; BEGIN END; END",
        ],
    );
    check_all(
        &[Postgres],
        "unknown",
        &[
            "DO $$ BEGIN NULL; END $$",
            "DO $$ <<l>> DECLARE x int := 1; BEGIN FOR x IN 1..2 LOOP PERFORM 1; END LOOP; COMMIT; END $$",
            "DO $$ BEGIN SET LOCAL search_path = x; SET CONSTRAINTS ALL DEFERRED; SET lock_timeout = 1; END $$",
            "EXECUTE p('set x')",
            "INSERT INTO t VALUES (U&'x') ON CONFLICT (a) DO UPDATE SET b = 1",
        ],
    );
}

#[test]
fn bodies_of_procedures() {
    let loud = |body: &str| hidden::of_body(body, &["amount".into()]).changes;
    for body in [
        "START TRANSACTION",
        "BEGIN START TRANSACTION; UPDATE t SET a = 1; COMMIT; END",
        "BEGIN UPDATE t SET a = 1; COMMIT AND CHAIN; END",
        "BEGIN SET autocommit = 0; END",
        "SET @@sql_mode = ''",
        "BEGIN SET amount = 1, SESSION sql_mode = ''; END",
        "BEGIN DECLARE EXIT HANDLER FOR SQLEXCEPTION SET NAMES latin1; SELECT 1; END",
        "l: BEGIN IF amount THEN XA BEGIN 'x'; END IF; END",
        "BEGIN PREPARE s FROM @sql; EXECUTE s; END",
    ] {
        assert!(loud(body), "{body}");
    }
    for body in [
        "UPDATE t SET a = amount",
        "BEGIN DECLARE x int DEFAULT 0; SET x = amount, amount = 1; SET @y := (SELECT max(a) FROM t); END",
        "BEGIN DECLARE EXIT HANDLER FOR SQLEXCEPTION ROLLBACK; UPDATE t SET a = 1; COMMIT; END",
        "BEGIN DECLARE `quoted` int; SET `quoted` = 1; COMMIT AND NO CHAIN RELEASE; END",
        "BEGIN INSERT INTO t VALUES ('SET x') ON DUPLICATE KEY UPDATE a = 1; END",
    ] {
        assert!(!loud(body), "{body}");
    }
    let calls = hidden::of_body("BEGIN CALL other.`First`(1); IF 1 THEN CALL second; END IF; END", &[]).calls;
    assert_eq!(calls, ["first", "second"]);
}

//! INSERT, UPDATE, DELETE and TRUNCATE as people write them.

use super::*;

#[test]
fn inserts() {
    check_all(
        &EVERY,
        "insert t",
        &[
            "INSERT INTO t VALUES (1, 2)",
            "insert into T (a, b) values (1, 2), (3, 4)",
            "INSERT INTO s.t (a) VALUES (1) RETURNING a, lower(b)",
            "INSERT INTO t (a) SELECT b FROM u WHERE c IN (SELECT 1)",
            "INSERT INTO t (SELECT b FROM u)",
            "INSERT INTO t (a) (SELECT b FROM u)",
            "INSERT INTO t (a) WITH x AS (SELECT 1) SELECT * FROM x",
            "INSERT INTO t DEFAULT VALUES",
            "INSERT INTO t (a) VALUES (1) ON CONFLICT DO NOTHING",
            "INSERT INTO t (a) VALUES (1) ON CONFLICT (a, b) WHERE c DO NOTHING",
        ],
    );
    check_all(
        &[Postgres],
        "insert t",
        &["INSERT INTO \"S\".\"T\" AS x (\"a\") OVERRIDING SYSTEM VALUE VALUES ($1)"],
    );
    check_all(
        &[MySql],
        "insert t",
        &[
            "INSERT IGNORE t VALUES (1)",
            "INSERT LOW_PRIORITY INTO `d`.`t` SET a = 1",
            "INSERT INTO t () VALUES ()",
            "INSERT INTO t (a) VALUE (1)",
        ],
    );
    check_all(
        &[Sqlite],
        "insert t",
        &[
            "INSERT OR IGNORE INTO t VALUES (1)",
            "INSERT OR FAIL INTO [T] VALUES (1)",
            "INSERT INTO `t` AS x VALUES (1)",
        ],
    );
}

#[test]
fn upserts() {
    check_all(
        &[Postgres, Sqlite],
        "upsert t",
        &["INSERT INTO t (a) VALUES (1) ON CONFLICT (a) DO UPDATE SET a = excluded.a WHERE t.b = 2"],
    );
    check_all(
        &[MySql],
        "upsert t",
        &[
            "INSERT INTO t (a) VALUES (1) ON DUPLICATE KEY UPDATE a = VALUES(a)",
            "INSERT INTO t (a) VALUES (1) AS new ON DUPLICATE KEY UPDATE a = new.a",
            "REPLACE t (a) VALUES (1)",
            "REPLACE LOW_PRIORITY INTO t SELECT 1",
        ],
    );
    check_all(
        &[Sqlite],
        "upsert t",
        &[
            "REPLACE INTO t VALUES (1)",
            "INSERT OR REPLACE INTO t VALUES (1)",
            "UPDATE OR REPLACE t SET a = 1 WHERE id = ?",
        ],
    );
}

#[test]
fn inserts_that_may_do_more() {
    check_all(
        &EVERY,
        "unknown",
        &[
            "INSERT INTO t VALUES (f(1))",
            "INSERT INTO t (a) SELECT f(b) FROM u",
            "INSERT INTO t VALUES (1) RETURNING f(a)",
            "INSERT INTO 't' VALUES (1)",
            "INSERT INTO t",
            "INSERT INTO f(1) VALUES (2)",
            "INSERT OR ROLLBACK INTO t VALUES (1)",
            "INSERT DELAYED INTO t VALUES (1)",
            "INSERT INTO t (a) VALUES (1) ON CONFLICT (f(a)) DO NOTHING",
        ],
    );
    check_all(&[Postgres], "unknown", &["REPLACE INTO t VALUES (1)", "INSERT t VALUES (1)"]);
}

#[test]
fn updates() {
    check(&EVERY, &[("UPDATE t SET a = 1", "update[a] t"), ("UPDATE s.t AS x SET A = 1", "update[a] t")]);
    check(
        &[Postgres],
        &[
            (
                "UPDATE ONLY \"S\".\"T\" * AS x SET \"A\" = $2, b = lower($3) WHERE x.\"id\" = $1",
                "update[a b] t(id=0)",
            ),
            ("UPDATE t x SET a = 1 WHERE t.id = $1", "update[a] t"),
            ("UPDATE t SET (a, b) = (1, 2), c = ARRAY[d, e], f[1] = 2, g.h = 3", "update[a b c f g h] t"),
            ("UPDATE t SET a = b IS DISTINCT FROM c, d = 1 WHERE id = $1", "update[a d] t"),
            ("UPDATE t SET a = u.a FROM u WHERE t.id = $1", "update[a] t"),
            ("UPDATE t SET a = 1 WHERE id = $1 RETURNING id, b = c", "update[a] t(id=0)"),
            ("UPDATE t SET a = 1 WHERE CURRENT OF c", "update[a] t"),
        ],
    );
    check(
        &[MySql],
        &[
            (
                "UPDATE LOW_PRIORITY IGNORE `t` SET `a` = ?, t.b = 2 WHERE id = ? ORDER BY c LIMIT 1",
                "update[a t b] t(id=1)",
            ),
            ("UPDATE t SET a = returning, b = 1", "update[a b] t"),
            ("UPDATE a, b SET a.x = b.y WHERE a.id = ?", "update[a x] a; update[a x] b"),
            (
                "UPDATE a AS q JOIN d.b ON q.x = b.y LEFT JOIN (SELECT 1) AS c USING (z) SET q.x = 1",
                "update[q x] a; update[q x] b",
            ),
            ("UPDATE (a JOIN b) SET x = 1", "unknown"),
            ("UPDATE a JOIN b ON f(a.x) SET a.x = 1", "unknown"),
        ],
    );
    check(&[Sqlite], &[("UPDATE OR IGNORE t SET a = ? WHERE id = ?", "update[a] t(id=1)")]);
    check_all(
        &EVERY,
        "unknown",
        &[
            "UPDATE t SET a = f(1)",
            "UPDATE t SET a = 1 WHERE f(b)",
            "UPDATE t SET a = (SELECT f(1))",
            "UPDATE t SET",
            "UPDATE t SET 'a' = 1",
            "UPDATE t",
            "UPDATE 't' SET a = 1",
        ],
    );
    check_all(&[Sqlite], "unknown", &["UPDATE OR ROLLBACK t SET a = 1"]);
}

#[test]
fn deletes() {
    check(&EVERY, &[("DELETE FROM t", "delete t"), ("DELETE FROM s.T WHERE a = 1;", "delete t")]);
    check(
        &[Postgres],
        &[
            ("DELETE FROM ONLY t AS x WHERE x.id = $1 RETURNING *", "delete t(id=0)"),
            ("DELETE FROM t USING u WHERE t.id = $1", "delete t"),
        ],
    );
    check(
        &[MySql],
        &[
            ("DELETE LOW_PRIORITY QUICK IGNORE FROM t WHERE id = ? LIMIT 1", "delete t(id=0)"),
            ("DELETE x FROM t AS x JOIN u ON x.a = u.a WHERE x.id = ?", "delete t; delete u"),
            ("DELETE a.*, b FROM a, b, c", "delete a; delete b; delete c"),
            ("DELETE FROM a, b USING a JOIN b USING (x) WHERE a.id = ?", "delete a; delete b"),
            ("DELETE FROM a USING a JOIN b ON f(1)", "unknown"),
            ("DELETE FROM t FOR PORTION OF p FROM 1 TO 2", "unknown"),
            ("DELETE HISTORY FROM t", "delete t"),
        ],
    );
    check_all(
        &EVERY,
        "unknown",
        &[
            "DELETE FROM t WHERE f(a)",
            "DELETE FROM 't'",
            "DELETE",
            "DELETE FROM",
            "DELETE FROM t WHERE a IN (SELECT 1 INTO b)",
        ],
    );
}

#[test]
fn truncates() {
    check(
        &[Postgres],
        &[
            ("TRUNCATE t", "truncate t"),
            ("TRUNCATE TABLE ONLY s.a, b * RESTART IDENTITY", "truncate a; truncate b"),
            ("TRUNCATE a CASCADE", "truncate cascade a"),
            ("TRUNCATE a WHERE b", "unknown"),
        ],
    );
}

#[test]
fn keys_are_what_every_affected_row_fulfils() {
    check(
        &[Postgres],
        &[
            ("DELETE FROM t WHERE id = $1", "delete t(id=0)"),
            ("DELETE FROM t WHERE a = $2 AND \"t\".\"B\" = $1", "delete t(a=1 b=0)"),
            (
                "DELETE FROM t WHERE a = $1 AND f IN (1, 2) AND (c OR d) AND b = $2 RETURNING a",
                "delete t(a=0 b=1)",
            ),
            ("DELETE FROM t WHERE id = $1 AND NOT a = $2", "delete t(id=0)"),
            ("DELETE FROM t WHERE (id = $1)", "delete t"),
            ("DELETE FROM t WHERE id = $1 OR a = 1", "delete t"),
            ("DELETE FROM t WHERE a BETWEEN 1 AND id = $1", "delete t"),
            ("DELETE FROM t WHERE CASE WHEN a AND id = $1 AND b THEN true END", "delete t"),
            ("DELETE FROM t WHERE id = CAST($1 AS \"x\")", "delete t"),
            ("DELETE FROM t WHERE id = $1::int", "delete t"),
            ("DELETE FROM t WHERE id = $1 + 1 AND a = $2 IS TRUE", "delete t"),
            ("DELETE FROM t WHERE id >= $1 AND a <> $2", "delete t"),
            ("DELETE FROM t WHERE id = 1 AND a IN ($1)", "delete t"),
            ("DELETE FROM t WHERE u.id = $1 AND s.t.a = $2", "delete t"),
            ("DELETE FROM t WHERE EXISTS (SELECT 1 FROM u WHERE id = $1)", "delete t"),
            ("DELETE FROM t WHERE $1 = id", "delete t"),
        ],
    );
    check(
        &[MySql],
        &[
            ("DELETE FROM t WHERE a = 1 || id = ?", "delete t"),
            ("DELETE FROM t WHERE a XOR id = ?", "delete t"),
            ("DELETE FROM t WHERE \"id\" = ?", "delete t"),
            ("DELETE FROM t WHERE id <=> ?", "delete t"),
            ("DELETE FROM t WHERE @x := 1 AND id = ?", "delete t"),
        ],
    );
}

#[test]
fn every_write_of_a_text_counts() {
    check(
        &EVERY,
        &[
            ("DELETE FROM a; DELETE FROM b", "delete a; delete b"),
            ("SELECT 1; DELETE FROM a", "delete a"),
            ("DELETE FROM a; SELECT f(1)", "unknown"),
            ("WITH x AS (SELECT 1) DELETE FROM a WHERE b IN (SELECT * FROM x)", "delete a"),
        ],
    );
    check(
        &[Postgres],
        &[
            ("WITH x AS (DELETE FROM a WHERE id = $1 RETURNING *) SELECT * FROM x", "delete a"),
            ("WITH x AS (DELETE FROM a RETURNING *) INSERT INTO b SELECT * FROM x", "delete a; insert b"),
            (
                "WITH x (n) AS (UPDATE a SET b = 1 WHERE c RETURNING d), y AS NOT MATERIALIZED (INSERT INTO e \
                 VALUES (1) ON CONFLICT (f) DO UPDATE SET g = 2) SELECT * FROM x FOR UPDATE",
                "update[b] a; upsert e",
            ),
            ("DELETE FROM a WHERE id = $1; DELETE FROM b WHERE id = $1", "delete a; delete b"),
            ("SELECT * FROM (DELETE FROM a) AS x", "delete a"),
            ("WITH x AS (SELECT 1) DELETE FROM a WHERE id = $1", "delete a"),
        ],
    );
    let many = "DELETE FROM t;".repeat(17);
    check(&EVERY, &[(&many, "unknown")]);
}

#[test]
fn bulk_inserts_are_recognised_at_any_size() {
    let row = |n: usize| format!("(${}, ${})", 2 * n + 1, 2 * n + 2);
    let rows: Vec<_> = (0..32_767).map(row).collect();
    let text = format!("INSERT INTO \"t\" (\"a\", \"b\") VALUES {} RETURNING \"id\"", rows.join(", "));
    check(&[Postgres], &[(&text, "insert t")]);
    let text = format!("INSERT INTO `t` (`a`, `b`) VALUES {}", vec!["(?, ?)"; 32_767].join(", "));
    check(&[MySql, Sqlite], &[(&text, "insert t")]);
}

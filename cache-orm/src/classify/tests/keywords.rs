//! Words that are keywords in one place and functions in another, and aliases with columns.

use super::*;

#[test]
fn keywords_of_one_clause_are_calls_elsewhere() {
    check_all(
        &EVERY,
        "unknown",
        &[
            "SELECT 1 FROM a JOIN b ON conflict()",
            "SELECT 1 FROM a JOIN b ON conflict(c) WHERE d",
            "INSERT INTO t SELECT 1 FROM a JOIN b ON conflict(c) WHERE d ON CONFLICT (e) WHERE f DO NOTHING",
            "SELECT 1 WHERE NOT materialized()",
            "SELECT substring('abc' FOR by(1))",
            "SELECT DISTINCT ON (a) over() FROM t",
            "SELECT DISTINCT ON (a) over(b) FROM t",
            "SELECT DISTINCT ON (a) filter(b) FROM t",
            "SELECT 1 WHERE NOT ilike(a)",
            "SELECT DISTINCT ON (a) ilike(b) FROM t",
            "SELECT CASE WHEN ilike(a) THEN 1 END",
            "SELECT zone(a) FROM t",
            "SELECT 1 FROM t ORDER BY to(a)",
        ],
    );
    check_all(
        &[Postgres, Sqlite],
        "upsert t",
        &["INSERT INTO t VALUES (1) ON CONFLICT (a) WHERE b = (c) DO UPDATE SET a = 1"],
    );
    check_all(&[Postgres, Sqlite], "insert t", &["INSERT INTO t VALUES (1) ON CONFLICT (a, b) DO NOTHING"]);
    check_all(
        &[MySql],
        "unknown",
        &[
            "INSERT INTO t (a) VALUES (1) ON DUPLICATE KEY UPDATE a = lateral(VALUES(a))",
            "SELECT 1 WHERE (a) filter(b)",
        ],
    );
    check_all(
        &[MySql],
        "read",
        &["SELECT IF (a, 1, 2), LEFT (b, 1) FROM t WHERE MATCH (a) AGAINST ('x') OR b LIKE ('x')"],
    );
}

#[test]
fn operators_that_are_words() {
    check_all(
        &[Postgres],
        "read",
        &[
            "SELECT 1 FROM t WHERE a ILIKE ('x' || $1)",
            "SELECT 1 FROM t WHERE t.name NOT ILIKE ('x') OR \"key\" ILIKE ($1) OR lower(a) ILIKE ('x')",
            "SELECT now() AT TIME ZONE ('UTC'), a SIMILAR TO ('b'), (a, b) OVERLAPS (c, d) FROM t",
            "SELECT set_config('app.user', $1, true)",
            "SELECT pg_catalog.now(), \"pg_catalog\".lower(a) FROM t",
        ],
    );
    check_all(
        &[Postgres],
        "unknown",
        &[
            "SELECT set_config('search_path', 'x', true)",
            "SELECT x.pg_catalog.now()",
            "SELECT pg_catalog.lo_unlink(1)",
            "SELECT pg_catalog.query_to_xml('x')",
        ],
    );
    check_all(&[MySql, Sqlite], "unknown", &["SELECT pg_catalog.lower(a) FROM t"]);
}

#[test]
fn aliases_with_columns() {
    check_all(
        &[Postgres],
        "read",
        &[
            "SELECT * FROM (VALUES (1, 'a'), (2, 'b')) x (a, b)",
            "SELECT * FROM t x (a, b), s.t \"Y\" (c) JOIN u z (d) ON true",
            "SELECT * FROM generate_series(1, 2) g (a), unnest(b) WITH ORDINALITY u (c, d)",
        ],
    );
    check_all(
        &[Postgres],
        "unknown",
        &[
            "SELECT DISTINCT ON (a) f(b) FROM t",
            "SELECT 1 FROM t, LATERAL f(a)",
            "SELECT 1 FROM t WHERE a IS DISTINCT FROM NOT f(b)",
            "SELECT 1 FROM a JOIN b ON f(c)",
            "SELECT 1 FROM a, b WHERE f(c)",
            "SELECT a, b FROM t ORDER BY a, b LIMIT f(c)",
            "SELECT sum(a) OVER (ORDER BY a, b ROWS f(c) PRECEDING) FROM t",
            "SELECT f(a, VARIADIC g(b))",
            "SELECT * FROM t f()",
            "SELECT 1 FROM ROWS FROM (f(a)) x",
        ],
    );
    check_all(&[MySql, Sqlite], "unknown", &["SELECT * FROM t x (a, b)"]);
}

#[test]
fn an_option_in_quotes_is_an_option() {
    check(
        &[Postgres],
        &[
            ("EXPLAIN (\"analyze\") UPDATE t SET a = 1", "update[a] t"),
            ("EXPLAIN (costs off, \"analyze\" true) DELETE FROM t", "delete t"),
            ("EXPLAIN (\"costs\" off) DELETE FROM t", "other"),
        ],
    );
}

#[test]
fn a_byte_order_mark_is_white_space_to_sqlite() {
    check(
        &[Sqlite],
        &[
            ("\u{feff}SELECT 1", "read"),
            ("WITH x AS (SELECT 1)\u{feff}DELETE FROM t", "delete t"),
            ("INSERT INTO t VALUES (1) ON CONFLICT (a) DO \u{feff}UPDATE SET a = 1", "upsert t"),
            // In the midst of a word it is a letter.
            ("SELECT a\u{feff}DELETE FROM t", "read"),
        ],
    );
    check_all(&[Postgres, MySql], "unknown", &["\u{feff}SELECT 1"]);
}

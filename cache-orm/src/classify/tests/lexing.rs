//! Where the three databases, or their settings, read a text differently.

use super::*;

#[test]
fn comments_hide_nothing() {
    check(
        &EVERY,
        &[
            ("/* x */ DELETE /* y */ FROM -- z\n t", "delete t"),
            ("-- SELECT 1\nDELETE FROM t", "delete t"),
            ("SELECT 1 -- ; DELETE FROM t", "read"),
            ("SELECT 1 /* ; DELETE FROM t */", "read"),
            ("SELECT 1 /* never closed", "unknown"),
            ("-- nothing\n", "other"),
            ("", "other"),
            (" ;; ", "other"),
            ("SELECT 1;", "read"),
        ],
    );
}

#[test]
fn comments_nest_in_postgres_alone() {
    let text = "SELECT 1 /* /* */ ; DELETE FROM t -- */";
    check(&[Postgres], &[(text, "read")]);
    check(&[MySql, Sqlite], &[(text, "delete t")]);
}

#[test]
fn mysql_executes_some_comments() {
    check_all(
        &[MySql],
        "unknown",
        &[
            "SELECT 1 /*! INTO OUTFILE 'x' */",
            "/*!50001 DELETE FROM t */",
            "SELECT 1 /*M! ; DELETE FROM t */",
        ],
    );
    check(&[MySql], &[("SELECT /*+ MAX_EXECUTION_TIME(9) */ a FROM t", "read")]);
}

#[test]
fn mysql_needs_a_space_after_two_dashes() {
    // 1 - -1: the newline ends no comment, and the DELETE would be hidden in one.
    check(&[MySql], &[("SELECT 1--1; DELETE FROM t", "delete t"), ("SELECT 1 --\t; DELETE FROM t", "read")]);
    check(&[Postgres, Sqlite], &[("SELECT 1--1; DELETE FROM t", "read")]);
}

#[test]
fn number_signs_are_comments_in_mysql_alone() {
    check(&[MySql], &[("SELECT 1 # ; DELETE FROM t", "read"), ("# x\nDELETE FROM t", "delete t")]);
    check(&[Postgres], &[("SELECT 1 # 2; DELETE FROM t", "delete t")]);
    check(&[Sqlite], &[("SELECT 1 # 2", "unknown")]);
}

#[test]
fn a_carriage_return_ends_a_comment_in_postgres_alone() {
    let text = "SELECT 1 -- x\r; DELETE FROM t";
    check(&[Postgres], &[(text, "delete t")]);
    check(&[MySql, Sqlite], &[(text, "read")]);
}

#[test]
fn quotes_hide_what_is_inside() {
    check_all(&EVERY, "read", &["SELECT '; DELETE FROM t'", "SELECT 'it''s; DELETE FROM t'"]);
    check_all(
        &[Postgres, Sqlite],
        "read",
        &[r#"SELECT "; DELETE FROM t" FROM a"#, r#"SELECT "a""b;" FROM a"#],
    );
    check_all(&[MySql, Sqlite], "read", &["SELECT `; DELETE FROM t`, `a``;` FROM a"]);
    check(&[Sqlite], &[("SELECT [; DELETE FROM t] FROM a", "read")]);
    check_all(&EVERY, "unknown", &["SELECT 'never closed", "DELETE FROM t WHERE a = '"]);
}

#[test]
fn a_backslash_before_a_quote_depends_on_settings() {
    check_all(&[Postgres, MySql], "unknown", &[r"SELECT '\'; DELETE FROM t -- '", r"SELECT 'it\'s'"]);
    check_all(&[Postgres, MySql], "read", &[r"SELECT 'a\\', 'C:\dir'"]);
    // Never an escape in SQLite, always one in Postgres' E'…'.
    check(&[Sqlite], &[(r"SELECT '\'; DELETE FROM t -- '", "delete t")]);
    check(
        &[Postgres],
        &[(r"SELECT E'\'; DELETE FROM t -- '", "read"), (r"SELECT e'\\'; DELETE FROM t", "delete t")],
    );
    check(&[MySql], &[(r#"SELECT "\"; DELETE FROM t -- ""#, "unknown")]);
}

#[test]
fn postgres_dollar_quotes() {
    check(
        &[Postgres],
        &[
            ("SELECT $$; DELETE FROM t$$", "read"),
            ("SELECT $a$ $$ $b$ ; DELETE FROM t $a$", "read"),
            ("SELECT $$x$$; DELETE FROM t", "delete t"),
            ("SELECT $$never closed", "unknown"),
            // A dollar inside a name begins nothing.
            ("SELECT a$$ FROM t; DELETE FROM t WHERE a$$ = 1", "delete t"),
        ],
    );
}

#[test]
fn bytes_that_are_read_differently() {
    check_all(
        &EVERY,
        "unknown",
        &[
            "SELECT 1\0; DELETE FROM t",
            "SELECT 1 -- \0\n; DELETE FROM t",
            "SELECT '\0'",
            "SELECT 1FROM t",
            "SELECT \\N",
        ],
    );
    // No white space to a database, though it is to Unicode.
    check_all(&EVERY, "unknown", &["\u{a0}SELECT 1", "SELECT 1; \u{2003}DELETE FROM t"]);
    check_all(&[Postgres], "unknown", &[r#"SELECT U&"d\0061t\+000061"(1)"#, "SELECT u&'x'"]);
}

#[test]
fn numbers_end_where_all_agree() {
    check_all(&EVERY, "read", &["SELECT 1, 1.5, .5, 1e5, 1.5E-7, 0x1F, 1 FROM t"]);
    check_all(&EVERY, "unknown", &["SELECT 1e FROM t", "SELECT 1_000", "SELECT 1.2.3", "SELECT 0xg"]);
}

#[test]
fn parameters_are_counted_over_the_whole_text() {
    check(
        &[MySql, Sqlite],
        &[
            ("UPDATE t SET a = ?, b = ? WHERE id = ? AND c > ? AND d = ?", "update[a b] t(id=2 d=4)"),
            ("DELETE FROM t WHERE a IN (?, ?) AND b = '?' AND /* ? */ id = ?", "delete t(id=2)"),
        ],
    );
    check(
        &[Postgres],
        &[
            ("UPDATE t SET a = $3 WHERE id = $1 AND d = $2", "update[a] t(id=0 d=1)"),
            ("DELETE FROM t WHERE id = $0", "unknown"),
            ("DELETE FROM t WHERE id = $99999999999", "unknown"),
            ("SELECT a FROM t WHERE b ? 'x' AND c ?| $1", "read"),
        ],
    );
    check_all(
        &[Sqlite],
        "delete t",
        &[
            "DELETE FROM t WHERE id = ?1",
            "DELETE FROM t WHERE id = :id",
            "DELETE FROM t WHERE id = @id",
            "DELETE FROM t WHERE id = $id",
            "DELETE FROM t WHERE id = ? AND a = ?7",
            "DELETE FROM t WHERE id = ?; SELECT ?",
        ],
    );
    check_all(&[Sqlite], "unknown", &["SELECT $a(')'); DELETE FROM t --'", "SELECT $a::b(x)"]);
}

#[test]
fn postgres_operators_may_be_anybody_s() {
    check_all(
        &[Postgres],
        "read",
        &[
            "SELECT a->>'b', a #>> '{c}', a @> $1, a && $2, -a, a*-1, a||b, a <-> b, a <=> $3, a ~* 'x' FROM t",
            "SELECT a FROM t WHERE b>=-1 AND c=-$1 AND d<>-2",
        ],
    );
    check_all(
        &[Postgres],
        "unknown",
        &["SELECT a <!> b", "SELECT a === b", "SELECT a OPERATOR(my.+) b", "SELECT ` 1"],
    );
}

#[test]
fn postgres_cuts_long_names() {
    let long = "t".repeat(64);
    check(&[Postgres], &[(&format!("DELETE FROM {long}"), "unknown")]);
    check(&[MySql], &[(&format!("DELETE FROM {long}"), &format!("delete {long}"))]);
}

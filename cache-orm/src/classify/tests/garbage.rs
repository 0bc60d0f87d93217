//! No text makes it panic or wait, and no disguise makes a write a read.

use proptest::{prelude::*, sample::select};

use super::{super::lexer::LONGEST, *};

const WRITES: &[&str] = &[
    "INSERT INTO t (a, b) VALUES (1, 'x''y')",
    "INSERT INTO t (a) SELECT b FROM u WHERE c = 1",
    "UPDATE t SET a = 1, b = lower(c) WHERE id = 1 AND d IN (1, 2)",
    "DELETE FROM t WHERE id = 1",
    "WITH x AS (SELECT 1) DELETE FROM t WHERE a IN (SELECT * FROM x)",
    "WITH x AS (DELETE FROM t RETURNING a) SELECT * FROM x",
    "SELECT f(a) FROM t",
    "SELECT a INTO t FROM u",
    "MERGE INTO t USING u ON t.a = u.a WHEN MATCHED THEN DELETE",
    "SELECT 1; DELETE FROM t",
    "TRUNCATE TABLE t",
    "DROP TABLE t",
    "COMMIT",
    "CALL p()",
];

/// Pieces in which the three dialects differ, and those that statements are made of.
const PIECES: &[&str] = &[
    " ",
    "\n",
    "\r",
    "\0",
    "/*",
    "*/",
    "/*!",
    "--",
    "-- ",
    "#",
    "'",
    "''",
    "\"",
    "`",
    "[",
    "]",
    "(",
    ")",
    "$$",
    "$1",
    "$a$",
    "?",
    "?1",
    ":a",
    "@",
    "@@",
    ";",
    ".",
    ",",
    "=",
    "<",
    "::",
    "\\",
    "\\'",
    "E'",
    "U&\"",
    "1",
    "1e",
    "0x",
    "é",
    "\u{feff}",
    "SELECT",
    "FROM",
    "INTO",
    "UPDATE",
    "SET",
    "DELETE",
    "INSERT",
    "VALUES",
    "REPLACE",
    "WITH",
    "AS",
    "RECURSIVE",
    "MATERIALIZED",
    "WHERE",
    "AND",
    "OR",
    "FOR",
    "SHARE",
    "KEY",
    "NO",
    "DO",
    "ON",
    "CONFLICT",
    "DUPLICATE",
    "NOTHING",
    "RETURNING",
    "USING",
    "JOIN",
    "TRUNCATE",
    "CASCADE",
    "EXPLAIN",
    "ANALYZE",
    "PRAGMA",
    "BEGIN",
    "END",
    "CREATE",
    "TRIGGER",
    "COMMIT",
    "lower",
    "f",
    "t",
    "a",
];

fn backend() -> impl Strategy<Value = DbBackend> {
    select(EVERY.to_vec())
}

/// White space and comments that all three databases skip.
fn filling() -> impl Strategy<Value = String> {
    select(vec![" ", "\n", "\t ", " /* SELECT */ ", " /* ' */ ", " -- ( \n", "\r\n"]).prop_map(String::from)
}

proptest! {
    #[test]
    fn any_text_has_a_class(text in any::<String>(), backend in backend()) {
        classify(&text, backend);
    }

    #[test]
    fn any_pieces_have_a_class(pieces in proptest::collection::vec(select(PIECES), 0..60), glue in "[ ]?", backend in backend()) {
        classify(&pieces.join(&glue), backend);
    }

    #[test]
    fn mutilated_statements_have_a_class(
        text in select(WRITES),
        cuts in proptest::collection::vec((any::<proptest::sample::Index>(), select(PIECES)), 1..6),
        backend in backend(),
    ) {
        let mut text = text.to_owned();
        for (at, piece) in cuts {
            let at = text.floor_char_boundary(at.index(text.len() + 1));
            text.insert_str(at, piece);
            classify(&text, backend);
        }
    }

    #[test]
    fn a_disguised_write_is_no_read(
        text in select(WRITES),
        fillings in proptest::collection::vec(filling(), 40),
        upper in proptest::collection::vec(any::<bool>(), 40),
        before in select(vec!["", ";", "SELECT 1;", "/* x */"]),
        after in select(vec!["", ";", "; SELECT 1", " -- x", "/* x */;"]),
        backend in backend(),
    ) {
        let words = text.split(' ').zip(fillings.iter().zip(upper)).map(|(word, (filling, upper))| {
            let word = if upper { word.to_uppercase() } else { word.to_lowercase() };
            word + filling
        });
        let disguised = format!("{before}{}{after}", words.collect::<String>());
        let class = classify(&disguised, backend);
        prop_assert!(!matches!(class, Class::Read(_)), "{} is {:?}", disguised, class);
    }

    #[test]
    fn a_write_inside_any_pieces_is_no_read(
        before in proptest::collection::vec(select(vec!["SELECT", "a", ",", "(", "1", "FROM", "t", "WITH", "x", "AS", "=", "AND", ")"]), 0..8),
        after in proptest::collection::vec(select(vec![")", "SELECT", "1", "FROM", "x", ","]), 0..6),
        write in select(vec!["DELETE FROM t", "INSERT INTO t VALUES (1)", "UPDATE t SET a = 1", "f(1)", "MERGE INTO t"]),
        backend in backend(),
    ) {
        // Behind AS and a dot there is a name: neither is a place for a write.
        let named = before.last() == Some(&"AS") && write.starts_with("f(");
        let text = format!("{} {write} {}", before.join(" "), after.join(" "));
        let class = classify(&text, backend);
        prop_assert!(named || !matches!(class, Class::Read(_)), "{} is {:?}", text, class);
    }
}

/// A stack that grows with the text, or work that grows faster than it, would be noticed here.
#[test]
fn long_and_deep_texts_end() {
    let pieces = [
        "(",
        ")",
        "((SELECT ",
        "'",
        "\"",
        "$$",
        "$a",
        "/*",
        "WITH a(b) AS (",
        ", a(b",
        "(UPDATE t SET a = 1, ",
        "(DELETE FROM t WHERE a = 1 AND ",
        "CASE WHEN ",
        "SELECT f(",
        "SELECT lower(",
        ";",
        "a;",
        "DELETE FROM t;",
        "1,",
        "EXPLAIN ",
        "NOT ",
        "--\n",
        "UPDATE a JOIN ",
    ];
    for backend in EVERY {
        for piece in pieces {
            for start in ["", "SELECT ", "INSERT INTO t VALUES ", "WITH a AS "] {
                let text = format!("{start}{}", piece.repeat(LONGEST / 8 / piece.len()));
                classify(&text, backend);
            }
        }
        let too_long = format!("SELECT 1{}", " ".repeat(LONGEST));
        assert_eq!(classify(&too_long, backend), Class::Unknown);
    }
}

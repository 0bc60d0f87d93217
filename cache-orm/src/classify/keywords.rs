//! Words before a parenthesis that are keywords there, and aliases with a list of columns.
//!
//! Most words of SQL are keywords in one place and the names of functions in another: `ON CONFLICT (a) DO`, but
//! `JOIN b ON conflict(a)`. A word is taken for a keyword only where no function could be called.

use super::{statement::Statement, token::Kind};

/// A keyword that is followed by a parenthesis and can't be the name of a function there.
pub(super) fn is_keyword(statement: &Statement, open: usize) -> bool {
    // Words that are keywords only after these.
    let after = |words: &[&str]| statement.was(open, 2, words);
    let rules = &statement.rules.keywords;
    match statement.word(open - 1).to_ascii_uppercase().as_str() {
        word if rules.after_operators.contains(&word) => {
            matches!(statement.kind_before(open, 2), Some(Kind::Operator))
        }
        word if rules.reserved.contains(&word) => true,
        "BY" => after(&["GROUP", "ORDER", "PARTITION"]),
        "CONFLICT" => after(&["ON"]) && is_conflict_target(statement, open),
        "SET" => after(&["UPDATE"]),
        "SETS" => after(&["GROUPING"]),
        "MATERIALIZED" => {
            rules.materialized && (after(&["AS"]) || (after(&["NOT"]) && statement.was(open, 3, &["AS"])))
        }
        "VALUE" => rules.value_list && statement.kind_before(open, 2) == Some(Kind::Close),
        "INDEX" | "KEY" => rules.index_hints && after(&["USE", "FORCE", "IGNORE"]),
        "AGAINST" => rules.match_against && statement.kind_before(open, 2) == Some(Kind::Close),
        "OVER" => follows_call(statement, open),
        "FILTER" => rules.filter && follows_call(statement, open),
        "BERNOULLI" | "SYSTEM" => after(&["TABLESAMPLE"]),
        "ILIKE" => rules.word_operators && follows_value(statement, open - 1),
        "TO" => rules.word_operators && after(&["SIMILAR"]),
        "ZONE" => rules.word_operators && after(&["TIME"]) && statement.was(open, 3, &["AT"]),
        // Some database allows functions of these names; but a call can't hold a query that has no parentheses
        // of its own.
        "JOIN" | "LATERAL" | "EXCEPT" | "INTERSECT" => {
            statement.is(open + 1, &["SELECT", "WITH"])
                || (!rules.values_function && statement.is(open + 1, &["VALUES"]))
        }
        word => RESERVED.contains(&word),
    }
}

/// Reserved in Postgres and MySQL, or a word that their grammars never take for a function's name.
const RESERVED: &[&str] = &[
    "ALL",
    "AND",
    "ANY",
    "AS",
    "BETWEEN",
    "CASE",
    "DISTINCT",
    "ELSE",
    "EXISTS",
    "FROM",
    "GROUP",
    "HAVING",
    "IN",
    "LIMIT",
    "NOT",
    "OFFSET",
    "ON",
    "OR",
    "RETURNING",
    "ROW",
    "SELECT",
    "SOME",
    "THEN",
    "UNION",
    "USING",
    "VALUES",
    "WHEN",
    "WHERE",
];

/// A longer clause is not looked through.
const LONGEST_CLAUSE: usize = 1000;

/// `ON CONFLICT (…) [WHERE …] DO`. A condition of a join is not followed by DO, unless by that of an ON CONFLICT of
/// its own.
fn is_conflict_target(statement: &Statement, open: usize) -> bool {
    let statement = statement.up_to(open + LONGEST_CLAUSE);
    let Some(next) = statement.closing(open).map(|close| close + 1) else {
        return false;
    };
    if statement.is(next, &["WHERE"]) {
        let ends = statement.find(next, &["DO", "ON"]);
        return ends.is_some_and(|at| statement.is(at, &["DO"]));
    }
    statement.is(next, &["DO"])
}

/// True behind the parenthesis that closes a call, or another of these clauses; not behind one after which an
/// expression begins, such as that of `DISTINCT ON (a)`.
fn follows_call(statement: &Statement, open: usize) -> bool {
    let opening = open.checked_sub(2).and_then(|close| statement.opening(close));
    opening.is_some_and(|opening| {
        let is_name = matches!(statement.kind_before(opening, 1), Some(Kind::Word | Kind::Quoted));
        is_name && !statement.was(opening, 1, &["ON", "WITH"])
    })
}

/// True if what ends right before this word is a value, so that an operator follows.
fn follows_value(statement: &Statement, word: usize) -> bool {
    let Some(mut last) = word.checked_sub(1) else { return false };
    if statement.is(last, &["NOT"]) {
        let Some(before) = last.checked_sub(1) else { return false };
        last = before;
    }
    match statement.kind(last) {
        Some(Kind::Text | Kind::Number | Kind::Parameter(_) | Kind::Quoted | Kind::CloseBracket) => true,
        Some(Kind::Close) => {
            statement.opening(last).is_some_and(|opening| !statement.was(opening, 1, &["ON", "WITH"]))
        }
        Some(Kind::Word) => {
            statement.kind_before(last, 1) == Some(Kind::Dot) || !may_lead(statement.word(last))
        }
        _ => false,
    }
}

/// The alias of a table, and its columns, without AS: `FROM t x (a, b)`, `(VALUES …) x (a)`.
pub(super) fn is_alias(statement: &Statement, open: usize) -> bool {
    if !statement.rules.keywords.alias_columns
        || statement.after_names(open).is_none_or(|after| after == open + 2)
    {
        return false;
    }
    let Some(before) = open.checked_sub(2) else { return false };
    if may_lead(statement.word(open - 1)) {
        return false;
    }
    match statement.kind(before) {
        Some(Kind::Close) => {
            let opening = statement.opening(before);
            opening.is_some_and(|opening| !statement.was(opening, 1, &["ON", "WITH", "USING"]))
        }
        Some(Kind::Word) if statement.is(before, &["ORDINALITY"]) => statement.was(before, 1, &["WITH"]),
        Some(Kind::Word | Kind::Quoted) if !may_lead(statement.word(before)) => {
            let mut first = before;
            while statement.kind_before(first, 1) == Some(Kind::Dot) {
                let Some(part) = first.checked_sub(2) else { return false };
                first = part;
            }
            statement.kind_before(first, 1) == Some(Kind::Comma) || statement.was(first, 1, &["FROM", "JOIN"])
        }
        _ => false,
    }
}

/// Words of Postgres that an expression, or a call, may follow without anything in between: all that are reserved
/// but those that are values, and others that a clause has before an expression.
fn may_lead(word: &str) -> bool {
    const WORDS: &str = "all analyse analyze and any array as asc asymmetric between both by case cast check \
        collate column constraint content create cross default deferrable desc distinct do document else escape \
        except exclude fetch filter first following for foreign from full grant group groups having ilike in \
        initially inner insert interval intersect into is isnull join key lateral leading left like limit materialized \
        name natural next not notnull of offset on only operator or order outer over overlaps partition passing path \
        placing preceding primary range recursive references returning right row rows select set similar some \
        symmetric table tablesample then time to trailing union unique update using value values variadic verbose \
        version when where window with within zone";
    WORDS.split_ascii_whitespace().any(|known| known.eq_ignore_ascii_case(word))
}

//! Calls that are known to change no rows.
//!
//! Only by the plain names of built-in functions: a qualified name (`my.f()`) or one in quotes may be anybody's.
//! Sequences are not rows: `nextval` is harmless. Left out on purpose are functions that run SQL given as
//! text (`query_to_xml`, `ts_rewrite`), change the session (`set_config`, but for a setting of the user's own that ends
//! with the transaction), write files or load code.

use super::{keywords, statement::Statement, token::Kind};

/// True if the parenthesis at `open` is no call, or one that changes no rows.
pub(super) fn is_harmless(statement: &Statement, open: usize) -> bool {
    let Some(kind) = statement.kind_before(open, 1) else {
        return true;
    };
    match kind {
        Kind::Operator | Kind::Comma | Kind::Open | Kind::Close | Kind::OpenBracket => true,
        // The name of an alias and its columns: `AS t (a, b)`.
        Kind::Word | Kind::Quoted if statement.was(open, 2, &["AS"]) => true,
        Kind::Word if statement.kind_before(open, 2) == Some(Kind::Dot) => {
            is_in_system_schema(statement, open) && is_built_in(statement, open)
        }
        Kind::Word => {
            keywords::is_keyword(statement, open)
                || is_built_in(statement, open)
                || is_local_setting(statement, open)
                || is_common_table(statement, open)
                || keywords::is_alias(statement, open)
        }
        Kind::Quoted => is_common_table(statement, open) || keywords::is_alias(statement, open),
        Kind::CloseBracket | Kind::Dot | Kind::Semicolon => false,
        Kind::Text | Kind::Number | Kind::Parameter(_) => false,
    }
}

/// True for `pg_catalog.f(`: nobody's but the server's own functions are in that schema.
fn is_in_system_schema(statement: &Statement, open: usize) -> bool {
    let schema = open.checked_sub(3).and_then(|at| statement.name(at));
    let is_first = statement.kind_before(open, 4) != Some(Kind::Dot);
    is_first && schema.is_some() && schema.as_deref() == statement.rules.system_schema
}

fn is_built_in(statement: &Statement, open: usize) -> bool {
    if statement.rules.space_before_stored && !statement.touches_next(open - 1) {
        return false;
    }
    statement.dialect.is_built_in(&statement.word(open - 1).to_ascii_lowercase())
}

/// `set_config('a.b', …, true)`: a setting of the user's own, for the transaction alone.
fn is_local_setting(statement: &Statement, open: usize) -> bool {
    let near = statement.up_to(open + 100);
    let is_users = near.kind(open + 1) == Some(Kind::Text) && near.text(open + 1).contains('.');
    let is_local = near.closing(open).is_some_and(|close| {
        near.was(close, 1, &["TRUE"]) && near.kind_before(close, 2) == Some(Kind::Comma)
    });
    let setting_function = statement.dialect.sessions.setting_function;
    statement.is(open - 1, setting_function.as_slice()) && is_users && is_local
}

/// The columns of a common table expression: `WITH x (a, b) AS (`, `, y (c) AS (`.
fn is_common_table(statement: &Statement, open: usize) -> bool {
    let Some(after) = statement.after_names(open) else {
        return false;
    };
    if !statement.is(after, &["AS"]) {
        return false;
    }
    if statement.was(open, 2, &["WITH", "RECURSIVE"]) {
        return true;
    }
    // Not `FROM t, f(a) AS (b int)`, which is a call.
    let query = statement.skip(after + 1, &["NOT", "MATERIALIZED"]) + 1;
    let is_query = statement.is(query, &["SELECT", "WITH", "TABLE"])
        || (statement.is(query, &["VALUES"]) && statement.kind(query + 1) == Some(Kind::Open));
    statement.kind_before(open, 2) == Some(Kind::Comma)
        && statement.kind(query - 1) == Some(Kind::Open)
        && is_query
}

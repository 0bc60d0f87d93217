//! Tables, views and triggers that one session has for itself: there they hide what others mean by the same name.

use super::{statement::Statement, token::Kind};

/// True if the statement makes one that outlives its transaction, so that the session changes as by SET.
pub(super) fn is_made(statement: &Statement) -> bool {
    let makes = statement.kinds().any(|(at, _)| creates(statement, at) || selects_into(statement, at));
    makes && !(statement.dialect.sessions.on_commit_drop && is_dropped_on_commit(statement))
}

const TEMPORARY: &[&str] = &["TEMP", "TEMPORARY"];

/// `CREATE [OR REPLACE] [LOCAL | GLOBAL] TEMPORARY …`, or of a name in the session's own schema.
fn creates(statement: &Statement, at: usize) -> bool {
    let begins = at == 0 || statement.is(0, &["EXPLAIN", "ANALYZE"]);
    if !begins || !statement.is(at, &["CREATE"]) {
        return false;
    }
    let what = statement.skip(at + 1, &["OR", "REPLACE", "LOCAL", "GLOBAL"]);
    statement.is(what, TEMPORARY) || statement.kinds().any(|(at, _)| is_schema_of_session(statement, at))
}

/// `SELECT … INTO [LOCAL | GLOBAL] TEMPORARY …`, or into the session's own schema.
fn selects_into(statement: &Statement, at: usize) -> bool {
    if !statement.dialect.sessions.select_into
        || !statement.is(at, &["INTO"])
        || statement.was(at, 1, &["INSERT", "MERGE"])
        || statement.kind_before(at, 1) == Some(Kind::Dot)
    {
        return false;
    }
    let what = statement.skip(at + 1, &["LOCAL", "GLOBAL"]);
    let name = statement.skip(what, &["TABLE"]);
    statement.is(what, TEMPORARY) || is_schema_of_session(statement, name)
}

fn is_schema_of_session(statement: &Statement, at: usize) -> bool {
    statement.kind(at + 1) == Some(Kind::Dot)
        && statement.name(at).is_some_and(|name| statement.dialect.sessions.session_schema.is(&name))
}

fn is_dropped_on_commit(statement: &Statement) -> bool {
    statement.kinds().any(|(at, _)| {
        statement.is(at, &["ON"]) && statement.is(at + 1, &["COMMIT"]) && statement.is(at + 2, &["DROP"])
    })
}

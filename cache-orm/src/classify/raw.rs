//! The first word of a statement decides what kind it is.

use super::{Class, ReadClass, TableWrite, WriteKind, scan, statement::Statement, temporary, token::Kind};
use crate::dialect::Truncate;

/// What one statement does.
pub(super) fn class(statement: &Statement) -> Class {
    const OTHER: Class = Class::Read(ReadClass::Other);
    if statement.kind(0) == Some(Kind::Open) {
        return parenthesised(statement);
    }
    if temporary::is_made(statement) || changes_later_sessions(statement) {
        return Class::Session;
    }
    let (rules, sessions) = (statement.rules, &statement.dialect.sessions);
    match statement.word(0).to_ascii_uppercase().as_str() {
        "SELECT" | "WITH" | "VALUES" | "TABLE" | "INSERT" | "REPLACE" | "UPDATE" | "DELETE" => {
            scan::class(statement)
        }
        "TRUNCATE" => match rules.truncate {
            Truncate::Rows => truncate(statement).unwrap_or(Class::Unknown),
            Truncate::Table => Class::Schema,
            Truncate::Nothing => Class::Unknown,
        },
        "CREATE" | "ALTER" | "DROP" | "RENAME" | "COMMENT" | "GRANT" | "REVOKE" | "SECURITY" | "REASSIGN"
        | "IMPORT" => Class::Schema,
        "EXPLAIN" => explain(statement).unwrap_or(Class::Unknown),
        "DESCRIBE" | "DESC" if rules.describes => explain(statement).unwrap_or(Class::Unknown),
        "SHOW" if rules.shows => {
            if scan::calls_are_harmless(statement) {
                OTHER
            } else {
                Class::Unknown
            }
        }
        word if rules.harmless.contains(&word) => OTHER,
        // MariaDB's ANALYZE may run a statement.
        word if rules.of_tables.contains(&word) && is_about_tables(statement) => Class::Commits,
        word if rules.of_session.contains(&word) => Class::Session,
        "FLUSH" => flush(statement),
        "BEGIN" | "START" => begin(statement),
        "COMMIT" | "END" | "ROLLBACK" | "ABORT" | "SAVEPOINT" | "RELEASE" => Class::Session,
        "PREPARE" if sessions.prepared_transactions && statement.is(1, &["TRANSACTION"]) => Class::Session,
        // MariaDB: SET STATEMENT … FOR another statement.
        "SET" if statement.is(1, &["STATEMENT"]) => Class::Unknown,
        "SET" if sets_harmlessly(statement) => OTHER,
        "SET" | "RESET" | "DISCARD" => Class::Session,
        "PRAGMA" if !rules.harmless_pragmas.is_empty() => pragma(statement),
        _ => Class::Unknown,
    }
}

/// True for one `CREATE TRIGGER … BEGIN …; …; END`, or a procedure and so on: the semicolons are inside it.
pub(super) fn defines_a_body(parts: &[Statement]) -> bool {
    let ([create, rest @ ..], Some(end)) = (parts, parts.last()) else {
        return false;
    };
    let has = |words| create.kinds().any(|(at, _)| create.is(at, words));
    let opens =
        create.is(0, &["CREATE"]) && has(&["TRIGGER", "PROCEDURE", "FUNCTION", "EVENT"]) && has(&["BEGIN"]);
    let closes = end.is(0, &["END"]) && end.kind(1).is_none();
    // With another one in between, the END may be its own.
    opens && closes && !rest.iter().any(|part| part.is(0, &["CREATE", "BEGIN"]))
}

/// True for a block that is carried out by itself: the semicolons are inside it.
pub(super) fn is_block(parts: &[Statement]) -> bool {
    let begins = |first: &Statement| {
        first.is(0, &["IF", "CASE", "LOOP", "WHILE", "REPEAT", "FOR"])
            || (first.is(0, &["BEGIN"]) && first.is(1, &["NOT"]) && first.is(2, &["ATOMIC"]))
    };
    parts.first().is_some_and(|first| first.dialect.sessions.blocks_stand_alone && begins(first))
}

/// `(SELECT …) UNION …`
fn parenthesised(statement: &Statement) -> Class {
    let first = (0..).find(|at| statement.kind(*at) != Some(Kind::Open)).unwrap_or_default();
    if statement.is(first, &["SELECT", "WITH", "VALUES", "TABLE"]) {
        scan::class(statement)
    } else {
        Class::Unknown
    }
}

/// `TRUNCATE [TABLE] [ONLY] a [*], b [RESTART IDENTITY] [CASCADE]`.
fn truncate(statement: &Statement) -> Option<Class> {
    let mut at = statement.skip(1, &["TABLE"]);
    let mut tables = Vec::new();
    loop {
        let (table, after) = statement.table(statement.skip(at, &["ONLY"]))?;
        tables.push(table);
        at = after + usize::from(statement.is_operator(after, "*"));
        if statement.kind(at) != Some(Kind::Comma) {
            break;
        }
        at += 1;
    }
    let mut cascade = false;
    while statement.kind(at).is_some() {
        if !statement.is(at, &["RESTART", "CONTINUE", "IDENTITY", "RESTRICT", "CASCADE"]) {
            return None;
        }
        cascade |= statement.is(at, &["CASCADE"]);
        at += 1;
    }
    if tables.len() > scan::MOST_WRITES {
        return None;
    }
    let write = |table| TableWrite::of_any_row(table, WriteKind::Truncate { cascade });
    Some(Class::Write(tables.into_iter().map(write).collect()))
}

/// EXPLAIN runs the statement if it says ANALYZE, which Postgres also takes in quotes; else it only plans it, which
/// may call functions.
fn explain(statement: &Statement) -> Option<Class> {
    const OTHER: Class = Class::Read(ReadClass::Other);
    const STATEMENTS: &[&str] =
        &["SELECT", "WITH", "VALUES", "TABLE", "INSERT", "REPLACE", "UPDATE", "DELETE"];
    let begins = |at: usize| statement.is(at, STATEMENTS);
    let is_query = |at: usize| statement.kind(at) == Some(Kind::Open) || begins(at);
    let mut inner = 1;
    if statement.rules.explain_options && statement.kind(1) == Some(Kind::Open) && !is_query(2) {
        inner = 1 + (1..).find(|at| matches!(statement.kind(*at), None | Some(Kind::Close)))?;
    }
    loop {
        match statement.word(inner).to_ascii_uppercase().as_str() {
            "ANALYZE" | "ANALYSE" | "VERBOSE" | "QUERY" | "PLAN" | "EXTENDED" => inner += 1,
            "FORMAT" if statement.is_operator(inner + 1, "=") => inner += 3,
            _ => break,
        }
    }
    let analyzes = |name: String| matches!(name.as_str(), "analyze" | "analyse");
    let runs = (1..inner).any(|at| statement.name(at).is_some_and(analyzes));
    let rest = statement.from(inner);
    if !is_query(inner) {
        // It may show a table's columns. Elsewhere it may be anything: SQLite carries out a PRAGMA even when it only
        // explains it.
        let is_name = |kind| matches!(kind, Kind::Word | Kind::Quoted | Kind::Dot | Kind::Text);
        let describes = statement.rules.describes && !runs && rest.kind(0).is_some();
        return (describes && rest.kinds().all(|(_, kind)| is_name(kind))).then_some(OTHER);
    }
    if runs {
        return Some(class(&rest));
    }
    scan::calls_are_harmless(&rest).then_some(OTHER)
}

/// `[NO_WRITE_TO_BINLOG | LOCAL] TABLE`: commits, but leaves rows as they are.
fn is_about_tables(statement: &Statement) -> bool {
    let at = statement.skip(1, &["NO_WRITE_TO_BINLOG", "LOCAL"]);
    statement.is(at, &["TABLE", "TABLES"])
}

/// FLUSH commits. It may change privileges, or what tables are; most of it is about neither.
fn flush(statement: &Statement) -> Class {
    let at = statement.skip(1, &["NO_WRITE_TO_BINLOG", "LOCAL"]);
    let is_lock = statement.find(at, &["LOCK", "EXPORT"]).is_some();
    if is_in(statement.word(at), statement.rules.harmless_flushes) && !is_lock {
        Class::Commits
    } else {
        Class::Unknown
    }
}

/// BEGIN and START TRANSACTION; in MariaDB also the begin of a block of statements.
fn begin(statement: &Statement) -> Class {
    const MODES: &str = "work transaction deferred immediate exclusive isolation level serializable repeatable \
        read committed uncommitted write only not deferrable with consistent snapshot";
    let starts = statement.is(0, &["BEGIN"]) || statement.is(1, &["TRANSACTION"]);
    let mut rest = statement.kinds().skip(1);
    if starts && rest.all(|(at, kind)| kind == Kind::Comma || is_in(statement.word(at), MODES)) {
        Class::Session
    } else {
        Class::Unknown
    }
}

/// Settings of a role or database, which sessions have from their start: a pool would have some with
/// and some without.
fn changes_later_sessions(statement: &Statement) -> bool {
    statement.dialect.sessions.alters_later_sessions
        && statement.is(0, &["ALTER"])
        && statement.is(1, &["ROLE", "USER", "DATABASE", "SYSTEM"])
        && statement.kinds().any(|(at, _)| statement.is(at, &["SET", "RESET"]))
}

/// True for a SET that changes when a statement fails, or how fast it is, but not what it does.
fn sets_harmlessly(statement: &Statement) -> bool {
    let rules = &statement.dialect.sessions;
    // When constraints are checked decides whether a write fails. What a trigger does, its table is known for.
    if rules.set_local && statement.is(1, &["CONSTRAINTS"]) {
        return true;
    }
    let at = statement.skip(1, &["LOCAL", "SESSION"]);
    is_in(statement.word(at), rules.harmless_settings)
        && (statement.is(at + 1, &["TO"]) || statement.is_operator(at + 1, "="))
}

/// A PRAGMA that only tells something, or changes nothing about what later statements do.
fn pragma(statement: &Statement) -> Class {
    let name = if statement.kind(2) == Some(Kind::Dot) { 3 } else { 1 };
    let tells = statement.kind(name) == Some(Kind::Word) && statement.kind(name + 1).is_none();
    // Without a journal, ROLLBACK does not undo.
    let keeps_journal = statement.is(name, &["JOURNAL_MODE"])
        && statement.is(name + 2, &["DELETE", "TRUNCATE", "PERSIST", "MEMORY", "WAL"]);
    if tells || keeps_journal || is_in(statement.word(name), statement.rules.harmless_pragmas) {
        Class::Read(ReadClass::Other)
    } else {
        Class::Session
    }
}

pub(super) fn is_in(word: &str, list: &str) -> bool {
    list.split_whitespace().any(|known| known.eq_ignore_ascii_case(word))
}

//! How the rows of a write can be known from the statement itself: from its RETURNING, or from one that is
//! appended.

use super::{ColumnName, ReturnedColumns, Returning, WriteKind, insert, statement::Statement, token::Kind};

/// Looks at a statement that is the whole text and does nothing but this one write.
pub(super) fn of(statement: &Statement, kind: &WriteKind) -> Option<Returning> {
    if !statement.rules.returning || !closes_its_brackets(statement) {
        return None;
    }
    let (table, after) = head(statement, kind)?;
    let returning = statement.find(after, &["RETURNING"]);
    if !matches!(kind, WriteKind::Upsert { .. }) && !is_simple(statement, after, returning) {
        return None;
    }
    let columns = returning.map(|at| columns(statement, at + 1, &table));
    Some(Returning { columns: columns.unwrap_or(ReturnedColumns::None) })
}

/// In an open bracket, what is appended would be part of something else.
fn closes_its_brackets(statement: &Statement) -> bool {
    let mut kinds = statement.kinds().map(|(_, kind)| kind);
    let open = kinds.try_fold(0_usize, |open, kind| match kind {
        Kind::OpenBracket => Some(open + 1),
        Kind::CloseBracket => open.checked_sub(1),
        _ => Some(open),
    });
    open == Some(0)
}

/// True if there is a condition, without which it is the whole table, and nothing that brings in columns of
/// other tables or that RETURNING might not follow.
fn is_simple(statement: &Statement, after: usize, returning: Option<usize>) -> bool {
    let mut has_condition = false;
    for (at, _) in statement.level(after).take_while(|(at, _)| returning != Some(*at)) {
        if statement.is(at, &["FROM", "USING", "ORDER", "LIMIT", "OFFSET"]) {
            return false;
        }
        has_condition |= statement.is(at, &["WHERE"]);
    }
    has_condition
}

/// The last name of the table, which must have no alias, and the position after it.
fn head(statement: &Statement, kind: &WriteKind) -> Option<(String, usize)> {
    // No `OR FAIL`: it keeps what was written before the failure, which a transaction would undo.
    let (verb, follows): (&[&str], &[&str]) = match kind {
        WriteKind::Update { .. } => (&["UPDATE"], &["SET"]),
        WriteKind::Delete => (&["DELETE", "FROM"], &["WHERE"]),
        WriteKind::Upsert { assigned: Some(_) } => (&["INSERT", "INTO"], insert::SOURCES),
        WriteKind::Upsert { assigned: None } | WriteKind::Insert | WriteKind::Truncate { .. } => return None,
    };
    if !verb.iter().enumerate().all(|(at, word)| statement.is(at, &[word])) {
        return None;
    }
    let at = verb.len();
    let at = if statement.kind(at + 1) == Some(Kind::Dot) { at + 2 } else { at };
    let table = statement.name(at)?;
    let inserts = verb[0] == "INSERT" && statement.kind(at + 1) == Some(Kind::Open);
    (inserts || statement.is(at + 1, follows)).then_some((table, at + 1))
}

/// What a list returns, up to an item that stands for several columns.
fn columns(statement: &Statement, list: usize, table: &str) -> ReturnedColumns {
    let mut found = Vec::new();
    let end = statement.level(list).last().map_or(list, |(at, _)| at + 1);
    let commas = statement.level(list).filter(|(_, kind)| *kind == Kind::Comma).map(|(at, _)| at);
    let mut from = list;
    for (position, to) in commas.chain([end]).enumerate() {
        let expands = to.checked_sub(1).is_some_and(|last| statement.is_operator(last, "*"));
        if expands && from == list && to == end && end == list + 1 {
            return ReturnedColumns::All;
        }
        if expands {
            break;
        }
        found.extend(column(statement, from, to, table).map(|name| (position, name)));
        from = to + 1;
    }
    ReturnedColumns::At(found)
}

/// `column` or `table.column`, and nothing else from `from` to `end`.
fn column(statement: &Statement, mut from: usize, end: usize, table: &str) -> Option<ColumnName> {
    // Words that are values where the table may have a column of that name in quotes.
    const VALUES: &[&str] = &[
        "CURRENT_CATALOG",
        "CURRENT_DATE",
        "CURRENT_ROLE",
        "CURRENT_SCHEMA",
        "CURRENT_TIME",
        "CURRENT_TIMESTAMP",
        "CURRENT_USER",
        "FALSE",
        "LOCALTIME",
        "LOCALTIMESTAMP",
        "NULL",
        "SESSION_USER",
        "SYSTEM_USER",
        "TRUE",
        "USER",
    ];
    if statement.kind(from + 1) == Some(Kind::Dot) {
        if statement.name(from)? != table {
            return None;
        }
        from += 2;
    } else if statement.is(from, VALUES) {
        return None;
    }
    (end == from + 1).then(|| statement.name(from)).flatten()
}

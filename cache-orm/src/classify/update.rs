//! The head of UPDATE, and the tables of MySQL's writes to several tables.

use super::{
    ColumnName, TableName, TableWrite, WriteKind,
    head::{Head, writes},
    keys,
    statement::Statement,
    token::Kind,
};

/// Reads `UPDATE table [[AS] alias] SET`, looks ahead for the columns and the conditions, and leaves the rest
/// to the scan.
pub(super) fn head(statement: &Statement, verb: usize) -> Option<Head> {
    let mut at = verb + 1;
    let mut replaces = false;
    if statement.rules.conflict_clauses && statement.is(at, &["OR"]) {
        // OR REPLACE deletes the rows that are in the way, OR ROLLBACK may end the transaction.
        replaces = statement.is(at + 1, &["REPLACE"]);
        if !replaces && !statement.is(at + 1, &["IGNORE", "ABORT", "FAIL"]) {
            return None;
        }
        at += 2;
    }
    at = statement.skip(at, statement.rules.update_modifiers);
    if statement.rules.inheritance {
        at = statement.skip(at, &["ONLY"]);
    }
    let (table, mut after) = statement.table(at)?;
    if statement.rules.inheritance && statement.is_operator(after, "*") {
        after += 1;
    }
    let (alias, set) = statement.alias(after, &["SET"])?;
    if statement.is(set, &["SET"]) {
        let (assigned, next) = assignments(statement, set)?;
        let kind =
            if replaces { WriteKind::Upsert { assigned: None } } else { WriteKind::Update { assigned } };
        let filter = statement.find(next, &["WHERE"]).filter(|_| !replaces && !reads_others(statement, set));
        let keys =
            filter.map(|filter| keys::equalities(statement, filter, alias.as_deref().unwrap_or(&table.name)));
        let write = TableWrite { keys: keys.unwrap_or_default(), ..TableWrite::of_any_row(table, kind) };
        return Some(Head { writes: vec![write], next });
    }
    if !statement.rules.joined_writes {
        return None;
    }
    let tables = joined_tables(statement, at)?;
    let (assigned, _) = assignments(statement, statement.find(at, &["SET"])?)?;
    // The scan goes on before the joins: their conditions may call functions.
    Some(Head { writes: writes(tables, &WriteKind::Update { assigned }), next: at })
}

/// The tables of `a JOIN b ON … , c`: more than are written, never fewer.
pub(super) fn joined_tables(statement: &Statement, at: usize) -> Option<Vec<TableName>> {
    let mut tables = Vec::new();
    let mut expected = true;
    for (at, kind) in statement.level(at) {
        if statement.is(at, &["SET", "WHERE", "ORDER", "LIMIT", "RETURNING"]) {
            break;
        }
        if expected && kind != Kind::Open {
            tables.push(statement.table(at)?.0);
        } else if expected && !statement.is(at + 1, &["SELECT", "WITH", "VALUES"]) {
            // No derived table, which is only read: parentheses around tables are not worth following.
            return None;
        }
        expected = kind == Kind::Comma || statement.is(at, &["JOIN", "STRAIGHT_JOIN"]);
    }
    (!expected && !tables.is_empty()).then_some(tables)
}

/// The columns after SET, at least, and the position where the scan goes on.
pub(super) fn assignments(statement: &Statement, set: usize) -> Option<(Vec<ColumnName>, usize)> {
    let mut columns = Vec::new();
    let mut expected = true;
    for (at, kind) in statement.level(set + 1) {
        let ends = if statement.rules.returning { &["WHERE", "RETURNING"][..] } else { &["WHERE"] };
        if statement.is(at, ends) {
            break;
        }
        if expected {
            match kind {
                Kind::Word | Kind::Quoted => push_names(statement, at, Kind::Dot, &mut columns),
                // `(a, b) = …`, or a query in a FROM clause: then a few names too many.
                Kind::Open => push_names(statement, at + 1, Kind::Comma, &mut columns),
                // In an ORDER BY or LIMIT.
                Kind::Number | Kind::Parameter(_) if !columns.is_empty() => {}
                // Such as `'a' = 1`, which is a column to SQLite.
                _ => return None,
            }
        }
        expected = kind == Kind::Comma;
    }
    if expected || columns.is_empty() {
        return None;
    }
    // `SET (a, b) =` is no call.
    let next = statement.after_names(set + 1).unwrap_or(set + 1);
    Some((columns, next))
}

/// The names that begin here, all of a dotted one: in Postgres `a.b` is field `b` of column `a`.
fn push_names(statement: &Statement, mut at: usize, separator: Kind, into: &mut Vec<ColumnName>) {
    while let Some(name) = statement.name(at) {
        into.push(name);
        if statement.kind(at + 1) != Some(separator) {
            break;
        }
        at += 2;
    }
}

/// True if there may be a FROM clause: the conditions may then speak of another table.
fn reads_others(statement: &Statement, set: usize) -> bool {
    statement.find(set, &["FROM"]).is_some()
}

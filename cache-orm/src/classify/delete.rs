//! The head of DELETE.

use super::{
    TableWrite, WriteKind,
    head::{Head, writes},
    keys,
    statement::Statement,
    token::Kind,
    update::joined_tables,
};

/// What may follow the table of a DELETE from one table.
const FOLLOWERS: &[&str] = &["WHERE", "RETURNING", "ORDER", "LIMIT"];

/// Reads `DELETE FROM table [[AS] alias]` and the conditions, and leaves the rest to the scan.
pub(super) fn head(statement: &Statement, verb: usize) -> Option<Head> {
    let at = statement.skip(verb + 1, statement.rules.delete_modifiers);
    if let Some(head) = one_table(statement, at) {
        return Some(head);
    }
    if statement.rules.joined_writes { several_tables(statement, at) } else { None }
}

fn one_table(statement: &Statement, mut at: usize) -> Option<Head> {
    if !statement.is(at, &["FROM"]) {
        return None;
    }
    at += 1;
    if statement.rules.inheritance {
        at = statement.skip(at, &["ONLY"]);
    }
    let (table, mut at) = statement.table(at)?;
    if statement.rules.inheritance && statement.is_operator(at, "*") {
        at += 1;
    }
    let (alias, next) = statement.alias(at, &[FOLLOWERS, &["USING"]].concat())?;
    let kind = WriteKind::Delete;
    if statement.rules.delete_using && statement.is(next, &["USING"]) {
        return Some(Head { writes: vec![TableWrite::of_any_row(table, kind)], next });
    }
    let ends = matches!(statement.kind(next), None | Some(Kind::Close));
    if !ends && !statement.is(next, FOLLOWERS) {
        return None;
    }
    let keys = if statement.is(next, &["WHERE"]) {
        keys::equalities(statement, next, alias.as_deref().unwrap_or(&table.name))
    } else {
        Vec::new()
    };
    Some(Head { writes: vec![TableWrite { keys, ..TableWrite::of_any_row(table, kind) }], next })
}

/// MySQL's `DELETE a, b FROM tables` and `DELETE FROM a, b USING tables`, where `a` and `b` may be aliases:
/// every table may lose rows.
fn several_tables(statement: &Statement, mut at: usize) -> Option<Head> {
    let introduces = if statement.is(at, &["FROM"]) { "USING" } else { "FROM" };
    at += usize::from(introduces == "USING");
    while !statement.is(at, &[introduces]) {
        let is_list = matches!(statement.kind(at)?, Kind::Word | Kind::Quoted | Kind::Comma | Kind::Dot);
        if !is_list && !statement.is_operator(at, "*") {
            return None;
        }
        at += 1;
    }
    let tables = joined_tables(statement, at + 1)?;
    Some(Head { writes: writes(tables, &WriteKind::Delete), next: at + 1 })
}

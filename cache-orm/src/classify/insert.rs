//! The head of INSERT and REPLACE.

use super::{TableWrite, WriteKind, head::Head, statement::Statement, token::Kind};

/// What may follow the table and its columns.
pub(super) const SOURCES: &[&str] =
    &["VALUES", "VALUE", "SELECT", "WITH", "TABLE", "DEFAULT", "SET", "OVERRIDING"];

/// Reads `INSERT [OR …] [INTO] table [AS alias] [(columns)]`. Whether it is an upsert, the scan of the rest
/// tells.
pub(super) fn head(statement: &Statement, verb: usize) -> Option<Head> {
    let mut at = verb + 1;
    let mut kind = WriteKind::Insert;
    if statement.is(verb, &["REPLACE"]) {
        if !statement.rules.replace {
            return None;
        }
        kind = WriteKind::Upsert { assigned: None };
    }
    if statement.rules.conflict_clauses && statement.is(at, &["OR"]) {
        // OR ROLLBACK may end the transaction.
        match statement.word(at + 1).to_ascii_uppercase().as_str() {
            "REPLACE" => kind = WriteKind::Upsert { assigned: None },
            "IGNORE" | "ABORT" | "FAIL" => {}
            _ => return None,
        }
        at += 2;
    }
    at = statement.skip(at, statement.rules.insert_modifiers);
    if statement.is(at, &["INTO"]) {
        at += 1;
    } else if !statement.rules.optional_into {
        return None;
    }
    let (table, at) = statement.table(at)?;
    let (_, mut at) = statement.alias(at, SOURCES)?;
    // Columns, or a query in parentheses, which the scan looks into.
    let is_query = |at: usize| {
        statement.kind(at) == Some(Kind::Open) || statement.is(at, &["SELECT", "WITH", "VALUES", "TABLE"])
    };
    let has_source =
        |at: usize| statement.is(at, SOURCES) || (statement.kind(at) == Some(Kind::Open) && is_query(at + 1));
    if let Some(after) = statement.after_names(at).filter(|after| has_source(*after)) {
        at = after;
    }
    has_source(at).then(|| Head { writes: vec![TableWrite::of_any_row(table, kind)], next: at })
}

//! Which statements a database has, and what they do to rows.

use std::{collections::HashSet, sync::LazyLock};

use super::KeywordRules;

/// What statements mean. What is not listed as harmless may do anything.
#[derive(Debug)]
pub(crate) struct StatementRules {
    /// First words of statements that leave every row as it is, and the session too.
    pub(crate) harmless: &'static [&'static str],
    /// First words of statements that change what later ones mean, or end the transaction.
    pub(crate) of_session: &'static [&'static str],
    /// First words of statements that leave the rows of the tables as they are which they are about, but commit
    /// the transaction: `ANALYZE TABLE`. (A repair may lose rows.)
    pub(crate) of_tables: &'static [&'static str],
    /// What FLUSH, which commits, may be about without changing privileges or what tables are. Empty: there is no
    /// FLUSH.
    pub(crate) harmless_flushes: &'static str,
    /// What PRAGMA may be about without changing what later statements do. Empty: there is no PRAGMA.
    pub(crate) harmless_pragmas: &'static str,
    pub(crate) truncate: Truncate,
    /// SHOW tells something, and may call functions for it.
    pub(crate) shows: bool,
    /// DESCRIBE, which is EXPLAIN; both also show a table's columns.
    pub(crate) describes: bool,
    /// `EXPLAIN (ANALYZE, …) statement`
    pub(crate) explain_options: bool,
    /// `UPDATE OR …`, `INSERT OR …`: they may replace rows, or roll back.
    pub(crate) conflict_clauses: bool,
    /// REPLACE deletes the rows that are in the way of those that it inserts.
    pub(crate) replace: bool,
    /// `INSERT a`, without INTO.
    pub(crate) optional_into: bool,
    /// Words between a verb and its table that do not change what it writes. (INSERT DELAYED writes at some later
    /// time.)
    pub(crate) insert_modifiers: &'static [&'static str],
    pub(crate) update_modifiers: &'static [&'static str],
    pub(crate) delete_modifiers: &'static [&'static str],
    /// `ONLY a` and `a *`: a table without those that inherit from it, or with them.
    pub(crate) inheritance: bool,
    /// One UPDATE or DELETE of several tables: `UPDATE a JOIN b … SET`, `DELETE a, b FROM …`.
    pub(crate) joined_writes: bool,
    /// `DELETE FROM a USING b`: rows of `a` alone.
    pub(crate) delete_using: bool,
    /// UPDATE, DELETE and an upsert have RETURNING, and so tell their rows. Without, a column may have that name.
    pub(crate) returning: bool,
    /// The schema that nobody but the server has functions in.
    pub(crate) system_schema: Option<&'static str>,
    /// `f (x)`, with a space, calls a stored function even if a built-in one has that name.
    pub(crate) space_before_stored: bool,
    /// Functions that change no rows, by name in lower case.
    pub(crate) functions: LazyLock<HashSet<&'static str>>,
    pub(crate) keywords: KeywordRules,
}

/// What TRUNCATE does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Truncate {
    /// There is none.
    Nothing,
    /// Deletes the rows of the tables that it names, and with CASCADE of those that refer to them.
    Rows,
    /// Drops the table and makes it anew, and commits.
    Table,
}

/// Functions that change no rows: those of every database, and types that take a length, with a database's own. One
/// a line.
pub(super) fn functions(own: &'static str) -> HashSet<&'static str> {
    include_str!("names/common.txt").lines().chain(own.lines()).collect()
}

//! What one SQL text does: pure, without I/O, never fails.
//!
//! Reads that the cache answers are recognised elsewhere, by their exact text, before this module is asked.
//! Here a SELECT is only "a read that passes through", or a write in disguise.
//!
//! The text is not parsed into a tree. A database executes a write only where it sees a verb, and calls a
//! function only where it sees a name before a parenthesis, however deep. So the tokens are scanned once,
//! from left to right, and **every** verb, call, INTO and operator must be accounted for. One that is not
//! makes the whole text [`Class::Unknown`]: being wrong about structure can then cost precision, not
//! coherence.
//!
//! ```text
//! class      what a text does
//! token      the tokens of SQL
//! lexer      text → tokens; gives up where databases, or their settings, disagree about a token
//! statement  the tokens of one statement, and how to look at them
//! raw        the first word → what kind of statement
//! scan       accounts for every verb, call and INTO
//! functions  calls that are known to change nothing
//! //! keywords   words before a parenthesis that are no calls
//! temporary  tables and views of one session
//! head, insert, update, delete   the head of each verb: which table, which columns
//! keys       WHERE → equality conditions
//! returning  RETURNING → where the keys of the affected rows are
//! writers    names of which the database says that a write may hide behind them
//! pieces     text → words, where the lexer gives up or a string is executed; never fails
//! hidden     session changes and transactions in a text that is not understood
//! shown      a text without its literals, for people
//! ```
//!
//! What the text can't tell is left to others: triggers, rules, foreign keys, column defaults. Functions that are
//! called without a name before a parenthesis (by a view, an operator, a cast to a domain) are known to the database:
//! [`Writers`] finds their callers in the text.

mod class;
mod classes;
mod delete;
mod functions;
mod head;
pub(crate) mod hidden;
mod insert;
mod keys;
mod keywords;
mod lexer;
mod pieces;
mod raw;
pub(crate) mod reason;
mod returning;
mod scan;
mod shown;
mod statement;
mod temporary;
mod token;
mod update;
mod writers;

#[cfg(test)]
mod tests;

use sea_orm::DbBackend;

use crate::dialect::Dialect;

pub(crate) use class::{
    Class, ColumnName, Equality, ReadClass, ReturnedColumns, Returning, TableName, TableWrite, WriteKind,
};
pub(crate) use classes::Classes;
pub(crate) use shown::shown;
pub(crate) use writers::Writers;

/// Says what a text does. Takes time and memory in proportion to the text's length, at most a few
/// milliseconds: a text over [`lexer::LONGEST`] is not read.
pub(crate) fn classify(sql: &str, backend: DbBackend) -> Class {
    let class = lexer::lex(sql, backend).map_or(Class::Unknown, |lexed| class(&lexed));
    // What is not understood may still tell that it is about the session, or the schema.
    if class != Class::Unknown {
        return class;
    }
    match hidden::of(sql, backend) {
        hidden if hidden.changes => Class::Session,
        hidden if hidden.defines => Class::UnknownSchema,
        _ => Class::Unknown,
    }
}

fn class(lexed: &lexer::Lexed) -> Class {
    let parts: Vec<_> = lexed.statements().collect();
    if raw::defines_a_body(&parts) {
        return if temporary::is_made(&parts[0]) { Class::Session } else { Class::Schema };
    }
    if raw::is_block(&parts) {
        return Class::Unknown;
    }
    let mut class = Class::Read(ReadClass::Select);
    for part in &parts {
        class = both(class, raw::class(part));
    }
    match &mut class {
        _ if parts.is_empty() => return Class::Read(ReadClass::Other),
        // Drivers differ in how they share out the values among several statements, and in what value a
        // numbered or named parameter gets.
        Class::Write(writes) if parts.len() > 1 || !lexed.positional => {
            writes.iter_mut().for_each(|write| write.keys.clear());
        }
        _ => {}
    }
    if let (Class::Write(writes), [part], true) = (&mut class, parts.as_slice(), lexed.is_bare())
        && let [write] = writes.as_mut_slice()
    {
        write.returning = returning::of(part, &write.kind);
    }
    class
}

/// True for a statement whose effect on the session ends with the transaction that it is in: a savepoint,
/// `SET LOCAL`, `SET TRANSACTION`. Outside a transaction it is what its class says.
pub(crate) fn ends_with_transaction(sql: &str, backend: DbBackend) -> bool {
    let Some(lexed) = lexer::lex(sql, backend) else { return false };
    let mut parts = lexed.statements();
    // More than one statement is judged by its class.
    let (Some(statement), None) = (parts.next(), parts.next()) else { return false };
    match statement.word(0).to_ascii_uppercase().as_str() {
        "SAVEPOINT" | "RELEASE" => true,
        "ROLLBACK" => statement.is(1, &["TO"]),
        "SET" => {
            let set_local = statement.dialect.sessions.set_local;
            statement.is(1, &["TRANSACTION"]) || (set_local && statement.is(1, &["LOCAL"]))
        }
        _ => false,
    }
}

/// True if a statement whose effect ends with the transaction may change what names mean until then, as
/// `SET LOCAL search_path` does.
pub(crate) fn renames(sql: &str, backend: DbBackend) -> bool {
    let harmless = Dialect::of(backend).sessions.settings_of_no_name;
    let Some(lexed) = lexer::lex(sql, backend) else { return true };
    let Some(statement) = lexed.statements().next() else { return false };
    if !statement.is(0, &["SET"]) || !statement.is(1, &["LOCAL"]) {
        return false;
    }
    let setting = statement.name(2).unwrap_or_default();
    // Settings of applications and extensions carry a dot; none of the others says where a name is looked for.
    let is_of_application = setting.contains('.') || statement.kind(3) == Some(token::Kind::Dot);
    !is_of_application && !setting.ends_with("_timeout") && !raw::is_in(&setting, harmless)
}

/// The class of two statements in one text.
fn both(first: Class, second: Class) -> Class {
    use Class::{Commits, Read, Schema, Session, Unknown, UnknownSchema, Write};
    match (first, second) {
        (Session, _) | (_, Session) => Session,
        (UnknownSchema, _) | (_, UnknownSchema) => UnknownSchema,
        (Unknown, _) | (_, Unknown) => Unknown,
        (Schema, _) | (_, Schema) => Schema,
        (Commits, Write(_)) | (Write(_), Commits) => Unknown,
        (Commits, _) | (_, Commits) => Commits,
        (Write(mut first), Write(second)) if first.len() + second.len() <= scan::MOST_WRITES => {
            first.extend(second);
            Write(first)
        }
        (Write(_), Write(_)) => Unknown,
        (Write(writes), Read(_)) | (Read(_), Write(writes)) => Write(writes),
        (Read(a), Read(b)) => Read(a.max(b)),
    }
}

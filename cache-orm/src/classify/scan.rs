//! The scan of a query or of INSERT, UPDATE, DELETE: every verb, call and INTO in it, however deep.

use super::{
    Class, ColumnName, ReadClass, TableWrite, WriteKind, delete, functions, head::Head, insert,
    statement::Statement, token::Kind, update,
};

/// A text with more writes is not worth telling apart; it also bounds the work, because the head of each
/// write may look ahead to the end of the text.
pub(super) const MOST_WRITES: usize = 16;

/// What a statement does that begins with SELECT, WITH, VALUES, TABLE, INSERT, REPLACE, UPDATE, DELETE or `(`.
pub(super) fn class(statement: &Statement) -> Class {
    scan(statement).unwrap_or(Class::Unknown)
}

/// True if no call in the statement can change rows.
pub(super) fn calls_are_harmless(statement: &Statement) -> bool {
    let mut opens = statement.kinds().filter(|(_, kind)| *kind == Kind::Open);
    opens.all(|(open, _)| functions::is_harmless(statement, open))
}

fn scan(statement: &Statement) -> Option<Class> {
    let mut writes: Vec<TableWrite> = Vec::new();
    let mut kind_of_read = ReadClass::Select;
    // What each ON CONFLICT or ON DUPLICATE KEY assigns.
    let mut upserts: Vec<Option<Vec<ColumnName>>> = Vec::new();
    let mut depth = 0_usize;
    let mut at = 0;
    while let Some(kind) = statement.kind(at) {
        match kind {
            Kind::Open if functions::is_harmless(statement, at) => depth += 1,
            Kind::Open => return None,
            Kind::Close => depth = depth.checked_sub(1)?,
            Kind::Word if statement.kind_before(at, 1) != Some(Kind::Dot) => match keyword(statement, at)? {
                Keyword::Ordinary => {}
                Keyword::Locks => kind_of_read = ReadClass::Locking,
                Keyword::Upserts(assigned) => upserts.push(assigned),
                Keyword::Writes(mut head) => {
                    if at > 0 {
                        // Not the statement itself, or not without a WITH: its conditions are not trusted.
                        head.writes.iter_mut().for_each(|write| write.keys.clear());
                    }
                    writes.extend(head.writes);
                    if writes.len() > MOST_WRITES {
                        return None;
                    }
                    at = head.next;
                    // A query, a list of columns or of tables: no call.
                    if statement.kind(at) == Some(Kind::Open) {
                        depth += 1;
                        at += 1;
                    }
                    continue;
                }
            },
            _ => {}
        }
        at += 1;
    }
    if depth > 0 {
        return None;
    }
    if !upserts.is_empty() {
        let assigned: Option<Vec<_>> = upserts.into_iter().collect();
        let assigned = assigned.map(|columns| columns.concat());
        // Which INSERT it belongs to does not matter much: all of them.
        let mut inserts = writes.iter_mut().filter(|write| write.kind == WriteKind::Insert).peekable();
        inserts.peek()?;
        inserts.for_each(|write| write.kind = WriteKind::Upsert { assigned: assigned.clone() });
    }
    Some(if writes.is_empty() { Class::Read(kind_of_read) } else { Class::Write(writes) })
}

enum Keyword {
    Ordinary,
    Locks,
    /// With the columns that are assigned, if that can be told.
    Upserts(Option<Vec<ColumnName>>),
    Writes(Head),
}

/// `None` for a word that can't be accounted for.
fn keyword(statement: &Statement, at: usize) -> Option<Keyword> {
    let before = |back: usize, word: &str| statement.was(at, back, &[word]);
    let calls = statement.kind(at + 1) == Some(Kind::Open);
    let begins = matches!(statement.kind_before(at, 1), None | Some(Kind::Open | Kind::Close));
    let word = statement.word(at);
    let is = |keyword: &str| word.eq_ignore_ascii_case(keyword);
    // Nearly every word is ruled out by its length.
    let head = match word.len() {
        4 if is("INTO") => return None,
        4 if is("MODE") && before(1, "SHARE") && before(2, "IN") => return Some(Keyword::Locks),
        5 if is("MERGE") => return None,
        5 if is("SHARE") && (before(1, "FOR") || before(1, "KEY")) => return Some(Keyword::Locks),
        6 if is("UPDATE") => {
            if before(1, "FOR") || (before(1, "KEY") && before(2, "NO") && before(3, "FOR")) {
                return Some(Keyword::Locks);
            }
            if before(1, "DO") {
                let assigned = statement.is(at + 1, &["SET"]).then(|| update::assignments(statement, at + 1));
                return Some(Keyword::Upserts(assigned.flatten().map(|(columns, _)| columns)));
            }
            if before(1, "KEY") && before(2, "DUPLICATE") && before(3, "ON") {
                return Some(Keyword::Upserts(None));
            }
            update::head
        }
        6 if is("DELETE") => delete::head,
        // Also functions of MySQL.
        6..=8 if calls && (is("INSERT") || is("REPLACE") || is("TRUNCATE")) => {
            return Some(Keyword::Ordinary);
        }
        6 | 7 if is("INSERT") || is("REPLACE") => insert::head,
        8 if is("TRUNCATE") => return None,
        _ => return Some(Keyword::Ordinary),
    };
    if begins { head(statement, at).map(Keyword::Writes) } else { None }
}

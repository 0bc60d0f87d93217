//! The scan of a query or of INSERT, UPDATE, DELETE: every verb, call and INTO in it, however deep.

use super::{
    Class, ReadKind, TableWrite, WriteKind, delete, functions, insert, lexer::Kind, statement::Statement,
    update,
};

/// A text with more writes is not worth telling apart; it also bounds the work, because the head of each
/// write may look ahead to the end of the text.
pub(super) const MOST_WRITES: usize = 16;

/// The head of a write: the tables it may change, and the position where the scan goes on.
pub(super) struct Head {
    pub(super) writes: Vec<TableWrite>,
    pub(super) next: usize,
}

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
    let mut kind_of_read = ReadKind::Select;
    let mut upserts = false;
    let mut depth = 0_usize;
    let mut at = 0;
    while let Some(kind) = statement.kind(at) {
        match kind {
            Kind::Open if functions::is_harmless(statement, at) => depth += 1,
            Kind::Open => return None,
            Kind::Close => depth = depth.checked_sub(1)?,
            Kind::Word if statement.kind_before(at, 1) != Some(Kind::Dot) => match keyword(statement, at)? {
                Keyword::Ordinary => {}
                Keyword::Locks => kind_of_read = ReadKind::Locking,
                Keyword::Upserts => upserts = true,
                Keyword::Writes(head) => {
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
    if upserts {
        // Which INSERT it belongs to does not matter much: all of them.
        let mut inserts = writes
            .iter_mut()
            .filter(|write| write.kind == WriteKind::Insert)
            .peekable();
        inserts.peek()?;
        inserts.for_each(|write| write.kind = WriteKind::Upsert);
    }
    // Conditions may speak of other tables where there is more than one write, or a WITH before it.
    if writes.len() > 1 || statement.is(0, &["WITH"]) {
        writes.iter_mut().for_each(|write| write.keys.clear());
    }
    Some(if writes.is_empty() {
        Class::Read(kind_of_read)
    } else {
        Class::Write(writes)
    })
}

enum Keyword {
    Ordinary,
    Locks,
    Upserts,
    Writes(Head),
}

/// `None` for a word that can't be accounted for.
fn keyword(statement: &Statement, at: usize) -> Option<Keyword> {
    let before = |back: usize, word: &str| statement.was(at, back, &[word]);
    let calls = statement.kind(at + 1) == Some(Kind::Open);
    let begins = matches!(
        statement.kind_before(at, 1),
        None | Some(Kind::Open | Kind::Close)
    );
    let word = statement.word(at);
    let is = |keyword: &str| word.eq_ignore_ascii_case(keyword);
    // Nearly every word is ruled out by its length.
    match word.len() {
        4 if is("INTO") => None,
        4 if is("MODE") && before(1, "SHARE") && before(2, "IN") => Some(Keyword::Locks),
        5 if is("MERGE") => None,
        5 if is("SHARE") && (before(1, "FOR") || before(1, "KEY")) => Some(Keyword::Locks),
        6 if is("UPDATE") => {
            let locks = before(1, "FOR") || (before(1, "KEY") && before(2, "NO") && before(3, "FOR"));
            let duplicates = before(1, "KEY") && before(2, "DUPLICATE") && before(3, "ON");
            if locks {
                Some(Keyword::Locks)
            } else if before(1, "DO") || duplicates {
                Some(Keyword::Upserts)
            } else if begins {
                update::head(statement, at).map(Keyword::Writes)
            } else {
                None
            }
        }
        6 if is("DELETE") => {
            if begins {
                delete::head(statement, at).map(Keyword::Writes)
            } else {
                None
            }
        }
        // Also functions of MySQL.
        6..=8 if calls && (is("INSERT") || is("REPLACE") || is("TRUNCATE")) => Some(Keyword::Ordinary),
        6 | 7 if is("INSERT") || is("REPLACE") => {
            if begins {
                insert::head(statement, at).map(Keyword::Writes)
            } else {
                None
            }
        }
        8 if is("TRUNCATE") => None,
        _ => Some(Keyword::Ordinary),
    }
}

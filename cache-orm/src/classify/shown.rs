//! A text as it may be shown: short, and without the values in it.

use sea_orm::DbBackend;

use super::pieces::{Backslash, Piece, PieceKind, pieces};
use crate::dialect::Dialect;

/// So many characters are shown.
const LONGEST: usize = 120;

/// No more of a text is looked at.
const LOOKED_AT: usize = 1024;

/// The text without literals and comments, cut off where it gets long, or where it is not sure what is inside a
/// string.
pub(crate) fn shown(sql: &str, backend: DbBackend) -> String {
    let rules = &Dialect::of(backend).tokens;
    let head = &sql[..sql.floor_char_boundary(LOOKED_AT)];
    let mut shown = String::new();
    let mut cut = head.len() < sql.len();
    let pieces = pieces(head, rules, Backslash::Escapes);
    for (at, piece) in pieces.iter().enumerate() {
        if piece.gap && !shown.is_empty() {
            shown.push(' ');
        }
        match piece.kind {
            PieceKind::Word | PieceKind::Sign | PieceKind::Opens => shown.push_str(piece.text),
            PieceKind::Closes => shown.push_str("*/"),
            PieceKind::Name if rules.names_may_be_strings && !names_a_table(&pieces[..at]) => shown.push('?'),
            PieceKind::Name => shown.extend(["\"", piece.text, "\""]),
            PieceKind::Number | PieceKind::Text { .. } => shown.push('?'),
        }
        if piece.kind == (PieceKind::Text { sure: false }) || shown.len() > LONGEST {
            cut = at + 1 < pieces.len() || cut;
            break;
        }
    }
    shown.truncate(shown.floor_char_boundary(LONGEST));
    if cut {
        shown.push('…');
    }
    shown
}

/// True behind a word that a table's name follows.
fn names_a_table(before: &[Piece]) -> bool {
    let words = ["FROM", "INTO", "UPDATE", "JOIN", "TABLE", "VIEW", "INDEX", "TRIGGER"];
    before.last().is_some_and(|last| words.iter().any(|word| last.is(word)) || last.is_sign("."))
}

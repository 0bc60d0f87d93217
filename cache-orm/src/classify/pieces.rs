//! A text in pieces, also where the [lexer](super::lexer) gives up: never fails, and is never relied on to show that
//! a text does nothing.

use crate::dialect::{Brackets, TokenRules};

/// What a backslash in a string means, where a setting decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Backslash {
    Escapes,
    Stands,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum PieceKind {
    Word,
    Number,
    /// A string. Its end is not sure where a setting decides about it, or the text has none.
    Text {
        sure: bool,
    },
    /// A name in quotes.
    Name,
    /// Any other character.
    Sign,
    /// The begin of a comment whose inside MySQL or MariaDB carries out, depending on the server's version.
    Opens,
    /// Its end.
    Closes,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Piece<'a> {
    pub(super) kind: PieceKind,
    /// As written; of strings and names in quotes what is inside them.
    pub(super) text: &'a str,
    /// White space or a comment is before it.
    pub(super) gap: bool,
}

impl Piece<'_> {
    pub(super) fn is(&self, word: &str) -> bool {
        self.kind == PieceKind::Word && self.text.eq_ignore_ascii_case(word)
    }

    pub(super) fn is_sign(&self, sign: &str) -> bool {
        self.kind == PieceKind::Sign && self.text == sign
    }
}

/// Takes a text apart, without comments and white space.
pub(super) fn pieces<'a>(text: &'a str, rules: &'a TokenRules, backslash: Backslash) -> Vec<Piece<'a>> {
    let mut cutter = Cutter { text, at: 0, rules, backslash, pieces: Vec::new(), gap: false, inside: false };
    while cutter.at < text.len() {
        cutter.next();
    }
    cutter.pieces
}

struct Cutter<'a> {
    text: &'a str,
    at: usize,
    rules: &'a TokenRules,
    backslash: Backslash,
    pieces: Vec<Piece<'a>>,
    gap: bool,
    /// In a comment that is carried out.
    inside: bool,
}

impl Cutter<'_> {
    fn next(&mut self) {
        let rules = self.rules;
        let rest = &self.text[self.at..];
        let byte = rest.as_bytes()[0];
        match byte {
            // For some the end of the text, for others nothing: a statement may begin behind it.
            0 => self.push(PieceKind::Sign, 0, 1, 1),
            b' ' | b'\t' | b'\n' | b'\r' | 0x0b | 0x0c => self.skip(1),
            _ if rest.starts_with('\u{feff}') => self.skip('\u{feff}'.len_utf8()),
            b'-' if rest.starts_with("--") && !(rules.dashes_need_space && follows_as_sign(rest)) => {
                self.line()
            }
            b'#' if rules.hash_comments => self.line(),
            b'/' if rest.starts_with("/*") => self.comment(),
            b'*' if self.inside && rest.starts_with("*/") => {
                self.inside = false;
                self.push(PieceKind::Closes, 0, 2, 2);
            }
            b'\'' => self.quoted(true),
            b'"' => self.quoted(rules.double_quoted_strings),
            b'`' if rules.backticks => self.quoted(false),
            b'[' if rules.brackets == Brackets::Names => {
                let end = rest.find(']').unwrap_or(rest.len());
                self.push(PieceKind::Name, 1, end, end + 1);
            }
            b'$' if rules.dollar_quotes && dollar_tag(rest).is_some() => {
                self.dollars(dollar_tag(rest).unwrap_or(1))
            }
            b'0'..=b'9' => self.run(PieceKind::Number),
            _ if is_word(byte) => self.run(PieceKind::Word),
            _ => self.push(PieceKind::Sign, 0, 1, 1),
        }
    }

    fn skip(&mut self, length: usize) {
        self.at += length;
        self.gap = true;
    }

    /// Adds what is from `start` to `end`, and goes on after `length`, all counted from here.
    fn push(&mut self, kind: PieceKind, start: usize, end: usize, length: usize) {
        let text = self.text.get(self.at + start..self.at + end).unwrap_or_default();
        self.pieces.push(Piece { kind, text, gap: self.gap });
        self.gap = false;
        self.at = (self.at + length).min(self.text.len());
    }

    fn run(&mut self, kind: PieceKind) {
        let length = self.text.as_bytes()[self.at..].iter().take_while(|byte| is_word(**byte)).count();
        self.push(kind, 0, length, length);
    }

    fn line(&mut self) {
        // A NUL may end the text, and the comment with it.
        let rest = &self.text[self.at..];
        self.skip(rest.find(['\n', '\r', '\0']).unwrap_or(rest.len()));
    }

    fn comment(&mut self) {
        let rest = &self.text[self.at..];
        let mark = if rest.starts_with("/*M!") { 4 } else { 3 };
        if self.rules.executable_comments && (mark == 4 || rest.starts_with("/*!")) {
            let version = rest.as_bytes()[mark..].iter().take_while(|byte| byte.is_ascii_digit()).count();
            self.inside = true;
            return self.push(PieceKind::Opens, 0, mark + version, mark + version);
        }
        let bytes = rest.as_bytes();
        let (mut depth, mut at) = (1, 2);
        while depth > 0 && at < bytes.len() {
            let pair = bytes.get(at..at + 2);
            match pair {
                Some(b"*/") => depth -= 1,
                Some(b"/*") if self.rules.nested_comments => depth += 1,
                _ => {}
            }
            at += if matches!(pair, Some(b"*/" | b"/*")) { 2 } else { 1 };
        }
        while !rest.is_char_boundary(at) {
            at += 1;
        }
        self.skip(at);
    }

    /// A string or name whose quote is written twice to be inside.
    fn quoted(&mut self, is_text: bool) {
        let bytes = &self.text.as_bytes()[self.at..];
        let quote = bytes[0];
        let always =
            self.rules.escape_strings && !self.gap && self.pieces.last().is_some_and(|last| last.is("e"));
        let may = is_text && self.rules.backslashes;
        let escapes = may && (always || self.backslash == Backslash::Escapes);
        let mut sure = true;
        let mut at = 1;
        while at < bytes.len() {
            match (bytes[at], bytes.get(at + 1)) {
                (b'\\', next) if may => {
                    sure &= always || next != Some(&quote);
                    at += if escapes { 2 } else { 1 };
                }
                (byte, next) if byte == quote && next == Some(&quote) => at += 2,
                (byte, _) if byte == quote => break,
                _ => at += 1,
            }
        }
        let sure = sure && at < bytes.len();
        let kind = if is_text { PieceKind::Text { sure } } else { PieceKind::Name };
        let end = at.min(bytes.len());
        self.push(kind, 1, end, end + 1);
    }

    /// `$tag$ … $tag$`, whose tag has this length.
    fn dollars(&mut self, tag: usize) {
        let rest = &self.text[self.at..];
        let (opening, inside) = rest.split_at(tag);
        match inside.find(opening) {
            Some(end) => self.push(PieceKind::Text { sure: true }, tag, tag + end, tag + end + tag),
            None => self.push(PieceKind::Text { sure: false }, tag, rest.len(), rest.len()),
        }
    }
}

/// True for two minus signs that begin no comment where white space must follow.
fn follows_as_sign(rest: &str) -> bool {
    rest.as_bytes().get(2).is_some_and(|byte| *byte > b' ' && *byte != 0x7f)
}

/// The length of `$tag$` at the begin.
fn dollar_tag(rest: &str) -> Option<usize> {
    let bytes = rest.as_bytes();
    let length = bytes[1..].iter().take_while(|byte| is_word(**byte) && **byte != b'$').count() + 1;
    (!bytes.get(1)?.is_ascii_digit() && bytes.get(length) == Some(&b'$')).then_some(length + 1)
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'$' | 0x80..)
}

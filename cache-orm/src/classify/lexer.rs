//! Text to tokens, as the three databases read it.
//!
//! The lexer gives up (`None`) instead of guessing wherever the extent of a token depends on a setting
//! (MySQL's sql_mode, Postgres' standard_conforming_strings), on a version, or on the driver.

use sea_orm::DbBackend;

use super::{
    statement::Statement,
    token::{Kind, Token},
};
use crate::dialect::{Brackets, Dialect, Operators, Parameters, StatementRules, TokenRules};

/// A longer text is not read. Large enough for a bulk insert of 65,535 values, the most that Postgres and
/// MySQL accept.
pub(super) const LONGEST: usize = 1 << 20;

#[derive(Debug)]
pub(super) struct Lexed<'a> {
    text: &'a str,
    tokens: Vec<Token>,
    dialect: &'static Dialect,
    rules: &'static StatementRules,
    /// No parameter is named, or numbered where the others are counted.
    pub(super) positional: bool,
}

impl<'a> Lexed<'a> {
    /// True if there is no semicolon, and nothing but white space behind the last token: what is appended to the
    /// text becomes part of its one statement.
    pub(super) fn is_bare(&self) -> bool {
        let rest = self.tokens.last().and_then(|last| self.text.as_bytes().get(last.end as usize..));
        let is_one = self.tokens.iter().all(|token| token.kind != Kind::Semicolon);
        is_one && rest.is_some_and(|rest| rest.iter().all(u8::is_ascii_whitespace))
    }

    /// The statements between semicolons, leaving out empty ones.
    pub(super) fn statements(&self) -> impl Iterator<Item = Statement<'_>> {
        let parts = self.tokens.split(|token| token.kind == Kind::Semicolon);
        parts
            .filter(|part| !part.is_empty())
            .map(|part| Statement::new(self.text, part, self.dialect, self.rules))
    }
}

/// Splits a text into tokens without comments and white space.
pub(super) fn lex(text: &str, backend: DbBackend) -> Option<Lexed<'_>> {
    if text.len() > LONGEST {
        return None;
    }
    let dialect = Dialect::of(backend);
    let rules = dialect.statements.as_ref()?;
    let mut lexer = Lexer {
        text: text.as_bytes(),
        at: 0,
        tokens: Vec::with_capacity(text.len() / 6),
        open: Vec::new(),
        parameters: 0,
        positional: true,
        rules: &dialect.tokens,
    };
    while lexer.at < lexer.text.len() {
        lexer.next()?;
    }
    Some(Lexed { text, tokens: lexer.tokens, dialect, rules, positional: lexer.positional })
}

struct Lexer<'a> {
    text: &'a [u8],
    at: usize,
    tokens: Vec<Token>,
    /// Where the parentheses are that are open.
    open: Vec<usize>,
    parameters: u32,
    positional: bool,
    rules: &'static TokenRules,
}

impl Lexer<'_> {
    /// Reads one token, comment or white space.
    fn next(&mut self) -> Option<()> {
        let rules = self.rules;
        let byte = self.text[self.at];
        match byte {
            b' ' | b'\t' | b'\n' | b'\r' | 0x0b | 0x0c => {
                self.at += 1;
                Some(())
            }
            0xef if rules.byte_order_marks && self.text[self.at..].starts_with("\u{feff}".as_bytes()) => {
                self.at += "\u{feff}".len();
                Some(())
            }
            b'(' => self.push(Kind::Open, 1),
            b')' => self.push(Kind::Close, 1),
            b',' => self.push(Kind::Comma, 1),
            b';' => self.push(Kind::Semicolon, 1),
            b'.' if !self.peek(1).is_ascii_digit() => self.push(Kind::Dot, 1),
            b'-' if self.peek(1) == b'-' => {
                let has_space = self.peek(2) <= b' ' || self.peek(2) == 0x7f;
                if has_space || !rules.dashes_need_space {
                    self.line_comment()
                } else {
                    self.push(Kind::Operator, 1)
                }
            }
            b'#' if rules.hash_comments => self.line_comment(),
            b'/' if self.peek(1) == b'*' => self.block_comment(),
            b'0'..=b'9' | b'.' => self.number(),
            b'\'' if rules.backslashes => self.quoted(Kind::Text, byte, Escapes::Maybe),
            b'\'' => self.quoted(Kind::Text, byte, Escapes::Never),
            b'"' if rules.double_quoted_strings => self.quoted(Kind::Text, byte, Escapes::Maybe),
            b'"' => self.quoted(Kind::Quoted, byte, Escapes::Never),
            b'`' if rules.backticks => self.quoted(Kind::Quoted, byte, Escapes::Never),
            b'[' if rules.brackets == Brackets::Names => {
                let length = self.find(b"]", 1)? + 1;
                self.push(Kind::Quoted, length)
            }
            b'[' if rules.brackets == Brackets::Arrays => self.push(Kind::OpenBracket, 1),
            b']' if rules.brackets == Brackets::Arrays => self.push(Kind::CloseBracket, 1),
            b'$' if rules.dollar_quotes => self.dollar(),
            b'?' if rules.parameters != Parameters::Numbered => self.question_mark(),
            b':' | b'@' | b'$' if rules.parameters == Parameters::CountedOrNamed => self.named_parameter(),
            b'e' | b'E' if rules.escape_strings && self.peek(1) == b'\'' => {
                self.at += 1;
                self.quoted(Kind::Text, b'\'', Escapes::Always)
            }
            b'u' | b'U'
                if rules.escape_strings && self.peek(1) == b'&' && matches!(self.peek(2), b'\'' | b'"') =>
            {
                None
            }
            b'a'..=b'z' | b'A'..=b'Z' | b'_' | 0x80.. => self.word(),
            _ => match &rules.operators {
                Operators::Signs(signs) if signs.contains(&byte) => self.push(Kind::Operator, 1),
                Operators::Signs(_) => None,
                Operators::Runs(known) => self.run_of_operator(|operator| known.contains(operator)),
            },
        }
    }

    /// The byte `ahead` of the current one; NUL, which no accepted text contains, behind the end.
    fn peek(&self, ahead: usize) -> u8 {
        self.text.get(self.at + ahead).copied().unwrap_or(0)
    }

    fn push(&mut self, kind: Kind, length: usize) -> Option<()> {
        let (start, end) = (self.at, self.at + length);
        let is_name = matches!(kind, Kind::Word | Kind::Quoted);
        if is_name && self.rules.longest_name.is_some_and(|longest| length > longest) {
            return None;
        }
        let number = self.tokens.len();
        let opening = match kind {
            Kind::Close => self.open.pop(),
            _ => None,
        };
        if kind == Kind::Open {
            self.open.push(number);
        }
        let back = u32::try_from(opening.map_or(0, |opening| number - opening)).ok()?;
        self.tokens.push(Token {
            kind,
            start: u32::try_from(start).ok()?,
            end: u32::try_from(end).ok()?,
            back,
        });
        self.at = end;
        Some(())
    }

    /// How far from the current byte, plus `skip`, the needle begins.
    fn find(&self, needle: &[u8], skip: usize) -> Option<usize> {
        let rest = self.text.get(self.at + skip..)?;
        rest.windows(needle.len()).position(|window| window == needle).map(|found| found + skip)
    }

    fn word(&mut self) -> Option<()> {
        let length = self.text[self.at..].iter().take_while(|byte| is_word(**byte)).count();
        self.push(Kind::Word, length)
    }

    fn line_comment(&mut self) -> Option<()> {
        let returns_end_it = self.rules.return_ends_comment;
        let rest = &self.text[self.at..];
        let end = rest.iter().position(|byte| *byte == b'\n' || (returns_end_it && *byte == b'\r'));
        let length = end.unwrap_or(rest.len());
        // SQLite ends its text at a NUL.
        if rest[..length].contains(&0) {
            return None;
        }
        self.at += length;
        Some(())
    }

    fn block_comment(&mut self) -> Option<()> {
        let executes = self.peek(2) == b'!' || (self.peek(2) == b'M' && self.peek(3) == b'!');
        if self.rules.executable_comments && executes {
            return None;
        }
        let nests = self.rules.nested_comments;
        let mut depth = 1_usize;
        self.at += 2;
        while depth > 0 {
            match (self.peek(0), self.peek(1)) {
                (0, _) => return None,
                (b'*', b'/') => {
                    depth -= 1;
                    self.at += 2;
                }
                (b'/', b'*') if nests => {
                    depth += 1;
                    self.at += 2;
                }
                _ => self.at += 1,
            }
        }
        Some(())
    }

    /// A string or name whose quote is written twice to be inside.
    fn quoted(&mut self, kind: Kind, quote: u8, escapes: Escapes) -> Option<()> {
        let mut length = 1;
        loop {
            match self.peek(length) {
                0 => return None,
                b'\\' if escapes != Escapes::Never => match self.peek(length + 1) {
                    0 => return None,
                    // The end of the string, or a quote inside it: a setting decides.
                    next if next == quote && escapes == Escapes::Maybe => return None,
                    _ => length += 2,
                },
                byte if byte == quote && self.peek(length + 1) == quote => length += 2,
                byte if byte == quote => return self.push(kind, length + 1),
                _ => length += 1,
            }
        }
    }

    /// Digits, a fraction and an exponent, or hexadecimal or binary digits. Never followed by a letter, which
    /// is the end of the number for one database and part of a name for another.
    fn number(&mut self) -> Option<()> {
        let digits = |from: usize, accept: fn(u8) -> bool| {
            let rest = self.text.get(self.at + from..).unwrap_or_default();
            from + rest.iter().take_while(|byte| accept(**byte)).count()
        };
        let mut length = match (self.peek(0), self.peek(1)) {
            (b'0', b'x' | b'X') => digits(2, |byte| byte.is_ascii_hexdigit()),
            (b'0', b'b' | b'B') => digits(2, |byte| byte.is_ascii_digit()),
            _ => {
                let whole = digits(0, |byte| byte.is_ascii_digit());
                if self.peek(whole) == b'.' { digits(whole + 1, |byte| byte.is_ascii_digit()) } else { whole }
            }
        };
        if matches!(self.peek(length), b'e' | b'E') {
            let sign = usize::from(matches!(self.peek(length + 1), b'+' | b'-'));
            let end = digits(length + 1 + sign, |byte| byte.is_ascii_digit());
            length = if end > length + 1 + sign { end } else { return None };
        }
        if is_word(self.peek(length)) || self.peek(length) == b'.' {
            return None;
        }
        self.push(Kind::Number, length)
    }

    /// `?`, counted; `?5` is a name.
    fn question_mark(&mut self) -> Option<()> {
        if self.rules.parameters == Parameters::CountedOrNamed && self.peek(1).is_ascii_digit() {
            return self.named_parameter();
        }
        let index = self.parameters;
        self.parameters += 1;
        self.push(Kind::Parameter(index), 1)
    }

    /// `:name`, `@name`, `$name`, `?5`.
    fn named_parameter(&mut self) -> Option<()> {
        let length = 1 + self.text[self.at + 1..].iter().take_while(|byte| is_word(**byte)).count();
        // `$name::suffix(…)` is one parameter, with anything between the parentheses.
        if length == 1 || matches!(self.peek(length), b':' | b'(') {
            return None;
        }
        self.positional = false;
        self.push(Kind::Parameter(0), length)
    }

    /// `$5` or `$tag$ … $tag$`.
    fn dollar(&mut self) -> Option<()> {
        let length = 1 + self.text[self.at + 1..].iter().take_while(|byte| is_tag(**byte)).count();
        if self.peek(1).is_ascii_digit() {
            let digits = std::str::from_utf8(&self.text[self.at + 1..self.at + length]).ok()?;
            let index = digits.parse::<u32>().ok()?.checked_sub(1)?;
            return if self.peek(length) == b'$' { None } else { self.push(Kind::Parameter(index), length) };
        }
        if self.peek(length) != b'$' {
            return None;
        }
        let tag = &self.text[self.at..=self.at + length];
        let close = self.find(tag, tag.len())?;
        self.push(Kind::Text, close + tag.len())
    }

    /// The longest run of operator characters, but no user-defined operator: it would be a call.
    fn run_of_operator(&mut self, is_known: impl Fn(&str) -> bool) -> Option<()> {
        let rest = &self.text[self.at..];
        if rest[0] == b':' {
            return self.push(Kind::Operator, 1);
        }
        let mut length = rest.iter().take_while(|byte| b"+-*/<>=~!@#%^&|`?".contains(byte)).count();
        let comment = rest[..length].windows(2).position(|pair| pair == b"--" || pair == b"/*");
        length = comment.unwrap_or(length);
        // A trailing sign belongs to the operator only if the operator has one of these characters.
        while length > 1
            && matches!(rest[length - 1], b'+' | b'-')
            && !rest[..length].iter().any(|byte| b"~!@#%^&|`?".contains(byte))
        {
            length -= 1;
        }
        let operator = std::str::from_utf8(&rest[..length]).ok()?;
        if is_known(operator) { self.push(Kind::Operator, length) } else { None }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Escapes {
    Never,
    /// A setting decides whether a backslash escapes.
    Maybe,
    Always,
}

/// Part of a word. Bytes above ASCII are letters to all three databases, even where Unicode has a space.
fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'$' | 0x80..)
}

fn is_tag(byte: u8) -> bool {
    is_word(byte) && byte != b'$'
}

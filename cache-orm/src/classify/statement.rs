//! The tokens of one statement, and how to look at them.

use super::{
    TableName,
    token::{Kind, Token},
};
use crate::dialect::{Dialect, StatementRules};

/// One statement. Positions outside it are allowed everywhere and hold nothing.
#[derive(Clone, Copy, Debug)]
pub(super) struct Statement<'a> {
    text: &'a str,
    tokens: &'a [Token],
    pub(super) dialect: &'static Dialect,
    /// Those of the dialect.
    pub(super) rules: &'static StatementRules,
}

impl<'a> Statement<'a> {
    pub(super) fn new(
        text: &'a str,
        tokens: &'a [Token],
        dialect: &'static Dialect,
        rules: &'static StatementRules,
    ) -> Self {
        Statement { text, tokens, dialect, rules }
    }

    /// The statement without its first tokens.
    pub(super) fn from(self, at: usize) -> Self {
        Statement { tokens: self.tokens.get(at..).unwrap_or_default(), ..self }
    }

    /// The statement without what comes after its first tokens.
    pub(super) fn up_to(self, end: usize) -> Self {
        Statement { tokens: self.tokens.get(..end).unwrap_or(self.tokens), ..self }
    }

    pub(super) fn kind(&self, at: usize) -> Option<Kind> {
        self.tokens.get(at).map(|token| token.kind)
    }

    /// Every position with its kind.
    pub(super) fn kinds(self) -> impl Iterator<Item = (usize, Kind)> + use<'a> {
        self.tokens.iter().map(|token| token.kind).enumerate()
    }

    /// The token as written.
    pub(super) fn text(&self, at: usize) -> &'a str {
        let token = self.tokens.get(at);
        token.and_then(|token| self.text.get(token.start as usize..token.end as usize)).unwrap_or_default()
    }

    /// Where the parenthesis is that this one closes.
    pub(super) fn opening(&self, close: usize) -> Option<usize> {
        let back = self.tokens.get(close)?.back as usize;
        if back == 0 { None } else { close.checked_sub(back) }
    }

    /// Where the parenthesis is that closes this one.
    pub(super) fn closing(&self, open: usize) -> Option<usize> {
        (open + 1..self.tokens.len()).find(|close| self.opening(*close) == Some(open))
    }

    /// True if no white space or comment is between a token and the next.
    pub(super) fn touches_next(&self, at: usize) -> bool {
        match (self.tokens.get(at), self.tokens.get(at + 1)) {
            (Some(token), Some(next)) => token.end == next.start,
            _ => false,
        }
    }

    /// The word at a position; empty if it is no word.
    pub(super) fn word(&self, at: usize) -> &'a str {
        if self.kind(at) == Some(Kind::Word) { self.text(at) } else { "" }
    }

    /// True if the token is one of these words, without quotes.
    pub(super) fn is(&self, at: usize, words: &[&str]) -> bool {
        let found = self.word(at);
        words.iter().any(|word| word.eq_ignore_ascii_case(found))
    }

    /// The same for the token `back` positions before.
    pub(super) fn was(&self, at: usize, back: usize, words: &[&str]) -> bool {
        at.checked_sub(back).is_some_and(|at| self.is(at, words))
    }

    pub(super) fn kind_before(&self, at: usize, back: usize) -> Option<Kind> {
        self.kind(at.checked_sub(back)?)
    }

    pub(super) fn is_operator(&self, at: usize, operator: &str) -> bool {
        self.kind(at) == Some(Kind::Operator) && self.text(at) == operator
    }

    /// The position after these words, each of which may be missing or repeated.
    pub(super) fn skip(&self, mut at: usize, words: &[&str]) -> usize {
        while self.is(at, words) {
            at += 1;
        }
        at
    }

    /// The name at a position, without quotes, in lower case.
    pub(super) fn name(&self, at: usize) -> Option<String> {
        let text = self.text(at);
        match self.kind(at)? {
            Kind::Word => Some(text.to_lowercase()),
            Kind::Quoted => {
                let quote = text.chars().next_back()?;
                let inside = text.get(1..text.len().checked_sub(1)?)?;
                // A closing bracket can't be inside brackets.
                Some(inside.replace(&format!("{quote}{quote}"), &quote.to_string()).to_lowercase())
            }
            _ => None,
        }
    }

    /// A table, maybe with its schema and database before it, and the position after it.
    pub(super) fn table(&self, mut at: usize) -> Option<(TableName, usize)> {
        let mut table = TableName { schema: None, name: self.name(at)? };
        while self.kind(at + 1) == Some(Kind::Dot) {
            at += 2;
            table = TableName { schema: Some(table.name), name: self.name(at)? };
        }
        Some((table, at + 1))
    }

    /// An alias after a table, unless one of the words that may follow it is next, and the position after it.
    pub(super) fn alias(&self, at: usize, followers: &[&str]) -> Option<(Option<String>, usize)> {
        if self.is(at, &["AS"]) {
            return Some((Some(self.name(at + 1)?), at + 2));
        }
        match self.name(at) {
            Some(name) if !self.is(at, followers) => Some((Some(name), at + 1)),
            _ => Some((None, at)),
        }
    }

    /// The position after a list of names in parentheses. Stops at the first token that can't be in one.
    pub(super) fn after_names(&self, open: usize) -> Option<usize> {
        if self.kind(open)? != Kind::Open {
            return None;
        }
        let mut at = open + 1;
        loop {
            match self.kind(at)? {
                Kind::Word | Kind::Quoted | Kind::Comma | Kind::Dot => at += 1,
                Kind::Close => return Some(at + 1),
                _ => return None,
            }
        }
    }

    /// The positions from `at` on that are in no parentheses or brackets opened after it, up to the
    /// parenthesis that closes the statement's own.
    pub(super) fn level(self, at: usize) -> impl Iterator<Item = (usize, Kind)> {
        let mut depth = 0_usize;
        let positions = (at..self.tokens.len()).map_while(move |at| {
            let kind = self.kind(at)?;
            let outer = depth == 0;
            match kind {
                Kind::Open | Kind::OpenBracket => depth += 1,
                Kind::Close | Kind::CloseBracket => depth = depth.checked_sub(1)?,
                _ => {}
            }
            Some(outer.then_some((at, kind)))
        });
        positions.flatten()
    }

    /// The first of these words on the same level.
    pub(super) fn find(&self, at: usize, words: &[&str]) -> Option<usize> {
        self.level(at).map(|(at, _)| at).find(|at| self.is(*at, words))
    }
}

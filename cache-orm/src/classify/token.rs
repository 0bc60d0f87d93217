//! The tokens of SQL.

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// A keyword or a name without quotes.
    Word,
    /// A name in quotes.
    Quoted,
    /// A string. In MySQL also `"…"`, which is a name under ANSI_QUOTES.
    Text,
    Number,
    /// With its zero-based index.
    Parameter(u32),
    Operator,
    Open,
    Close,
    OpenBracket,
    CloseBracket,
    Comma,
    Dot,
    Semicolon,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Token {
    pub(super) kind: Kind,
    pub(super) start: u32,
    pub(super) end: u32,
    /// For a closing parenthesis, how many tokens before it the one is that it closes; else 0.
    pub(super) back: u32,
}

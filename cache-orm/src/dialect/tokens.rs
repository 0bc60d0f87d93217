//! How a database cuts a text into words, names, strings and comments.

use std::{collections::HashSet, sync::LazyLock};

/// How a text is cut. Whoever cuts it otherwise than the database sees a write as part of a string, or a string as
/// a write.
#[derive(Debug)]
pub(crate) struct TokenRules {
    /// A byte order mark is white space wherever a token may begin.
    pub(crate) byte_order_marks: bool,
    /// Two minus signs begin a comment only before white space: `1--1` is a sum.
    pub(crate) dashes_need_space: bool,
    /// `#` begins a comment.
    pub(crate) hash_comments: bool,
    /// A carriage return ends a comment of one line.
    pub(crate) return_ends_comment: bool,
    /// A comment ends with as many `*/` as it has `/*`.
    pub(crate) nested_comments: bool,
    /// What is inside `/*! … */`, and MariaDB's `/*M! … */`, is carried out, depending on the server's version.
    pub(crate) executable_comments: bool,
    /// A setting, or how a string begins, decides whether a backslash in it escapes.
    pub(crate) backslashes: bool,
    /// `E'…'`, in which a backslash always escapes, and `U&'…'` and `U&"…"`: another way to spell any name.
    pub(crate) escape_strings: bool,
    /// `"…"` is a string, or by a setting a name; elsewhere it is a name.
    pub(crate) double_quoted_strings: bool,
    /// A name in quotes that means nothing is taken for a string, and so may hold what should not be shown.
    pub(crate) names_may_be_strings: bool,
    /// `` `…` `` is a name.
    pub(crate) backticks: bool,
    pub(crate) brackets: Brackets,
    /// `$tag$ … $tag$` is a string.
    pub(crate) dollar_quotes: bool,
    pub(crate) parameters: Parameters,
    pub(crate) operators: Operators,
    /// Names are cut off behind so many bytes, so that two spellings may be one name. `None`: they never are.
    pub(crate) longest_name: Option<usize>,
    /// The quote behind which a name is never taken for a string.
    pub(crate) name_quote: char,
}

/// What brackets are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Brackets {
    /// No part of the language.
    Nothing,
    /// Quotes of a name: `[a]`.
    Names,
    /// Around an array's elements, or its index.
    Arrays,
}

/// How a text names the values that are bound to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Parameters {
    /// `?`, in their order.
    Counted,
    /// `?`, and besides `?5`, `:name`, `@name`, `$name`.
    CountedOrNamed,
    /// `$5`.
    Numbered,
}

/// What is read as an operator.
#[derive(Debug)]
pub(crate) enum Operators {
    /// Each of these characters by itself.
    Signs(&'static [u8]),
    /// The longest run of such characters. Users may define their own operators, which may call any function: only
    /// these are known to change no rows.
    Runs(LazyLock<HashSet<&'static str>>),
}

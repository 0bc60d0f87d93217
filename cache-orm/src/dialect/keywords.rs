//! Which words before a parenthesis are keywords, and so no calls of a function.
//!
//! A word is a fact of one database where another lets users name a function so.

/// Words before a parenthesis.
#[derive(Debug)]
pub(crate) struct KeywordRules {
    /// Reserved here and not elsewhere, or keywords that its grammar never takes for a function's name.
    pub(crate) reserved: &'static [&'static str],
    /// Reserved elsewhere, but not here: they are keywords only behind an operator.
    pub(crate) after_operators: &'static [&'static str],
    /// `WITH a AS [NOT] MATERIALIZED (…)`
    pub(crate) materialized: bool,
    /// `INSERT INTO a (b) VALUE (1)`
    pub(crate) value_list: bool,
    /// `USE INDEX (…)`
    pub(crate) index_hints: bool,
    /// `MATCH (…) AGAINST (…)`
    pub(crate) match_against: bool,
    /// `sum(a) FILTER (WHERE …)`
    pub(crate) filter: bool,
    /// ILIKE, SIMILAR TO and AT TIME ZONE are operators where a value is before them.
    pub(crate) word_operators: bool,
    /// VALUES is a function, too: `VALUES(column)`.
    pub(crate) values_function: bool,
    /// The alias of a table may have columns, without AS: `FROM t x (a, b)`.
    pub(crate) alias_columns: bool,
}

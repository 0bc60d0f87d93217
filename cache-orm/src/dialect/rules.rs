//! What there is to say of one database.

use std::fmt;

use super::{SessionRules, StatementRules, TokenRules, TypeRules};

/// What one database does otherwise than others.
pub(crate) struct Dialect {
    pub(super) name: &'static str,
    pub(crate) tokens: TokenRules,
    /// `None`: nobody knows what its statements do, so that every text is one that is not understood.
    pub(crate) statements: Option<StatementRules>,
    pub(crate) sessions: SessionRules,
    pub(crate) types: TypeRules,
    /// `None`: nobody knows where it says what tables there are. Nothing is learned then, so nothing is cached, and
    /// every write invalidates everything.
    pub(crate) catalogue: Option<CatalogueRules>,
}

/// How to ask a database what it says of itself.
pub(crate) struct CatalogueRules {
    pub(crate) kind: CatalogueKind,
    /// One short query: whom the catalogue was shown to, where it shows not everybody the same, and a text that
    /// changes with the schema.
    pub(crate) fingerprint: fn() -> String,
}

/// Where a database says of itself what tables there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CatalogueKind {
    /// The standard's views, which show a user what the user has privileges for.
    InformationSchema,
    /// Postgres' own tables, which show everybody everything.
    PgCatalog,
    /// SQLite's table of definitions, and functions that tell what became of them.
    Pragmas,
}

impl Dialect {
    /// True for the name, in lower case, of a function that changes no rows as the server or a well-known extension
    /// brings it.
    pub(crate) fn is_built_in(&self, function: &str) -> bool {
        self.statements.as_ref().is_some_and(|rules| rules.functions.contains(function))
    }

    /// The name in quotes, behind which no database takes it for anything but a name.
    pub(crate) fn quoted(&self, name: &str) -> String {
        let quote = self.tokens.name_quote;
        format!("{quote}{}{quote}", name.replace(quote, &format!("{quote}{quote}")))
    }
}

impl fmt::Debug for Dialect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

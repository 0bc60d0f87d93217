//! What MySQL (with MariaDB), Postgres and SQLite do differently, said once: everybody else asks for the fact, and
//! not for the database.
//!
//! A fact says what a database does, and why that matters to a cache. Whoever adds a database writes one more file
//! like `mysql.rs`, and the compiler asks for every fact.
//!
//! ```text
//! rules        what there is to say of a database, by these topics:
//! tokens       how a text is cut into words, names, strings and comments
//! statements   which statements there are, and what they do to rows
//! keywords     which words before a parenthesis are no calls
//! sessions     what a text may do to its session and transaction
//! types        how values are bound, and in which form they come back
//! mysql, postgres, sqlite   the facts of each
//! unknown      a database that SeaORM knows and the cache does not
//! ```

mod keywords;
mod mysql;
mod postgres;
mod rules;
mod sessions;
mod sqlite;
mod statements;
mod tokens;
mod types;
mod unknown;

use sea_orm::DbBackend;

pub(crate) use keywords::KeywordRules;
pub(crate) use mysql::MYSQL;
pub(crate) use postgres::POSTGRES;
pub(crate) use rules::{CatalogueKind, CatalogueRules, Dialect};
pub(crate) use sessions::{SessionRules, SessionSchema};
pub(crate) use statements::{StatementRules, Truncate};
pub(crate) use tokens::{Brackets, Operators, Parameters, TokenRules};
pub(crate) use types::{Integers, JsonForms, TypeRules};

use sqlite::SQLITE;
use unknown::UNKNOWN;

/// Which database a mock pretends to be, where that has no part in what comes back.
pub(crate) const MOCKED: DbBackend = DbBackend::Sqlite;

impl Dialect {
    /// The dialect of a connection. One that is not known here counts as the worst case.
    pub(crate) fn of(backend: DbBackend) -> &'static Self {
        match backend {
            DbBackend::MySql => &MYSQL,
            DbBackend::Postgres => &POSTGRES,
            DbBackend::Sqlite => &SQLITE,
            _ => &UNKNOWN,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_in_quotes_may_hold_the_quote() {
        assert_eq!(POSTGRES.quoted("a\"b`c"), "\"a\"\"b`c\"");
        assert_eq!(SQLITE.quoted("a\"b`c"), "`a\"b``c`");
    }

    #[test]
    fn of_an_unknown_database_nothing_is_believed() {
        assert!(UNKNOWN.statements.is_none() && !UNKNOWN.is_built_in("lower"));
        assert!(UNKNOWN.catalogue.is_none());
        assert!(UNKNOWN.sessions.functions_may_write && UNKNOWN.sessions.schema_changes_commit);
    }
}

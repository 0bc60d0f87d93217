//! What the three kinds of database say each in its own way.

use sea_orm::DbBackend;

use super::error::DatabaseError;

/// A kind of database, as far as its statements differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Dialect {
    Postgres,
    MySql,
    Sqlite,
}

impl TryFrom<DbBackend> for Dialect {
    type Error = DatabaseError;

    fn try_from(kind: DbBackend) -> Result<Self, DatabaseError> {
        match kind {
            DbBackend::Postgres => Ok(Dialect::Postgres),
            DbBackend::MySql => Ok(Dialect::MySql),
            DbBackend::Sqlite => Ok(Dialect::Sqlite),
            _ => Err(DatabaseError::UnknownKind { kind: format!("{kind:?}") }),
        }
    }
}

impl From<Dialect> for DbBackend {
    fn from(dialect: Dialect) -> Self {
        match dialect {
            Dialect::Postgres => DbBackend::Postgres,
            Dialect::MySql => DbBackend::MySql,
            Dialect::Sqlite => DbBackend::Sqlite,
        }
    }
}

impl Dialect {
    /// A name between the quotes of this database.
    pub(super) fn quoted(self, name: &str) -> String {
        let quote = if self == Dialect::MySql { '`' } else { '"' };
        let mut quoted = String::from(quote);
        for letter in name.chars() {
            quoted.push(letter);
            if letter == quote {
                quoted.push(quote);
            }
        }
        quoted.push(quote);
        quoted
    }

    /// The database's clock: milliseconds since 1970, whatever the time zone of the session.
    pub(super) fn now(self) -> &'static str {
        match self {
            // The time when a row is looked at, which may have been waited for: not that of the statement's beginning.
            Dialect::Postgres => "floor(extract(epoch FROM clock_timestamp()) * 1000)::bigint",
            Dialect::MySql => "(TIMESTAMPDIFF(MICROSECOND, '1970-01-01', UTC_TIMESTAMP(3)) DIV 1000)",
            Dialect::Sqlite => "CAST(round((julianday('now') - 2440587.5) * 86400000) AS INTEGER)",
        }
    }

    /// The condition that a row's time is over: an item lives through the millisecond in which it expires.
    pub(super) fn expired(self, row: &str) -> String {
        format!("({row}expires IS NOT NULL AND {row}expires < {})", self.now())
    }

    /// The condition that a row's time is not over.
    pub(super) fn live(self, row: &str) -> String {
        format!("({row}expires IS NULL OR {row}expires >= {})", self.now())
    }

    /// The condition that a row is neither over nor a promise.
    pub(super) fn occupied(self, row: &str) -> String {
        format!("({} AND NOT {})", self.live(row), self.promise(row))
    }

    /// The opposite.
    pub(super) fn vacant(self, row: &str) -> String {
        format!("({} OR {})", self.expired(row), self.promise(row))
    }

    /// The condition that a value begins as a promise does.
    fn promise(self, row: &str) -> String {
        match self {
            Dialect::Postgres => format!(r"(substr({row}value, 1, 1) = '\xc0'::bytea)"),
            Dialect::MySql => format!("(SUBSTR({row}value, 1, 1) = x'c0')"),
            // The beginning of nothing is NULL there, but has no digits.
            Dialect::Sqlite => format!("(hex(substr({row}value, 1, 1)) = 'C0')"),
        }
    }

    /// The version of a row, in hexadecimal digits. See [`Version::of`](super::super::Version::of).
    pub(super) fn version(self) -> &'static str {
        match self {
            Dialect::Postgres => "rpad(encode(substr(value, 1, 16), 'hex'), 32, '0')",
            Dialect::MySql => "RPAD(LOWER(HEX(SUBSTR(value, 1, 16))), 32, '0')",
            Dialect::Sqlite => {
                "substr(lower(hex(substr(value, 1, 16))) || '00000000000000000000000000000000', 1, 32)"
            }
        }
    }

    /// The number that a row's value is, or NULL. See [`number`](super::super::number).
    pub(super) fn number(self) -> &'static str {
        match self {
            Dialect::Postgres => {
                "(CASE WHEN octet_length(value) <= 20 AND encode(value, 'escape') ~ '^(0|-?[1-9][0-9]*)$' \
                 THEN encode(value, 'escape')::numeric END)"
            }
            // Longer than its digits is what ends with a newline, which `$` lets pass.
            Dialect::MySql => {
                "(CASE WHEN LENGTH(value) <= 20 AND CONVERT(value USING latin1) REGEXP '^(0|-?[1-9][0-9]*)$' \
                 AND LOCATE(x'0a', value) = 0 THEN CAST(CONVERT(value USING latin1) AS DECIMAL(20)) END)"
            }
            // What is no number, or too large a one, does not become the same text again.
            Dialect::Sqlite => {
                "(CASE WHEN length(value) <= 20 \
                 AND CAST(CAST(CAST(value AS TEXT) AS INTEGER) AS TEXT) = CAST(value AS TEXT) \
                 THEN CAST(CAST(value AS TEXT) AS INTEGER) END)"
            }
        }
    }

    /// What stands before and after a sum that becomes a value.
    pub(super) fn around_a_sum(self) -> (&'static str, &'static str) {
        match self {
            Dialect::Postgres => ("convert_to((", ")::text, 'UTF8')"),
            // The session is told the number as well, as there is no RETURNING.
            Dialect::MySql => ("CAST(CAST(LAST_INSERT_ID(", ") AS SIGNED) AS CHAR)"),
            Dialect::Sqlite => ("CAST(CAST(", " AS TEXT) AS BLOB)"),
        }
    }
}

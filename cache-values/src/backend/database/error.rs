//! What can be wrong with a table, and what a database's error means to a cache.

use sea_orm::{DbErr, RuntimeErr, sqlx};

use super::super::StoreError;

/// A table that can't be used or made. Never holds a password.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DatabaseError {
    /// The name can't be that of a table.
    #[error(
        "{name:?} can't be the name of a table: give `table` or `schema.table`, each of 1 to 48 characters"
    )]
    InvalidTable {
        /// The name.
        name: String,
    },
    /// SeaORM speaks with a kind of database that this version does not know.
    #[error(
        "{kind} is none of the databases that a cache can be kept in: SQLite, PostgreSQL, MySQL and MariaDB"
    )]
    UnknownKind {
        /// What SeaORM calls it.
        kind: String,
    },
    /// The database refused.
    #[error(transparent)]
    Database(#[from] DbErr),
}

/// What the database itself says of an error: its code, and a message.
fn said(error: &DbErr) -> Option<(String, &str)> {
    let (DbErr::Conn(RuntimeErr::SqlxError(error))
    | DbErr::Exec(RuntimeErr::SqlxError(error))
    | DbErr::Query(RuntimeErr::SqlxError(error))) = error
    else {
        return None;
    };
    let error = error.as_database_error()?;
    Some((error.code()?.into_owned(), error.message()))
}

/// Whether the same statement may well succeed the next time: others were in its way.
pub(super) fn passes(error: &DbErr) -> bool {
    let Some((code, message)) = said(error) else { return false };
    match code.as_str() {
        // PostgreSQL, MySQL and MariaDB: a serialization failure, a deadlock.
        "40001" | "40P01" => true,
        // MariaDB's own: "Record has changed since last read".
        "HY000" => message.contains("Record has changed"),
        // SQLite: busy or locked, and the more precise forms of both.
        code => code.parse::<i32>().is_ok_and(|code| code < 10_000 && matches!(code & 0xff, 5 | 6)),
    }
}

/// Whether what should be made has been made by somebody else meanwhile.
pub(super) fn exists(error: &DbErr) -> bool {
    said(error).is_some_and(|(code, _)| matches!(code.as_str(), "23505" | "42P07" | "42710"))
}

fn is_missing_table(error: &DbErr) -> bool {
    said(error).is_some_and(|(code, message)| {
        matches!(code.as_str(), "42P01" | "3F000" | "42S02") || message.starts_with("no such table")
    })
}

/// The error as a cache's. It says what the database said, which is never a value.
pub(super) fn translated(error: DbErr, table: &str) -> StoreError {
    if is_missing_table(&error) {
        return StoreError::Unexpected(format!(
            "there is no table {table}: create it with `Table::create`, with its migration, or with the command \
             `cachectl createcachetable`"
        ));
    }
    let is_unreachable = match &error {
        DbErr::Conn(_) | DbErr::ConnectionAcquire(_) => true,
        DbErr::Exec(RuntimeErr::SqlxError(error)) | DbErr::Query(RuntimeErr::SqlxError(error)) => matches!(
            **error,
            sqlx::Error::Io(_)
                | sqlx::Error::Tls(_)
                | sqlx::Error::Protocol(_)
                | sqlx::Error::PoolTimedOut
                | sqlx::Error::PoolClosed
                | sqlx::Error::WorkerCrashed
        ),
        _ => false,
    };
    if is_unreachable {
        StoreError::Unreachable(error.to_string())
    } else {
        StoreError::Unexpected(error.to_string())
    }
}

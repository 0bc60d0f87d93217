//! Whether it is known how a write ended.

use sea_orm::{DbErr, RuntimeErr};

/// True if the write is done, or the database refused it, or it was never sent. False if it may still commit:
/// then its fence must not be released.
pub(crate) fn is_known<T>(result: &Result<T, DbErr>) -> bool {
    match result {
        Ok(_) => true,
        // No connection was had, so nothing was sent.
        Err(DbErr::ConnectionAcquire(_)) => true,
        Err(DbErr::Exec(error) | DbErr::Query(error) | DbErr::Conn(error)) => is_refusal(error),
        Err(_) => false,
    }
}

/// True if the database itself says that it refused the statement. An error about the connection, the server's
/// shutdown or its own failure leaves open what became of it.
fn is_refusal(error: &RuntimeErr) -> bool {
    let RuntimeErr::SqlxError(error) = error else { return false };
    let Some(error) = error.as_database_error() else { return false };
    let Some(code) = error.code() else { return false };
    if let (Ok(code), true) = (code.parse::<u32>(), code.len() < 5) {
        // SQLite's own numbers: the disk failed.
        return code & 0xff != 10;
    }
    // A statement that ran into its time-out was undone.
    code == "57014" || !UNDECIDED.iter().any(|class| code.starts_with(class))
}

/// SQLSTATE classes that don't say how the statement ended: connection exception, completion unknown,
/// operator intervention, system error, internal error.
const UNDECIDED: [&str; 5] = ["08", "40003", "57", "58", "XX"];

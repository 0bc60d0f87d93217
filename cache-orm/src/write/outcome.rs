//! Whether it is known how a write ended.

use sea_orm::{DbErr, RuntimeErr};

/// True if the write is done, or the database refused it, or it was never sent. False if it may still commit:
/// then its fence must not be released.
pub(crate) fn is_decided<T>(result: &Result<T, DbErr>) -> bool {
    match result {
        Ok(_) => true,
        // No connection was had, so nothing was sent.
        Err(DbErr::ConnectionAcquire(_)) => true,
        Err(DbErr::Exec(error) | DbErr::Query(error) | DbErr::Conn(error)) => is_refusal(error),
        Err(_) => false,
    }
}

/// True if the database refused a statement in a way in which it may refuse the RETURNING that was appended to
/// it: a column that is gone, or may not be read any more; a plan whose result would be another.
pub(crate) fn may_be_of_returning(error: &DbErr) -> bool {
    let (DbErr::Exec(RuntimeErr::SqlxError(error)) | DbErr::Query(RuntimeErr::SqlxError(error))) = error
    else {
        return false;
    };
    let code = error.as_database_error().and_then(|error| error.code());
    // SQLSTATE: syntax error or access rule violation; feature not supported. SQLite: an error in the text.
    code.is_some_and(|code| {
        code == "1" || (code.len() == 5 && (code.starts_with("42") || code.starts_with("0A")))
    })
}

/// What a call ends with whose caller is gone: nobody hears it.
pub(crate) fn unheard() -> DbErr {
    DbErr::Custom("its caller is gone, so it was not sent".to_owned())
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

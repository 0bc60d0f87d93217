//! How items are kept, and what became of them.

use bytes::Bytes;
use redis::{ErrorKind, RedisError, Value, cmd};

use super::{items::life, script::PUT, wire::Question};
use crate::{
    backend::{Counted, Put, Stored, When},
    name::Name,
};

/// Keeps an item, or removes what is there if it is too large: in one command where there is no condition.
pub(super) fn put(put: &Put, fits: bool) -> Question {
    let condition = match put.when {
        When::Always if fits => return Question::Command(put.name.clone(), set(put)),
        When::Always => return unlink(&put.name),
        When::Vacant => Bytes::from_static(b"vacant"),
        When::Unchanged(None) => Bytes::from_static(b"nothing"),
        When::Unchanged(Some(version)) => Bytes::copy_from_slice(&version.head()),
    };
    let (bytes, life) =
        if fits { (put.bytes.clone(), life(put.ttl)) } else { (Bytes::new(), Bytes::from_static(b"0")) };
    Question::Script { script: &PUT, names: vec![put.name.clone()], arguments: vec![condition, bytes, life] }
}

fn set(put: &Put) -> redis::Cmd {
    let mut set = cmd("SET");
    set.arg(put.name.as_str()).arg(&put.bytes[..]);
    if put.ttl.is_some() {
        set.arg("PX").arg(&life(put.ttl)[..]);
    }
    set
}

/// Removes whatever is there. The server frees its memory later.
pub(super) fn unlink(name: &Name) -> Question {
    let mut unlink = cmd("UNLINK");
    unlink.arg(name.as_str());
    Question::Command(name.clone(), unlink)
}

/// What the answer to [`put`] says.
pub(super) fn stored(answer: &Value, fits: bool, when: When) -> Option<Stored> {
    match (when, answer) {
        (When::Always, _) | (_, Value::Int(1)) if fits => Some(Stored::Kept),
        (When::Always, _) | (_, Value::Int(1)) => Some(Stored::TooLarge),
        (_, Value::Int(0)) => Some(Stored::Refused),
        _ => None,
    }
}

/// What the script that counts has done, if it did what it was told.
pub(super) fn counted(answer: &Value) -> Option<Counted> {
    match answer {
        Value::Nil => Some(Counted::Missing),
        Value::BulkString(digits) => crate::backend::number(digits).map(Counted::Is),
        _ => None,
    }
}

/// What kept the server from counting, if it was the numbers: it tells these cases apart by words only.
pub(super) fn uncounted(error: &RedisError) -> Option<Counted> {
    let words = error.detail().unwrap_or_default();
    match error.kind() {
        ErrorKind::Server(_) | ErrorKind::Extension if words.contains("would overflow") => {
            Some(Counted::Overflow)
        }
        ErrorKind::Server(_) | ErrorKind::Extension if words.contains("not an integer") => {
            Some(Counted::NoNumber)
        }
        _ => None,
    }
}

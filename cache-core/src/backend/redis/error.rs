//! Why a store could not be opened, and what may be told of an error.

use redis::{ErrorKind, RedisError, ServerErrorKind};

use crate::key::InvalidNamespace;

/// A [`RedisStore`](super::RedisStore) that could not be opened. Never holds a password.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConnectError {
    /// One part of the URL is not usable.
    #[error("the {part} of the Redis URL is not usable: {remedy}")]
    InvalidUrl {
        /// Which part: scheme, user, password, host, port, path, master, database, protocol or fragment.
        part: &'static str,
        /// What would be right.
        remedy: &'static str,
    },
    /// The URL has a parameter after its `?` that means nothing here.
    #[error("unknown parameter {name:?} in the Redis URL: known are {known}")]
    UnknownParameter {
        /// The parameter's name.
        name: String,
        /// The names that would be right.
        known: &'static str,
    },
    /// The certificate of the authority that signs the server's is not usable.
    #[cfg(feature = "redis-tls")]
    #[error("the certificate authority for Redis is not usable: give the content of a PEM file")]
    InvalidAuthority,
    /// The namespace is not usable.
    #[error(transparent)]
    InvalidNamespace(#[from] InvalidNamespace),
    /// The server refused the user or the password.
    #[error(
        "Redis at {address} refused the authentication of user {user:?}: check the user and the password \
         in the URL"
    )]
    AuthenticationFailed {
        /// Host and port, or the path of the socket.
        address: String,
        /// The user; `default` if the URL names none.
        user: String,
    },
    /// Nobody answered in time, or the connection was refused or lost.
    #[error("Redis at {address} is unreachable: {reason}")]
    Unreachable {
        /// Host and port, or the path of the socket.
        address: String,
        /// What happened.
        reason: String,
    },
    /// The server is a replica. What it answers may be old, and it takes no fences.
    #[error("Redis at {address} is a replica: give the address of the master, or of its Sentinels")]
    Replica {
        /// Host and port, or the path of the socket.
        address: String,
    },
    /// The server can't be used for another reason: it runs as a cluster or sentinel, lacks the database, or
    /// forbids a command that the store needs.
    #[error("Redis at {address} is not usable: {reason}")]
    Unusable {
        /// Host and port, or the path of the socket.
        address: String,
        /// What is wrong.
        reason: String,
    },
}

/// What an error says, without the answer that caused it: that may be a cached value.
pub fn reason(error: &RedisError) -> String {
    match error.kind() {
        ErrorKind::Io => error.to_string(),
        ErrorKind::Server(_) | ErrorKind::Extension => {
            let words = [error.code(), error.detail()];
            words.into_iter().flatten().collect::<Vec<_>>().join(" ")
        }
        _ => error.category().to_owned(),
    }
}

/// Whether the connection is lost, or the server's role: the next call is to connect anew.
pub fn is_lost(error: &RedisError) -> bool {
    matches!(
        error.kind(),
        ErrorKind::Io
            | ErrorKind::AuthenticationFailed
            | ErrorKind::Server(
                ServerErrorKind::ReadOnly | ServerErrorKind::MasterDown | ServerErrorKind::BusyLoading
            )
    )
}

//! Why a backend could not be made.

/// Servers that can't be used.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum MemcachedError {
    /// No server was named.
    #[error(
        "no memcached server was named: give at least one, as `10.0.0.1:11211` or `unix:/run/memcached.sock`"
    )]
    NoServers,
    /// The address of a server is none. It is not repeated: it may hold a password.
    #[error("memcached server number {number} is no address: {remedy}")]
    Address {
        /// Which of those given, from 1.
        number: usize,
        /// What would be right.
        remedy: &'static str,
    },
    /// Two of the addresses are the same.
    #[error("memcached server number {number} was named before: name each once")]
    Twice {
        /// The second one, from 1.
        number: usize,
    },
    /// No server answers.
    #[error("no memcached server answers ({0}): start one, or open the backend without connecting")]
    Unreachable(String),
    /// It answers, and not as memcached does.
    #[error(
        "the server does not speak memcached's meta commands ({0}): use memcached 1.6, without a proxy that hides them"
    )]
    Unsuitable(String),
}

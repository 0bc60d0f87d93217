//! What can go wrong.

use crate::{backend::StoreError, name::PrefixTooLong};

/// A call to a cache that did not do what it was asked. Never holds a password, a key or a value.
///
/// Reads are never refused because the backend fails: they are misses. See [`Failure`](crate::settings::Failure).
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The value has no form in the cache's encoding. Nothing was stored.
    #[error("the value can't be encoded: {0}")]
    Encode(String),
    /// The value is longer than the cache or its backend keeps. Nothing is under the key now.
    #[error("the value is too large to be kept")]
    TooLarge,
    /// There is nothing under the key: to `incr`, `decr`, `incr_version` and `decr_version`.
    #[error("there is no value under this key")]
    Missing,
    /// The value under the key is no integer of 64 bits: to `incr` and `decr`.
    #[error("the value under this key is no integer of 64 bits")]
    NoNumber,
    /// The number would not fit into 64 bits. It was not changed.
    #[error("the number does not fit into 64 bits")]
    Overflow,
    /// The prefix of the keys is too long.
    #[error(transparent)]
    Prefix(#[from] PrefixTooLong),
    /// The backend failed, did not answer in time, or rests after it failed. Nobody knows whether the call took effect.
    #[error(transparent)]
    Backend(#[from] StoreError),
}

//! A cache of values under the application's own keys, with one meaning on every backend.
//!
//! - **Keep and find values**: [`Cache::set`], [`Cache::get`], [`Cache::get_or_set`], and the same for many keys at once.
//! - **Count**: [`Cache::incr`], [`Cache::decr`].
//! - **Invalidate**: [`Cache::delete`], [`Cache::clear`], and values with tags, [`Cache::invalidate_tag`].
//! - **Be ready for the moment a value is over**: [`Entry`].
//! - **Choose a backend**: [`backend`], or bring one of your own: [`Backend`](backend::Backend).
//! - **Settings**: [`Settings`]; several caches from URLs or a file: [`Caches`], [`config`].

pub mod name;

pub mod backend;

pub mod codec;

mod envelope;

mod ttl;

mod key;

pub mod settings;

pub mod stats;

mod error;

mod port;

mod generation;

mod cache;

pub mod config;

#[cfg(feature = "conformance")]
pub mod conformance;

#[cfg(any(test, feature = "testing"))]
pub mod testing;

pub use self::{
    cache::{Cache, Entry},
    codec::Codec,
    config::{CacheConfig, Caches},
    error::Error,
    key::{Key, KeyFor},
    settings::{Failure, Settings},
    stats::Stats,
    ttl::Ttl,
};

//! The backend on memcached.

mod address;
mod answer;
mod backend;
mod builder;
mod change;
mod connection;
mod distribution;
mod error;
mod lifetime;
mod put;
mod question;
mod race;
mod seen;
mod server;

pub use self::{backend::MemcachedBackend, builder::MemcachedBackendBuilder, error::MemcachedError};

//! A cache of values under the application's own keys, with one meaning on every backend.

pub mod name;

pub mod backend;

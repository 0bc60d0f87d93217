//! The bookshop's service before the cache, as `cached.diff` tells it.

#![allow(
    missing_docs,
    unreachable_pub,
    clippy::print_stdout,
    reason = "a program, which nothing is linked to"
)]

include!(concat!(env!("OUT_DIR"), "/plain/main.rs"));

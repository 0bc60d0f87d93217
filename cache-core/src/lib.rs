//! Keys, slots, stores and time: the coherent cache below `cache-orm`. Knows neither SQL nor SeaORM.
//!
//! The promise: *a cached answer is an answer that the database itself could have given, in one committed
//! snapshot, at some instant between the call and its return.* `docs/protocol.md` has the rules and why each
//! is needed.
//!
//! **A read**: [`Cache::lookup`](cache::Cache::lookup) → hit, or [`Cache::lease_or_join`](cache::Cache::lease_or_join)
//! → load from the database while holding the [`Lease`](lease::Lease) → [`Lease::fill`](lease::Lease::fill).
//!
//! **A write**: collect what it [`Affected`](fence::Affected) → [`Cache::fence`](cache::Cache::fence) →
//! execute, commit → [`Fence::release`](fence::Fence::release), or drop the [`Fence`](fence::Fence) if nobody
//! knows how the write ended.
//!
//! Modules in reading order: what a cell is called, what it holds, how it may change, who keeps it, and how
//! the calls follow each other.

#[doc(hidden)]
pub mod fnv;

pub mod key;

pub mod entry;

pub mod slot;

#[doc(hidden)]
pub mod clock;

pub mod store;

pub mod cellwise;

pub mod settings;

pub mod counters;

mod quarantine;

mod table;

#[doc(hidden)]
pub mod unpoisoned;

#[doc(hidden)]
pub mod breaker;

mod duties;

mod port;

mod affected;

mod marks;

mod backlog;

#[doc(hidden)]
pub mod flight;

pub mod lease;

pub mod fence;

pub mod cache;

pub mod backend;

#[cfg(feature = "conformance")]
pub mod conformance;

#[cfg(any(test, feature = "testing"))]
pub mod testing;

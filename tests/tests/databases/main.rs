//! What the database is: what the cache learns of it, and which names are one.
//!
//! - [`schema`]: what is learned of a schema;
//! - [`schema_changes`]: changes through the cache;
//! - [`schema_of_others`]: changes around it;
//! - [`namespaces`]: what a cache may not hold, or not share.

mod namespaces;
mod schema;
mod schema_changes;
mod schema_of_others;

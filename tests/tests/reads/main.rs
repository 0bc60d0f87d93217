//! What is answered from the cache, and at what cost.
//!
//! - [`answered`]: which reads are answered, by key and of all rows;
//! - [`lists`]: reads by a list of keys;
//! - [`hops`]: the row that another row refers to;
//! - [`options`]: what one handle wants of its reads, and typed reads by key;
//! - [`explained`]: what the cache would do with a statement;
//! - [`key_types`]: keys of which a type or a cast makes another value;
//! - [`sqlite_values`]: what SQLite alone does with values;
//! - [`cost`]: operations of the store and queries of the database, journey by journey.

mod answered;
mod cost;
mod explained;
mod hops;
mod key_types;
mod lists;
mod options;
mod sqlite_values;

//! Keys, slots, stores and time: the coherent cache below `cache-orm`.
#![warn(missing_docs)]
pub mod key;
pub mod entry;
pub mod slot;
pub mod store;
pub mod backend;

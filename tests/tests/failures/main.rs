//! What breaks, and what must not break with it.
//!
//! - [`faults`]: the store down, slow or lying, and the database that ends a session;
//! - [`races`]: readers and writers, stopped where it hurts;
//! - [`vanishing`]: callers that vanish;
//! - [`processes`]: several processes, of which some are killed;
//! - [`regressions`]: what was wrong once.

mod faults;
mod processes;
mod races;
mod regressions;
mod vanishing;

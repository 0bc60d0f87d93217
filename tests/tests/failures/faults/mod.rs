//! The store down, slow or lying: every query is answered as if there were no cache, writes follow the policy,
//! nothing panics, and no old row comes back afterwards.
//!
//! - [`calls`]: each single call to the store fails, in each way.
//! - [`policy`]: what becomes of writes while the store can't be fenced, and the circuit breaker.
//! - [`garbage`]: what a raw client wrote under our keys.
//! - [`hiccup`]: a connection that is lost once, a server that stops for a moment: nobody notices.
//! - [`duties`]: what a process has to do at the store before it may end.
//! - [`outage`]: a real server that is killed, restarted, stopped, flushed, or full.
//! - [`database`]: the database's server that ends a session in the midst of a write.
//! - [`connect`]: servers that can't be used, and what the errors say.

mod calls;
mod connect;
mod database;
mod duties;
mod garbage;
mod hiccup;
mod outage;
mod policy;
mod shop;

//! What is written, and what that invalidates.
//!
//! - [`affected`]: exactly the row, where the statement names it;
//! - [`bulk`]: writes that name no row;
//! - [`transactions`]: fences are placed right before COMMIT;
//! - [`statements`]: what texts do that the cache must know of without being told;
//! - [`hidden`]: writes that no text shows.

mod affected;
mod bulk;
mod hidden;
mod statements;
mod transactions;

//! What is written, and what that invalidates.
//!
//! - [`affected`]: exactly the row, where the statement names it;
//! - [`by_hand`]: invalidation of what was written behind the connection's back;
//! - [`bulk`]: writes that name no row;
//! - [`transactions`]: fences are placed right before COMMIT;
//! - [`statements`]: what texts do that the cache must know of without being told;
//! - [`hidden`]: writes that no text shows.

mod affected;
mod bulk;
mod by_hand;
mod hidden;
mod statements;
mod transactions;

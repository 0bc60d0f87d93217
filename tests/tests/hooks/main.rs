//! Writers that forget the cached connection: the hooks of the derive, and the nets below it.
//!
//! A program of its own, one test at a time: a hook reaches every cached connection of its process that has the table
//! or does not know yet, and is refused by one that may refuse.
//!
//! - [`nets`]: what catches such writers;
//! - [`policies`]: an entity that refuses a write while the store can't be fenced, through hooks too;
//! - [`cached`]: hooks on a cached connection, which needs none.

mod cached;
mod nets;
mod policies;

use tokio::sync::Mutex;

/// Held by each test until the last connection of it is gone.
static ALONE: Mutex<()> = Mutex::const_new(());

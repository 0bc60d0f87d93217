//! The connections of this process: for writers who have none of them at hand.

use std::sync::{Arc, Mutex, MutexGuard, Weak};

use cache_core::unpoisoned;

use crate::context::Context;

/// A hook is given nothing but the row and SeaORM's own connection.
static CONNECTIONS: Mutex<Vec<Weak<Context>>> = Mutex::new(Vec::new());

/// Makes a connection known to those hooks.
pub(crate) fn register(shared: Weak<Context>) {
    let mut connections = locked();
    connections.retain(|known| known.strong_count() > 0);
    connections.push(shared);
}

/// The connections that cache a table of this last name.
pub(crate) fn connections(table: &str) -> Vec<Arc<Context>> {
    let connections = locked();
    let alive = connections.iter().filter_map(Weak::upgrade);
    alive.filter(|shared| shared.registry.names(table)).collect()
}

fn locked() -> MutexGuard<'static, Vec<Weak<Context>>> {
    unpoisoned::lock(&CONNECTIONS)
}

//! The same statement, decoded as something else: what an entity promises about its cached rows, type by type and
//! database by database, and what becomes of what it does not promise.
//!
//! A program of its own: its many entities would be described anew for every connection of other tests.

mod alike;
mod entities;
mod likeness;
mod promises;
mod strict;

use std::time::Duration;

use cache_orm::{CachedConnection, Namespace, connection::ReadyError};
use tests::{Env, shop::hits};

/// A connection over a version of the namespace for itself, whose rows are strict, as in builds with debug
/// assertions, or not. With what `ready` says.
async fn connect(env: &Env, strict: bool) -> (CachedConnection, Result<(), ReadyError>) {
    let namespace = Namespace::new(env.namespace.clone()).expect("the harness makes valid names");
    let db = CachedConnection::builder(env.connect().await)
        .shared_store(env.store().await)
        .namespace(namespace.with_version(u32::from(strict)))
        // A machine that is busy with other tests must not look like a store that is down.
        .store_time_out(Duration::from_secs(60))
        .strict_rows(strict)
        .build_lazily()
        .expect("a namespace is given");
    let ready = db.ready().await;
    (db, ready)
}

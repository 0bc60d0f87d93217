//! A connection to one incarnation of a server.

use std::time::Instant;

use redis::aio::MultiplexedConnection;

use super::{codec::Incarnation, incarnation::Reign};

/// A connection to one incarnation of a server.
pub(super) struct Session {
    pub(super) connection: MultiplexedConnection,
    pub(super) reign: Reign,
    pub(super) incarnation: Incarnation,
    pub(super) opened: Instant,
}

//! What all clones of a backend have in common.

use std::{sync::Arc, time::Duration};

use super::{dialect::Dialect, refresher::Refresher, room::Room, session::Session, sql::Sql};

/// The table and its connections. What is done with them is in the files beside this one.
pub(super) struct Inner {
    pub(super) dialect: Dialect,
    /// As it stands in a statement.
    pub(super) table: String,
    pub(super) primary: Session,
    pub(super) replica: Option<Session>,
    pub(super) largest_value: usize,
    pub(super) room: Room,
    pub(super) refresher: Refresher,
}

impl Inner {
    /// A statement that begins with these words and the table's name.
    pub(super) fn sql(&self, words: &str) -> Sql {
        Sql::new(self.dialect, words).then(&self.table)
    }

    /// Adds when a row was last used: now, and of what is put in the same millisecond the last counts as the latest.
    pub(super) fn used(&self, sql: Sql) -> Sql {
        sql.then(self.dialect.now()).then(" * 1000 + ").with(self.room.tick())
    }
}

/// Notes in the background that these were used. While another task does, it is left to the next read.
pub(super) fn refresh(inner: &Arc<Inner>, mut names: Vec<String>) {
    let Some(turn) = inner.refresher.turn() else { return };
    let inner = Arc::clone(inner);
    names.sort_unstable();
    tokio::spawn(async move {
        if let Err(error) = inner.note_use(&names).await {
            tracing::debug!(table = inner.table, %error, "that entries were used was not noted");
        }
        drop(turn);
    });
}

/// A time to live in milliseconds, rounded up, and never so long that a clock could overflow with it.
pub(super) fn milliseconds(ttl: Option<Duration>) -> Option<i64> {
    const LONGEST: u128 = 1 << 60;
    ttl.map(|ttl| ttl.as_nanos().div_ceil(1_000_000).clamp(1, LONGEST) as i64)
}

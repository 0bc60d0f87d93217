//! Whether raw SQL has changed the session of a pooled connection.

use std::sync::{
    Mutex, MutexGuard,
    atomic::{AtomicBool, Ordering},
};

use cache_core::unpoisoned;

/// Nobody knows which pooled connection a text went through, so one that changes its connection's session switches
/// all reads to the database.
#[derive(Debug, Default)]
pub(crate) struct SessionState {
    is_changed: AtomicBool,
    changes: Mutex<Changes>,
}

#[derive(Debug, Default)]
struct Changes {
    /// So many so far.
    count: u64,
    /// What made the first since the cache was last in use.
    text: Option<String>,
}

impl SessionState {
    pub(crate) fn is_changed(&self) -> bool {
        self.is_changed.load(Ordering::Acquire)
    }

    /// A text is about to change the session of a connection.
    pub(crate) fn changes(&self, text: impl FnOnce() -> String) {
        let first = {
            let mut changes = self.locked();
            changes.count += 1;
            self.is_changed.store(true, Ordering::Release);
            changes.text.is_none().then(|| changes.text.insert(text()).clone())
        };
        if let Some(text) = first {
            tracing::warn!(
                text,
                "raw SQL controls a transaction or changes the session of a pooled connection: nothing is read from \
                 the cache any more. Use begin() and the connection's options instead; CachedConnection::resume() is \
                 the way back"
            );
        }
    }

    /// The text that switched the cache off.
    pub(crate) fn changed_by(&self) -> Option<String> {
        self.locked().text.clone()
    }

    /// How many changes there were.
    pub(crate) fn count(&self) -> u64 {
        self.locked().count
    }

    /// Every connection is as it was opened, unless there were more changes than these.
    pub(crate) fn is_as_opened(&self, count: u64) {
        let mut changes = self.locked();
        if changes.count == count {
            changes.text = None;
            self.is_changed.store(false, Ordering::Release);
        }
    }

    fn locked(&self) -> MutexGuard<'_, Changes> {
        unpoisoned::lock(&self.changes)
    }
}

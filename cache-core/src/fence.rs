//! A writer's mark on the cells that its write affects.

use std::{mem, sync::Arc};

use tokio::{runtime::Handle, sync::oneshot};

pub use crate::affected::Affected;
use crate::{
    backlog::{Backlog, Left},
    entry::Generation,
    marks::Marks,
};

/// Dropping it abandons the fence: the outcome of the write is unknown, and the marks are placed anew, in the
/// background, and expire by themselves. (Outside a runtime they are not placed anew.)
///
/// The default one marks nothing.
#[must_use = "a fence that is dropped blocks its cells until it expires; release it when the outcome is known"]
#[derive(Debug, Default)]
pub struct Fence {
    /// One for each call by which it was placed.
    parts: Vec<Part>,
    /// The schema's generation when the last marks stood, `None` while it was being changed; `None` also if the
    /// store could not be asked.
    seen: Option<Option<Generation>>,
}

#[derive(Clone, Debug)]
pub(crate) struct Part {
    pub(crate) backlog: Backlog,
    pub(crate) marks: Marks,
    /// False if the store could not be reached and the write goes through all the same.
    pub(crate) placed: bool,
}

impl Fence {
    pub(crate) fn new(part: Part, seen: Option<Option<Generation>>) -> Self {
        Fence { parts: vec![part], seen }
    }

    /// The fence of a write that affects nothing that is cached.
    pub(crate) fn of_nothing(seen: Option<Option<Generation>>) -> Self {
        Fence { parts: Vec::new(), seen }
    }

    /// True if it marks all that its write affects, as far as somebody can know who knows the schema of this
    /// generation. False if the schema is of another one or is being changed: then the caller learns it anew
    /// and fences what the write affects besides, before it commits.
    pub fn is_under(&self, known: Option<Generation>) -> bool {
        self.seen.is_none_or(|seen| seen.is_some() && seen == known)
    }

    /// Adds what another fence marks for the same write.
    pub fn join(&mut self, mut other: Fence) {
        self.parts.append(&mut other.parts);
        self.seen = other.seen;
    }

    /// False if the store could not be reached, and the write goes through all the same.
    pub fn is_placed(&self) -> bool {
        self.parts.iter().all(|part| part.placed)
    }

    /// Takes the marks back. Call it when the outcome of the write is known: it is committed and its result
    /// read to the end, or the database refused it. With a shared store this returns at once and the release
    /// goes on in the background.
    ///
    /// # Cancel safety
    /// Dropped midway, marks that are left are released with a later call, or expire by themselves.
    pub async fn release(mut self) {
        // One by one: whatever is left midway is abandoned.
        while let Some(part) = self.parts.pop() {
            if part.placed {
                part.release_in_background().await;
            } else {
                part.unplaced_ended(true);
            }
        }
    }

    /// Leaves the marks to expire: nobody will ever tell how the write ends, which is sent only now.
    pub fn leave(mut self) {
        self.abandon(drop);
    }

    fn abandon(&mut self, placed: impl Fn(Part)) {
        for part in mem::take(&mut self.parts) {
            for table in &part.marks.tables {
                table.counters.abandoned_fences.increment();
            }
            if part.placed {
                placed(part);
            } else {
                part.unplaced_ended(false);
            }
        }
    }
}

impl Drop for Fence {
    fn drop(&mut self) {
        self.abandon(|Part { backlog, marks, .. }| {
            let port = backlog.port();
            port.spawn(marks.renew(port.clone()));
        });
    }
}

impl Part {
    /// Takes back marks that were placed although the answer got lost.
    pub(crate) fn withdraw(self) {
        let port = self.backlog.port();
        port.spawn(self.marks.withdraw(port.clone()));
    }

    /// A write that went ahead without marks has ended.
    fn unplaced_ended(self, outcome_known: bool) {
        let owed = self.backlog.unfenced_write_ended(&self.marks.tables, outcome_known);
        let port = self.backlog.port().clone();
        let Ok(runtime) = Handle::try_current() else { return };
        // A duty, and no background call: it may go on for as long as the store is down.
        runtime.spawn(async move {
            for owed in owed {
                owed.done().await;
            }
            self.marks.withdraw(port).await;
        });
    }

    /// A change of the schema waits until it has ended for everybody: else its own next query, and everybody's,
    /// would find it under way and learn nothing.
    async fn release_in_background(self) {
        let Part { backlog, marks, .. } = self;
        let changes_schema = marks.tables.iter().any(|table| Arc::ptr_eq(table, backlog.port().schema()));
        let (tell, told) = oneshot::channel();
        // Made here, so that it is not lost with a task that never begins.
        let owed = backlog.owed(Left::Release { release: marks.into(), is_duty: false });
        let release = async move {
            owed.release().await;
            // Nobody may be waiting.
            let _ = tell.send(());
        };
        backlog.port().in_background(release).await;
        if changes_schema {
            // An error: there is no runtime to release it, or it has ended.
            let _ = told.await;
        }
    }
}

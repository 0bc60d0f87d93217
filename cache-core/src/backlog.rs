//! What a background task still has to do, and what becomes of it when the task's runtime ends.
//!
//! It is given back, and whoever next comes by in a runtime that lives takes it up: before a write, after a miss,
//! on a table in quarantine, before the process ends. A hit does not look.

use std::{mem, sync::Arc, time::Duration};

use tokio::{
    runtime::Handle,
    time::{Instant, sleep},
};

use super::{
    Cache, Table,
    duties::{Duties, Duty},
};
use crate::{
    entry::Writer,
    fence::{Parts, Release},
    quarantine::{Rotated, Rotation},
};

/// How often a process that could not invalidate a table, or release a fence, tries again.
const RETRY: Duration = Duration::from_millis(200);

/// One thing to do.
#[derive(Debug)]
pub(crate) enum Left {
    /// So many writes went ahead unfenced, and nobody knows how they end. The last one lost its caller at `since`.
    /// They may still commit, so the table stays in quarantine as long as a fence would have stood.
    Written { table: Arc<Table>, writes: usize, since: Instant },
    /// To invalidate the whole table, and to end its quarantine.
    Rotate { table: Arc<Table>, rotation: Rotation },
    /// To release a fence. There are no more than writes were under way when the store was lost, or a runtime ended.
    Release(Release),
}

/// Has it done; dropped before, gives it back.
pub(crate) struct Owed {
    cache: Cache,
    left: Option<Left>,
}

impl Cache {
    pub(crate) fn owed(&self, left: Left) -> Owed {
        Owed { cache: self.clone(), left: Some(left) }
    }

    /// Takes up what was given back, if there is a runtime to do it in. One that is about to end gives it back again.
    pub(super) fn take_up(&self) {
        if !self.inner.duties.any_left() {
            return;
        }
        let Ok(runtime) = Handle::try_current() else { return };
        for left in self.inner.duties.take_left() {
            runtime.spawn(self.owed(left).done());
        }
    }

    /// A write that went ahead unfenced has ended.
    pub(crate) fn unfenced_write_ended(&self, parts: Parts, outcome_known: bool) {
        let tables = parts.tables.iter().cloned();
        let left = tables.filter_map(|table| {
            if outcome_known {
                let rotation = table.quarantine.write_ended()?;
                Some(Left::Rotate { table, rotation })
            } else {
                Some(Left::Written { table, writes: 1, since: Instant::now() })
            }
        });
        let owed: Vec<_> = left.map(|left| self.owed(left)).collect();
        let Ok(runtime) = Handle::try_current() else { return };
        // A duty, and no background call: it may go on for as long as the store is down.
        runtime.spawn(async move {
            for owed in owed {
                owed.done().await;
            }
            parts.withdraw().await;
        });
    }

    /// Empties all cells of the table, trying until the store is back.
    async fn invalidate(&self, table: &Table) {
        let cells: Vec<_> = table.keys.whole().cloned().collect();
        // A fence that is born expired leaves its cells empty.
        let writer = Writer::random();
        while let Err(error) =
            self.guarded(|| self.inner.store.fence(self.schema_cell(), &cells, writer, Duration::ZERO)).await
        {
            tracing::debug!(table = table.name(), %error, "quarantined until the store is back");
            sleep(RETRY).await;
        }
    }
}

impl Left {
    /// It has been done: what comes after it.
    fn after(self, duties: &Duties) -> Option<Left> {
        match self {
            Left::Written { table, writes, .. } => {
                let mut rotation = None;
                for _ in 0..writes {
                    // The last one of all has the duty, if nobody has it yet.
                    rotation = table.quarantine.write_ended().or(rotation);
                }
                Some(Left::Rotate { rotation: rotation?, table })
            }
            Left::Rotate { table, rotation } => match table.quarantine.rotated(rotation) {
                Rotated::Lifted => {
                    duties.end(Duty::Invalidate, table.name());
                    None
                }
                Rotated::HandedOver => None,
                Rotated::Again(rotation) => Some(Left::Rotate { table, rotation }),
            },
            Left::Release(release) => {
                if release.is_owed {
                    release.tables.iter().for_each(|table| duties.end(Duty::Release, table.name()));
                }
                None
            }
        }
    }

    /// From now on, whoever waits until nothing is owed waits for it.
    pub(super) fn begin(&mut self, duties: &Duties) {
        // To invalidate has been a duty since the write began.
        if let Left::Release(release) = self
            && !mem::replace(&mut release.is_owed, true)
        {
            release.tables.iter().for_each(|table| duties.begin(Duty::Release, table.name()));
        }
    }

    /// Does both at once if that is possible; else returns `other`.
    pub(super) fn merge(&mut self, other: Left) -> Option<Left> {
        match (self, other) {
            (
                Left::Written { table, writes, since },
                Left::Written { table: same, writes: more, since: later },
            ) if Arc::ptr_eq(table, &same) => {
                *writes += more;
                *since = later.max(*since);
                None
            }
            (_, other) => Some(other),
        }
    }
}

impl Owed {
    /// Goes on until it is done.
    async fn done(mut self) {
        while let Some(left) = &self.left {
            match left {
                Left::Written { since, .. } => {
                    sleep(self.cache.inner.settings.fence_ttl.saturating_sub(since.elapsed())).await;
                }
                Left::Rotate { table, .. } => self.cache.invalidate(table).await,
                Left::Release(release) => {
                    while release.attempt(&self.cache).await.is_err() {
                        sleep(RETRY).await;
                    }
                }
            }
            self.advance();
        }
    }

    /// Releases the fence. If the store does not hear of it at once, it goes on as a duty.
    pub(crate) async fn release(mut self) {
        if let Some(Left::Release(release)) = &self.left
            && release.attempt(&self.cache).await.is_ok()
        {
            return self.advance();
        }
        if let Some(left) = &mut self.left {
            left.begin(&self.cache.inner.duties);
        }
        let Ok(runtime) = Handle::try_current() else { return };
        runtime.spawn(async move {
            sleep(RETRY).await;
            self.done().await;
        });
    }

    fn advance(&mut self) {
        let done = self.left.take();
        self.left = done.and_then(|done| done.after(&self.cache.inner.duties));
    }
}

impl Drop for Owed {
    fn drop(&mut self) {
        if let Some(left) = self.left.take() {
            self.cache.inner.duties.give_back(left);
        }
    }
}

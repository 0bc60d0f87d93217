//! What a background task still has to do, and what becomes of it when the task's runtime ends.
//!
//! It is given back, and whoever next comes by in a runtime that lives takes it up: before a write, after a miss,
//! on a table in quarantine, before the process ends. A hit does not look.

use std::{
    mem,
    sync::{
        Arc, Mutex, MutexGuard,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use tokio::{
    runtime::Handle,
    time::{Instant, sleep},
};

use crate::{
    duties::{Duties, Duty},
    entry::Writer,
    marks::Release,
    port::Port,
    quarantine::{Rotated, Rotation},
    table::Table,
    unpoisoned,
};

/// How often a process that could not invalidate a table, or release a fence, tries again.
const RETRY: Duration = Duration::from_millis(200);

/// What this process has still to do, and the port that it is done through. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Backlog {
    port: Port,
    left: Arc<Leftovers>,
}

/// What nobody is at: its task ended with its runtime, or there was none. It holds no handle of the cache, and goes
/// with the last one.
#[derive(Debug, Default)]
struct Leftovers {
    left: Mutex<Vec<Left>>,
    /// True if there is any. Changed only under the lock.
    any: AtomicBool,
}

/// One thing to do.
#[derive(Debug)]
pub(crate) enum Left {
    /// So many writes went ahead unfenced, and nobody knows how they end. The last one lost its caller at `since`.
    /// They may still commit, so the table stays in quarantine as long as a fence would have stood.
    Written { table: Arc<Table>, writes: usize, since: Instant },
    /// To invalidate the whole table, and to end its quarantine.
    Rotate { table: Arc<Table>, rotation: Rotation },
    /// To release marks. There are no more than writes were under way when the store was lost, or a runtime ended.
    /// It is a duty once it was tried in vain, or given back.
    Release { release: Release, is_duty: bool },
}

/// Has it done; dropped before, gives it back.
pub(crate) struct Owed {
    backlog: Backlog,
    left: Option<Left>,
}

impl Backlog {
    pub(crate) fn new(port: Port) -> Self {
        Backlog { port, left: Arc::default() }
    }

    pub(crate) fn port(&self) -> &Port {
        &self.port
    }

    pub(crate) fn owed(&self, left: Left) -> Owed {
        Owed { backlog: self.clone(), left: Some(left) }
    }

    /// Takes up what was given back, if there is a runtime to do it in. One that is about to end gives it back again.
    pub(crate) fn take_up(&self) {
        // Costs next to nothing. Whoever misses what is being given back leaves it to the next one.
        if !self.left.any.load(Ordering::Relaxed) {
            return;
        }
        let Ok(runtime) = Handle::try_current() else { return };
        for left in self.left.take() {
            runtime.spawn(self.owed(left).done());
        }
    }

    /// A write that went ahead unfenced has ended.
    pub(crate) fn unfenced_write_ended(&self, tables: &[Arc<Table>], outcome_known: bool) -> Vec<Owed> {
        let left = tables.iter().cloned().filter_map(|table| {
            if outcome_known {
                let rotation = table.quarantine.write_ended()?;
                Some(Left::Rotate { table, rotation })
            } else {
                Some(Left::Written { table, writes: 1, since: Instant::now() })
            }
        });
        left.map(|left| self.owed(left)).collect()
    }

    /// Keeps it for whoever next comes by.
    fn give_back(&self, mut given: Left) {
        given.begin(self.port.duties());
        self.left.put(given);
    }

    /// Empties all cells of the table, trying until the store is back.
    async fn invalidate(&self, table: &Table) {
        let cells: Vec<_> = table.keys().whole().cloned().collect();
        // A fence that is born expired leaves its cells empty.
        let writer = Writer::random();
        while let Err(error) = self
            .port
            .guarded(|| self.port.store().fence(self.port.schema_cell(), &cells, writer, Duration::ZERO))
            .await
        {
            tracing::debug!(table = table.name(), %error, "quarantined until the store is back");
            sleep(RETRY).await;
        }
    }
}

impl Leftovers {
    fn put(&self, given: Left) {
        let mut left = self.lock();
        if let Some(given) = left.iter_mut().try_fold(given, |given, known| known.merge(given)) {
            left.push(given);
        }
        self.any.store(true, Ordering::Relaxed);
    }

    fn take(&self) -> Vec<Left> {
        let mut left = self.lock();
        self.any.store(false, Ordering::Relaxed);
        mem::take(&mut *left)
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Left>> {
        unpoisoned::lock(&self.left)
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
            Left::Release { release, is_duty } => {
                if is_duty {
                    release.tables().iter().for_each(|table| duties.end(Duty::Release, table.name()));
                }
                None
            }
        }
    }

    /// From now on, whoever waits until nothing is owed waits for it.
    fn begin(&mut self, duties: &Duties) {
        // To invalidate has been a duty since the write began.
        if let Left::Release { release, is_duty } = self
            && !mem::replace(is_duty, true)
        {
            release.tables().iter().for_each(|table| duties.begin(Duty::Release, table.name()));
        }
    }

    /// Does both at once if that is possible; else returns `other`.
    fn merge(&mut self, other: Left) -> Option<Left> {
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
    pub(crate) async fn done(mut self) {
        while let Some(left) = &self.left {
            match left {
                Left::Written { since, .. } => {
                    sleep(self.backlog.port.settings().fence_ttl.saturating_sub(since.elapsed())).await;
                }
                Left::Rotate { table, .. } => self.backlog.invalidate(table).await,
                Left::Release { release, .. } => {
                    while release.attempt(&self.backlog.port).await.is_err() {
                        sleep(RETRY).await;
                    }
                }
            }
            self.advance();
        }
    }

    /// Releases the fence. If the store does not hear of it at once, it goes on as a duty.
    pub(crate) async fn release(mut self) {
        if let Some(Left::Release { release, .. }) = &self.left
            && release.attempt(&self.backlog.port).await.is_ok()
        {
            return self.advance();
        }
        if let Some(left) = &mut self.left {
            left.begin(self.backlog.port.duties());
        }
        let Ok(runtime) = Handle::try_current() else { return };
        runtime.spawn(async move {
            sleep(RETRY).await;
            self.done().await;
        });
    }

    fn advance(&mut self) {
        let done = self.left.take();
        self.left = done.and_then(|done| done.after(self.backlog.port.duties()));
    }
}

impl Drop for Owed {
    fn drop(&mut self) {
        if let Some(left) = self.left.take() {
            self.backlog.give_back(left);
        }
    }
}

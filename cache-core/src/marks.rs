//! The marks of one writer: the cells, what they are in the counters, and how they are taken back.

use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicUsize, Ordering},
};

use crate::{
    entry::Writer,
    key::Key,
    port::Port,
    store::{MOST_CELLS, StoreError},
    table::Table,
};

/// The cells that one call of a writer marks.
#[derive(Clone, Debug)]
pub(crate) struct Marks {
    pub(crate) cells: Vec<Key>,
    /// All that are written. The first one stands for all of them in the counters of a call.
    pub(crate) tables: Vec<Arc<Table>>,
    pub(crate) writer: Writer,
}

impl Marks {
    /// Takes back marks that were placed although the answer got lost. Tried once: they expire by themselves.
    pub(crate) async fn withdraw(self, port: Port) {
        let Some(table) = self.tables.first() else { return };
        for cells in self.cells.chunks(MOST_CELLS) {
            drop(port.call(table, || port.store().release(cells, self.writer)).await);
        }
    }

    /// Begins the time of the marks anew: the statement may have run for most of it when its caller vanished. And
    /// nobody will release them, and find that they were lost: whatever was filled meanwhile goes.
    pub(crate) async fn renew(self, port: Port) {
        let Some(table) = self.tables.first() else { return };
        // On failure, what is left of the first marks expires by itself.
        drop(port.mark(table, &self.cells, self.writer).await);
    }
}

/// Marks that are to be released, and how far that has come.
///
/// They would expire by themselves. But if the store lost them, an old row may have been filled, and only a release
/// empties its slot.
#[derive(Debug)]
pub(crate) struct Release {
    marks: Marks,
    /// So many calls were answered.
    done: AtomicUsize,
    /// The next one was made before, without an answer.
    tried: AtomicBool,
}

impl From<Marks> for Release {
    fn from(marks: Marks) -> Self {
        Release { marks, done: AtomicUsize::new(0), tried: AtomicBool::new(false) }
    }
}

impl Release {
    pub(crate) fn tables(&self) -> &[Arc<Table>] {
        &self.marks.tables
    }

    /// Goes on where an earlier attempt ended.
    pub(crate) async fn attempt(&self, port: &Port) -> Result<(), StoreError> {
        let Marks { cells, tables, writer } = &self.marks;
        let Some(table) = tables.first() else { return Ok(()) };
        for cells in cells.chunks(MOST_CELLS).skip(self.done.load(Ordering::Relaxed)) {
            let again = AtomicBool::new(false);
            let call = || {
                again.store(self.tried.swap(true, Ordering::Relaxed), Ordering::Relaxed);
                port.store().release(cells, *writer)
            };
            let lost = port.call(table, call).await?;
            self.tried.store(false, Ordering::Relaxed);
            self.done.fetch_add(1, Ordering::Relaxed);
            // Where it was made before, that one may have taken the marks back although its answer got lost.
            if lost > 0 && !again.into_inner() {
                table.counters.lost_fences.add(lost as u64);
                tracing::warn!(
                    table = table.name(),
                    lost,
                    "fences expired or were evicted before their write was decided: a row may have been served \
                     stale. Raise the fence TTL above the statement time-out, and use an eviction policy of the \
                     store that spares short-lived keys"
                );
            }
        }
        Ok(())
    }
}

//! A writer's mark on the cells that its write affects.

use std::{
    collections::{BTreeMap, BTreeSet},
    mem,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
};

use tokio::sync::oneshot;

use crate::{
    cache::{Cache, Left, Table},
    entry::{Generation, Writer},
    key::{Key, RowKey},
    store::{MOST_CELLS, StoreError},
};

/// What a write may change: cells to fence, by table. Only ever grows.
#[derive(Clone, Debug)]
pub struct Affected {
    tables: BTreeMap<String, Touched>,
    max_rows: usize,
}

#[derive(Clone, Debug)]
struct Touched {
    table: Arc<Table>,
    rows: BTreeSet<Key>,
    /// The all slot and presence; or every cell that stands for the whole table.
    marks: BTreeSet<Key>,
    whole: bool,
}

impl Affected {
    /// Nothing yet. More than `max_rows` rows of one table will count as the whole table; see
    /// [`Settings::max_fenced_rows`](crate::settings::Settings::max_fenced_rows).
    pub fn nothing(max_rows: usize) -> Self {
        Affected { tables: BTreeMap::new(), max_rows }
    }

    /// Nothing that is cached can change.
    pub fn is_empty(&self) -> bool {
        self.tables.is_empty()
    }

    /// Any row of the table may change.
    pub fn is_whole(&self, table: &Table) -> bool {
        self.tables.get(table.name()).is_some_and(|touched| touched.whole)
    }

    /// One row's content changes, or the row goes.
    pub fn add_row(&mut self, table: &Arc<Table>, key: &RowKey) {
        self.add(table, [table.keys().row(key).slot], [table.keys().all().slot]);
    }

    /// Rows appear, or a unique key starts to lead to a row.
    pub fn add_presence(&mut self, table: &Arc<Table>) {
        self.add(table, [], [table.keys().presence().clone(), table.keys().all().slot]);
    }

    /// Any row of the table may change, appear or go.
    pub fn add_table(&mut self, table: &Arc<Table>) {
        let touched = self.touched(table);
        touched.whole = true;
        touched.rows.clear();
        touched.marks = table.keys().whole().cloned().collect();
    }

    /// Everything that `other` affects as well.
    pub fn merge(&mut self, other: Affected) {
        for touched in other.tables.into_values() {
            if touched.whole {
                self.add_table(&touched.table);
            } else {
                self.add(&touched.table, touched.rows, touched.marks);
            }
        }
    }

    /// What this affects and `fenced` does not.
    pub fn beyond(&self, fenced: &Affected) -> Affected {
        let mut rest = self.clone();
        for (name, touched) in &mut rest.tables {
            if let Some(known) = fenced.tables.get(name) {
                touched.rows.retain(|cell| !known.whole && !known.rows.contains(cell));
                touched.marks.retain(|cell| !known.whole && !known.marks.contains(cell));
            }
        }
        rest.tables.retain(|_, touched| !touched.rows.is_empty() || !touched.marks.is_empty());
        rest
    }

    fn add(
        &mut self,
        table: &Arc<Table>,
        rows: impl IntoIterator<Item = Key>,
        marks: impl IntoIterator<Item = Key>,
    ) {
        let max_rows = self.max_rows;
        let touched = self.touched(table);
        if touched.whole {
            return;
        }
        touched.marks.extend(marks);
        touched.rows.extend(rows);
        if touched.rows.len() > max_rows {
            self.add_table(table);
        }
    }

    fn touched(&mut self, table: &Arc<Table>) -> &mut Touched {
        self.tables.entry(table.name().to_owned()).or_insert_with(|| Touched {
            table: table.clone(),
            rows: BTreeSet::new(),
            marks: BTreeSet::new(),
            whole: false,
        })
    }

    pub(crate) fn into_parts(self) -> (Vec<Key>, Vec<Arc<Table>>) {
        let mut cells = Vec::new();
        let mut tables = Vec::new();
        for touched in self.tables.into_values() {
            cells.extend(touched.rows);
            cells.extend(touched.marks);
            tables.push(touched.table);
        }
        (cells, tables)
    }
}

/// Dropping it abandons the fence: the outcome of the write is unknown, and the marks are placed anew, in the
/// background, and expire by themselves. (Outside a runtime they are not placed anew.)
///
/// The default one marks nothing.
#[must_use = "a fence that is dropped blocks its cells until it expires; release it when the outcome is known"]
#[derive(Debug, Default)]
pub struct Fence {
    /// One for each call by which it was placed.
    parts: Vec<Parts>,
    /// The schema's generation when the last marks stood, `None` while it was being changed; `None` also if the
    /// store could not be asked.
    seen: Option<Option<Generation>>,
}

#[derive(Clone, Debug)]
pub(crate) struct Parts {
    pub(crate) cache: Cache,
    pub(crate) cells: Vec<Key>,
    pub(crate) tables: Vec<Arc<Table>>,
    pub(crate) writer: Writer,
    /// False if the store could not be reached and the write goes through all the same.
    pub(crate) placed: bool,
}

impl Fence {
    pub(crate) fn new(parts: Parts, seen: Option<Option<Generation>>) -> Self {
        Fence { parts: vec![parts], seen }
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
        self.parts.iter().all(|parts| parts.placed)
    }

    /// Takes the marks back. Call it when the outcome of the write is known: it is committed and its result
    /// read to the end, or the database refused it. With a shared store this returns at once and the release
    /// goes on in the background.
    ///
    /// # Cancel safety
    /// Dropped midway, marks that are left are released with a later call, or expire by themselves.
    pub async fn release(mut self) {
        // One by one: whatever is left midway is abandoned.
        while let Some(parts) = self.parts.pop() {
            if parts.placed {
                parts.release_in_background().await;
            } else {
                parts.cache.clone().unfenced_write_ended(parts, true);
            }
        }
    }

    /// Leaves the marks to expire: nobody will ever tell how the write ends, which is sent only now.
    pub fn leave(mut self) {
        self.abandon(drop);
    }

    fn abandon(&mut self, placed: impl Fn(Parts)) {
        for parts in mem::take(&mut self.parts) {
            for table in &parts.tables {
                table.counters.abandoned_fences.increment();
            }
            if parts.placed {
                placed(parts);
            } else {
                parts.cache.clone().unfenced_write_ended(parts, false);
            }
        }
    }
}

impl Drop for Fence {
    fn drop(&mut self) {
        self.abandon(|parts| parts.cache.clone().spawn(parts.renew()));
    }
}

impl Parts {
    /// Takes back marks that were placed although the answer got lost. Tried once: they expire by themselves.
    pub(crate) async fn withdraw(self) {
        let Some(table) = self.tables.first() else { return };
        for cells in self.cells.chunks(MOST_CELLS) {
            let call = || self.cache.store().release(cells, self.writer);
            drop(self.cache.call(table, call).await);
        }
    }

    /// Begins the time of the marks anew: the statement may have run for most of it when its caller vanished. And
    /// nobody will release them, and find that they were lost: whatever was filled meanwhile goes.
    async fn renew(self) {
        let Some(table) = self.tables.first() else { return };
        // On failure, what is left of the first marks expires by itself.
        drop(self.cache.mark(table, &self.cells, self.writer).await);
    }

    /// A change of the schema waits until it has ended for everybody: else its own next query, and everybody's,
    /// would find it under way and learn nothing.
    async fn release_in_background(self) {
        let cache = self.cache.clone();
        let changes_schema = self.tables.iter().any(|table| Arc::ptr_eq(table, cache.schema()));
        let (tell, told) = oneshot::channel();
        // Made here, so that it is not lost with a task that never begins.
        let owed = cache.owed(Left::Release(self.into()));
        let release = async move {
            owed.release().await;
            // Nobody may be waiting.
            let _ = tell.send(());
        };
        cache.in_background(release).await;
        if changes_schema {
            // An error: there is no runtime to release it, or it has ended.
            let _ = told.await;
        }
    }
}

/// The marks of a fence that is to be released, and how far that has come.
///
/// They would expire by themselves. But if the store lost them, an old row may have been filled, and only a release
/// empties its slot.
#[derive(Debug)]
pub(crate) struct Release {
    cells: Vec<Key>,
    pub(crate) tables: Vec<Arc<Table>>,
    writer: Writer,
    /// So many calls were answered.
    done: AtomicUsize,
    /// The next one was made before, without an answer.
    tried: AtomicBool,
    /// A duty: it was tried in vain, or given back.
    pub(crate) is_owed: bool,
}

impl From<Parts> for Release {
    fn from(parts: Parts) -> Self {
        Release {
            cells: parts.cells,
            tables: parts.tables,
            writer: parts.writer,
            done: AtomicUsize::new(0),
            tried: AtomicBool::new(false),
            is_owed: false,
        }
    }
}

impl Release {
    /// Goes on where an earlier attempt ended.
    pub(crate) async fn attempt(&self, cache: &Cache) -> Result<(), StoreError> {
        // The first table stands for all of them in the counters of a call.
        let Some(table) = self.tables.first() else { return Ok(()) };
        for cells in self.cells.chunks(MOST_CELLS).skip(self.done.load(Ordering::Relaxed)) {
            let again = AtomicBool::new(false);
            let call = || {
                again.store(self.tried.swap(true, Ordering::Relaxed), Ordering::Relaxed);
                cache.store().release(cells, self.writer)
            };
            let lost = cache.call(table, call).await?;
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

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test")]
mod tests {
    use super::*;
    use crate::{backend::MemoryStore, settings::Settings};

    fn table() -> Arc<Table> {
        let cache = Cache::new(Arc::new(MemoryStore::default()), None, Settings::default()).unwrap();
        Arc::new(cache.table("product"))
    }

    fn rows(table: &Arc<Table>, ids: std::ops::Range<i32>, max_rows: usize) -> Affected {
        let mut affected = Affected::nothing(max_rows);
        for id in ids {
            affected.add_row(table, &RowKey::default().with_integer(id.into()));
        }
        affected
    }

    fn cells(affected: &Affected) -> usize {
        affected.clone().into_parts().0.len()
    }

    #[test]
    fn more_rows_than_the_limit_are_the_whole_table() {
        let table = table();
        let mut affected = rows(&table, 0..3, 3);
        affected.merge(rows(&table, 1..3, 3));
        assert!(!affected.is_whole(&table), "a row counts once");
        assert_eq!(cells(&affected), 3 + 1);
        affected.add_presence(&table);
        assert_eq!(cells(&affected), 3 + 2);
        affected.merge(rows(&table, 3..4, 3));
        assert!(affected.is_whole(&table));
        assert_eq!(cells(&affected), 8 + 2);
        assert!(rows(&table, 0..1, 0).is_whole(&table));
    }

    #[test]
    fn what_is_fenced_already_is_left_out() {
        let table = table();
        let all = rows(&table, 0..3, 10);
        assert!(all.beyond(&all).is_empty());
        assert_eq!(cells(&all.beyond(&rows(&table, 0..1, 10))), 2);
        let mut whole = Affected::nothing(10);
        whole.add_table(&table);
        assert!(all.beyond(&whole).is_empty());
        assert_eq!(cells(&whole.beyond(&all)), 8 + 1, "the all slot is fenced");
    }
}

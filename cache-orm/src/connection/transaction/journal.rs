//! What a transaction has written so far.

use std::{
    collections::BTreeSet,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use cache_core::{
    entry::Generation,
    fence::{Affected, Fence},
    unpoisoned,
};
use sea_orm::{DatabaseTransaction, DbErr};
use tokio::{sync::OwnedMutexGuard, time::Instant};

use crate::{
    context::{Context, extent},
    write::{self, SchemaChange},
};

/// What a transaction and its savepoints have written. A savepoint that is rolled back leaves its notes
/// behind: its rows are invalidated although they did not change.
pub(super) struct Journal {
    affected: Mutex<Affected>,
    /// What each statement changes at most that has not told its rows yet, or never will: its runtime has ended.
    undecided: Mutex<Vec<Option<Affected>>>,
    /// The generations of the schema that the notes go by.
    generations: Mutex<BTreeSet<Option<Generation>>>,
    /// Fences placed before the commit, for statements that may commit by themselves, and what they mark.
    early: Mutex<Vec<Fence>>,
    fenced: Mutex<Fenced>,
    /// How long a fence is relied on. It stands twice as long.
    reliable: Duration,
    /// Such a statement was sent: whatever follows may commit at once too.
    may_commit_early: AtomicBool,
    /// Savepoints that were asked for and are not known to be open.
    doubtful: AtomicUsize,
    /// A statement may have changed what names mean.
    renames: AtomicBool,
    /// Something was written while the schema was not known.
    blind: AtomicBool,
    /// What was read, as far as the texts show, while it was not known: some of it may have written.
    unjudged: Mutex<BTreeSet<String>>,
    /// Forgets the schema when the transaction is over, however it ends.
    changes: Mutex<Vec<SchemaChange>>,
    /// The transaction itself and its open savepoints.
    levels: AtomicUsize,
    /// One call at a time.
    turns: Arc<tokio::sync::Mutex<()>>,
}

/// So many texts are kept to be judged later.
const MOST_UNJUDGED: usize = 256;

/// What the early fences mark, and since when the oldest of them stands.
struct Fenced {
    affected: Affected,
    since: Instant,
}

impl Journal {
    pub(super) fn new(shared: &Context) -> Self {
        let nothing = || extent::nothing(shared);
        Journal {
            affected: Mutex::new(nothing()),
            undecided: Mutex::default(),
            generations: Mutex::default(),
            early: Mutex::default(),
            fenced: Mutex::new(Fenced { affected: nothing(), since: Instant::now() }),
            reliable: shared.cache.settings().fence_ttl / 2,
            may_commit_early: AtomicBool::new(false),
            doubtful: AtomicUsize::new(0),
            renames: AtomicBool::new(false),
            blind: AtomicBool::new(false),
            unjudged: Mutex::default(),
            changes: Mutex::default(),
            levels: AtomicUsize::new(0),
            turns: Arc::default(),
        }
    }

    /// Waits until no other call of the transaction is under way, in the order of arrival.
    pub(super) async fn turn(&self) -> OwnedMutexGuard<()> {
        self.turns.clone().lock_owned().await
    }

    /// A statement will change this.
    pub(super) fn record(&self, affected: Affected) {
        lock(&self.affected).merge(affected);
    }

    /// What follows was told from knowledge of this generation of the schema.
    pub(super) fn goes_by(&self, generation: Option<Generation>) {
        lock(&self.generations).insert(generation);
    }

    /// The one generation of the schema that all notes go by, inner `None` if there are several; `None` without
    /// notes.
    pub(super) fn generation(&self) -> Option<Option<Generation>> {
        let generations = lock(&self.generations);
        generations.first().map(|first| first.filter(|_| generations.len() == 1))
    }

    /// What was learned of the schema is old when the transaction is over.
    pub(super) fn changes_schema(&self, change: SchemaChange) {
        lock(&self.changes).push(change);
    }

    /// What was written before its cells had names is fenced, with everything else.
    pub(super) fn is_named(&self) {
        lock(&self.changes).iter_mut().for_each(SchemaChange::is_named);
    }

    /// From now on, whatever is sent may commit at once.
    pub(super) fn commits_early(&self) {
        self.may_commit_early.store(true, Ordering::Release);
    }

    pub(super) fn may_commit_early(&self) -> bool {
        self.may_commit_early.load(Ordering::Acquire) || self.doubtful.load(Ordering::Acquire) > 0
    }

    /// If no savepoint opens, the transaction is over: so long, whatever is sent may commit at once.
    pub(super) fn savepoint_asked_for(&self) {
        self.doubtful.fetch_add(1, Ordering::AcqRel);
    }

    pub(super) fn savepoint_opened(&self) {
        self.doubtful.fetch_sub(1, Ordering::AcqRel);
    }

    /// From now on, names may not mean what they did when the schema was learned.
    pub(super) fn renames(&self) {
        self.renames.store(true, Ordering::Release);
    }

    pub(super) fn may_have_renamed(&self) -> bool {
        self.renames.load(Ordering::Acquire)
    }

    /// Something is written, and what it reaches is not known.
    pub(super) fn writes_blindly(&self) {
        self.blind.store(true, Ordering::Release);
    }

    pub(super) fn is_blind(&self) -> bool {
        self.blind.load(Ordering::Acquire)
    }

    /// Something is read, and whether it writes is not known.
    pub(super) fn reads_blindly(&self, sql: &str) {
        let mut unjudged = lock(&self.unjudged);
        if unjudged.len() < MOST_UNJUDGED {
            unjudged.insert(sql.to_owned());
        } else if !unjudged.contains(sql) {
            drop(unjudged);
            self.has_written_blindly();
        }
    }

    /// Judges what was read while the schema was not known. Whatever may have written is taken to have written
    /// anything.
    pub(super) async fn judge(&self, shared: &Context, transaction: &DatabaseTransaction) {
        let unjudged = std::mem::take(&mut *lock(&self.unjudged));
        if !unjudged.is_empty() && shared.may_have_written(&unjudged, transaction).await {
            self.has_written_blindly();
        }
    }

    fn has_written_blindly(&self) {
        self.goes_by(None);
        self.writes_blindly();
    }

    /// A statement is about to change this at most. The answer names it.
    pub(super) fn open(&self, at_most: Affected) -> usize {
        let mut undecided = lock(&self.undecided);
        undecided.push(Some(at_most));
        undecided.len() - 1
    }

    /// The statement has changed exactly this.
    pub(super) fn close(&self, number: usize, affected: Affected) {
        let mut undecided = lock(&self.undecided);
        lock(&self.affected).merge(affected);
        if let Some(statement) = undecided.get_mut(number) {
            *statement = None;
        }
        while undecided.last().is_some_and(Option::is_none) {
            undecided.pop();
        }
    }

    /// What was written and is not fenced yet, or so long ago that the fence may expire before the transaction ends.
    pub(super) fn unfenced(&self) -> Affected {
        let undecided = lock(&self.undecided);
        let mut affected = lock(&self.affected).clone();
        undecided.iter().flatten().for_each(|at_most| affected.merge(at_most.clone()));
        let fenced = lock(&self.fenced);
        if fenced.since.elapsed() < self.reliable { affected.beyond(&fenced.affected) } else { affected }
    }

    /// Keeps a fence that was placed before the commit.
    pub(super) fn keep(&self, fence: Fence, of: Affected) {
        lock(&self.early).push(fence);
        let mut fenced = lock(&self.fenced);
        if fenced.affected.is_empty() || fenced.since.elapsed() >= self.reliable {
            // What older ones mark is not relied on any more.
            *fenced = Fenced { affected: of, since: Instant::now() };
        } else {
            fenced.affected.merge(of);
        }
    }

    /// The transaction has ended, or nobody knows whether it has.
    pub(super) async fn end<T>(&self, last: Option<Fence>, result: &Result<T, DbErr>) {
        let changes = std::mem::take(&mut *lock(&self.changes));
        changes.iter().for_each(SchemaChange::forget);
        let early = std::mem::take(&mut *lock(&self.early));
        if write::is_decided(result) {
            for fence in early.into_iter().chain(last) {
                fence.release().await;
            }
        }
        // Once more: what was learned while the fences stood is of no generation.
        drop(changes);
    }
}

/// One level of a transaction. Whichever handle ends at the last level ends the transaction: the database does
/// not care which of them it was.
pub(super) struct Level(Arc<Journal>);

impl Level {
    pub(super) fn open(journal: &Arc<Journal>) -> Self {
        journal.levels.fetch_add(1, Ordering::AcqRel);
        Level(journal.clone())
    }

    pub(super) fn is_last(&self) -> bool {
        self.0.levels.load(Ordering::Acquire) == 1
    }
}

impl Drop for Level {
    fn drop(&mut self) {
        self.0.levels.fetch_sub(1, Ordering::AcqRel);
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    unpoisoned::lock(mutex)
}

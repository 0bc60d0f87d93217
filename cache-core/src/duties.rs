//! What a process has yet to do at the store, and whether it may end.

use std::{
    collections::BTreeMap,
    fmt, mem,
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use tokio::{sync::watch, time::timeout};

use super::left::Left;

/// What is under way, due, or left.
#[derive(Debug)]
pub(super) struct Duties {
    due: watch::Sender<Due>,
    /// What nobody is at: its task ended with its runtime, or there was none. It holds no handle of the cache, and
    /// goes with the last one.
    left: Mutex<Vec<Left>>,
    /// True if there is any. Changed only under the lock.
    any_left: AtomicBool,
}

#[derive(Clone, Debug, Default)]
struct Due {
    /// Background calls that are under way.
    calls: usize,
    /// Tables, and how often each is owed it.
    tables: BTreeMap<(String, Duty), usize>,
}

/// What a process owes to those that share its store. It ends when the store has heard of it, and not before: what
/// is left of a task that ends with its runtime is taken up by whoever next uses the cache in another one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Duty {
    /// To invalidate a table that was written while the store could not be fenced. Until then, other processes
    /// may serve its old rows; if this one ends before, until they expire.
    Invalidate,
    /// To release a fence. Until then, or until the fence expires, the rows are read from the database.
    Release,
}

/// The time was over before everything was done.
#[derive(Clone, Debug, Default, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub struct Unsettled {
    /// What is left for which table.
    pub duties: Vec<(String, Duty)>,
    /// Background calls that are under way: of the store, and of the database without a caller.
    pub calls: usize,
}

impl Duties {
    pub(super) fn new() -> Self {
        Duties {
            due: watch::Sender::new(Due::default()),
            left: Mutex::default(),
            any_left: AtomicBool::new(false),
        }
    }

    pub(super) fn call_began(&self) {
        self.due.send_modify(|due| due.calls += 1);
    }

    pub(super) fn call_ended(&self) {
        self.due.send_modify(|due| due.calls -= 1);
    }

    pub(super) fn begin(&self, duty: Duty, table: &str) {
        self.due.send_modify(|due| *due.tables.entry((table.to_owned(), duty)).or_default() += 1);
    }

    pub(super) fn end(&self, duty: Duty, table: &str) {
        self.due.send_modify(|due| {
            let key = (table.to_owned(), duty);
            if let Some(owed) = due.tables.get_mut(&key) {
                *owed -= 1;
                if *owed == 0 {
                    due.tables.remove(&key);
                }
            }
        });
    }

    pub(super) async fn calls_ended(&self) {
        // The sender lives as long as `self`, so waiting can't fail.
        drop(self.due.subscribe().wait_for(|due| due.calls == 0).await);
    }

    pub(super) async fn done_within(&self, limit: Duration) -> Result<(), Unsettled> {
        let mut due = self.due.subscribe();
        let done = due.wait_for(|due| due.calls == 0 && due.tables.is_empty());
        if timeout(limit, done).await.is_ok() {
            return Ok(());
        }
        let due = self.due.borrow();
        Err(Unsettled { duties: due.tables.keys().cloned().collect(), calls: due.calls })
    }

    /// Keeps it for whoever next comes by.
    pub(super) fn give_back(&self, mut given: Left) {
        given.begin(self);
        let mut left = self.left();
        if let Some(given) = left.iter_mut().try_fold(given, |given, known| known.merge(given)) {
            left.push(given);
        }
        self.any_left.store(true, Ordering::Relaxed);
    }

    /// Costs next to nothing. Whoever misses what is being given back leaves it to the next one.
    pub(super) fn any_left(&self) -> bool {
        self.any_left.load(Ordering::Relaxed)
    }

    /// All that was given back.
    pub(super) fn take_left(&self) -> Vec<Left> {
        let mut left = self.left();
        self.any_left.store(false, Ordering::Relaxed);
        mem::take(&mut *left)
    }

    fn left(&self) -> MutexGuard<'_, Vec<Left>> {
        self.left.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Display for Unsettled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = |duty| {
            let tables = self.duties.iter().filter(|(_, due)| *due == duty).map(|(table, _)| table.as_str());
            tables.collect::<Vec<_>>().join(", ")
        };
        f.write_str("the cache store could not be told of everything in time")?;
        let (unfenced, unreleased) = (names(Duty::Invalidate), names(Duty::Release));
        if !unfenced.is_empty() {
            write!(
                f,
                "; written and not invalidated: {unfenced} (other processes may serve the old rows until they \
                 expire)"
            )?;
        }
        if !unreleased.is_empty() {
            write!(
                f,
                "; fenced and not released: {unreleased} (read from the database until the fences expire)"
            )?;
        }
        if self.calls > 0 {
            write!(f, "; calls under way: {}", self.calls)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMIT: Duration = Duration::from_secs(1);

    #[tokio::test(start_paused = true)]
    async fn what_is_left_is_named() {
        let duties = Duties::new();
        assert_eq!(duties.done_within(LIMIT).await, Ok(()));
        duties.begin(Duty::Invalidate, "product");
        duties.begin(Duty::Invalidate, "product");
        duties.begin(Duty::Invalidate, "review");
        duties.begin(Duty::Release, "category");
        duties.end(Duty::Invalidate, "product");
        duties.end(Duty::Invalidate, "review");
        duties.call_began();
        let left = duties.done_within(LIMIT).await.expect_err("three things");
        let expected = [("category".to_owned(), Duty::Release), ("product".to_owned(), Duty::Invalidate)];
        assert_eq!((&left.duties[..], left.calls), (&expected[..], 1));
        assert_eq!(
            left.to_string(),
            "the cache store could not be told of everything in time; written and not invalidated: product \
             (other processes may serve the old rows until they expire); fenced and not released: category \
             (read from the database until the fences expire); calls under way: 1"
        );
    }

    #[tokio::test(start_paused = true)]
    async fn whoever_waits_is_told_when_the_last_duty_ends() {
        let duties = Duties::new();
        duties.begin(Duty::Invalidate, "product");
        let (settled, ()) = tokio::join!(duties.done_within(LIMIT), async {
            tokio::task::yield_now().await;
            duties.end(Duty::Invalidate, "product");
        });
        assert_eq!(settled, Ok(()));
    }
}

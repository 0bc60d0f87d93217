//! What a process has yet to do at the store, and whether it may end.

use std::{collections::BTreeMap, fmt, time::Duration};

use tokio::{sync::watch, time::timeout};

/// What is under way, and what is due.
#[derive(Debug, Default)]
pub(crate) struct Duties {
    due: watch::Sender<Due>,
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
    pub(crate) fn call_began(&self) {
        self.due.send_modify(|due| due.calls += 1);
    }

    pub(crate) fn call_ended(&self) {
        self.due.send_modify(|due| due.calls -= 1);
    }

    pub(crate) fn begin(&self, duty: Duty, table: &str) {
        self.due.send_modify(|due| *due.tables.entry((table.to_owned(), duty)).or_default() += 1);
    }

    pub(crate) fn end(&self, duty: Duty, table: &str) {
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

    pub(crate) async fn calls_ended(&self) {
        // The sender lives as long as `self`, so waiting can't fail.
        drop(self.due.subscribe().wait_for(|due| due.calls == 0).await);
    }

    pub(crate) async fn done_within(&self, limit: Duration) -> Result<(), Unsettled> {
        let mut due = self.due.subscribe();
        let done = due.wait_for(|due| due.calls == 0 && due.tables.is_empty());
        if timeout(limit, done).await.is_ok() {
            return Ok(());
        }
        let due = self.due.borrow();
        Err(Unsettled { duties: due.tables.keys().cloned().collect(), calls: due.calls })
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
        let duties = Duties::default();
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
        let duties = Duties::default();
        duties.begin(Duty::Invalidate, "product");
        let (settled, ()) = tokio::join!(duties.done_within(LIMIT), async {
            tokio::task::yield_now().await;
            duties.end(Duty::Invalidate, "product");
        });
        assert_eq!(settled, Ok(()));
    }
}

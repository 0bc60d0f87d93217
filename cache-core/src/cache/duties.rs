//! What a process has yet to do at the store, and whether it may end.

use std::{collections::BTreeMap, fmt, future::Future, sync::Arc, time::Duration};

use tokio::{
    runtime::Handle,
    sync::watch,
    time::{sleep, timeout},
};

use super::{Cache, Table};
use crate::{
    entry::Writer,
    fence::Parts,
    quarantine::{Rotated, Rotation},
    store::StoreError,
};

/// How often a process that could not invalidate a table, or release a fence, tries again.
const RETRY: Duration = Duration::from_millis(200);

/// What is under way or due.
#[derive(Debug)]
pub(super) struct Duties(watch::Sender<Due>);

#[derive(Clone, Debug, Default)]
struct Due {
    /// Background calls that are under way.
    calls: usize,
    /// Tables, and how often each is owed it.
    tables: BTreeMap<(String, Duty), usize>,
}

/// What a process owes to those that share its store. It ends when the store has heard of it, and not before:
/// also a task that dies with its runtime leaves it behind.
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
        Duties(watch::Sender::new(Due::default()))
    }

    pub(super) fn call_began(&self) {
        self.0.send_modify(|due| due.calls += 1);
    }

    pub(super) fn call_ended(&self) {
        self.0.send_modify(|due| due.calls -= 1);
    }

    pub(super) fn begin(&self, duty: Duty, table: &str) {
        self.0.send_modify(|due| *due.tables.entry((table.to_owned(), duty)).or_default() += 1);
    }

    pub(super) fn end(&self, duty: Duty, table: &str) {
        self.0.send_modify(|due| {
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
        drop(self.0.subscribe().wait_for(|due| due.calls == 0).await);
    }

    pub(super) async fn done_within(&self, limit: Duration) -> Result<(), Unsettled> {
        let mut due = self.0.subscribe();
        let done = due.wait_for(|due| due.calls == 0 && due.tables.is_empty());
        if timeout(limit, done).await.is_ok() {
            return Ok(());
        }
        let due = self.0.borrow();
        Err(Unsettled { duties: due.tables.keys().cloned().collect(), calls: due.calls })
    }
}

impl Cache {
    /// A write that went ahead unfenced has ended. If its outcome is unknown it may still commit, so the
    /// tables stay in quarantine as long as a fence would have stood.
    pub(crate) fn unfenced_write_ended(&self, parts: Parts, outcome_known: bool) {
        // A duty, and no background call: it may go on for as long as the store is down. Without a runtime it
        // stays one.
        let Ok(runtime) = Handle::try_current() else {
            return;
        };
        let cache = self.clone();
        runtime.spawn(async move {
            if !outcome_known {
                sleep(cache.inner.settings.fence_ttl).await;
            }
            let duties: Vec<_> = parts
                .tables
                .iter()
                .filter_map(|table| Some((table, table.quarantine.write_ended()?)))
                .collect();
            for (table, rotation) in duties {
                cache.rotate(table, rotation).await;
            }
            parts.withdraw().await;
        });
    }

    /// Repeats the release of `tables`, in the background, until the store is back.
    pub(crate) fn insist_on_release<C>(
        &self,
        tables: &[Arc<Table>],
        release: impl Fn() -> C + Send + Sync + 'static,
    ) where
        C: Future<Output = Result<(), StoreError>> + Send,
    {
        let names: Vec<_> = tables.iter().map(|table| table.name().to_owned()).collect();
        names.iter().for_each(|name| self.inner.duties.begin(Duty::Release, name));
        let Ok(runtime) = Handle::try_current() else { return };
        let cache = self.clone();
        runtime.spawn(async move {
            loop {
                sleep(RETRY).await;
                if release().await.is_ok() {
                    return names.iter().for_each(|name| cache.inner.duties.end(Duty::Release, name));
                }
            }
        });
    }

    /// Invalidates the whole table, trying until the store is back.
    async fn rotate(&self, table: &Table, mut rotation: Rotation) {
        let cells: Vec<_> = table.keys.whole().cloned().collect();
        loop {
            // A fence that is born expired leaves its cells empty.
            let writer = Writer::random();
            while let Err(error) = self
                .guarded(|| self.inner.store.fence(self.schema_cell(), &cells, writer, Duration::ZERO))
                .await
            {
                tracing::debug!(table = table.name(), %error, "quarantined until the store is back");
                sleep(RETRY).await;
            }
            match table.quarantine.rotated(rotation) {
                Rotated::Lifted => return self.inner.duties.end(Duty::Invalidate, table.name()),
                Rotated::HandedOver => return,
                Rotated::Again(next) => rotation = next,
            }
        }
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

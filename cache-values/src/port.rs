//! How this process calls its backend: with a time-out and a circuit breaker where it needs them, and counted.

use std::{future::Future, sync::Arc, time::Duration};

use cache_core::breaker::{Breaker, Patience};
use tokio::runtime::Handle;

use crate::{
    backend::{Backend, Capabilities, Counted, Item, Put, Start, StoreError, Stored, When},
    name::Name,
    stats::Counters,
};

/// What stands between a cache and its backend. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Port {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    backend: Arc<dyn Backend>,
    capabilities: Capabilities,
    breaker: Breaker,
    counters: Counters,
}

impl Port {
    pub(crate) fn new(backend: Arc<dyn Backend>, time_out: Duration) -> Self {
        let patience = Patience { call: time_out, fence: Duration::ZERO };
        Port {
            inner: Arc::new(Inner {
                capabilities: backend.capabilities(),
                backend,
                breaker: Breaker::new(patience, Duration::ZERO),
                counters: Counters::default(),
            }),
        }
    }

    pub(crate) fn backend(&self) -> &dyn Backend {
        &*self.inner.backend
    }

    pub(crate) fn capabilities(&self) -> Capabilities {
        self.inner.capabilities
    }

    pub(crate) fn counters(&self) -> &Counters {
        &self.inner.counters
    }

    pub(crate) async fn get(&self, names: &[Name], left: bool) -> Result<Vec<Option<Item>>, StoreError> {
        let items = self.repeated(|| self.inner.backend.get(names, left)).await?;
        as_many(names.len(), items)
    }

    pub(crate) async fn put(&self, items: &[Put]) -> Result<Vec<Stored>, StoreError> {
        let put = || self.inner.backend.put(items);
        // Whether its condition held can't be told by a second time.
        let blind = items.iter().all(|item| item.when == When::Always);
        let stored = if blind { self.repeated(put).await? } else { self.once(put).await? };
        as_many(items.len(), stored)
    }

    pub(crate) async fn put_one(&self, item: Put) -> Result<Stored, StoreError> {
        Ok(self.put(&[item]).await?[0])
    }

    pub(crate) async fn remove(&self, names: &[Name]) -> Result<Vec<bool>, StoreError> {
        let removed = self.once(|| self.inner.backend.remove(names)).await?;
        as_many(names.len(), removed)
    }

    pub(crate) async fn touch(&self, name: &Name, ttl: Option<Duration>) -> Result<bool, StoreError> {
        self.repeated(|| self.inner.backend.touch(name, ttl)).await
    }

    pub(crate) async fn count(
        &self,
        name: &Name,
        by: i64,
        start: Option<Start>,
    ) -> Result<Counted, StoreError> {
        self.once(|| self.inner.backend.count(name, by, start)).await
    }

    pub(crate) async fn rename(&self, from: &Name, to: &Name) -> Result<bool, StoreError> {
        self.once(|| self.inner.backend.rename(from, to)).await
    }

    /// Makes room, as a task of its own: nobody waits for it. Outside a runtime it is not made.
    pub(crate) fn sweep(&self, stem: String) {
        let port = self.clone();
        spawn(async move {
            match port.inner.backend.sweep(&stem).await {
                Ok(removed) => tracing::debug!(removed, "swept what nobody asks for any more"),
                Err(error) => tracing::debug!(%error, "what nobody asks for any more could not be swept"),
            }
        });
    }

    pub(crate) async fn close(&self) {
        self.inner.backend.close().await;
    }

    async fn repeated<T, C>(&self, call: impl Fn() -> C) -> Result<T, StoreError>
    where
        C: Future<Output = Result<T, StoreError>>,
    {
        let result = match self.inner.capabilities.may_fail {
            true => self.inner.breaker.call(call).await,
            false => call().await,
        };
        self.counted(result)
    }

    async fn once<T, C>(&self, call: impl FnOnce() -> C) -> Result<T, StoreError>
    where
        C: Future<Output = Result<T, StoreError>>,
    {
        let result = match self.inner.capabilities.may_fail {
            true => self.inner.breaker.call_once(call).await,
            false => call().await,
        };
        self.counted(result)
    }

    fn counted<T>(&self, result: Result<T, StoreError>) -> Result<T, StoreError> {
        if let Err(error) = &result {
            self.inner.counters.failures.increment();
            tracing::debug!(%error, "backend call failed");
        }
        result
    }
}

/// Runs what nobody waits for. Outside a runtime it is not run.
pub(crate) fn spawn(task: impl Future<Output = ()> + Send + 'static) {
    if let Ok(runtime) = Handle::try_current() {
        runtime.spawn(task);
    }
}

/// A backend may be anybody's: one that answers less or more than it was asked is not believed.
fn as_many<T>(asked: usize, answers: Vec<T>) -> Result<Vec<T>, StoreError> {
    if answers.len() == asked {
        return Ok(answers);
    }
    Err(StoreError::Unexpected(format!("{} answers to {asked} questions", answers.len())))
}

//! For tests: a clock that the test moves, and a backend that counts its calls and fails on purpose.
//!
//! ```
//! use std::time::Duration;
//! use cache_values::{Cache, Settings, Ttl, backend::MemoryBackend, testing::ManualClock};
//! # tokio::runtime::Builder::new_current_thread().build()?.block_on(async {
//! let clock = ManualClock::default();
//! let cache = Cache::new(MemoryBackend::default().with_clock(clock.clone()), Settings::default())?;
//! cache.set("greeting", "hello", Ttl::secs(60)).await?;
//! clock.advance(Duration::from_secs(60));
//! assert_eq!(cache.get::<String>("greeting").await?, None);
//! # Ok::<(), cache_values::Error>(()) })?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

use std::{
    mem,
    sync::{Arc, Mutex},
    time::Duration,
};

use async_trait::async_trait;
pub use cache_core::testing::ManualClock;
use cache_core::unpoisoned;
use tokio::sync::Notify;

use crate::{
    backend::{Backend, Capabilities, Counted, Item, Put, Start, StoreError, Stored},
    name::Name,
};

/// What becomes of the calls to a [`WatchedBackend`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Fault {
    /// They are made.
    #[default]
    None,
    /// They fail, and were not made.
    Refused,
    /// They were made, and fail: the answer was lost.
    Lost,
    /// They are never answered.
    Silent,
}

/// A backend around another, which counts calls and fails as it is told. It counts as one that may fail. Clones are the same one.
#[derive(Clone, Debug)]
pub struct WatchedBackend {
    inner: Arc<dyn Backend>,
    state: Arc<Mutex<State>>,
}

#[derive(Debug, Default)]
struct State {
    fault: Fault,
    calls: Vec<String>,
    /// The calls whose answers are held back, once each.
    held: Vec<(String, Hold)>,
}

/// One call that is made, and whose answer is held back until the test lets it go.
#[derive(Clone, Debug, Default)]
pub struct Hold {
    made: Arc<Notify>,
    let_go: Arc<Notify>,
}

impl Hold {
    /// Waits until the call is made.
    pub async fn made(&self) {
        self.made.notified().await;
    }

    /// Lets the answer go.
    pub fn let_go(&self) {
        self.let_go.notify_one();
    }
}

impl WatchedBackend {
    /// A backend that does what `inner` does, until it is told otherwise.
    pub fn new(inner: impl Backend) -> Self {
        WatchedBackend { inner: Arc::new(inner), state: Arc::default() }
    }

    /// From now on calls have this fault.
    pub fn set_fault(&self, fault: Fault) {
        unpoisoned::lock(&self.state).fault = fault;
    }

    /// The calls since the last time, as `get 2`, `put 1`, `remove 1`, `touch`, `count`, `rename`: how many names each had.
    pub fn take_calls(&self) -> Vec<String> {
        mem::take(&mut unpoisoned::lock(&self.state).calls)
    }

    /// Holds back the answer to the next such call: `get 2`, `put 1`, …
    pub fn hold(&self, call: &str) -> Hold {
        let hold = Hold::default();
        unpoisoned::lock(&self.state).held.push((call.to_owned(), hold.clone()));
        hold
    }

    async fn call<T>(
        &self,
        call: String,
        operation: impl Future<Output = Result<T, StoreError>>,
    ) -> Result<T, StoreError> {
        let (fault, hold) = {
            let mut state = unpoisoned::lock(&self.state);
            let at = state.held.iter().position(|(held, _)| *held == call);
            let hold = at.map(|at| state.held.remove(at).1);
            state.calls.push(call);
            (state.fault, hold)
        };
        let error = || StoreError::Unreachable("on purpose".to_owned());
        match fault {
            Fault::None => {
                let result = operation.await;
                if let Some(hold) = hold {
                    hold.made.notify_one();
                    hold.let_go.notified().await;
                }
                result
            }
            Fault::Refused => Err(error()),
            Fault::Lost => {
                operation.await?;
                Err(error())
            }
            Fault::Silent => std::future::pending().await,
        }
    }
}

#[async_trait]
impl Backend for WatchedBackend {
    async fn get(&self, names: &[Name], left: bool) -> Result<Vec<Option<Item>>, StoreError> {
        self.call(format!("get {}", names.len()), self.inner.get(names, left)).await
    }

    async fn put(&self, items: &[Put]) -> Result<Vec<Stored>, StoreError> {
        self.call(format!("put {}", items.len()), self.inner.put(items)).await
    }

    async fn remove(&self, names: &[Name]) -> Result<Vec<bool>, StoreError> {
        self.call(format!("remove {}", names.len()), self.inner.remove(names)).await
    }

    async fn touch(&self, name: &Name, ttl: Option<Duration>) -> Result<bool, StoreError> {
        self.call("touch".to_owned(), self.inner.touch(name, ttl)).await
    }

    async fn count(&self, name: &Name, by: i64, start: Option<Start>) -> Result<Counted, StoreError> {
        self.call("count".to_owned(), self.inner.count(name, by, start)).await
    }

    async fn rename(&self, from: &Name, to: &Name) -> Result<bool, StoreError> {
        self.call("rename".to_owned(), self.inner.rename(from, to)).await
    }

    async fn sweep(&self, stem: &str) -> Result<u64, StoreError> {
        self.call("sweep".to_owned(), self.inner.sweep(stem)).await
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities { may_fail: true, ..self.inner.capabilities() }
    }

    async fn close(&self) {
        self.inner.close().await;
    }
}

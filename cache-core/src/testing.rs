//! Stores that count, fail or pause on purpose, and a clock that stands still.
//!
//! The three wrappers go around any store and nest. They call the wrapped store exactly as they were called.
//!
//! ```
//! # tokio::runtime::Builder::new_current_thread().build()?.block_on(async {
//! use std::sync::Arc;
//! use cache_core::{backend::MemoryStore, entry::Writer, key::Key, store::Store};
//! use cache_core::testing::{Call, CountingStore, PausableStore};
//! use std::time::Duration;
//!
//! let store = CountingStore::new(Arc::new(MemoryStore::default()));
//! let pausable = PausableStore::new(Arc::new(store.clone()));
//! let mut pause = pausable.pause_after(Call::Fence);
//! let cells = [Key::from("a".to_owned())];
//! let fence = pausable.fence(&cells, Writer(1), Duration::from_secs(60));
//! let schedule = async {
//!     pause.reached().await;
//!     assert_eq!(store.take(), ["fence a"]); // executed, not yet answered
//!     pause.resume();
//! };
//! tokio::join!(fence, schedule).0?;
//! # Ok::<(), Box<dyn std::error::Error>>(()) })?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

use std::{
    collections::HashMap,
    fmt,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use bytes::Bytes;
use tokio::sync::{oneshot, watch};

use crate::{
    entry::{Entry, Fingerprint, Token, Writer},
    key::{Address, Key, Namespace},
    slot::{Millis, Slot},
    store::{Claim, Grant, Reach, Sighting, Store, StoreError},
};

/// A clock that only the test moves. Clones show the same time.
#[derive(Clone, Debug, Default)]
pub struct ManualClock {
    now: Arc<AtomicU64>,
}

impl ManualClock {
    /// What it shows.
    pub fn now(&self) -> Millis {
        self.now.load(Ordering::SeqCst)
    }

    /// Moves it forward.
    pub fn advance(&self, by: Duration) {
        let by = by.as_millis().try_into().unwrap_or(Millis::MAX);
        self.now.fetch_add(by, Ordering::SeqCst);
    }
}

/// A store whose cells a test can see and remove.
#[async_trait]
pub trait Cells: Store {
    /// The cell as it stands. Where the store doesn't say when a slot expires, its `until` is
    /// [`Millis::MAX`].
    ///
    /// # Errors
    /// As for any call to the store.
    async fn cell(&self, key: &Key) -> Result<Slot, StoreError>;

    /// Removes the cell, as eviction does.
    ///
    /// # Errors
    /// As for any call to the store.
    async fn remove(&self, key: &Key) -> Result<(), StoreError>;
}

/// A method of [`Store`] that reaches for cells.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[allow(missing_docs)]
pub enum Call {
    Lookup,
    Lease,
    Fill,
    Forfeit,
    Fence,
    Release,
    Claim,
}

impl fmt::Display for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Call::Lookup => "lookup",
            Call::Lease => "lease",
            Call::Fill => "fill",
            Call::Forfeit => "forfeit",
            Call::Fence => "fence",
            Call::Release => "release",
            Call::Claim => "claim",
        })
    }
}

/// Records the calls that reach the wrapped store. Clones share the record.
#[derive(Clone, Debug)]
pub struct CountingStore {
    inner: Arc<dyn Store>,
    calls: Arc<Mutex<Vec<String>>>,
}

impl CountingStore {
    /// Goes around `inner`.
    pub fn new(inner: Arc<dyn Store>) -> Self {
        CountingStore {
            inner,
            calls: Arc::default(),
        }
    }

    /// The calls since the last time, oldest first: the method and the names of its cells, separated by
    /// spaces.
    pub fn take(&self) -> Vec<String> {
        std::mem::take(&mut *locked(&self.calls))
    }
}

#[async_trait]
impl Around for CountingStore {
    fn inner(&self) -> &dyn Store {
        &*self.inner
    }

    async fn before(&self, call: Call, cells: &[&str]) -> Result<(), StoreError> {
        let line = [&[call.to_string().as_str()], cells].concat().join(" ");
        locked(&self.calls).push(line);
        Ok(())
    }
}

/// How a call to a [`FaultyStore`] fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The call is not executed and answers [`StoreError::Unreachable`].
    Refuse,
    /// The call is executed and answers [`StoreError::Unreachable`].
    LoseAnswer,
    /// The call is neither executed nor answered until the fault is changed or mended.
    Hang,
    /// A `lookup` answers an entry with valid stamps and a payload of garbage; any other call is executed and
    /// answers [`StoreError::Unexpected`].
    Garbage,
}

/// Fails on demand, call by call. Clones fail together.
#[derive(Clone, Debug)]
pub struct FaultyStore {
    inner: Arc<dyn Store>,
    faults: Arc<watch::Sender<HashMap<Call, Fault>>>,
}

impl FaultyStore {
    /// Goes around `inner`. Nothing fails yet.
    pub fn new(inner: Arc<dyn Store>) -> Self {
        FaultyStore {
            inner,
            faults: Arc::new(watch::Sender::new(HashMap::new())),
        }
    }

    /// From now on `call` fails like this.
    pub fn fail(&self, call: Call, fault: Fault) {
        self.faults.send_modify(|faults| {
            faults.insert(call, fault);
        });
    }

    /// Every call fails like this.
    pub fn fail_all(&self, fault: Fault) {
        let all = [
            Call::Lookup,
            Call::Lease,
            Call::Fill,
            Call::Forfeit,
            Call::Fence,
            Call::Release,
            Call::Claim,
        ];
        self.faults
            .send_modify(|faults| faults.extend(all.map(|call| (call, fault))));
    }

    /// No call fails any more.
    pub fn mend(&self) {
        self.faults.send_modify(HashMap::clear);
    }
}

#[async_trait]
impl Around for FaultyStore {
    fn inner(&self) -> &dyn Store {
        &*self.inner
    }

    async fn before(&self, call: Call, _: &[&str]) -> Result<(), StoreError> {
        let mut faults = self.faults.subscribe();
        let fault = faults
            .wait_for(|faults| faults.get(&call) != Some(&Fault::Hang))
            .await
            .map_or(None, |faults| faults.get(&call).copied());
        match fault {
            Some(Fault::Refuse) => Err(StoreError::Unreachable("refused on purpose".to_owned())),
            _ => Ok(()),
        }
    }

    async fn after(&self, call: Call) -> Result<(), StoreError> {
        let fault = self.faults.borrow().get(&call).copied();
        match fault {
            Some(Fault::LoseAnswer) => Err(StoreError::Unreachable("answer lost on purpose".to_owned())),
            Some(Fault::Garbage) if call != Call::Lookup => {
                Err(StoreError::Unexpected("garbage on purpose".to_owned()))
            }
            _ => Ok(()),
        }
    }

    fn seen(&self, mut sighting: Sighting) -> Sighting {
        if self.faults.borrow().get(&Call::Lookup) == Some(&Fault::Garbage) {
            let entry = sighting.entry.get_or_insert(Entry {
                token: Token(0),
                epoch: sighting.epoch,
                presence: None,
                fingerprint: Fingerprint(0),
                payload: Bytes::new().into(),
            });
            entry.payload = Bytes::from_static(b"\xff\xfe\xfd garbage").into();
        }
        sighting
    }
}

/// Stops calls where a test wants them, so that schedules are run and not hoped for. Clones stop together.
#[derive(Clone, Debug)]
pub struct PausableStore {
    inner: Arc<dyn Store>,
    gates: Arc<Mutex<Vec<Gate>>>,
}

/// Where a call stops.
#[derive(Debug)]
struct Gate {
    call: Call,
    executed: bool,
    arrived: oneshot::Sender<()>,
    resumed: oneshot::Receiver<()>,
}

/// A pause that one call will make, or is making. Dropping it lets the call go.
#[derive(Debug)]
#[must_use = "a pause that is dropped stops nothing"]
pub struct Pause {
    arrived: oneshot::Receiver<()>,
    resume: oneshot::Sender<()>,
}

impl Pause {
    /// Waits until a call has stopped here.
    ///
    /// # Panics
    /// When the store was dropped, or when it is asked again after it has answered.
    pub async fn reached(&mut self) {
        (&mut self.arrived)
            .await
            .expect("the store is there to send calls here");
    }

    /// Lets the call go.
    pub fn resume(self) {
        // A call that was dropped while it paused has nowhere to go.
        let _ = self.resume.send(());
    }
}

impl PausableStore {
    /// Goes around `inner`. Nothing pauses yet.
    pub fn new(inner: Arc<dyn Store>) -> Self {
        PausableStore {
            inner,
            gates: Arc::default(),
        }
    }

    /// The next `call` stops before it is executed. Later ones go on; ask twice to stop two.
    pub fn pause_before(&self, call: Call) -> Pause {
        self.pause(call, false)
    }

    /// The next `call` stops when it has been executed, before its caller learns the answer.
    pub fn pause_after(&self, call: Call) -> Pause {
        self.pause(call, true)
    }

    fn pause(&self, call: Call, executed: bool) -> Pause {
        let (arrive, arrived) = oneshot::channel();
        let (resume, resumed) = oneshot::channel();
        locked(&self.gates).push(Gate {
            call,
            executed,
            arrived: arrive,
            resumed,
        });
        Pause { arrived, resume }
    }

    async fn pass(&self, call: Call, executed: bool) {
        let gate = {
            let mut gates = locked(&self.gates);
            let here = gates
                .iter()
                .position(|gate| gate.call == call && gate.executed == executed);
            here.map(|index| gates.remove(index))
        };
        if let Some(gate) = gate
            && gate.arrived.send(()).is_ok()
        {
            // An error means that the pause was dropped, which lets the call go.
            let _ = gate.resumed.await;
        }
    }
}

#[async_trait]
impl Around for PausableStore {
    fn inner(&self) -> &dyn Store {
        &*self.inner
    }

    async fn before(&self, call: Call, _: &[&str]) -> Result<(), StoreError> {
        self.pass(call, false).await;
        Ok(())
    }

    async fn after(&self, call: Call) -> Result<(), StoreError> {
        self.pass(call, true).await;
        Ok(())
    }
}

/// What a wrapper does before and after each call.
#[async_trait]
trait Around: fmt::Debug + Send + Sync + 'static {
    fn inner(&self) -> &dyn Store;

    async fn before(&self, call: Call, cells: &[&str]) -> Result<(), StoreError>;

    async fn after(&self, _: Call) -> Result<(), StoreError> {
        Ok(())
    }

    fn seen(&self, sighting: Sighting) -> Sighting {
        sighting
    }
}

/// One implementation for all wrappers: none can forget a method.
macro_rules! wrap {
    ($($wrapper:ty),*) => {$(
        #[deny(clippy::missing_trait_methods)]
        #[async_trait]
        impl Store for $wrapper {
            async fn lookup(&self, at: &Address) -> Result<Sighting, StoreError> {
                self.before(Call::Lookup, &names(at)).await?;
                let sighting = self.inner().lookup(at).await?;
                self.after(Call::Lookup).await?;
                Ok(self.seen(sighting))
            }

            async fn lease(
                &self,
                at: &Address,
                replaces: Option<Token>,
                ttl: Duration,
            ) -> Result<Option<Grant>, StoreError> {
                self.before(Call::Lease, &names(at)).await?;
                let grant = self.inner().lease(at, replaces, ttl).await?;
                self.after(Call::Lease).await?;
                Ok(grant)
            }

            async fn fill(&self, at: &Address, entry: Entry, ttl: Duration) -> Result<bool, StoreError> {
                self.before(Call::Fill, &names(at)[..=usize::from(at.epoch.is_some())]).await?;
                let stored = self.inner().fill(at, entry, ttl).await?;
                self.after(Call::Fill).await?;
                Ok(stored)
            }

            async fn forfeit(&self, at: &Address, token: Token) -> Result<(), StoreError> {
                self.before(Call::Forfeit, &[at.slot.as_str()]).await?;
                self.inner().forfeit(at, token).await?;
                self.after(Call::Forfeit).await
            }

            async fn fence(&self, cells: &[Key], writer: Writer, ttl: Duration) -> Result<(), StoreError> {
                self.before(Call::Fence, &cells.iter().map(Key::as_str).collect::<Vec<_>>()).await?;
                self.inner().fence(cells, writer, ttl).await?;
                self.after(Call::Fence).await
            }

            async fn release(&self, cells: &[Key], writer: Writer) -> Result<usize, StoreError> {
                self.before(Call::Release, &cells.iter().map(Key::as_str).collect::<Vec<_>>()).await?;
                let lost = self.inner().release(cells, writer).await?;
                self.after(Call::Release).await?;
                Ok(lost)
            }

            async fn claim(&self, namespace: &Namespace, identity: &str) -> Result<Claim, StoreError> {
                self.before(Call::Claim, &[]).await?;
                let claim = self.inner().claim(namespace, identity).await?;
                self.after(Call::Claim).await?;
                Ok(claim)
            }

            fn default_namespace(&self) -> Option<Namespace> {
                self.inner().default_namespace()
            }

            fn reach(&self) -> Reach {
                self.inner().reach()
            }
        }
    )*};
}

wrap!(CountingStore, FaultyStore, PausableStore);

/// The names of a slot and of the cells that decide whether its entry is valid.
fn names(at: &Address) -> Vec<&str> {
    [Some(&at.slot), at.epoch.as_ref(), at.presence.as_ref()]
        .into_iter()
        .flatten()
        .map(Key::as_str)
        .collect()
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

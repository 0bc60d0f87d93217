//! A store that stops calls on demand.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use tokio::sync::oneshot;

use super::{Call, Intercept, locked};
use crate::store::{Store, StoreError};

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
        (&mut self.arrived).await.expect("the store is there to send calls here");
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
        PausableStore { inner, gates: Arc::default() }
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
        locked(&self.gates).push(Gate { call, executed, arrived: arrive, resumed });
        Pause { arrived, resume }
    }

    async fn pass(&self, call: Call, executed: bool) {
        let gate = {
            let mut gates = locked(&self.gates);
            let here = gates.iter().position(|gate| gate.call == call && gate.executed == executed);
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
impl Intercept for PausableStore {
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

//! Time-outs, repetitions, the circuit breaker and the grace period: what keeps a broken store from being felt,
//! and a hiccup from being taken for an outage.
//!
//! - Every call to a shared store has a time-out. One whose connection was lost is made once more at once, on a
//!   new connection: only if that fails too is the store lost.
//! - A call that a write waits for goes on trying until [`Patience::fence`] is over.
//! - After three failed calls in a row, close together, and not before a fence that began with the first of
//!   them would have given up, the breaker opens: calls fail at once, without asking the store, except one probe per
//!   half a second.
//! - A process that lost the store serves no hits until a grace period has passed since the store answered again:
//!   another process may have lost it too, gone on writing, and not yet rotated its epochs.

use std::{future::Future, sync::Mutex, time::Duration};

use tokio::time::{Instant, sleep, timeout_at};

use crate::{store::StoreError, unpoisoned};

/// Failed calls in a row that open the breaker.
const FAILURES: u32 = 3;
/// How long an open breaker waits between two probes.
const REST: Duration = Duration::from_millis(500);
/// How long a fence waits before it asks a store again that has just refused it twice.
const BREATH: Duration = Duration::from_millis(50);

/// What takes longer than this is as good as what never ends.
const LONGEST: Duration = Duration::from_secs(31_536_000);

/// How long calls may take.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    /// One call.
    pub call: Duration,
    /// A fence: a call that is repeated. The last time may take as long as one call.
    pub fence: Duration,
}

/// Watches over the calls to one store.
#[derive(Debug)]
pub struct Breaker {
    patience: Patience,
    grace: Duration,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    failures: u32,
    /// When the first of them began, and the last one ended.
    failing: Option<(Instant, Instant)>,
    /// When the next probe may go out; set while the breaker is open.
    probe_at: Option<Instant>,
    /// Nobody knows here since when it answers again: the next answer begins the grace period.
    lost: bool,
    /// No hits before this moment.
    hits_from: Option<Instant>,
}

/// Why a call may be made.
#[derive(PartialEq, Eq)]
enum Admitted {
    Closed,
    /// To find out whether the store is back.
    Probe,
}

impl Breaker {
    pub fn new(patience: Patience, grace: Duration) -> Self {
        Breaker { patience, grace: grace.min(LONGEST), state: Mutex::default() }
    }

    /// Makes one call to the store, within the time-out, unless the breaker is open.
    ///
    /// # Cancel safety
    /// A dropped call counts neither as success nor as failure; a dropped probe is followed by another one
    /// after the usual rest.
    pub async fn call<T, C>(&self, operation: impl Fn() -> C) -> Result<T, StoreError>
    where
        C: Future<Output = Result<T, StoreError>>,
    {
        self.admit()?;
        self.attempt(self.patience.call, &operation).await
    }

    /// Makes one call as [`call`](Self::call) does, but never twice: for what must not happen twice.
    ///
    /// # Errors
    /// The call's own error, a time-out, or that the breaker is open.
    ///
    /// # Cancel safety
    /// As [`call`](Self::call).
    pub async fn call_once<T, C>(&self, operation: impl FnOnce() -> C) -> Result<T, StoreError>
    where
        C: Future<Output = Result<T, StoreError>>,
    {
        self.admit()?;
        self.timed(self.patience.call, operation()).await
    }

    /// Makes a call that a write waits for, and repeats it while the store does not answer. `overdue` is told of
    /// each time that ended without an answer, and when it began: the connection may be to blame. An open breaker
    /// answers at once.
    ///
    /// # Cancel safety
    /// As [`call`](Self::call).
    pub async fn fence<T, C>(
        &self,
        operation: impl Fn() -> C,
        overdue: impl Fn(Instant),
    ) -> Result<T, StoreError>
    where
        C: Future<Output = Result<T, StoreError>>,
    {
        let Patience { call, fence } = self.patience;
        let began = Instant::now();
        let mut admitted = self.admit()?;
        loop {
            let tried = Instant::now();
            // Only the first time may exceed the time for all of them.
            let left = call.max(fence).saturating_sub(began.elapsed()).min(call);
            let error = match self.attempt(left, &operation).await {
                Err(error @ (StoreError::TimedOut(_) | StoreError::Unreachable(_))) => error,
                answered => return answered,
            };
            if matches!(error, StoreError::TimedOut(_)) {
                overdue(tried);
            } else if admitted == Admitted::Closed {
                sleep(BREATH.min(fence.saturating_sub(began.elapsed()))).await;
            }
            if admitted == Admitted::Probe || began.elapsed() >= fence {
                return Err(error);
            }
            // Other calls may have opened it meanwhile.
            admitted = self.admit()?;
        }
    }

    /// True while another process's unfenced writes may not have been invalidated yet: the store answers, but
    /// its entries can't be trusted.
    pub fn in_grace(&self) -> bool {
        let mut state = self.lock();
        match state.hits_from {
            Some(moment) if state.probe_at.is_none() && Instant::now() >= moment => {
                state.hits_from = None;
                false
            }
            // An open breaker is not in grace: its probes must go out.
            Some(_) => state.probe_at.is_none(),
            None => false,
        }
    }

    async fn attempt<T, C>(&self, time_out: Duration, operation: &impl Fn() -> C) -> Result<T, StoreError>
    where
        C: Future<Output = Result<T, StoreError>>,
    {
        let twice = async {
            match operation().await {
                // The server may have closed a connection that nobody used for a while.
                Err(StoreError::Unreachable(_)) => operation().await,
                answered => answered,
            }
        };
        self.timed(time_out, twice).await
    }

    async fn timed<T>(
        &self,
        time_out: Duration,
        call: impl Future<Output = Result<T, StoreError>>,
    ) -> Result<T, StoreError> {
        let began = Instant::now();
        let result = timeout_at(began + time_out.min(LONGEST), call).await;
        let result = result.unwrap_or(Err(StoreError::TimedOut(time_out)));
        match &result {
            Ok(_) => self.succeeded(),
            Err(error) => self.failed(began, error),
        }
        result
    }

    fn admit(&self) -> Result<Admitted, StoreError> {
        let mut state = self.lock();
        match state.probe_at {
            Some(moment) if Instant::now() < moment => Err(StoreError::Resting),
            Some(_) => {
                state.probe_at = Some(Instant::now() + REST);
                Ok(Admitted::Probe)
            }
            None => Ok(Admitted::Closed),
        }
    }

    fn succeeded(&self) {
        let mut state = self.lock();
        state.failures = 0;
        state.failing = None;
        if std::mem::take(&mut state.lost) {
            state.hits_from = Some(Instant::now() + self.grace);
        }
        if state.probe_at.take().is_some() {
            tracing::info!("the cache store answers again");
        }
    }

    fn failed(&self, began: Instant, error: &StoreError) {
        let mut state = self.lock();
        let now = Instant::now();
        let since = match state.failing {
            // Failures that lie far apart are several hiccups.
            Some((_, last)) if state.probe_at.is_none() && began - last > self.patience.fence.max(REST) => {
                state.failures = 0;
                began
            }
            Some((since, _)) => since,
            None => began,
        };
        state.failing = Some((since, now));
        state.failures = state.failures.saturating_add(1);
        let lasting = now - since >= self.patience.fence;
        let again_and_again = state.failures >= FAILURES;
        if again_and_again && lasting {
            if state.probe_at.is_none() {
                tracing::warn!(%error, "the cache store is down: it is asked no more until it answers a probe");
            }
            state.probe_at = Some(Instant::now() + REST);
        }
        if again_and_again || matches!(error, StoreError::Unreachable(_)) {
            state.lost = true;
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        unpoisoned::lock(&self.state)
    }
}

#[cfg(test)]
mod tests;

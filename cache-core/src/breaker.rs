//! Time-outs, the circuit breaker and the grace period: what keeps a broken store from being felt.
//!
//! - Every call to a shared store has a time-out.
//! - After [`FAILURES`] failed calls in a row the breaker opens: calls fail at once, without asking the store,
//!   except one probe per [`REST`].
//! - A process that lost the store serves no hits until a grace period has passed since the last failure:
//!   another process may have lost it too, gone on writing, and not yet rotated its epochs.

use std::{
    future::Future,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use tokio::time::{Instant, timeout};

use crate::store::StoreError;

/// Failed calls in a row that open the breaker.
const FAILURES: u32 = 3;
/// How long an open breaker waits between two probes.
const REST: Duration = Duration::from_millis(500);

/// A grace period beyond this is as good as none that ends.
const LONGEST_GRACE: Duration = Duration::from_secs(31_536_000);

/// Watches over the calls to one store.
#[derive(Debug)]
pub(crate) struct Breaker {
    time_out: Duration,
    grace: Duration,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    failures: u32,
    /// When the next probe may go out; set while the breaker is open.
    probe_at: Option<Instant>,
    /// No hits before this moment.
    hits_from: Option<Instant>,
}

impl Breaker {
    pub(crate) fn new(time_out: Duration, grace: Duration) -> Self {
        Breaker { time_out, grace: grace.min(LONGEST_GRACE), state: Mutex::default() }
    }

    /// Makes one call to the store, within the time-out, unless the breaker is open.
    ///
    /// # Cancel safety
    /// A dropped call counts neither as success nor as failure; a dropped probe is followed by another one
    /// after the usual rest.
    pub(crate) async fn call<T>(
        &self,
        operation: impl Future<Output = Result<T, StoreError>>,
    ) -> Result<T, StoreError> {
        self.admit()?;
        let result =
            timeout(self.time_out, operation).await.unwrap_or(Err(StoreError::TimedOut(self.time_out)));
        match &result {
            Ok(_) => self.succeeded(),
            Err(error) => self.failed(error),
        }
        result
    }

    /// True while another process's unfenced writes may not have been invalidated yet: the store answers, but
    /// its entries can't be trusted.
    pub(crate) fn in_grace(&self) -> bool {
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

    fn admit(&self) -> Result<(), StoreError> {
        let mut state = self.lock();
        match state.probe_at {
            Some(moment) if Instant::now() < moment => Err(StoreError::Resting),
            Some(_) => {
                state.probe_at = Some(Instant::now() + REST);
                Ok(())
            }
            None => Ok(()),
        }
    }

    fn succeeded(&self) {
        let mut state = self.lock();
        state.failures = 0;
        if state.probe_at.take().is_some() {
            tracing::info!("the cache store answers again");
        }
    }

    fn failed(&self, error: &StoreError) {
        let mut state = self.lock();
        state.failures = state.failures.saturating_add(1);
        if state.failures >= FAILURES {
            if state.probe_at.is_none() {
                tracing::warn!(%error, "the cache store is down: queries go to the database");
            }
            state.probe_at = Some(Instant::now() + REST);
        }
        if state.probe_at.is_some() || matches!(error, StoreError::Unreachable(_)) {
            state.hits_from = Some(Instant::now() + self.grace);
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::future::{pending, ready};

    fn breaker() -> Breaker {
        Breaker::new(Duration::from_millis(100), Duration::from_secs(2))
    }

    fn lost() -> Result<(), StoreError> {
        Err(StoreError::Unreachable("gone".into()))
    }

    async fn open(breaker: &Breaker) {
        for _ in 0..FAILURES {
            breaker.call(ready(lost())).await.expect_err("the store is gone");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn repeated_failures_keep_calls_from_the_store_until_the_next_probe() {
        let breaker = breaker();
        open(&breaker).await;
        let asked = || async { panic!("an open breaker must not ask the store") };
        let refused = breaker.call(asked()).await as Result<(), _>;
        assert!(matches!(refused, Err(StoreError::Resting)));

        tokio::time::advance(REST).await;
        breaker.call(ready(Ok(()))).await.expect("the probe goes through");
        breaker.call(ready(Ok(()))).await.expect("the breaker is closed again");
    }

    #[tokio::test(start_paused = true)]
    async fn a_call_that_hangs_fails_after_the_time_out() {
        let slow = breaker().call(pending::<Result<(), _>>()).await;
        assert!(matches!(slow, Err(StoreError::TimedOut(_))));
    }

    #[tokio::test(start_paused = true)]
    async fn hits_wait_for_the_grace_period_after_the_connection_was_lost() {
        let breaker = breaker();
        assert!(!breaker.in_grace());
        breaker.call(ready(lost())).await.expect_err("the store is gone");
        breaker.call(ready(Ok(()))).await.expect("the store is back");
        assert!(breaker.in_grace());
        tokio::time::advance(Duration::from_secs(2)).await;
        assert!(!breaker.in_grace());
    }

    #[tokio::test(start_paused = true)]
    async fn the_probe_that_closes_the_breaker_is_followed_by_the_grace_period() {
        let breaker = breaker();
        open(&breaker).await;
        tokio::time::advance(REST).await;
        breaker.call(ready(Ok(()))).await.expect("the probe goes through");
        assert!(breaker.in_grace());
    }
}

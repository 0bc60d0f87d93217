use std::{
    cell::{Cell, RefCell},
    future::{pending, ready},
};

use super::*;

const CALL: Duration = Duration::from_millis(100);
const FENCE: Duration = Duration::from_secs(1);
const GRACE: Duration = Duration::from_secs(2);

fn breaker() -> Breaker {
    Breaker::new(Patience { call: CALL, fence: FENCE }, GRACE)
}

fn lost() -> Result<(), StoreError> {
    Err(StoreError::Unreachable("gone".into()))
}

async fn open(breaker: &Breaker) {
    for _ in 0..FAILURES {
        breaker.call(|| ready(lost())).await.expect_err("the store is gone");
        tokio::time::advance(FENCE).await;
    }
    breaker.call(|| ready(lost())).await.expect_err("the store is gone");
}

/// A store that fails as the list says, one call after the other, and then answers.
struct Script {
    failures: RefCell<Vec<StoreError>>,
    calls: Cell<usize>,
}

impl Script {
    fn new(failures: impl IntoIterator<Item = StoreError>) -> Self {
        let mut failures: Vec<_> = failures.into_iter().collect();
        failures.reverse();
        Script { failures: RefCell::new(failures), calls: Cell::new(0) }
    }

    async fn call(&self) -> Result<(), StoreError> {
        self.calls.set(self.calls.get() + 1);
        let failure = self.failures.borrow_mut().pop();
        match failure {
            Some(StoreError::TimedOut(_)) => pending().await,
            Some(error) => Err(error),
            None => Ok(()),
        }
    }
}

fn gone() -> StoreError {
    StoreError::Unreachable("gone".into())
}

fn hangs() -> StoreError {
    StoreError::TimedOut(CALL)
}

#[tokio::test(start_paused = true)]
async fn repeated_failures_keep_calls_from_the_store_until_the_next_probe() {
    let breaker = breaker();
    open(&breaker).await;
    let asked = || async { panic!("an open breaker must not ask the store") };
    let refused = breaker.call(asked).await as Result<(), _>;
    assert!(matches!(refused, Err(StoreError::Resting)));

    tokio::time::advance(REST).await;
    breaker.call(|| ready(Ok(()))).await.expect("the probe goes through");
    breaker.call(|| ready(Ok(()))).await.expect("the breaker is closed again");
}

#[tokio::test(start_paused = true)]
async fn many_failures_at_once_are_no_outage() {
    let breaker = breaker();
    for _ in 0..100 {
        breaker.call(|| ready(lost())).await.expect_err("the store is gone");
    }
    breaker.call(|| ready(Ok(()))).await.expect("the store is asked, and is back");
}

#[tokio::test(start_paused = true)]
async fn failures_that_lie_far_apart_are_no_outage() {
    let breaker = breaker();
    for _ in 0..100 {
        breaker.call(|| ready(lost())).await.expect_err("the store is gone");
        tokio::time::advance(FENCE * 2).await;
    }
    breaker.call(|| ready(Ok(()))).await.expect("the store is asked, and is back");
}

#[tokio::test(start_paused = true)]
async fn a_call_that_hangs_fails_after_the_time_out() {
    let began = Instant::now();
    let slow = breaker().call(pending::<Result<(), _>>).await;
    assert!(matches!(slow, Err(StoreError::TimedOut(_))));
    assert_eq!(began.elapsed(), CALL);
}

#[tokio::test(start_paused = true)]
async fn a_connection_that_was_lost_once_is_not_felt() {
    let (breaker, store) = (breaker(), Script::new([gone()]));
    breaker.call(|| store.call()).await.expect("the second time, the store answers");
    assert_eq!(store.calls.get(), 2);
    assert!(!breaker.in_grace());
}

#[tokio::test(start_paused = true)]
async fn hits_wait_for_the_grace_period_after_the_store_was_lost() {
    let breaker = breaker();
    assert!(!breaker.in_grace());
    breaker.call(|| ready(lost())).await.expect_err("the store is gone");
    breaker.call(|| ready(Ok(()))).await.expect("the store is back");
    assert!(breaker.in_grace());
    tokio::time::advance(GRACE).await;
    assert!(!breaker.in_grace());
}

#[tokio::test(start_paused = true)]
async fn the_probe_that_closes_the_breaker_is_followed_by_the_grace_period() {
    let breaker = breaker();
    open(&breaker).await;
    tokio::time::advance(REST).await;
    breaker.call(|| ready(Ok(()))).await.expect("the probe goes through");
    assert!(breaker.in_grace());
}

/// Others invalidate what they wrote once they reach the store, and nobody asked it here for long.
#[tokio::test(start_paused = true)]
async fn the_grace_period_begins_when_the_store_is_back_however_long_nobody_asked() {
    for opens in [false, true] {
        let breaker = breaker();
        if opens {
            open(&breaker).await;
        } else {
            breaker.call(|| ready(lost())).await.expect_err("the store is gone");
        }
        tokio::time::advance(GRACE * 10).await;
        assert!(!breaker.in_grace(), "whoever asks finds out whether the store is back");
        breaker.call(|| ready(Ok(()))).await.expect("the store is back");
        assert!(breaker.in_grace(), "opened: {opens}");
        tokio::time::advance(GRACE).await;
        assert!(!breaker.in_grace());
    }
}

#[tokio::test(start_paused = true)]
async fn a_fence_outlives_a_server_that_stops_for_a_moment() {
    let (breaker, store) = (breaker(), Script::new([hangs(), hangs(), gone(), gone(), hangs()]));
    let overdue = RefCell::new(Vec::new());
    let began = Instant::now();
    let fenced = breaker.fence(|| store.call(), |tried| overdue.borrow_mut().push(tried - began)).await;
    fenced.expect("it answers at last");
    assert_eq!(store.calls.get(), 6);
    let after_a_breath = CALL * 2 + BREATH;
    assert_eq!(*overdue.borrow(), [Duration::ZERO, CALL, after_a_breath], "these connections are in doubt");
    assert_eq!(began.elapsed(), after_a_breath + CALL);
}

#[tokio::test(start_paused = true)]
async fn a_fence_gives_up_when_its_time_is_over() {
    for failure in [gone, hangs] {
        let breaker = breaker();
        let began = Instant::now();
        let store = Script::new(std::iter::repeat_with(failure).take(1000));
        breaker.fence(|| store.call(), |_| ()).await.expect_err("the store is gone");
        assert_eq!(began.elapsed(), FENCE);
    }
}

#[tokio::test(start_paused = true)]
async fn a_fence_takes_as_long_as_one_call_where_calls_may_take_longer() {
    let breaker = Breaker::new(Patience { call: FENCE * 3, fence: FENCE }, GRACE);
    let began = Instant::now();
    breaker.fence(pending::<Result<(), _>>, |_| ()).await.expect_err("the store hangs");
    assert_eq!(began.elapsed(), FENCE * 3);
}

#[tokio::test(start_paused = true)]
async fn an_open_breaker_answers_a_fence_at_once_and_a_probe_is_made_once() {
    let breaker = breaker();
    open(&breaker).await;
    let (store, began) = (Script::new([hangs(), hangs()]), Instant::now());
    let refused = breaker.fence(|| store.call(), |_| ()).await;
    assert!(matches!(refused, Err(StoreError::Resting)));
    assert_eq!((store.calls.get(), began.elapsed()), (0, Duration::ZERO));

    tokio::time::advance(REST).await;
    let began = Instant::now();
    let failed = breaker.fence(|| store.call(), |_| ()).await;
    assert!(matches!(failed, Err(StoreError::TimedOut(_))));
    assert_eq!((store.calls.get(), began.elapsed()), (1, CALL));
}

#[tokio::test(start_paused = true)]
async fn a_server_that_answers_nonsense_is_not_asked_again() {
    let (breaker, store) = (breaker(), Script::new([StoreError::Unexpected("OOM".into())]));
    let refused = breaker.fence(|| store.call(), |_| ()).await;
    assert!(matches!(refused, Err(StoreError::Unexpected(_))));
    assert_eq!(store.calls.get(), 1);
}

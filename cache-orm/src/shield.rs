//! Work that goes on though its caller is gone: what must not be left half done on a connection of the pool.

use std::{
    future::Future,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll},
};

use tokio::{runtime::Handle, sync::watch};
use tracing::{Instrument, Span, instrument::WithSubscriber};

type Work<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// The shields of one connection, and how many of them have lost their caller.
#[derive(Debug, Default)]
pub(crate) struct Shields(Arc<watch::Sender<usize>>);

impl Shields {
    /// Shields work from the loss of its caller. It may ask whether that one is still there.
    pub(crate) fn raise<T, W>(&self, work: impl FnOnce(Caller) -> W) -> Shield<T>
    where
        W: Future<Output = T> + Send + 'static,
    {
        let caller = Caller::default();
        let work: Work<T> = Box::pin(work(caller.clone()));
        Shield { work: Some(work), caller, begun: None, alone: self.0.clone() }
    }

    /// Waits until no work without a caller is left.
    pub(crate) async fn settled(&self) {
        // The sender lives as long as `self`, so waiting can't fail.
        drop(self.0.subscribe().wait_for(|alone| *alone == 0).await);
    }

    /// How much work without a caller is under way.
    pub(crate) fn count(&self) -> usize {
        *self.0.borrow()
    }
}

/// Whoever waits for shielded work.
#[derive(Clone, Debug, Default)]
pub(crate) struct Caller(Arc<AtomicBool>);

impl Caller {
    /// True once nobody will ever see the result.
    pub(crate) fn is_gone(&self) -> bool {
        self.0.load(Ordering::Acquire)
    }
}

/// Work under way. Whoever awaits it runs it; dropped after its first poll, it goes on as a task of the runtime
/// that it began in, from where it stands. Dropped before, it does not begin.
///
/// If that runtime ends, so does the work, and the driver closes the connection that it was using: what is
/// returned to a pool while its runtime ends never arrives there.
#[must_use = "a shield does nothing until it is polled"]
pub(crate) struct Shield<T: 'static> {
    work: Option<Work<T>>,
    caller: Caller,
    begun: Option<Begun>,
    alone: Arc<watch::Sender<usize>>,
}

/// Where the work began, and on whose behalf.
struct Begun {
    runtime: Option<Handle>,
    span: Span,
}

impl<T> Future for Shield<T> {
    type Output = T;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<T> {
        self.begun
            .get_or_insert_with(|| Begun { runtime: Handle::try_current().ok(), span: Span::current() });
        // Taken out, lest work that panics be polled again.
        let mut work = self.work.take().expect("it is not polled after its end");
        let polled = work.as_mut().poll(context);
        if polled.is_pending() {
            self.work = Some(work);
        }
        polled
    }
}

impl<T> Drop for Shield<T> {
    fn drop(&mut self) {
        self.caller.0.store(true, Ordering::Release);
        let (Some(work), Some(Begun { runtime: Some(runtime), span })) =
            (self.work.take(), self.begun.take())
        else {
            return;
        };
        // If the runtime has ended, the work is dropped right here, and the driver looks for a runtime.
        let _entered = runtime.enter();
        let alone = Alone::new(self.alone.clone());
        let work = async move {
            drop(work.await);
            drop(alone);
        };
        drop(runtime.spawn(work.instrument(span).with_current_subscriber()));
    }
}

/// Counts work without a caller.
struct Alone(Arc<watch::Sender<usize>>);

impl Alone {
    fn new(count: Arc<watch::Sender<usize>>) -> Self {
        count.send_modify(|alone| *alone += 1);
        Alone(count)
    }
}

impl Drop for Alone {
    fn drop(&mut self) {
        self.0.send_modify(|alone| *alone -= 1);
    }
}

#[cfg(test)]
mod tests {
    use std::task::Waker;

    use tokio::sync::oneshot;

    use super::*;

    fn poll<T>(shield: &mut Shield<T>) -> Poll<T> {
        Pin::new(shield).poll(&mut Context::from_waker(Waker::noop()))
    }

    #[tokio::test]
    async fn work_that_loses_its_caller_runs_to_its_end() {
        let shields = Shields::default();
        let (go, gone) = oneshot::channel::<()>();
        let (tell, told) = oneshot::channel();
        let mut shield = shields.raise(|caller| async move {
            gone.await.expect("the test tells it to go on");
            tell.send(caller.is_gone()).expect("the test listens");
        });
        assert!(poll(&mut shield).is_pending());
        drop(shield);
        go.send(()).expect("the work waits");
        assert!(told.await.expect("the work goes on"), "and knows that nobody waits");
        shields.settled().await;
    }

    #[tokio::test]
    async fn work_that_was_never_polled_does_not_begin() {
        let shields = Shields::default();
        let (tell, told) = oneshot::channel();
        drop(shields.raise(|_| async move { tell.send(()) }));
        told.await.expect_err("it was dropped");
    }

    #[test]
    fn dropped_outside_its_runtime_the_work_goes_on_inside() {
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
        let shields = Shields::default();
        let (tell, told) = oneshot::channel();
        let mut shield = shields.raise(|_| async move {
            tokio::task::yield_now().await;
            tell.send(Handle::try_current().is_ok())
        });
        runtime.block_on(async { assert!(poll(&mut shield).is_pending()) });
        drop(shield);
        assert!(runtime.block_on(told).expect("the work goes on"));
        runtime.block_on(shields.settled());
    }

    #[test]
    fn work_of_a_runtime_that_has_ended_is_dropped_as_in_it() {
        struct Asks(Option<std::sync::mpsc::Sender<bool>>);
        impl Drop for Asks {
            fn drop(&mut self) {
                let runtime = Handle::try_current().is_ok();
                self.0.take().expect("one sender").send(runtime).expect("the test listens");
            }
        }
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
        let shields = Shields::default();
        let (tell, told) = std::sync::mpsc::channel();
        let asks = Asks(Some(tell));
        let mut shield = shields.raise(|_| async move {
            std::future::pending::<()>().await;
            drop(asks);
        });
        runtime.block_on(async { assert!(poll(&mut shield).is_pending()) });
        drop(runtime);
        drop(shield);
        assert!(told.recv().expect("the work was dropped"), "a driver that needs a runtime finds one");
    }
}

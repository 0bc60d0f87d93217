//! One connection for all callers, made anew when it is lost.

use std::sync::{Arc, Mutex, MutexGuard};

use tokio::sync::watch;

use super::error::ConnectError;
use crate::unpoisoned;

/// An attempt to connect: nothing while it is under way.
type Attempt<T> = watch::Receiver<Option<Result<Arc<T>, ConnectError>>>;

enum State<T> {
    Up(Arc<T>),
    Connecting(Attempt<T>),
    Down,
}

/// Hands out a connection, until somebody says that it is lost.
pub struct Shared<T> {
    address: String,
    state: Arc<Mutex<State<T>>>,
}

impl<T: Send + Sync + 'static> Shared<T> {
    /// None yet. An error names the address.
    pub fn new(address: String) -> Self {
        Shared { address, state: Arc::new(Mutex::new(State::Down)) }
    }

    /// The connection, connecting first if there is none.
    ///
    /// # Cancel safety
    /// The attempt to connect is a task of its own, which all callers share: callers with little time may give
    /// up and a later one finds the connection made.
    pub async fn current<F>(&self, connect: impl FnOnce() -> F) -> Result<Arc<T>, ConnectError>
    where
        F: Future<Output = Result<T, ConnectError>> + Send + 'static,
    {
        let mut attempt = {
            let mut state = self.state();
            match &*state {
                State::Up(connection) => return Ok(connection.clone()),
                State::Connecting(attempt) => attempt.clone(),
                State::Down => {
                    let attempt = self.begin(connect());
                    *state = State::Connecting(attempt.clone());
                    attempt
                }
            }
        };
        let outcome = attempt.wait_for(Option::is_some).await.map(|outcome| outcome.clone());
        if let Ok(Some(outcome)) = outcome {
            return outcome;
        }
        // The task died with the runtime that it was spawned on.
        let mut state = self.state();
        if matches!(&*state, State::Connecting(current) if current.same_channel(&attempt)) {
            *state = State::Down;
        }
        Err(ConnectError::Unreachable {
            address: self.address.clone(),
            reason: "the attempt to connect was given up".to_owned(),
        })
    }

    fn begin(&self, connect: impl Future<Output = Result<T, ConnectError>> + Send + 'static) -> Attempt<T> {
        let (send, attempt) = watch::channel(None);
        let state = self.state.clone();
        tokio::spawn(async move {
            let outcome = connect.await.map(Arc::new);
            *unpoisoned::lock(&state) = match &outcome {
                Ok(connection) => State::Up(connection.clone()),
                Err(_) => State::Down,
            };
            // Nobody may be left to hear it.
            let _ = send.send(Some(outcome));
        });
        attempt
    }

    /// The connection, if there is one.
    pub fn up(&self) -> Option<Arc<T>> {
        match &*self.state() {
            State::Up(connection) => Some(connection.clone()),
            State::Connecting(_) | State::Down => None,
        }
    }

    /// The next call connects anew, if this is still the connection. Calls that are under way keep it.
    pub fn lose(&self, lost: &Arc<T>) {
        self.lose_if(|current| Arc::ptr_eq(current, lost));
    }

    /// The next call connects anew, if the connection is such a one.
    pub fn lose_if(&self, is_lost: impl FnOnce(&Arc<T>) -> bool) {
        let mut state = self.state();
        if matches!(&*state, State::Up(current) if is_lost(current)) {
            *state = State::Down;
        }
    }

    fn state(&self) -> MutexGuard<'_, State<T>> {
        unpoisoned::lock(&self.state)
    }
}

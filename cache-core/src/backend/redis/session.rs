//! One connection for all callers, made anew when it is lost.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Instant,
};

use redis::{
    ErrorKind, FromRedisValue, RedisError, RedisResult, ServerErrorKind, aio::MultiplexedConnection,
};
use tokio::sync::watch;

use super::connect::{ConnectError, Server};
use crate::store::StoreError;

/// A connection to one incarnation of a server.
pub(super) struct Session {
    pub(super) connection: MultiplexedConnection,
    pub(super) incarnation: String,
    pub(super) opened: Instant,
}

/// An attempt to connect: nothing while it is under way.
type Attempt = watch::Receiver<Option<Result<Arc<Session>, ConnectError>>>;

enum State {
    Up(Arc<Session>),
    Connecting(Attempt),
    Down,
}

/// Hands out the session and replaces it after an error that its connection does not survive.
pub(super) struct Sessions {
    server: Server,
    state: Mutex<State>,
}

impl Sessions {
    pub(super) fn new(server: Server) -> Arc<Self> {
        Arc::new(Sessions { server, state: Mutex::new(State::Down) })
    }

    pub(super) fn address(&self) -> &str {
        self.server.address()
    }

    /// The session, connecting first if there is none.
    ///
    /// # Cancel safety
    /// The attempt to connect is a task of its own, which all callers share: callers with little time may give
    /// up and a later one finds the connection made.
    pub(super) async fn current(self: &Arc<Self>) -> Result<Arc<Session>, ConnectError> {
        let mut attempt = {
            let mut state = self.state();
            match &*state {
                State::Up(session) => return Ok(session.clone()),
                State::Connecting(attempt) => attempt.clone(),
                State::Down => {
                    let attempt = self.clone().begin();
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
            address: self.address().to_owned(),
            reason: "the attempt to connect was given up".to_owned(),
        })
    }

    fn begin(self: Arc<Self>) -> Attempt {
        let (send, attempt) = watch::channel(None);
        tokio::spawn(async move {
            let outcome = self.server.connect().await.map(Arc::new);
            *self.state() = match &outcome {
                Ok(session) => State::Up(session.clone()),
                Err(_) => State::Down,
            };
            // Nobody may be left to hear it.
            let _ = send.send(Some(outcome));
        });
        attempt
    }

    /// Passes an answer on. After an error that says that the connection or the server's role was lost, or
    /// that answers can't be made out any more, the next call connects anew.
    pub(super) fn judge<T: FromRedisValue>(
        &self,
        session: &Arc<Session>,
        answer: RedisResult<T>,
    ) -> Result<T, StoreError> {
        let error = match answer {
            Ok(answer) => return Ok(answer),
            Err(error) => error,
        };
        let unreachable = matches!(
            error.kind(),
            ErrorKind::Io
                | ErrorKind::AuthenticationFailed
                | ErrorKind::Server(
                    ServerErrorKind::ReadOnly | ServerErrorKind::MasterDown | ServerErrorKind::BusyLoading
                )
        );
        if unreachable || error.kind() == ErrorKind::Parse {
            let mut state = self.state();
            if matches!(&*state, State::Up(current) if Arc::ptr_eq(current, session)) {
                *state = State::Down;
            }
        }
        let reason = format!("{}: {}", self.address(), reason(&error));
        Err(if unreachable { StoreError::Unreachable(reason) } else { StoreError::Unexpected(reason) })
    }

    /// The next call connects anew, unless that has been done since. Calls that are under way keep their connection.
    pub(super) fn doubt(&self, since: Instant) {
        let mut state = self.state();
        if matches!(&*state, State::Up(current) if current.opened <= since) {
            *state = State::Down;
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What an error says, without the answer that caused it: that may be a cached value.
pub(super) fn reason(error: &RedisError) -> String {
    match error.kind() {
        ErrorKind::Io => error.to_string(),
        ErrorKind::Server(_) | ErrorKind::Extension => {
            let words = [error.code(), error.detail()];
            words.into_iter().flatten().collect::<Vec<_>>().join(" ")
        }
        _ => error.category().to_owned(),
    }
}

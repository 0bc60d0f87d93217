//! One server, and the connections to it.

use std::{
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use tokio::{sync::Semaphore, time::timeout};

use super::{address::Address, answer::Answer, connection::Connection, question::Question};
use crate::backend::StoreError;

/// How connections to a server are made and used.
#[derive(Clone, Copy, Debug)]
pub(super) struct Habits {
    pub(super) connections: usize,
    pub(super) connect_timeout: Duration,
    /// After it could not be connected to, it is left alone for so long.
    pub(super) rest: Duration,
    /// Longer answers are not read.
    pub(super) longest: usize,
}

/// A server. Connections are made when they are wanted, and kept.
#[derive(Debug)]
pub(super) struct Server {
    address: Address,
    habits: Habits,
    idle: Mutex<Vec<Connection>>,
    permits: Semaphore,
    rests_until: Mutex<Option<Instant>>,
}

impl Server {
    pub(super) fn new(address: Address, habits: Habits) -> Self {
        let permits = Semaphore::new(habits.connections);
        Server { address, habits, idle: Mutex::default(), permits, rests_until: Mutex::default() }
    }

    pub(super) fn address(&self) -> &Address {
        &self.address
    }

    /// Asks all questions at once, on a connection that nobody else uses meanwhile.
    ///
    /// # Cancel safety
    /// The connection of a dropped call is closed. The server may carry out what it was sent.
    pub(super) async fn ask(&self, questions: &[Question<'_>]) -> Result<Vec<Answer>, StoreError> {
        if questions.is_empty() {
            return Ok(Vec::new());
        }
        let _permit = self.permits.acquire().await.map_err(|error| self.unreachable(error))?;
        let mut connection = match self.quiet() {
            Some(connection) => connection,
            None => self.connect().await?,
        };
        match connection.ask(questions, self.habits.longest).await {
            Ok(answers) => {
                self.idle().push(connection);
                Ok(answers)
            }
            Err(lost) => {
                // The server may have ended, and all others with it.
                self.hang_up();
                Err(self.unreachable(lost))
            }
        }
    }

    /// Leaves it alone for a while: it does not answer, and others do.
    pub(super) fn rest(&self) {
        self.hang_up();
        if !self.habits.rest.is_zero() {
            let until = Instant::now() + self.habits.rest;
            *self.rests_until.lock().unwrap_or_else(PoisonError::into_inner) = Some(until);
        }
    }

    /// Closes the connections that nobody uses.
    pub(super) fn hang_up(&self) {
        self.idle().clear();
    }

    /// An answer that is none to its question.
    pub(super) fn unexpected(&self, answer: &Answer) -> StoreError {
        let said = match answer {
            Answer::Failed(said) => said,
            _ => "it answers another question",
        };
        StoreError::Unexpected(format!("memcached {}: {said}", self.address))
    }

    fn quiet(&self) -> Option<Connection> {
        let mut idle = self.idle();
        std::iter::from_fn(|| idle.pop()).find(Connection::is_quiet)
    }

    async fn connect(&self) -> Result<Connection, StoreError> {
        let until = *self.rests_until.lock().unwrap_or_else(PoisonError::into_inner);
        if until.is_some_and(|until| Instant::now() < until) {
            return Err(self.unreachable("it did not answer a moment ago"));
        }
        let connected = timeout(self.habits.connect_timeout, Connection::open(&self.address)).await;
        let failed = match connected {
            Ok(Ok(connection)) => return Ok(connection),
            Ok(Err(error)) => self.unreachable(error),
            Err(_) => self.unreachable(format!("no connection within {:?}", self.habits.connect_timeout)),
        };
        self.rest();
        Err(failed)
    }

    fn unreachable(&self, error: impl std::fmt::Display) -> StoreError {
        StoreError::Unreachable(format!("memcached {}: {error}", self.address))
    }

    fn idle(&self) -> std::sync::MutexGuard<'_, Vec<Connection>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::io::ErrorKind;

    use super::*;

    /// A place where connections are made, and nobody answers.
    fn silent(rest: Duration) -> (std::net::TcpListener, Server) {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("there are free ports");
        listener.set_nonblocking(true).expect("it is open");
        let address =
            Address::parse(&listener.local_addr().expect("it is bound").to_string()).expect("an address");
        let connect_timeout = Duration::from_secs(60);
        (listener, Server::new(address, Habits { connections: 1, connect_timeout, rest, longest: 10 }))
    }

    #[tokio::test]
    async fn a_server_that_rests_is_not_asked() {
        let (listener, server) = silent(Duration::from_secs(3600));
        server.rest();
        let refused = server.ask(&[Question::Nothing]).await.expect_err("it rests");
        assert!(matches!(refused, StoreError::Unreachable(_)), "{refused}");
        assert_eq!(listener.accept().expect_err("nobody came").kind(), ErrorKind::WouldBlock);
    }

    #[tokio::test]
    async fn a_single_server_never_rests() {
        let (listener, server) = silent(Duration::ZERO);
        server.rest();
        let asked = timeout(Duration::from_millis(20), server.ask(&[Question::Nothing])).await;
        assert!(asked.is_err(), "nobody answers");
        assert!(listener.accept().is_ok(), "somebody came");
    }
}

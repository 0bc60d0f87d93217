//! One server, and the connections to it.

use std::{
    sync::Mutex,
    time::{Duration, Instant},
};

use cache_core::unpoisoned;
use tokio::{
    sync::{Semaphore, SemaphorePermit},
    time::timeout,
};

use super::{
    address::Address,
    answer::Answer,
    connection::{Connection, Lost},
    question::Question,
};
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

    /// A connection that nobody else uses meanwhile.
    pub(super) async fn session(&self) -> Result<Session<'_>, StoreError> {
        let permit = self.permits.acquire().await.map_err(|error| self.unreachable(error))?;
        let connection = match self.quiet() {
            Some(connection) => connection,
            None => self.connect().await?,
        };
        Ok(Session { server: self, connection: Some(connection), _permit: permit })
    }

    /// Leaves it alone for a while: it does not answer, and others do.
    pub(super) fn rest(&self) {
        self.hang_up();
        if !self.habits.rest.is_zero() {
            let until = Instant::now() + self.habits.rest;
            *unpoisoned::lock(&self.rests_until) = Some(until);
        }
    }

    /// Closes the connections that nobody uses.
    pub(super) fn hang_up(&self) {
        self.idle().clear();
    }

    fn quiet(&self) -> Option<Connection> {
        let mut idle = self.idle();
        std::iter::from_fn(|| idle.pop()).find(Connection::is_quiet)
    }

    async fn connect(&self) -> Result<Connection, StoreError> {
        let until = *unpoisoned::lock(&self.rests_until);
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
        unpoisoned::lock(&self.idle)
    }
}

/// The use of a connection for as long as what was seen on it counts: a server that was started anew may give an item the version
/// of another one, but not on the same connection.
#[derive(Debug)]
pub(super) struct Session<'a> {
    server: &'a Server,
    /// Not while it is asked, and not after it was lost.
    connection: Option<Connection>,
    _permit: SemaphorePermit<'a>,
}

impl Session<'_> {
    /// Asks all questions at once. As many answers as questions, in their order.
    ///
    /// # Cancel safety
    /// The connection of a dropped call is closed. The server may carry out what it was sent.
    pub(super) async fn ask(&mut self, questions: &[Question<'_>]) -> Result<Vec<Answer>, StoreError> {
        if questions.is_empty() {
            return Ok(Vec::new());
        }
        let server = self.server;
        let mut connection =
            self.connection.take().ok_or_else(|| server.unreachable("the connection is lost"))?;
        match connection.ask(questions, server.habits.longest).await {
            Ok(answers) => {
                self.connection = Some(connection);
                Ok(answers)
            }
            Err(lost) => {
                // The server may have ended, and all others with it.
                server.hang_up();
                Err(match lost {
                    Lost::Broken(_) => server.unreachable(lost),
                    Lost::Garbled(_) => self.unexpected(lost),
                })
            }
        }
    }

    /// Asks one question.
    pub(super) async fn ask_one(&mut self, question: Question<'_>) -> Result<Answer, StoreError> {
        let answer = self.ask(&[question]).await?.pop();
        answer.ok_or_else(|| self.unexpected("it does not answer"))
    }

    /// An answer that is none to its question.
    pub(super) fn misplaced(&self, answer: &Answer) -> StoreError {
        match answer {
            Answer::Failed(said) => self.unexpected(said),
            _ => self.unexpected("it answers another question"),
        }
    }

    pub(super) fn unexpected(&self, what: impl std::fmt::Display) -> StoreError {
        StoreError::Unexpected(format!("memcached {}: {what}", self.server.address))
    }
}

/// A connection that is not lost is used again.
impl Drop for Session<'_> {
    fn drop(&mut self) {
        self.server.idle().extend(self.connection.take());
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
        let refused = server.session().await.expect_err("it rests");
        assert!(matches!(refused, StoreError::Unreachable(_)), "{refused}");
        assert_eq!(listener.accept().expect_err("nobody came").kind(), ErrorKind::WouldBlock);
    }

    #[tokio::test]
    async fn a_single_server_never_rests() {
        let (listener, server) = silent(Duration::ZERO);
        server.rest();
        assert!(server.session().await.is_ok());
        assert!(listener.accept().is_ok(), "somebody came");
    }
}

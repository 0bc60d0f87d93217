//! What there is to choose.

use std::{sync::Arc, time::Duration};

use futures_util::future::join_all;

use super::{
    address::Address,
    answer::Answer,
    backend::MemcachedBackend,
    distribution::Distribution,
    error::MemcachedError,
    question::Question,
    server::{Habits, Server},
};

/// No memcached keeps a longer value, however it was started.
const LONGEST_VALUE: usize = 1 << 30;

/// Opens a [`MemcachedBackend`]. See [`MemcachedBackend::builder`].
#[derive(Clone, Debug)]
#[must_use = "nothing is opened until `connect` or `open` is called"]
pub struct MemcachedBackendBuilder {
    servers: Addresses,
    connections: usize,
    connect_timeout: Duration,
    server_timeout: Duration,
    rest: Duration,
    max_value: usize,
}

/// As they were given: what is no address may hold a password.
#[derive(Clone)]
struct Addresses(Vec<String>);

impl std::fmt::Debug for Addresses {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.len().fmt(f)
    }
}

impl MemcachedBackend {
    /// Connects to servers: `host`, `host:port`, `[IPv6 address]:port` or `unix:/path`, each perhaps after `memcached://`. The
    /// port is 11211 unless one is given.
    ///
    /// # Errors
    /// [`MemcachedError`] says which address is wrong, or why no server can be used.
    ///
    /// # Cancel safety
    /// A dropped call leaves nothing behind.
    pub async fn connect(
        servers: impl IntoIterator<Item = impl Into<String>>,
    ) -> Result<Self, MemcachedError> {
        MemcachedBackend::builder(servers).connect().await
    }

    /// The same, with more to choose.
    pub fn builder(servers: impl IntoIterator<Item = impl Into<String>>) -> MemcachedBackendBuilder {
        MemcachedBackendBuilder::new(servers)
    }
}

impl MemcachedBackendBuilder {
    fn new(servers: impl IntoIterator<Item = impl Into<String>>) -> Self {
        MemcachedBackendBuilder {
            servers: Addresses(servers.into_iter().map(Into::into).collect()),
            connections: 8,
            connect_timeout: Duration::from_millis(150),
            server_timeout: Duration::from_millis(250),
            rest: Duration::from_secs(1),
            max_value: 64 << 20,
        }
    }

    /// At most so many connections to each server; a call has one to itself, and waits if there is none. Default: 8.
    pub fn connections(mut self, connections: usize) -> Self {
        self.connections = connections.clamp(1, 1024);
        self
    }

    /// How long an attempt to connect to a server may take. Default: 150 milliseconds.
    pub fn connect_timeout(mut self, connect_timeout: Duration) -> Self {
        self.connect_timeout = connect_timeout;
        self
    }

    /// Where names are looked up on several servers, one that has not answered after so long is no longer waited for: its
    /// names are not found. Default: 250 milliseconds. Choose less than the cache's own time-out.
    pub fn server_timeout(mut self, server_timeout: Duration) -> Self {
        self.server_timeout = server_timeout;
        self
    }

    /// One of several servers that could not be connected to, or was no longer waited for, is left alone for so long: calls about
    /// its names fail at once. Default: 1 second.
    pub fn rest(mut self, rest: Duration) -> Self {
        // Longer is as good as for ever.
        self.rest = rest.min(Duration::from_secs(31_536_000));
        self
    }

    /// A value of more bytes is not kept, whatever the servers take: 1 MiB with its name, unless they were started with `-I`.
    /// Default: 64 MiB; at most 1 GiB.
    pub fn max_value(mut self, bytes: usize) -> Self {
        self.max_value = bytes.min(LONGEST_VALUE);
        self
    }

    /// Opens the backend, and asks each server whether it is there and can be used. One that is not there is no error as long
    /// as another one is.
    ///
    /// # Errors
    /// [`MemcachedError`] says what is wrong with the servers.
    ///
    /// # Cancel safety
    /// A dropped call leaves nothing behind.
    pub async fn connect(self) -> Result<MemcachedBackend, MemcachedError> {
        let backend = self.open()?;
        let asked = join_all(
            backend
                .servers
                .iter()
                .map(async |server| server.session().await?.ask_one(Question::Nothing).await),
        )
        .await;
        let mut reached = Err(MemcachedError::NoServers);
        for (server, answer) in backend.servers.iter().zip(asked) {
            match answer {
                Ok(Answer::Present) => reached = Ok(()),
                Ok(_) => return Err(MemcachedError::Unsuitable(server.address().to_string())),
                Err(error) if reached.is_err() => {
                    reached = Err(MemcachedError::Unreachable(error.to_string()))
                }
                Err(_) => {}
            }
        }
        reached.map(|()| backend)
    }

    /// Opens the backend, and leaves it to the first call to connect: an application can start while the servers are down.
    ///
    /// # Errors
    /// [`MemcachedError`] says which address is wrong.
    pub fn open(self) -> Result<MemcachedBackend, MemcachedError> {
        let mut addresses: Vec<Address> = Vec::new();
        for (at, text) in self.servers.0.iter().enumerate() {
            let number = at + 1;
            let address =
                Address::parse(text).map_err(|remedy| MemcachedError::Address { number, remedy })?;
            if addresses.contains(&address) {
                return Err(MemcachedError::Twice { number });
            }
            addresses.push(address);
        }
        // A single server's failures are the circuit breaker's.
        let rest = match addresses.len() {
            0 => return Err(MemcachedError::NoServers),
            1 => Duration::ZERO,
            _ => self.rest,
        };
        let habits = Habits {
            connections: self.connections,
            connect_timeout: self.connect_timeout,
            rest,
            longest: self.max_value,
        };
        let spelt: Vec<String> = addresses.iter().map(Address::to_string).collect();
        Ok(MemcachedBackend {
            distribution: Arc::new(Distribution::over(spelt.iter().map(String::as_str))),
            servers: addresses.into_iter().map(|address| Server::new(address, habits)).collect(),
            server_timeout: self.server_timeout,
            max_value: self.max_value,
        })
    }
}

//! What there is to choose.

use std::{fmt, sync::Arc, time::Duration};

use cache_core::backend::redis::{
    error::ConnectError,
    server::{Server, Trust},
};

use super::{
    RedisBackend,
    leader::Leader,
    place::{Place, names_cluster},
    replica::Replica,
    replicas::Replicas,
};

/// No server keeps a longer value, unless it was told to.
const LONGEST_VALUE: usize = 512 << 20;

/// Opens a [`RedisBackend`]. See [`RedisBackend::builder`].
#[derive(Clone)]
#[must_use = "nothing is opened until `connect` or `open` is called"]
pub struct RedisBackendBuilder {
    url: String,
    replicas: Vec<String>,
    read_your_writes: bool,
    max_value: usize,
    connect_timeout: Duration,
    replica_timeout: Duration,
    trust: Trust,
}

impl RedisBackend {
    /// Connects to the server that `url` names.
    ///
    /// | URL | of |
    /// |---|---|
    /// | `redis://[user][:password@]host[:port][/database][?protocol=resp3]` | a server |
    /// | `redis+sentinel://[user][:password@]host[:port][,host[:port]…]/master[/database]` | the master that Sentinels at these places name; they listen on port 26379 unless a port is given. User and password are the master's; the Sentinels' own are `?sentinel_user=…&sentinel_pass=…` |
    /// | `redis+cluster://[user][:password@]host[:port][,host[:port]…]` | a cluster, of which these are some nodes |
    /// | `rediss://…`, `rediss+sentinel://…`, `rediss+cluster://…` | the same, every connection over TLS. Needs the feature `redis-tls` |
    /// | `unix:///path[?db=0&user=…&pass=…]` | a server on this machine |
    ///
    /// # Errors
    /// [`ConnectError`] names the part of the URL that is wrong, or says why the server can't be used.
    ///
    /// # Cancel safety
    /// A dropped call leaves nothing behind.
    pub async fn connect(url: &str) -> Result<Self, ConnectError> {
        RedisBackend::builder(url).connect().await
    }

    /// The same, with more to choose.
    pub fn builder(url: impl Into<String>) -> RedisBackendBuilder {
        RedisBackendBuilder::new(url.into())
    }
}

impl RedisBackendBuilder {
    fn new(url: String) -> Self {
        RedisBackendBuilder {
            url,
            replicas: Vec::new(),
            read_your_writes: true,
            max_value: 64 << 20,
            connect_timeout: Duration::from_secs(5),
            replica_timeout: Duration::from_millis(250),
            trust: Trust::default(),
        }
    }

    /// Servers that follow the one in the URL, each by its own URL: values are read from them in turn. Cells, and all that
    /// changes anything, are the leader's.
    pub fn replicas<U: Into<String>>(mut self, urls: impl IntoIterator<Item = U>) -> Self {
        self.replicas = urls.into_iter().map(Into::into).collect();
        self
    }

    /// Whether this process always finds what it has written itself: after a write it asks a replica only once that has
    /// proved to have got there, and the leader until then. What other processes write may still arrive later. Default:
    /// yes. It takes a key of its own on the leader for each replica, with a minute to live.
    pub fn read_your_writes(mut self, read_your_writes: bool) -> Self {
        self.read_your_writes = read_your_writes;
        self
    }

    /// A value of more bytes is not kept. Default: 64 MiB; at most 512.
    pub fn max_value(mut self, bytes: usize) -> Self {
        self.max_value = bytes.min(LONGEST_VALUE);
        self
    }

    /// How long an attempt to connect may take, at first and after the connection was lost. Default: 5 seconds.
    pub fn connect_timeout(mut self, connect_timeout: Duration) -> Self {
        self.connect_timeout = connect_timeout;
        self
    }

    /// After so long without an answer of a replica, the leader is asked instead. Default: 250 milliseconds.
    pub fn replica_timeout(mut self, replica_timeout: Duration) -> Self {
        self.replica_timeout = replica_timeout;
        self
    }

    /// Trusts servers whose certificate this authority signed, instead of those that the system trusts. `pem` is the
    /// content of its certificate file.
    #[cfg(feature = "redis-tls")]
    pub fn certificate_authority(mut self, pem: impl Into<Vec<u8>>) -> Self {
        self.trust = Trust::in_authority(pem.into());
        self
    }

    /// Opens the backend, and connects to the leader: whatever keeps it from being used is said now. Replicas are connected to
    /// when they are first wanted.
    ///
    /// # Errors
    /// [`ConnectError`] names the part of a URL that is wrong, or says why the server can't be used.
    ///
    /// # Cancel safety
    /// A dropped call leaves nothing behind.
    pub async fn connect(self) -> Result<RedisBackend, ConnectError> {
        let backend = self.open()?;
        backend.leader.connected().await?;
        Ok(backend)
    }

    /// Opens the backend, and leaves it to the first call to connect: an application can start while the server is down.
    ///
    /// # Errors
    /// [`ConnectError`] names the part of a URL that is wrong.
    pub fn open(self) -> Result<RedisBackend, ConnectError> {
        if !self.replicas.is_empty() && names_cluster(&self.url) {
            return Err(REPLICAS_OF_A_CLUSTER);
        }
        let leader = Leader::new(Place::new(&self.url, self.connect_timeout, &self.trust)?);
        let replicas = self.replicas.iter().map(|url| self.replica(url)).collect::<Result<_, _>>()?;
        let replicas = Arc::new(Replicas::new(replicas, self.read_your_writes));
        Ok(RedisBackend { leader, replicas, max_value: self.max_value })
    }

    fn replica(&self, url: &str) -> Result<Replica, ConnectError> {
        if url.split("://").next().is_some_and(|scheme| scheme.contains("+sentinel")) {
            return Err(REPLICA_BY_SENTINEL);
        }
        let server = Server::new(url, self.connect_timeout, &self.trust)?;
        Ok(Replica::new(server, self.replica_timeout))
    }
}

const REPLICAS_OF_A_CLUSTER: ConnectError =
    ConnectError::InvalidUrl { part: "scheme", remedy: "leave out the replicas: a cluster knows its own" };

const REPLICA_BY_SENTINEL: ConnectError = ConnectError::InvalidUrl {
    part: "scheme",
    remedy: "name each replica by its own address: Sentinels lead to the master",
};

/// Leaves out the URLs, which may hold a password.
impl fmt::Debug for RedisBackendBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisBackendBuilder")
            .field("replicas", &self.replicas.len())
            .field("read_your_writes", &self.read_your_writes)
            .field("max_value", &self.max_value)
            .field("connect_timeout", &self.connect_timeout)
            .field("replica_timeout", &self.replica_timeout)
            .finish_non_exhaustive()
    }
}

//! From a URL to a connection to a server that may be trusted with cells.

use std::time::{Duration, Instant};

use redis::{
    AsyncConnectionConfig, Client, ErrorKind, InfoDict, RedisError, aio::MultiplexedConnection,
    io::tcp::TcpSettings,
};
use sha2::{Digest, Sha256};

use super::{session::Session, url};
use crate::key::InvalidNamespace;

/// A [`RedisStore`](super::RedisStore) that could not be opened. Never holds a password.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConnectError {
    /// One part of the URL is not usable.
    #[error("the {part} of the Redis URL is not usable: {remedy}")]
    InvalidUrl {
        /// Which part: scheme, user, password, host, port, path, database, protocol or fragment.
        part: &'static str,
        /// What would be right.
        remedy: &'static str,
    },
    /// The URL has a parameter after its `?` that means nothing here.
    #[error("unknown parameter {name:?} in the Redis URL: known are {known}")]
    UnknownParameter {
        /// The parameter's name.
        name: String,
        /// The names that would be right.
        known: &'static str,
    },
    /// The namespace is not usable.
    #[error(transparent)]
    InvalidNamespace(#[from] InvalidNamespace),
    /// The server refused the user or the password.
    #[error(
        "Redis at {address} refused the authentication of user {user:?}: check the user and the password \
         in the URL"
    )]
    AuthenticationFailed {
        /// Host and port, or the path of the socket.
        address: String,
        /// The user; `default` if the URL names none.
        user: String,
    },
    /// Nobody answered in time, or the connection was refused or lost.
    #[error("Redis at {address} is unreachable: {reason}")]
    Unreachable {
        /// Host and port, or the path of the socket.
        address: String,
        /// What happened.
        reason: String,
    },
    /// The server is a replica. What it answers may be old, and it takes no fences.
    #[error("Redis at {address} is a replica: give the address of the master")]
    Replica {
        /// Host and port, or the path of the socket.
        address: String,
    },
    /// The server can't be used for another reason: it runs as a cluster or sentinel, lacks the database, or
    /// forbids a command that the store needs.
    #[error("Redis at {address} is not usable: {reason}")]
    Unusable {
        /// Host and port, or the path of the socket.
        address: String,
        /// What is wrong.
        reason: String,
    },
}

/// Where a server is and how to connect to it.
pub(super) struct Server {
    client: Client,
    address: String,
    user: String,
    time_out: Duration,
}

impl Server {
    pub(super) fn new(url: &str, time_out: Duration) -> Result<Self, ConnectError> {
        let info = url::parse(url)?;
        // Where a peer vanishes without a word, the kernel must say so; nobody else would close the connection.
        let tcp = TcpSettings::default().set_nodelay(true);
        #[cfg(any(target_os = "android", target_os = "fuchsia", target_os = "linux"))]
        let tcp = tcp.set_user_timeout(time_out);
        let info = info.set_tcp_settings(tcp);
        let user = info.redis_settings().username().unwrap_or("default").to_owned();
        let address = info.addr().to_string();
        let client = Client::open(info).map_err(|_| ConnectError::InvalidUrl {
            part: "host",
            remedy: "this platform can't connect to it",
        })?;
        Ok(Server { client, address, user, time_out })
    }

    pub(super) fn address(&self) -> &str {
        &self.address
    }

    /// Connects, and learns which incarnation of the server it is before anything else is asked of it.
    pub(super) async fn connect(&self) -> Result<Session, ConnectError> {
        let attempt = async {
            // The time-outs of calls are the caller's.
            let config = AsyncConnectionConfig::new().set_connection_timeout(None).set_response_timeout(None);
            let client = &self.client;
            let mut connection = client
                .get_multiplexed_async_connection_with_config(&config)
                .await
                .map_err(|error| self.refused(&error))?;
            let incarnation = self.incarnation(&mut connection).await?;
            Ok(Session { connection, incarnation, opened: Instant::now() })
        };
        match tokio::time::timeout(self.time_out, attempt).await {
            Ok(outcome) => outcome,
            Err(_) => Err(self.unreachable(format!("no answer within {:?}", self.time_out))),
        }
    }

    /// The prefix of every cell: a hash of the server's run id. A server that was restarted or failed over
    /// may have lost fences, so nothing that its predecessor kept may be found again.
    async fn incarnation(&self, connection: &mut MultiplexedConnection) -> Result<String, ConnectError> {
        let server = self.info(connection, "server").await?;
        let replication = self.info(connection, "replication").await?;
        match replication.get::<String>("role").as_deref() {
            Some("master") => {}
            Some("slave") => {
                return Err(ConnectError::Replica { address: self.address.clone() });
            }
            _ => return Err(self.unusable("it does not say that it is a master")),
        }
        if server.get::<String>("redis_mode").is_some_and(|mode| mode != "standalone") {
            return Err(self.unusable("it runs as a cluster or sentinel; give a standalone server"));
        }
        let run_id: String = server.get("run_id").ok_or_else(|| {
            self.unusable("it does not report its run id, without which a restart goes unnoticed")
        })?;
        let hash = Sha256::digest(run_id.as_bytes());
        Ok(hash[..4].iter().map(|byte| format!("{byte:02x}")).collect())
    }

    async fn info(
        &self,
        connection: &mut MultiplexedConnection,
        section: &str,
    ) -> Result<InfoDict, ConnectError> {
        let answer = redis::cmd("INFO").arg(section).query_async(connection).await;
        answer.map_err(|error| self.refused(&error))
    }

    fn refused(&self, error: &RedisError) -> ConnectError {
        match (error.kind(), error.code()) {
            (ErrorKind::AuthenticationFailed, _) | (_, Some("NOAUTH" | "WRONGPASS")) => {
                ConnectError::AuthenticationFailed { address: self.address.clone(), user: self.user.clone() }
            }
            (ErrorKind::Io, _) => self.unreachable(error.to_string()),
            _ => self.unusable(&super::session::reason(error)),
        }
    }

    fn unreachable(&self, reason: String) -> ConnectError {
        ConnectError::Unreachable { address: self.address.clone(), reason }
    }

    fn unusable(&self, reason: &str) -> ConnectError {
        ConnectError::Unusable { address: self.address.clone(), reason: reason.to_owned() }
    }
}

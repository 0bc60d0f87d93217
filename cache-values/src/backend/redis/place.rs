//! Where the items are, and how a connection is made there.

use std::{sync::Arc, time::Duration};

use cache_core::backend::redis::{
    error::{ConnectError, reason},
    server::{Server, Trust},
};
use futures_util::future::try_join_all;
use redis::{ErrorKind, InfoDict, RedisResult, ServerErrorKind, Value, aio::MultiplexedConnection, cmd};

use super::{cluster::Cluster, pipeline::pipeline, script::Script, wire::Wire};

/// What a URL names: a server or the master that Sentinels name, or some nodes of a cluster.
pub(super) enum Place {
    Server(Box<Server>),
    Cluster { seeds: Arc<[Server]>, address: String },
}

impl Place {
    /// Connects to nothing yet.
    pub(super) fn new(url: &str, time_out: Duration, trust: &Trust) -> Result<Self, ConnectError> {
        if !names_cluster(url) {
            return Server::new(url, time_out, trust).map(|server| Place::Server(Box::new(server)));
        }
        let nodes = nodes(url)?;
        let seeds = nodes.iter().map(|url| Server::new(url, time_out, trust));
        let seeds = seeds.collect::<Result<Arc<[_]>, _>>()?;
        let addresses: Vec<_> = seeds.iter().map(Server::address).collect();
        let address = format!("{} (Cluster)", addresses.join(","));
        Ok(Place::Cluster { seeds, address })
    }

    pub(super) fn address(&self) -> &str {
        match self {
            Place::Server(server) => server.address(),
            Place::Cluster { address, .. } => address,
        }
    }

    /// A connection to who takes writes, and runs scripts.
    pub(super) async fn connect(&self) -> Result<Wire, ConnectError> {
        match self {
            Place::Server(server) => server.in_time(self.introduce(server)).await,
            Place::Cluster { seeds, .. } => seeds[0].in_time(self.introduce(&seeds[0])).await,
        }
    }

    async fn introduce(&self, server: &Server) -> Result<Wire, ConnectError> {
        let wire = match self {
            Place::Server(server) => Wire::Server(server.open(None).await?),
            Place::Cluster { seeds, .. } => Wire::Cluster(Cluster::new(seeds.clone())),
        };
        let masters = wire.masters().await.map_err(|error| server.refused(&error))?;
        try_join_all(masters.iter().map(|connection| self.check(server, connection))).await?;
        Ok(wire)
    }

    /// Whether it is what it should be, and runs scripts for this user.
    async fn check(&self, server: &Server, connection: &MultiplexedConnection) -> Result<(), ConnectError> {
        let facts = ["server", "replication"].map(|section| cmd("INFO").arg(section).clone());
        let asked = facts.into_iter().chain(Script::introductions());
        let mut answers =
            pipeline(connection, asked).await.map_err(|error| server.refused(&error))?.into_iter();
        let facts: Vec<_> = answers.by_ref().take(2).collect();
        if matches!(self, Place::Server(_)) {
            check_role(server, facts)?;
        }
        answers.try_for_each(|answer| match answer {
            Ok(_) => Ok(()),
            Err(error) if error.kind() == ErrorKind::Server(ServerErrorKind::NoPerm) => Err(server.unusable(
                &format!("{}; allow the user EVAL and EVALSHA, which every change needs", reason(&error)),
            )),
            Err(error) => Err(server.refused(&error)),
        })
    }
}

/// Whether the URL is one of a cluster.
pub(super) fn names_cluster(url: &str) -> bool {
    url.split_once("://").is_some_and(|(scheme, _)| scheme.ends_with("+cluster"))
}

/// The URL of each node in `redis+cluster://[user][:password@]host[:port][,host[:port]…][?protocol=resp3]`.
fn nodes(url: &str) -> Result<Vec<String>, ConnectError> {
    let (scheme, rest) = url.split_once("+cluster://").unwrap_or_default();
    if scheme.contains("unix") {
        return Err(INVALID_SCHEME);
    }
    let (rest, query) =
        rest.split_once('?').map_or((rest, String::new()), |(rest, query)| (rest, format!("?{query}")));
    let (login, hosts) = match rest.rsplit_once('@') {
        Some((login, hosts)) => (format!("{login}@"), hosts),
        None => (String::new(), rest),
    };
    let (hosts, database) = hosts.split_once('/').unwrap_or((hosts, ""));
    if !matches!(database, "" | "0") {
        return Err(INVALID_DATABASE);
    }
    Ok(hosts.split(',').map(|host| format!("{scheme}://{login}{host}{query}")).collect())
}

const INVALID_SCHEME: ConnectError = ConnectError::InvalidUrl {
    part: "scheme",
    remedy: "begin with redis+cluster:// or rediss+cluster:// and name some nodes",
};

const INVALID_DATABASE: ConnectError =
    ConnectError::InvalidUrl { part: "database", remedy: "leave it out: a cluster has only one" };

/// A server that may not be asked who it is may be a leader: if it is none, it will not take writes.
fn check_role(server: &Server, said: Vec<RedisResult<Value>>) -> Result<(), ConnectError> {
    for said in said {
        let info: InfoDict = match said {
            Ok(said) => redis::from_redis_value(said).map_err(|error| server.refused(&error.into()))?,
            Err(error) if error.kind() == ErrorKind::Server(ServerErrorKind::NoPerm) => continue,
            Err(error) => return Err(server.refused(&error)),
        };
        if info.get::<String>("role").as_deref() == Some("slave") {
            return Err(ConnectError::Replica { address: server.address().to_owned() });
        }
        match info.get::<String>("redis_mode").as_deref() {
            Some("cluster") => {
                return Err(server.unusable("it is a node of a cluster; begin with redis+cluster://"));
            }
            Some("sentinel") => {
                return Err(
                    server.unusable("it is a Sentinel; begin with redis+sentinel:// and name its master")
                );
            }
            _ => {}
        }
    }
    Ok(())
}

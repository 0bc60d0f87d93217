//! From a URL to a connection to a server that may be trusted with cells.

use std::time::{Duration, Instant};

use redis::{
    AsyncConnectionConfig, Client, ConnectionAddr, ConnectionInfo, ErrorKind, InfoDict, RedisError,
    ServerErrorKind, aio::MultiplexedConnection, io::tcp::TcpSettings,
};

use super::{
    codec::Incarnation,
    error::{ConnectError, reason},
    incarnation::Reign,
    scripts::SCRIPTS,
    sentinel::Sentinels,
    session::Session,
    url::{self, Endpoint},
};
/// Whose certificates are believed, where a connection goes over TLS.
#[derive(Clone, Default)]
pub(super) struct Trust {
    /// The certificate of an authority; without one, those of the system are asked.
    #[cfg(feature = "redis-tls")]
    authority: Option<Vec<u8>>,
}

impl Trust {
    #[cfg(feature = "redis-tls")]
    pub(super) fn in_authority(pem: Vec<u8>) -> Self {
        Trust { authority: Some(pem) }
    }

    #[cfg(not(feature = "redis-tls"))]
    fn client(&self, info: ConnectionInfo) -> Result<Client, ConnectError> {
        Client::open(info).map_err(|_| NO_WAY)
    }

    #[cfg(feature = "redis-tls")]
    fn client(&self, info: ConnectionInfo) -> Result<Client, ConnectError> {
        if matches!(info.addr(), ConnectionAddr::TcpTls { .. }) {
            if self.authority.as_ref().is_some_and(|pem| !holds_certificate(pem)) {
                return Err(ConnectError::InvalidAuthority);
            }
            // An application that has chosen a provider keeps it; one that has several must.
            let _ = rustls::crypto::ring::default_provider().install_default();
            let certificates = redis::TlsCertificates { client_tls: None, root_cert: self.authority.clone() };
            return Client::build_with_tls(info, certificates).map_err(|_| ConnectError::InvalidAuthority);
        }
        match self.authority {
            Some(_) => Err(ConnectError::InvalidUrl {
                part: "scheme",
                remedy: "begin with rediss:// where a certificate authority is given",
            }),
            None => Client::open(info).map_err(|_| NO_WAY),
        }
    }
}

#[cfg(feature = "redis-tls")]
fn holds_certificate(pem: &[u8]) -> bool {
    use rustls::pki_types::{CertificateDer, pem::PemObject};
    CertificateDer::pem_slice_iter(pem).next().is_some_and(|first| first.is_ok())
}

const NO_WAY: ConnectError =
    ConnectError::InvalidUrl { part: "host", remedy: "this platform can't connect to it" };

/// How to find a server and to connect to it.
pub(super) struct Server {
    sentinels: Option<Sentinels>,
    /// Where Sentinels name the master, its address is put in.
    info: ConnectionInfo,
    trust: Trust,
    address: String,
    user: String,
    time_out: Duration,
}

impl Server {
    pub(super) fn new(url: &str, time_out: Duration, trust: &Trust) -> Result<Self, ConnectError> {
        // Where a peer vanishes without a word, the kernel must say so; nobody else would close the connection.
        let tcp = TcpSettings::default().set_nodelay(true);
        #[cfg(any(target_os = "android", target_os = "fuchsia", target_os = "linux"))]
        let tcp = tcp.set_user_timeout(time_out);
        let (sentinels, info) = match url::parse(url)? {
            Endpoint::Server(info) => (None, info),
            Endpoint::Sentinels { sentinels, master, info } => {
                let clients = sentinels.into_iter().map(|info| {
                    let address = info.addr().to_string();
                    Ok((address, trust.client(info.set_tcp_settings(tcp.clone()))?))
                });
                (Some(Sentinels { clients: clients.collect::<Result<_, ConnectError>>()?, master }), info)
            }
        };
        let info = info.set_tcp_settings(tcp);
        trust.client(info.clone())?;
        let user = info.redis_settings().username().unwrap_or("default").to_owned();
        let address = match &sentinels {
            Some(sentinels) => sentinels.address(),
            None => info.addr().to_string(),
        };
        Ok(Server { sentinels, info, trust: trust.clone(), address, user, time_out })
    }

    pub(super) fn address(&self) -> &str {
        &self.address
    }

    /// Connects, loads the scripts, and learns which incarnation of the server it is, before anything else is
    /// asked of it.
    ///
    /// The cell of the incarnation may have been evicted: `known` is its number, if this process knows one.
    pub(super) async fn connect(&self, known: Option<(Reign, Incarnation)>) -> Result<Session, ConnectError> {
        let client = self.client().await?;
        // The time-outs of calls are the caller's.
        let config = AsyncConnectionConfig::new().set_connection_timeout(None).set_response_timeout(None);
        let mut connection = client
            .get_multiplexed_async_connection_with_config(&config)
            .await
            .map_err(|error| self.refused(&error))?;
        let reign = self.reign(&mut connection).await?;
        let known = known.filter(|(known, _)| *known == reign).map(|(_, incarnation)| incarnation);
        let incarnation = reign
            .incarnation(&mut connection, known)
            .await
            .map_err(|error| self.refused(&error))?
            .ok_or_else(|| self.unusable("it did not say which incarnation it is"))?;
        SCRIPTS.load(&mut connection).await.map_err(|error| self.refused(&error))?;
        Ok(Session { connection, reign, incarnation, opened: Instant::now() })
    }

    /// Gives an attempt to connect no more than its time.
    pub(super) async fn in_time<T>(
        &self,
        attempt: impl Future<Output = Result<T, ConnectError>>,
    ) -> Result<T, ConnectError> {
        match tokio::time::timeout(self.time_out, attempt).await {
            Ok(outcome) => outcome,
            Err(_) => Err(self.unreachable(format!("no answer within {:?}", self.time_out))),
        }
    }

    async fn client(&self) -> Result<Client, ConnectError> {
        let Some(sentinels) = &self.sentinels else {
            return self.trust.client(self.info.clone());
        };
        // The rest of the time is the master's.
        let (named, at) = sentinels.master(self.time_out / 2).await?;
        let place = match self.info.addr() {
            ConnectionAddr::TcpTls { insecure, tls_params, .. } => ConnectionAddr::TcpTls {
                host: named,
                port: at,
                insecure: *insecure,
                tls_params: tls_params.clone(),
            },
            _ => ConnectionAddr::Tcp(named, at),
        };
        self.trust.client(self.info.clone().set_addr(place))
    }

    /// What it says of its reign, if it may be trusted with cells at all.
    async fn reign(&self, connection: &mut MultiplexedConnection) -> Result<Reign, ConnectError> {
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
            return Err(self.unusable(
                "it runs as a cluster or Sentinel; give a standalone server, or redis+sentinel:// and the name \
                 of its master",
            ));
        }
        Reign::of(&server, &replication).ok_or_else(|| {
            self.unusable("it does not report its run id, without which a restart goes unnoticed")
        })
    }

    async fn info(
        &self,
        connection: &mut MultiplexedConnection,
        section: &str,
    ) -> Result<InfoDict, ConnectError> {
        let answer = redis::cmd("INFO").arg(section).query_async(connection).await;
        answer.map_err(|error| self.refused(&error))
    }

    pub(super) fn refused(&self, error: &RedisError) -> ConnectError {
        match (error.kind(), error.code()) {
            (ErrorKind::AuthenticationFailed, _) | (_, Some("NOAUTH" | "WRONGPASS")) => {
                ConnectError::AuthenticationFailed { address: self.address.clone(), user: self.user.clone() }
            }
            (ErrorKind::Io, _) => self.unreachable(error.to_string()),
            // Since its role was asked for.
            (ErrorKind::Server(ServerErrorKind::ReadOnly), _) => {
                ConnectError::Replica { address: self.address.clone() }
            }
            _ => self.unusable(&reason(error)),
        }
    }

    fn unreachable(&self, reason: String) -> ConnectError {
        ConnectError::Unreachable { address: self.address.clone(), reason }
    }

    fn unusable(&self, reason: &str) -> ConnectError {
        ConnectError::Unusable { address: self.address.clone(), reason: reason.to_owned() }
    }
}

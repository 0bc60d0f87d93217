//! From a URL to a connection to a server.

use std::time::Duration;

use redis::{
    AsyncConnectionConfig, Client, ConnectionAddr, ConnectionInfo, ErrorKind, InfoDict, RedisError,
    ServerErrorKind, aio::MultiplexedConnection, io::tcp::TcpSettings,
};

use super::{
    error::{ConnectError, reason},
    sentinel::Sentinels,
    url::{self, Endpoint},
};

/// Whose certificates are believed, where a connection goes over TLS.
#[derive(Clone, Default)]
pub struct Trust {
    /// The certificate of an authority; without one, those of the system are asked.
    #[cfg(feature = "redis-tls")]
    authority: Option<Vec<u8>>,
}

impl Trust {
    #[cfg(feature = "redis-tls")]
    /// Only what this authority signed, whose certificate is `pem`.
    pub fn in_authority(pem: Vec<u8>) -> Self {
        Trust { authority: Some(pem) }
    }

    #[cfg(feature = "redis-tls")]
    fn certificates(&self) -> Result<redis::TlsCertificates, ConnectError> {
        if self.authority.as_ref().is_some_and(|pem| !holds_certificate(pem)) {
            return Err(ConnectError::InvalidAuthority);
        }
        // An application that has chosen a provider keeps it; one that has several must.
        let _ = rustls::crypto::ring::default_provider().install_default();
        Ok(redis::TlsCertificates { client_tls: None, root_cert: self.authority.clone() })
    }

    /// Refuses an authority that would not be asked, for the connection is in plain text.
    fn unasked(&self) -> Result<(), ConnectError> {
        #[cfg(feature = "redis-tls")]
        if self.authority.is_some() {
            return Err(ConnectError::InvalidUrl {
                part: "scheme",
                remedy: "begin with rediss:// where a certificate authority is given",
            });
        }
        Ok(())
    }

    fn client(&self, info: ConnectionInfo) -> Result<Client, ConnectError> {
        #[cfg(feature = "redis-tls")]
        if matches!(info.addr(), ConnectionAddr::TcpTls { .. }) {
            return Client::build_with_tls(info, self.certificates()?)
                .map_err(|_| ConnectError::InvalidAuthority);
        }
        self.unasked()?;
        Client::open(info).map_err(|_| NO_WAY)
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
pub struct Server {
    sentinels: Option<Sentinels>,
    /// Where Sentinels name the master, its address is put in.
    info: ConnectionInfo,
    trust: Trust,
    address: String,
    user: String,
    time_out: Duration,
}

impl Server {
    /// Connects to nothing yet.
    pub fn new(url: &str, time_out: Duration, trust: &Trust) -> Result<Self, ConnectError> {
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

    /// Another server, with the same login and time-out.
    pub fn at(&self, host: &str, port: u16) -> Self {
        let info = self.info.clone().set_addr(self.place(host.to_owned(), port));
        Server {
            sentinels: None,
            address: info.addr().to_string(),
            info,
            trust: self.trust.clone(),
            user: self.user.clone(),
            time_out: self.time_out,
        }
    }

    /// Host and port, the path of the socket, or the Sentinels.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// A connection of its own to the server, or to the master that the Sentinels name now. Answers may take as
    /// long as they like, unless `patience` says otherwise.
    pub async fn open(&self, patience: Option<Duration>) -> Result<MultiplexedConnection, ConnectError> {
        let config = AsyncConnectionConfig::new().set_connection_timeout(None).set_response_timeout(patience);
        let opened = self.client().await?.get_multiplexed_async_connection_with_config(&config).await;
        opened.map_err(|error| self.refused(&error))
    }

    /// Gives an attempt to connect no more than its time.
    pub async fn in_time<T>(
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
        self.trust.client(self.info.clone().set_addr(self.place(named, at)))
    }

    /// Over TLS, if the connection is to be.
    fn place(&self, host: String, port: u16) -> ConnectionAddr {
        match self.info.addr() {
            ConnectionAddr::TcpTls { insecure, tls_params, .. } => {
                ConnectionAddr::TcpTls { host, port, insecure: *insecure, tls_params: tls_params.clone() }
            }
            _ => ConnectionAddr::Tcp(host, port),
        }
    }

    /// A section of what it says of itself.
    pub async fn info(
        &self,
        connection: &mut MultiplexedConnection,
        section: &str,
    ) -> Result<InfoDict, ConnectError> {
        let answer = redis::cmd("INFO").arg(section).query_async(connection).await;
        answer.map_err(|error| self.refused(&error))
    }

    /// What an error means that came of connecting.
    pub fn refused(&self, error: &RedisError) -> ConnectError {
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

    /// Nobody answered, and why.
    pub fn unreachable(&self, reason: String) -> ConnectError {
        ConnectError::Unreachable { address: self.address.clone(), reason }
    }

    /// It can't be used, and why.
    pub fn unusable(&self, reason: &str) -> ConnectError {
        ConnectError::Unusable { address: self.address.clone(), reason: reason.to_owned() }
    }
}

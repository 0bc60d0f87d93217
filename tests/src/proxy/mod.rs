//! A proxy before a real server: it holds answers back, and writes down the statements that arrived.

mod my_sql;
mod postgres;

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex, PoisonError},
};

use sea_orm::{
    ConnectOptions,
    sqlx::{mysql::MySqlSslMode, postgres::PgSslMode},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::watch,
    task::JoinHandle,
};

use crate::{
    database::Backend,
    environment::{MYSQL_URL, POSTGRES_URL, variable},
};

/// What reads along on one connection.
trait Spy: Send {
    /// The statements that begin to be executed with these bytes of the client's.
    fn asked(&mut self, bytes: &[u8]) -> Vec<String>;

    /// The server's answers, of which some give names to statements.
    fn answered(&mut self, bytes: &[u8]);
}

/// A proxy before the server of the tests. Dropped, it cuts its connections.
#[derive(Debug)]
pub struct Proxy {
    backend: Backend,
    address: SocketAddr,
    line: Arc<Line>,
    listening: JoinHandle<()>,
}

/// What all connections through a proxy share.
#[derive(Debug)]
struct Line {
    /// Answers are held back.
    held: watch::Sender<bool>,
    /// They will be from this statement on.
    hold_at: Mutex<Option<&'static str>>,
    arrived: Mutex<Vec<String>>,
}

impl Proxy {
    /// A proxy before the server of a kind; none for SQLite, which has no server.
    ///
    /// # Panics
    /// When the server's URL is not set, or does not name a host.
    pub async fn before(backend: Backend) -> Option<Self> {
        let (url, port) = match backend {
            Backend::Sqlite => return None,
            Backend::Postgres => (variable(POSTGRES_URL), 5432),
            Backend::MySql => (variable(MYSQL_URL), 3306),
        };
        let server = server_of(&url, port).expect("the server is reached by TCP");
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a free port");
        let address = listener.local_addr().expect("it listens");
        let line = Arc::new(Line {
            held: watch::Sender::new(false),
            hold_at: Mutex::default(),
            arrived: Mutex::default(),
        });
        let listening = tokio::spawn(listen(listener, server, backend, line.clone()));
        Some(Proxy { backend, address, line, listening })
    }

    /// Leads a pool through this proxy, unencrypted.
    pub fn lead(&self, options: &mut ConnectOptions) {
        let (host, port) = (self.address.ip().to_string(), self.address.port());
        match self.backend {
            Backend::Postgres => options.map_sqlx_postgres_opts(move |options| {
                options.host(&host).port(port).ssl_mode(PgSslMode::Disable)
            }),
            _ => options.map_sqlx_mysql_opts(move |options| {
                options.host(&host).port(port).ssl_mode(MySqlSslMode::Disabled)
            }),
        };
    }

    /// Holds answers back from now on.
    pub fn hold(&self) {
        self.line.held.send_replace(true);
    }

    /// Holds them back once a statement that begins like this is on its way to the server.
    pub fn hold_at(&self, statement: &'static str) {
        *self.line.hold_at.lock().unwrap_or_else(PoisonError::into_inner) = Some(statement);
    }

    /// Waits until answers are held back.
    pub async fn held(&self) {
        // The sender lives as long as `self`, so waiting can't fail.
        drop(self.line.held.subscribe().wait_for(|held| *held).await);
    }

    /// Lets them through.
    pub fn release(&self) {
        *self.line.hold_at.lock().unwrap_or_else(PoisonError::into_inner) = None;
        self.line.held.send_replace(false);
    }

    /// The statements that were handed to the server since the last call, in order.
    pub fn arrived(&self) -> Vec<String> {
        std::mem::take(&mut *self.line.arrived.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.listening.abort();
    }
}

/// Host and port of a URL.
fn server_of(url: &str, default_port: u16) -> Option<String> {
    let (_, rest) = url.split_once("://")?;
    let authority = rest.split(['/', '?']).next()?;
    let host = authority.rsplit('@').next().filter(|host| !host.is_empty())?;
    Some(if host.contains(':') { host.to_owned() } else { format!("{host}:{default_port}") })
}

async fn listen(listener: TcpListener, server: String, backend: Backend, line: Arc<Line>) {
    // Aborted with this task.
    let mut connections = tokio::task::JoinSet::new();
    while let Ok((client, _)) = listener.accept().await {
        let server = TcpStream::connect(&server).await.expect("the server answers");
        let spy: Box<dyn Spy> = match backend {
            Backend::Postgres => Box::<postgres::Conversation>::default(),
            _ => Box::<my_sql::Conversation>::default(),
        };
        let spy = Arc::new(Mutex::new(spy));
        let (mut from_client, mut to_client) = client.into_split();
        let (mut from_server, mut to_server) = server.into_split();
        connections.spawn({
            let (spy, line) = (spy.clone(), line.clone());
            async move {
                let mut bytes = vec![0; 1 << 16];
                while let Ok(count @ 1..) = from_client.read(&mut bytes).await {
                    let asked = spy.lock().unwrap_or_else(PoisonError::into_inner).asked(&bytes[..count]);
                    let hold_at = *line.hold_at.lock().unwrap_or_else(PoisonError::into_inner);
                    let holds = hold_at.is_some_and(|text| asked.iter().any(|asked| asked.starts_with(text)));
                    if to_server.write_all(&bytes[..count]).await.is_err() {
                        return;
                    }
                    line.arrived.lock().unwrap_or_else(PoisonError::into_inner).extend(asked);
                    if holds {
                        line.held.send_replace(true);
                    }
                }
            }
        });
        connections.spawn({
            let line = line.clone();
            async move {
                let mut held = line.held.subscribe();
                let mut bytes = vec![0; 1 << 16];
                while let Ok(count @ 1..) = from_server.read(&mut bytes).await {
                    if held.wait_for(|held| !held).await.is_err() {
                        return;
                    }
                    spy.lock().unwrap_or_else(PoisonError::into_inner).answered(&bytes[..count]);
                    if to_client.write_all(&bytes[..count]).await.is_err() {
                        return;
                    }
                }
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_server_of_a_url() {
        for (url, expected) in [
            ("postgres://postgres@127.0.0.1:5433/postgres", Some("127.0.0.1:5433")),
            ("mysql://root:s%2Fecret@db/x?ssl-mode=disabled", Some("db:5432")),
            ("postgres:///postgres?host=/run/postgresql", None),
        ] {
            assert_eq!(server_of(url, 5432).as_deref(), expected, "{url}");
        }
    }
}

//! What lies between two machines: a link that a test may cut.

use std::{
    net::Ipv4Addr,
    sync::{Arc, Mutex, PoisonError},
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::watch,
    task::AbortHandle,
};

/// A link to a server on this machine. Dropping it closes it.
#[derive(Debug)]
pub struct Link {
    port: u16,
    ends: Arc<Ends>,
    accepting: AbortHandle,
}

/// What is lost together with a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lost {
    /// The server never sees the request.
    Request,
    /// The server has carried out the request, and nobody hears of it.
    Answer,
    /// As [`Request`](Self::Request), and the connection stays open: nobody hears of anything.
    Silence,
}

#[derive(Debug)]
struct Ends {
    server: u16,
    state: watch::Sender<State>,
    /// What is lost, and how many requests go well before.
    fate: Mutex<Option<(usize, Lost)>>,
    /// Connections that the client has not closed.
    open: watch::Sender<usize>,
}

#[derive(Debug, Default)]
struct State {
    cut: bool,
    /// How often the server closed all connections.
    closings: usize,
}

impl Link {
    /// A link to the server on this port of 127.0.0.1.
    ///
    /// # Panics
    /// When the operating system has no port left.
    pub async fn to(server: u16) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("there are free ports");
        let port = listener.local_addr().expect("it is bound").port();
        let ends = Arc::new(Ends {
            server,
            state: watch::Sender::default(),
            fate: Mutex::default(),
            open: watch::Sender::new(0),
        });
        let accepting = {
            let ends = ends.clone();
            tokio::spawn(async move {
                while let Ok((client, _)) = listener.accept().await {
                    ends.open.send_modify(|open| *open += 1);
                    let ends = ends.clone();
                    tokio::spawn(async move {
                        ends.carry(client).await;
                        ends.open.send_modify(|open| *open -= 1);
                    });
                }
            })
        };
        Link { port, ends, accepting: accepting.abort_handle() }
    }

    /// Where Redis answers at the other end.
    pub fn redis_url(&self) -> String {
        format!("redis://127.0.0.1:{}/0", self.port)
    }

    /// Breaks all connections; new ones end as soon as they are made.
    pub fn cut(&self) {
        self.ends.state.send_modify(|state| state.cut = true);
    }

    /// New connections reach the server again.
    pub fn mend(&self) {
        self.ends.state.send_modify(|state| state.cut = false);
    }

    /// Lets some requests go well and breaks the connection at the next one.
    pub fn lose_after(&self, requests: usize, lost: Lost) {
        *self.ends.fate() = Some((requests, lost));
    }

    /// Takes that back. True if it had happened.
    pub fn has_lost(&self) -> bool {
        self.ends.fate().take().is_none()
    }

    /// Closes all connections as a server does that thinks them idle, and waits until the client has noticed.
    ///
    /// # Panics
    /// Never: what it waits on lives as long as the link.
    pub async fn close_idle(&self) {
        self.ends.state.send_modify(|state| state.closings += 1);
        let closed = self.ends.open.subscribe().wait_for(|open| *open == 0).await.map(drop);
        closed.expect("the sender lives");
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        self.accepting.abort();
        self.cut();
    }
}

impl Ends {
    /// Carries bytes between the two ends, until one of them, or the test, has had enough.
    async fn carry(&self, mut client: TcpStream) {
        let mut state = self.state.subscribe();
        if state.borrow_and_update().cut {
            return;
        }
        let Ok(mut server) = TcpStream::connect((Ipv4Addr::LOCALHOST, self.server)).await else { return };
        let (mut up, mut down) = (vec![0; 1 << 16], vec![0; 1 << 16]);
        loop {
            tokio::select! {
                _ = state.changed() => {
                    if state.borrow_and_update().cut {
                        return;
                    }
                    if client.shutdown().await.is_ok() {
                        while client.read(&mut up).await.is_ok_and(|read| read > 0) {}
                    }
                    return;
                }
                read = client.read(&mut up) => {
                    let Ok(read @ 1..) = read else { return };
                    let lost = self.lost();
                    if lost == Some(Lost::Silence) {
                        while client.read(&mut up).await.is_ok_and(|read| read > 0) {}
                        return;
                    }
                    if lost == Some(Lost::Request) || server.write_all(&up[..read]).await.is_err() {
                        return;
                    }
                    if lost == Some(Lost::Answer) {
                        drop(server.read(&mut down).await);
                        return;
                    }
                }
                read = server.read(&mut down) => {
                    let Ok(read @ 1..) = read else { return };
                    if client.write_all(&down[..read]).await.is_err() {
                        return;
                    }
                }
            }
        }
    }

    /// What is lost of the request that has just come.
    fn lost(&self) -> Option<Lost> {
        let mut fate = self.fate();
        let (before, lost) = fate.take()?;
        match before.checked_sub(1) {
            Some(before) => {
                *fate = Some((before, lost));
                None
            }
            None => Some(lost),
        }
    }

    fn fate(&self) -> std::sync::MutexGuard<'_, Option<(usize, Lost)>> {
        self.fate.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

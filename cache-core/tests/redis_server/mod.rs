//! The server that the tests share, and a proxy that loses connections to it.
#![allow(dead_code, reason = "each test binary uses its part")]

pub(crate) mod private;

use std::{
    env,
    io::{Read, Write},
    net::{Shutdown, TcpListener, TcpStream},
    process,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    thread,
};

use cache_core::{backend::RedisStore, entry::Token};

/// Where the server is.
pub(crate) fn url() -> String {
    env::var("CACHE_TEST_REDIS_URL")
        .expect("run `cargo xtask test`, which starts the servers, or set CACHE_TEST_REDIS_URL")
}

/// A store on the server.
pub(crate) async fn store() -> RedisStore {
    RedisStore::connect(&url(), "test").await.expect("the server in CACHE_TEST_REDIS_URL can be used")
}

/// A connection to the server beside the store.
pub(crate) async fn raw() -> redis::aio::MultiplexedConnection {
    connect(&url()).await.unwrap()
}

/// However long it takes: the machine may have much else to do.
async fn connect(url: &str) -> redis::RedisResult<redis::aio::MultiplexedConnection> {
    let patient = redis::AsyncConnectionConfig::new().set_connection_timeout(None).set_response_timeout(None);
    redis::Client::open(url)?.get_multiplexed_async_connection_with_config(&patient).await
}

/// A namespace that no other test uses, in this run or another.
pub(crate) fn unique() -> String {
    static COUNTER: AtomicU64 = AtomicU64::new(0);
    let count = COUNTER.fetch_add(1, Ordering::Relaxed);
    format!("test-{}-{:x}-{count}", process::id(), Token::random().0)
}

/// Stands between a store and the server.
pub(crate) struct Proxy {
    url: String,
    target: Arc<Mutex<(String, u16)>>,
    accepting: Arc<AtomicBool>,
    silent: Arc<AtomicBool>,
    streams: Arc<Mutex<Vec<TcpStream>>>,
}

impl Proxy {
    pub(crate) fn start() -> Self {
        let redis::ConnectionAddr::Tcp(host, port) =
            redis::Client::open(url()).unwrap().get_connection_info().addr().clone()
        else {
            panic!("CACHE_TEST_REDIS_URL must name a host and port")
        };
        let mut proxy = Proxy::to(&host, port);
        let place = proxy.url.trim_start_matches("redis://").trim_end_matches("/0").to_owned();
        // User, password and database are those of the server.
        let (before, after) = url().rsplit_once(&format!(":{port}")).map_or_else(
            || panic!("CACHE_TEST_REDIS_URL must spell out its port"),
            |(before, after)| (before.to_owned(), after.to_owned()),
        );
        let before = before.strip_suffix(&host).expect("the host stands before the port");
        proxy.url = format!("{before}{place}{after}");
        proxy
    }

    /// Stands before the server at this place.
    pub(crate) fn to(host: &str, port: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("redis://{}/0", listener.local_addr().unwrap());
        let target = Arc::new(Mutex::new((host.to_owned(), port)));
        let accepting = Arc::new(AtomicBool::new(true));
        let (never, silent) = (Arc::<AtomicBool>::default(), Arc::<AtomicBool>::default());
        let streams = Arc::<Mutex<Vec<TcpStream>>>::default();
        let (to, open, mute, kept) = (target.clone(), accepting.clone(), silent.clone(), streams.clone());
        thread::spawn(move || {
            for client in listener.incoming() {
                let client = client.unwrap();
                if !open.load(Ordering::SeqCst) {
                    continue;
                }
                let server = TcpStream::connect(to.lock().unwrap().clone()).unwrap();
                let mut kept = kept.lock().unwrap();
                for stream in [&client, &server] {
                    stream.set_nodelay(true).unwrap();
                    kept.push(stream.try_clone().unwrap());
                }
                pump(client.try_clone().unwrap(), server.try_clone().unwrap(), never.clone());
                pump(server, client, mute.clone());
            }
        });
        Proxy { url, target, accepting, silent, streams }
    }

    pub(crate) fn url(&self) -> String {
        self.url.clone()
    }

    /// Lets questions through and no answers, until the connections that there are have been cut.
    pub(crate) fn silence(&self) {
        self.silent.store(true, Ordering::SeqCst);
    }

    /// Ends the connections that there are.
    pub(crate) fn cut(&self) {
        for stream in self.streams.lock().unwrap().drain(..) {
            // The other end may have gone first.
            let _ = stream.shutdown(Shutdown::Both);
        }
        self.silent.store(false, Ordering::SeqCst);
    }

    /// Ends the connections that there are; new ones lead to the server at this port of this machine.
    pub(crate) fn lead_to(&self, port: u16) {
        *self.target.lock().unwrap() = ("127.0.0.1".to_owned(), port);
        self.cut();
    }

    /// Ends the connections that there are, and new ones at once.
    pub(crate) fn refuse(&self) {
        self.accepting.store(false, Ordering::SeqCst);
        self.cut();
    }

    /// Lets new connections through again.
    pub(crate) fn accept(&self) {
        self.accepting.store(true, Ordering::SeqCst);
    }
}

fn pump(mut from: TcpStream, mut to: TcpStream, silent: Arc<AtomicBool>) {
    thread::spawn(move || {
        let mut buffer = [0; 4096];
        while let Ok(count @ 1..) = from.read(&mut buffer) {
            if !silent.load(Ordering::SeqCst) && to.write_all(&buffer[..count]).is_err() {
                break;
            }
        }
        // The other end may have gone first.
        let _ = to.shutdown(Shutdown::Both);
    });
}

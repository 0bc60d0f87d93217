//! The shared Redis, and private ones that a test may kill.

use std::{
    collections::BTreeSet,
    env,
    io::{BufRead, BufReader},
    net::{Ipv4Addr, TcpListener},
    process::{Child, Command, Stdio},
    thread,
};

use crate::environment::{REDIS_SERVER, REDIS_URL, unique_name, variable};

/// How often a new server tries another port: somebody else may take one between the search and the start.
const ATTEMPTS: usize = 5;

/// The Redis that all tests share. Use a namespace of your own and never flush it.
///
/// # Panics
/// When `CACHE_TEST_REDIS_URL` is not set.
pub fn redis_url() -> String {
    variable(REDIS_URL)
}

/// A namespace that no other test uses.
pub fn redis_namespace() -> String {
    unique_name()
}

/// The names of whatever a test left under its namespace.
pub(crate) async fn names(namespace: &str) -> redis::RedisResult<Vec<Vec<u8>>> {
    let mut connection = redis::Client::open(redis_url())?.get_multiplexed_async_connection().await?;
    let mut names = BTreeSet::new();
    let mut cursor = 0_u64;
    loop {
        let mut scan = redis::cmd("SCAN");
        scan.arg(cursor).arg("MATCH").arg(format!("*{namespace}*")).arg("COUNT").arg(1000);
        let (next, some): (u64, Vec<Vec<u8>>) = scan.query_async(&mut connection).await?;
        // A key may be told twice.
        names.extend(some);
        if next == 0 {
            return Ok(names.into_iter().collect());
        }
        cursor = next;
    }
}

/// Removes all that: the Redis may belong to somebody.
pub(crate) async fn forget(namespace: &str) -> redis::RedisResult<()> {
    let names = names(namespace).await?;
    if names.is_empty() {
        return Ok(());
    }
    let mut connection = redis::Client::open(redis_url())?.get_multiplexed_async_connection().await?;
    redis::cmd("UNLINK").arg(names).query_async(&mut connection).await
}

/// A Redis of one test's own, on a port of its own, without persistence. Dropping it kills it.
///
/// Its methods block for some milliseconds, until the server has done what they say.
#[derive(Debug)]
pub struct RedisServer {
    port: u16,
    arguments: Vec<String>,
    child: Child,
}

impl RedisServer {
    /// Starts a server and waits until it answers.
    ///
    /// # Panics
    /// When `CACHE_TEST_REDIS_SERVER` is not set or the program does not start.
    pub fn start() -> Self {
        Self::start_with(&[])
    }

    /// Starts a server with more arguments, for instance `["--maxmemory", "2mb"]`.
    ///
    /// # Panics
    /// As [`start`](Self::start).
    pub fn start_with(arguments: &[&str]) -> Self {
        let arguments: Vec<String> = arguments.iter().map(|&argument| argument.to_owned()).collect();
        let mut log = String::new();
        for _ in 0..ATTEMPTS {
            let free = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).and_then(|listener| listener.local_addr());
            let port = free.expect("there are free ports").port();
            match spawn(port, &arguments) {
                Ok(child) => {
                    return RedisServer { port, arguments, child };
                }
                Err(said) => log = said,
            }
        }
        panic!("Redis does not start; it said:\n{log}");
    }

    /// Where it answers; the same after [`restart`](Self::restart).
    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}/0", self.port)
    }

    /// Its port on 127.0.0.1.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Ends it as a crash would (SIGKILL): connections break, all data is gone.
    ///
    /// # Panics
    /// When the operating system refuses.
    pub fn kill(&mut self) {
        self.child.kill().and_then(|()| self.child.wait()).expect("an own child can be killed");
    }

    /// Makes it hang (SIGSTOP): connections stay open, nothing is answered.
    ///
    /// # Panics
    /// When it has been killed.
    pub fn pause(&self) {
        self.signal("STOP");
        // The signal is delivered after `kill` returns; a server that is still running could answer once more.
        let stopped = |stat: String| stat.rsplit_once(") ").is_some_and(|(_, state)| state.starts_with('T'));
        while let Ok(stat) = std::fs::read_to_string(format!("/proc/{}/stat", self.child.id())) {
            if stopped(stat) {
                break;
            }
            thread::yield_now();
        }
    }

    /// Makes it go on (SIGCONT).
    ///
    /// # Panics
    /// When it has been killed.
    pub fn resume(&self) {
        self.signal("CONT");
    }

    /// Starts it again, empty, on the same port. Kills it first if it runs.
    ///
    /// # Panics
    /// When it does not start.
    pub fn restart(&mut self) {
        self.kill();
        self.child = spawn(self.port, &self.arguments)
            .unwrap_or_else(|said| panic!("Redis does not start again; it said:\n{said}"));
    }

    fn signal(&self, name: &str) {
        // Through the shell: `kill` is built into it, and a bare machine may lack the program.
        let pid = self.child.id().to_string();
        let status = Command::new("sh").args(["-c", "kill -s \"$1\" \"$2\"", "sh", name, &pid]).status();
        assert!(
            status.is_ok_and(|status| status.success()),
            "the server does not take signals: was it killed?"
        );
    }
}

impl Drop for RedisServer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Starts the program and reads its log until it is ready. Otherwise returns what it said.
fn spawn(port: u16, arguments: &[String]) -> Result<Child, String> {
    let program = variable(REDIS_SERVER);
    let mut child = Command::new(&program)
        .args(["--port", &port.to_string(), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"])
        .args(arguments)
        .current_dir(env::temp_dir())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap_or_else(|error| panic!("{REDIS_SERVER} names {program}, which does not start: {error}"));
    let mut lines = BufReader::new(child.stdout.take().expect("piped above")).lines().map_while(Result::ok);
    let mut log = String::new();
    for line in lines.by_ref() {
        if line.contains("Ready to accept connections") {
            // Nobody wants the rest, but a full pipe would stop the server.
            thread::spawn(move || lines.for_each(drop));
            return Ok(child);
        }
        log.push_str(&line);
        log.push('\n');
    }
    child.wait().map_err(|error| error.to_string())?;
    Err(log)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(server: &RedisServer) -> redis::RedisResult<()> {
        redis::cmd("SET").arg("key").arg(1).query(&mut redis::Client::open(server.url())?.get_connection()?)
    }

    fn get(server: &RedisServer) -> redis::RedisResult<Option<i32>> {
        redis::cmd("GET").arg("key").query(&mut redis::Client::open(server.url())?.get_connection()?)
    }

    #[test]
    fn a_killed_server_refuses_and_starts_again_empty() {
        let mut server = RedisServer::start();
        set(&server).expect("it answers");
        server.kill();
        assert!(get(&server).is_err());
        server.restart();
        assert_eq!(get(&server).expect("it answers again"), None);
    }

    #[test]
    fn a_paused_server_keeps_its_data() {
        let server = RedisServer::start();
        set(&server).expect("it answers");
        server.pause();
        server.resume();
        assert_eq!(get(&server).expect("it answers again"), Some(1));
    }

    #[test]
    fn arguments_reach_the_server() {
        let server = RedisServer::start_with(&["--requirepass", "secret"]);
        assert!(get(&server).is_err());
    }

    #[tokio::test]
    async fn forgetting_spares_other_namespaces() {
        let (mine, other) = (redis_namespace(), redis_namespace());
        let client = redis::Client::open(redis_url()).expect("a URL");
        let mut connection = client.get_multiplexed_async_connection().await.expect("it answers");
        for key in [format!("{{2/{mine}.1:main.t.0}}:1"), format!("{{2/{other}.1:main.t.0}}:1")] {
            redis::cmd("SET").arg(key).arg(1).query_async::<()>(&mut connection).await.expect("it answers");
        }
        forget(&mine).await.expect("it answers");
        let mut count = redis::cmd("EXISTS");
        count.arg(format!("{{2/{mine}.1:main.t.0}}:1"));
        assert_eq!(count.query_async::<i32>(&mut connection).await.expect("it answers"), 0);
        let mut count = redis::cmd("EXISTS");
        count.arg(format!("{{2/{other}.1:main.t.0}}:1"));
        assert_eq!(count.query_async::<i32>(&mut connection).await.expect("it answers"), 1);
        forget(&other).await.expect("it answers");
    }
}

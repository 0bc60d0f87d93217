//! Servers of a test's own, on free ports of this machine, which are gone when they are dropped.

use std::{
    env, fs,
    io::{BufRead, BufReader},
    net::{Ipv4Addr, TcpListener},
    path::PathBuf,
    process::{Child, Command, Stdio},
    thread,
    time::Duration,
};

use super::unique;

/// What the master of [`Sentinels`] is called.
pub(crate) const MASTER: &str = "shop";

/// A server without persistence.
pub(crate) struct Server {
    child: Child,
    pub(crate) port: u16,
}

impl Server {
    pub(crate) fn start() -> Server {
        Server::start_with(&[])
    }

    pub(crate) fn start_with(arguments: &[&str]) -> Server {
        // A replica writes down what it is sent; whoever starts beside that file would begin with it. A master waits for
        // more replicas before it sends anything, which nobody does here.
        let dump = format!("{}.rdb", unique());
        started(|port| {
            let mut server = program();
            server.args([
                "--port",
                &port.to_string(),
                "--bind",
                "127.0.0.1",
                "--save",
                "",
                "--appendonly",
                "no",
                "--dbfilename",
                &dump,
                "--rdb-del-sync-files",
                "yes",
                "--repl-diskless-sync-delay",
                "0",
            ]);
            server.args(arguments);
            server
        })
    }

    pub(crate) fn url(&self) -> String {
        format!("redis://127.0.0.1:{}/0", self.port)
    }

    /// Sends one command, and returns what it answers.
    pub(crate) async fn say<T: redis::FromRedisValue>(&self, words: &str) -> T {
        self.try_say(words).await.unwrap()
    }

    async fn try_say<T: redis::FromRedisValue>(&self, words: &str) -> redis::RedisResult<T> {
        let mut words = words.split(' ');
        let mut command = redis::cmd(words.next().unwrap());
        for word in words {
            command.arg(word);
        }
        command.query_async(&mut super::connect(&self.url()).await?).await
    }

    /// The line of INFO that begins with this name; nothing if a Sentinel has just closed the connection.
    pub(crate) async fn info(&self, name: &str) -> String {
        let info = self.try_say::<redis::InfoDict>("INFO").await;
        info.ok().and_then(|info| info.get(name)).unwrap_or_default()
    }

    /// Makes it a replica, and waits until it holds all that its master holds.
    pub(crate) async fn follow(&self, master: &Server) {
        let () = self.say(&format!("REPLICAOF 127.0.0.1 {}", master.port)).await;
        until(async || self.info("master_link_status").await == "up").await;
    }

    /// Waits until the replica has what was written so far.
    pub(crate) async fn replicated(&self, replica: &Server) {
        let offset = self.info("master_repl_offset").await.parse::<u64>().unwrap();
        until(async || replica.info("slave_repl_offset").await.parse::<u64>().unwrap_or(0) >= offset).await;
    }

    /// Makes it hang: connections stay open, nothing is answered.
    pub(crate) fn pause(&self) {
        self.signal("STOP");
        // The signal is delivered after `kill` returns; a server that is still running could answer once more.
        let stopped = |stat: String| stat.rsplit_once(") ").is_some_and(|(_, state)| state.starts_with('T'));
        while !stopped(fs::read_to_string(format!("/proc/{}/stat", self.child.id())).unwrap()) {
            thread::yield_now();
        }
    }

    pub(crate) fn resume(&self) {
        self.signal("CONT");
    }

    fn signal(&self, name: &str) {
        // Through the shell: `kill` is built into it, and a bare machine may lack the program.
        let pid = self.child.id().to_string();
        let status = Command::new("sh").args(["-c", "kill -s \"$1\" \"$2\"", "sh", name, &pid]).status();
        assert!(status.unwrap().success());
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Three Sentinels that watch one master, any two of which may depose it.
pub(crate) struct Sentinels {
    sentinels: Vec<Server>,
    folder: PathBuf,
}

impl Sentinels {
    /// Starts them, and waits until they know each other and the master's replica.
    pub(crate) async fn watch(master: &Server) -> Sentinels {
        let folder = env::temp_dir().join(unique());
        fs::create_dir(&folder).unwrap();
        let start = |number: usize| {
            started(|port| {
                let file = folder.join(format!("{number}-{port}.conf"));
                let text = format!(
                    "port {port}\nbind 127.0.0.1\ndir {}\n\
                     sentinel monitor {MASTER} 127.0.0.1 {} 2\n\
                     sentinel down-after-milliseconds {MASTER} 1000\n\
                     sentinel failover-timeout {MASTER} 2000\n",
                    folder.display(),
                    master.port
                );
                fs::write(&file, text).unwrap();
                let mut sentinel = program();
                sentinel.arg(file).arg("--sentinel");
                sentinel
            })
        };
        let sentinels = Sentinels { sentinels: (0..3).map(start).collect(), folder };
        for sentinel in &sentinels.sentinels {
            sentinel.hurry().await;
        }
        for sentinel in &sentinels.sentinels {
            until(async || {
                let known = sentinel.master().await;
                known["num-other-sentinels"] == "2" && known["num-slaves"] == "1"
            })
            .await;
        }
        sentinels
    }

    pub(crate) fn url(&self) -> String {
        let places: Vec<_> =
            self.sentinels.iter().map(|sentinel| format!("127.0.0.1:{}", sentinel.port)).collect();
        format!("redis+sentinel://{}/{MASTER}/0", places.join(","))
    }

    /// Fails over from one server to the other, as an outage does: the former master hangs until the other one has
    /// been promoted, and follows it from then on.
    pub(crate) async fn fail_over(&self, from: &Server, to: &Server) {
        from.pause();
        for sentinel in &self.sentinels {
            until(async || sentinel.master().await["port"] == to.port.to_string()).await;
        }
        from.resume();
        until(async || from.info("role").await == "slave").await;
        until(async || from.info("master_link_status").await == "up").await;
        for sentinel in &self.sentinels {
            until(async || {
                let master = sentinel.master().await;
                master["flags"] == "master" && sentinel.replica_is_well().await
            })
            .await;
        }
    }
}

impl Drop for Sentinels {
    fn drop(&mut self) {
        self.sentinels.clear();
        // Nobody minds what is left in the temporary folder.
        let _ = fs::remove_dir_all(&self.folder);
    }
}

type Fields = std::collections::HashMap<String, String>;

impl Server {
    /// What a Sentinel knows of the master.
    async fn master(&self) -> Fields {
        self.say(&format!("SENTINEL MASTER {MASTER}")).await
    }

    /// Makes a Sentinel look around more often, if it can be told so: else the test takes a minute.
    async fn hurry(&self) {
        let hurry = "SENTINEL DEBUG INFO-PERIOD 100 PUBLISH-PERIOD 100 ASK-PERIOD 100 PING-PERIOD 100";
        let _: redis::RedisResult<()> = self.try_say(hurry).await;
    }

    /// Whether a Sentinel would promote the master's replica.
    async fn replica_is_well(&self) -> bool {
        let replicas: Vec<Fields> = self.say(&format!("SENTINEL REPLICAS {MASTER}")).await;
        replicas.iter().all(|replica| replica["flags"] == "slave" && replica["master-link-status"] == "ok")
    }
}

/// Asks again until it is so: a server tells nobody when it is. One that never is fails the test instead of holding
/// it up.
pub(crate) async fn until(is_so: impl AsyncFn() -> bool) {
    let asked = async {
        while !is_so().await {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(300), asked).await.expect("it becomes so");
}

fn program() -> Command {
    let program = env::var("CACHE_TEST_REDIS_SERVER")
        .expect("run `cargo xtask test`, which finds the programs, or set CACHE_TEST_REDIS_SERVER");
    Command::new(program)
}

/// Tries free ports until the program listens: somebody else may take one between the search and the start.
fn started(command: impl Fn(u16) -> Command) -> Server {
    let mut log = String::new();
    for _ in 0..5 {
        let free = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).and_then(|listener| listener.local_addr());
        let port = free.unwrap().port();
        let mut child = command(port)
            .current_dir(env::temp_dir())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
        for line in lines.by_ref() {
            if line.contains("Ready to accept connections") || line.contains("+monitor master") {
                // Nobody wants the rest, but a full pipe would stop the server.
                thread::spawn(move || lines.for_each(drop));
                return Server { child, port };
            }
            log.push_str(&line);
            log.push('\n');
        }
        child.wait().unwrap();
    }
    panic!("the server does not start; it said:\n{log}");
}

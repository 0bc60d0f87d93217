//! memcached servers of a test's own, which are gone when they are dropped.

use std::{
    env,
    io::{Read, Write},
    net::{Ipv4Addr, TcpListener, TcpStream},
    os::unix::net::UnixStream,
    path::PathBuf,
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

/// A server on a port of 127.0.0.1, or on a socket.
pub(crate) struct Server {
    child: Child,
    place: Place,
    arguments: Vec<String>,
}

#[derive(Clone)]
enum Place {
    Port(u16),
    Socket(PathBuf),
}

impl Server {
    pub(crate) fn start() -> Server {
        Server::start_with(&[])
    }

    /// With more arguments, for instance `["-I", "8m"]`. Tries free ports: somebody else may take one between the search and
    /// the start.
    pub(crate) fn start_with(arguments: &[&str]) -> Server {
        let arguments: Vec<String> = arguments.iter().map(|&argument| argument.to_owned()).collect();
        let started = (0..5).find_map(|_| {
            let free = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).and_then(|listener| listener.local_addr());
            let place = Place::Port(free.unwrap().port());
            Some(Server { child: spawn(&place, &arguments)?, place, arguments: arguments.clone() })
        });
        started.expect("memcached starts")
    }

    /// On a socket in the temporary folder.
    pub(crate) fn on_socket(arguments: &[&str]) -> Server {
        let arguments: Vec<String> = arguments.iter().map(|&argument| argument.to_owned()).collect();
        let place = Place::Socket(env::temp_dir().join(format!("{}.sock", super::unique())));
        Server { child: spawn(&place, &arguments).expect("memcached starts"), place, arguments }
    }

    /// As a backend is told.
    pub(crate) fn address(&self) -> String {
        match &self.place {
            Place::Port(port) => format!("127.0.0.1:{port}"),
            Place::Socket(path) => format!("unix:{}", path.display()),
        }
    }

    /// Ends it as a crash would: connections break, all data is gone.
    pub(crate) fn kill(&mut self) {
        self.child.kill().and_then(|()| self.child.wait()).unwrap();
    }

    /// Starts it again, empty, at the same place.
    pub(crate) fn restart(&mut self) {
        self.kill();
        self.child = spawn(&self.place, &self.arguments).expect("memcached starts again");
    }

    /// Makes it hang: connections stay open, nothing is answered.
    pub(crate) fn pause(&self) {
        self.signal("STOP");
        // The signal is delivered after `kill` returns; each thread of the server stops for itself.
        let tasks = format!("/proc/{}/task", self.child.id());
        let stopped = |stat: String| stat.rsplit_once(") ").is_some_and(|(_, state)| state.starts_with('T'));
        let all_stopped = || {
            let mut stats = std::fs::read_dir(&tasks).unwrap().map(|task| task.unwrap().path().join("stat"));
            stats.all(|stat| stopped(std::fs::read_to_string(stat).unwrap()))
        };
        while !all_stopped() {
            thread::yield_now();
        }
    }

    pub(crate) fn resume(&self) {
        self.signal("CONT");
    }

    /// Sends these lines as another client would, and returns the answer up to the end of its last line.
    pub(crate) fn say(&self, text: &str, last: &str) -> String {
        exchange(&self.place, text.as_bytes(), last).unwrap()
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
        if let Place::Socket(path) = &self.place {
            let _ = std::fs::remove_file(path);
        }
    }
}

/// Starts the program and waits until it answers. Nothing if it ends before.
fn spawn(place: &Place, arguments: &[String]) -> Option<Child> {
    let program = env::var("CACHE_TEST_MEMCACHED_SERVER")
        .expect("run `cargo xtask test`, which finds the programs, or set CACHE_TEST_MEMCACHED_SERVER");
    let mut command = Command::new(program);
    match place {
        Place::Port(port) => command.args(["-l", "127.0.0.1", "-p", &port.to_string(), "-U", "0"]),
        Place::Socket(path) => command.arg("-s").arg(path),
    };
    // It asks for a user where it would run as root, and ignores it elsewhere.
    command.args(["-u", "root", "-t", "2"]).args(arguments);
    let mut child = command.current_dir(env::temp_dir()).stdin(Stdio::null()).spawn().unwrap();
    let began = Instant::now();
    while child.try_wait().unwrap().is_none() {
        if exchange(place, b"mn\r\n", "MN\r\n").is_ok() {
            return Some(child);
        }
        // It tells nobody when it is ready.
        assert!(began.elapsed() < Duration::from_secs(60), "memcached does not answer");
        thread::yield_now();
    }
    None
}

fn exchange(place: &Place, text: &[u8], last: &str) -> std::io::Result<String> {
    match place {
        Place::Port(port) => talk(TcpStream::connect((Ipv4Addr::LOCALHOST, *port))?, text, last),
        Place::Socket(path) => talk(UnixStream::connect(path)?, text, last),
    }
}

fn talk(mut stream: impl Read + Write, text: &[u8], last: &str) -> std::io::Result<String> {
    stream.write_all(text)?;
    let mut answer = Vec::new();
    let mut some = [0; 4096];
    while !answer.ends_with(last.as_bytes()) {
        match stream.read(&mut some)? {
            0 => return Err(std::io::ErrorKind::UnexpectedEof.into()),
            length => answer.extend_from_slice(&some[..length]),
        }
    }
    Ok(String::from_utf8_lossy(&answer).into_owned())
}

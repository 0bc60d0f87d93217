//! What all private servers share: a folder, a user, a port, and the wait until they answer.

use std::{
    fs::{self, File},
    io::{Read, Write},
    net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream},
    os::unix::{
        fs::{PermissionsExt, chown},
        process::CommandExt,
    },
    path::{Path, PathBuf},
    process::Command,
    thread,
    time::{Duration, Instant},
};

use crate::{
    Result,
    interrupt::{Interrupt, POLL},
    process::Group,
    programs,
};

/// How long a server may take until it answers.
const PATIENCE: Duration = Duration::from_secs(90);

/// Another process may take a port between the moment it was found free and the server's start.
const ATTEMPTS: usize = 3;

/// Where private servers live and as whom they run.
pub(crate) struct Home {
    folder: PathBuf,
    user: Option<User>,
    /// The program of Redis: a file that the user may have named.
    pub(crate) redis_server: PathBuf,
}

/// A user without privileges: PostgreSQL and MariaDB refuse to run as root.
struct User {
    id: u32,
    group: u32,
}

impl Home {
    pub(crate) fn new(folder: &Path, redis_server: &Path) -> Result<Self> {
        let user = if programs::current_user()? == 0 { Some(User::without_privileges()?) } else { None };
        if user.is_some() {
            fs::set_permissions(folder, fs::Permissions::from_mode(0o755))?;
        }
        Ok(Home { folder: folder.to_path_buf(), user, redis_server: redis_server.to_path_buf() })
    }

    /// A new folder that belongs to the server.
    pub(crate) fn folder(&self, name: &str) -> Result<PathBuf> {
        let folder = self.folder.join(name);
        fs::create_dir(&folder)?;
        fs::set_permissions(&folder, fs::Permissions::from_mode(0o700))?;
        if let Some(user) = &self.user {
            chown(&folder, Some(user.id), Some(user.group))?;
        }
        Ok(folder)
    }

    /// A command that runs in `folder` as the server's user and writes to `log` there.
    pub(crate) fn command(&self, program: &Path, folder: &Path) -> Result<Command> {
        let log = File::options().create(true).append(true).open(log(folder))?;
        let mut command = Command::new(program);
        command.current_dir(folder).stdout(log.try_clone()?).stderr(log);
        command.env("HOME", folder).env("LC_ALL", "C");
        if let Some(user) = &self.user {
            command.gid(user.group).uid(user.id);
        }
        Ok(command)
    }
}

impl User {
    fn without_privileges() -> Result<Self> {
        let users = fs::read_to_string("/etc/passwd")?;
        let find = |name: &str| {
            let line = users.lines().find(|line| line.split(':').next() == Some(name))?;
            let mut numbers = line.split(':').skip(2);
            Some(User { id: numbers.next()?.parse().ok()?, group: numbers.next()?.parse().ok()? })
        };
        ["postgres", "mysql", "nobody"]
            .into_iter()
            .find_map(find)
            .ok_or_else(|| "servers can't run as root, and there is no user postgres, mysql or nobody".into())
    }
}

/// Runs a command that prepares a server's data.
pub(crate) fn prepare(command: &mut Command, folder: &Path, interrupt: &Interrupt) -> Result<()> {
    let status = crate::process::run(command, interrupt)?;
    if status.success() { Ok(()) } else { Err(failed(command, folder, "failed")) }
}

/// Starts a server on a free port and waits until it greets.
///
/// `command` makes the command for a port; `greets` says whether the server on the other end is ready.
pub(crate) fn start(
    folder: &Path,
    farewell: &'static str,
    interrupt: &Interrupt,
    command: impl Fn(u16) -> Result<Command>,
    greets: impl Fn(&mut TcpStream) -> std::io::Result<bool>,
) -> Result<(u16, Group)> {
    let mut attempt = 1;
    loop {
        let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port();
        let mut command = command(port)?;
        let mut group = Group::spawn(&mut command, farewell)?;
        let started = Instant::now();
        loop {
            if answers(port, &greets) {
                return Ok((port, group));
            }
            if group.try_wait()?.is_some() {
                if attempt == ATTEMPTS {
                    return Err(failed(&command, folder, "ended before it answered"));
                }
                attempt += 1;
                break;
            }
            if started.elapsed() > PATIENCE {
                return Err(failed(&command, folder, "does not answer"));
            }
            interrupt.check()?;
            thread::sleep(POLL);
        }
    }
}

fn answers(port: u16, greets: impl Fn(&mut TcpStream) -> std::io::Result<bool>) -> bool {
    let ask = || {
        let mut stream = TcpStream::connect(SocketAddr::from((Ipv4Addr::LOCALHOST, port)))?;
        stream.set_read_timeout(Some(Duration::from_secs(5)))?;
        greets(&mut stream)
    };
    ask().unwrap_or(false)
}

/// Sends `question` and returns the first `N` bytes of the answer.
pub(crate) fn exchange<const N: usize>(stream: &mut TcpStream, question: &[u8]) -> std::io::Result<[u8; N]> {
    stream.write_all(question)?;
    let mut answer = [0; N];
    stream.read_exact(&mut answer)?;
    Ok(answer)
}

fn log(folder: &Path) -> PathBuf {
    folder.with_extension("log")
}

fn failed(command: &Command, folder: &Path, how: &str) -> Box<dyn std::error::Error + Send + Sync> {
    let text = fs::read(log(folder)).unwrap_or_default();
    let text = String::from_utf8_lossy(&text);
    let lines: Vec<&str> = text.lines().collect();
    let end = lines[lines.len().saturating_sub(15)..].join("\n  ");
    format!("{} {how}; the end of its log:\n  {end}", command.get_program().display()).into()
}

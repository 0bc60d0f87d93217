//! Private servers for one run: in a temporary folder, on free ports, gone at the end.

mod mariadb;
mod memcached;
mod postgres;
mod private;
mod redis;

use std::{env, path::PathBuf, thread};

use tempfile::TempDir;

use crate::{Result, interrupt::Interrupt, process::Group, programs::Wanted};
use private::Home;

/// The servers of one run; dropping it stops them and removes their folder.
pub(crate) struct Servers {
    // Before the folder: fields are dropped in order, and a server writes until it ends.
    _running: Vec<Group>,
    _folder: TempDir,
    variables: Vec<(&'static str, String)>,
}

/// A server that answers, and the URL where.
struct Started {
    url: String,
    group: Group,
}

type Start = fn(&Home, &Interrupt) -> Result<Started>;

impl Servers {
    /// Starts every server whose URL is not given. With `keep` the folder stays when they have ended.
    ///
    /// # Errors
    /// A server that is missing or does not start, with what to do about it or the end of its log; then
    /// those that did start are stopped.
    pub(crate) fn start(keep: bool, interrupt: &Interrupt) -> Result<Self> {
        // Found before anything is started: an installation takes a while and may fail.
        let redis_server = program(redis::PROGRAM_VARIABLE, &redis::WANTED)?;
        let memcached_server = program(memcached::PROGRAM_VARIABLE, &memcached::WANTED)?;
        let private: Vec<(&'static str, &'static str, Start)> = [
            (&postgres::WANTED, postgres::start as Start),
            (&mariadb::WANTED, mariadb::start),
            (&redis::WANTED, redis::start),
        ]
        .into_iter()
        .filter(|(wanted, _)| {
            let given = env::var_os(wanted.variable).is_some();
            if given {
                eprintln!("xtask: {}: the running server of {}", wanted.name, wanted.variable);
            }
            !given
        })
        .map(|(wanted, start)| wanted.find_or_install().map(|_| (wanted.variable, wanted.name, start)))
        .collect::<Result<_>>()?;

        let mut folder = tempfile::Builder::new().prefix("cache-servers-").tempdir()?;
        if keep {
            folder.disable_cleanup(true);
            eprintln!("xtask: the servers' folder is kept: {}", folder.path().display());
        }
        let home = Home::new(folder.path(), &redis_server)?;
        // At once: creating the data of a new MariaDB and PostgreSQL takes seconds.
        let started: Vec<Result<Started>> = thread::scope(|scope| {
            let home = &home;
            let threads: Vec<_> =
                private.iter().map(|(_, _, start)| scope.spawn(move || start(home, interrupt))).collect();
            threads
                .into_iter()
                .map(|thread| thread.join().expect("a server's thread does not panic"))
                .collect()
        });
        let mut servers = Servers {
            _running: Vec::new(),
            _folder: folder,
            variables: vec![
                (redis::PROGRAM_VARIABLE, redis_server.display().to_string()),
                (memcached::PROGRAM_VARIABLE, memcached_server.display().to_string()),
            ],
        };
        for ((variable, name, _), started) in private.into_iter().zip(started) {
            let started = started?;
            eprintln!("xtask: {name}: {}", started.url);
            servers._running.push(started.group);
            servers.variables.push((variable, started.url));
        }
        Ok(servers)
    }

    /// What the tests must find in their environment, beyond what is there already.
    pub(crate) fn variables(&self) -> impl Iterator<Item = (&'static str, &str)> {
        self.variables.iter().map(|(name, value)| (*name, value.as_str()))
    }
}

/// A program that tests start themselves: the one that the user named, or the machine's.
fn program(variable: &str, wanted: &Wanted) -> Result<PathBuf> {
    match env::var_os(variable) {
        Some(given) => Ok(given.into()),
        None => wanted.find_or_install(),
    }
}

//! A private PostgreSQL.

use super::{
    Started,
    private::{self, Home},
};
use crate::{Result, interrupt::Interrupt, programs::Wanted};

pub(crate) const WANTED: Wanted = Wanted {
    name: "PostgreSQL",
    programs: &[&["initdb", "postgres"]],
    folders: &[
        "/usr/lib/postgresql/*/bin",
        "/usr/pgsql-*/bin",
        "/opt/homebrew/opt/postgresql*/bin",
        "/usr/local/opt/postgresql*/bin",
    ],
    apt: &["postgresql"],
    dnf: "postgresql-server",
    brew: "postgresql",
    variable: "CACHE_TEST_POSTGRES_URL",
};

pub(crate) fn start(home: &Home, interrupt: &Interrupt) -> Result<Started> {
    let initdb = WANTED.find_or_install()?;
    let postgres = WANTED.companion(&initdb, "postgres").ok_or("initdb was found, and no postgres")?;
    let folder = home.folder("postgres")?;
    let data = folder.join("data");
    let mut create = home.command(&initdb, &folder)?;
    create.args([
        "--no-sync",
        "--auth=trust",
        "--username=postgres",
        "--encoding=UTF8",
        "--locale=C",
        "--pgdata",
    ]);
    private::prepare(create.arg(&data), &folder, interrupt)?;

    let command = |port: u16| {
        let mut command = home.command(&postgres, &folder)?;
        command.arg("-D").arg(&data).args(["-p", &port.to_string(), "-h", "127.0.0.1", "-k", ""]);
        for setting in [
            // Its data need not survive the machine.
            "fsync=off",
            "synchronous_commit=off",
            "full_page_writes=off",
            // Many tests at once, each with several pools.
            "max_connections=400",
        ] {
            command.args(["-c", setting]);
        }
        Ok(command)
    };
    // The start of a session: length, protocol 3.0, user. `R` opens the answer when the server is ready.
    let hello = b"\x00\x00\x00\x17\x00\x03\x00\x00user\0postgres\0\0";
    let greets = |stream: &mut std::net::TcpStream| Ok(private::exchange::<1>(stream, hello)? == *b"R");
    // An immediate shutdown: it takes the shared memory away, which a kill would leave.
    let (port, group) = private::start(&folder, "QUIT", interrupt, command, greets)?;
    Ok(Started { url: format!("postgres://postgres@127.0.0.1:{port}/postgres"), group })
}

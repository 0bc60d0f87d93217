//! A private MariaDB, or MySQL where that is what the machine has.

use std::{fs, os::unix::fs::PermissionsExt, path::Path};

use super::{
    Started,
    private::{self, Home},
};
use crate::{Result, interrupt::Interrupt, programs::Wanted};

pub(crate) const WANTED: Wanted = Wanted {
    name: "MariaDB",
    // The script that writes the data of a new server asks `my_print_defaults` first.
    programs: &[&["mariadbd", INSTALL, "my_print_defaults"], &["mysqld"]],
    folders: &["/opt/homebrew/opt/mariadb*/bin", "/opt/homebrew/opt/mysql*/bin", "/usr/local/mysql/bin"],
    // The parts that do not start a server of the whole machine. The server's does not depend on the client's,
    // which holds one of the programs.
    apt: &["mariadb-server-core", "mariadb-client-core"],
    dnf: "mariadb-server",
    brew: "mariadb",
    variable: "CACHE_TEST_MYSQL_URL",
};

const INSTALL: &str = "mariadb-install-db";

/// Both servers read this when they start. A user of their own, since the superuser of a new MySQL may only
/// come through the socket.
const USER: &str = "CREATE USER IF NOT EXISTS 'cache'@'127.0.0.1';\n\
                    GRANT ALL ON *.* TO 'cache'@'127.0.0.1' WITH GRANT OPTION;\n";

pub(crate) fn start(home: &Home, interrupt: &Interrupt) -> Result<Started> {
    let server = WANTED.find_or_install()?;
    let folder = home.folder("mariadb")?;
    let data = folder.join("data");
    let users = folder.with_extension("sql");
    fs::write(&users, USER)?;
    // Read by the server's user, whatever the umask here.
    fs::set_permissions(&users, fs::Permissions::from_mode(0o644))?;
    create(home, &server, &folder, &data, interrupt)?;

    let command = |port: u16| {
        let mut command = home.command(&server, &folder)?;
        command
            .args(["--no-defaults", "--bind-address=127.0.0.1", "--skip-name-resolve", "--skip-log-bin"])
            // Its data need not survive the machine.
            .args([
                "--innodb-flush-log-at-trx-commit=0",
                "--skip-innodb-doublewrite",
                "--innodb-flush-method=nosync",
            ])
            // Many tests at once, each with several pools.
            .args(["--max-connections=400", "--performance-schema=OFF"])
            .arg(format!("--port={port}"))
            .arg(option("--datadir", &data))
            .arg(option("--init-file", &users))
            .arg(option("--tmpdir", &folder))
            .arg(option("--socket", &folder.join("socket")))
            .arg(option("--pid-file", &folder.join("pid")));
        Ok(command)
    };
    // The server speaks first: a header of four bytes, then version 10 of the protocol, or an error.
    let greets = |stream: &mut std::net::TcpStream| Ok(private::exchange::<5>(stream, b"")?[4] == 10);
    let (port, group) = private::start(&folder, "TERM", interrupt, command, greets)?;
    Ok(Started { url: format!("mysql://cache@127.0.0.1:{port}/mysql"), group })
}

/// Writes the data of a new server.
fn create(home: &Home, server: &Path, folder: &Path, data: &Path, interrupt: &Interrupt) -> Result<()> {
    let mut create = match WANTED.companion(server, INSTALL) {
        Some(script) => {
            let mut create = home.command(&script, folder)?;
            create.args(["--no-defaults", "--skip-test-db", "--skip-name-resolve"]);
            create.arg("--auth-root-authentication-method=normal");
            create
        }
        // MySQL creates its own.
        None => {
            let mut create = home.command(server, folder)?;
            create.args(["--no-defaults", "--initialize-insecure"]);
            create
        }
    };
    create.arg(option("--tmpdir", folder));
    private::prepare(create.arg(option("--datadir", data)), folder, interrupt)
}

fn option(name: &str, value: &Path) -> std::ffi::OsString {
    let mut option = std::ffi::OsString::from(name);
    option.push("=");
    option.push(value);
    option
}

//! A private Redis, or Valkey where that is what the machine has.

use super::{
    Started,
    private::{self, Home},
};
use crate::{Result, interrupt::Interrupt, programs::Wanted};

/// Tells tests which program to start when they need a Redis to kill.
pub(crate) const PROGRAM_VARIABLE: &str = "CACHE_TEST_REDIS_SERVER";

pub(crate) const WANTED: Wanted = Wanted {
    name: "Redis",
    programs: &[&["redis-server"], &["valkey-server"]],
    folders: &[],
    apt: &["redis-server"],
    dnf: "valkey",
    brew: "redis",
    variable: "CACHE_TEST_REDIS_URL",
};

pub(crate) fn start(home: &Home, interrupt: &Interrupt) -> Result<Started> {
    let folder = home.folder("redis")?;
    let command = |port: u16| {
        let mut command = home.command(&home.redis_server, &folder)?;
        command.args([
            "--port",
            &port.to_string(),
            "--bind",
            "127.0.0.1",
            "--save",
            "",
            "--appendonly",
            "no",
        ]);
        Ok(command)
    };
    let greets =
        |stream: &mut std::net::TcpStream| Ok(private::exchange::<5>(stream, b"PING\r\n")? == *b"+PONG");
    let (port, group) = private::start(&folder, "TERM", interrupt, command, greets)?;
    Ok(Started { url: format!("redis://127.0.0.1:{port}/0"), group })
}

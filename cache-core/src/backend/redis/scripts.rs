//! The scripts that execute the transitions of `slot.rs` on the server, one call for each step of a journey.

use std::sync::LazyLock;

use redis::{ErrorKind, FromRedisValue, RedisResult, ServerErrorKind, aio::MultiplexedConnection, cmd};

use super::session::Session;
use crate::key::Key;

/// Every script but `claim` looks at cells, and is told the incarnation that its caller believes in.
const PRELUDE: &str = include_str!("prelude.lua");

pub(super) struct Scripts {
    pub(super) lease: Script,
    pub(super) fill: Script,
    pub(super) forfeit: Script,
    pub(super) fence: Script,
    pub(super) release: Script,
    pub(super) generation: Script,
    pub(super) claim: Script,
}

pub(super) static SCRIPTS: LazyLock<Scripts> = LazyLock::new(|| {
    let with_prelude = |body: &str| Script::new(format!("{PRELUDE}\n{body}"), true);
    Scripts {
        lease: with_prelude(include_str!("lease.lua")),
        fill: with_prelude(include_str!("fill.lua")),
        forfeit: with_prelude(include_str!("forfeit.lua")),
        fence: with_prelude(include_str!("fence.lua")),
        release: with_prelude(include_str!("release.lua")),
        generation: with_prelude(include_str!("generation.lua")),
        claim: Script::new(include_str!("claim.lua").to_owned(), false),
    }
});

impl Scripts {
    /// Makes the server know all of them. Before anything else is sent: a call by hash that the server does not
    /// know does nothing, and its caller may be gone when the server says so.
    pub(super) async fn load(&self, connection: &mut MultiplexedConnection) -> RedisResult<()> {
        let Scripts { lease, fill, forfeit, fence, release, generation, claim } = self;
        let mut load = redis::pipe();
        for script in [lease, fill, forfeit, fence, release, generation, claim] {
            load.cmd("SCRIPT").arg("LOAD").arg(&script.code).ignore();
        }
        load.query_async(connection).await
    }
}

pub(super) struct Script {
    code: String,
    hash: String,
    /// It has the prelude, which takes the incarnation from the arguments.
    looks_at_cells: bool,
}

impl Script {
    fn new(code: String, looks_at_cells: bool) -> Self {
        let hash = redis::Script::new(&code).get_hash().to_owned();
        Script { code, hash, looks_at_cells }
    }

    /// Calls the script by its hash, and by its text if somebody made the server forget it.
    pub(super) async fn call<T: FromRedisValue>(
        &self,
        session: &Session,
        keys: &[&str],
        arguments: &[&[u8]],
    ) -> RedisResult<T> {
        let mut connection = session.connection.clone();
        let call = |verb, program: &str| {
            let mut command = cmd(verb);
            command.arg(program).arg(keys.len()).arg(keys);
            if self.looks_at_cells {
                command.arg(&session.incarnation.0.to_be_bytes());
            }
            command.arg(arguments);
            command
        };
        match call("EVALSHA", &self.hash).query_async(&mut connection).await {
            Err(error) if error.kind() == ErrorKind::Server(ServerErrorKind::NoScript) => {
                call("EVAL", &self.code).query_async(&mut connection).await
            }
            answer => answer,
        }
    }
}

/// Cells as a command names them.
pub(super) fn names<'a>(keys: impl IntoIterator<Item = &'a Key>) -> Vec<&'a str> {
    keys.into_iter().map(Key::as_str).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::backend::redis::{
        codec::{LONGEST_CELL, LONGEST_TTL},
        incarnation,
    };

    #[test]
    fn scripts_and_codec_agree_on_their_bounds() {
        assert!(PRELUDE.contains(&format!("local LONGEST = {LONGEST_CELL}\n")));
        assert!(PRELUDE.contains(&format!("local LONGEST_TTL = {}\n", LONGEST_TTL.as_millis())));
    }

    #[test]
    fn scripts_agree_on_the_life_of_the_incarnation() {
        let life =
            PRELUDE.lines().find(|line| line.starts_with("local INCARNATION_LIFE")).expect("it stands there");
        assert!(incarnation::SCRIPT.contains(life));
    }
}

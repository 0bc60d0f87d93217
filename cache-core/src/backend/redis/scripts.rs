//! The scripts that execute the transitions of `slot.rs` on the server, one call for each step of a journey.

use std::sync::LazyLock;

use redis::{ErrorKind, FromRedisValue, RedisResult, ServerErrorKind, aio::MultiplexedConnection, cmd};

/// Every script but `claim` looks at cells.
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
    let with_prelude = |body: &str| Script::new(format!("{PRELUDE}\n{body}"));
    Scripts {
        lease: with_prelude(include_str!("lease.lua")),
        fill: with_prelude(include_str!("fill.lua")),
        forfeit: with_prelude(include_str!("forfeit.lua")),
        fence: with_prelude(include_str!("fence.lua")),
        release: with_prelude(include_str!("release.lua")),
        generation: with_prelude(include_str!("generation.lua")),
        claim: Script::new(include_str!("claim.lua").to_owned()),
    }
});

pub(super) struct Script {
    code: String,
    hash: String,
}

impl Script {
    fn new(code: String) -> Self {
        let hash = redis::Script::new(&code).get_hash().to_owned();
        Script { code, hash }
    }

    /// Calls the script by its hash, and by its text if the server does not know it (any more).
    pub(super) async fn call<T: FromRedisValue>(
        &self,
        connection: &mut MultiplexedConnection,
        keys: &[String],
        arguments: &[&[u8]],
    ) -> RedisResult<T> {
        let call = |verb, program: &str| {
            let mut command = cmd(verb);
            command.arg(program).arg(keys.len()).arg(keys).arg(arguments);
            command
        };
        match call("EVALSHA", &self.hash).query_async(connection).await {
            Err(error) if error.kind() == ErrorKind::Server(ServerErrorKind::NoScript) => {
                call("EVAL", &self.code).query_async(connection).await
            }
            answer => answer,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::backend::redis::codec::{LONGEST_CELL, LONGEST_TTL};

    #[test]
    fn scripts_and_codec_agree_on_their_bounds() {
        assert!(PRELUDE.contains(&format!("local LONGEST = {LONGEST_CELL}\n")));
        assert!(PRELUDE.contains(&format!("local LONGEST_TTL = {}\n", LONGEST_TTL.as_millis())));
    }
}

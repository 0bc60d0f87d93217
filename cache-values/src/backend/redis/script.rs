//! What one command can't do in one step: scripts, which the server runs with nobody in between.

use std::sync::LazyLock;

use bytes::Bytes;
use redis::{Cmd, cmd};

use crate::name::Name;

/// What the scripts have in common.
const PRELUDE: &str = include_str!("prelude.lua");

pub(super) static LOOK: LazyLock<Script> = LazyLock::new(|| Script::new(include_str!("look.lua")));
pub(super) static PUT: LazyLock<Script> = LazyLock::new(|| Script::new(include_str!("put.lua")));
pub(super) static REMOVE: LazyLock<Script> = LazyLock::new(|| Script::new(include_str!("remove.lua")));
pub(super) static TOUCH: LazyLock<Script> = LazyLock::new(|| Script::new(include_str!("touch.lua")));
pub(super) static COUNT: LazyLock<Script> = LazyLock::new(|| Script::new(include_str!("count.lua")));
pub(super) static RENAME: LazyLock<Script> = LazyLock::new(|| Script::new(include_str!("rename.lua")));

/// One script, which a server knows by its hash once it has run it.
pub(super) struct Script {
    code: String,
    hash: String,
}

impl Script {
    fn new(body: &str) -> Self {
        let code = format!("{PRELUDE}\n{body}");
        let hash = redis::Script::new(&code).get_hash().to_owned();
        Script { code, hash }
    }

    /// Makes the servers that run them know all scripts, and does nothing else: a user who may run scripts need not be
    /// allowed to load them.
    pub(super) fn introductions() -> impl Iterator<Item = Cmd> {
        [&LOOK, &PUT, &REMOVE, &TOUCH, &COUNT, &RENAME].into_iter().map(|script| script.by_code(&[], &[]))
    }

    pub(super) fn by_hash(&self, names: &[Name], arguments: &[Bytes]) -> Cmd {
        run("EVALSHA", &self.hash, names, arguments)
    }

    pub(super) fn by_code(&self, names: &[Name], arguments: &[Bytes]) -> Cmd {
        run("EVAL", &self.code, names, arguments)
    }
}

fn run(verb: &str, program: &str, names: &[Name], arguments: &[Bytes]) -> Cmd {
    let mut command = cmd(verb);
    command.arg(program).arg(names.len());
    for name in names {
        command.arg(name.as_str());
    }
    for argument in arguments {
        command.arg(&argument[..]);
    }
    command
}

//! How many programs are run, and which.

use std::env;

use tests::{Backend, Env, StoreKind};

/// The first seed, and how many follow it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Seeds {
    pub(crate) first: u64,
    pub(crate) count: u64,
}

impl Seeds {
    /// Those of a database and store: the environment's, or a number that suits CI.
    pub(crate) fn of(env: &Env) -> Self {
        let (place, count) = match (env.backend(), env.kind) {
            (Backend::Sqlite, StoreKind::Memory) => (0, 1500),
            (Backend::Sqlite, StoreKind::Redis) => (1, 500),
            (Backend::Postgres, StoreKind::Memory) => (2, 100),
            (Backend::Postgres, StoreKind::Redis) => (3, 100),
            (Backend::MySql, StoreKind::Memory) => (4, 100),
            (Backend::MySql, StoreKind::Redis) => (5, 100),
        };
        Seeds {
            first: variable("TRANSPARENCY_SEED").unwrap_or(place * 1_000_000),
            count: variable("TRANSPARENCY_PROGRAMS").unwrap_or(count * LENGTH),
        }
    }

    pub(crate) fn iter(self) -> impl Iterator<Item = u64> {
        self.first..self.first + self.count
    }
}

/// The long mode runs so many times more.
const LENGTH: u64 =
    if cfg!(feature = "long-transparency") && !cfg!(feature = "usual-transparency") { 20 } else { 1 };

fn variable(name: &str) -> Option<u64> {
    Some(env::var(name).ok()?.parse().expect("the variable is a number"))
}

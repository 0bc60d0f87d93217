//! How many programs are run, and which.

use std::env;

use tests::{Backend, Env, StoreKind, is_long};

/// The first seed, and how many follow it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Seeds {
    pub(crate) first: u64,
    pub(crate) count: u64,
}

impl Seeds {
    /// Those of a database and store: the environment's, or a number that suits a change; in a long run many more.
    pub(crate) fn of(env: &Env) -> Self {
        let (place, count) = match (env.backend(), env.kind) {
            (Backend::Sqlite, StoreKind::Memory) => (0, 300),
            (Backend::Sqlite, StoreKind::Redis) => (1, 100),
            (Backend::Postgres, StoreKind::Memory) => (2, 40),
            (Backend::Postgres, StoreKind::Redis) => (3, 40),
            (Backend::MySql, StoreKind::Memory) => (4, 30),
            (Backend::MySql, StoreKind::Redis) => (5, 30),
        };
        let times = if is_long() { LONG } else { 1 };
        Seeds {
            first: variable("TRANSPARENCY_SEED").unwrap_or(place * 1_000_000),
            count: variable("TRANSPARENCY_PROGRAMS").unwrap_or(count * times),
        }
    }

    pub(crate) fn iter(self) -> impl Iterator<Item = u64> {
        self.first..self.first + self.count
    }
}

/// A long run takes so many times more.
const LONG: u64 = 80;

fn variable(name: &str) -> Option<u64> {
    Some(env::var(name).ok()?.parse().expect("the variable is a number"))
}

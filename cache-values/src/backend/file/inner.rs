//! What all clones of a backend have in common.

use std::{
    path::PathBuf,
    sync::{Mutex, atomic::AtomicU64},
};

use super::account::Sum;

/// The folder. What is done with it is in the files beside this one.
pub(super) struct Inner {
    pub(super) root: PathBuf,
    pub(super) limits: Limits,
    pub(super) turns: Turns,
}

/// How much there may be.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Limits {
    pub(super) entries: Option<u64>,
    pub(super) bytes: Option<u64>,
    pub(super) cull_frequency: u64,
}

impl Limits {
    pub(super) fn any(&self) -> bool {
        self.entries.is_some() || self.bytes.is_some()
    }

    pub(super) fn are_exceeded(&self, sum: Sum) -> bool {
        self.entries.is_some_and(|most| sum.entries > most) || self.bytes.is_some_and(|most| sum.bytes > most)
    }
}

/// What the puts of this process owe: each pays for a look at one entry.
#[derive(Debug, Default)]
pub(super) struct Turns {
    /// Since the last look at a shard.
    pub(super) paid: AtomicU64,
    /// What that look cost.
    pub(super) price: AtomicU64,
    /// One at a time makes room.
    pub(super) turn: Mutex<()>,
}

//! Servers that follow the leader, and take reads off it.

use std::sync::{
    Arc,
    atomic::{AtomicU64, AtomicUsize, Ordering},
};

use super::{
    leader::Leader,
    replica::{Follower, Replica},
};
use crate::{backend::Item, name::Name};

/// The replicas of a leader, asked in turn.
pub(super) struct Replicas {
    all: Vec<Replica>,
    next: AtomicUsize,
    /// How many writes of this process have ended, the first of them its beginning: a replica is asked nothing before it
    /// has proved that it follows. `None` if replicas may lag behind.
    written: Option<Arc<AtomicU64>>,
}

/// A write that is under way. Its end is counted, however it ends.
#[must_use = "the write ends where this is dropped"]
pub(super) struct Writing(Option<Arc<AtomicU64>>);

impl Drop for Writing {
    fn drop(&mut self) {
        if let Some(written) = &self.0 {
            written.fetch_add(1, Ordering::SeqCst);
        }
    }
}

impl Replicas {
    pub(super) fn new(all: Vec<Replica>, read_your_writes: bool) -> Self {
        let written = read_your_writes.then(|| Arc::new(AtomicU64::new(1)));
        Replicas { all, next: AtomicUsize::new(0), written }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    pub(super) fn writing(&self) -> Writing {
        Writing(self.written.clone())
    }

    /// What is under these names, if a replica is ready to say so; one that is not is made ready meanwhile.
    pub(super) async fn read(
        &self,
        leader: &Arc<Leader>,
        names: &[Name],
        left: bool,
    ) -> Option<Vec<Option<Item>>> {
        let (replica, follower) = self.choose(leader, names.first()?)?;
        replica.read(&follower, names, left).await
    }

    fn choose(&self, leader: &Arc<Leader>, near: &Name) -> Option<(&Replica, Arc<Follower>)> {
        let written = self.written.as_ref().map(|written| written.load(Ordering::SeqCst));
        let first = self.next.fetch_add(1, Ordering::Relaxed);
        let turn = (0..self.all.len()).map(|place| &self.all[(first.wrapping_add(place)) % self.all.len()]);
        for replica in turn {
            match replica.ready(written) {
                Some(follower) => return Some((replica, follower)),
                None => replica.prepare(leader, self.written.as_ref(), near),
            }
        }
        None
    }

    pub(super) fn addresses(&self) -> Vec<&str> {
        self.all.iter().map(Replica::address).collect()
    }

    pub(super) fn hang_up(&self) {
        self.all.iter().for_each(Replica::hang_up);
    }
}

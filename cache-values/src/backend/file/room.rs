//! Room: what is over goes first, then what was not used for the longest time, at a cost that does not depend on how many there are.

use std::{
    io,
    sync::{TryLockError, atomic::Ordering},
};

use super::{
    account::{Account, Sum},
    inner::Inner,
    place::SHARDS,
    shard::{self, Candidate},
};

/// Among fewer than this, the least recently used is no good guess: another shard is looked at.
const SAMPLE: usize = 64;

/// Looking at a shard costs as much as looking at so many entries, at least.
const VISIT: u64 = 16;

/// One put makes room so many times, at most.
const ROUNDS: usize = 16;

impl Inner {
    /// After a put.
    pub(super) fn make_room(&self, account: Account) -> io::Result<()> {
        let paid = self.turns.paid.fetch_add(1, Ordering::Relaxed) + 1;
        let is_due = paid >= self.turns.price.load(Ordering::Relaxed).max(VISIT);
        if !is_due && !self.limits.are_exceeded(account.sum) {
            return Ok(());
        }
        let _turn = match self.turns.turn.try_lock() {
            Ok(turn) => turn,
            Err(TryLockError::Poisoned(turn)) => turn.into_inner(),
            Err(TryLockError::WouldBlock) => return Ok(()),
        };
        if is_due && let (Some(index), _) = self.next()? {
            self.visit(index)?;
        }
        self.cull()
    }

    /// The shard whose turn it is. Those that don't exist are passed over.
    fn next(&self) -> io::Result<(Option<usize>, Account)> {
        let account = Account::update(&self.root, |account| {
            for _ in 0..SHARDS {
                if shard::exists(&self.root, account.next) {
                    break;
                }
                account.visited(account.next, Sum::default());
            }
        })?;
        Ok((Some(account.next).filter(|index| shard::exists(&self.root, *index)), account))
    }

    /// Looks at a shard. Who may be evicted there.
    fn visit(&self, index: usize) -> io::Result<Vec<Candidate>> {
        let ((_, candidates), _) = shard::change(&self.root, index, |shard| shard.clean(index, |_| false))?;
        self.turns.paid.store(0, Ordering::Relaxed);
        self.turns.price.store(candidates.len() as u64, Ordering::Relaxed);
        Ok(candidates)
    }

    fn cull(&self) -> io::Result<()> {
        for _ in 0..ROUNDS {
            let (mut candidates, mut seen) = (Vec::new(), [false; SHARDS]);
            let (mut next, mut account) = self.next()?;
            while self.limits.are_exceeded(account.sum)
                && candidates.len() < SAMPLE
                && let Some(index) = next.filter(|index| !seen[*index])
            {
                seen[index] = true;
                candidates.extend(self.visit(index)?);
                (next, account) = self.next()?;
            }
            if !self.limits.are_exceeded(account.sum) {
                break;
            }
            self.evict(candidates, account)?;
        }
        Ok(())
    }

    /// Removes one of `cull_frequency`, and more as long as there are too many.
    fn evict(&self, mut candidates: Vec<Candidate>, mut account: Account) -> io::Result<()> {
        candidates.sort_by_key(|candidate| candidate.used);
        let share = (candidates.len() as u64).checked_div(self.limits.cull_frequency);
        let share = share.unwrap_or(candidates.len() as u64);
        for (at, candidate) in candidates.iter().enumerate() {
            if at as u64 >= share && !self.limits.are_exceeded(account.sum) {
                break;
            }
            ((), account) = shard::change(&self.root, candidate.shard, |shard| shard.evict(candidate))?;
        }
        Ok(())
    }

    pub(super) fn sweep(&self, stem: &str) -> io::Result<u64> {
        let mut removed = 0;
        for index in (0..SHARDS).filter(|index| shard::exists(&self.root, *index)) {
            let goes = |name: &str| name.starts_with(stem);
            removed += shard::change(&self.root, index, |shard| shard.clean(index, goes))?.0.0;
        }
        Ok(removed)
    }
}

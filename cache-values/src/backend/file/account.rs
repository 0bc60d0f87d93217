//! How many entries there are, and how large they are, without looking at them.
//!
//! One small file has the sums, under a lock of its own that is held for microseconds. What was changed behind its back (a process
//! killed between file and account, files removed by hand) is found out in passing: the shards are visited one after the other
//! to make room, each is counted then, and after a round the new sums take the place of the old ones.

use std::{
    fs,
    io::{self, Read, Seek, Write},
    path::Path,
};

use super::{
    files,
    place::{self, SHARDS},
};

/// Numbers in the file: see [`Account`].
const NUMBERS: usize = 6;

const MAGIC: u64 = u64::from_be_bytes(*b"account\x01");

/// A number of entries and their bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Sum {
    pub(super) entries: u64,
    pub(super) bytes: u64,
}

impl Sum {
    fn changed(self, by: Change) -> Sum {
        Sum {
            entries: self.entries.saturating_add_signed(by.entries),
            bytes: self.bytes.saturating_add_signed(by.bytes),
        }
    }
}

/// What was added, or taken away.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Change {
    pub(super) entries: i64,
    pub(super) bytes: i64,
}

impl Change {
    /// An entry more.
    pub(super) fn added(bytes: u64) -> Change {
        Change { entries: 1, bytes: bytes as i64 }
    }

    /// An entry less.
    pub(super) fn removed(bytes: u64) -> Change {
        Change { entries: -1, bytes: -(bytes as i64) }
    }

    pub(super) fn and(self, other: Change) -> Change {
        Change { entries: self.entries + other.entries, bytes: self.bytes + other.bytes }
    }
}

/// The sums, and how far the present round has come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Account {
    pub(super) sum: Sum,
    /// The shard that is visited next.
    pub(super) next: usize,
    /// The sum of those that were visited in this round.
    visited: Sum,
}

impl Account {
    /// Changes the account under its lock, and says what it is then.
    pub(super) fn update(root: &Path, change: impl FnOnce(&mut Account)) -> io::Result<Account> {
        let mut file = files::lock(&root.join("account"))?;
        let mut bytes = Vec::with_capacity(NUMBERS * 8);
        (&file).take((NUMBERS * 8) as u64).read_to_end(&mut bytes)?;
        let mut account = match Account::decode(&bytes) {
            Some(account) => account,
            None => Account { sum: count(root)?, ..Account::default() },
        };
        let before = account;
        change(&mut account);
        if account != before || bytes.is_empty() {
            file.rewind()?;
            file.write_all(&account.encode())?;
        }
        Ok(account)
    }

    /// Something became of a shard.
    pub(super) fn change(&mut self, shard: usize, by: Change) {
        self.sum = self.sum.changed(by);
        if shard < self.next {
            self.visited = self.visited.changed(by);
        }
    }

    /// The shard whose turn it was has been counted.
    pub(super) fn visited(&mut self, shard: usize, sum: Sum) {
        if shard != self.next {
            return; // Somebody else visited it too.
        }
        self.visited = Sum {
            entries: self.visited.entries.saturating_add(sum.entries),
            bytes: self.visited.bytes.saturating_add(sum.bytes),
        };
        self.next += 1;
        if self.next == SHARDS {
            *self = Account { sum: self.visited, ..Account::default() };
        }
    }

    fn encode(&self) -> Vec<u8> {
        let Account { sum, next, visited } = *self;
        let numbers: [u64; NUMBERS] =
            [MAGIC, sum.entries, sum.bytes, next as u64, visited.entries, visited.bytes];
        numbers.iter().flat_map(|number| number.to_be_bytes()).collect()
    }

    fn decode(bytes: &[u8]) -> Option<Account> {
        let numbers = bytes.chunks_exact(8).map(|number| number.try_into().map(u64::from_be_bytes));
        let numbers: Vec<u64> = numbers.collect::<Result<_, _>>().ok()?;
        let [MAGIC, entries, bytes, next, visited, visited_bytes] = numbers[..] else { return None };
        let next = usize::try_from(next).ok().filter(|next| *next < SHARDS)?;
        let visited = Sum { entries: visited, bytes: visited_bytes };
        Some(Account { sum: Sum { entries, bytes }, next, visited })
    }
}

/// Looks at all files: where there is no account yet.
fn count(root: &Path) -> io::Result<Sum> {
    let mut sum = Sum::default();
    for shard in 0..SHARDS {
        let Ok(files) = fs::read_dir(place::shard(root, shard)) else { continue };
        for file in files.flatten() {
            if file.file_name().to_str().is_some_and(place::is_counted) {
                // It may be gone again.
                sum.bytes += file.metadata().map_or(0, |metadata| metadata.len());
                sum.entries += 1;
            }
        }
    }
    Ok(sum)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_round_finds_out_what_was_done_behind_its_back() {
        let wrong = Sum { entries: 1000, bytes: 9 };
        let mut account = Account { sum: wrong, ..Account::default() };
        for shard in 0..SHARDS {
            assert_eq!(account.next, shard);
            account.visited(shard, Sum { entries: 2, bytes: 20 });
            // Behind the visitor, before it, and a second visitor.
            account.change(0, Change::added(5));
            account.change(SHARDS - 1, Change::removed(5));
            account.visited(shard, Sum { entries: 50, bytes: 50 });
        }
        // The last two changes came after the round.
        assert_eq!(account.sum, Sum { entries: 512 + 255 + 1 - 1, bytes: 20 * 256 + 255 * 5 + 5 - 5 });
        assert_eq!((account.next, account.visited), (0, Sum::default()));
    }

    #[test]
    fn anything_else_in_the_file_is_no_account() {
        let account = Account { sum: Sum { entries: 7, bytes: 70 }, next: 3, visited: Sum::default() };
        let bytes = account.encode();
        assert_eq!(Account::decode(&bytes), Some(account));
        for length in 0..bytes.len() {
            assert_eq!(Account::decode(&bytes[..length]), None);
        }
        assert_eq!(Account::decode(&[0; 48]), None);
    }
}

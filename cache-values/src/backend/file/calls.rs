//! What each call does, on a thread that may block.

use std::{
    io,
    time::{Duration, SystemTime},
};

use super::{
    super::{Counted, Item, Put, Start, Stored, When, number},
    account::Account,
    entry::{Entry, expires, is_over},
    files,
    inner::Inner,
    place::Place,
    shard,
};
use crate::name::Name;

/// An entry's last use is written down again after so long.
const MINUTE: Duration = Duration::from_secs(60);

impl Inner {
    /// Without a lock: a file is there as a whole, or not at all.
    pub(super) fn get(&self, name: &Name) -> io::Result<Option<Item>> {
        let place = Place::of(name);
        if !shard::exists(&self.root, place.shard) {
            return Ok(None);
        }
        let Some(file) = files::open(&place.path(&self.root))? else { return Ok(None) };
        let Some(entry) = Entry::read(&file)? else {
            // Under the lock, what is read once more may be another file.
            let again = shard::change(&self.root, place.shard, |shard| shard.read(&place, name.as_str()))?.0;
            return Ok(again.map(Entry::item));
        };
        if entry.name != name.as_str() || is_over(entry.expires) {
            return Ok(None);
        }
        if self.limits.any() && !name.is_cell() {
            let used = file.metadata()?.modified()?;
            // Another user's file can be read, perhaps, but not be marked. It is no less an answer.
            if used.elapsed().is_ok_and(|since| since > MINUTE) {
                let _ = file.set_modified(SystemTime::now());
            }
        }
        Ok(Some(entry.item()))
    }

    pub(super) fn put(&self, put: &Put) -> io::Result<Stored> {
        let place = Place::of(&put.name);
        let name = put.name.as_str();
        let is_too_large = self.limits.bytes.is_some_and(|most| Entry::length(name, &put.bytes) > most);
        let (stored, account) = shard::change(&self.root, place.shard, |shard| {
            // What is there matters to some.
            let there = if put.when == When::Always { None } else { shard.read(&place, name)? };
            if !put.when.holds(there.as_ref().map(|entry| &entry.value[..])) {
                return Ok(Stored::Refused);
            }
            if is_too_large {
                shard.remove(&place.file)?;
                return Ok(Stored::TooLarge);
            }
            shard.write(&place, name, expires(put.ttl), &put.bytes)?;
            Ok(Stored::Kept)
        })?;
        self.room_after(account);
        Ok(stored)
    }

    pub(super) fn remove(&self, name: &Name) -> io::Result<bool> {
        let place = Place::of(name);
        if !shard::exists(&self.root, place.shard) {
            return Ok(false);
        }
        let taken = shard::change(&self.root, place.shard, |shard| {
            let there = shard.read(&place, name.as_str())?;
            shard.remove(&place.file)?;
            Ok(there.is_some_and(|entry| entry.is_occupied()))
        })?;
        Ok(taken.0)
    }

    pub(super) fn touch(&self, name: &Name, ttl: Option<Duration>) -> io::Result<bool> {
        let place = Place::of(name);
        let touched = shard::change(&self.root, place.shard, |shard| {
            let there = shard.read(&place, name.as_str())?.filter(Entry::is_occupied);
            let Some(entry) = there else { return Ok(false) };
            shard.write(&place, name.as_str(), expires(ttl), &entry.value)?;
            Ok(true)
        })?;
        Ok(touched.0)
    }

    pub(super) fn count(&self, name: &Name, by: i64, start: Option<Start>) -> io::Result<Counted> {
        let place = Place::of(name);
        let (counted, account) = shard::change(&self.root, place.shard, |shard| {
            let there = shard.read(&place, name.as_str())?.filter(Entry::is_occupied);
            let (value, expires) = match (there, start) {
                (Some(entry), _) => {
                    let Some(before) = number(&entry.value) else { return Ok(Counted::NoNumber) };
                    let Some(value) = before.checked_add(by) else { return Ok(Counted::Overflow) };
                    (value, entry.expires)
                }
                (None, Some(start)) => (start.value, expires(start.ttl)),
                (None, None) => return Ok(Counted::Missing),
            };
            shard.write(&place, name.as_str(), expires, value.to_string().as_bytes())?;
            Ok(Counted::Is(value))
        })?;
        self.room_after(account);
        Ok(counted)
    }

    /// Both shards are locked, the first one first, so that nobody waits in a circle.
    pub(super) fn rename(&self, from: &Name, to: &Name) -> io::Result<bool> {
        let (source, target) = (Place::of(from), Place::of(to));
        let find = |shard: &mut shard::Shard| {
            Ok::<_, io::Error>(shard.read(&source, from.as_str())?.filter(Entry::is_occupied))
        };
        let write = |shard: &mut shard::Shard, entry: &Entry| {
            shard.write(&target, to.as_str(), entry.expires, &entry.value)
        };
        let root = &self.root;
        let (moved, _) = shard::change(root, source.shard.min(target.shard), |first| {
            if source.shard == target.shard {
                let Some(entry) = find(first)? else { return Ok(false) };
                if from != to {
                    write(first, &entry)?;
                    first.remove(&source.file)?;
                }
                return Ok(true);
            }
            let (moved, _) = shard::change(root, source.shard.max(target.shard), |second| {
                let (from_shard, to_shard) =
                    if source.shard < target.shard { (first, second) } else { (second, first) };
                let Some(entry) = find(from_shard)? else { return Ok(false) };
                write(to_shard, &entry)?;
                from_shard.remove(&source.file)?;
                Ok(true)
            })?;
            Ok(moved)
        })?;
        Ok(moved)
    }

    /// The put is done: that no room was made is only told to who listens.
    fn room_after(&self, account: Account) {
        if let Err(error) = self.make_room(account) {
            tracing::warn!(folder = %self.root.display(), %error, "no room was made");
        }
    }
}

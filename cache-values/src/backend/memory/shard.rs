//! One shard: cells, entries, and when these end.

use std::{
    collections::{BTreeSet, HashMap},
    time::Duration,
};

use cache_core::slot::Millis;

use super::held::{Held, Room, after};
use crate::{
    backend::{Counted, Item, Put, Start, Stored, is_promise, number},
    name::Name,
};

/// So many entries whose time is over go with each one that comes: more than come, so that none stay.
const SWEPT_AT_ONCE: usize = 4;

/// Part of a backend, behind one lock.
pub(super) struct Shard {
    /// Generations, which are few: never evicted.
    cells: HashMap<Name, Held>,
    entries: Box<dyn Room>,
    /// When entries end, those first that end first.
    ends: BTreeSet<(Millis, Name)>,
}

impl Shard {
    pub(super) fn new(room: Box<dyn Room>) -> Self {
        Shard { cells: HashMap::new(), entries: room, ends: BTreeSet::new() }
    }

    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    pub(super) fn get(&mut self, name: &Name, now: Millis) -> Option<Item> {
        self.living(name, now).map(|held| held.item(now))
    }

    pub(super) fn put(&mut self, item: &Put, now: Millis) -> Stored {
        let there = self.peek(&item.name, now).map(|held| held.bytes.as_ref());
        if !item.when.holds(there) {
            return Stored::Refused;
        }
        self.insert(&item.name, Held::new(item.bytes.clone(), item.ttl, now), now)
    }

    pub(super) fn remove(&mut self, name: &Name, now: Millis) -> bool {
        self.take(name).is_some_and(|held| held.lives(now) && !is_promise(&held.bytes))
    }

    pub(super) fn touch(&mut self, name: &Name, ttl: Option<Duration>, now: Millis) -> bool {
        let Some(held) = self.value(name, now).cloned() else { return false };
        let until = ttl.map(|ttl| after(now, ttl));
        self.insert(name, Held { until, ..held }, now) == Stored::Kept
    }

    pub(super) fn count(&mut self, name: &Name, by: i64, start: Option<Start>, now: Millis) -> Counted {
        let counted = match (self.value(name, now), start) {
            (Some(held), _) => {
                let Some(before) = number(&held.bytes) else { return Counted::NoNumber };
                let Some(value) = before.checked_add(by) else { return Counted::Overflow };
                (value, held.until)
            }
            (None, Some(Start { value, ttl })) => (value, ttl.map(|ttl| after(now, ttl))),
            (None, None) => return Counted::Missing,
        };
        let (value, until) = counted;
        self.insert(name, Held { bytes: value.to_string().into(), until }, now);
        Counted::Is(value)
    }

    /// Removes what is over, and whatever begins with this.
    pub(super) fn sweep(&mut self, stem: &str, now: Millis) -> u64 {
        let before = self.cells.len() + self.entries.len();
        let dead = |name: &Name| name.as_str().starts_with(stem);
        self.cells.retain(|name, held| held.lives(now) && !dead(name));
        for name in self.entries.names() {
            if dead(&name) || self.entries.peek(&name).is_some_and(|held| !held.lives(now)) {
                self.take(&name);
            }
        }
        (before - self.cells.len() - self.entries.len()) as u64
    }

    /// What lives under the name; its use is noted. What is over is removed.
    fn living(&mut self, name: &Name, now: Millis) -> Option<&Held> {
        if name.is_generation() {
            return self.cells.get(name).filter(|held| held.lives(now));
        }
        if !self.entries.used(name)?.lives(now) {
            self.take(name);
            return None;
        }
        self.entries.peek(name)
    }

    /// The value or number under the name; its use is noted.
    fn value(&mut self, name: &Name, now: Millis) -> Option<&Held> {
        self.living(name, now).filter(|held| !is_promise(&held.bytes))
    }

    fn peek(&self, name: &Name, now: Millis) -> Option<&Held> {
        let held = if name.is_generation() { self.cells.get(name) } else { self.entries.peek(name) };
        held.filter(|held| held.lives(now))
    }

    fn take(&mut self, name: &Name) -> Option<Held> {
        if name.is_generation() {
            return self.cells.remove(name);
        }
        let held = self.entries.remove(name)?;
        if let Some(until) = held.until {
            self.ends.remove(&(until, name.clone()));
        }
        Some(held)
    }

    fn insert(&mut self, name: &Name, held: Held, now: Millis) -> Stored {
        if name.is_generation() {
            self.cells.insert(name.clone(), held);
            return Stored::Kept;
        }
        self.forget_end(name);
        self.make_room(now);
        let until = held.until;
        let ends = &mut self.ends;
        let mut gone = |name: &Name, held: &Held| {
            if let Some(until) = held.until {
                ends.remove(&(until, name.clone()));
            }
        };
        if !self.entries.insert(name.clone(), held, &mut gone) {
            self.entries.remove(name);
            return Stored::TooLarge;
        }
        // It may have been evicted at once.
        if let Some(until) = until.filter(|_| self.entries.peek(name).is_some()) {
            self.ends.insert((until, name.clone()));
        }
        Stored::Kept
    }

    /// Takes the end of what will be replaced out of the index.
    fn forget_end(&mut self, name: &Name) {
        if let Some(until) = self.entries.peek(name).and_then(|held| held.until) {
            self.ends.remove(&(until, name.clone()));
        }
    }

    /// What is over goes first: some of it always, all of it where there is no room else.
    fn make_room(&mut self, now: Millis) {
        for count in 0.. {
            if count >= SWEPT_AT_ONCE && !self.entries.is_full() {
                break;
            }
            match self.ends.first() {
                Some((until, _)) if *until <= now => {
                    if let Some((_, name)) = self.ends.pop_first() {
                        self.entries.remove(&name);
                    }
                }
                _ => break,
            }
        }
    }
}

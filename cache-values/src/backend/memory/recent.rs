//! Room for a number of entries: those that were used last stay.

use std::collections::{BTreeMap, HashMap};

use super::held::{Held, Room};
use crate::name::Name;

pub(super) struct Recent {
    most: usize,
    /// One of so many goes where there is no room; 0 is all.
    cull_frequency: usize,
    entries: HashMap<Name, (u64, Held)>,
    /// By the number of the last use.
    order: BTreeMap<u64, Name>,
    uses: u64,
}

impl Recent {
    pub(super) fn new(most: usize, cull_frequency: usize) -> Self {
        Recent { most, cull_frequency, entries: HashMap::new(), order: BTreeMap::new(), uses: 0 }
    }

    fn next(&mut self) -> u64 {
        self.uses += 1;
        self.uses
    }
}

impl Room for Recent {
    fn used(&mut self, name: &Name) -> Option<&Held> {
        let next = self.next();
        let (last, held) = self.entries.get_mut(name)?;
        if let Some(name) = self.order.remove(last) {
            self.order.insert(next, name);
        }
        *last = next;
        Some(held)
    }

    fn peek(&self, name: &Name) -> Option<&Held> {
        self.entries.get(name).map(|(_, held)| held)
    }

    fn insert(&mut self, name: Name, held: Held, gone: &mut dyn FnMut(&Name, &Held)) -> bool {
        if self.most == 0 {
            return false;
        }
        self.remove(&name);
        if self.is_full() {
            let count = match self.cull_frequency {
                0 => self.entries.len(),
                frequency => (self.entries.len() / frequency).max(1),
            };
            for _ in 0..count {
                let Some((_, name)) = self.order.pop_first() else { break };
                if let Some((_, held)) = self.entries.remove(&name) {
                    gone(&name, &held);
                }
            }
        }
        let next = self.next();
        self.order.insert(next, name.clone());
        self.entries.insert(name, (next, held));
        true
    }

    fn remove(&mut self, name: &Name) -> Option<Held> {
        let (last, held) = self.entries.remove(name)?;
        self.order.remove(&last);
        Some(held)
    }

    fn is_full(&self) -> bool {
        self.entries.len() >= self.most
    }

    fn len(&self) -> usize {
        self.entries.len()
    }

    fn names(&self) -> Vec<Name> {
        self.entries.keys().cloned().collect()
    }
}

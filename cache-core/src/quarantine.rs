//! Tables that this process wrote to while the store could not be fenced.
//!
//! Such a table is not read from the cache here until the store has been reached again and every cell of the
//! table invalidated ("its epoch rotated"), which must happen after the last such write was decided.

use std::sync::{
    Mutex,
    atomic::{AtomicBool, Ordering},
};

use crate::unpoisoned;

/// The quarantine of one table.
#[derive(Debug, Default)]
pub(crate) struct Quarantine {
    /// Read on every lookup; changed only under the lock.
    active: AtomicBool,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    writes_under_way: usize,
    /// Grows with every unfenced write: a rotation counts only if it began after the last one.
    generation: u64,
    rotating: bool,
}

/// The right, and duty, to rotate the table's epochs.
#[derive(Debug)]
pub(crate) struct Rotation {
    generation: u64,
}

/// What became of the duty to rotate.
#[derive(Debug)]
pub(crate) enum Rotated {
    /// It is done: the quarantine is over.
    Lifted,
    /// Writes that went ahead meanwhile have it when they end.
    HandedOver,
    /// Writes went ahead meanwhile, and have ended: once more.
    Again(Rotation),
}

impl Quarantine {
    pub(crate) fn is_active(&self) -> bool {
        self.active.load(Ordering::Acquire)
    }

    /// A write goes ahead unfenced. True if the quarantine begins with it.
    pub(crate) fn write_began(&self) -> bool {
        let mut state = self.lock();
        state.writes_under_way += 1;
        state.generation += 1;
        !self.active.swap(true, Ordering::AcqRel)
    }

    /// Its outcome is known. Returns the duty to rotate, if nobody has it yet.
    pub(crate) fn write_ended(&self) -> Option<Rotation> {
        let mut state = self.lock();
        state.writes_under_way -= 1;
        if state.writes_under_way > 0 || state.rotating {
            return None;
        }
        state.rotating = true;
        Some(Rotation { generation: state.generation })
    }

    /// The table's cells have been invalidated.
    pub(crate) fn rotated(&self, rotation: Rotation) -> Rotated {
        let mut state = self.lock();
        if state.generation == rotation.generation {
            state.rotating = false;
            self.active.store(false, Ordering::Release);
            return Rotated::Lifted;
        }
        if state.writes_under_way > 0 {
            state.rotating = false;
            return Rotated::HandedOver;
        }
        Rotated::Again(Rotation { generation: state.generation })
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        unpoisoned::lock(&self.state)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rotation_after_the_last_write_lifts_it() {
        let quarantine = Quarantine::default();
        assert!(quarantine.write_began(), "the quarantine begins");
        let rotation = quarantine.write_ended().expect("the only write has ended");
        assert!(quarantine.is_active());
        assert!(matches!(quarantine.rotated(rotation), Rotated::Lifted));
        assert!(!quarantine.is_active());
    }

    #[test]
    fn a_rotation_does_not_count_for_a_write_that_began_meanwhile() {
        let quarantine = Quarantine::default();
        quarantine.write_began();
        let rotation = quarantine.write_ended().expect("the only write has ended");
        assert!(!quarantine.write_began(), "it had begun");
        let rotated = quarantine.rotated(rotation);
        assert!(matches!(rotated, Rotated::HandedOver), "the second write still runs: {rotated:?}");
        assert!(quarantine.is_active());
        let rotation = quarantine.write_ended().expect("the duty passes to the second write");
        assert!(matches!(quarantine.rotated(rotation), Rotated::Lifted));
        assert!(!quarantine.is_active());
    }

    #[test]
    fn a_write_that_began_and_ended_during_a_rotation_asks_for_another_one() {
        let quarantine = Quarantine::default();
        quarantine.write_began();
        let rotation = quarantine.write_ended().expect("the only write has ended");
        quarantine.write_began();
        assert!(quarantine.write_ended().is_none(), "somebody rotates already");
        let Rotated::Again(again) = quarantine.rotated(rotation) else { panic!("once more") };
        assert!(quarantine.is_active());
        assert!(matches!(quarantine.rotated(again), Rotated::Lifted));
        assert!(!quarantine.is_active());
    }
}

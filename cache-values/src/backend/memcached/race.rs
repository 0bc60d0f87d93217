//! When somebody else always comes between.

use crate::{backend::StoreError, name::Name};

/// Somebody else made progress each time: with fewer callers than this, nobody gives up.
pub(super) const ATTEMPTS: usize = 1000;

pub(super) fn lost(name: &Name) -> StoreError {
    StoreError::Unexpected(format!("{name:?} was changed by others {ATTEMPTS} times in a row"))
}

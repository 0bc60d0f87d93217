//! How an entity makes itself known.

use std::fmt;

use sea_orm::DbBackend;

use super::describe::{Described, describe};
use crate::model::CacheModel;

/// Collected from every linked crate when a connection is made.
#[derive(Clone, Copy)]
pub struct Registration {
    /// For one backend; whether rows are strict.
    pub(super) describe: fn(DbBackend, bool) -> Described,
}

impl Registration {
    /// The registration of one model.
    pub const fn of<M: CacheModel>() -> Self {
        Registration { describe: describe::<M> }
    }
}

impl fmt::Debug for Registration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Registration")
    }
}

inventory::collect!(Registration);

//! What an entity promises and its table does not keep.

use std::fmt;

use crate::classify::reason::BypassReason;

/// A promise of an entity that its table does not keep.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct NotCacheable {
    /// The type of the model.
    pub model: String,
    /// The table as the entity names it.
    pub table: String,
    /// The columns of the unique key that is not answered; none if no row of the entity is cached.
    pub key: Vec<String>,
    /// Why.
    pub reason: BypassReason,
    /// The columns of the entity that the table lacks, or that may not be read.
    pub missing: Vec<String>,
}

impl fmt::Display for NotCacheable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let NotCacheable { model, table, key, reason, missing } = self;
        write!(f, "{model} (table `{table}`)")?;
        if !key.is_empty() {
            write!(f, " by ({})", key.join(", "))?;
        }
        write!(f, ": {reason}")?;
        if !missing.is_empty() {
            write!(f, ": {}", missing.join(", "))?;
        }
        Ok(())
    }
}

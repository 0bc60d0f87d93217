//! The handles of tables. An entity names a table as statements do; which one that is the database decides, and
//! may decide anew when its schema changes. A handle belongs to the table.

use std::{
    collections::BTreeMap,
    fmt,
    sync::{Arc, Mutex, MutexGuard},
};

use cache_core::{
    cache::{Cache, Table},
    key::QualifiedName,
    unpoisoned,
};

use crate::model::Policy;

/// One handle for each table that an entity was ever found to mean. Handles stay: what they count and know of
/// (unfenced writes) outlives what was learned of the schema.
pub(crate) struct Tables {
    cache: Cache,
    kept: Mutex<BTreeMap<QualifiedName, Arc<Table>>>,
}

impl Tables {
    pub(super) fn new(cache: Cache) -> Self {
        Tables { cache, kept: Mutex::default() }
    }

    /// The handle of a table that an entity with this policy means, kept from now on. Of several entities over a
    /// table, the strictest policy counts.
    pub(crate) fn keep(&self, name: &QualifiedName, policy: &Policy) -> Arc<Table> {
        let make = || Arc::new(self.cache.table(name.clone()));
        let table = self.locked().entry(name.clone()).or_insert_with(make).clone();
        if let Some(unreachable) = policy.when_unreachable {
            table.when_unreachable(unreachable);
        }
        table
    }

    /// The handle of a table; one that is not kept if no entity is known to mean it.
    pub(crate) fn of(&self, name: &QualifiedName) -> Arc<Table> {
        let kept = self.locked().get(name).cloned();
        kept.unwrap_or_else(|| Arc::new(self.cache.table(name.clone())))
    }

    /// Every handle that is kept.
    pub(crate) fn kept(&self) -> Vec<Arc<Table>> {
        self.locked().values().cloned().collect()
    }

    fn locked(&self) -> MutexGuard<'_, BTreeMap<QualifiedName, Arc<Table>>> {
        unpoisoned::lock(&self.kept)
    }
}

impl fmt::Debug for Tables {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.locked().keys()).finish()
    }
}

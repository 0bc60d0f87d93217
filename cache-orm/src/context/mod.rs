//! What all clones of a connection have in common, and what they have learned of the database.
//!
//! ```text
//! learning       the schema is learned, and looked at for changes
//! extent         what anybody may have cached, as far as it is known
//! widening       what a text does by what the schema knows of it
//! session_state  whether raw SQL has changed a pooled connection
//! notice         tables that are used, and not registered
//! live           the connections of this process, for hooks
//! ```

pub(crate) mod extent;
mod learning;
#[cfg(feature = "hooks")]
pub(crate) mod live;
mod notice;
mod ready;
mod session_state;
mod widening;

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex, OnceLock, RwLock, atomic::AtomicUsize},
    time::Duration,
};

use cache_core::{
    cache::Cache,
    store::{Capabilities, Store},
    unpoisoned,
};
use sea_orm::{ConnectionTrait, DatabaseConnection, DbBackend};
use tokio::sync::watch;

use crate::{
    classify::{Classes, reason::BypassReason},
    dialect::Dialect,
    eligibility::{Allowances, Eligibility},
    registry::Registry,
    shield::Shields,
    stats::{Bypasses, WideWrites},
};

pub use ready::ReadyError;
pub(crate) use session_state::SessionState;

/// What all clones of a connection, and its transactions, have in common.
pub(crate) struct Context {
    pub(crate) db: DatabaseConnection,
    /// What the application is handed for its own use. Made when it asks.
    pub(crate) raw: OnceLock<DatabaseConnection>,
    pub(crate) backend: DbBackend,
    pub(crate) cache: Cache,
    /// To be shown.
    pub(crate) store: Arc<dyn Store>,
    pub(crate) capabilities: Capabilities,
    pub(crate) registry: Registry,
    pub(crate) classes: Classes,
    /// Whether raw SQL changed what later statements mean: nothing is read from the cache then.
    pub(crate) session: SessionState,
    /// Reads that belong to no entity, by reason.
    pub(crate) bypasses: Bypasses,
    /// Writes that could not be narrowed to tables.
    pub(crate) wide: WideWrites,
    /// How many writes were sent before anything was learned of the schema, and so unfenced.
    pub(crate) unnamed_writes: AtomicUsize,
    /// Unrecognised reads that were looked at for entities that are not registered.
    pub(crate) inspected: AtomicUsize,
    pub(crate) allowances: Allowances,
    /// That an entity can't be cached is an error, and not only a warning.
    pub(crate) requires_cacheable: bool,
    pub(crate) learned: RwLock<Learned>,
    /// What the database says it is.
    pub(crate) identity: OnceLock<String>,
    /// True while a task asks the database for its schema.
    pub(crate) learning: watch::Sender<bool>,
    /// How often the catalogue is looked at for changes that went around the library; never if zero.
    pub(crate) schema_check: Duration,
    /// The task that does so.
    pub(crate) watching: Mutex<Option<tokio::task::JoinHandle<()>>>,
    /// Calls that run to their end though their caller is gone.
    pub(crate) shields: Shields,
    /// Things that were reported and need no second report.
    pub(crate) reported: Mutex<BTreeSet<String>>,
}

/// What was learned.
#[derive(Default)]
pub(crate) struct Learned {
    /// `None` once it is forgotten.
    pub(crate) current: Option<Arc<Eligibility>>,
    /// The same, also when it is forgotten.
    pub(crate) last: Option<Arc<Eligibility>>,
    /// How often it was forgotten.
    pub(crate) forgotten: u64,
    /// How many learnings have begun.
    pub(crate) begun: u64,
}

impl Context {
    /// What is peculiar to the database.
    pub(crate) fn dialect(&self) -> &'static Dialect {
        Dialect::of(self.backend)
    }

    /// What may be cached. Learned with the first query, and again when the schema changed.
    pub(crate) async fn eligibility(self: &Arc<Self>) -> Arc<Eligibility> {
        if let Some(current) = self.current() {
            return current;
        }
        let mut learning = self.learning.subscribe();
        self.learn_ahead();
        // The sender lives as long as `self`, so waiting can't fail.
        drop(learning.wait_for(|learning| !*learning).await);
        self.current().unwrap_or_else(|| self.provisional())
    }

    /// The same for a write, whose cells must have names: where nothing was ever learned, it asks by itself.
    pub(crate) async fn eligibility_to_write(self: &Arc<Self>) -> Arc<Eligibility> {
        let eligibility = self.eligibility().await;
        if self.names_cells() { eligibility } else { self.learn_and_report().await }
    }

    /// True if a write can tell which cells it affects: the schema was learned at some time. (A mock has none.)
    pub(crate) fn names_cells(&self) -> bool {
        self.last().is_some() || self.db.is_mock_connection()
    }

    /// What was learned last, however old, or nothing: then reads go to the database and writes invalidate
    /// everything.
    pub(crate) fn provisional(&self) -> Arc<Eligibility> {
        let current = unpoisoned::read(&self.learned).current.clone();
        current.unwrap_or_else(|| self.nothing_learned())
    }

    /// What was learned last, without asking the database: inside a transaction, whose connection may be the
    /// pool's only one, nothing can be learned.
    pub(crate) fn current(&self) -> Option<Arc<Eligibility>> {
        let learned = unpoisoned::read(&self.learned);
        let refused = !self.cache.is_enabled();
        learned.current.as_ref().filter(|eligibility| refused || !eligibility.is_expired()).cloned()
    }

    /// What was learned last of the schema, however old: how tables were named then.
    pub(crate) fn last(&self) -> Option<Arc<Eligibility>> {
        unpoisoned::read(&self.learned).last.clone()
    }

    /// Drops what was learned: the next query learns anew.
    pub(crate) fn forget(&self) {
        let mut learned = unpoisoned::write(&self.learned);
        learned.current = None;
        learned.forgotten += 1;
    }

    /// True the first time it is asked about `what`.
    pub(crate) fn is_news(&self, what: &str) -> bool {
        unpoisoned::lock(&self.reported).insert(what.to_owned())
    }

    pub(crate) fn is_disabled(&self) -> Option<BypassReason> {
        if !self.cache.is_enabled() {
            Some(BypassReason::Disabled)
        } else if self.session.is_changed() {
            Some(BypassReason::SessionState)
        } else {
            None
        }
    }
}

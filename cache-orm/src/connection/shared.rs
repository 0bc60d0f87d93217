//! What all clones of a connection have in common, and what they have learned of the database.

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex, OnceLock, PoisonError, RwLock, atomic::AtomicUsize},
};

use cache_core::{cache::Cache, store::Reach};
use sea_orm::{ConnectionTrait, DatabaseConnection, DbBackend};
use tokio::{runtime::Handle, sync::watch};

use crate::{
    classify::{Classes, reason::BypassReason},
    connection::{ReadyError, session::Session},
    knowledge::{Allowances, Knowledge},
    registry::Registry,
    row::Codec,
    schema,
    shield::Shields,
    stats::{Bypasses, WideWrites},
};

/// What all clones of a connection, and its transactions, have in common.
pub(crate) struct Shared {
    pub(crate) db: DatabaseConnection,
    /// What the application is handed for its own use. Made when it asks.
    pub(super) raw: OnceLock<DatabaseConnection>,
    pub(crate) backend: DbBackend,
    pub(crate) cache: Cache,
    pub(crate) codec: Codec,
    /// Values are kept encoded, or as they are.
    pub(crate) reach: Reach,
    pub(crate) registry: Registry,
    pub(crate) classes: Classes,
    /// Whether raw SQL changed what later statements mean: nothing is read from the cache then.
    pub(crate) session: Session,
    /// Reads that belong to no entity, by reason.
    pub(crate) bypasses: Bypasses,
    /// Writes that could not be narrowed to tables.
    pub(crate) wide: WideWrites,
    /// Unrecognised reads that were looked at for entities that are not registered.
    pub(super) inspected: AtomicUsize,
    pub(super) allowances: Allowances,
    pub(super) knowledge: RwLock<Known>,
    /// What the database says it is.
    pub(crate) identity: OnceLock<String>,
    /// True while a task asks the database for its schema.
    pub(super) learning: watch::Sender<bool>,
    /// Calls that run to their end though their caller is gone.
    pub(crate) shields: Shields,
    /// Things that were reported and need no second report.
    pub(super) reported: Mutex<BTreeSet<String>>,
}

/// What was learned, and how often it was forgotten.
#[derive(Default)]
pub(crate) struct Known {
    knowledge: Option<Arc<Knowledge>>,
    generation: u64,
}

/// The schema is being learned until this is dropped.
struct Learning(Arc<Shared>);

impl Drop for Learning {
    fn drop(&mut self) {
        self.0.learning.send_replace(false);
    }
}

impl Shared {
    /// What may be cached. Learned with the first query, and again when the schema changed.
    pub(crate) async fn knowledge(self: &Arc<Self>) -> Arc<Knowledge> {
        if let Some(known) = self.known() {
            return known;
        }
        let mut learning = self.learning.subscribe();
        self.learn_ahead();
        // The sender lives as long as `self`, so waiting can't fail.
        drop(learning.wait_for(|learning| !*learning).await);
        self.known().unwrap_or_else(|| self.provisional())
    }

    /// Has the schema learned, if it is not known, by a task of its own: whoever waits for it does not depend on
    /// a future that somebody else may never poll again, and a transaction need not wait at all.
    pub(crate) fn learn_ahead(self: &Arc<Self>) {
        // A mock has answers for its user's queries only.
        if self.known().is_some() || self.db.is_mock_connection() {
            return;
        }
        let Ok(runtime) = Handle::try_current() else { return };
        let begins = self.learning.send_if_modified(|learning| !std::mem::replace(learning, true));
        if begins {
            let learning = Learning(self.clone());
            runtime.spawn(async move {
                if learning.0.known().is_none() {
                    learning.0.learn_and_report().await;
                }
            });
        }
    }

    /// What was learned last, however old, or nothing: then reads go to the database and writes invalidate
    /// everything.
    fn provisional(&self) -> Arc<Knowledge> {
        let known = self.knowledge.read().unwrap_or_else(PoisonError::into_inner).knowledge.clone();
        known.unwrap_or_else(|| Arc::new(Knowledge::new(None, false, &self.registry, self.allowances)))
    }

    /// What was learned last, without asking the database: inside a transaction, whose connection may be the
    /// pool's only one, nothing can be learned.
    pub(crate) fn known(&self) -> Option<Arc<Knowledge>> {
        let known = self.knowledge.read().unwrap_or_else(PoisonError::into_inner);
        let refused = !self.cache.is_enabled();
        known.knowledge.as_ref().filter(|knowledge| refused || !knowledge.is_expired()).cloned()
    }

    /// Drops what was learned: the next query learns anew.
    pub(crate) fn forget(&self) {
        let mut known = self.knowledge.write().unwrap_or_else(PoisonError::into_inner);
        known.knowledge = None;
        known.generation += 1;
    }

    /// True the first time it is asked about `what`.
    pub(crate) fn is_news(&self, what: &str) -> bool {
        self.reported.lock().unwrap_or_else(PoisonError::into_inner).insert(what.to_owned())
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

    async fn learn_and_report(&self) -> Arc<Knowledge> {
        let generation = self.generation();
        match self.learn().await {
            Ok(knowledge) => knowledge,
            Err(error) => {
                if self.is_news(&error.to_string()) {
                    tracing::error!(%error, "queries go to the database until this is mended");
                }
                // `learn` remembers what it did learn.
                let known = self.knowledge.read().unwrap_or_else(PoisonError::into_inner).knowledge.clone();
                known.unwrap_or_else(|| self.remember(None, false, generation))
            }
        }
    }

    pub(super) async fn learn(&self) -> Result<Arc<Knowledge>, ReadyError> {
        let generation = self.generation();
        let schema = match schema::learn(&self.db).await {
            Ok(schema) => schema,
            Err(error) => {
                self.remember(None, false, generation);
                return Err(error.into());
            }
        };
        if schema.triggers_hidden && self.is_news("hidden triggers") {
            tracing::warn!(
                "this database user may not see the triggers of some tables: each write to them invalidates \
                 everything. GRANT TRIGGER on the database makes such writes exact"
            );
        }
        let writers: Vec<_> = schema.writers.names().collect();
        if !writers.is_empty() && self.is_news("writers") {
            tracing::warn!(
                ?writers,
                "these call functions that may write: what reads or writes through them invalidates everything. If the \
                 functions write nothing, declare them so: STABLE or IMMUTABLE on Postgres, READS SQL DATA on MySQL"
            );
        }
        // The first one counts: a database in memory is given another each time it is learned.
        let identity = self.identity.get_or_init(|| schema.identity.clone());
        let claimed = self.cache.claim(identity).await;
        let knowledge = self.remember(Some(schema), claimed.is_ok(), generation);
        claimed?;
        for column in knowledge.unlike_columns(&self.registry) {
            if self.is_news(&column) {
                tracing::warn!(
                    column,
                    "`into_json` would see another form of this column in a cached row than in this database's: its \
                     entity is not cached here, unless it says `#[cacheable(model_only)]`"
                );
            }
        }
        Ok(knowledge)
    }

    /// Keeps what was learned, unless the schema changed while it was being learned.
    fn remember(&self, schema: Option<schema::Schema>, claimed: bool, generation: u64) -> Arc<Knowledge> {
        let knowledge = Arc::new(Knowledge::new(schema, claimed, &self.registry, self.allowances));
        let mut known = self.knowledge.write().unwrap_or_else(PoisonError::into_inner);
        if known.generation != generation {
            return Arc::new(Knowledge::new(None, false, &self.registry, self.allowances));
        }
        known.knowledge = Some(knowledge.clone());
        knowledge
    }

    fn generation(&self) -> u64 {
        self.knowledge.read().unwrap_or_else(PoisonError::into_inner).generation
    }
}

//! What all clones of a connection have in common, and what they have learned of the database.

use std::{
    collections::BTreeSet,
    sync::{
        Arc, Mutex, OnceLock, PoisonError, RwLock,
        atomic::{AtomicUsize, Ordering},
    },
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
    write::affected,
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
    /// How many writes were sent before anything was learned of the schema, and so unfenced.
    pub(crate) unnamed_writes: AtomicUsize,
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
    /// What was learned last, kept when it is forgotten: the names of cells.
    last: Option<Arc<Knowledge>>,
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

    /// The same for a write, whose cells must have names: where nothing was ever learned, it asks by itself.
    pub(crate) async fn knowledge_to_write(self: &Arc<Self>) -> Arc<Knowledge> {
        let knowledge = self.knowledge().await;
        if self.names_cells() { knowledge } else { self.learn_and_report().await }
    }

    /// True if a write can tell which cells it affects: the schema was learned at some time. (A mock has none.)
    pub(crate) fn names_cells(&self) -> bool {
        self.last().is_some() || self.db.is_mock_connection()
    }

    /// What was learned last, however old, or nothing: then reads go to the database and writes invalidate
    /// everything.
    fn provisional(&self) -> Arc<Knowledge> {
        let known = self.knowledge.read().unwrap_or_else(PoisonError::into_inner).knowledge.clone();
        known.unwrap_or_else(|| self.knowing(None, false))
    }

    /// What was learned last, without asking the database: inside a transaction, whose connection may be the
    /// pool's only one, nothing can be learned.
    pub(crate) fn known(&self) -> Option<Arc<Knowledge>> {
        let known = self.knowledge.read().unwrap_or_else(PoisonError::into_inner);
        let refused = !self.cache.is_enabled();
        known.knowledge.as_ref().filter(|knowledge| refused || !knowledge.is_expired()).cloned()
    }

    /// What was learned last of the schema, however old: how tables were named then.
    pub(crate) fn last(&self) -> Option<Arc<Knowledge>> {
        self.knowledge.read().unwrap_or_else(PoisonError::into_inner).last.clone()
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
                known.unwrap_or_else(|| self.remember(self.knowing(None, false), generation))
            }
        }
    }

    pub(super) async fn learn(&self) -> Result<Arc<Knowledge>, ReadyError> {
        let generation = self.generation();
        let schema = match schema::learn(&self.db, &self.registry.schemas()).await {
            Ok(schema) => schema,
            Err(error) => {
                self.remember(self.knowing(None, false), generation);
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
        let knowledge = self.knowing(Some(schema), claimed.is_ok());
        self.make_up_for_unnamed_writes(&knowledge).await;
        let knowledge = self.remember(knowledge, generation);
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

    /// Invalidates everything if writes were sent before their cells had names. Such a write may not have ended yet,
    /// so the fence is left to expire.
    async fn make_up_for_unnamed_writes(&self, knowledge: &Knowledge) {
        let due = self.unnamed_writes.load(Ordering::Acquire);
        if due == 0 {
            return;
        }
        // They were sent: where they can't be fenced, it is this process's duty to invalidate them.
        drop(self.cache.fence_written(affected::everything(self, Some(knowledge))).await);
        let paid = |now| (now == due).then_some(0);
        if self.unnamed_writes.fetch_update(Ordering::AcqRel, Ordering::Acquire, paid).is_err() {
            tracing::debug!("whoever learns the schema next invalidates everything once more");
        }
    }

    fn knowing(&self, schema: Option<schema::Schema>, claimed: bool) -> Arc<Knowledge> {
        Arc::new(Knowledge::new(schema, claimed, &self.registry, self.allowances))
    }

    /// Keeps what was learned, unless the schema changed while it was being learned.
    fn remember(&self, knowledge: Arc<Knowledge>, generation: u64) -> Arc<Knowledge> {
        let mut known = self.knowledge.write().unwrap_or_else(PoisonError::into_inner);
        let is_current = known.generation == generation;
        if knowledge.schema.is_some() && (is_current || known.last.is_none()) {
            known.last = Some(knowledge.clone());
        }
        if !is_current {
            return self.knowing(None, false);
        }
        known.knowledge = Some(knowledge.clone());
        knowledge
    }

    fn generation(&self) -> u64 {
        self.knowledge.read().unwrap_or_else(PoisonError::into_inner).generation
    }
}

//! Learning the schema, and noticing that it has changed elsewhere.
//!
//! What is learned is labelled with the generation that the store names *before* the database is asked. So it is
//! never older than its label; and if the schema changes meanwhile, its label is one that the store never names
//! again.

use std::{
    collections::BTreeSet,
    sync::{Arc, Weak, atomic::Ordering},
    time::Duration,
};

use bytes::Bytes;
use cache_core::{cache::CacheError, entry::Generation, fence::Affected, key::QualifiedName, unpoisoned};
use sea_orm::{ConnectionTrait, DatabaseTransaction, DbErr, TransactionTrait};
use tokio::runtime::Handle;

use crate::{
    classify::{Class, ReadClass},
    context::{Context, ReadyError, extent::everything},
    eligibility::{Eligibility, Label},
    schema::{self, Catalogue, Schema},
};

/// So often the schema may change while it is being learned.
const CHANGES: usize = 3;

/// The schema is being learned until this is dropped.
struct Learning(Arc<Context>);

impl Drop for Learning {
    fn drop(&mut self) {
        self.0.learning.send_replace(false);
    }
}

impl Context {
    /// Has the schema learned, if it is not known, by a task of its own: whoever waits for it does not depend on
    /// a future that somebody else may never poll again, and a transaction need not wait at all.
    pub(crate) fn learn_ahead(self: &Arc<Self>) {
        if self.current().is_none() {
            self.learn_by_task(|shared| shared.current().is_none());
        }
    }

    /// Begins a task that learns the schema if it is still `due` then, unless there is one.
    fn learn_by_task(self: &Arc<Self>, due: impl FnOnce(&Context) -> bool + Send + 'static) {
        // A mock has answers for its user's queries only.
        if self.db.is_mock_connection() {
            return;
        }
        let Ok(runtime) = Handle::try_current() else { return };
        let begins = self.learning.send_if_modified(|learning| !std::mem::replace(learning, true));
        if begins {
            let learning = Learning(self.clone());
            runtime.spawn(async move {
                if due(&learning.0) {
                    learning.0.learn_and_report().await;
                }
            });
        }
    }

    pub(crate) async fn learn_and_report(self: &Arc<Self>) -> Arc<Eligibility> {
        match self.learn().await {
            Ok(eligibility) => eligibility,
            Err(error) => {
                if self.is_news(&error.to_string()) {
                    tracing::error!(%error, "queries go to the database until this is mended");
                }
                // `learn` keeps what it did learn.
                self.provisional()
            }
        }
    }

    pub(crate) async fn learn(self: &Arc<Self>) -> Result<Arc<Eligibility>, ReadyError> {
        self.watch();
        let forgotten = self.lock_learned(|learned| learned.forgotten);
        for _ in 0..CHANGES {
            let (eligibility, claimed) = match self.ask().await {
                Ok(asked) => asked,
                Err(error) => {
                    self.adopt(self.nothing_learned(), forgotten);
                    return Err(error.into());
                }
            };
            self.make_up_for_unnamed_writes(&eligibility).await;
            if let Err(refused) = claimed {
                self.adopt(eligibility, forgotten);
                return Err(refused.into());
            }
            if !self.has_changed_unnoticed(&eligibility).await {
                let eligibility = self.adopt(eligibility, forgotten);
                self.report_unlike_columns(&eligibility);
                return Ok(eligibility);
            }
            self.move_on(&eligibility).await;
        }
        // It changes faster than it is learned: the next query tries again.
        Ok(self.nothing_learned())
    }

    /// Learns anew what a writer found to be of another generation. What it is given was learned after the call
    /// began: so it knows every change that was committed before.
    ///
    /// # Cancel safety
    /// Dropped midway, the learning goes on.
    pub(crate) async fn relearn(self: &Arc<Self>) -> Arc<Eligibility> {
        let arrived = self.lock_learned(|learned| learned.begun);
        // A task that is under way may have begun before; the one after it has not.
        for _ in 0..2 {
            let mut learning = self.learning.subscribe();
            self.learn_by_task(move |shared| shared.learned_since(arrived).is_none());
            // The sender lives as long as `self`, so waiting can't fail.
            drop(learning.wait_for(|learning| !*learning).await);
            if let Some(eligibility) = self.learned_since(arrived) {
                return eligibility;
            }
        }
        self.provisional()
    }

    /// What was learned by asking for it after the first `begun` times.
    fn learned_since(&self, begun: u64) -> Option<Arc<Eligibility>> {
        let eligibility = self.lock_learned(|learned| learned.current.clone());
        eligibility.filter(|eligibility| eligibility.label.number > begun)
    }

    /// The store has named another generation: the next query learns the schema anew.
    pub(crate) fn forget_generation(&self, generation: Generation) {
        self.lock_learned(|learned| {
            let current = learned.current.as_ref().and_then(|eligibility| eligibility.generation());
            if current == Some(generation) {
                learned.current = None;
                learned.forgotten += 1;
            }
        });
    }

    /// Everything that may be cached, where nothing can be learned: the tables known here, and those that somebody
    /// has recorded who knows the schema as it is.
    pub(crate) async fn everything_recorded(&self) -> Affected {
        let last = self.lock_learned(|learned| learned.last.clone());
        let mut everything = everything(self, last.as_deref());
        let Some(Catalogue { viewer, .. }) = last.and_then(|last| last.label.catalogue.clone()) else {
            return everything;
        };
        if let Ok(Some(generation)) = self.cache.generation().await
            && let Ok(Some(record)) = self.cache.recorded(&viewer, generation).await
        {
            for table in Record(record).tables() {
                everything.add_table(&self.registry.tables.of(&table));
            }
        }
        everything
    }

    /// Asks the store for the schema's generation, then the database for the schema, and binds the namespace to the
    /// database.
    async fn ask(&self) -> Result<(Arc<Eligibility>, Result<(), CacheError>), DbErr> {
        let number = self.lock_learned(|learned| {
            learned.begun += 1;
            learned.begun
        });
        let generation = self.cache.generation().await.ok().flatten();
        let catalogue = Some(Catalogue::look(&self.db).await?);
        let schema = schema::learn(&self.db, &self.registry.schemas()).await?;
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
        let label = Label { generation, catalogue, number };
        let is_claimed = claimed.is_ok();
        let eligibility = Eligibility::new(Some(schema), is_claimed, label, &self.registry, self.allowances);
        Ok((Arc::new(eligibility), claimed))
    }

    /// Invalidates everything if writes were sent before their cells had names. Such a write may not have ended yet,
    /// so the fence is left to expire.
    async fn make_up_for_unnamed_writes(&self, eligibility: &Eligibility) {
        let due = self.unnamed_writes.load(Ordering::Acquire);
        if due == 0 {
            return;
        }
        // They were sent: where they can't be fenced, it is this process's duty to invalidate them.
        self.cache.fence_written(everything(self, Some(eligibility))).await.0.leave();
        let paid = |now| (now == due).then_some(0);
        if self.unnamed_writes.fetch_update(Ordering::AcqRel, Ordering::Acquire, paid).is_err() {
            tracing::debug!("whoever learns the schema next invalidates everything once more");
        }
    }

    /// Learns on a transaction's own connection how tables are named, where nothing was ever learned: what the
    /// transaction has written can't be fenced else, and it may hold the pool's only connection.
    pub(crate) async fn learn_names(&self, transaction: &DatabaseTransaction) {
        if !self.names_cells() {
            self.learn_within(transaction).await;
        }
    }

    /// What the schema is to a transaction. Kept only where nothing was ever learned.
    async fn learn_within(&self, transaction: &DatabaseTransaction) -> Option<Arc<Eligibility>> {
        // In a savepoint: a question that fails must not end the transaction.
        let savepoint = transaction.begin().await.ok()?;
        let learned = schema::learn(&savepoint, &self.registry.schemas()).await;
        let (Ok(schema), Ok(())) = (learned, savepoint.rollback().await) else { return None };
        let label = Label::default();
        let eligibility =
            Arc::new(Eligibility::new(Some(schema), false, label, &self.registry, self.allowances));
        self.lock_learned(|learned| learned.last.get_or_insert_with(|| eligibility.clone()).clone());
        Some(eligibility)
    }

    /// Whether any of these texts, which read as far as they show, may have written by what the schema says. Where
    /// nobody has learned it meanwhile, it is asked on the transaction's own connection.
    pub(crate) async fn may_have_written(
        &self,
        texts: &BTreeSet<String>,
        transaction: &DatabaseTransaction,
    ) -> bool {
        let current = self.current().filter(|eligibility| eligibility.schema.is_some());
        let eligibility = match current {
            Some(eligibility) => Some(eligibility),
            None => self.learn_within(transaction).await.or_else(|| self.last()),
        };
        let read = Class::Read(ReadClass::Select);
        eligibility.is_some_and(|eligibility| {
            texts.iter().any(|sql| eligibility.widen(&read, sql, self.backend).is_some())
        })
    }

    fn report_unlike_columns(&self, eligibility: &Eligibility) {
        for column in eligibility.unlike_columns(&self.registry) {
            if self.is_news(&column) {
                tracing::warn!(
                    column,
                    "`into_json` would see another form of this column in a cached row than in this database's: its \
                     entity is not cached here, unless it says `#[cacheable(model_only)]`"
                );
            }
        }
    }

    /// Makes what was learned the current state, unless the schema changed while it was being learned.
    fn adopt(&self, eligibility: Arc<Eligibility>, forgotten: u64) -> Arc<Eligibility> {
        self.lock_learned(|learned| {
            let is_current = learned.forgotten == forgotten;
            if eligibility.schema.is_some() && (is_current || learned.last.is_none()) {
                learned.last = Some(eligibility.clone());
            }
            if !is_current {
                return self.nothing_learned();
            }
            learned.current = Some(eligibility.clone());
            eligibility
        })
    }

    /// True if the catalogue looks otherwise than it did, here or to another process, in the same generation: then
    /// the schema was changed around the library. Keeps what it looks like, for the next time.
    async fn has_changed_unnoticed(&self, eligibility: &Arc<Eligibility>) -> bool {
        let (Some(generation), Some(schema), Some(catalogue)) =
            (eligibility.generation(), &eligibility.schema, &eligibility.label.catalogue)
        else {
            return false;
        };
        if !self.capabilities.keeps || !self.cache.is_enabled() {
            return false;
        }
        let last = self.lock_learned(|learned| learned.last.clone());
        let same_generation = last.filter(|last| last.generation() == Some(generation));
        if same_generation.is_some_and(|last| last.label.catalogue.as_ref() != Some(catalogue)) {
            return true;
        }
        match self.cache.recorded(&catalogue.viewer, generation).await {
            Ok(Some(record)) if !Record(record.clone()).is_of(catalogue) => return true,
            Ok(Some(_)) => {}
            Ok(None) => {
                let record = Record::of(catalogue, schema).0;
                // Whoever comes next records it else.
                drop(self.cache.record(&catalogue.viewer, generation, record).await);
            }
            // Nothing is filled while the store is out of reach.
            Err(_) => {}
        }
        self.lock_learned(|learned| learned.last = Some(eligibility.clone()));
        false
    }

    /// Ends a generation in which the schema has changed: everything is emptied that was cached in it.
    async fn move_on(&self, eligibility: &Eligibility) {
        tracing::info!("the schema was changed by another program: everything is invalidated");
        let last = self.lock_learned(|learned| learned.last.clone());
        let mut affected = everything(self, Some(eligibility));
        affected.merge(everything(self, last.as_deref()));
        affected.add_table(self.cache.schema());
        if self.cache.invalidate(affected).await.is_err() {
            // Nothing was moved, or not known to be: what was learned may be of either.
            self.forget();
        }
    }

    /// Starts to look at the catalogue now and then, unless somebody does.
    fn watch(self: &Arc<Self>) {
        let Ok(runtime) = Handle::try_current() else { return };
        if self.schema_check.is_zero() || !self.capabilities.keeps || self.db.is_mock_connection() {
            return;
        }
        let mut watching = unpoisoned::lock(&self.watching);
        // The runtime of an earlier task may have ended.
        if watching.as_ref().is_none_or(tokio::task::JoinHandle::is_finished) {
            *watching = Some(runtime.spawn(look_now_and_then(Arc::downgrade(self), self.schema_check)));
        }
    }

    /// Learns anew if the schema has changed since it was learned.
    async fn look(self: &Arc<Self>) {
        let Some(eligibility) = self.current() else { return };
        let Some(generation) = eligibility.generation() else { return };
        // While the schema is being changed, or nobody can say, there is nothing to compare.
        let Ok(Some(current)) = self.cache.generation().await else { return };
        if current == generation {
            let Ok(catalogue) = Catalogue::look(&self.db).await else { return };
            if eligibility.label.catalogue.as_ref() == Some(&catalogue) {
                return;
            }
        }
        self.relearn().await;
    }

    pub(crate) fn nothing_learned(&self) -> Arc<Eligibility> {
        Arc::new(Eligibility::new(None, false, Label::default(), &self.registry, self.allowances))
    }

    fn lock_learned<T>(&self, with: impl FnOnce(&mut super::Learned) -> T) -> T {
        with(&mut unpoisoned::write(&self.learned))
    }
}

/// Ends with the connection that it is for.
async fn look_now_and_then(shared: Weak<Context>, period: Duration) {
    loop {
        tokio::time::sleep(period).await;
        let Some(shared) = shared.upgrade() else { return };
        shared.look().await;
    }
}

/// What one process tells the others of the schema: what the catalogue looked like, and the tables in it. One a line.
struct Record(Bytes);

impl Record {
    fn of(catalogue: &Catalogue, schema: &Schema) -> Self {
        let names = schema.tables().flat_map(|table| table.names()).map(QualifiedName::as_str);
        let lines = [catalogue.fingerprint.as_str()].into_iter().chain(names);
        Record(lines.collect::<Vec<_>>().join("\n").into())
    }

    fn is_of(&self, catalogue: &Catalogue) -> bool {
        self.0.split(|byte| *byte == b'\n').next() == Some(catalogue.fingerprint.as_bytes())
    }

    fn tables(&self) -> Vec<QualifiedName> {
        let lines = self.0.split(|byte| *byte == b'\n').skip(1);
        lines.filter_map(|name| QualifiedName::read(std::str::from_utf8(name).ok()?)).collect()
    }
}

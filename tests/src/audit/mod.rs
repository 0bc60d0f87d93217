//! What a test leaves in its store, compared with its database.
//!
//! After every test of [`matrix!`](crate::matrix) that has a store, a reader that has just been started asks, for each
//! filled slot of the test's namespace, the question that the slot holds the answer of. It reads through the cache as
//! any process would: by its own knowledge of the schema, the stamps and fingerprints of the entries, over a store that
//! only looks. What it is served from that very slot must be what the database says.
//!
//! A slot from which nobody is served any more (its epoch has passed, it is fenced) is counted and left alone.
//! A test that leaves an old row on purpose [says so](crate::Env::leaves_old), and the audit demands that it is old.

mod cell;
mod entity;
mod witness;

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    sync::Arc,
    time::Duration,
};

use cache_core::{key::Address, store::Store};
use cache_orm::{CachedConnection, Namespace, connection::ReadyError};
use sea_orm::DatabaseConnection;

pub use cell::{CellName, Place};
pub use entity::Audited;
pub(crate) use witness::Witness;

use crate::Env;

/// What an audit found.
#[derive(Debug, Default)]
pub struct Audit {
    /// So many slots served their reader, and were compared.
    pub compared: usize,
    /// So many were filled and not compared, and why.
    pub passed_over: BTreeMap<&'static str, usize>,
    /// What was served and is not what the database says.
    pub old: BTreeMap<String, Old>,
}

/// An answer that the database would not give.
#[derive(Debug)]
pub struct Old {
    /// What the cache says.
    pub cached: String,
    /// What the database says.
    pub plain: String,
}

/// A process that has just been started, and changes nothing.
struct Reader {
    db: CachedConnection,
    store: Arc<Witness>,
}

impl Audit {
    /// Compares every filled slot of the run's namespace with the database.
    ///
    /// # Panics
    /// When a server does not answer, or an entity is not [`audited!`](crate::audited).
    pub async fn of(env: &Env) -> Self {
        let store = env.store().await;
        let mut audit = Audit::default();
        let mut slots: BTreeMap<CellName, (Namespace, String)> = BTreeMap::new();
        for (cell, name) in
            env.slots().await.into_iter().filter_map(|name| Some((CellName::read(&name)?, name)))
        {
            let at = Address { slot: name.clone().into(), epoch: None, presence: None };
            match cell.namespace(&env.namespace) {
                Some(namespace) if store.lookup(&at).await.expect("the store answers").entry.is_some() => {
                    slots.insert(cell, (namespace, name));
                }
                Some(_) => {}
                None => audit.pass_over("it is of a namespace of the test's own"),
            }
        }
        if slots.is_empty() {
            return audit;
        }
        let plain = env.connect().await;
        // Rows come before aliases: what an alias leads to has been judged by then.
        let mut readers: BTreeMap<String, Option<Reader>> = BTreeMap::new();
        for (cell, (namespace, name)) in slots {
            if !readers.contains_key(&cell.stem) {
                let reader = Reader::start(plain.clone(), store.clone(), namespace).await;
                readers.insert(cell.stem.clone(), reader);
            }
            match &readers[&cell.stem] {
                Some(reader) => audit.compare(reader, &plain, cell, &name).await,
                None => audit.pass_over("a reader who starts now is refused"),
            }
        }
        plain.close().await.expect("an open connection can be closed");
        audit
    }

    async fn compare(&mut self, reader: &Reader, plain: &DatabaseConnection, cell: CellName, name: &str) {
        let (mut is_asked, mut is_served) = (false, false);
        for entity in Audited::all().filter(|entity| entity.may_own(&cell)) {
            let ask = |db| (entity.plain)(db, &cell);
            let Some(question) = (entity.cached)(&reader.db, &cell) else { continue };
            is_asked = true;
            let before = ask(plain).expect("it can be asked").await;
            let Some((cached, looked)) = reader.served(name, question).await else { continue };
            is_served = true;
            // What goes on after the test may change the row between the two.
            let after = ask(plain).expect("it can be asked").await;
            let leads_to_old = looked.iter().filter_map(|name| CellName::read(name));
            let leads_to_old =
                leads_to_old.map(|cell| cell.to_string()).any(|cell| self.old.contains_key(&cell));
            if cached != before && cached != after && !leads_to_old {
                self.old.insert(cell.to_string(), Old { cached, plain: after });
            }
        }
        match (is_asked, is_served) {
            (_, true) => self.compared += 1,
            (true, false) => self.pass_over("nobody is served from it"),
            (false, false) => self.pass_over("its name does not tell its key, or its table has no entity"),
        }
    }

    fn pass_over(&mut self, why: &'static str) {
        *self.passed_over.entry(why).or_default() += 1;
    }

    /// Demands that exactly these cells are old.
    ///
    /// # Panics
    /// When another one is, or one of these is not.
    pub(crate) fn judge(&self, expected: &BTreeMap<String, &'static str>) {
        let others: Vec<_> = self.old.iter().filter(|(cell, _)| !expected.contains_key(*cell)).collect();
        assert!(others.is_empty(), "the test leaves old cells behind:\n{}", Shown(&others));
        for (cell, why) in expected {
            assert!(self.old.contains_key(cell), "`{cell}` is not old, though {why}");
        }
    }
}

impl Reader {
    /// `None` if it is refused.
    async fn start(plain: DatabaseConnection, store: Arc<dyn Store>, namespace: Namespace) -> Option<Self> {
        let store = Arc::new(Witness::that_only_looks(store));
        let db = CachedConnection::builder(plain)
            .shared_store(store.clone())
            .namespace(namespace)
            // A machine that is busy with other tests must not look like a store that is down.
            .store_time_out(Duration::from_secs(60))
            .unwatched()
            .schema_check(Duration::ZERO)
            .build_lazily()
            .ok()?;
        match db.ready().await {
            // What it says of columns keeps nothing from being cached.
            Ok(()) | Err(ReadyError::UnlikeAsJson { .. }) => {}
            Err(_) => return None,
        }
        for label in db.stats().entities.keys() {
            let is_known = Audited::all().any(|entity| entity.label() == *label);
            assert!(is_known, "add `tests::audited!` for the entity of the table `{label}`");
        }
        Some(Reader { db, store })
    }

    /// The answer, if it was served from this slot, and the slots that were looked at for it.
    async fn served(
        &self,
        name: &str,
        question: impl Future<Output = String>,
    ) -> Option<(String, BTreeSet<String>)> {
        let hits = || -> u64 {
            let counts = self.db.stats().entities.into_values().map(|entity| entity.counts);
            counts.map(|counts| counts.hits + counts.absent_hits).sum()
        };
        self.store.looked();
        let before = hits();
        let answer = question.await;
        let looked = self.store.looked();
        (hits() > before && looked.contains(name)).then_some((answer, looked))
    }
}

/// So many cells were compared, and so many passed over.
impl fmt::Display for Audit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} cells compared, {} of them old", self.compared, self.old.len())?;
        self.passed_over.iter().try_for_each(|(why, count)| write!(f, "; {count} passed over: {why}"))
    }
}

struct Shown<'a>(&'a [(&'a String, &'a Old)]);

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|(cell, old)| {
            writeln!(f, "`{cell}`\n  cached: {}\n  plain:  {}", old.cached, old.plain)
        })
    }
}

#[cfg(test)]
mod tests;

//! One run of a test: a fresh database, a fresh store, and the audit of what is left in it.

#![allow(clippy::print_stdout, reason = "`--nocapture` shows what was audited")]

use std::{
    any::Any,
    collections::BTreeMap,
    fmt,
    panic::AssertUnwindSafe,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use cache_core::store::Store;
use futures_util::{FutureExt, future::BoxFuture};
use sea_orm::DatabaseConnection;

use crate::{
    audit::{Audit, Witness},
    database::{Backend, Database},
    environment::unique_name,
    redis,
};

/// Which store a test runs against.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum StoreKind {
    /// In the memory of this process.
    Memory,
    /// In the Redis that all tests share.
    Redis,
}

/// What one run of a [`matrix!`](crate::matrix!) test gets. Clones share everything.
#[derive(Clone)]
pub struct Env {
    /// The store's kind.
    pub kind: StoreKind,
    /// The namespace of this run, which nobody else uses.
    pub namespace: String,
    /// A fresh, empty database.
    pub database: Arc<Database>,
    memory: Option<Arc<Witness>>,
    stores: Arc<Stores>,
    old: Arc<Mutex<BTreeMap<String, &'static str>>>,
    kept: Arc<Mutex<Vec<Box<dyn Any + Send>>>>,
}

type Stores = dyn Fn(StoreKind, String) -> BoxFuture<'static, Arc<dyn Store>> + Send + Sync;

impl Env {
    /// The database's kind.
    pub fn backend(&self) -> Backend {
        self.database.backend()
    }

    /// A new pool of connections to the database: what another process would have.
    ///
    /// # Panics
    /// When the database does not answer.
    pub async fn connect(&self) -> DatabaseConnection {
        self.database.connect().await
    }

    /// The store as another process would have it: a new client of the same Redis and namespace. Memory is
    /// not shared by processes: there it is the same store each time.
    pub async fn store(&self) -> Arc<dyn Store> {
        match &self.memory {
            Some(store) => store.clone(),
            None => (self.stores)(self.kind, self.namespace.clone()).await,
        }
    }

    /// Says that the test leaves an old row in a cell on purpose, and why: `product 1`, `all of product`. The test
    /// fails if the [`Audit`] finds that it is not old.
    pub fn leaves_old(&self, cell: &str, why: &'static str) {
        locked(&self.old).insert(cell.to_owned(), why);
    }

    /// Holds on to a guard until all that this run used is gone.
    pub fn keep(&self, guard: impl Any + Send) {
        locked(&self.kept).push(Box::new(guard));
    }

    /// The names of what may be filled in the store.
    pub(crate) async fn slots(&self) -> Vec<String> {
        match &self.memory {
            Some(memory) => memory.filled(),
            None => {
                let names = redis::names(&self.namespace).await.expect("Redis tells its keys");
                names.into_iter().filter_map(|name| String::from_utf8(name).ok()).collect()
            }
        }
    }

    /// Compares what the test has left in the store with the database.
    async fn audit(&self) {
        let audit = Audit::of(self).await;
        println!("audit: {audit}");
        audit.judge(&locked(&self.old));
    }
}

impl fmt::Debug for Env {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Env")
            .field("database", &self.database)
            .field("store", &self.kind)
            .finish_non_exhaustive()
    }
}

/// Runs `body` once, audits what it left in the store, and removes what it used, also when it panics.
/// [`matrix!`](crate::matrix!) calls this.
///
/// # Panics
/// As the body does; when a server is missing.
pub async fn run<T, Making, Running>(
    backend: Backend,
    kind: StoreKind,
    stores: impl Fn(StoreKind, String) -> Making + Send + Sync + 'static,
    body: impl FnOnce(Env) -> Running,
) -> T
where
    Making: Future<Output = Arc<dyn Store>> + Send + 'static,
    Running: Future<Output = T>,
{
    let namespace = unique_name();
    let memory = match kind {
        StoreKind::Memory => Some(Arc::new(Witness::of(stores(kind, namespace.clone()).await))),
        StoreKind::Redis => None,
    };
    let stores: Arc<Stores> = Arc::new(move |kind, namespace| stores(kind, namespace).boxed());
    run_on_database(backend, |database| async move {
        let (old, kept) = (Arc::default(), Arc::default());
        let env = Env { kind, namespace: namespace.clone(), database, memory, stores, old, kept };
        let checked = async {
            let value = body(env.clone()).await;
            env.audit().await;
            value
        };
        let outcome = AssertUnwindSafe(checked).catch_unwind().await;
        if kind == StoreKind::Redis {
            redis::forget(&namespace).await.expect("Redis forgets what it is told to");
        }
        outcome.unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    })
    .await
}

/// Runs `body` once with a fresh database and removes it, also when the body panics. [`matrix!`](crate::matrix!) calls this.
///
/// # Panics
/// As the body does; when a server is missing.
pub async fn run_on_database<T, Running>(backend: Backend, body: impl FnOnce(Arc<Database>) -> Running) -> T
where
    Running: Future<Output = T>,
{
    let database = Arc::new(Database::create(backend).await);
    let outcome = AssertUnwindSafe(body(Arc::clone(&database))).catch_unwind().await;
    let closed = database.close().await;
    match outcome {
        Ok(value) => {
            closed.expect("a database can be removed");
            value
        }
        Err(panic) => std::panic::resume_unwind(panic),
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

//! Processes of an application that share a database and a cache.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use cache_core::store::Store;
use cache_orm::{CachedConnection, MemoryStore, Namespace};
use sea_orm::DatabaseConnection;
use tests::{Env, StoreKind};

/// Makes processes whose cache is empty, again and again over the same pools.
pub(crate) struct Processes {
    pools: [DatabaseConnection; 2],
    /// Each process's client of the shared Redis; `None` for a memory store, of which every start gets a new one.
    clients: Option<[Arc<dyn Store>; 2]>,
    namespace: String,
    starts: AtomicU64,
}

impl Processes {
    pub(crate) async fn of(env: &Env) -> Self {
        let pools = [env.connect().await, env.connect().await];
        let clients = match env.kind {
            StoreKind::Memory => None,
            StoreKind::Redis => Some([env.store().await, env.store().await]),
        };
        Processes { pools, clients, namespace: env.namespace.clone(), starts: AtomicU64::new(0) }
    }

    /// SeaORM's own connection to their database.
    pub(crate) fn plain(&self) -> &DatabaseConnection {
        &self.pools[0]
    }

    /// One or two processes, under a namespace of their own.
    pub(crate) async fn start(&self, count: usize) -> Vec<CachedConnection> {
        let number = self.starts.fetch_add(1, Ordering::Relaxed);
        let [first, second] = self.clients.clone().unwrap_or_else(|| {
            let memory: Arc<dyn Store> = Arc::new(MemoryStore::default());
            [memory.clone(), memory]
        });
        let namespace = format!("{}_{number}", self.namespace);
        let mut processes = vec![self.process(0, first, &namespace).await];
        if count == 2 {
            processes.push(self.process(1, second, &namespace).await);
        }
        processes
    }

    async fn process(&self, number: usize, store: Arc<dyn Store>, namespace: &str) -> CachedConnection {
        CachedConnection::builder(self.pools[number].clone())
            .shared_store(store)
            .namespace(Namespace::new(namespace.to_owned()).expect("the harness makes valid names"))
            // A machine that is busy with other tests must not look like a store that is down.
            .store_time_out(Duration::from_secs(60))
            .build()
            .await
            .expect("the cache is ready")
    }
}

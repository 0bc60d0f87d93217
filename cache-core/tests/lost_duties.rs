//! A duty outlives the runtime in which it began: the process lives, and others read what it has overwritten.

#![allow(clippy::unwrap_used, reason = "a test")]

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use cache_core::{
    backend::MemoryStore,
    cache::{Cache, Duty, LeaseOutcome, Lookup, Table},
    entry::Fingerprint,
    fence::{Affected, Fence},
    key::{Address, RowKey},
    settings::Settings,
    store::Store,
    testing::{Call, Cells, Fault, FaultyStore},
};
use tokio::{runtime::Runtime, time::timeout};

const SHAPE: Fingerprint = Fingerprint(1);
const SHORT: Duration = Duration::from_millis(1);
const PATIENCE: Duration = Duration::from_secs(10);

/// A cache, and another process that shares its store.
struct Scene {
    memory: MemoryStore,
    store: FaultyStore,
    cache: Cache,
    table: Arc<Table>,
    other: Cache,
    table_there: Arc<Table>,
}

fn scene(settings: Settings) -> Scene {
    let memory = MemoryStore::default();
    let store = FaultyStore::new(Arc::new(memory.clone()));
    let cache = |store: Arc<dyn Store>| {
        let cache = Cache::new(store, None, settings.clone()).unwrap();
        let table = Arc::new(cache.table("product"));
        (cache, table)
    };
    let (other, table_there) = cache(Arc::new(memory.clone()));
    let (cache, table) = cache(Arc::new(store.clone()));
    Scene { memory, store, cache, table, other, table_there }
}

fn runtime() -> Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap()
}

impl Scene {
    fn at(&self) -> Address {
        self.table.keys().row(&RowKey::default().with_integer(1))
    }

    async fn fence(&self) -> Fence {
        let mut affected = Affected::nothing(100);
        affected.add_row(&self.table, &RowKey::default().with_integer(1));
        self.cache.fence(affected).await.unwrap()
    }

    async fn owes(&self, duty: Duty) {
        let left = self.cache.settled_within(SHORT).await.unwrap_err();
        assert_eq!(left.duties, [("product".to_owned(), duty)]);
    }

    /// The other process caches the row as it is before the write; true if it may.
    async fn fills(&self) -> bool {
        let generation = self.other.generation().await.unwrap().unwrap();
        let replaces = match self.other.lookup(&self.table_there, &self.at(), SHAPE).await {
            Lookup::Missing { replaces } => replaces,
            Lookup::Found(_) | Lookup::Unavailable => return false,
        };
        let (table, at) = (&self.table_there, self.at());
        let turn = self.other.lease_or_join(table, &at, SHAPE, generation, replaces).await.unwrap();
        let LeaseOutcome::Granted(lease) = turn else { return false };
        lease.fill_now(Bytes::from_static(b"old").into(), SHAPE, None).await
    }

    async fn hits(&self) -> bool {
        matches!(self.other.lookup(&self.table_there, &self.at(), SHAPE).await, Lookup::Found(_))
    }

    /// What is left of the first runtime is done in the next.
    async fn done(&self) {
        assert!(self.hits().await, "the first runtime could not invalidate it");
        self.store.mend();
        self.cache.settled_within(PATIENCE).await.unwrap();
        assert!(!self.hits().await);
        assert!(self.fills().await, "no fence is left");
    }
}

#[test]
fn an_invalidation_that_ended_with_its_runtime_is_done_in_the_next() {
    let scene = scene(Settings::default());
    runtime().block_on(async {
        assert!(scene.fills().await);
        scene.store.fail(Call::Fence, Fault::Refuse);
        scene.fence().await.release().await;
        // The task tries in vain.
        scene.owes(Duty::Invalidate).await;
    });
    runtime().block_on(scene.done());
}

#[test]
fn a_release_that_ended_with_its_runtime_is_done_in_the_next() {
    let scene = scene(Settings::default());
    runtime().block_on(async {
        let fence = scene.fence().await;
        // Evicted: only the release empties the slot.
        scene.memory.remove(&scene.at().slot).await.unwrap();
        assert!(scene.fills().await);
        scene.store.fail(Call::Release, Fault::Refuse);
        fence.release().await;
        scene.owes(Duty::Release).await;
    });
    runtime().block_on(scene.done());
    assert_eq!(
        scene.table.counters.snapshot().lost_fences,
        0,
        "nobody knows whether the first one was heard"
    );
}

/// Nobody knows how the write ends: its runtime ended first.
#[test]
fn a_write_that_ended_with_its_runtime_is_invalidated_in_the_next() {
    let fence_ttl = Duration::from_secs(2);
    let mut settings = Settings::default();
    settings.fence_ttl = fence_ttl;
    let scene = scene(settings);
    let fence = runtime().block_on(async {
        assert!(scene.fills().await);
        scene.store.fail(Call::Fence, Fault::Refuse);
        // The first one is dropped in its runtime, the second one in none.
        drop(scene.fence().await);
        scene.fence().await
    });
    drop(fence);
    scene.store.mend();
    runtime().block_on(async {
        scene.owes(Duty::Invalidate).await;
        assert!(scene.hits().await, "it may still commit");
        scene.done().await;
    });
}

/// Nobody has to ask what is owed.
#[test]
fn whoever_comes_by_takes_it_up() {
    for way in ["reads what is in quarantine", "misses", "writes", "has a task of its own"] {
        let scene = scene(Settings::default());
        runtime().block_on(async {
            assert!(scene.fills().await);
            scene.store.fail(Call::Fence, Fault::Refuse);
            scene.fence().await.release().await;
            scene.owes(Duty::Invalidate).await;
        });
        scene.store.mend();
        let (cache, table, at) = (&scene.cache, &scene.table, scene.at());
        runtime().block_on(async {
            // To drop it would be a task.
            let mut held = None;
            match way {
                "reads what is in quarantine" => drop(cache.lookup(table, &at, SHAPE).await),
                "misses" => {
                    let generation = cache.generation().await.unwrap().unwrap();
                    drop(cache.lease_or_join(table, &at, SHAPE, generation, None).await);
                }
                "writes" => {
                    let mut affected = Affected::nothing(100);
                    affected.add_row(table, &RowKey::default().with_integer(2));
                    held = Some(cache.fence(affected).await.unwrap());
                }
                _ => cache.spawn(async {}),
            }
            let taken_up = async {
                while scene.hits().await {
                    tokio::task::yield_now().await;
                }
            };
            assert!(timeout(PATIENCE, taken_up).await.is_ok(), "whoever {way}");
            drop(held);
        });
    }
}

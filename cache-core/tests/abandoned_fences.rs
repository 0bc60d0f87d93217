//! A fence whose caller is gone stands for its whole time from then on: until then the statement may still run.

#![allow(clippy::unwrap_used, reason = "a test")]

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use cache_core::{
    backend::MemoryStore,
    cache::{Cache, LeaseOutcome, Lookup, Table},
    entry::Fingerprint,
    fence::{Affected, Fence},
    key::{Address, RowKey},
    settings::Settings,
    testing::{Cells, ManualClock},
};

const SHAPE: Fingerprint = Fingerprint(1);

struct Scene {
    memory: MemoryStore,
    clock: ManualClock,
    cache: Cache,
    table: Arc<Table>,
}

fn scene() -> Scene {
    let clock = ManualClock::default();
    let memory = MemoryStore::with_clock(1 << 20, clock.clone());
    let cache = Cache::new(Arc::new(memory.clone()), None, Settings::default()).unwrap();
    let table = Arc::new(cache.table("product"));
    Scene { memory, clock, cache, table }
}

impl Scene {
    fn key(&self) -> RowKey {
        RowKey::default().with_integer(1)
    }

    fn at(&self) -> Address {
        self.table.keys().row(&self.key())
    }

    async fn fence(&self) -> Fence {
        let mut affected = Affected::nothing(100);
        affected.add_row(&self.table, &self.key());
        self.cache.fence(affected).await.unwrap()
    }

    /// A reader that finds the row as it was before the write; true if it fills.
    async fn fills(&self) -> bool {
        let generation = self.cache.generation().await.unwrap().unwrap();
        let turn = self.cache.lease_or_join(&self.table, &self.at(), SHAPE, generation, None).await.unwrap();
        let LeaseOutcome::Granted(lease) = turn else { return false };
        lease.fill_now(Bytes::from_static(b"old").into(), SHAPE, None).await
    }

    async fn hits(&self) -> bool {
        matches!(self.cache.lookup(&self.table, &self.at(), SHAPE).await, Lookup::Found(_))
    }
}

/// The statement waits for a lock, loses its caller, and is carried out a while later.
#[tokio::test]
async fn the_time_of_a_fence_counts_from_when_its_caller_is_gone() {
    let scene = scene();
    let most = scene.cache.settings().fence_ttl;
    let fence = scene.fence().await;
    scene.clock.advance(most - Duration::from_secs(1));
    drop(fence);
    scene.cache.settled().await;
    scene.clock.advance(Duration::from_secs(2));
    assert!(!scene.fills().await, "the statement has been unattended for two seconds");
    scene.clock.advance(most);
    assert!(scene.fills().await, "nobody fences for ever");
}

/// Expired, evicted, or left behind at a former master: nobody will release it, and find out.
#[tokio::test]
async fn what_was_filled_while_a_fence_was_lost_does_not_outlive_its_caller() {
    let scene = scene();
    let fence = scene.fence().await;
    scene.memory.remove(&scene.at().slot).await.unwrap();
    assert!(scene.fills().await);
    drop(fence);
    scene.cache.settled().await;
    assert!(!scene.hits().await);
}

//! The alarm that fences were lost means that they were lost.

#![allow(clippy::unwrap_used, reason = "a test")]

use std::{sync::Arc, time::Duration};

use cache_core::{
    backend::MemoryStore,
    cache::{Cache, Table},
    fence::Affected,
    key::RowKey,
    settings::Settings,
    testing::{Call, Cells, CountingStore, Fault, FaultyStore},
};

struct Scene {
    memory: MemoryStore,
    faulty: FaultyStore,
    counting: CountingStore,
    cache: Cache,
    table: Arc<Table>,
}

fn scene() -> Scene {
    let memory = MemoryStore::default();
    let faulty = FaultyStore::new(Arc::new(memory.clone()));
    let counting = CountingStore::new(Arc::new(faulty.clone()));
    let cache = Cache::new(Arc::new(counting.clone()), None, Settings::default()).unwrap();
    let table = Arc::new(cache.table("product"));
    Scene { memory, faulty, counting, cache, table }
}

impl Scene {
    fn row(&self) -> RowKey {
        RowKey::default().with_integer(1)
    }

    fn affected(&self) -> Affected {
        let mut affected = Affected::nothing(100);
        affected.add_row(&self.table, &self.row());
        affected
    }

    /// The releases since the last time.
    fn releases(&self) -> usize {
        self.counting.take().iter().filter(|call| call.starts_with("release")).count()
    }
}

#[tokio::test(start_paused = true)]
async fn a_release_whose_answer_is_lost_counts_no_fence_as_lost() {
    let scene = scene();
    let fence = scene.cache.fence(scene.affected()).await.unwrap();
    scene.faulty.fail(Call::Release, Fault::LoseAnswer);
    fence.release().await;
    assert_eq!(scene.releases(), 1);
    scene.faulty.mend();
    // It is repeated, in the background.
    scene.cache.settled_within(Duration::from_secs(60)).await.unwrap();
    assert_eq!(scene.releases(), 1);
    assert_eq!(scene.table.counters.lost_fences.get(), 0);
}

#[tokio::test]
async fn a_fence_that_the_store_lost_is_counted() {
    let scene = scene();
    let fence = scene.cache.fence(scene.affected()).await.unwrap();
    scene.memory.remove(&scene.table.keys().row(&scene.row()).slot).await.unwrap();
    fence.release().await;
    assert_eq!(scene.table.counters.lost_fences.get(), 1);
}

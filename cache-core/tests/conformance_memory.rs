//! The memory store keeps the contract of a store.

use std::sync::Arc;

use cache_core::{
    backend::MemoryStore,
    conformance::check_all,
    store::Store,
    testing::{CountingStore, FaultyStore, PausableStore},
};

#[tokio::test]
async fn a_memory_store_conforms() {
    check_all(async || Arc::new(MemoryStore::default()) as Arc<dyn Store>).await;
}

#[tokio::test]
async fn a_memory_store_of_one_shard_conforms() {
    check_all(async || Arc::new(MemoryStore::with_capacity(1 << 20)) as Arc<dyn Store>).await;
}

#[tokio::test]
async fn wrappers_that_do_nothing_yet_conform() {
    check_all(async || {
        let store = FaultyStore::new(Arc::new(MemoryStore::default()));
        let store = PausableStore::new(Arc::new(store));
        Arc::new(CountingStore::new(Arc::new(store))) as Arc<dyn Store>
    })
    .await;
}

//! The memory store keeps the contract of a store.

use std::sync::Arc;

use cache_core::{backend::MemoryStore, conformance::check_all, store::Store};

#[tokio::test]
async fn a_memory_store_conforms() {
    check_all(async || Arc::new(MemoryStore::default()) as Arc<dyn Store>).await;
}

#[tokio::test]
async fn a_memory_store_of_one_shard_conforms() {
    check_all(async || Arc::new(MemoryStore::with_capacity(1 << 20)) as Arc<dyn Store>).await;
}

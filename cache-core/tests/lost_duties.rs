//! A duty outlives the runtime in which it began: the process lives, and others read what it has overwritten.

#![allow(clippy::unwrap_used, reason = "a test")]

use std::{sync::Arc, time::Duration};

use cache_core::{
    backend::MemoryStore,
    cache::Cache,
    fence::Affected,
    settings::Settings,
    testing::{Call, Fault, FaultyStore},
};

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap()
}

#[test]
#[ignore = "it fails: what is left of a task that ended with its runtime is taken up by nobody"]
fn a_duty_of_a_runtime_that_has_ended_is_done_in_the_next() {
    let store = FaultyStore::new(Arc::new(MemoryStore::default()));
    let cache = Cache::new(Arc::new(store.clone()), None, Settings::default()).unwrap();
    let table = Arc::new(cache.table("product"));
    let write = async || {
        let mut affected = Affected::nothing(100);
        affected.add_table(&table);
        cache.fence(affected).await.unwrap().release().await;
    };
    store.fail(Call::Fence, Fault::Refuse);
    let first = runtime();
    first.block_on(async {
        write().await;
        // The task tries in vain.
        cache.settled_within(Duration::from_millis(1)).await.unwrap_err();
    });
    drop(first);
    store.mend();
    runtime().block_on(async {
        write().await;
        cache.settled_within(Duration::from_secs(5)).await.unwrap();
    });
}

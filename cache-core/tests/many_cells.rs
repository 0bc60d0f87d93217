//! A write of many cells takes as long as the store needs for them: the time-out is for a store that does not answer.

#![allow(clippy::unwrap_used, reason = "a test")]

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use cache_core::{
    backend::MemoryStore,
    cache::{Cache, Table},
    entry::{Entry, Generation, Token, Writer},
    fence::Affected,
    key::{Address, Key, Namespace, RowKey},
    settings::{Settings, Unreachable},
    store::{Capabilities, Claim, Grant, LookupResult, Store, StoreError},
};
use tokio::time::{Instant, sleep};

/// As a server that takes its time for each cell, behind a network.
#[derive(Debug)]
struct Slow(MemoryStore);

const A_CELL: Duration = Duration::from_micros(100);

impl Slow {
    async fn take_time(&self, cells: &[Key]) {
        sleep(A_CELL * u32::try_from(cells.len()).unwrap()).await;
    }
}

#[async_trait]
impl Store for Slow {
    async fn lookup(&self, at: &Address) -> Result<LookupResult, StoreError> {
        self.0.lookup(at).await
    }

    async fn lease(
        &self,
        schema: &Key,
        at: &Address,
        replaces: Option<Token>,
        ttl: Duration,
    ) -> Result<Option<Grant>, StoreError> {
        self.0.lease(schema, at, replaces, ttl).await
    }

    async fn fill(&self, at: &Address, entry: Entry, ttl: Duration) -> Result<bool, StoreError> {
        self.0.fill(at, entry, ttl).await
    }

    async fn forfeit(&self, at: &Address, token: Token) -> Result<(), StoreError> {
        self.0.forfeit(at, token).await
    }

    async fn fence(
        &self,
        schema: &Key,
        cells: &[Key],
        writer: Writer,
        ttl: Duration,
    ) -> Result<Option<Generation>, StoreError> {
        self.take_time(cells).await;
        self.0.fence(schema, cells, writer, ttl).await
    }

    async fn generation(&self, schema: &Key) -> Result<Option<Generation>, StoreError> {
        self.0.generation(schema).await
    }

    async fn release(&self, cells: &[Key], writer: Writer) -> Result<usize, StoreError> {
        self.take_time(cells).await;
        self.0.release(cells, writer).await
    }

    async fn claim(&self, namespace: &Namespace, identity: &str) -> Result<Claim, StoreError> {
        self.0.claim(namespace, identity).await
    }

    fn default_namespace(&self) -> Option<Namespace> {
        self.0.default_namespace()
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities::SERVER
    }
}

/// 20,000 cells: two seconds, where a call may take a quarter of one and a fence is tried for one.
fn scene() -> (MemoryStore, Cache, Vec<Arc<Table>>) {
    let (memory, mut settings) = (MemoryStore::default(), Settings::default());
    settings.unreachable = Unreachable::Refuse;
    let cache = Cache::new(Arc::new(Slow(memory.clone())), None, settings).unwrap();
    let tables = (0..2000).map(|number| Arc::new(cache.table(format!("table{number}").as_str()))).collect();
    (memory, cache, tables)
}

fn everything(tables: &[Arc<Table>]) -> Affected {
    let mut affected = Affected::nothing(0);
    tables.iter().for_each(|table| affected.add_table(table));
    affected
}

async fn is_free(memory: &MemoryStore, cache: &Cache, table: &Table) -> bool {
    let (schema, at) =
        (cache.schema().keys().presence(), table.keys().row(&RowKey::default().with_integer(1)));
    let Some(grant) = memory.lease(schema, &at, None, Duration::from_secs(60)).await.unwrap() else {
        return false;
    };
    memory.forfeit(&at, grant.token).await.unwrap();
    true
}

#[tokio::test(start_paused = true)]
async fn a_write_to_thousands_of_tables_is_fenced_and_released() {
    let (memory, cache, tables) = scene();
    let began = Instant::now();
    let fence = cache.fence(everything(&tables)).await.unwrap();
    assert!(began.elapsed() < Duration::from_secs(3), "it is fenced once");
    for table in [&tables[0], &tables[1999]] {
        assert!(!is_free(&memory, &cache, table).await);
    }
    fence.release().await;
    cache.settled_within(Duration::from_secs(10)).await.unwrap();
    for table in &tables {
        assert!(is_free(&memory, &cache, table).await);
        assert_eq!(table.counters.lost_fences.get(), 0);
    }
}

#[tokio::test(start_paused = true)]
async fn thousands_of_tables_are_emptied() {
    let (_, cache, tables) = scene();
    cache.invalidate(everything(&tables)).await.unwrap();
}

//! A store that writes down which slots it is asked for.

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use async_trait::async_trait;
use cache_core::{
    entry::{Entry, Generation, Token, Writer},
    key::{Address, Key, Namespace, TableKeys},
    store::{
        Capabilities, Claim, FillRequest, Grant, LeaseRequest, LookupResult, LookupResults, Store, StoreError,
    },
};

/// Goes around a store and writes down the slots that are filled, or looked at.
#[derive(Debug)]
pub(crate) struct Witness {
    inner: Arc<dyn Store>,
    /// Grants no lease and marks nothing: whoever reads through it leaves every cell as it is.
    only_looks: bool,
    filled: Mutex<BTreeSet<String>>,
    looked: Mutex<BTreeSet<String>>,
}

impl Witness {
    /// Calls the store exactly as it is called.
    pub(crate) fn of(inner: Arc<dyn Store>) -> Self {
        Witness { inner, only_looks: false, filled: Mutex::default(), looked: Mutex::default() }
    }

    /// Lets nothing through that would change a cell.
    pub(crate) fn that_only_looks(inner: Arc<dyn Store>) -> Self {
        Witness { only_looks: true, ..Witness::of(inner) }
    }

    /// The slots that anybody was about to fill.
    pub(crate) fn filled(&self) -> Vec<String> {
        locked(&self.filled).iter().cloned().collect()
    }

    /// The slots with an entry that were looked at since the last time.
    pub(crate) fn looked(&self) -> BTreeSet<String> {
        std::mem::take(&mut *locked(&self.looked))
    }

    fn fills(&self, at: &Address) {
        locked(&self.filled).insert(at.slot.as_str().to_owned());
    }

    fn looks(&self, at: &Address, seen: &LookupResult) {
        if self.only_looks && seen.entry.is_some() {
            locked(&self.looked).insert(at.slot.as_str().to_owned());
        }
    }
}

#[deny(clippy::missing_trait_methods)]
#[async_trait]
impl Store for Witness {
    async fn lookup(&self, at: &Address) -> Result<LookupResult, StoreError> {
        let seen = self.inner.lookup(at).await?;
        self.looks(at, &seen);
        Ok(seen)
    }

    async fn lookup_many(&self, at: &[&Address]) -> Result<LookupResults, StoreError> {
        let results = self.inner.lookup_many(at).await?;
        at.iter().zip(&results.seen).for_each(|(at, seen)| self.looks(at, seen));
        Ok(results)
    }

    async fn lease(
        &self,
        schema: &Key,
        at: &Address,
        replaces: Option<Token>,
        ttl: Duration,
    ) -> Result<Option<Grant>, StoreError> {
        if self.only_looks {
            return Ok(None);
        }
        self.inner.lease(schema, at, replaces, ttl).await
    }

    async fn lease_many(
        &self,
        schema: &Key,
        wanted: &[LeaseRequest<'_>],
        ttl: Duration,
    ) -> Result<Vec<Option<Grant>>, StoreError> {
        if self.only_looks {
            return Ok(vec![None; wanted.len()]);
        }
        self.inner.lease_many(schema, wanted, ttl).await
    }

    async fn fill(&self, at: &Address, entry: Entry, ttl: Duration) -> Result<bool, StoreError> {
        self.fills(at);
        self.inner.fill(at, entry, ttl).await
    }

    async fn fill_many(&self, filled: Vec<FillRequest<'_>>) -> Result<Vec<bool>, StoreError> {
        filled.iter().for_each(|filled| self.fills(filled.at));
        self.inner.fill_many(filled).await
    }

    async fn forfeit(&self, at: &Address, token: Token) -> Result<(), StoreError> {
        self.inner.forfeit(at, token).await
    }

    async fn fence(
        &self,
        schema: &Key,
        cells: &[Key],
        writer: Writer,
        ttl: Duration,
    ) -> Result<Option<Generation>, StoreError> {
        if self.only_looks {
            return self.inner.generation(schema).await;
        }
        self.inner.fence(schema, cells, writer, ttl).await
    }

    async fn release(&self, cells: &[Key], writer: Writer) -> Result<usize, StoreError> {
        if self.only_looks {
            return Ok(0);
        }
        self.inner.release(cells, writer).await
    }

    async fn generation(&self, schema: &Key) -> Result<Option<Generation>, StoreError> {
        self.inner.generation(schema).await
    }

    async fn claim(&self, namespace: &Namespace, identity: &str) -> Result<Claim, StoreError> {
        self.inner.claim(namespace, identity).await
    }

    fn know(&self, table: &TableKeys) {
        self.inner.know(table);
    }

    fn doubt(&self, since: Instant) {
        self.inner.doubt(since);
    }

    fn default_namespace(&self) -> Option<Namespace> {
        self.inner.default_namespace()
    }

    fn capabilities(&self) -> Capabilities {
        self.inner.capabilities()
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

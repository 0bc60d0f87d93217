//! The store that keeps nothing.

use std::time::Duration;

use async_trait::async_trait;

use crate::{
    entry::{Entry, Generation, Token, Writer},
    key::{Address, Key, Namespace},
    store::{Capabilities, Claim, Grant, LookupResult, Store, StoreError},
};

/// The off switch: no hits, no leases, nothing to invalidate. Every query goes to the database.
///
/// ```
/// # tokio::runtime::Builder::new_current_thread().build()?.block_on(async {
/// use cache_core::{backend::NullStore, key::Namespace, store::{Claim, Store}};
/// let claim = NullStore.claim(&Namespace::new("shop")?, "any database").await?;
/// assert_eq!(claim, Claim::Held);
/// # Ok::<(), Box<dyn std::error::Error>>(()) })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct NullStore;

/// What has no entries needs no other.
const ONLY_GENERATION: Generation = Generation(0);

#[async_trait]
impl Store for NullStore {
    async fn lookup(&self, _: &Address) -> Result<LookupResult, StoreError> {
        Ok(LookupResult { entry: None, epoch: None, presence: None })
    }

    async fn lease(
        &self,
        _: &Key,
        _: &Address,
        _: Option<Token>,
        _: Duration,
    ) -> Result<Option<Grant>, StoreError> {
        Ok(None)
    }

    async fn fill(&self, _: &Address, _: Entry, _: Duration) -> Result<bool, StoreError> {
        Ok(false)
    }

    async fn forfeit(&self, _: &Address, _: Token) -> Result<(), StoreError> {
        Ok(())
    }

    async fn fence(
        &self,
        _: &Key,
        _: &[Key],
        _: Writer,
        _: Duration,
    ) -> Result<Option<Generation>, StoreError> {
        Ok(Some(ONLY_GENERATION))
    }

    async fn generation(&self, _: &Key) -> Result<Option<Generation>, StoreError> {
        Ok(Some(ONLY_GENERATION))
    }

    async fn release(&self, _: &[Key], _: Writer) -> Result<usize, StoreError> {
        Ok(0)
    }

    async fn claim(&self, _: &Namespace, _: &str) -> Result<Claim, StoreError> {
        Ok(Claim::Held)
    }

    fn default_namespace(&self) -> Option<Namespace> {
        Some(Namespace::new("nothing").expect("letters make a valid prefix"))
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities::NONE
    }
}

//! The backend that keeps nothing.

use async_trait::async_trait;

use super::{Backend, Capabilities, Item, Put, StoreError, Stored};
use crate::name::Name;

/// A backend for development and tests: everything can be stored, and nothing is found.
///
/// ```
/// use cache_values::backend::{Backend, DummyBackend};
/// assert!(!DummyBackend.capabilities().keeps);
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct DummyBackend;

#[async_trait]
impl Backend for DummyBackend {
    async fn get(&self, names: &[Name], _: bool) -> Result<Vec<Option<Item>>, StoreError> {
        Ok(vec![None; names.len()])
    }

    async fn put(&self, items: &[Put]) -> Result<Vec<Stored>, StoreError> {
        let stored = |item: &Put| if item.when.holds(None) { Stored::Kept } else { Stored::Refused };
        Ok(items.iter().map(stored).collect())
    }

    async fn remove(&self, names: &[Name]) -> Result<Vec<bool>, StoreError> {
        Ok(vec![false; names.len()])
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities::NONE
    }
}

//! A store that records its calls.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;

use super::{Call, Intercept, locked};
use crate::store::{Store, StoreError};

/// Records the calls that reach the wrapped store. Clones share the record.
#[derive(Clone, Debug)]
pub struct CountingStore {
    inner: Arc<dyn Store>,
    calls: Arc<Mutex<Vec<String>>>,
}

impl CountingStore {
    /// Goes around `inner`.
    pub fn new(inner: Arc<dyn Store>) -> Self {
        CountingStore { inner, calls: Arc::default() }
    }

    /// The calls since the last time, oldest first: the method and the names of its cells, separated by
    /// spaces.
    pub fn take(&self) -> Vec<String> {
        std::mem::take(&mut *locked(&self.calls))
    }
}

#[async_trait]
impl Intercept for CountingStore {
    fn inner(&self) -> &dyn Store {
        &*self.inner
    }

    async fn before(&self, call: Call, cells: &[&str]) -> Result<(), StoreError> {
        let line = [&[call.to_string().as_str()], cells].concat().join(" ");
        locked(&self.calls).push(line);
        Ok(())
    }
}

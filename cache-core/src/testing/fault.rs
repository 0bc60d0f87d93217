//! A store that fails on demand.

use std::{collections::HashMap, sync::Arc};

use async_trait::async_trait;
use bytes::Bytes;
use tokio::sync::watch;

use super::{Call, Intercept};
use crate::{
    entry::{Entry, Fingerprint, Token},
    store::{LookupResult, Store, StoreError},
};

/// How a call to a [`FaultyStore`] fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The call is not executed and answers [`StoreError::Unreachable`].
    Refuse,
    /// The call is executed and answers [`StoreError::Unreachable`].
    LoseAnswer,
    /// The call is neither executed nor answered until the fault is changed or mended.
    Hang,
    /// A `lookup` answers an entry with valid stamps and a payload of garbage; any other call is executed and
    /// answers [`StoreError::Unexpected`].
    Garbage,
}

/// Fails on demand, call by call. Clones fail together.
#[derive(Clone, Debug)]
pub struct FaultyStore {
    inner: Arc<dyn Store>,
    faults: Arc<watch::Sender<HashMap<Call, Fault>>>,
}

impl FaultyStore {
    /// Goes around `inner`. Nothing fails yet.
    pub fn new(inner: Arc<dyn Store>) -> Self {
        FaultyStore { inner, faults: Arc::new(watch::Sender::new(HashMap::new())) }
    }

    /// From now on `call` fails like this.
    pub fn fail(&self, call: Call, fault: Fault) {
        self.faults.send_modify(|faults| {
            faults.insert(call, fault);
        });
    }

    /// Every call fails like this.
    pub fn fail_all(&self, fault: Fault) {
        self.faults.send_modify(|faults| faults.extend(Call::ALL.map(|call| (call, fault))));
    }

    /// No call fails any more.
    pub fn mend(&self) {
        self.faults.send_modify(HashMap::clear);
    }
}

#[async_trait]
impl Intercept for FaultyStore {
    fn inner(&self) -> &dyn Store {
        &*self.inner
    }

    async fn before(&self, call: Call, _: &[&str]) -> Result<(), StoreError> {
        let mut faults = self.faults.subscribe();
        let fault = faults
            .wait_for(|faults| faults.get(&call) != Some(&Fault::Hang))
            .await
            .map_or(None, |faults| faults.get(&call).copied());
        match fault {
            Some(Fault::Refuse) => Err(StoreError::Unreachable("refused on purpose".to_owned())),
            _ => Ok(()),
        }
    }

    async fn after(&self, call: Call) -> Result<(), StoreError> {
        let fault = self.faults.borrow().get(&call).copied();
        match fault {
            Some(Fault::LoseAnswer) => Err(StoreError::Unreachable("answer lost on purpose".to_owned())),
            Some(Fault::Garbage) if !matches!(call, Call::Lookup | Call::LookupMany) => {
                Err(StoreError::Unexpected("garbage on purpose".to_owned()))
            }
            _ => Ok(()),
        }
    }

    fn seen(&self, call: Call, mut sighting: LookupResult) -> LookupResult {
        if self.faults.borrow().get(&call) == Some(&Fault::Garbage) {
            let entry = sighting.entry.get_or_insert(Entry {
                token: Token(0),
                epoch: sighting.epoch,
                presence: None,
                fingerprint: Fingerprint(0),
                payload: Bytes::new().into(),
            });
            entry.payload = Bytes::from_static(b"\xff\xfe\xfd garbage").into();
        }
        sighting
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test")]
mod tests {
    use std::{task::Poll, time::Duration};

    use super::*;
    use crate::{
        backend::MemoryStore,
        entry::Writer,
        key::{Address, Key},
    };

    fn schema() -> Key {
        Key::from("schema".to_owned())
    }

    fn at() -> Address {
        Address { slot: Key::from("a".to_owned()), epoch: None, presence: None }
    }

    /// Whether the slot is fenced, seen past the faults.
    async fn fenced(store: &MemoryStore) -> bool {
        store.lease(&schema(), &at(), None, Duration::ZERO).await.unwrap().is_none()
    }

    #[tokio::test]
    async fn a_refused_call_is_not_executed_and_a_lost_answer_is() {
        let inner = MemoryStore::default();
        let store = FaultyStore::new(Arc::new(inner.clone()));
        let (schema, cells) = (schema(), [at().slot]);
        let fence = || store.fence(&schema, &cells, Writer(1), Duration::from_secs(60));
        store.fail(Call::Fence, Fault::Refuse);
        assert!(matches!(fence().await, Err(StoreError::Unreachable(_))));
        assert!(!fenced(&inner).await);
        store.fail(Call::Fence, Fault::LoseAnswer);
        assert!(matches!(fence().await, Err(StoreError::Unreachable(_))));
        assert!(fenced(&inner).await);
        store.lookup(&at()).await.unwrap();
        store.mend();
        fence().await.unwrap();
    }

    #[tokio::test]
    async fn a_call_hangs_until_the_store_is_mended() {
        let inner = MemoryStore::default();
        let store = FaultyStore::new(Arc::new(inner.clone()));
        let (schema, cells) = (schema(), [at().slot]);
        store.fail_all(Fault::Hang);
        let mut fence = store.fence(&schema, &cells, Writer(1), Duration::from_secs(60));
        let mut context = std::task::Context::from_waker(std::task::Waker::noop());
        assert!(matches!(fence.as_mut().poll(&mut context), Poll::Pending));
        assert!(!fenced(&inner).await);
        store.mend();
        fence.await.unwrap();
        assert!(fenced(&inner).await);
    }

    #[tokio::test]
    async fn garbage_reaches_the_caller_as_an_entry() {
        let store = FaultyStore::new(Arc::new(MemoryStore::default()));
        store.fail(Call::Lookup, Fault::Garbage);
        let entry = store.lookup(&at()).await.unwrap().entry.unwrap();
        assert!(!entry.payload.to_bytes().is_empty());
        store.fail(Call::Fill, Fault::Garbage);
        let answer = store.fill(&at(), entry, Duration::from_secs(60)).await;
        assert!(matches!(answer, Err(StoreError::Unexpected(_))));
    }
}

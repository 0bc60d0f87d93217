//! How this process calls its store: with time-outs and a circuit breaker where the store needs them, in the
//! background where nobody waits, and counted.

use std::{future::Future, sync::Arc};

use tokio::runtime::Handle;

use crate::{
    breaker::{Breaker, Patience},
    duties::Duties,
    entry::{Generation, Writer},
    key::Key,
    settings::Settings,
    store::{Capabilities, MOST_CELLS, Store, StoreError},
    table::Table,
};

/// What stands between the guards of readers and writers and the store. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Port {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    store: Arc<dyn Store>,
    capabilities: Capabilities,
    /// The schema, as a table of its own.
    schema: Arc<Table>,
    settings: Settings,
    breaker: Breaker,
    duties: Duties,
}

impl Port {
    pub(crate) fn new(store: Arc<dyn Store>, schema: Table, settings: Settings) -> Self {
        let patience = Patience { call: settings.store_time_out, fence: settings.fence_time_out };
        Port {
            inner: Arc::new(Inner {
                capabilities: store.capabilities(),
                breaker: Breaker::new(patience, settings.grace),
                store,
                schema: Arc::new(schema),
                settings,
                duties: Duties::default(),
            }),
        }
    }

    pub(crate) fn store(&self) -> &dyn Store {
        &*self.inner.store
    }

    pub(crate) fn capabilities(&self) -> Capabilities {
        self.inner.capabilities
    }

    pub(crate) fn schema(&self) -> &Arc<Table> {
        &self.inner.schema
    }

    pub(crate) fn schema_cell(&self) -> &Key {
        self.inner.schema.keys().presence()
    }

    pub(crate) fn settings(&self) -> &Settings {
        &self.inner.settings
    }

    pub(crate) fn duties(&self) -> &Duties {
        &self.inner.duties
    }

    /// True while nothing that the store says of the table may be believed.
    pub(crate) fn distrusts(&self, table: &Table) -> bool {
        table.quarantine.is_active() || (self.inner.capabilities.may_fail && self.inner.breaker.in_grace())
    }

    /// One call to the store on behalf of `table`. It is made once more where the connection was lost, although
    /// nobody knows whether it arrived: what is left of a lease that was granted twice expires by itself.
    pub(crate) async fn call<T, C>(&self, table: &Table, operation: impl Fn() -> C) -> Result<T, StoreError>
    where
        C: Future<Output = Result<T, StoreError>>,
    {
        let result = self.guarded(operation).await;
        self.counted(table, result)
    }

    /// The same on behalf of no table.
    pub(crate) async fn guarded<T, C>(&self, operation: impl Fn() -> C) -> Result<T, StoreError>
    where
        C: Future<Output = Result<T, StoreError>>,
    {
        if self.inner.capabilities.may_fail {
            self.inner.breaker.call(operation).await
        } else {
            operation().await
        }
    }

    /// Marks the cells, or marks them anew, and tells the schema's generation. `table` stands for all that are written
    /// in the counters of a call.
    pub(crate) async fn mark(
        &self,
        table: &Table,
        cells: &[Key],
        writer: Writer,
    ) -> Result<Option<Generation>, StoreError> {
        let (store, mut seen) = (&self.inner.store, None);
        for cells in cells.chunks(MOST_CELLS) {
            // A repetition carries the same writer: where the first one arrived, it finds its own mark.
            let fence = || store.fence(self.schema_cell(), cells, writer, self.inner.settings.fence_ttl);
            let result = if self.inner.capabilities.may_fail {
                self.inner.breaker.fence(fence, |tried| store.doubt(tried.into_std())).await
            } else {
                fence().await
            };
            // The last answer counts: all marks stand by then.
            seen = self.counted(table, result)?;
        }
        Ok(seen)
    }

    /// Runs what nobody needs to wait for: at once where the store answers at once, else as a task of its own, which
    /// goes on if the caller vanishes.
    pub(crate) async fn in_background(&self, call: impl Future<Output = ()> + Send + 'static) {
        if self.inner.capabilities.may_wait { self.spawn(call) } else { call.await }
    }

    /// Runs `call` as a task of its own. Outside a runtime it is not run.
    pub(crate) fn spawn(&self, call: impl Future<Output = ()> + Send + 'static) {
        let Ok(runtime) = Handle::try_current() else {
            return;
        };
        self.inner.duties.call_began();
        let under_way = UnderWay(self.clone());
        runtime.spawn(async move {
            let _under_way = under_way;
            call.await;
        });
    }

    fn counted<T>(&self, table: &Table, result: Result<T, StoreError>) -> Result<T, StoreError> {
        if let Err(error) = &result {
            table.counters.store_errors.increment();
            tracing::debug!(table = table.name(), %error, "store call failed");
        }
        result
    }
}

/// Counts one background call, also when its task is dropped with the runtime.
struct UnderWay(Port);

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.0.inner.duties.call_ended();
    }
}

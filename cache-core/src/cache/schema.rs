//! The schema's generation, and what the schema looked like in it.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;

use super::{Cache, Table};
use crate::{
    entry::{Entry, Epoch, Fingerprint, Generation, Writer},
    fence::Affected,
    store::{MOST_CELLS, StoreError},
};

/// How long a record is kept at most. It loses its validity with its generation.
const RECORD_TTL: Duration = Duration::from_secs(365 * 24 * 3600);

impl Cache {
    /// The schema, for a write that changes it: add it as a [whole table](Affected::add_table) to what the write
    /// affects. Nothing is filled meanwhile, and from then on the schema is of another generation.
    pub fn schema(&self) -> &Arc<Table> {
        self.port().schema()
    }

    /// The schema's generation; `None` while it is being changed. Ask before the schema is learned: what is
    /// learned then is of this generation, or of none that will ever be answered again.
    ///
    /// # Errors
    /// The store could not be asked.
    pub async fn generation(&self) -> Result<Option<Generation>, StoreError> {
        self.port().guarded(|| self.port().store().generation(self.port().schema_cell())).await
    }

    /// What the schema looked like to `viewer` when it was recorded in this generation.
    ///
    /// # Errors
    /// The store could not be asked.
    pub async fn recorded(&self, viewer: &str, generation: Generation) -> Result<Option<Bytes>, StoreError> {
        let at = self.inner.namespace.schema_record(viewer);
        let seen = self.port().guarded(|| self.port().store().lookup(&at)).await?;
        let entry = seen.entry.filter(|entry| entry.epoch == Some(Epoch(generation.0)));
        Ok(entry.filter(|entry| entry.epoch == seen.epoch).map(|entry| entry.payload.to_bytes()))
    }

    /// Records what the schema looks like to `viewer` in this generation, unless the schema has changed or
    /// somebody else is at it.
    ///
    /// # Errors
    /// The store could not be asked.
    ///
    /// # Cancel safety
    /// A lease that nobody knows of expires by itself.
    pub async fn record(&self, viewer: &str, generation: Generation, looks: Bytes) -> Result<(), StoreError> {
        let (store, at) = (self.port().store(), self.inner.namespace.schema_record(viewer));
        let replaces = self.port().guarded(|| store.lookup(&at)).await?.entry.map(|entry| entry.token);
        let lease = || store.lease(self.port().schema_cell(), &at, replaces, self.settings().lease_ttl);
        let Some(grant) = self.port().guarded(lease).await? else { return Ok(()) };
        // Stored only if its epoch, which is the generation, still stands.
        let epoch = Some(Epoch(generation.0));
        let (token, fingerprint, payload) = (grant.token, Fingerprint(0), looks.into());
        let entry = Entry { token, epoch, presence: None, fingerprint, payload };
        self.port().guarded(|| store.fill(&at, entry.clone(), RECORD_TTL)).await.map(drop)
    }

    /// Empties everything that is affected, at once: for changes that have been committed already, by whomever. A
    /// program that shares the store, and writes to the database without this library, calls it after its commit:
    ///
    /// ```
    /// # tokio::runtime::Builder::new_current_thread().build()?.block_on(async {
    /// use cache_core::{backend::MemoryStore, cache::Cache, fence::Affected, key::RowKey, settings::Settings};
    /// use std::sync::Arc;
    ///
    /// # let store = Arc::new(MemoryStore::default());
    /// let cache = Cache::new(store, None, Settings::default())?; // the store and namespace of the application
    /// let products = Arc::new(cache.table("public.product"));
    /// let mut changed = Affected::nothing(cache.settings().max_fenced_rows);
    /// changed.add_row(&products, &RowKey::default().with_integer(7)); // a row that was changed or deleted
    /// changed.add_presence(&products); // rows that are new, or have other unique keys
    /// cache.invalidate(changed).await?;
    /// # Ok::<(), Box<dyn std::error::Error>>(()) })?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// The store could not be asked; part of it may have been emptied. Until the call succeeds, or the entries expire,
    /// old rows may be served.
    ///
    /// # Cancel safety
    /// Dropped midway, part of it may have been emptied.
    pub async fn invalidate(&self, affected: Affected) -> Result<(), StoreError> {
        let (cells, _) = affected.into_parts();
        // A fence that is born expired leaves its cells empty.
        let (writer, ttl) = (Writer::random(), Duration::ZERO);
        for cells in cells.chunks(MOST_CELLS) {
            self.port()
                .guarded(|| self.port().store().fence(self.port().schema_cell(), cells, writer, ttl))
                .await?;
        }
        Ok(())
    }
}

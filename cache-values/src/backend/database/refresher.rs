//! Whose turn it is to note what was used.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Lets one task at a time.
pub(super) struct Refresher(Arc<Semaphore>);

impl Default for Refresher {
    fn default() -> Self {
        Refresher(Arc::new(Semaphore::new(1)))
    }
}

impl Refresher {
    /// The turn, until it is dropped. None if another task has it.
    pub(super) fn turn(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.0).try_acquire_owned().ok()
    }

    /// Waits until nobody has it.
    pub(super) async fn settled(&self) {
        // Nobody closes it.
        let _ = self.0.acquire().await;
    }
}

//! Moving a value from one version of its key to another.

use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use super::Cache;
use crate::error::Error;

impl Cache {
    /// Moves the value under the key to a version higher by `by`, over whatever is there, with the rest of its time. The new
    /// version. Of several that move it at once, one succeeds.
    ///
    /// # Errors
    /// [`Error::Missing`]; [`Error::Overflow`] if there is no such version; [`Error::Backend`]: nobody knows whether it was moved.
    ///
    /// # Cancel safety
    /// A dropped call may or may not have moved it; on a backend that moves in two steps, it may have removed it.
    pub async fn incr_version(&self, key: &str, by: i64) -> Result<i64, Error> {
        let version = self.naming.version().checked_add(by).ok_or(Error::Overflow)?;
        if by == 0 {
            return if self.has(key).await? { Ok(version) } else { Err(Error::Missing) };
        }
        let (port, generations) = (&self.shared.port, &self.shared.generations);
        let target = self.naming.with_version(version);
        // What was moved and then cleared there was moved all the same.
        let moved = AtomicBool::new(false);
        let (moved, target) = (&moved, &target);
        let move_to = |to| async move {
            let to = &target.value(to, key);
            let move_from = |from| async move {
                let from = self.naming.value(from, key);
                [&from, to].into_iter().for_each(|name| self.shared.flights.close(name));
                moved.fetch_or(port.rename(&from, to).await?, Relaxed);
                Ok(())
            };
            generations.under(port, &self.naming, move_from).await
        };
        generations.under(port, target, move_to).await?;
        if moved.load(Relaxed) { Ok(version) } else { Err(Error::Missing) }
    }

    /// Moves the value under the key to a version lower by `by`.
    ///
    /// # Errors
    /// As [`incr_version`](Self::incr_version).
    ///
    /// # Cancel safety
    /// As [`incr_version`](Self::incr_version).
    pub async fn decr_version(&self, key: &str, by: i64) -> Result<i64, Error> {
        self.incr_version(key, by.checked_neg().ok_or(Error::Overflow)?).await
    }
}

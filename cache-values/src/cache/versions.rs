//! Moving a value from one version of its key to another.

use super::Cache;
use crate::error::Error;

impl Cache {
    /// Moves the value under the key to a version higher by `by`, over whatever is there, with the rest of its time. The new
    /// version. Of several that move it at once, one succeeds. Tags belong to a version: a value that has some is lost.
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
        // Both are read before anything is moved: what was cleared must not come back under another version.
        let (from, to) =
            tokio::try_join!(generations.current(port, &self.naming), generations.current(port, &target))?;
        let names = [self.naming.value(from, key), target.value(to, key)];
        names.iter().for_each(|name| self.shared.flights.close(name));
        let [from, to] = &names;
        if port.rename(from, to).await? { Ok(version) } else { Err(Error::Missing) }
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

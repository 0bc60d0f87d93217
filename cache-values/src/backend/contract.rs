//! The contract of a backend.

use std::{fmt, time::Duration};

use async_trait::async_trait;
use bytes::Bytes;
use cache_core::store::StoreError;

use super::item::{Counted, Item, Put, Start, Stored, When, is_promise, number};
use crate::name::Name;

/// A place that keeps bytes under names. Object safe; shared behind an `Arc`.
///
/// A cache of its own needs [`get`](Self::get), [`put`](Self::put) and [`remove`](Self::remove). The other methods stand on
/// these three; a backend that can do better in one step brings its own. What values, keys, versions, tags
/// and time-outs mean is decided above this trait, once for all backends.
///
/// # Contract
///
/// - An item lives until its time is over, on the backend's clock, exact to the millisecond or rounded up. After that it is
///   as if it had never been there. It may go earlier, for want of room; a [cell](Name::is_cell) should not.
/// - A **promise** is an item that [begins so](is_promise): somebody is computing the value. To everything but `get` and
///   [`When::Unchanged`] its name is **vacant**, as a name under which there is nothing.
/// - Each item changes atomically, whatever the number of callers and processes: no other change comes between the
///   condition of a `put` and its effect. Calls with many items need not be atomic as a whole.
/// - A value that can't be kept leaves nothing behind: neither itself nor what was there before.
/// - A cell is never read from a replica that may lag behind.
/// - Whoever reads under a name gets bytes that were put there as a whole, or nothing: never a part.
///
/// # Cancel safety
///
/// A dropped call may or may not have taken effect.
///
/// # Errors
///
/// A [`StoreError`] says nothing about whether the call took effect.
#[async_trait]
pub trait Backend: fmt::Debug + Send + Sync + 'static {
    /// What is under these names, in the order asked. One round trip. With `left`, each item tells how much of its time
    /// is left; without, it may.
    async fn get(&self, names: &[Name], left: bool) -> Result<Vec<Option<Item>>, StoreError>;

    /// Keeps these items, each under its condition. One round trip.
    async fn put(&self, items: &[Put]) -> Result<Vec<Stored>, StoreError>;

    /// Removes what is under these names. For each, whether it was taken: a promise is removed and counts as nothing.
    async fn remove(&self, names: &[Name]) -> Result<Vec<bool>, StoreError>;

    /// Gives an item a new time to live; `None` is for ever. False if the name is vacant.
    async fn touch(&self, name: &Name, ttl: Option<Duration>) -> Result<bool, StoreError> {
        for _ in 0..ATTEMPTS {
            let (Some(item), unchanged) = look(self, name).await? else { return Ok(false) };
            if put(self, name, item.bytes, ttl, unchanged).await? {
                return Ok(true);
            }
        }
        Err(too_busy(name))
    }

    /// Adds to the number under this name, which keeps its time to live. Under a vacant name the number begins with
    /// `start`, to which nothing is added, or it is [`Counted::Missing`].
    async fn count(&self, name: &Name, by: i64, start: Option<Start>) -> Result<Counted, StoreError> {
        for _ in 0..ATTEMPTS {
            let (item, unchanged) = look(self, name).await?;
            let (value, ttl) = match (&item, start) {
                (Some(item), _) => {
                    let Some(before) = number(&item.bytes) else { return Ok(Counted::NoNumber) };
                    let Some(value) = before.checked_add(by) else { return Ok(Counted::Overflow) };
                    (value, item.left.ttl())
                }
                (None, Some(start)) => (start.value, start.ttl),
                (None, None) => return Ok(Counted::Missing),
            };
            if put(self, name, value.to_string().into(), ttl, unchanged).await? {
                return Ok(Counted::Is(value));
            }
        }
        Err(too_busy(name))
    }

    /// Moves an item with the rest of its time, over whatever is there. False if `from` is vacant.
    async fn rename(&self, from: &Name, to: &Name) -> Result<bool, StoreError> {
        let (Some(item), _) = look(self, from).await? else { return Ok(false) };
        // Removed before it is put: of two that move the same item, one finds it.
        if !self.remove(std::slice::from_ref(from)).await?.into_iter().any(|taken| taken) {
            return Ok(false);
        }
        put(self, to, item.bytes, item.left.ttl(), When::Always).await
    }

    /// Makes room: removes items whose time is over, and those whose names begin with `stem`, which nobody asks for any
    /// more. Runs beside the calls of others and takes its time. The number of items removed.
    async fn sweep(&self, stem: &str) -> Result<u64, StoreError> {
        let _ = stem;
        Ok(0)
    }

    /// What it takes to use it. Always the same.
    fn capabilities(&self) -> Capabilities;

    /// Ends its connections. Calls that follow fail, or connect anew.
    async fn close(&self) {}
}

/// What a backend can do, and what it takes to use it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Capabilities {
    /// It keeps anything at all.
    pub keeps: bool,
    /// Calls may wait, fail, or never be answered: they get a time-out and a circuit breaker.
    pub may_fail: bool,
    /// Other processes use it too.
    pub is_shared: bool,
}

impl Capabilities {
    /// In the memory of this process alone.
    pub const IN_PROCESS: Capabilities = Capabilities { keeps: true, may_fail: false, is_shared: false };
    /// Used by several processes, and apt to fail: a server, a disk.
    pub const SHARED: Capabilities = Capabilities { keeps: true, may_fail: true, is_shared: true };
    /// It keeps nothing.
    pub const NONE: Capabilities = Capabilities { keeps: false, may_fail: false, is_shared: false };
}

/// Somebody else made progress each time: with fewer callers than this, nobody gives up.
const ATTEMPTS: usize = 1000;

/// What is under a name, unless it is vacant, and the condition under which it is unchanged.
async fn look(backend: &(impl Backend + ?Sized), name: &Name) -> Result<(Option<Item>, When), StoreError> {
    let item = backend.get(std::slice::from_ref(name), true).await?.pop().flatten();
    let unchanged = When::Unchanged(item.as_ref().map(|item| item.version));
    Ok((item.filter(|item| !is_promise(&item.bytes)), unchanged))
}

/// Puts one item. False if somebody came between.
async fn put(
    backend: &(impl Backend + ?Sized),
    name: &Name,
    bytes: Bytes,
    ttl: Option<Duration>,
    when: When,
) -> Result<bool, StoreError> {
    let put = Put { name: name.clone(), bytes, ttl, when };
    Ok(backend.put(&[put]).await?.pop() != Some(Stored::Refused))
}

fn too_busy(name: &Name) -> StoreError {
    StoreError::Unexpected(format!("{name:?} was changed by others {ATTEMPTS} times in a row"))
}

//! What stands on `get`, `put` and `remove` alone: an attempt is repeated until nobody came between.

use std::time::Duration;

use bytes::Bytes;

use super::{Backend, Counted, Item, Put, Start, StoreError, Stored, When, is_promise, number};
use crate::name::Name;

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

pub(super) async fn touch(
    backend: &(impl Backend + ?Sized),
    name: &Name,
    ttl: Option<Duration>,
) -> Result<bool, StoreError> {
    for _ in 0..ATTEMPTS {
        let (Some(item), unchanged) = look(backend, name).await? else { return Ok(false) };
        if put(backend, name, item.bytes, ttl, unchanged).await? {
            return Ok(true);
        }
    }
    Err(too_busy(name))
}

pub(super) async fn count(
    backend: &(impl Backend + ?Sized),
    name: &Name,
    by: i64,
    start: Option<Start>,
) -> Result<Counted, StoreError> {
    for _ in 0..ATTEMPTS {
        let (item, unchanged) = look(backend, name).await?;
        let (value, ttl) = match (&item, start) {
            (Some(item), _) => {
                let Some(before) = number(&item.bytes) else { return Ok(Counted::NoNumber) };
                let Some(value) = before.checked_add(by) else { return Ok(Counted::Overflow) };
                (value, item.left.ttl())
            }
            (None, Some(start)) => (start.value, start.ttl),
            (None, None) => return Ok(Counted::Missing),
        };
        if put(backend, name, value.to_string().into(), ttl, unchanged).await? {
            return Ok(Counted::Is(value));
        }
    }
    Err(too_busy(name))
}

/// Removed before it is put: of two that move the same item, one finds it.
pub(super) async fn rename(
    backend: &(impl Backend + ?Sized),
    from: &Name,
    to: &Name,
) -> Result<bool, StoreError> {
    let (Some(item), _) = look(backend, from).await? else { return Ok(false) };
    if !backend.remove(std::slice::from_ref(from)).await?.into_iter().any(|taken| taken) {
        return Ok(false);
    }
    put(backend, to, item.bytes, item.left.ttl(), When::Always).await
}

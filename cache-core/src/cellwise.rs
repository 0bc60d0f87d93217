//! The calls of a [`Store`](crate::store::Store) over several cells, for one that changes a single cell at a time.
//!
//! A new store brings one function, [`CellStore::apply`]: a lock around [`slot::apply`](crate::slot::apply), or a
//! compare-and-set of its result. The order in which the cells of a call are changed and read stands here alone. (Redis
//! executes whole calls at once, in its scripts.)

use std::time::Duration;

use crate::{
    entry::{Entry, Epoch, Generation, Token, Writer},
    key::{Address, Key},
    slot::{Millis, Operation, Outcome, Slot},
    store::{Grant, LookupResult, StoreError},
};

/// A place whose cells change one at a time.
pub trait CellStore: Sync {
    /// Changes one cell as [`slot::apply`](crate::slot::apply) says, atomically. `operation` is told the time on the
    /// store's clock, and asked again for every attempt.
    ///
    /// # Errors
    /// The store could not be asked. Nobody knows then whether the cell was changed.
    fn apply(
        &self,
        cell: &Key,
        operation: impl Fn(Millis) -> Operation + Send + Sync,
    ) -> impl Future<Output = Result<Outcome, StoreError>> + Send;
}

/// [`Store::lookup`](crate::store::Store::lookup): the slot before its stamps.
///
/// # Errors
/// The store could not be asked.
pub async fn lookup(cells: &impl CellStore, at: &Address) -> Result<LookupResult, StoreError> {
    let entry = match cells.apply(&at.slot, |_| Operation::Lookup).await? {
        Outcome::Seen(Slot::Filled { entry, .. }) => Some(entry),
        _ => None,
    };
    let (epoch, presence) =
        (epoch(cells, at.epoch.as_ref()).await?, epoch(cells, at.presence.as_ref()).await?);
    Ok(LookupResult { entry, epoch, presence })
}

/// [`Store::lease`](crate::store::Store::lease): the slot is leased before its stamps are read. A fence of the row that
/// comes after takes the lease away; one of the whole table changes the epoch, which the fill compares.
///
/// # Errors
/// The store could not be asked.
pub async fn lease(
    cells: &impl CellStore,
    schema: &Key,
    at: &Address,
    replaces: Option<Token>,
    ttl: Duration,
) -> Result<Option<Grant>, StoreError> {
    let Some(generation) = generation(cells, schema).await? else { return Ok(None) };
    let token = Token::random();
    let lease = |now| Operation::Lease { token, until: after(now, ttl), replaces };
    if cells.apply(&at.slot, lease).await? != Outcome::Granted {
        return Ok(None);
    }
    let epoch = match &at.epoch {
        None => None,
        Some(cell) => match open(cells, cell).await? {
            Some(epoch) => Some(epoch),
            None => {
                forfeit(cells, at, token).await?;
                return Ok(None);
            }
        },
    };
    let presence = match &at.presence {
        None => None,
        Some(cell) => open(cells, cell).await?,
    };
    // Again: a change of the schema that ended meanwhile may have emptied these cells before they were read.
    if self::generation(cells, schema).await? != Some(generation) {
        forfeit(cells, at, token).await?;
        return Ok(None);
    }
    Ok(Some(Grant { token, epoch, presence, generation }))
}

/// [`Store::fill`](crate::store::Store::fill): the slot is filled before its epoch is read. An entry of an epoch that
/// has passed is taken away again; nobody takes it for valid meanwhile.
///
/// # Errors
/// The store could not be asked.
pub async fn fill(
    cells: &impl CellStore,
    at: &Address,
    entry: Entry,
    ttl: Duration,
) -> Result<bool, StoreError> {
    let (token, stamp) = (entry.token, entry.epoch);
    let fill = |now| Operation::Fill { entry: entry.clone(), until: after(now, ttl) };
    if cells.apply(&at.slot, fill).await? != Outcome::Filled {
        return Ok(false);
    }
    if at.epoch.is_some() && (stamp.is_none() || stamp != epoch(cells, at.epoch.as_ref()).await?) {
        take_away(cells, at, token).await?;
        return Ok(false);
    }
    Ok(true)
}

/// [`Store::forfeit`](crate::store::Store::forfeit).
///
/// # Errors
/// The store could not be asked.
pub async fn forfeit(cells: &impl CellStore, at: &Address, token: Token) -> Result<(), StoreError> {
    cells.apply(&at.slot, |_| Operation::Forfeit { token }).await.map(drop)
}

/// [`Store::fence`](crate::store::Store::fence): the schema's generation is read when all marks stand.
///
/// # Errors
/// The store could not be asked: some of the marks may stand.
pub async fn fence(
    cells: &impl CellStore,
    schema: &Key,
    marked: &[Key],
    writer: Writer,
    ttl: Duration,
) -> Result<Option<Generation>, StoreError> {
    for cell in marked {
        cells.apply(cell, |now| Operation::Fence { writer, until: after(now, ttl) }).await?;
    }
    generation(cells, schema).await
}

/// [`Store::release`](crate::store::Store::release).
///
/// # Errors
/// The store could not be asked: some of the marks may be gone.
pub async fn release(cells: &impl CellStore, marked: &[Key], writer: Writer) -> Result<usize, StoreError> {
    let mut lost = 0;
    for cell in marked {
        let outcome = cells.apply(cell, |_| Operation::Release { writer }).await?;
        lost += usize::from(outcome == Outcome::Lost);
    }
    Ok(lost)
}

/// [`Store::generation`](crate::store::Store::generation).
///
/// # Errors
/// The store could not be asked.
pub async fn generation(cells: &impl CellStore, schema: &Key) -> Result<Option<Generation>, StoreError> {
    Ok(open(cells, schema).await?.map(|number| Generation(number.0)))
}

/// Removes the entry with this token, if it is still there: through a lease that may replace it and nothing else.
async fn take_away(cells: &impl CellStore, at: &Address, entry: Token) -> Result<(), StoreError> {
    let token = Token::random();
    // A lease that is not given back ends soon after the time-out of any call.
    let lease =
        |now| Operation::Lease { token, until: after(now, Duration::from_secs(1)), replaces: Some(entry) };
    match cells.apply(&at.slot, lease).await? {
        Outcome::Granted => forfeit(cells, at, token).await,
        _ => Ok(()),
    }
}

async fn open(cells: &impl CellStore, cell: &Key) -> Result<Option<Epoch>, StoreError> {
    let fresh = Epoch::random();
    match cells.apply(cell, |_| Operation::Open { fresh }).await? {
        Outcome::Opened(epoch) => Ok(Some(epoch)),
        _ => Ok(None),
    }
}

async fn epoch(cells: &impl CellStore, cell: Option<&Key>) -> Result<Option<Epoch>, StoreError> {
    let Some(cell) = cell else { return Ok(None) };
    match cells.apply(cell, |_| Operation::Lookup).await? {
        Outcome::Seen(Slot::Epoch(epoch)) => Ok(Some(epoch)),
        _ => Ok(None),
    }
}

/// When something ends that begins now.
fn after(now: Millis, ttl: Duration) -> Millis {
    now.saturating_add(ttl.as_millis().try_into().unwrap_or(Millis::MAX))
}

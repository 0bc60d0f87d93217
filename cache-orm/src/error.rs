//! What the cache itself has to say about a call, inside of SeaORM's error.

use std::sync::Arc;

use cache_core::{
    cache::{Refused, Unsettled},
    store::StoreError,
};
use sea_orm::DbErr;

/// What the cache itself has to say about a call that failed. The database's own errors never are of this type.
///
/// SeaORM's methods return its [`DbErr`], which carries this one inside; [`CacheErr::of`] finds it:
///
/// ```
/// use cache_orm::CacheErr;
/// # fn answer(result: Result<(), sea_orm::DbErr>) -> u16 {
/// match result {
///     Err(error) => match CacheErr::of(&error) {
///         Some(CacheErr::WriteRefused { .. }) => 503, // nothing was written: try again later
///         _ => 500,
///     },
///     Ok(()) => 200,
/// }
/// # }
/// ```
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CacheErr {
    /// The policy of a table is to refuse writes whose cached rows can't be invalidated, and the store could not be
    /// reached. Nothing was written.
    #[error("{0}")]
    WriteRefused(Refused),
    /// The policy of a table is to refuse, and the database's schema could not be read, which tells what a write
    /// invalidates. Nothing was written.
    #[error(
        "the write was refused because the database's schema could not be read, which tells what it invalidates"
    )]
    SchemaUnknown,
    /// What was to be invalidated is not yet, because the store could not be reached. This process reads it from the
    /// database until it is, and goes on trying; other processes may serve old rows until then.
    #[error("the cache is not invalidated yet, and other processes may serve old rows until it is: {0}")]
    NotInvalidated(StoreError),
    /// The connection was closed before the store knew all that it must.
    #[error("{0}")]
    Unsettled(Unsettled),
}

impl CacheErr {
    /// What the cache has to say in this error, if it is of the cache.
    pub fn of(error: &DbErr) -> Option<&Self> {
        match error {
            DbErr::TryIntoErr { source, .. } => source.downcast_ref(),
            _ => None,
        }
    }
}

/// [`DbErr::TryIntoErr`] is the one variant that carries an error of another crate.
impl From<CacheErr> for DbErr {
    fn from(error: CacheErr) -> Self {
        DbErr::TryIntoErr { from: "call", into: "coherent one", source: Arc::new(error) }
    }
}

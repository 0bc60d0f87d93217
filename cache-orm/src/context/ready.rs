//! What keeps a cache from being used.

use cache_core::cache::CacheError;
use sea_orm::DbErr;

use crate::not_cacheable::NotCacheable;

/// What keeps the cache from being used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReadyError {
    /// The database's schema could not be read.
    #[error("the database's schema could not be read: {0}")]
    Schema(#[from] DbErr),
    /// The store could not be claimed for this database.
    #[error(transparent)]
    Cache(#[from] CacheError),
    /// On this database `into_json` would see another form of these columns in a cached row than in the database's own.
    /// Their entities are not cached here; everything else is.
    #[error(
        "not cached, because `into_json` would see another form of a cached row than of this database's: {}. \
         An entity whose rows are read as models says `#[cacheable(model_only)]`; `into_json` of its rows goes through \
         `db.bypass()`",
        columns.join(", ")
    )]
    UnlikeAsJson {
        /// The columns, each behind the type of its model.
        columns: Vec<String>,
    },
    /// Entities that will not be cached as they say, where [`Builder::require_cacheable`](crate::Builder::require_cacheable)
    /// asks for it. All of them at once.
    #[error("not everything can be cached as its entity says:{}", lines(entities))]
    NotCacheable {
        /// What can't be cached, and why.
        entities: Vec<NotCacheable>,
    },
}

fn lines(entities: &[NotCacheable]) -> String {
    entities.iter().map(|entity| format!("\n  {entity}")).collect()
}

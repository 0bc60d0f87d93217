//! Why a write or a cache is refused.

use crate::{key::InvalidNamespace, store::StoreError};

/// The write must not go ahead: its cells could not be fenced, and the policy of one of its tables is to refuse.
#[derive(Debug, thiserror::Error)]
#[error(
    "the write was refused because its cached rows could not be invalidated: {error} (the policy of `{table}` is \
     to refuse)"
)]
pub struct Refused {
    pub(super) table: String,
    pub(super) error: StoreError,
}

impl Refused {
    /// Why the cells could not be fenced.
    pub fn reason(&self) -> &StoreError {
        &self.error
    }

    /// The same, by value.
    pub fn into_reason(self) -> StoreError {
        self.error
    }

    /// The table whose policy it is.
    pub fn table(&self) -> &str {
        &self.table
    }
}

/// Why a cache can't be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CacheError {
    /// A shared store was given without a namespace.
    #[error("this store is shared: name the namespace that the application owns in it")]
    NoNamespace,
    /// The namespace has characters that keys can't hold.
    #[error(transparent)]
    Namespace(#[from] InvalidNamespace),
    /// The namespace belongs to another database.
    #[error(
        "the namespace `{namespace}` caches the rows of another database (there: {theirs}; here: {ours}): \
         give each database a namespace of its own, or raise the version if this database replaces the other"
    )]
    NamespaceTaken {
        /// The namespace.
        namespace: String,
        /// The identity of the database that holds it.
        theirs: String,
        /// The identity of this database.
        ours: String,
    },
    /// A setting has a value under which nothing could be cached, or nothing be coherent.
    #[error("{setting} can't be {value}: {remedy}")]
    Setting {
        /// The setting's name.
        setting: &'static str,
        /// What it was.
        value: String,
        /// What would be right.
        remedy: &'static str,
    },
    /// The store could not be asked.
    #[error(transparent)]
    Store(#[from] StoreError),
}

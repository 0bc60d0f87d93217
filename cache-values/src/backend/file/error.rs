//! What can be wrong with a folder.

use std::{
    io,
    path::{Path, PathBuf},
};

use super::super::StoreError;

/// A folder that no cache can be kept in.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FileError {
    /// It can't be made, or not be used.
    #[error("the folder {} can't be used: {source}", folder.display())]
    Unusable {
        /// The folder.
        folder: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// Others may write there, and could put anything into the cache.
    #[error("others may write into the folder {}: change that (`chmod 700`), or give a folder of its own", folder.display())]
    WritableByOthers {
        /// The folder.
        folder: PathBuf,
    },
}

/// A system's error as a cache's.
pub(super) fn translated(path: &Path, error: &io::Error) -> StoreError {
    StoreError::Unexpected(format!("{}: {error}", path.display()))
}

//! Where an entry is: in one of 256 folders, under the hash of its name.

use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use crate::name::Name;

/// How many folders there are.
pub(super) const SHARDS: usize = 256;

/// The files of a folder that are no entries.
pub(super) const LOCK: &str = "lock";
pub(super) const DRAFT: &str = "draft";

/// What the file of a cell ends with: it is never evicted, and not counted.
const CELL: &str = ".cell";
const VALUE: &str = ".value";

/// Where an entry is.
#[derive(Clone, Debug)]
pub(super) struct Place {
    pub(super) shard: usize,
    /// The file's name in the folder.
    pub(super) file: String,
}

impl Place {
    pub(super) fn of(name: &Name) -> Self {
        let hash = Sha256::digest(name.as_str());
        let digits: String = hash[1..17].iter().map(|byte| format!("{byte:02x}")).collect();
        let kind = if name.is_cell() { CELL } else { VALUE };
        Place { shard: usize::from(hash[0]), file: digits + kind }
    }

    pub(super) fn path(&self, root: &Path) -> PathBuf {
        shard(root, self.shard).join(&self.file)
    }
}

/// A shard's folder.
pub(super) fn shard(root: &Path, shard: usize) -> PathBuf {
    root.join(format!("{shard:02x}"))
}

/// Whether a file of this name is an entry: all others are somebody else's.
pub(super) fn is_entry(file: &str) -> bool {
    let digits = file.strip_suffix(VALUE).or(file.strip_suffix(CELL));
    digits.is_some_and(|digits| digits.len() == 32 && digits.bytes().all(|digit| digit.is_ascii_hexdigit()))
}

/// Whether it is one that counts, and may be evicted.
pub(super) fn is_counted(file: &str) -> bool {
    is_entry(file) && file.ends_with(VALUE)
}

//! The backend in files: one for each entry, in 256 folders.
//!
//! An entry is written beside the old one and takes its place as a whole, so that readers need no lock. Whoever changes a folder
//! holds the lock on its file `lock`, which the system takes back from a process that ends. Nobody else but the user
//! of this process may read or write any of it, and no link is followed.

mod account;
mod calls;
mod entry;
mod error;
mod files;
mod inner;
mod place;
mod room;
mod shard;

use std::{
    fmt, fs, io,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use async_trait::async_trait;

pub use self::error::FileError;
use self::{
    error::translated,
    inner::{Inner, Limits, Turns},
};
use super::{Backend, Capabilities, Counted, Item, Put, Start, StoreError, Stored};
use crate::name::Name;

/// A cache in the files of a folder, shared by every process of this machine and user.
///
/// Meant for a disk of this machine: the processes must agree on its locks and on the time. Values outlive the processes, and the
/// machine's end as far as it wrote them to the disk; of what it did not, nothing is left, never a part.
///
/// A call that waits for the lock of a process that was stopped keeps a thread of the runtime's blocking ones waiting.
///
/// A put costs the same however many entries there are, bounded ([`with_entries`](Self::with_entries),
/// [`with_bytes`](Self::with_bytes)) or not.
///
/// Clones use the same folder.
///
/// ```
/// # tokio::runtime::Builder::new_current_thread().build()?.block_on(async {
/// use cache_values::backend::file::FileBackend;
/// # let folder = std::env::temp_dir().join(format!("cache_values_doc_{}", std::process::id()));
/// let backend = FileBackend::open(&folder).await?.with_entries(100_000, 3).with_bytes(1 << 30);
/// # std::fs::remove_dir_all(&folder)?;
/// # Ok::<(), Box<dyn std::error::Error>>(()) })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct FileBackend {
    inner: Arc<Inner>,
}

impl FileBackend {
    /// Entries in this folder, which is made if it is not there, with those above it. The folder should have no other use; files
    /// that others put there are left alone.
    ///
    /// # Errors
    /// [`FileError`] says why the folder can't be used.
    ///
    /// # Cancel safety
    /// A folder may be left behind.
    pub async fn open(folder: impl AsRef<Path>) -> Result<Self, FileError> {
        let folder = folder.as_ref().to_owned();
        let opened = tokio::task::spawn_blocking(move || {
            let unusable = |source| FileError::Unusable { folder: folder.clone(), source };
            let root = prepare(&folder).map_err(unusable)?;
            if files::others_may_write(&root).map_err(unusable)? {
                return Err(FileError::WritableByOthers { folder: folder.clone() });
            }
            Ok(root)
        });
        // A task that has begun is not cancelled, and this one does not panic.
        let root = opened.await.unwrap_or_else(|error| {
            Err(FileError::Unusable { folder: PathBuf::new(), source: io::Error::other(error) })
        })?;
        let inner = Inner {
            root,
            limits: Limits { cull_frequency: 3, ..Limits::default() },
            turns: Turns::default(),
        };
        Ok(FileBackend { inner: Arc::new(inner) })
    }

    /// Keeps at most so many entries, or at least one. When there are more, some are looked at, and one of `cull_frequency` of those
    /// goes; 0 removes them all. What is over goes first, then what was not used for the longest time, as far as that is
    /// written down, once a minute. Cells neither count nor go.
    ///
    /// There may be more for a moment: as many as are put at the same time.
    ///
    /// # Panics
    /// If the backend has clones.
    #[must_use]
    pub fn with_entries(self, most: usize, cull_frequency: usize) -> Self {
        self.changed(|limits| {
            limits.entries = Some(most.max(1) as u64);
            limits.cull_frequency = cull_frequency as u64;
        })
    }

    /// Keeps files of so many bytes at most, in the same way. A larger value is not kept.
    ///
    /// # Panics
    /// If the backend has clones.
    #[must_use]
    pub fn with_bytes(self, most: u64) -> Self {
        self.changed(|limits| limits.bytes = Some(most))
    }

    fn changed(self, change: impl FnOnce(&mut Limits)) -> Self {
        let mut inner = Arc::into_inner(self.inner).expect("a backend that nobody else uses");
        change(&mut inner.limits);
        FileBackend { inner: Arc::new(inner) }
    }

    /// Does what may block where it may. Once begun it goes on to its end, whether anybody waits or not.
    async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Inner) -> io::Result<T> + Send + 'static,
    ) -> Result<T, StoreError> {
        let inner = Arc::clone(&self.inner);
        let done = tokio::task::spawn_blocking(move || {
            work(&inner).map_err(|error| translated(&inner.root, &error))
        });
        done.await.unwrap_or_else(|error| Err(StoreError::Unexpected(error.to_string())))
    }
}

/// Makes the folder, and finds out where it really is: links above it are the administrator's.
fn prepare(folder: &Path) -> io::Result<PathBuf> {
    if let Some(above) = folder.parent().filter(|above| !above.as_os_str().is_empty()) {
        fs::create_dir_all(above)?;
    }
    if !folder.exists() {
        files::create_folder(folder)?;
    }
    let root = fs::canonicalize(folder)?;
    if root.is_dir() { Ok(root) } else { Err(io::ErrorKind::NotADirectory.into()) }
}

impl fmt::Debug for FileBackend {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Inner { root, limits, .. } = &*self.inner;
        f.debug_struct("FileBackend").field("folder", root).field("limits", limits).finish_non_exhaustive()
    }
}

#[async_trait]
impl Backend for FileBackend {
    async fn get(&self, names: &[Name], _left: bool) -> Result<Vec<Option<Item>>, StoreError> {
        let names = names.to_vec();
        self.blocking(move |inner| names.iter().map(|name| inner.get(name)).collect()).await
    }

    async fn put(&self, items: &[Put]) -> Result<Vec<Stored>, StoreError> {
        let items = items.to_vec();
        self.blocking(move |inner| items.iter().map(|put| inner.put(put)).collect()).await
    }

    async fn remove(&self, names: &[Name]) -> Result<Vec<bool>, StoreError> {
        let names = names.to_vec();
        self.blocking(move |inner| names.iter().map(|name| inner.remove(name)).collect()).await
    }

    async fn touch(&self, name: &Name, ttl: Option<Duration>) -> Result<bool, StoreError> {
        let name = name.clone();
        self.blocking(move |inner| inner.touch(&name, ttl)).await
    }

    async fn count(&self, name: &Name, by: i64, start: Option<Start>) -> Result<Counted, StoreError> {
        let name = name.clone();
        self.blocking(move |inner| inner.count(&name, by, start)).await
    }

    async fn rename(&self, from: &Name, to: &Name) -> Result<bool, StoreError> {
        let (from, to) = (from.clone(), to.clone());
        self.blocking(move |inner| inner.rename(&from, &to)).await
    }

    async fn sweep(&self, stem: &str) -> Result<u64, StoreError> {
        let stem = stem.to_owned();
        self.blocking(move |inner| inner.sweep(&stem)).await
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities::SHARED
    }
}

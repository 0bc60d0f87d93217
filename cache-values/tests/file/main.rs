//! The backend in files.

mod agreement;
mod entries;
mod hostile;
mod processes;
mod room;

use std::{
    fs,
    path::{Path, PathBuf},
};

use cache_values::{
    backend::{Backend, Item, Put, Stored, When, file::FileBackend},
    name::Name,
};

/// A folder of a test's own, removed with all that is in it.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        let folder = std::env::temp_dir().join(tests::unique_name());
        fs::create_dir(&folder).expect("a new folder");
        Folder(folder)
    }

    fn cache(&self) -> PathBuf {
        self.0.join("cache")
    }

    /// Another process, as far as the files can tell.
    async fn backend(&self) -> FileBackend {
        FileBackend::open(self.cache()).await.expect("the folder can be used")
    }

    fn shards(&self) -> impl Iterator<Item = PathBuf> {
        (0..256).map(|shard| self.cache().join(format!("{shard:02x}")))
    }

    /// The files of entries.
    fn files(&self) -> Vec<PathBuf> {
        let files = self.shards().filter_map(|shard| fs::read_dir(shard).ok()).flatten();
        let files = files.map(|file| file.expect("it can be listed").path());
        let is_entry = |path: &Path| path.extension().is_some_and(|end| end == "value" || end == "cell");
        files.filter(|path| is_entry(path)).collect()
    }

    /// The only entry's file.
    fn file(&self) -> PathBuf {
        let files = self.files();
        assert_eq!(files.len(), 1, "{files:?}");
        files.into_iter().next().expect("one file")
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // What is left is under a name that nobody else uses.
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn name(text: impl ToString) -> Name {
    Name::new(text.to_string(), false)
}

fn cell(text: impl ToString) -> Name {
    Name::new(text.to_string(), true)
}

fn put(text: impl ToString, bytes: &[u8], when: When) -> Put {
    Put { name: name(text), bytes: bytes.to_vec().into(), ttl: None, when }
}

/// Puts one item, whatever is there.
async fn set(backend: &impl Backend, text: impl ToString, bytes: &[u8]) {
    assert_eq!(backend.put(&[put(text, bytes, When::Always)]).await.expect("it answers"), [Stored::Kept]);
}

async fn get(backend: &impl Backend, text: impl ToString) -> Option<Item> {
    backend.get(&[name(text)], true).await.expect("it answers").remove(0)
}

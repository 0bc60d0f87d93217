//! One folder of entries. Whoever changes it holds its lock, among threads and among processes; whoever reads does not.

use std::{
    fs::{self, File},
    io::{self, Write},
    path::{Path, PathBuf},
    time::SystemTime,
};

use super::{
    account::{Account, Change, Sum},
    entry::{Entry, Header, is_over},
    files,
    place::{self, DRAFT, LOCK, Place},
};

/// A shard whose lock is held.
pub(super) struct Shard {
    folder: PathBuf,
    change: Change,
    /// Counted anew.
    sum: Option<Sum>,
    /// Unlocks when it is closed.
    _lock: File,
}

/// An entry that may be evicted.
#[derive(Clone, Debug)]
pub(super) struct Candidate {
    pub(super) shard: usize,
    pub(super) file: String,
    pub(super) used: SystemTime,
}

/// Changes a shard under its lock, and the account with it. What came of it, and the account then.
pub(super) fn change<T>(
    root: &Path,
    index: usize,
    work: impl FnOnce(&mut Shard) -> io::Result<T>,
) -> io::Result<(T, Account)> {
    let mut shard = Shard::lock(root, index)?;
    let done = work(&mut shard);
    // Also where it failed: something may have changed before.
    let account = Account::update(root, |account| {
        account.change(index, shard.change);
        if let Some(sum) = shard.sum {
            account.visited(index, sum);
        }
    })?;
    Ok((done?, account))
}

/// Whether there is such a folder, and no link to one.
pub(super) fn exists(root: &Path, index: usize) -> bool {
    fs::symlink_metadata(place::shard(root, index)).is_ok_and(|metadata| metadata.is_dir())
}

impl Shard {
    fn lock(root: &Path, index: usize) -> io::Result<Shard> {
        let folder = place::shard(root, index);
        loop {
            if !exists(root, index) {
                // Somebody may remove them as often as they are made, but not for ever.
                files::create_folder(root)?;
                files::create_folder(&folder)?;
                if !exists(root, index) {
                    return Err(io::Error::other("a shard is no folder of its own"));
                }
            }
            match files::lock(&folder.join(LOCK)) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(error),
                Ok(lock) => return Ok(Shard { folder, change: Change::default(), sum: None, _lock: lock }),
            }
        }
    }

    /// The entry, if it is there and not over. What is no entry goes.
    pub(super) fn read(&mut self, place: &Place, name: &str) -> io::Result<Option<Entry>> {
        let Some(file) = files::open(&self.folder.join(&place.file))? else { return Ok(None) };
        let Some(entry) = Entry::read(&file)? else {
            self.remove(&place.file)?;
            return Ok(None);
        };
        Ok(Some(entry).filter(|entry| entry.name == name && !is_over(entry.expires)))
    }

    /// Writes an entry beside the old one, and puts it in its place as a whole. If that fails, the old one is gone.
    pub(super) fn write(&mut self, place: &Place, name: &str, expires: u64, value: &[u8]) -> io::Result<()> {
        let (draft, path) = (self.folder.join(DRAFT), self.folder.join(&place.file));
        let written = self.draft(&draft, &Entry::head(name, expires, value), value);
        let replaced = self.length(&place.file);
        if let Err(error) = written.and_then(|()| fs::rename(&draft, &path)) {
            let _ = files::remove(&draft);
            self.remove(&place.file)?;
            return Err(error);
        }
        if let Some(length) = replaced {
            self.change = self.change.and(Change::removed(length));
        }
        if let Some(length) = self.length(&place.file) {
            self.change = self.change.and(Change::added(length));
        }
        Ok(())
    }

    fn draft(&self, path: &Path, head: &[u8], value: &[u8]) -> io::Result<()> {
        // Left over from a process that was killed: nobody else writes under this lock.
        files::remove(path)?;
        let mut file = files::create(path)?;
        file.write_all(head)?;
        file.write_all(value)?;
        // The system's own time of a change is too coarse to tell which of two was used last.
        file.set_modified(SystemTime::now())
    }

    /// How long an entry's file is, if it counts.
    fn length(&self, file: &str) -> Option<u64> {
        let metadata = fs::symlink_metadata(self.folder.join(file)).ok()?;
        (metadata.is_file() && place::is_counted(file)).then_some(metadata.len())
    }

    pub(super) fn remove(&mut self, file: &str) -> io::Result<()> {
        let length = self.length(file);
        if files::remove(&self.folder.join(file))?
            && let Some(length) = length
        {
            self.change = self.change.and(Change::removed(length));
        }
        Ok(())
    }

    /// Removes an entry unless it was used, or put anew, since it became a candidate.
    pub(super) fn evict(&mut self, candidate: &Candidate) -> io::Result<()> {
        let metadata = fs::symlink_metadata(self.folder.join(&candidate.file));
        match metadata.and_then(|metadata| metadata.modified()) {
            Ok(used) if used == candidate.used => self.remove(&candidate.file),
            _ => Ok(()),
        }
    }

    /// Removes entries that are over, that are none, or of whose names the caller says so. How many, and who remains.
    pub(super) fn clean(
        &mut self,
        index: usize,
        goes: impl Fn(&str) -> bool,
    ) -> io::Result<(u64, Vec<Candidate>)> {
        files::remove(&self.folder.join(DRAFT))?;
        let (mut removed, mut remaining, mut sum) = (0, Vec::new(), Sum::default());
        for file in fs::read_dir(&self.folder)? {
            let Some(file) =
                file?.file_name().to_str().filter(|file| place::is_entry(file)).map(str::to_owned)
            else {
                continue;
            };
            let Some(open) = files::open(&self.folder.join(&file))? else { continue };
            let header = Header::read(&open)?;
            if header.is_none_or(|header| is_over(header.expires) || goes(&header.name)) {
                self.remove(&file)?;
                removed += 1;
            } else if place::is_counted(&file) {
                let metadata = open.metadata()?;
                sum.entries += 1;
                sum.bytes += metadata.len();
                remaining.push(Candidate { shard: index, file, used: metadata.modified()? });
            }
        }
        self.sum = Some(sum);
        Ok((removed, remaining))
    }
}

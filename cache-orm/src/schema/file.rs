//! What tells a SQLite file from every other, since the file itself says nothing: a path means another file in another
//! container, and a copy holds whatever was written into the original.
//!
//! A file is one inode of one device of one running kernel, made at one instant. Whoever reaches it, by whatever
//! path or mount, sees the same; a copy, another machine and a file that took the place of a removed one differ.
//! The price: after the machine was restarted it is another database too, unless the user names it.

use std::{
    fs,
    hash::{BuildHasher, Hasher, RandomState},
    path::Path,
    sync::OnceLock,
};

/// Names the database at this path. An empty path is a database in memory, another each time.
pub(super) fn identity(path: &str) -> String {
    if path.is_empty() {
        return format!("sqlite in memory {:016x}", random());
    }
    // Where the system does not tell files apart with certainty, nobody but this process shares it.
    inode(path.as_ref()).map_or_else(|| of_this_process(path), |inode| format!("sqlite {inode}"))
}

#[cfg(target_os = "linux")]
fn inode(path: &Path) -> Option<String> {
    use std::{os::unix::fs::MetadataExt, time::UNIX_EPOCH};

    let kernel = fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?;
    let file = fs::metadata(path).ok()?;
    // Without it, a file that takes the place of a removed one could have its number.
    let made = file.created().ok()?.duration_since(UNIX_EPOCH).ok()?;
    Some(format!("{} {:x} {} {}", kernel.trim(), file.dev(), file.ino(), made.as_nanos()))
}

#[cfg(not(target_os = "linux"))]
fn inode(_: &Path) -> Option<String> {
    None
}

fn of_this_process(path: &str) -> String {
    static PROCESS: OnceLock<u64> = OnceLock::new();
    let process = PROCESS.get_or_init(random);
    // Two spellings of a path are one file; a path that can't be resolved stands as it is.
    let resolved = fs::canonicalize(path).map(|path| path.to_string_lossy().into_owned());
    format!("sqlite of one process {process:016x} {}", resolved.unwrap_or_else(|_| path.to_owned()))
}

/// The standard library's only source of random numbers: keys drawn from the operating system.
fn random() -> u64 {
    RandomState::new().build_hasher().finish()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test")]
mod tests {
    use std::{env, path::PathBuf};

    use super::*;

    fn folder() -> PathBuf {
        let folder = env::temp_dir().join(format!("cache-orm-{:016x}", random()));
        fs::create_dir_all(folder.join("below")).unwrap();
        folder
    }

    fn of(path: &Path) -> String {
        identity(path.to_str().unwrap())
    }

    /// As a bind mount shows it: one file, two paths.
    #[test]
    fn one_file_is_one_database_by_every_path() {
        let folder = folder();
        let (file, link) = (folder.join("a.db"), folder.join("below/b.db"));
        fs::write(&file, "x").unwrap();
        fs::hard_link(&file, &link).unwrap();
        assert_eq!(of(&file), of(&folder.join("below/../a.db")));
        if cfg!(target_os = "linux") {
            assert_eq!(of(&file), of(&link));
            fs::rename(&file, folder.join("moved.db")).unwrap();
            assert_eq!(of(&link), of(&folder.join("moved.db")));
        }
        fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn a_copy_and_a_file_that_took_the_place_of_another_are_others() {
        let folder = folder();
        let (file, copy) = (folder.join("a.db"), folder.join("copy.db"));
        fs::write(&file, "x").unwrap();
        fs::copy(&file, &copy).unwrap();
        let first = of(&file);
        assert_ne!(first, of(&copy));
        fs::remove_file(&file).unwrap();
        fs::copy(&copy, &file).unwrap();
        if cfg!(target_os = "linux") {
            assert_ne!(first, of(&file), "under the same path");
        }
        fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn databases_in_memory_are_never_one() {
        assert_ne!(identity(""), identity(""));
    }

    #[test]
    fn what_can_not_be_told_apart_is_shared_by_nobody_else() {
        let identity = of_this_process("/app/db.sqlite");
        assert_eq!(identity, of_this_process("/app/db.sqlite"));
        assert_ne!(identity, of_this_process("/app/other.sqlite"));
        assert!(identity.starts_with("sqlite of one process "), "{identity}");
    }
}

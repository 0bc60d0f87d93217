//! Folders and files that are not as they should be.
#![cfg(unix)]

use std::{
    fs,
    os::unix::fs::{PermissionsExt, symlink},
    process::Command,
};

use cache_values::backend::{
    Backend, Stored, Version, When,
    file::{FileBackend, FileError},
};

use super::{Folder, get, name, put, set};

#[tokio::test]
async fn a_link_is_not_followed() {
    let folder = Folder::new();
    let backend = folder.backend().await;
    set(&backend, "a", b"1").await;
    let file = folder.file();
    let elsewhere = folder.0.join("elsewhere");
    // Even to what would be the right answer.
    fs::rename(&file, &elsewhere).expect("it can be moved");
    symlink(&elsewhere, &file).expect("a new link");
    assert!(get(&backend, "a").await.is_none());
    assert_eq!(backend.remove(&[name("a")]).await.expect("it answers"), [false]);
    symlink(&elsewhere, &file).expect("a new link");
    set(&backend, "a", b"2").await;
    assert_eq!(get(&backend, "a").await.expect("it was put").bytes, "2");
    assert!(!fs::symlink_metadata(&file).expect("a file").is_symlink());
    assert!(fs::read(&elsewhere).expect("it is still there").ends_with(b"1"));

    // The files beside the entries.
    let shard = file.parent().expect("a shard");
    for inside in ["lock", "draft"] {
        let _ = fs::remove_file(shard.join(inside));
        let precious = folder.0.join(format!("precious {inside}"));
        fs::write(&precious, "precious").expect("a new file");
        symlink(&precious, shard.join(inside)).expect("a new link");
        let answer = backend.put(&[put("a", b"3", When::Always)]).await;
        assert_eq!(answer.is_err(), inside == "lock", "{inside}: {answer:?}");
        assert_eq!(fs::read(&precious).expect("it is still there"), b"precious");
        let _ = fs::remove_file(shard.join(inside));
    }

    // The folder of the entries.
    let moved = folder.0.join("moved");
    fs::rename(shard, &moved).expect("it can be moved");
    symlink(&moved, shard).expect("a new link");
    assert!(get(&backend, "a").await.is_none());
    backend.put(&[put("a", b"4", When::Always)]).await.expect_err("a shard is a link");
    backend.sweep("a").await.expect("others are there");
    assert_eq!(fs::read_dir(&moved).expect("a folder").count(), 2, "an entry and a lock");
}

#[tokio::test]
async fn pipes_and_folders_make_nobody_wait() {
    let folder = Folder::new();
    let backend = folder.backend().await;
    set(&backend, "a", b"1").await;
    let file = folder.file();
    fs::remove_file(&file).expect("it is there");
    assert!(Command::new("mkfifo").arg(&file).status().expect("mkfifo is there").success());
    assert!(get(&backend, "a").await.is_none());
    backend.sweep("a").await.expect("it answers");
    set(&backend, "a", b"2").await;
    assert_eq!(get(&backend, "a").await.expect("it was put").bytes, "2");

    fs::remove_file(&file).expect("it is there");
    fs::create_dir(&file).expect("a new folder");
    assert!(get(&backend, "a").await.is_none());
    backend.put(&[put("a", b"3", When::Always)]).await.expect_err("a folder is in its place");
    backend.sweep("a").await.expect("it answers");
    assert!(file.is_dir(), "it is somebody else's");
}

#[tokio::test]
async fn files_of_others_are_left_alone_and_count_as_nothing() {
    let folder = Folder::new();
    let backend = folder.backend().await.with_entries(5, 3);
    set(&backend, 0, b"1").await;
    let digits = "0".repeat(32);
    let theirs = [
        "README",
        ".value",
        "x.value",
        "lock.value",
        &format!("{digits}.djcache"),
        &format!("{digits}0.value"),
    ];
    for shard in folder.shards() {
        let _ = fs::create_dir(&shard);
        for file in theirs {
            fs::write(shard.join(file), "theirs").expect("a new file");
        }
    }
    fs::write(folder.cache().join("README"), "theirs").expect("a new file");
    for at in 0..600 {
        set(&backend, at, b"1").await;
    }
    backend.sweep("none").await.expect("it answers");
    for shard in folder.shards() {
        for file in theirs {
            assert_eq!(fs::read(shard.join(file)).expect("it is still there"), b"theirs");
        }
    }
    assert!(folder.cache().join("README").exists());
    let ours = folder.files().len() - 3 * 256;
    assert!((3..=5).contains(&ours), "{ours}: theirs count as nothing");
}

#[tokio::test]
async fn what_can_not_be_written_leaves_nothing_old_and_says_so() {
    let folder = Folder::new();
    let backend = folder.backend().await;
    for when in [When::Always, When::Unchanged(Some(Version::of(b"1")))] {
        set(&backend, "a", b"1").await;
        let draft = folder.file().parent().expect("a shard").join("draft");
        fs::create_dir(&draft).expect("a new folder");
        assert_eq!(
            backend.put(&[put("a", b"2", When::Vacant)]).await.expect("it need not be written"),
            [Stored::Refused]
        );
        assert!(get(&backend, "a").await.is_some());
        let error = backend.put(&[put("a", b"2", when)]).await.expect_err("a folder is in the way");
        assert!(error.to_string().contains("/cache: "), "{error}");
        assert!(get(&backend, "a").await.is_none());
        fs::remove_dir(&draft).expect("it is there");
    }
}

#[tokio::test]
async fn what_is_removed_is_made_again() {
    let folder = Folder::new();
    let backend = folder.backend().await.with_entries(100, 3);
    for round in 0..3 {
        set(&backend, "a", b"1").await;
        match round {
            0 => fs::remove_dir_all(folder.file().parent().expect("a shard")),
            1 => fs::remove_dir_all(folder.cache()),
            _ => fs::remove_file(folder.cache().join("account")),
        }
        .expect("it is there");
        assert_eq!(get(&backend, "a").await.is_some(), round == 2);
        assert_eq!(backend.remove(&[name("c")]).await.expect("it answers"), [false]);
        assert!(!backend.touch(&name("c"), None).await.expect("it answers"));
        set(&backend, "b", b"1").await;
        assert!(get(&backend, "b").await.is_some());
    }
}

#[tokio::test]
async fn a_folder_in_which_others_write_is_refused() {
    let folder = Folder::new();
    for mode in [0o777, 0o720, 0o702] {
        fs::create_dir_all(folder.cache()).expect("a new folder");
        fs::set_permissions(folder.cache(), fs::Permissions::from_mode(mode)).expect("it is ours");
        let error = FileBackend::open(folder.cache()).await.expect_err("others may write");
        assert!(matches!(error, FileError::WritableByOthers { .. }));
        assert!(error.to_string().contains("chmod 700"), "{error}");
    }
    fs::set_permissions(folder.cache(), fs::Permissions::from_mode(0o755)).expect("it is ours");
    FileBackend::open(folder.cache()).await.expect("others may look at its names");

    let file = folder.0.join("file");
    fs::write(&file, "no folder").expect("a new file");
    for place in [file.clone(), file.join("below")] {
        let error = FileBackend::open(&place).await.expect_err("a file is in the way");
        assert!(matches!(error, FileError::Unusable { .. }));
        assert!(error.to_string().contains(place.to_str().expect("UTF-8")), "{error}");
    }
}

//! What stands in a file.

use std::{
    fs,
    time::{Duration, SystemTime},
};

use cache_values::backend::{Backend, Put, When, file::FileBackend};

use super::{Folder, cell, get, name, put, set};

fn millis() -> u64 {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).expect("after 1970").as_millis() as u64
}

#[tokio::test]
async fn the_format_stays_what_it_is() {
    let folder = Folder::new();
    let backend = folder.backend().await;
    set(&backend, "shop:1:greeting", b"hello").await;
    let file = folder.file();
    // The first 17 bytes of the name's SHA-256.
    let path = file.strip_prefix(folder.cache()).expect("inside").to_str().expect("ASCII");
    assert_eq!(path, "34/8673bfd44ab89ef1592ce91928165c02.value");
    let bytes = fs::read(&file).expect("a file");
    let expected =
        [b"cachval\x01", &bytes[8..16], &[0xff; 8], &[0, 15], b"shop:1:greeting", b"hello"].concat();
    assert_eq!(bytes, expected);
}

#[tokio::test]
async fn times_are_exact_to_the_millisecond() {
    let folder = Folder::new();
    let backend = folder.backend().await;
    for (ttl, lives) in
        [(Duration::from_nanos(60_000_000_001), 60_001), (Duration::from_secs(1 << 40), 1000 << 40)]
    {
        let before = millis();
        backend.put(&[Put { ttl: Some(ttl), ..put("a", b"1", When::Always) }]).await.expect("it answers");
        let bytes = fs::read(folder.file()).expect("a file");
        let expires = u64::from_be_bytes(bytes[16..24].try_into().expect("eight bytes"));
        assert!((before + lives..=millis() + lives).contains(&expires));
    }
    backend
        .put(&[Put { ttl: Some(Duration::MAX), ..put("a", b"1", When::Always) }])
        .await
        .expect("it answers");
    assert!(get(&backend, "a").await.is_some());
}

#[tokio::test]
async fn what_is_cut_off_or_changed_anywhere_is_a_miss_and_goes() {
    let folder = Folder::new();
    let backend = folder.backend().await;
    set(&backend, "a", b"value").await;
    let (file, whole) = (folder.file(), fs::read(folder.file()).expect("a file"));
    for at in 0..whole.len() {
        let mut changed = whole.clone();
        changed[at] ^= 0x10;
        for garbage in [&whole[..at], &changed] {
            fs::write(&file, garbage).expect("it can be written");
            assert!(get(&backend, "a").await.is_none(), "byte {at}");
            assert!(!file.exists(), "byte {at}");
            fs::write(&file, garbage).expect("it can be written");
            assert_eq!(backend.remove(&[name("a")]).await.expect("it answers"), [false]);
            fs::write(&file, garbage).expect("it can be written");
            let stored = backend.put(&[put("a", b"value", When::Unchanged(None))]).await.expect("it answers");
            assert_eq!(stored, [cache_values::backend::Stored::Kept]);
        }
    }
    fs::write(&file, [&whole[..], b"x"].concat()).expect("it can be written");
    assert!(get(&backend, "a").await.is_none());
    fs::write(&file, &whole).expect("it can be written");
    assert_eq!(get(&backend, "a").await.expect("it is whole").bytes, "value");
}

#[tokio::test]
async fn a_hash_that_two_names_share_is_a_miss() {
    let folder = Folder::new();
    let backend = folder.backend().await;
    set(&backend, "a", b"1").await;
    let (theirs, bytes) = (folder.file(), fs::read(folder.file()).expect("a file"));
    set(&backend, "b", b"2").await;
    let ours = folder.files().into_iter().find(|file| *file != theirs).expect("two files");
    fs::write(&ours, &bytes).expect("it can be written");
    assert!(get(&backend, "b").await.is_none());
    assert!(!backend.touch(&name("b"), None).await.expect("it answers"));
    set(&backend, "b", b"3").await;
    assert_eq!(get(&backend, "b").await.expect("it was put").bytes, "3");
    assert_eq!(get(&backend, "a").await.expect("it was put").bytes, "1");
}

#[tokio::test]
async fn what_was_put_is_there_for_the_next_process() {
    let folder = Folder::new();
    set(&folder.backend().await, "a", b"1").await;
    let puts = [Put { name: cell("c"), ..put("x", b"2", When::Always) }];
    folder.backend().await.put(&puts).await.expect("it answers");
    let items = folder.backend().await.get(&[name("a"), cell("c")], true).await.expect("it answers");
    assert!(items.iter().all(Option::is_some));
}

#[tokio::test]
async fn debug_shows_the_folder_and_the_limits() {
    let folder = Folder::new();
    let backend: FileBackend = folder.backend().await.with_entries(5, 3);
    let shown = format!("{backend:?}");
    assert!(shown.contains("/cache\", limits: Limits { entries: Some(5)"), "{shown}");
}

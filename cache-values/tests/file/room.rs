//! Who goes when there are too many, and what that costs.

use std::{
    fs,
    time::{Duration, SystemTime},
};

use cache_values::{
    backend::{Backend, Put, Start, Stored, When},
    name::Name,
};
use futures_util::future::join_all;

use super::{Folder, cell, get, name, put, set};

#[tokio::test]
async fn there_are_never_too_many() {
    for (most, cull_frequency) in [(1, 3), (30, 3), (300, 10), (300, 0)] {
        let folder = Folder::new();
        let backend = folder.backend().await.with_entries(most, cull_frequency);
        let mut highest = 0;
        for at in 0..3 * most.max(10) {
            set(&backend, at, b"1").await;
            highest = highest.max(folder.files().len());
        }
        assert_eq!(highest, most, "all of it is used");
        let last = 3 * most.max(10) - 1;
        assert!(cull_frequency == 0 || get(&backend, last).await.is_some(), "the newest one stays");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn many_at_once_keep_to_it() {
    let folder = Folder::new();
    let mut tasks = Vec::new();
    for task in 0..4 {
        let backend = folder.backend().await.with_entries(100, 3);
        tasks.push(tokio::spawn(async move {
            for at in 0..100 {
                set(&backend, format!("{task}/{at}"), b"1").await;
            }
        }));
    }
    for task in join_all(tasks).await {
        task.expect("no panic");
    }
    let files = folder.files().len();
    assert!((30..=104).contains(&files), "{files}");
}

#[tokio::test]
async fn bytes_are_bounded_as_well() {
    let folder = Folder::new();
    let backend = folder.backend().await.with_bytes(100_000);
    for at in 0..300 {
        set(&backend, at, &vec![7; at * 10]).await;
        let bytes: u64 =
            folder.files().iter().map(|file| fs::metadata(file).expect("it is there").len()).sum();
        assert!(bytes <= 100_000, "{bytes}");
    }
    assert!(get(&backend, 299).await.is_some());
    let large = put(299, &vec![7; 100_001], When::Always);
    assert_eq!(backend.put(&[large]).await.expect("it answers"), [Stored::TooLarge]);
    assert!(get(&backend, 299).await.is_none());
}

/// Makes the entries look as if they were last used so long ago.
fn age(folder: &Folder, seconds: u64) {
    for file in folder.files() {
        let file = fs::File::open(file).expect("it is there");
        file.set_modified(SystemTime::now() - Duration::from_secs(seconds)).expect("it is ours");
    }
}

async fn there(backend: &impl Backend, stem: &str) -> usize {
    let names: Vec<Name> = (0..100).map(|at| name(format!("{stem}{at}"))).collect();
    backend.get(&names, false).await.expect("it answers").iter().flatten().count()
}

#[tokio::test]
async fn what_was_not_used_goes_first() {
    let folder = Folder::new();
    let backend = folder.backend().await.with_entries(30, 3);
    for at in 0..15 {
        set(&backend, format!("old{at}"), b"1").await;
        set(&backend, format!("read{at}"), b"1").await;
    }
    age(&folder, 300);
    assert_eq!(there(&backend, "read").await, 15);
    // The first is one too many, and one in three goes.
    for at in 0..10 {
        set(&backend, format!("new{at}"), b"1").await;
    }
    let unbounded = folder.backend().await;
    assert_eq!(there(&unbounded, "read").await, 15);
    assert_eq!(there(&unbounded, "new").await, 10);
    assert_eq!(there(&unbounded, "old").await, 5);
}

#[tokio::test]
async fn a_use_is_noted_once_a_minute_and_only_where_it_matters() {
    let folder = Folder::new();
    let unbounded = folder.backend().await;
    set(&unbounded, "a", b"1").await;
    age(&folder, 61);
    let used = || fs::metadata(folder.file()).expect("it is there").modified().expect("a time");
    let before = used();
    get(&unbounded, "a").await.expect("it was put");
    assert_eq!(used(), before);
    let bounded = folder.backend().await.with_entries(5, 3);
    get(&bounded, "a").await.expect("it was put");
    let noted = used();
    assert!(noted > before);
    get(&bounded, "a").await.expect("it was put");
    assert_eq!(used(), noted);
}

#[tokio::test]
async fn what_is_over_goes_before_what_is_not() {
    let folder = Folder::new();
    let backend = folder.backend().await.with_entries(30, 3);
    for at in 0..20 {
        set(&backend, format!("old{at}"), b"1").await;
    }
    for at in 0..10 {
        set(&backend, format!("over{at}"), b"1").await;
    }
    for at in 0..10 {
        let short = Some(Duration::from_nanos(1));
        assert!(backend.touch(&name(format!("over{at}")), short).await.expect("it answers"));
    }
    while there(&backend, "over").await > 0 {
        tokio::task::yield_now().await;
    }
    set(&backend, "new0", b"1").await;
    assert_eq!(there(&backend, "old").await, 20, "one that was over was enough");
    assert!(folder.files().len() <= 30);
}

#[tokio::test]
async fn cells_neither_count_nor_go() {
    let folder = Folder::new();
    let backend = folder.backend().await.with_entries(20, 0);
    let puts: Vec<Put> = (0..50).map(|at| Put { name: cell(at), ..put("x", b"1", When::Always) }).collect();
    backend.put(&puts).await.expect("it answers");
    age(&folder, 100_000);
    for at in 0..20 {
        set(&backend, format!("v{at}"), b"1").await;
    }
    assert_eq!(folder.files().len(), 70);
    for at in 0..100 {
        backend
            .count(&name(format!("n{at}")), 1, Some(Start { value: 1, ttl: None }))
            .await
            .expect("it answers");
    }
    let cells: Vec<Name> = (0..50).map(cell).collect();
    assert!(backend.get(&cells, false).await.expect("it answers").iter().all(Option::is_some));
    assert!(folder.files().len() <= 70);
}

/// How many shards are looked at during so many puts. Each has a file that is gone after a look.
async fn looks(folder: &Folder, puts: usize) -> usize {
    let backend = folder.backend().await;
    let bait = |shard: std::path::PathBuf| shard.join(format!("{}.cell", "0".repeat(32)));
    for shard in folder.shards() {
        let _ = fs::create_dir(&shard);
        fs::write(bait(shard), "garbage").expect("a new file");
    }
    for at in 0..puts {
        set(&backend, format!("new{at}"), b"1").await;
    }
    folder.shards().filter(|shard| !bait(shard.clone()).exists()).count()
}

#[tokio::test]
async fn a_put_looks_at_one_entry_whatever_their_number() {
    let (few, many) = (Folder::new(), Folder::new());
    let puts: Vec<Put> = (0..12_800).map(|at| put(at, b"1", When::Always)).collect();
    many.backend().await.put(&puts).await.expect("it answers");
    // A look at an almost empty shard counts as one at sixteen entries; fifty entries are in each of the others.
    let (few, many) = (looks(&few, 800).await, looks(&many, 800).await);
    assert!((45..=51).contains(&few), "{few}");
    assert!((12..=20).contains(&many), "{many}");
}

#[tokio::test]
async fn what_was_done_behind_its_back_is_found_out() {
    let folder = Folder::new();
    let backend = folder.backend().await.with_entries(100, 3);
    for wrong in ["removed", "added", "garbage"] {
        for at in 0..100 {
            set(&backend, format!("{wrong}{at}"), b"1").await;
        }
        match wrong {
            // Another program removes all, or adds some.
            "removed" => folder.shards().for_each(|shard| {
                let _ = fs::remove_dir_all(shard);
            }),
            "added" => {
                let account = fs::read(folder.cache().join("account")).expect("it is there");
                for at in 0..200 {
                    set(&folder.backend().await, format!("more{at}"), b"1").await;
                }
                fs::write(folder.cache().join("account"), account).expect("it can be written");
            }
            _ => fs::write(folder.cache().join("account"), "garbage").expect("it can be written"),
        }
        for at in 0..1000 {
            set(&backend, format!("after_{wrong}{at}"), b"1").await;
        }
        let files = folder.files().len();
        assert!((66..=100).contains(&files), "{wrong}: {files}");
    }
}

#[tokio::test]
async fn a_sweep_takes_what_begins_so_and_what_is_left_over() {
    let folder = Folder::new();
    let backend = folder.backend().await;
    for at in 0..50 {
        set(&backend, format!("stem{at}"), b"1").await;
        set(&backend, format!("Stem{at}"), b"1").await;
    }
    let tag = Put { name: cell("stem{@tag}"), ..put("x", b"1", When::Always) };
    backend.put(&[tag]).await.expect("it answers");
    let draft = folder.files()[0].parent().expect("a shard").join("draft");
    fs::write(&draft, "of a process that was killed").expect("a new file");
    assert_eq!(backend.sweep("stem").await.expect("it answers"), 51);
    assert_eq!(folder.files().len(), 50);
    assert!(!draft.exists());
}

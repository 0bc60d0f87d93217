//! The contract, and many callers at once.

use std::sync::Arc;

use bytes::Bytes;
use cache_values::{
    backend::{Backend, Put, Stored, When},
    conformance,
};
use futures_util::{FutureExt, future::join_all};

use super::{Folder, get, name, put, set};

#[tokio::test(flavor = "multi_thread")]
async fn it_conforms() {
    let folder = Folder::new();
    let report = conformance::suite(Arc::new(folder.backend().await)).await;
    assert!(report.checks() > 50, "{report}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bound_changes_nothing() {
    let folder = Folder::new();
    let bounded = folder.backend().await.with_entries(100_000, 3).with_bytes(1 << 30);
    conformance::suite(Arc::new(bounded)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_eight_that_add_one_is_first_every_time() {
    let folder = Folder::new();
    for round in 0..40 {
        let add = |at: usize| {
            // Each with locks of its own.
            let cache = folder.cache();
            let put = put(round, at.to_string().as_bytes(), When::Vacant);
            tokio::spawn(async move {
                let backend = cache_values::backend::file::FileBackend::open(cache).await.expect("a folder");
                backend.put(&[put]).await.expect("it answers") == [Stored::Kept]
            })
        };
        let added = join_all((0..8).map(add)).await;
        assert_eq!(added.into_iter().filter(|added| matches!(added, Ok(true))).count(), 1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn readers_see_whole_values_while_writers_write() {
    let folder = Folder::new();
    let backend = folder.backend().await;
    set(&backend, "a", &[0; 1 << 20]).await;
    let write = |byte: u8| {
        let backend = backend.clone();
        tokio::spawn(async move {
            for _ in 0..20 {
                set(&backend, "a", &vec![byte; (1 << 20) + usize::from(byte)]).await;
            }
        })
    };
    let read = |_| {
        let backend = backend.clone();
        tokio::spawn(async move {
            for _ in 0..60 {
                let bytes = get(&backend, "a").await.expect("it is always there").bytes;
                assert_eq!(bytes.len(), (1 << 20) + usize::from(bytes[0]));
                assert!(bytes.iter().all(|byte| *byte == bytes[0]));
            }
        })
    };
    let tasks: Vec<_> = (1..4).map(write).chain((0..3).map(read)).collect();
    for task in join_all(tasks).await {
        task.expect("no panic");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_waits_in_a_circle() {
    let folder = Folder::new();
    let backend = folder.backend().await.with_entries(30, 3);
    let task = |at: u64| {
        let backend = backend.clone();
        tokio::spawn(async move {
            for round in 0..200_u64 {
                let (from, to) = ((at * 7 + round) % 40, (at * 11 + round * 3) % 40);
                set(&backend, from, b"1").await;
                backend.rename(&name(from), &name(to)).await.expect("it answers");
                backend.count(&name(to), 1, None).await.expect("it answers");
                backend.remove(&[name(round % 40)]).await.expect("it answers");
            }
        })
    };
    for task in join_all((0..8).map(task)).await {
        task.expect("no panic");
    }
}

#[tokio::test]
async fn a_dropped_call_does_no_harm() {
    let folder = Folder::new();
    let backend = folder.backend().await;
    for round in 0..20 {
        let put = Put { bytes: Bytes::from(vec![7; 1 << 16]), ..put(round, b"", When::Always) };
        let puts = [put];
        // Begun, and left alone.
        let _ = backend.put(&puts).now_or_never();
    }
    // Whatever became of them, the locks are free.
    for round in 0..20 {
        set(&backend, round, b"1").await;
        assert!(get(&backend, round).await.is_some());
    }
}

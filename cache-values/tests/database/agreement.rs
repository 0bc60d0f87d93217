//! The same meaning on every database, with one process and with several.

use std::{sync::Arc, time::Duration};

use cache_values::{
    backend::{Backend, Counted, Start, Stored, Version, When, database::DatabaseBackend},
    conformance,
};
use futures_util::future::join_all;
use tests::{Database, backends};

use super::{Place, get, name, put, set};

#[tokio::test(flavor = "multi_thread")]
async fn every_database_conforms() {
    for kind in backends() {
        let place = Place::new(kind).await;
        let report = conformance::suite(Arc::new(place.backend().await)).await;
        assert!(report.checks() > 50, "{report}");
        place.close().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_connection_to_a_database_in_memory_is_enough_and_a_bound_changes_nothing() {
    let database = Database::create_in_memory().await;
    let table = cache_values::backend::database::Table::new("main.entries").expect("a name");
    let db = database.connect().await;
    table.create(&db).await.expect("a new table");
    let backend = DatabaseBackend::new(db, &table).expect("SQLite").with_entries(100_000, 3);
    conformance::suite(Arc::new(backend)).await;
}

/// Four pools, as four processes have them, and eight tasks on each.
async fn from_everywhere<T: Send + 'static, F: Future<Output = T> + Send + 'static>(
    place: &Place,
    task: impl Fn(DatabaseBackend, usize) -> F,
) -> Vec<T> {
    let mut backends = Vec::new();
    for _ in 0..4 {
        backends.push(place.backend().await);
    }
    let tasks = (0..32).map(|at| tokio::spawn(task(backends[at % 4].clone(), at)));
    join_all(tasks).await.into_iter().map(|done| done.expect("no panic")).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn of_all_processes_one_finds_a_name_vacant() {
    for kind in backends() {
        let place = Place::new(kind).await;
        for round in 0..10 {
            // Nothing, something that is over, and a promise are the same.
            let before = ["nothing", "over", "promise"][round % 3];
            let text = format!("{before}{round}");
            if before != "nothing" {
                set(&place.backend().await, &text, if before == "over" { b"1" } else { b"\xc0" }).await;
            }
            if before == "over" {
                place.execute("UPDATE cache_entries SET expires = 1 WHERE name LIKE 'over%'").await;
            }
            let answers = from_everywhere(&place, |backend, at| {
                let put = put(&text, at.to_string().as_bytes(), When::Vacant);
                async move { (at, backend.put(&[put]).await.expect("it answers")) }
            });
            let kept: Vec<usize> = answers
                .await
                .iter()
                .filter(|(_, stored)| *stored == [Stored::Kept])
                .map(|(at, _)| *at)
                .collect();
            assert_eq!(kept.len(), 1, "{kind:?}, {text}");
            let item = get(&place.backend().await, &text).await.expect("one was kept");
            assert_eq!(item.bytes, kept[0].to_string());
        }
        place.close().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_count_is_lost_between_processes() {
    for kind in backends() {
        let place = Place::new(kind).await;
        let start = Some(Start { value: 100, ttl: Some(Duration::from_secs(60)) });
        let mut sums = from_everywhere(&place, |backend, _| async move {
            let mut sums = Vec::new();
            for _ in 0..5 {
                match backend.count(&name("visits"), -3, start).await.expect("it answers") {
                    Counted::Is(sum) => sums.push(sum),
                    other => panic!("{other:?}"),
                }
            }
            sums
        })
        .await
        .concat();
        sums.sort_unstable();
        let expected: Vec<i64> = (0..160).map(|at| 100 - 3 * (159 - at)).collect();
        assert_eq!(sums, expected, "{kind:?}: each sum is told once");
        place.close().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn of_those_who_remove_or_move_the_same_one_takes_it() {
    for kind in backends() {
        let place = Place::new(kind).await;
        for round in 0..5 {
            let [one, many, moved] = ["one", "many", "moved"].map(|what| format!("{what}{round}"));
            for text in [&one, &many, &moved] {
                set(&place.backend().await, text, b"1").await;
            }
            let took = from_everywhere(&place, |backend, at| {
                let (one, many, moved) = (name(&one), [name(&many), name("nobody's")], name(&moved));
                async move {
                    let one = backend.remove(&[one]).await.expect("it answers")[0];
                    let many = backend.remove(&many).await.expect("it answers")[0];
                    let moved =
                        backend.rename(&moved, &name(format!("to{round}/{at}"))).await.expect("it answers");
                    [one, many, moved].map(usize::from)
                }
            })
            .await;
            let sum = took.iter().fold([0; 3], |sum, took| [0, 1, 2].map(|at| sum[at] + took[at]));
            assert_eq!(sum, [1, 1, 1], "{kind:?}");
        }
        assert_eq!(place.number("SELECT COUNT(*) FROM cache_entries WHERE name LIKE 'to%'").await, 5);
        place.close().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn many_at_once_get_through_each_other() {
    for kind in backends() {
        let place = Place::new(kind).await;
        from_everywhere(&place, |backend, at| async move {
            for round in 0..5 {
                let order = (0..20).map(|n| if at % 2 == 0 { n } else { 19 - n });
                let names: Vec<_> = order.clone().map(name).collect();
                let when = if round % 2 == 0 { When::Always } else { When::Vacant };
                let puts: Vec<_> = order.map(|n| put(n, at.to_string().as_bytes(), when)).collect();
                backend.put(&puts).await.expect("nobody is turned away");
                backend.rename(&names[0], &names[1]).await.expect("nobody is turned away");
                backend.remove(&names[5..]).await.expect("nobody is turned away");
            }
        })
        .await;
        place.close().await;
    }
}

#[tokio::test]
async fn names_in_one_call_are_in_the_order_of_the_call() {
    for kind in backends() {
        let place = Place::new(kind).await;
        let backend = place.backend().await;
        let since = When::Unchanged(Some(Version::of(b"2")));
        let puts = [
            put("a", b"1", When::Always),
            put("b", b"1", When::Vacant),
            put("a", b"2", When::Always),
            put("b", b"2", When::Vacant),
            put("a", b"3", since),
            put("a", b"4", since),
        ];
        let (kept, refused) = (Stored::Kept, Stored::Refused);
        let stored = backend.put(&puts).await.expect("it answers");
        assert_eq!(stored, [kept, kept, kept, refused, kept, refused], "{kind:?}");
        assert_eq!(get(&backend, "a").await.expect("it was put").bytes, "3");
        let taken = backend.remove(&[name("a"), name("x"), name("a")]).await.expect("it answers");
        assert_eq!(taken, [true, false, false]);
        assert!(!backend.rename(&name("a"), &name("a")).await.expect("it answers"));
        assert!(backend.rename(&name("b"), &name("b")).await.expect("it answers"));
        place.close().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn of_all_who_saw_the_same_versions_one_changes_each() {
    for kind in backends() {
        let place = Place::new(kind).await;
        let backend = place.backend().await;
        let versions = (0..20).map(|at| put(at, b"\xc0seen", When::Always));
        backend.put(&versions.collect::<Vec<_>>()).await.expect("it answers");
        let answers = from_everywhere(&place, |backend, at| async move {
            let seen = When::Unchanged(Some(Version::of(b"\xc0seen")));
            let puts: Vec<_> = (0..20).map(|name| put(name, format!("{at:016}").as_bytes(), seen)).collect();
            (at, backend.put(&puts).await.expect("it answers"))
        })
        .await;
        for text in 0..20 {
            let kept: Vec<usize> = answers
                .iter()
                .filter(|(_, stored)| stored[text] == Stored::Kept)
                .map(|(at, _)| *at)
                .collect();
            assert_eq!(kept.len(), 1, "{kind:?}");
            assert_eq!(get(&backend, text).await.expect("it is there").bytes, format!("{:016}", kept[0]));
        }
        place.close().await;
    }
}

#[tokio::test]
async fn tens_of_thousands_of_names_are_asked_for_at_once() {
    for kind in backends() {
        let place = Place::new(kind).await;
        let backend = place.backend().await;
        let names: Vec<_> = (0..40_000).map(name).collect();
        let puts: Vec<_> = (0..40_000).step_by(10).map(|at| put(at, b"1", When::Always)).collect();
        backend.put(&puts).await.expect("it answers");
        let items = backend.get(&names, false).await.expect("it answers");
        assert!(items.iter().enumerate().all(|(at, item)| item.is_some() == (at % 10 == 0)), "{kind:?}");
        let taken = backend.remove(&names).await.expect("it answers");
        assert!(taken.iter().enumerate().all(|(at, taken)| *taken == (at % 10 == 0)), "{kind:?}");
        assert_eq!(place.rows().await, 0);
        place.close().await;
    }
}

//! Who goes when there are too many.

use std::time::Duration;

use cache_values::{
    backend::{Backend, Put, Start, When},
    name::Name,
};
use futures_util::future::join_all;
use tests::backends;

use super::{Place, get, name, put, set};

#[tokio::test(flavor = "multi_thread")]
async fn there_are_never_more_than_a_sixteenth_too_many() {
    for kind in backends() {
        for (most, cull_frequency) in [(1, 3), (30, 3), (600, 10), (300, 0)] {
            let place = Place::new(kind).await;
            let backend = place.backend().await.with_entries(most, cull_frequency);
            let (most, mut highest) = (most as i64, 0);
            for at in 0..(3 * most).max(50) {
                set(&backend, at, b"1").await;
                // Often enough: one put in so many is followed by a look.
                if at % 7 == 0 || most < 100 {
                    highest = highest.max(place.rows().await);
                }
            }
            assert!(highest <= most + most / 16, "{kind:?}: {highest} of {most}");
            // Half of it is used at least, unless all of a part goes at once.
            assert!(cull_frequency == 0 || highest >= most / 2, "{kind:?}: {highest} of {most}");
            place.close().await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn puts_of_many_and_of_many_processes_keep_to_it() {
    for kind in backends() {
        let place = Place::new(kind).await;
        let mut processes = Vec::new();
        for process in 0..4 {
            let backend = place.backend().await.with_entries(1000, 3);
            processes.push(tokio::spawn(async move {
                for round in 0..6 {
                    let put = |at: usize| put(format!("{process}/{round}/{at}"), b"1", When::Always);
                    backend.put(&(0..250).map(put).collect::<Vec<_>>()).await.expect("it answers");
                }
            }));
        }
        for process in join_all(processes).await {
            process.expect("no panic");
        }
        // Each process: a sixteenth, and the puts of one call.
        let rows = place.rows().await;
        assert!(rows <= 1000 + 4 * (62 + 250), "{kind:?}: {rows}");
        place.close().await;
    }
}

/// An entry that was last used so many seconds ago.
async fn age(place: &Place, pattern: &str, seconds: u64) {
    let micros = seconds * 1_000_000;
    place
        .execute(&format!("UPDATE cache_entries SET used = used - {micros} WHERE name LIKE '{pattern}'"))
        .await;
}

#[tokio::test]
async fn what_is_over_goes_first_and_then_what_was_not_used() {
    for kind in backends() {
        let place = Place::new(kind).await;
        let backend = place.backend().await.with_entries(30, 3);
        for at in 0..10 {
            set(&backend, format!("old{at}"), b"1").await;
            set(&backend, format!("read{at}"), b"1").await;
            set(&backend, format!("over{at}"), b"1").await;
        }
        assert_eq!(place.rows().await, 30);
        age(&place, "%", 300).await;
        place.execute("UPDATE cache_entries SET expires = 1 WHERE name LIKE 'over%'").await;
        let read: Vec<Name> = (0..10).map(|at| name(format!("read{at}"))).collect();
        backend.get(&read, false).await.expect("it answers");
        backend.settled().await;

        // Not too many yet: what is over goes all the same.
        set(&backend, "new0", b"1").await;
        for (pattern, left) in [("over%", 8), ("old%", 10), ("read%", 10), ("new%", 1)] {
            let there = place
                .number(&format!("SELECT COUNT(*) FROM cache_entries WHERE name LIKE '{pattern}'"))
                .await;
            assert_eq!(there, left, "{kind:?}: {pattern}");
        }
        for at in 1..15 {
            set(&backend, format!("new{at}"), b"1").await;
        }
        for (pattern, left) in [("over%", 0), ("old%", 0), ("read%", 10), ("new%", 15)] {
            let there = place
                .number(&format!("SELECT COUNT(*) FROM cache_entries WHERE name LIKE '{pattern}'"))
                .await;
            assert_eq!(there, left, "{kind:?}: {pattern}");
        }
        place.close().await;
    }
}

#[tokio::test]
async fn cells_neither_count_nor_go() {
    for kind in backends() {
        let place = Place::new(kind).await;
        let backend = place.backend().await.with_entries(20, 0);
        let cell = |at: usize| Name::new(format!("cell{at}"), true);
        let cells =
            (0..50).map(|at| Put { name: cell(at), bytes: "1".into(), ttl: None, when: When::Always });
        backend.put(&cells.collect::<Vec<_>>()).await.expect("it answers");
        age(&place, "cell%", 100_000).await;
        for at in 0..20 {
            set(&backend, at, b"1").await;
        }
        assert_eq!(place.rows().await, 70, "{kind:?}");
        for at in 20..100 {
            set(&backend, at, b"1").await;
        }
        let names: Vec<Name> = (0..50).map(cell).collect();
        assert!(
            backend.get(&names, false).await.expect("it answers").iter().all(Option::is_some),
            "{kind:?}"
        );
        place.close().await;
    }
}

#[tokio::test]
async fn numbers_that_begin_by_being_counted_make_room_too() {
    for kind in backends() {
        let place = Place::new(kind).await;
        let backend = place.backend().await.with_entries(16, 3);
        for at in 0..100 {
            let start = Some(Start { value: 1, ttl: None });
            backend.count(&name(at), 1, start).await.expect("it answers");
        }
        assert!(place.rows().await <= 17, "{kind:?}");
        place.close().await;
    }
}

#[tokio::test]
async fn without_a_limit_what_is_over_goes_with_the_puts_of_others() {
    for kind in backends() {
        let place = Place::new(kind).await;
        let backend = place.backend().await;
        for at in 0..100 {
            set(&backend, format!("over{at}"), b"1").await;
        }
        place.execute("UPDATE cache_entries SET expires = 1").await;
        for at in 0..64 {
            set(&backend, at, b"1").await;
        }
        assert_eq!(place.rows().await, 64, "{kind:?}");
        place.close().await;
    }
}

#[tokio::test]
async fn a_sweep_takes_what_is_over_and_what_begins_so() {
    for kind in backends() {
        let place = Place::new(kind).await;
        let backend = place.backend().await;
        let puts = |stem: &str, many: usize| -> Vec<Put> {
            (0..many).map(|at| put(format!("{stem}{at}"), b"1", When::Always)).collect()
        };
        backend.put(&puts("stem~", 2500)).await.expect("it answers");
        backend.put(&puts("over", 1200)).await.expect("it answers");
        backend.put(&puts("Stem~", 3)).await.expect("it answers");
        backend.put(&puts("stem%_", 3)).await.expect("it answers");
        place.execute("UPDATE cache_entries SET expires = 1 WHERE name LIKE 'over%'").await;
        let tag = Put { name: Name::new("stem~{@tag}".to_owned(), true), ..puts("x", 1).remove(0) };
        backend.put(&[tag]).await.expect("it answers");
        let gone = backend.sweep("stem~").await.expect("it answers");
        assert_eq!(place.rows().await, 6, "{kind:?}");
        // Some that are over have gone with the puts.
        assert!((2501..=3701).contains(&gone), "{kind:?}: {gone}");
        place.close().await;
    }
}

#[tokio::test]
async fn a_use_is_noted_once_a_minute() {
    for kind in backends() {
        let place = Place::new(kind).await;
        let used = "SELECT used FROM cache_entries WHERE name = 'a'";
        let unbounded = place.backend().await;
        set(&unbounded, "a", b"1").await;
        age(&place, "a", 61).await;
        let before = place.number(used).await;
        get(&unbounded, "a").await.expect("it was put");
        unbounded.settled().await;
        assert_eq!(place.number(used).await, before, "{kind:?}: nobody needs to know");
        let bounded = place.backend().await.with_entries(10, 3);
        get(&bounded, "a").await.expect("it was put");
        bounded.settled().await;
        let noted = place.number(used).await;
        assert!(noted >= before + 61_000_000, "{kind:?}");
        get(&bounded, "a").await.expect("it was put");
        bounded.settled().await;
        assert_eq!(place.number(used).await, noted, "{kind:?}: it was noted in this minute");
        place.close().await;
    }
}

#[tokio::test]
async fn times_are_the_databases_own_to_the_millisecond() {
    for kind in backends() {
        let place = Place::new(kind).await;
        let backend = place.backend().await;
        let now = match kind {
            tests::Backend::Sqlite => "SELECT CAST(unixepoch('subsec') * 1000 AS INTEGER)",
            tests::Backend::Postgres => "SELECT (extract(epoch FROM clock_timestamp()) * 1000)::bigint",
            tests::Backend::MySql => "SELECT CAST(UNIX_TIMESTAMP(SYSDATE(3)) * 1000 AS SIGNED)",
        };
        // Rounded up, beyond the years that 32 bits can tell, and no overflow.
        for (ttl, millis) in [
            (Duration::from_nanos(60_000_000_001), 60_001),
            (Duration::from_millis(86_400_000 * 40), 86_400_000 * 40),
            (Duration::from_secs(1 << 40), 1000 << 40),
        ] {
            let before = place.number(now).await;
            let put = Put { ttl: Some(ttl), ..put("a", b"1", When::Always) };
            backend.put(&[put]).await.expect("it answers");
            let expires = place.number("SELECT expires FROM cache_entries WHERE name = 'a'").await;
            // One millisecond more, where this test's question rounds up.
            let lives = before - 1 + millis..=place.number(now).await + millis;
            assert!(lives.contains(&expires), "{kind:?}: {expires} is not in {lives:?}");
        }
        let endless = Put { ttl: Some(Duration::MAX), ..put("a", b"1", When::Always) };
        backend.put(&[endless]).await.expect("it answers");
        assert!(get(&backend, "a").await.is_some(), "{kind:?}");
        place.close().await;
    }
}

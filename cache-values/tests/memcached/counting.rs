//! Numbers.

use std::time::Duration;

use cache_values::backend::{Backend, Counted, Left, Start, When};
use futures_util::future::join_all;

use crate::{keep, look, name, on, put, read, server::Server};

#[tokio::test(flavor = "multi_thread")]
async fn many_that_count_both_ways_lose_nothing() {
    let servers = [Server::start(), Server::start()];
    // Two backends, as two processes have.
    let backends = [on(&servers.each_ref()).await, on(&servers.each_ref()).await];
    let start = Some(Start { value: 0, ttl: None });
    assert_eq!(backends[0].count(&name("n"), 1, start).await.unwrap(), Counted::Is(0));
    let tasks = (0..16).map(|at: usize| {
        let backend = backends[at % 2].clone();
        // Up by 3 and down by 2, through zero and through numbers of one digit and two.
        let by = if at < 8 { 3 } else { -2 };
        tokio::spawn(async move {
            for _ in 0..25 {
                assert!(matches!(backend.count(&name("n"), by, None).await.unwrap(), Counted::Is(_)));
            }
        })
    });
    join_all(tasks).await.into_iter().for_each(|done| done.unwrap());
    assert_eq!(read(&backends[0], "n").await.unwrap(), "200");
}

#[tokio::test]
async fn a_number_that_loses_a_digit_has_no_space_instead() {
    let server = Server::start();
    let backend = on(&[&server]).await;
    keep(&backend, "n", "1000").await.unwrap();
    for (by, is) in [(-1, 999), (-990, 9), (-9, 0), (-1, -1), (2, 1), (9, 10), (-5, 5)] {
        assert_eq!(backend.count(&name("n"), by, None).await.unwrap(), Counted::Is(is));
        assert_eq!(read(&backend, "n").await.unwrap(), is.to_string());
    }
}

/// The time of a number is as exact as that of a value, and does not grow while it is counted.
#[tokio::test]
async fn counting_adds_no_time() {
    let server = Server::start();
    let backend = on(&[&server]).await;
    for by in [1, -1] {
        let short = Some(Duration::from_millis(400));
        let began = std::time::Instant::now();
        assert_eq!(
            backend.count(&name("n"), by, Some(Start { value: 10_000, ttl: short })).await.unwrap(),
            Counted::Is(10_000)
        );
        let mut counted = 0_u64;
        while let Counted::Is(_) = backend.count(&name("n"), by, None).await.unwrap() {
            counted += 1;
            let left = look(&backend, "n").await.map(|item| item.left);
            assert!(
                left.is_none_or(|left| matches!(left, Left::For(left) if Some(left) <= short)),
                "{left:?}"
            );
        }
        assert!(began.elapsed() >= Duration::from_millis(399), "it ended early, after {counted}");
        assert!(look(&backend, "n").await.is_none());
    }
}

#[tokio::test]
async fn one_server_counts_where_it_can() {
    let server = Server::start();
    let backend = on(&[&server]).await;
    keep(&backend, "n", "5").await.unwrap();
    let counts = || {
        let stats = server.say("stats\r\n", "END\r\n");
        let of = |name: &str| {
            stats
                .split(&format!("STAT {name} "))
                .nth(1)
                .unwrap()
                .lines()
                .next()
                .unwrap()
                .parse::<u64>()
                .unwrap()
        };
        [of("incr_hits"), of("cmd_set")]
    };
    let [adds, sets] = counts();
    assert_eq!(backend.count(&name("n"), 7, None).await.unwrap(), Counted::Is(12));
    assert_eq!(counts(), [adds + 1, sets]);
    assert_eq!(backend.count(&name("n"), -7, None).await.unwrap(), Counted::Is(5));
    assert_eq!(counts(), [adds + 1, sets + 1]);
    // Where a step might leave the range, the number must still be the one that was seen.
    backend.put(&[put("n", (1_i64 << 62).to_string(), When::Always)]).await.unwrap();
    assert_eq!(backend.count(&name("n"), 1, None).await.unwrap(), Counted::Is((1 << 62) + 1));
    assert_eq!(counts(), [adds + 1, sets + 3]);
}

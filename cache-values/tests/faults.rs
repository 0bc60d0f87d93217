//! A backend that is down, silent, or loses its answers; and what each call costs one that is not.

use std::{collections::HashMap, sync::Arc, time::Duration};

use cache_values::{
    Cache, Error, Failure, Settings, Ttl,
    backend::{MemoryBackend, StoreError},
    testing::{Fault, ManualClock, WatchedBackend},
};
use tokio::{
    sync::{Barrier, Notify},
    time::Instant,
};

fn watched(failure: Failure) -> (Cache, WatchedBackend) {
    let backend = WatchedBackend::new(MemoryBackend::default());
    let settings = Settings::default().failure(failure);
    (Cache::new(backend.clone(), settings).expect("there is no prefix"), backend)
}

#[tokio::test(start_paused = true)]
async fn a_read_is_a_miss_in_bounded_time() {
    for fault in [Fault::Refused, Fault::Lost, Fault::Silent] {
        let (cache, backend) = watched(Failure::Degrade);
        cache.set("key", "value", Ttl::Default).await.expect("it is kept");
        backend.set_fault(fault);
        let began = Instant::now();
        assert_eq!(cache.get::<String>("key").await.expect("it is a miss"), None);
        assert!(cache.get_many::<String, _>(["key", "other"]).await.expect("they are misses").is_empty());
        assert!(!cache.has("key").await.expect("it is a miss"));
        assert_eq!(cache.ttl("key").await.expect("it is a miss"), None);
        assert!(began.elapsed() <= Duration::from_secs(2), "{:?}", began.elapsed());
        assert_eq!(cache.stats().misses, 5);
        assert!(cache.stats().failures >= 4);
    }
}

#[tokio::test(start_paused = true)]
async fn a_write_is_counted_and_a_question_is_an_error() {
    for fault in [Fault::Refused, Fault::Lost, Fault::Silent] {
        let (cache, backend) = watched(Failure::Degrade);
        cache.set("key", "value", Ttl::Default).await.expect("it is kept");
        backend.set_fault(fault);
        cache.set("key", "value", Ttl::Default).await.expect("it is counted");
        cache.set("key", "value", Ttl::secs(0)).await.expect("it is counted");
        let failed = cache.set_many([("a", "1"), ("b", "2")], Ttl::Default).await.expect("it is counted");
        assert_eq!(failed, ["a", "b"]);
        let errors = [
            cache.add("key", "value", Ttl::Default).await.map(drop),
            cache.delete("key").await.map(drop),
            cache.touch("key", Ttl::Default).await.map(drop),
            cache.incr("key", 1).await.map(drop),
            cache.incr_or("key", 1, 1, Ttl::Default).await.map(drop),
            cache.incr_version("key", 1).await.map(drop),
            cache.clear().await,
            cache.invalidate_tag("tag").await,
        ];
        for (at, error) in errors.into_iter().enumerate() {
            assert!(matches!(error, Err(Error::Backend(_))), "{at}: {error:?}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn strictly_every_failure_is_an_error() {
    let (cache, backend) = watched(Failure::Strict);
    backend.set_fault(Fault::Silent);
    assert!(matches!(cache.get::<String>("key").await, Err(Error::Backend(StoreError::TimedOut(_)))));
    backend.set_fault(Fault::Refused);
    assert!(matches!(cache.get::<String>("key").await, Err(Error::Backend(_))));
    assert!(matches!(cache.get_many::<String, _>(["key"]).await, Err(Error::Backend(_))));
    assert!(matches!(cache.set("key", "value", Ttl::Default).await, Err(Error::Backend(_))));
    assert!(matches!(cache.set_many([("key", "value")], Ttl::Default).await, Err(Error::Backend(_))));
    let computed = cache.get_or_set("key", Ttl::Default, async || Ok::<_, ()>(1)).await;
    assert_eq!(computed, Ok(1), "what can be computed is");
}

#[tokio::test]
async fn without_its_backend_a_process_computes_once_for_all_that_wait() {
    let (cache, backend) = watched(Failure::Degrade);
    backend.set_fault(Fault::Refused);
    // All of them have come before the first is ready.
    let all_here = Arc::new(Barrier::new(2));
    let leader = {
        let (cache, all_here) = (cache.clone(), Arc::clone(&all_here));
        tokio::spawn(async move {
            let load = async || {
                all_here.wait().await;
                Ok::<_, ()>(7)
            };
            cache.get_or_set("key", Ttl::Default, load).await
        })
    };
    while cache.stats().loads == 0 {
        tokio::task::yield_now().await;
    }
    let followers: Vec<_> = (0..10)
        .map(|_| {
            let cache = cache.clone();
            tokio::spawn(async move {
                cache.get_or_set("key", Ttl::Default, async || Err::<i32, _>("not asked")).await
            })
        })
        .collect();
    while cache.stats().misses < 11 {
        tokio::task::yield_now().await;
    }
    all_here.wait().await;
    assert_eq!(leader.await.expect("it answers"), Ok(7));
    for follower in followers {
        assert_eq!(follower.await.expect("it answers"), Ok(7));
    }
    assert_eq!((cache.stats().loads, cache.stats().joins), (1, 10));
}

#[tokio::test]
async fn nobody_joins_a_computation_whose_value_is_being_kept() {
    let backend = WatchedBackend::new(MemoryBackend::default());
    let settings = || Settings::default().time_out(Duration::from_secs(60));
    let cache = Cache::new(backend.clone(), settings()).expect("there is no prefix");
    // Another process.
    let other = Cache::new(backend.clone(), settings()).expect("there is no prefix");
    assert!(!other.has("key").await.expect("it answers"));
    let load = async || Ok::<_, ()>("old".to_owned());
    // 1. The first call promises, computes, and has its value kept; the answer to that is on its way.
    let promised = backend.hold("put 1");
    let keeping = {
        let cache = cache.clone();
        tokio::spawn(async move { cache.get_or_set("key", Ttl::Default, load).await })
    };
    promised.made().await;
    let kept = backend.hold("put 1");
    promised.let_go();
    kept.made().await;
    // 2. Another process deletes it.
    assert!(other.delete("key").await.expect("it answers"));
    // 3. A call that begins now must not be answered with the first one's value.
    let new = {
        let cache = cache.clone();
        let load = async || Ok::<_, ()>("new".to_owned());
        tokio::spawn(async move { cache.get_or_set("key", Ttl::Default, load).await })
    };
    while cache.stats().misses < 2 {
        tokio::task::yield_now().await;
    }
    tokio::task::yield_now().await;
    kept.let_go();
    assert_eq!(keeping.await.expect("it answers").as_deref(), Ok("old"));
    assert_eq!(new.await.expect("it answers").as_deref(), Ok("new"));
}

#[tokio::test(start_paused = true)]
async fn a_promise_is_renewed_for_as_long_as_the_computation_takes() {
    let clock = ManualClock::default();
    let backend = WatchedBackend::new(MemoryBackend::default().with_clock(clock.clone()));
    let lease = Duration::from_secs(30);
    let settings = || Settings::default().lease(lease).patience(Duration::ZERO);
    let cache = Cache::new(backend.clone(), settings()).expect("there is no prefix");
    let other = Cache::new(backend.clone(), settings()).expect("there is no prefix");
    let goes_on = Arc::new(Notify::new());
    let computing = {
        let (cache, goes_on) = (cache.clone(), Arc::clone(&goes_on));
        let load = async move || {
            goes_on.notified().await;
            Ok::<_, ()>("first".to_owned())
        };
        tokio::spawn(async move { cache.get_or_set("key", Ttl::Default, load).await })
    };
    while cache.stats().loads == 0 {
        tokio::task::yield_now().await;
    }
    // Three times as long as the promise lasts by itself, in steps: each is taken when it has been renewed.
    for _ in 0..9 {
        let renewed = backend.hold("put 1");
        clock.advance(lease / 3);
        renewed.made().await;
        renewed.let_go();
    }
    // Another process finds the promise: it computes, since it does not wait, and keeps nothing.
    let second = other.get_or_set("key", Ttl::Default, async || Ok::<_, ()>("second".to_owned())).await;
    assert_eq!(second.as_deref(), Ok("second"));
    assert_eq!(other.get::<String>("key").await.expect("it answers"), None);
    goes_on.notify_one();
    assert_eq!(computing.await.expect("it answers").as_deref(), Ok("first"));
    assert_eq!(other.get::<String>("key").await.expect("it answers").as_deref(), Some("first"));
}

#[tokio::test]
async fn a_count_whose_answer_was_lost_is_not_made_again() {
    let (cache, backend) = watched(Failure::Degrade);
    cache.set("number", &1, Ttl::Default).await.expect("it is kept");
    backend.set_fault(Fault::Lost);
    assert!(matches!(cache.incr("number", 1).await, Err(Error::Backend(_))));
    backend.set_fault(Fault::None);
    assert_eq!(cache.get("number").await.expect("it answers"), Some(2));
}

#[tokio::test]
async fn each_call_costs_as_much_as_it_says() {
    let (cache, backend) = watched(Failure::Degrade);
    cache.get::<u8>("key").await.expect("it answers");
    backend.take_calls();
    let calls = async |what: &str, wanted: &[&str]| {
        let mut calls = backend.take_calls();
        // The cell is read beside the call, not after it.
        calls.sort_unstable();
        assert_eq!(calls, wanted, "{what}");
    };
    cache.get::<u8>("key").await.expect("it answers");
    calls("get", &["get 2"]).await;
    cache.get_many::<u8, _>((0..100).map(|at| at.to_string())).await.expect("it answers");
    calls("get_many", &["get 101"]).await;
    cache.set("key", &1, Ttl::Default).await.expect("it is kept");
    calls("set", &["get 1", "put 1"]).await;
    cache.set_many([("a", &1), ("b", &2)], Ttl::Default).await.expect("they are kept");
    calls("set_many", &["get 1", "put 2"]).await;
    cache.add("new", &1, Ttl::Default).await.expect("it is kept");
    calls("add", &["get 1", "put 1"]).await;
    cache.incr("key", 1).await.expect("it is counted");
    calls("incr", &["count", "get 1"]).await;
    cache.touch("key", Ttl::Never).await.expect("it answers");
    calls("touch", &["get 2", "touch"]).await;
    cache.delete_many(["a", "b"]).await.expect("it answers");
    calls("delete_many", &["get 1", "remove 2"]).await;
    cache.get_or_set("key", Ttl::Default, async || Ok::<_, ()>(1)).await.expect("it is there");
    calls("get_or_set, there", &["get 2"]).await;
    cache.get_or_set("other", Ttl::Default, async || Ok::<_, ()>(1)).await.expect("it is computed");
    calls("get_or_set, not there", &["get 2", "put 1", "put 1"]).await;
    let load = async |missing: Vec<&'static str>| {
        Ok::<HashMap<_, _>, ()>(missing.into_iter().map(|key| (key, 1)).collect())
    };
    cache.get_or_set_many(["x", "y", "z"], Ttl::Default, load).await.expect("they are computed");
    calls("get_or_set_many", &["get 4", "put 3", "put 3"]).await;
    cache.clear().await.expect("it is emptied");
    tokio::task::yield_now().await;
    calls("clear", &["put 1", "sweep"]).await;
    cache.entry("tagged").tags(["a", "b"]).set(&1).await.expect("it is kept");
    backend.take_calls();
    cache.get::<u8>("tagged").await.expect("it answers");
    calls("get of a value with tags", &["get 2", "get 2"]).await;
}

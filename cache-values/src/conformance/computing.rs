//! E: one computation.

use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
    time::Duration,
};

use futures_util::future::join_all;
use tokio::{sync::Notify, task::JoinHandle};

use super::{checks, unique};
use crate::{Cache, Settings, Ttl};

/// A computation that waits until the test lets it go on, and tells when it began.
#[derive(Clone, Default)]
struct Computation {
    began: Arc<Notify>,
    goes_on: Arc<Notify>,
    count: Arc<AtomicUsize>,
}

impl Computation {
    /// Begins it, in a call of its own.
    fn of(&self, cache: &Cache, value: &'static str) -> JoinHandle<Result<String, &'static str>> {
        let (cache, own) = (cache.clone(), self.clone());
        tokio::spawn(async move { cache.get_or_set("key", Ttl::Default, || own.run(value)).await })
    }

    async fn run(&self, value: &str) -> Result<String, &'static str> {
        self.count.fetch_add(1, SeqCst);
        self.began.notify_one();
        self.goes_on.notified().await;
        Ok(value.to_owned())
    }
}

checks! {
    async fn what_is_there_is_not_computed(subject) {
        let cache = subject.cache();
        let computed = cache.get_or_set("key", Ttl::Default, async || Ok::<_, ()>("new".to_owned())).await;
        assert_eq!(computed.as_deref(), Ok("new"));
        let found = cache.get_or_set("key", Ttl::Default, async || Err::<String, _>("not asked")).await;
        assert_eq!(found.as_deref(), Ok("new"));
        assert_eq!(cache.get::<String>("key").await.expect("it answers").as_deref(), Some("new"));
        let stats = cache.stats();
        assert_eq!((stats.loads, stats.misses, stats.hits), (1, 1, 2));
    }

    async fn nothing_may_be_computed_and_is_kept(subject) {
        let cache = subject.cache();
        let computed = cache.get_or_set("key", Ttl::Default, async || Ok::<_, ()>(None::<u8>)).await;
        assert_eq!(computed, Ok(None));
        let found = cache.get_or_set("key", Ttl::Default, async || Err::<Option<u8>, _>("not asked")).await;
        assert_eq!(found, Ok(None));
    }

    async fn an_error_is_passed_on_and_not_kept(subject) {
        let cache = subject.cache();
        for count in 1..3 {
            let failed = cache.get_or_set("key", Ttl::Default, async || Err::<String, _>("no")).await;
            assert_eq!(failed, Err("no"));
            assert_eq!(cache.stats().failed_loads, count);
            assert!(!cache.has("key").await.expect("it answers"));
        }
        let computed = cache.get_or_set("key", Ttl::Default, async || Ok::<_, ()>(1)).await;
        assert_eq!(computed, Ok(1));
    }

    async fn of_many_calls_one_computes(subject) {
        let settings = Settings::default().prefix(unique());
        // Two caches are as two processes: they share the backend alone.
        let caches = [subject.cache_with(settings.clone()), subject.cache_with(settings)];
        let count = Arc::new(AtomicUsize::new(0));
        let call = |at: usize| {
            let (cache, count) = (caches[at % 2].clone(), Arc::clone(&count));
            tokio::spawn(async move {
                let load = async || {
                    count.fetch_add(1, SeqCst);
                    tokio::task::yield_now().await;
                    Ok::<_, ()>("value".to_owned())
                };
                cache.get_or_set("key", Ttl::Default, load).await
            })
        };
        for answer in join_all((0..64).map(call)).await {
            assert_eq!(answer.expect("it answers").as_deref(), Ok("value"));
        }
        assert_eq!(count.load(SeqCst), 1);
    }

    async fn a_call_that_comes_later_waits_for_the_first(subject) {
        let settings = Settings::default().prefix(unique());
        let caches = [subject.cache_with(settings.clone()), subject.cache_with(settings)];
        let computation = Computation::default();
        let call = |at: usize| {
            let (cache, computation) = (caches[at].clone(), computation.clone());
            tokio::spawn(async move {
                cache.get_or_set("key", Ttl::Default, async || computation.run("value").await).await
            })
        };
        let first = call(0);
        computation.began.notified().await;
        let others = [call(0), call(1)];
        computation.goes_on.notify_one();
        assert_eq!(first.await.expect("it answers").as_deref(), Ok("value"));
        for other in others {
            assert_eq!(other.await.expect("it answers").as_deref(), Ok("value"));
        }
        assert_eq!(computation.count.load(SeqCst), 1);
    }

    async fn what_is_set_or_deleted_meanwhile_wins(subject) {
        let settings = Settings::default().prefix(unique());
        let [cache, other] = [subject.cache_with(settings.clone()), subject.cache_with(settings)];
        for change in ["delete", "set", "set and delete", "add", "clear"] {
            for by in [&cache, &other] {
                let computation = Computation::default();
                let call = computation.of(&cache, "old");
                computation.began.notified().await;
                let left = match change {
                    "delete" => {
                        assert!(!by.delete("key").await.expect("it answers"), "a promise is no value");
                        None
                    }
                    "set" => {
                        by.set("key", "new", Ttl::Default).await.expect("it is kept");
                        Some("new")
                    }
                    "add" => {
                        assert!(by.add("key", "new", Ttl::Default).await.expect("it answers"));
                        Some("new")
                    }
                    "clear" => {
                        by.clear().await.expect("it is emptied");
                        None
                    }
                    _ => {
                        by.set("key", "new", Ttl::Default).await.expect("it is kept");
                        assert!(by.delete("key").await.expect("it answers"));
                        None
                    }
                };
                computation.goes_on.notify_one();
                assert_eq!(call.await.expect("it answers").as_deref(), Ok("old"), "{change}");
                for cache in [&cache, &other] {
                    let found = cache.get::<String>("key").await.expect("it answers");
                    assert_eq!(found.as_deref(), left, "{change}");
                }
                cache.delete("key").await.expect("it answers");
            }
        }
    }

    async fn a_call_that_comes_after_a_deletion_does_not_wait_for_what_began_before(subject) {
        let cache = subject.cache();
        let old = Computation::default();
        let call = old.of(&cache, "old");
        old.began.notified().await;
        cache.delete("key").await.expect("it answers");
        let new = cache.get_or_set("key", Ttl::Default, async || Ok::<_, ()>("new".to_owned())).await;
        assert_eq!(new.as_deref(), Ok("new"));
        old.goes_on.notify_one();
        assert_eq!(call.await.expect("it answers").as_deref(), Ok("old"));
        assert_eq!(cache.get::<String>("key").await.expect("it answers").as_deref(), Some("new"));
        assert_eq!(cache.stats().superseded, 1);
    }

    async fn a_call_that_vanishes_hands_over(subject) {
        // Nobody may have to wait until a promise ends by itself.
        let hour = Duration::from_secs(3600);
        let settings = Settings::default().prefix(unique()).lease(hour).patience(hour);
        let caches = [subject.cache_with(settings.clone()), subject.cache_with(settings)];
        for at in 0..2 {
            let computation = Computation::default();
            let first = computation.of(&caches[0], "never");
            computation.began.notified().await;
            let second = {
                let cache = caches[at].clone();
                tokio::spawn(async move {
                    cache.get_or_set("key", Ttl::Default, async || Ok::<_, ()>("second".to_owned())).await
                })
            };
            first.abort();
            assert_eq!(second.await.expect("it answers").as_deref(), Ok("second"));
            assert_eq!(caches[1].get::<String>("key").await.expect("it answers").as_deref(), Some("second"));
            caches[0].delete("key").await.expect("it answers");
        }
    }

    async fn whoever_waits_too_long_computes(subject) {
        let settings = Settings::default().prefix(unique());
        let patient = subject.cache_with(settings.clone());
        let impatient = subject.cache_with(settings.patience(Duration::ZERO));
        let computation = Computation::default();
        let first = computation.of(&patient, "first");
        computation.began.notified().await;
        let second = impatient.get_or_set("key", Ttl::Default, async || Ok::<_, ()>("second".to_owned())).await;
        assert_eq!(second.as_deref(), Ok("second"));
        computation.goes_on.notify_one();
        assert_eq!(first.await.expect("it answers").as_deref(), Ok("first"));
        assert_eq!(patient.get::<String>("key").await.expect("it answers").as_deref(), Some("first"));
    }

    async fn what_misses_of_many_is_computed_at_once(subject) {
        let cache = subject.cache();
        cache.set("a", &1, Ttl::Default).await.expect("it is kept");
        let mut asked = Vec::new();
        let load = async |missing: Vec<String>| {
            asked = missing;
            Ok::<_, ()>(HashMap::from([("b".to_owned(), 2), ("uncalled".to_owned(), 9)]))
        };
        let keys = ["a", "b", "c", "b"].map(str::to_owned);
        let answers = cache.get_or_set_many(keys, Ttl::Default, load).await.expect("it computes");
        assert_eq!(answers, HashMap::from([("a".to_owned(), 1), ("b".to_owned(), 2)]));
        assert_eq!(asked, ["b", "c"]);
        assert_eq!(cache.get("b").await.expect("it answers"), Some(2));
        assert!(!cache.has("uncalled").await.expect("it answers"));
        assert!(!cache.has("c").await.expect("it answers"));
        let failed = cache.get_or_set_many(["d"], Ttl::Default, async |_| Err::<HashMap<&str, u8>, _>("no")).await;
        assert_eq!(failed, Err("no"));
        let all = cache.get_or_set_many(["a", "b"], Ttl::Default, async |_| Err::<HashMap<&str, u8>, _>("not asked"));
        assert_eq!(all.await, Ok(HashMap::from([("a", 1), ("b", 2)])));
        let none = cache.get_or_set_many([], Ttl::Default, async |_: Vec<&str>| Err::<HashMap<&str, u8>, _>("not asked"));
        assert_eq!(none.await, Ok(HashMap::new()));
    }

    async fn of_many_what_is_deleted_meanwhile_is_not_kept(subject) {
        let settings = Settings::default().prefix(unique());
        let [cache, other] = [subject.cache_with(settings.clone()), subject.cache_with(settings)];
        let load = async |_| {
            other.delete("a").await.expect("it answers");
            other.set("b", &20, Ttl::Default).await.expect("it is kept");
            Ok::<_, ()>(HashMap::from([("a", 1), ("b", 2), ("c", 3)]))
        };
        let answers = cache.get_or_set_many(["a", "b", "c"], Ttl::Default, load).await.expect("it computes");
        assert_eq!(answers, HashMap::from([("a", 1), ("b", 2), ("c", 3)]));
        let left = cache.get_many::<i32, _>(["a", "b", "c"]).await.expect("it answers");
        assert_eq!(left, HashMap::from([("b".to_owned(), 20), ("c".to_owned(), 3)]));
    }

    async fn what_failed_once_is_computed_in_place_of_what_is_over(subject) {
        let cache = subject.cache();
        let hour = Duration::from_secs(3600);
        let entry = || cache.entry::<String, _>("key").ttl(Duration::from_millis(50)).stale_if_error(hour);
        entry().set(&"old".to_owned()).await.expect("it is kept");
        let gone = async || cache.get::<String>("key").await.expect("it answers").is_none();
        subject.until("the value's time is over", tokio::time::Instant::now(), gone).await;
        assert_eq!(entry().get_or_set(async || Err::<String, _>("no")).await, Ok("old".to_owned()));
        let new = entry().ttl(Ttl::Default).get_or_set(async || Ok::<_, ()>("new".to_owned())).await;
        assert_eq!(new, Ok("new".to_owned()));
        assert_eq!(cache.get::<String>("key").await.expect("it answers").as_deref(), Some("new"));
        // Its time is its own, without that of grace.
        let left = cache.ttl("key").await.expect("it answers").flatten().expect("it ends");
        assert!(left <= Duration::from_secs(300), "{left:?}");
        assert!(cache.touch("key", Ttl::secs(100)).await.expect("it answers"));
        let left = cache.ttl("key").await.expect("it answers").flatten().expect("it ends");
        assert!(left <= Duration::from_secs(100) && left > Duration::from_secs(40), "{left:?}");
    }

    async fn a_value_that_is_over_is_served_while_another_computes(subject) {
        let settings = Settings::default().prefix(unique());
        let caches = [subject.cache_with(settings.clone()), subject.cache_with(settings)];
        let hour = Duration::from_secs(3600);
        let entry = |at: usize| {
            caches[at].entry::<String, _>("key").ttl(Duration::from_millis(50)).stale_while_revalidate(hour)
        };
        entry(0).set(&"old".to_owned()).await.expect("it is kept");
        let gone = async || caches[0].get::<String>("key").await.expect("it answers").is_none();
        subject.until("the value's time is over", tokio::time::Instant::now(), gone).await;
        let computation = Computation::default();
        let first = {
            let (cache, computation) = (caches[0].clone(), computation.clone());
            tokio::spawn(async move {
                let entry = cache.entry("key").ttl(Ttl::Default).stale_while_revalidate(hour);
                entry.get_or_set(async || computation.run("new").await).await
            })
        };
        computation.began.notified().await;
        for at in [0, 1] {
            let served = entry(at).get_or_set(async || Err::<String, _>("not asked")).await;
            assert_eq!(served, Ok("old".to_owned()));
        }
        computation.goes_on.notify_one();
        assert_eq!(first.await.expect("it answers").as_deref(), Ok("new"));
        for cache in &caches {
            assert_eq!(cache.get::<String>("key").await.expect("it answers").as_deref(), Some("new"));
        }
    }

    async fn a_value_that_may_be_served_meanwhile_does_not_hide_an_error(subject) {
        let cache = subject.cache();
        let hour = Duration::from_secs(3600);
        let entry = || cache.entry::<String, _>("key").ttl(Duration::from_millis(50)).stale_while_revalidate(hour);
        entry().set(&"old".to_owned()).await.expect("it is kept");
        let gone = async || cache.get::<String>("key").await.expect("it answers").is_none();
        subject.until("the value's time is over", tokio::time::Instant::now(), gone).await;
        assert_eq!(entry().get_or_set(async || Err::<String, _>("no")).await, Err("no"));
    }

    async fn nobody_waits_for_a_refresh(subject) {
        let cache = subject.cache();
        let hour = Duration::from_secs(3600);
        let entry = || cache.entry::<String, _>("key").ttl(Duration::from_millis(50)).stale_while_revalidate(hour);
        entry().set(&"old".to_owned()).await.expect("it is kept");
        let gone = async || cache.get::<String>("key").await.expect("it answers").is_none();
        subject.until("the value's time is over", tokio::time::Instant::now(), gone).await;
        let computation = Computation::default();
        let refresh = {
            let computation = computation.clone();
            move || async move { computation.run("new").await }
        };
        let served = entry().ttl(Ttl::Default).get_or_refresh(refresh).await;
        assert_eq!(served, Ok("old".to_owned()));
        computation.began.notified().await;
        computation.goes_on.notify_one();
        let new = async || cache.get::<String>("key").await.expect("it answers").as_deref() == Some("new");
        subject.until("it is computed anew", tokio::time::Instant::now(), new).await;
    }

    async fn a_value_that_took_long_is_computed_early(subject) {
        let cache = subject.cache();
        let entry = || cache.entry::<u32, _>("key").ttl(Duration::from_secs(600));
        assert_eq!(entry().refresh_early(1.0).get_or_set(async || Ok::<_, ()>(1)).await, Ok(1));
        // What takes any time at all counts as a millisecond: times a million, any probability is large enough but for one of 10^7.
        assert_eq!(entry().refresh_early(1e12).get_or_set(async || Ok::<_, ()>(2)).await, Ok(2));
        assert_eq!(cache.get("key").await.expect("it answers"), Some(2));
        assert_eq!(entry().get_or_set(async || Ok::<_, ()>(3)).await, Ok(2));
    }
}

//! C: time.

use std::time::Duration;

use tokio::time::Instant;

use super::checks;
use crate::{Settings, Ttl};

/// As exact as time is.
const MILLISECOND: Duration = Duration::from_millis(1);
const SHORT: Duration = Duration::from_millis(150);

checks! {
    async fn a_value_is_gone_when_its_time_is_over_and_not_before(subject) {
        let cache = subject.cache();
        // Half seconds too, which some backends round away.
        for time in [SHORT, Duration::from_millis(500), Duration::from_millis(1)] {
            let began = Instant::now();
            cache.set("key", "value", Ttl::After(time)).await.expect("it is kept");
            let gone = async || cache.get::<String>("key").await.expect("it answers").is_none();
            let passed = subject.until("the value's time is over", began, gone).await;
            assert!(subject.clock.is_some() || passed + MILLISECOND >= time, "gone after {passed:?} of {time:?}");
            assert!(!cache.has("key").await.expect("it answers"));
            assert_eq!(cache.ttl("key").await.expect("it answers"), None);
            assert!(!cache.touch("key", Ttl::Never).await.expect("it answers"), "what is over is not revived");
            assert!(!cache.delete("key").await.expect("it answers"));
            assert!(cache.add("key", "new", Ttl::Default).await.expect("it answers"));
        }
    }

    async fn the_time_that_is_left_is_told(subject) {
        let cache = subject.cache();
        let minute = Duration::from_secs(60);
        cache.set("key", "value", Ttl::After(minute)).await.expect("it is kept");
        let left = cache.ttl("key").await.expect("it answers").flatten().expect("it ends");
        assert!(left <= minute, "{left:?}");
        let earlier = async || cache.ttl("key").await.expect("it answers").flatten().expect("it ends") < left;
        subject.until("time passes", Instant::now(), earlier).await;
        cache.set("key", "value", Ttl::Never).await.expect("it is kept");
        assert_eq!(cache.ttl("key").await.expect("it answers"), Some(None));
    }

    async fn what_is_not_said_is_five_minutes(subject) {
        let cache = subject.cache();
        cache.set("key", "value", Ttl::Default).await.expect("it is kept");
        let left = cache.ttl("key").await.expect("it answers").flatten().expect("it ends");
        assert!(left <= Duration::from_secs(300) && left > Duration::from_secs(200), "{left:?}");
        let endless = subject.cache_with(Settings::default().ttl(None));
        endless.set("key", "value", Ttl::Default).await.expect("it is kept");
        assert_eq!(endless.ttl("key").await.expect("it answers"), Some(None));
    }

    async fn no_time_is_not_kept_and_removes(subject) {
        let cache = subject.cache();
        let none = Ttl::After(Duration::ZERO);
        cache.set("key", "old", Ttl::Default).await.expect("it is kept");
        cache.set("key", "new", none).await.expect("it is removed");
        assert_eq!(cache.get::<String>("key").await.expect("it answers"), None);
        assert!(cache.add("key", "new", none).await.expect("it answers"), "as if added, and over");
        assert_eq!(cache.get::<String>("key").await.expect("it answers"), None);
        cache.set("key", "old", Ttl::Default).await.expect("it is kept");
        assert!(!cache.add("key", "new", none).await.expect("it answers"));
        assert!(cache.touch("key", none).await.expect("it answers"));
        assert!(!cache.has("key").await.expect("it answers"));
        cache.set("key", "old", Ttl::Default).await.expect("it is kept");
        cache.set_many([("key", "new"), ("other", "new")], none).await.expect("they are removed");
        assert!(cache.get_many::<String, _>(["key", "other"]).await.expect("it answers").is_empty());
        let unkept = subject.cache_with(Settings::default().ttl(Duration::ZERO));
        unkept.set("key", "value", Ttl::Default).await.expect("it is not kept");
        assert!(!unkept.has("key").await.expect("it answers"));
    }

    async fn very_long_times_are_kept(subject) {
        let cache = subject.cache();
        for days in [31, 365, 20 * 365, 365_000, u64::MAX / 86_400] {
            cache.set("key", "value", Ttl::secs(days * 86_400)).await.expect("it is kept");
            assert!(cache.has("key").await.expect("it answers"), "{days} days");
            // Further than a backend counts, it may say so.
            match cache.ttl("key").await.expect("it answers") {
                Some(Some(left)) => assert!(left > Duration::from_secs(30 * 86_400), "{days} days: {left:?}"),
                other => assert!(other == Some(None) && days > 365_000, "{days} days: {other:?}"),
            }
            assert!(cache.touch("key", Ttl::secs(days * 86_400)).await.expect("it answers"));
            assert!(cache.has("key").await.expect("it answers"), "{days} days");
        }
    }

    async fn touching_gives_new_time(subject) {
        let cache = subject.cache();
        cache.set("key", "value", Ttl::After(SHORT)).await.expect("it is kept");
        assert!(!cache.touch("other", Ttl::Default).await.expect("it answers"));
        if cache.touch("key", Ttl::secs(600)).await.expect("it answers") {
            let left = cache.ttl("key").await.expect("it answers").flatten().expect("it ends");
            assert!(left > Duration::from_secs(400), "{left:?}");
        }
        cache.set("key", "value", Ttl::secs(600)).await.expect("it is kept");
        assert!(cache.touch("key", Ttl::Default).await.expect("it answers"));
        let left = cache.ttl("key").await.expect("it answers").flatten().expect("it ends");
        assert!(left <= Duration::from_secs(300), "{left:?}");
        assert!(cache.touch("key", Ttl::Never).await.expect("it answers"));
        assert_eq!(cache.ttl("key").await.expect("it answers"), Some(None));
        assert_eq!(cache.get::<String>("key").await.expect("it answers").as_deref(), Some("value"));
    }

    async fn jitter_takes_time_away_and_never_adds(subject) {
        let cache = subject.cache_with(Settings::default().jitter(0.5));
        let mut times = Vec::new();
        for at in 0..20 {
            let key = at.to_string();
            cache.set(&key, "value", Ttl::secs(1000)).await.expect("it is kept");
            times.push(cache.ttl(&key).await.expect("it answers").flatten().expect("it ends").as_secs());
        }
        assert!(times.iter().all(|time| (400..=1000).contains(time)), "{times:?}");
        times.sort_unstable();
        times.dedup();
        assert!(times.len() > 1, "{times:?}");
    }

    async fn a_stale_value_is_a_miss_unless_it_is_asked_for(subject) {
        let cache = subject.cache();
        let hour = Duration::from_secs(3600);
        let began = Instant::now();
        let entry = || cache.entry::<String, _>("key").ttl(SHORT).stale_if_error(hour);
        entry().set(&"old".to_owned()).await.expect("it is kept");
        let gone = async || cache.get::<String>("key").await.expect("it answers").is_none();
        let passed = subject.until("the value's time is over", began, gone).await;
        assert!(subject.clock.is_some() || passed + MILLISECOND >= SHORT, "{passed:?}");
        assert!(!cache.has("key").await.expect("it answers"));
        assert_eq!(cache.ttl("key").await.expect("it answers"), None);
        assert!(!cache.touch("key", Ttl::Never).await.expect("it answers"));
        let failing = async || Err::<String, _>("the database is down");
        assert_eq!(cache.get_or_set("key", Ttl::Default, failing).await, Err("the database is down"));
        // What has failed has not taken away what was there.
        entry().set(&"old".to_owned()).await.expect("it is kept");
        subject.until("the value's time is over", Instant::now(), gone).await;
        assert_eq!(entry().get_or_set(failing).await, Ok("old".to_owned()));
        assert_eq!(cache.stats().stale, 1);
    }
}

//! D: counters.

use futures_util::future::join_all;

use super::checks;
use crate::{Codec, Error, Settings, Ttl};

checks! {
    async fn numbers_are_counted_up_and_down(subject) {
        for codec in [Codec::MessagePack, Codec::Json] {
            let cache = subject.cache_with(Settings::default().codec(codec));
            cache.set("key", &41, Ttl::Default).await.expect("it is kept");
            assert_eq!(cache.incr("key", 1).await.expect("it is counted"), 42);
            assert_eq!(cache.incr("key", -2).await.expect("it is counted"), 40);
            assert_eq!(cache.decr("key", 50).await.expect("it is counted"), -10);
            assert_eq!(cache.decr("key", -5).await.expect("it is counted"), -5);
            assert_eq!(cache.get("key").await.expect("it answers"), Some(-5));
            assert_eq!(cache.get::<u64>("key").await.expect("it answers"), None);
        }
    }

    async fn what_is_missing_is_an_error(subject) {
        let cache = subject.cache();
        assert!(matches!(cache.incr("key", 1).await, Err(Error::Missing)));
        assert!(matches!(cache.decr("key", 1).await, Err(Error::Missing)));
        assert!(!cache.has("key").await.expect("it answers"));
    }

    async fn a_number_may_begin(subject) {
        let cache = subject.cache();
        assert_eq!(cache.incr_or("key", 5, 1, Ttl::Never).await.expect("it is counted"), 1);
        assert_eq!(cache.incr_or("key", 5, 1, Ttl::secs(1)).await.expect("it is counted"), 6);
        assert_eq!(cache.ttl("key").await.expect("it answers"), Some(None));
        assert_eq!(cache.incr_or("brief", 5, 1, Ttl::secs(0)).await.expect("it is counted"), 1);
        assert!(!cache.has("brief").await.expect("it answers"));
    }

    async fn what_is_no_number_is_an_error(subject) {
        let cache = subject.cache();
        for value in ["text", "5", ""] {
            cache.set("key", value, Ttl::Default).await.expect("it is kept");
            assert!(matches!(cache.incr("key", 1).await, Err(Error::NoNumber)), "{value}");
            assert_eq!(cache.get::<String>("key").await.expect("it answers").as_deref(), Some(value));
        }
        cache.set("key", &1.5, Ttl::Default).await.expect("it is kept");
        assert!(matches!(cache.incr("key", 1).await, Err(Error::NoNumber)));
    }

    async fn what_does_not_fit_is_an_error(subject) {
        let cache = subject.cache();
        cache.set("key", &i64::MAX, Ttl::Default).await.expect("it is kept");
        assert!(matches!(cache.incr("key", 1).await, Err(Error::Overflow)));
        assert_eq!(cache.get("key").await.expect("it answers"), Some(i64::MAX));
        cache.set("key", &i64::MIN, Ttl::Default).await.expect("it is kept");
        assert!(matches!(cache.decr("key", 1).await, Err(Error::Overflow)));
        assert!(matches!(cache.decr("key", i64::MIN).await, Err(Error::Overflow)));
        assert_eq!(cache.get("key").await.expect("it answers"), Some(i64::MIN));
    }

    async fn a_number_keeps_its_time_to_live(subject) {
        let cache = subject.cache();
        cache.set("key", &1, Ttl::secs(100)).await.expect("it is kept");
        cache.set("endless", &1, Ttl::Never).await.expect("it is kept");
        for key in ["key", "endless"] {
            cache.incr(key, 1).await.expect("it is counted");
        }
        let left = cache.ttl("key").await.expect("it answers").flatten().expect("it ends");
        assert!(left.as_secs() <= 100, "{left:?}");
        assert_eq!(cache.ttl("endless").await.expect("it answers"), Some(None));
    }

    async fn many_count_at_once(subject) {
        let cache = subject.cache();
        cache.set("key", &0, Ttl::Default).await.expect("it is kept");
        let count = |_| {
            let cache = cache.clone();
            tokio::spawn(async move {
                for _ in 0..10 {
                    cache.incr("key", 3).await.expect("it is counted");
                    cache.decr("key", 1).await.expect("it is counted");
                }
            })
        };
        join_all((0..8).map(count)).await.into_iter().for_each(|done| done.expect("it counts"));
        assert_eq!(cache.get("key").await.expect("it answers"), Some(160));
    }
}

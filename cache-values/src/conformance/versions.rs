//! F: versions.

use std::time::Duration;

use futures_util::future::join_all;

use super::checks;
use crate::{Error, Ttl};

checks! {
    async fn a_value_moves_to_another_version(subject) {
        let cache = subject.cache();
        cache.set("key", "value", Ttl::Default).await.expect("it is kept");
        assert_eq!(cache.incr_version("key", 1).await.expect("it is moved"), 2);
        assert_eq!(cache.get::<String>("key").await.expect("it answers"), None);
        let second = cache.version(2);
        assert_eq!(second.get::<String>("key").await.expect("it answers").as_deref(), Some("value"));
        assert_eq!(second.decr_version("key", 3).await.expect("it is moved"), -1);
        assert_eq!(second.get::<String>("key").await.expect("it answers"), None);
        let third = cache.version(-1);
        assert_eq!(third.get::<String>("key").await.expect("it answers").as_deref(), Some("value"));
        assert_eq!(third.incr_version("key", 0).await.expect("it stays"), -1);
        assert_eq!(third.get::<String>("key").await.expect("it answers").as_deref(), Some("value"));
    }

    async fn it_keeps_its_time(subject) {
        let cache = subject.cache();
        cache.set("key", "value", Ttl::Never).await.expect("it is kept");
        cache.set("brief", "value", Ttl::secs(100)).await.expect("it is kept");
        for key in ["key", "brief"] {
            cache.incr_version(key, 1).await.expect("it is moved");
        }
        let second = cache.version(2);
        assert_eq!(second.ttl("key").await.expect("it answers"), Some(None));
        let left = second.ttl("brief").await.expect("it answers").flatten().expect("it ends");
        assert!(left <= Duration::from_secs(100), "{left:?}");
    }

    async fn it_replaces_what_is_there(subject) {
        let cache = subject.cache();
        cache.set("key", "one", Ttl::Default).await.expect("it is kept");
        cache.version(2).set("key", &2, Ttl::Never).await.expect("it is kept");
        cache.incr_version("key", 1).await.expect("it is moved");
        assert_eq!(cache.version(2).get::<String>("key").await.expect("it answers").as_deref(), Some("one"));
    }

    async fn a_number_stays_a_number(subject) {
        let cache = subject.cache();
        cache.set("key", &1, Ttl::Default).await.expect("it is kept");
        cache.incr_version("key", 1).await.expect("it is moved");
        assert_eq!(cache.version(2).incr("key", 1).await.expect("it is counted"), 2);
    }

    async fn what_is_missing_can_not_move(subject) {
        let cache = subject.cache();
        for by in [1, 0, -1] {
            assert!(matches!(cache.incr_version("key", by).await, Err(Error::Missing)));
            assert!(matches!(cache.decr_version("key", by).await, Err(Error::Missing)));
        }
        assert!(matches!(cache.incr_version("key", i64::MAX).await, Err(Error::Overflow)));
        assert!(matches!(cache.decr_version("key", i64::MIN).await, Err(Error::Overflow)));
    }

    async fn of_many_one_moves_it(subject) {
        for _ in 0..3 {
            let cache = subject.cache();
            cache.set("key", "value", Ttl::Default).await.expect("it is kept");
            let moving = |_| {
                let cache = cache.clone();
                tokio::spawn(async move { cache.incr_version("key", 1).await })
            };
            let moved = join_all((0..12).map(moving)).await;
            let (moved, missing): (Vec<_>, Vec<_>) =
                moved.into_iter().map(|moved| moved.expect("it answers")).partition(Result::is_ok);
            assert_eq!((moved.len(), missing.len()), (1, 11));
            assert!(missing.iter().all(|missing| matches!(missing, Err(Error::Missing))));
            assert!(cache.version(2).has("key").await.expect("it answers"));
        }
    }
}

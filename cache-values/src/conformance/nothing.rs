//! N: a backend that keeps nothing.

use std::collections::HashMap;

use super::checks;
use crate::{Error, Ttl};

checks! {
    async fn everything_can_be_stored_and_nothing_is_found(subject) {
        let cache = subject.cache();
        cache.set("key", "value", Ttl::Default).await.expect("it is taken");
        assert_eq!(cache.get::<String>("key").await.expect("it answers"), None);
        assert!(cache.add("key", "value", Ttl::Default).await.expect("it is taken"));
        assert!(cache.add("key", "value", Ttl::Default).await.expect("it is taken"));
        assert!(!cache.has("key").await.expect("it answers"));
        assert!(!cache.delete("key").await.expect("it answers"));
        assert!(!cache.touch("key", Ttl::Default).await.expect("it answers"));
        assert_eq!(cache.ttl("key").await.expect("it answers"), None);
        assert!(cache.set_many([("a", "b")], Ttl::Default).await.expect("they are taken").is_empty());
        assert!(cache.get_many::<String, _>(["a"]).await.expect("it answers").is_empty());
        assert_eq!(cache.delete_many(["a"]).await.expect("it answers"), 0);
        cache.clear().await.expect("it is emptied");
    }

    async fn what_needs_a_value_is_an_error(subject) {
        let cache = subject.cache();
        assert!(matches!(cache.incr("key", 1).await, Err(Error::Missing)));
        assert!(matches!(cache.decr("key", 1).await, Err(Error::Missing)));
        assert!(matches!(cache.incr_version("key", 1).await, Err(Error::Missing)));
        assert_eq!(cache.incr_or("key", 1, 5, Ttl::Default).await.expect("it begins"), 5);
    }

    async fn everything_is_computed(subject) {
        let cache = subject.cache();
        for value in 0..3 {
            assert_eq!(cache.get_or_set("key", Ttl::Default, async || Ok::<_, ()>(value)).await, Ok(value));
            let tagged = cache.entry("key").tags(["home"]).get_or_set(async || Ok::<_, ()>(value)).await;
            assert_eq!(tagged, Ok(value));
        }
        let load = async |missing: Vec<&'static str>| Ok::<_, ()>(missing.into_iter().map(|key| (key, 1)).collect());
        let answers = cache.get_or_set_many(["a", "b"], Ttl::Default, load).await;
        assert_eq!(answers, Ok(HashMap::from([("a", 1), ("b", 1)])));
        cache.invalidate_tag("home").await.expect("it is taken");
    }

    async fn keys_that_have_no_form_are_errors_all_the_same(subject) {
        let cache = subject.cache();
        assert!(cache.prefix(&"x".repeat(100)).is_err());
    }
}

//! H: clear and tags.

use super::{checks, unique};
use crate::{Settings, Ttl};

checks! {
    async fn clearing_empties_one_prefix_and_version(subject) {
        let settings = Settings::default().prefix(unique());
        // Another process, which has seen the generation before.
        let [cache, other] = [subject.cache_with(settings.clone()), subject.cache_with(settings)];
        let neighbour = subject.cache();
        for cache in [&cache, &cache.version(2), &neighbour] {
            cache.set("key", "value", Ttl::Never).await.expect("it is kept");
            cache.set("number", &5, Ttl::Never).await.expect("it is kept");
        }
        assert!(other.has("key").await.expect("it answers"));
        cache.clear().await.expect("it is emptied");
        for cache in [&cache, &other] {
            assert_eq!(cache.get::<String>("key").await.expect("it answers"), None);
            assert!(cache.get_many::<i64, _>(["key", "number"]).await.expect("it answers").is_empty());
            assert!(!cache.delete("key").await.expect("it answers"));
            assert!(!cache.touch("key", Ttl::Default).await.expect("it answers"));
            assert!(matches!(cache.incr("number", 1).await, Err(crate::Error::Missing)));
            assert!(matches!(cache.incr_version("key", 1).await, Err(crate::Error::Missing)));
        }
        assert!(other.add("key", "new", Ttl::Default).await.expect("it answers"));
        assert_eq!(cache.get::<String>("key").await.expect("it answers").as_deref(), Some("new"));
        for cache in [&cache.version(2), &neighbour] {
            assert_eq!(cache.get::<String>("key").await.expect("it answers").as_deref(), Some("value"));
            assert_eq!(cache.incr("number", 1).await.expect("it is counted"), 6);
        }
    }

    async fn whatever_another_process_does_first_after_a_clear_is_done_to_the_new_generation(subject) {
        let settings = Settings::default().prefix(unique());
        let cache = subject.cache_with(settings.clone());
        for first in ["set", "set_many", "add", "delete", "delete_many", "incr", "incr_or", "incr_version", "tag", "compute"] {
            let other = subject.cache_with(settings.clone());
            cache.set("key", &1, Ttl::Never).await.expect("it is kept");
            assert!(other.has("key").await.expect("it answers"), "it has seen the generation");
            cache.clear().await.expect("it is emptied");
            let left = match first {
                "set" => {
                    other.set("key", &2, Ttl::Never).await.expect("it is kept");
                    Some(2)
                }
                "set_many" => {
                    other.set_many([("key", &2)], Ttl::Never).await.expect("it is kept");
                    Some(2)
                }
                "add" => {
                    assert!(other.add("key", &2, Ttl::Never).await.expect("it answers"));
                    Some(2)
                }
                "delete" => {
                    assert!(!other.delete("key").await.expect("it answers"));
                    None
                }
                "delete_many" => {
                    assert_eq!(other.delete_many(["key"]).await.expect("it answers"), 0);
                    None
                }
                "incr" => {
                    assert!(matches!(other.incr("key", 1).await, Err(crate::Error::Missing)));
                    None
                }
                "incr_or" => Some(other.incr_or("key", 1, 2, Ttl::Never).await.expect("it begins")),
                "incr_version" => {
                    assert!(matches!(other.incr_version("key", 1).await, Err(crate::Error::Missing)));
                    None
                }
                "tag" => {
                    other.entry("key").tags(["tag"]).set(&2).await.expect("it is kept");
                    Some(2)
                }
                _ => other.get_or_set("key", Ttl::Never, async || Ok::<_, ()>(Some(2))).await.expect("it computes"),
            };
            assert_eq!(cache.get::<i64>("key").await.expect("it answers"), left, "{first}");
        }
    }

    async fn a_cache_that_was_cleared_goes_on(subject) {
        let cache = subject.cache();
        for round in 0..5 {
            assert_eq!(cache.get::<i32>("key").await.expect("it answers"), None);
            cache.set("key", &round, Ttl::Default).await.expect("it is kept");
            assert_eq!(cache.get("key").await.expect("it answers"), Some(round));
            cache.clear().await.expect("it is emptied");
        }
    }

    async fn a_tag_invalidates_its_values(subject) {
        let settings = Settings::default().prefix(unique());
        let [cache, other] = [subject.cache_with(settings.clone()), subject.cache_with(settings)];
        let set = async |key: &'static str, tags: &'static [&'static str]| {
            cache.entry::<String, _>(key).tags(tags.iter().copied()).set(&key.to_owned()).await.expect("it is kept");
        };
        set("both", &["home", "user 7"]).await;
        set("home", &["home"]).await;
        set("user", &["user 7"]).await;
        set("none", &[]).await;
        let found = async |cache: &crate::Cache| {
            let keys = ["both", "home", "user", "none"];
            let mut found: Vec<String> =
                cache.get_many::<String, _>(keys).await.expect("it answers").into_keys().collect();
            found.sort_unstable();
            found
        };
        assert_eq!(found(&other).await, ["both", "home", "none", "user"]);
        other.invalidate_tag("home").await.expect("it is invalidated");
        for cache in [&cache, &other] {
            assert_eq!(found(cache).await, ["none", "user"]);
            assert!(!cache.has("both").await.expect("it answers"));
        }
        set("both", &["home", "user 7"]).await;
        assert_eq!(found(&other).await, ["both", "none", "user"]);
        cache.invalidate_tags(&["user 7", "unknown"]).await.expect("they are invalidated");
        assert_eq!(found(&other).await, ["none"]);
        assert!(other.stats().untagged > 0);
    }

    async fn a_tag_that_is_invalidated_during_a_computation_counts(subject) {
        let cache = subject.cache();
        let load = async || {
            cache.invalidate_tag("home").await.expect("it is invalidated");
            Ok::<_, ()>("old".to_owned())
        };
        let computed = cache.entry("key").tags(["home"]).get_or_set(load).await;
        assert_eq!(computed.as_deref(), Ok("old"));
        assert_eq!(cache.get::<String>("key").await.expect("it answers"), None);
        let load = async || Ok::<_, ()>("new".to_owned());
        assert_eq!(cache.entry("key").tags(["home"]).get_or_set(load).await.as_deref(), Ok("new"));
        assert_eq!(cache.get::<String>("key").await.expect("it answers").as_deref(), Some("new"));
    }

    async fn a_value_whose_tag_fell_is_not_served_stale(subject) {
        let cache = subject.cache();
        let hour = std::time::Duration::from_secs(3600);
        let entry = || cache.entry::<String, _>("key").tags(["home"]).stale_if_error(hour).stale_while_revalidate(hour);
        entry().set(&"old".to_owned()).await.expect("it is kept");
        cache.invalidate_tag("home").await.expect("it is invalidated");
        let failed = entry().get_or_set(async || Err::<String, _>("no")).await;
        assert_eq!(failed, Err("no"));
    }

    async fn any_text_is_a_tag(subject) {
        let cache = subject.cache();
        for tag in ["", " ", "a:b", "}", "\0", "ä", &"long".repeat(100)] {
            cache.entry("key").tags([tag]).set(&1).await.expect("it is kept");
            assert!(cache.has("key").await.expect("it answers"), "{tag}");
            cache.invalidate_tag(tag).await.expect("it is invalidated");
            assert!(!cache.has("key").await.expect("it answers"), "{tag}");
        }
    }
}

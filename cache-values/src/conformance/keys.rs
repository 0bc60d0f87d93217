//! A: keys.

use super::{checks, unique};
use crate::{Key, Settings, Ttl};

/// Keys that some backends refuse.
fn odd_keys() -> Vec<String> {
    let mut keys: Vec<String> = [
        "",
        " ",
        "a b",
        "\0",
        "\n",
        "ключ",
        "🦀",
        "{a}",
        "}{",
        "%",
        "#",
        "a:b",
        "../../etc/passwd",
        "*",
        "[a-z]",
    ]
    .map(str::to_owned)
    .into();
    keys.push("x".repeat(300));
    keys.push(format!("{}y", "x".repeat(300)));
    keys.push("ä".repeat(200));
    keys
}

checks! {
    async fn any_text_is_a_key(subject) {
        let cache = subject.cache();
        let mut keys = odd_keys();
        keys.push("long".repeat(2_500_000));
        for (at, key) in keys.iter().enumerate() {
            cache.set(key, &format!("value {at}"), Ttl::Default).await.expect("it is kept");
        }
        for (at, key) in keys.iter().enumerate() {
            let value = cache.get::<String>(key).await.expect("it answers");
            assert_eq!(value, Some(format!("value {at}")), "{}", key.chars().take(20).collect::<String>());
        }
        let all = cache.get_many::<String, _>(&keys).await.expect("it answers");
        assert_eq!(all.len(), keys.len());
    }

    async fn every_operation_takes_any_key(subject) {
        let cache = subject.cache();
        for key in odd_keys() {
            assert!(cache.add(&key, &1, Ttl::Default).await.expect("it is kept"));
            assert_eq!(cache.incr(&key, 2).await.expect("it is counted"), 3);
            assert_eq!(cache.decr(&key, 1).await.expect("it is counted"), 2);
            assert!(cache.has(&key).await.expect("it answers"));
            assert!(cache.touch(&key, Ttl::Never).await.expect("it answers"));
            assert_eq!(cache.ttl(&key).await.expect("it answers"), Some(None));
            assert_eq!(cache.incr_version(&key, 1).await.expect("it is moved"), 2);
            assert_eq!(cache.version(2).get(&key).await.expect("it answers"), Some(2));
            assert!(cache.version(2).delete(&key).await.expect("it answers"));
            assert_eq!(cache.set_many([(&key, &7)], Ttl::Default).await.expect("they are kept"), Vec::<String>::new());
            let loaded = cache.get_or_set(&key, Ttl::Default, async || Err::<u8, _>("not asked")).await;
            assert_eq!(loaded, Ok(7));
        }
    }

    async fn caches_are_apart_by_prefix(subject) {
        let [one, two] = [subject.cache(), subject.cache()];
        one.set("key", &1, Ttl::Default).await.expect("it is kept");
        assert_eq!(two.get::<u8>("key").await.expect("it answers"), None);
        let view = one.prefix("").expect("it is short").prefix(&unique()).expect("it is short");
        assert_eq!(view.get::<u8>("key").await.expect("it answers"), None);
        // A prefix and a key never make another prefix and key.
        let prefix = unique();
        let (short, long) = (format!("{prefix}:1"), format!("{prefix}:1:1"));
        let [short, long] = [short, long].map(|prefix| one.prefix(&prefix).expect("it is short"));
        short.set("1:key", &1, Ttl::Default).await.expect("it is kept");
        assert_eq!(long.get::<u8>("key").await.expect("it answers"), None);
    }

    async fn caches_are_apart_by_version(subject) {
        let cache = subject.cache();
        for version in [1, 2, 0, -1, i64::MAX, i64::MIN] {
            let cache = cache.version(version);
            assert_eq!(cache.get::<i64>("key").await.expect("it answers"), None);
            cache.set("key", &version, Ttl::Default).await.expect("it is kept");
        }
        for version in [1, 2, 0, -1, i64::MAX, i64::MIN] {
            assert_eq!(cache.version(version).get("key").await.expect("it answers"), Some(version));
        }
        assert_eq!(cache.get("key").await.expect("it answers"), Some(1_i64));
    }

    async fn a_key_function_makes_the_keys(subject) {
        let prefix = unique();
        let settings = Settings::default().prefix(&prefix);
        let plain = subject.cache_with(settings.clone());
        let made = subject.cache_with(settings.key_function(|_, version, key| format!("{version}/{}", key.to_lowercase())));
        made.set("Key", &1, Ttl::Default).await.expect("it is kept");
        assert_eq!(made.get("kEY").await.expect("it answers"), Some(1));
        assert_eq!(plain.get::<u8>("Key").await.expect("it answers"), None);
        assert_eq!(made.version(2).get::<u8>("key").await.expect("it answers"), None);
        // Each key that was asked for is answered.
        let both = made.get_many::<u8, _>(["KEY", "key"]).await.expect("it answers");
        assert_eq!(both.len(), 2);
        assert_eq!(made.incr_version("KEY", 1).await.expect("it is moved"), 2);
        assert_eq!(made.version(2).get("key").await.expect("it answers"), Some(1));
    }

    async fn keys_may_have_a_type(subject) {
        static NUMBERS: Key<Vec<u32>> = Key::new("numbers");
        let cache = subject.cache();
        cache.set(&NUMBERS, &vec![1, 2], Ttl::Default).await.expect("it is kept");
        cache.set(NUMBERS.of("a:b"), &vec![3], Ttl::Default).await.expect("it is kept");
        assert_eq!(cache.get(&NUMBERS).await.expect("it answers"), Some(vec![1, 2]));
        assert_eq!(cache.get(NUMBERS.of("a").of("b")).await.expect("it answers"), None);
        assert_eq!(cache.get(NUMBERS.of("a:b")).await.expect("it answers"), Some(vec![3]));
    }
}

//! B: reading and writing.

use std::collections::{BTreeMap, HashMap};

use futures_util::future::join_all;
use serde::{Deserialize, Serialize};

use super::{checks, unique};
use crate::{Codec, Settings, Ttl};

#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
struct Product {
    id: i64,
    name: String,
    tags: Vec<String>,
    price: Option<f64>,
    stock: BTreeMap<String, u32>,
    kind: Kind,
}

#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
enum Kind {
    Plain,
    Sized { width: u32 },
    Pair(u8, u8),
}

fn product(kind: Kind) -> Product {
    Product {
        id: -7,
        name: "Tür 🚪".to_owned(),
        tags: vec!["a".to_owned(), String::new()],
        price: Some(0.1),
        stock: BTreeMap::from([("here".to_owned(), 3)]),
        kind,
    }
}

checks! {
    async fn a_value_comes_back_as_it_was(subject) {
        for codec in [Codec::MessagePack, Codec::Json] {
            let cache = subject.cache_with(Settings::default().codec(codec));
            for kind in [Kind::Plain, Kind::Sized { width: 3 }, Kind::Pair(1, 2)] {
                cache.set("product", &product(kind.clone()), Ttl::Default).await.expect("it is kept");
                assert_eq!(cache.get("product").await.expect("it answers"), Some(product(kind)));
            }
            cache.set("text", "a\0b", Ttl::Default).await.expect("it is kept");
            assert_eq!(cache.get::<String>("text").await.expect("it answers").as_deref(), Some("a\0b"));
            let bytes: Vec<u8> = (0..=255).cycle().take(100_000).collect();
            cache.set("bytes", &bytes, Ttl::Default).await.expect("it is kept");
            assert_eq!(cache.get("bytes").await.expect("it answers"), Some(bytes));
            for number in [0, 1, -1, i64::MIN, i64::MAX] {
                cache.set("number", &number, Ttl::Default).await.expect("it is kept");
                assert_eq!(cache.get("number").await.expect("it answers"), Some(number));
            }
            cache.set("number", &u64::MAX, Ttl::Default).await.expect("it is kept");
            assert_eq!(cache.get("number").await.expect("it answers"), Some(u64::MAX));
        }
    }

    async fn what_is_not_there_is_none(subject) {
        let cache = subject.cache();
        assert_eq!(cache.get::<String>("key").await.expect("it answers"), None);
        assert!(!cache.has("key").await.expect("it answers"));
        assert!(!cache.delete("key").await.expect("it answers"));
        assert_eq!(cache.ttl("key").await.expect("it answers"), None);
        assert!(cache.get_many::<u8, _>(["a", "b"]).await.expect("it answers").is_empty());
        assert!(cache.get_many::<u8, &str>([]).await.expect("it answers").is_empty());
    }

    async fn nothing_is_a_value(subject) {
        let cache = subject.cache();
        cache.set("none", &None::<u8>, Ttl::Default).await.expect("it is kept");
        cache.set("unit", &(), Ttl::Default).await.expect("it is kept");
        assert_eq!(cache.get::<Option<u8>>("none").await.expect("it answers"), Some(None));
        assert_eq!(cache.get::<()>("unit").await.expect("it answers"), Some(()));
        assert!(cache.has("none").await.expect("it answers"));
        assert!(!cache.add("none", &Some(1), Ttl::Default).await.expect("it answers"));
        let many = cache.get_many::<Option<u8>, _>(["none", "other"]).await.expect("it answers");
        assert_eq!(many, HashMap::from([("none".to_owned(), None)]));
    }

    async fn a_value_of_another_type_is_a_miss(subject) {
        let cache = subject.cache();
        cache.set("key", "text", Ttl::Default).await.expect("it is kept");
        let before = cache.stats().unreadable;
        assert_eq!(cache.get::<u8>("key").await.expect("it answers"), None);
        assert_eq!(cache.get::<Product>("key").await.expect("it answers"), None);
        assert_eq!(cache.stats().unreadable, before + 2);
        cache.set("key", &300, Ttl::Default).await.expect("it is kept");
        assert_eq!(cache.get::<u8>("key").await.expect("it answers"), None);
        assert_eq!(cache.get::<f64>("key").await.expect("it answers"), Some(300.0));
        cache.set("key", &7_u8, Ttl::Default).await.expect("it is kept");
        assert_eq!(cache.get::<u8>("key").await.expect("it answers"), Some(7));
    }

    async fn a_value_of_the_other_codec_is_read(subject) {
        let settings = Settings::default().prefix(unique());
        let cache = subject.cache_with(settings.clone());
        let json = subject.cache_with(settings.codec(Codec::Json));
        cache.set("key", &product(Kind::Plain), Ttl::Default).await.expect("it is kept");
        assert_eq!(json.get("key").await.expect("it answers"), Some(product(Kind::Plain)));
        json.set("key", &product(Kind::Pair(3, 4)), Ttl::Default).await.expect("it is kept");
        assert_eq!(cache.get("key").await.expect("it answers"), Some(product(Kind::Pair(3, 4))));
    }

    async fn setting_replaces_whatever_is_there(subject) {
        let cache = subject.cache();
        cache.set("key", "text", Ttl::Never).await.expect("it is kept");
        cache.set("key", &1, Ttl::Default).await.expect("it is kept");
        cache.set("key", &vec![1, 2], Ttl::Default).await.expect("it is kept");
        assert_eq!(cache.get("key").await.expect("it answers"), Some(vec![1, 2]));
        assert!(cache.ttl("key").await.expect("it answers").flatten().is_some());
    }

    async fn adding_replaces_nothing(subject) {
        let cache = subject.cache();
        assert!(cache.add("key", "first", Ttl::Default).await.expect("it answers"));
        assert!(!cache.add("key", "second", Ttl::Default).await.expect("it answers"));
        assert_eq!(cache.get::<String>("key").await.expect("it answers").as_deref(), Some("first"));
        assert!(cache.delete("key").await.expect("it answers"));
        assert!(cache.add("key", "third", Ttl::Default).await.expect("it answers"));
    }

    async fn one_of_many_adds(subject) {
        for round in 0..4 {
            let cache = subject.cache();
            let add = |at: i32| {
                let cache = cache.clone();
                tokio::spawn(async move { cache.add("key", &vec![round, at], Ttl::Default).await })
            };
            let added = join_all((0..16).map(add)).await;
            assert_eq!(added.into_iter().filter(|added| matches!(added, Ok(Ok(true)))).count(), 1);
        }
    }

    async fn deleting_tells_what_was_there(subject) {
        let cache = subject.cache();
        cache.set("key", "value", Ttl::Default).await.expect("it is kept");
        assert!(cache.delete("key").await.expect("it answers"));
        assert!(!cache.delete("key").await.expect("it answers"));
        assert_eq!(cache.get::<String>("key").await.expect("it answers"), None);
        for key in ["a", "b"] {
            cache.set(key, key, Ttl::Default).await.expect("it is kept");
        }
        assert_eq!(cache.delete_many(["a", "c", "b"]).await.expect("it answers"), 2);
        assert_eq!(cache.delete_many([]).await.expect("it answers"), 0);
    }

    async fn many_are_set_and_found_at_once(subject) {
        let cache = subject.cache();
        let values: HashMap<String, Product> =
            (0..300).map(|at| (format!("key {at}"), Product { id: at, ..product(Kind::Plain) })).collect();
        let failed = cache.set_many(&values, Ttl::Default).await.expect("they are kept");
        assert!(failed.is_empty());
        let keys = values.keys().cloned().chain(["another".to_owned()]);
        assert_eq!(cache.get_many::<Product, _>(keys).await.expect("it answers"), values);
        assert!(cache.set_many::<u8, &str>([], Ttl::Default).await.expect("they are kept").is_empty());
    }

    async fn a_value_that_is_too_large_leaves_nothing_behind(subject) {
        let cache = subject.cache_with(Settings::default().longest_value(1000));
        let long = "x".repeat(1001);
        cache.set("key", "old", Ttl::Default).await.expect("it is kept");
        cache.set("key", &long, Ttl::Default).await.expect("it is counted");
        assert_eq!(cache.get::<String>("key").await.expect("it answers"), None);
        cache.set("key", "old", Ttl::Default).await.expect("it is kept");
        let failed = cache.set_many([("key", long.as_str()), ("other", "new")], Ttl::Default).await;
        assert_eq!(failed.expect("the other is kept"), ["key"]);
        assert_eq!(cache.get::<String>("key").await.expect("it answers"), None);
        assert_eq!(cache.get::<String>("other").await.expect("it answers").as_deref(), Some("new"));
        assert!(cache.add("key", &long, Ttl::Default).await.is_err());
        assert_eq!(cache.stats().oversized, 3);
    }

    async fn a_value_without_a_form_is_an_error(subject) {
        let cache = subject.cache_with(Settings::default().codec(Codec::Json));
        cache.set("key", "old", Ttl::Default).await.expect("it is kept");
        let formless = BTreeMap::from([((1, 2), 3)]);
        assert!(matches!(cache.set("key", &formless, Ttl::Default).await, Err(crate::Error::Encode(_))));
        assert_eq!(cache.get::<String>("key").await.expect("it answers").as_deref(), Some("old"));
    }

    async fn hits_and_misses_are_counted(subject) {
        let cache = subject.cache();
        cache.set("key", "value", Ttl::Default).await.expect("it is kept");
        cache.get::<String>("key").await.expect("it answers");
        cache.get_many::<String, _>(["key", "a", "b"]).await.expect("it answers");
        let stats = cache.stats();
        assert_eq!((stats.hits, stats.misses, stats.sets), (2, 2, 1));
        assert_eq!(stats.hit_ratio(), Some(0.5));
    }
}

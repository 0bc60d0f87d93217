#![allow(clippy::unwrap_used, reason = "tests")]

use std::collections::BTreeMap;

use super::*;
use crate::Ttl;

async fn error(config: impl Into<CacheConfig>) -> String {
    let built = Caches::builder().add("default", config).build().await;
    built.expect_err("it is wrong").to_string()
}

#[tokio::test]
async fn what_is_wrong_is_said_with_what_would_be_right() {
    assert_eq!(
        error("memroy:").await,
        "cache \"default\": there is no backend `memroy:`; there are `memory`, `dummy`, `redis`, `rediss`, \
         `redis+unix`, `redis+sentinel`, `rediss+sentinel`, `redis+cluster`, `rediss+cluster`, `memcached`, \
         `file`, `database`"
    );
    assert!(error("no url at all: password").await.starts_with("cache \"default\": there is no backend `"));
    let unknown = error("memory:?max_entires=5").await;
    assert!(unknown.contains("there is no option `max_entires` here; there are `call_timeout`"), "{unknown}");
    assert!(unknown.contains("`max_entries`"), "{unknown}");
    assert!(error("dummy:?max_entries=5").await.contains("there is no option `max_entries` here"));
    let wrong =
        ["timeout=soon", "version=x", "codec=pickle", "jitter=2", "failure=yes", "max_bytes=1MB", "lease=-1"];
    for option in wrong {
        let error = error(format!("memory:?{option}")).await;
        let (name, value) = option.split_once('=').unwrap();
        assert!(error.starts_with(&format!("cache \"default\": `{name}` is ")), "{error}");
        assert!(!error.contains(value), "what was given is not repeated: {error}");
    }
    assert!(error("memory:?max_bytes=5&max_entries=5").await.contains("give either"));
    assert!(error("memory:?cull_frequency=5").await.contains("goes with"));
    assert!(error(CacheConfig::urls(["memory:", "memory:"])).await.contains("has one place"));
    assert!(
        error(CacheConfig::url("memory:").option("key_prefix", "x".repeat(81))).await.contains("too long")
    );
}

#[tokio::test]
async fn everything_that_is_wrong_is_said_at_once() {
    let built =
        Caches::builder().add("a", "x:").add("b", "memory:").add("b", "memory:").add("c", "dummy:?z=1");
    let error = built.build().await.unwrap_err().to_string();
    assert_eq!(error.lines().count(), 3, "{error}");
    assert!(error.contains("cache \"b\": there are two caches of this name"), "{error}");
}

#[tokio::test]
async fn a_cache_that_is_not_there_is_an_error_with_those_that_are() {
    let caches = Caches::builder().add("default", "memory:").add("other", "dummy:").build().await.unwrap();
    let error = caches.get("pages").unwrap_err().to_string();
    assert_eq!(error, "there is no cache \"pages\"; there are `default`, `other`");
}

#[tokio::test]
async fn caches_in_memory_are_apart_by_name() {
    let caches = Caches::builder()
        .add("a", "memory:one")
        .add("b", "memory:one")
        .add("c", "memory:two?timeout=never")
        .build()
        .await
        .unwrap();
    caches.get("a").unwrap().set("key", &1, Ttl::Default).await.unwrap();
    assert_eq!(caches.get("b").unwrap().get("key").await.unwrap(), Some(1));
    assert_eq!(caches.get("c").unwrap().get::<u8>("key").await.unwrap(), None);
    caches.get("c").unwrap().set("key", &1, Ttl::Default).await.unwrap();
    assert_eq!(caches.get("c").unwrap().ttl("key").await.unwrap(), Some(None));
}

#[tokio::test]
async fn a_table_of_a_file_is_read_in_either_spelling() {
    let text = r#"{
        "default": {"url": "memory:", "timeout": 60, "version": 3, "key_prefix": "shop"},
        "django": {"LOCATION": ["memory:django"], "TIMEOUT": null, "OPTIONS": {"MAX_ENTRIES": 10, "CULL_FREQUENCY": 2}},
        "default time": {"url": "memory:"}
    }"#;
    let configs: BTreeMap<String, CacheConfig> = serde_json::from_str(text).unwrap();
    let caches = Caches::from_config(configs).await.unwrap();
    let left = async |alias| {
        let cache = caches.get(alias).unwrap();
        cache.set("key", &1, Ttl::Default).await.unwrap();
        cache.ttl("key").await.unwrap().unwrap().map(|left| left.as_secs_f64().round() as u64)
    };
    assert_eq!(left("default").await, Some(60));
    assert_eq!(left("django").await, None);
    assert_eq!(left("default time").await, Some(300));
    for wrong in [r#"{"url": "memory:", "time_out": 5}"#, r#"{"timeout": 5}"#, r#"{"url": 5}"#] {
        assert!(serde_json::from_str::<CacheConfig>(wrong).is_err(), "{wrong}");
    }
}

#[test]
fn passwords_are_not_shown() {
    let config = CacheConfig::url("redis://user:secret@host/0?key_prefix=secret").option("token", "secret");
    assert!(!format!("{config:?}").contains("secret"), "{config:?}");
}

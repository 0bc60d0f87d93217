//! Caches from URLs, on the servers that the harness started.

use std::env;

use cache_values::{CacheConfig, Caches, Ttl};

fn variable(name: &str) -> String {
    env::var(name).unwrap_or_else(|_| panic!("{name} is not set: run `cargo xtask test`"))
}

#[tokio::test]
async fn a_redis_is_opened_by_its_url() {
    let url = variable("CACHE_TEST_REDIS_URL");
    let prefix = format!("configured{}", rand::random::<u32>());
    let config = CacheConfig::url(&url).option("key_prefix", &prefix).option("protocol", "3");
    let caches = Caches::builder().add("default", config.option("read_your_writes", "false")).build().await;
    let cache = caches.expect("it is right").get("default").expect("it is there");
    cache.set("key", "value", Ttl::Default).await.expect("it is kept");
    assert_eq!(cache.get::<String>("key").await.expect("it answers").as_deref(), Some("value"));
    cache.clear().await.expect("it is emptied");
}

#[tokio::test]
async fn a_server_that_is_down_is_no_reason_not_to_start() {
    for url in ["redis://127.0.0.1:1/0", "memcached://127.0.0.1:1"] {
        let config = CacheConfig::url(url).option("call_timeout", "100ms");
        let caches = Caches::builder()
            .add("default", config.clone())
            .add("strict", config.option("failure", "strict"));
        let caches = caches.build().await.expect("it is right");
        let cache = caches.get("default").expect("it is there");
        assert_eq!(cache.get::<String>("key").await.expect("it is a miss"), None, "{url}");
        let strict = caches.get("strict").expect("it is there");
        assert!(strict.get::<String>("key").await.is_err(), "{url}");
    }
}

#[tokio::test]
async fn what_is_wrong_with_an_address_is_said_without_its_password() {
    for url in [
        "redis://user:secret@host:secret/0",
        "redis://:secret@[",
        "memcached://secret@host:port",
        "redis+cluster://",
    ] {
        let error = Caches::builder().add("default", url).build().await.expect_err(url).to_string();
        assert!(!error.contains("secret"), "{error}");
    }
}

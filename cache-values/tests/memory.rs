//! The bounds of the backend in memory: Django's tests of its order, and what none may evict.

use std::time::Duration;

use cache_values::{Cache, Settings, Ttl, backend::MemoryBackend, testing::ManualClock};

fn cache(backend: MemoryBackend) -> Cache {
    Cache::new(backend, Settings::default().ttl(None)).expect("there is no prefix")
}

async fn set(cache: &Cache, keys: impl IntoIterator<Item = usize>) {
    for key in keys {
        cache.set(key.to_string(), &key, Ttl::Default).await.expect("it is kept");
    }
}

async fn has(cache: &Cache, keys: impl IntoIterator<Item = usize>) -> Vec<usize> {
    let mut found = Vec::new();
    for key in keys {
        // Asking must not count as use: the order is under test.
        if cache.has(&key.to_string()).await.expect("it answers") {
            found.push(key);
        }
    }
    found
}

#[tokio::test]
async fn what_was_read_last_stays() {
    let cache = cache(MemoryBackend::with_entries(9, 3));
    set(&cache, 0..9).await;
    for key in [6, 7, 8, 0, 1, 2] {
        cache.get::<usize>(key.to_string()).await.expect("it answers");
    }
    set(&cache, [9]).await;
    assert_eq!(has(&cache, 0..10).await, [0, 1, 2, 6, 7, 8, 9]);
}

#[tokio::test]
async fn what_was_written_last_stays() {
    let cache = cache(MemoryBackend::with_entries(9, 3));
    set(&cache, 0..9).await;
    set(&cache, [3, 4, 5, 0, 1, 2]).await;
    set(&cache, [9]).await;
    assert_eq!(has(&cache, 0..10).await, [0, 1, 2, 3, 4, 5, 9]);
}

#[tokio::test]
async fn what_was_counted_last_stays() {
    let cache = cache(MemoryBackend::with_entries(9, 3));
    set(&cache, 0..9).await;
    for key in [6, 7, 8, 0, 1, 2] {
        cache.incr(&key.to_string(), 1).await.expect("it is counted");
    }
    set(&cache, [9]).await;
    assert_eq!(has(&cache, 0..10).await, [0, 1, 2, 6, 7, 8, 9]);
}

#[tokio::test]
async fn there_are_never_more_than_may_be() {
    for (most, frequency) in [(1, 3), (2, 2), (30, 3), (30, 0), (30, 1)] {
        let backend = MemoryBackend::with_entries(most, frequency);
        let cache = cache(backend.clone());
        for key in 0..200 {
            set(&cache, [key]).await;
            assert!(backend.len() <= most, "{} of {most}", backend.len());
            assert_eq!(has(&cache, [key]).await, [key], "the newest stays");
        }
    }
    let backend = MemoryBackend::with_entries(0, 3);
    let cache = cache(backend.clone());
    set(&cache, [1]).await;
    assert!(backend.is_empty() && has(&cache, [1]).await.is_empty());
}

#[tokio::test]
async fn what_is_over_goes_first() {
    let clock = ManualClock::default();
    let backend = MemoryBackend::with_entries(10, 3).with_clock(clock.clone());
    let cache = cache(backend.clone());
    set(&cache, 0..5).await;
    for key in 5..10 {
        cache.set(key.to_string(), &key, Ttl::secs(1)).await.expect("it is kept");
    }
    clock.advance(Duration::from_secs(1));
    set(&cache, 10..15).await;
    assert_eq!(has(&cache, 0..15).await, [0, 1, 2, 3, 4, 10, 11, 12, 13, 14]);
}

#[tokio::test]
async fn bytes_are_bounded_and_the_generation_is_not_evicted() {
    let backend = MemoryBackend::with_capacity(1 << 20);
    let cache = cache(backend.clone());
    let text = "x".repeat(1000);
    let settings = Settings::default().compress_from(None);
    let plain = Cache::new(backend.clone(), settings).expect("there is no prefix");
    for key in 0..5000 {
        plain.set(key.to_string(), &text, Ttl::Default).await.expect("it is kept");
    }
    let kept = backend.len();
    assert!((200..1049).contains(&kept), "{kept} of 1 KB in 1 MiB");
    // Had it gone, everything would have gone with it.
    assert_eq!(has(&cache, 4999..5000).await, [4999]);
    plain.set("large", &"x".repeat(2 << 20), Ttl::Default).await.expect("it is counted");
    assert_eq!((plain.stats().oversized, plain.has("large").await.expect("it answers")), (1, false));
}

#[tokio::test]
async fn what_a_clear_leaves_is_swept() {
    let backend = MemoryBackend::default();
    let cache = cache(backend.clone());
    set(&cache, 0..100).await;
    let other = cache.version(2);
    set(&other, 0..10).await;
    cache.clear().await.expect("it is emptied");
    while backend.len() > 10 {
        tokio::task::yield_now().await;
    }
    assert_eq!(has(&other, 0..10).await.len(), 10);
}

//! `cargo run -p cache-values --example values`: keep values, compute what is not there once, invalidate by tags.
//!
//! ```text
//! computed 1 times for 50 calls: [3, 1, 2]
//! after the tag: None
//! visits: 3
//! hit ratio: 96.2 %
//! ```

#![expect(clippy::print_stdout, reason = "an example shows what it found")]

use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

use cache_values::{Caches, Key, Ttl};

static TOP: Key<Vec<u32>> = Key::new("top"); // a key with the type of its value

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let caches = Caches::builder().add("default", "memory:?timeout=5m&key_prefix=shop").build().await?;
    let cache = caches.get("default")?;

    let computed = AtomicU32::new(0);
    let top = || cache.entry(&TOP).tags(["products"]).get_or_set(|| top_products(&computed));
    let answers = futures_util::future::try_join_all((0..50).map(|_| top())).await?;
    println!("computed {} times for 50 calls: {:?}", computed.load(Relaxed), answers[0]);

    cache.invalidate_tag("products").await?;
    println!("after the tag: {:?}", cache.get(&TOP).await?);

    cache.set("visits", &1, Ttl::Never).await?;
    cache.incr("visits", 2).await?;
    println!("visits: {}", cache.get::<u32>("visits").await?.unwrap_or_default());
    println!("hit ratio: {:.1} %", cache.stats().hit_ratio().unwrap_or_default() * 100.0);
    Ok(())
}

/// What takes long, in a real program.
async fn top_products(computed: &AtomicU32) -> Result<Vec<u32>, std::io::Error> {
    computed.fetch_add(1, Relaxed);
    tokio::task::yield_now().await;
    Ok(vec![3, 1, 2])
}

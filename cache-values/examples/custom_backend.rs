//! A backend of one's own: three methods, and one that says what it is. Everything else stands on these.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use async_trait::async_trait;
use cache_values::{
    Cache, Settings, Ttl,
    backend::{Backend, Capabilities, Item, Left, Put, StoreError, Stored, is_promise},
    name::Name,
};

/// Bytes, and when they end.
type Map = HashMap<Name, (Vec<u8>, Option<Instant>)>;

#[derive(Debug, Default)]
pub(crate) struct MapBackend(Mutex<Map>);

impl MapBackend {
    /// Does something with the map, from which what is over is gone.
    fn with<T>(&self, change: impl FnOnce(&mut Map) -> T) -> T {
        let mut map = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        map.retain(|_, (_, until)| until.is_none_or(|until| now < until));
        change(&mut map)
    }
}

#[async_trait]
impl Backend for MapBackend {
    async fn get(&self, names: &[Name], _left: bool) -> Result<Vec<Option<Item>>, StoreError> {
        let left = |until: Instant| until.saturating_duration_since(Instant::now());
        let item = |(bytes, until): &(Vec<u8>, Option<Instant>)| {
            Item::new(bytes.clone().into(), Left::from(until.map(left)))
        };
        Ok(self.with(|map| names.iter().map(|name| map.get(name).map(item)).collect()))
    }

    async fn put(&self, items: &[Put]) -> Result<Vec<Stored>, StoreError> {
        let put = |map: &mut Map, Put { name, bytes, ttl, when }: &Put| {
            if !when.holds(map.get(name).map(|(bytes, _)| bytes.as_slice())) {
                return Stored::Refused;
            }
            let until = ttl.and_then(|ttl: Duration| Instant::now().checked_add(ttl));
            map.insert(name.clone(), (bytes.to_vec(), until));
            Stored::Kept
        };
        Ok(self.with(|map| items.iter().map(|item| put(map, item)).collect()))
    }

    async fn remove(&self, names: &[Name]) -> Result<Vec<bool>, StoreError> {
        let taken = |taken: Option<(Vec<u8>, _)>| taken.is_some_and(|(bytes, _)| !is_promise(&bytes));
        Ok(self.with(|map| names.iter().map(|name| taken(map.remove(name))).collect()))
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities::IN_PROCESS
    }
}

#[allow(dead_code, reason = "not run where this file is a module of a test")]
#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let cache = Cache::new(MapBackend::default(), Settings::default())?;
    cache.set("greeting", "hello", Ttl::secs(60)).await?;
    assert_eq!(cache.get::<String>("greeting").await?.as_deref(), Some("hello"));
    assert_eq!(cache.incr_or("visits", 1, 1, Ttl::Never).await?, 1);
    assert_eq!(cache.incr("visits", 1).await?, 2);
    Ok(())
}

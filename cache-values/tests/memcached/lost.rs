//! Servers that are lost, hang, and come back.

use std::time::Duration;

use cache_values::{
    Cache, Settings, Ttl,
    backend::{Backend, MemcachedBackend, StoreError, When},
    name::Name,
};
use tokio::time::timeout;

use crate::{keep, look, name, on, put, read, server::Server, until};

fn names() -> Vec<Name> {
    (0..60).map(|at| name(&format!("n{at}"))).collect()
}

/// Keeps the names on three servers. Which of them live on the first.
async fn spread(backend: &MemcachedBackend, servers: &[Server; 3]) -> Vec<bool> {
    for name in names() {
        keep(backend, name.as_str(), "v").await.unwrap();
    }
    let lives_here = |name: &Name| {
        servers[0].say(&format!("mg {} s\r\nmn\r\n", name.as_str()), "MN\r\n").starts_with("HD")
    };
    let here: Vec<bool> = names().iter().map(lives_here).collect();
    assert!(here.contains(&true) && here.contains(&false));
    here
}

async fn found(backend: &MemcachedBackend) -> Result<Vec<bool>, StoreError> {
    Ok(backend.get(&names(), false).await?.iter().map(Option::is_some).collect())
}

#[tokio::test]
async fn one_of_three_is_lost_and_comes_back() {
    let mut servers = [(); 3].map(|()| Server::start());
    let backend = on(&servers.each_ref()).await;
    let here = spread(&backend, &servers).await;
    servers[0].kill();
    let elsewhere: Vec<bool> = here.iter().map(|here| !here).collect();
    assert_eq!(found(&backend).await.unwrap(), elsewhere);
    for (name, &here) in names().iter().zip(&here) {
        let one = std::slice::from_ref(name);
        assert_eq!(backend.get(one, false).await.is_err(), here);
        assert_eq!(keep(&backend, name.as_str(), "w").await.is_err(), here);
        assert_eq!(backend.touch(name, None).await.is_err(), here);
        assert_eq!(backend.count(name, 1, None).await.is_err(), here);
        assert_eq!(backend.remove(one).await.is_err(), here);
    }
    // Of many at once, those on the others are kept, and the call says that not all are.
    let puts: Vec<_> = names().iter().map(|name| put(name.as_str(), "x", When::Always)).collect();
    assert!(matches!(backend.put(&puts).await, Err(StoreError::Unreachable(_))));
    assert_eq!(found(&backend).await.unwrap(), elsewhere);
    // A backend can be opened as long as there is one server.
    assert_eq!(found(&on(&servers.each_ref()).await).await.unwrap(), elsewhere);
    servers[0].restart();
    let of_it = names()[here.iter().position(|here| *here).unwrap()].clone();
    until(async || backend.get(std::slice::from_ref(&of_it), false).await.is_ok()).await;
    assert!(backend.put(&puts).await.is_ok());
    assert_eq!(found(&backend).await.unwrap(), vec![true; 60]);
    servers.iter_mut().for_each(Server::kill);
    assert!(matches!(found(&backend).await, Err(StoreError::Unreachable(_))));
}

#[tokio::test]
async fn one_of_three_hangs_and_others_are_not_held_up() {
    let servers = [(); 3].map(|()| Server::start());
    let addresses = servers.each_ref().map(Server::address);
    let patience = Duration::from_secs(2);
    let backend = MemcachedBackend::builder(addresses).server_timeout(patience).connect().await.unwrap();
    let here = spread(&backend, &servers).await;
    let elsewhere: Vec<bool> = here.iter().map(|here| !here).collect();
    servers[0].pause();
    assert_eq!(found(&backend).await.unwrap(), elsewhere);
    servers[0].resume();
    until(async || found(&backend).await.unwrap() == vec![true; 60]).await;
}

#[tokio::test]
async fn one_of_three_that_hung_is_left_alone_for_a_while() {
    let servers = [(); 3].map(|()| Server::start());
    let builder = MemcachedBackend::builder(servers.each_ref().map(Server::address));
    let (patience, hour) = (Duration::from_secs(2), Duration::from_secs(3600));
    let backend = builder.server_timeout(patience).rest(hour).connect().await.unwrap();
    let here = spread(&backend, &servers).await;
    let elsewhere: Vec<bool> = here.iter().map(|here| !here).collect();
    servers[0].pause();
    assert_eq!(found(&backend).await.unwrap(), elsewhere);
    servers[0].resume();
    // It would answer, and is not asked.
    assert_eq!(found(&backend).await.unwrap(), elsewhere);
    let one = &names()[here.iter().position(|here| *here).unwrap()];
    let refused = keep(&backend, one.as_str(), "v").await.unwrap_err();
    assert!(refused.to_string().contains("a moment ago"), "{refused}");
}

/// A call that nobody waits for any more leaves no answer to the next one.
#[tokio::test]
async fn a_call_that_is_dropped_does_no_harm() {
    let server = Server::start();
    let backend = MemcachedBackend::builder([server.address()]).connections(1).connect().await.unwrap();
    keep(&backend, "a", "1").await.unwrap();
    keep(&backend, "b", "2").await.unwrap();
    server.pause();
    for _ in 0..3 {
        assert!(timeout(Duration::from_millis(20), look(&backend, "a")).await.is_err(), "nobody answers");
        assert!(timeout(Duration::from_millis(20), backend.count(&name("a"), 1, None)).await.is_err());
    }
    server.resume();
    assert_eq!(read(&backend, "b").await.unwrap(), "2");
    assert_eq!(read(&backend, "a").await.unwrap(), "1", "to count takes a look, which was not answered");
}

#[tokio::test]
async fn a_server_that_restarts_costs_no_call() {
    let mut server = Server::start();
    let backend = on(&[&server]).await;
    keep(&backend, "a", "1").await.unwrap();
    server.restart();
    // While another one connects, the end of the first connection is heard of.
    on(&[&server]).await;
    assert!(look(&backend, "a").await.is_none());
    keep(&backend, "a", "2").await.unwrap();
    assert_eq!(read(&backend, "a").await.unwrap(), "2");
}

/// What the application sees: values that are not there, and no error, until the server is back.
#[tokio::test(flavor = "multi_thread")]
async fn a_cache_goes_on_without_one_of_its_servers() {
    let mut servers = [(); 3].map(|()| Server::start());
    let cache = Cache::new(on(&servers.each_ref()).await, Settings::default()).unwrap();
    let keys: Vec<String> = (0..30).map(|at| at.to_string()).collect();
    let (old, new) = ("old".to_owned(), "new".to_owned());
    cache.set_many(keys.iter().map(|key| (key, &old)), Ttl::Default).await.unwrap();
    assert_eq!(cache.get_many::<String, _>(&keys).await.unwrap().len(), 30);
    servers[2].kill();
    for key in &keys {
        let value =
            cache.get_or_set(key, Ttl::Default, async || Ok::<_, ()>("computed".to_owned())).await.unwrap();
        assert!(["old", "computed"].contains(&value.as_str()));
    }
    servers[2].restart();
    until(async || {
        cache.set_many(keys.iter().map(|key| (key, &new)), Ttl::Default).await.unwrap();
        cache.get_many::<String, _>(&keys).await.unwrap().len() == 30
    })
    .await;
}

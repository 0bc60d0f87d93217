//! What else may stand under a name, and what can't be kept.

use cache_values::backend::{Backend, Counted, RedisBackend, Start, Stored, Version, When};
use redis::AsyncTypedCommands;

use crate::{
    Names, keep, look, put, read,
    redis_server::{private::Server, raw, url},
    shared,
};

#[tokio::test]
async fn what_is_no_string_counts_as_nothing() {
    let (backend, names) = (shared().await, Names::new());
    let mut foreign = raw().await;
    let (name, to) = (names.value("list"), names.value("to"));
    let there = async |foreign: &mut redis::aio::MultiplexedConnection| {
        let _: redis::RedisResult<usize> = foreign.rpush(name.as_str(), "element").await;
        assert_eq!(read(&backend, &name).await, None);
        assert_eq!(look(&backend, &name).await, None);
    };
    there(&mut foreign).await;
    assert!(!backend.touch(&name, None).await.unwrap());
    assert_eq!(backend.count(&name, 1, None).await.unwrap(), Counted::Missing);
    assert!(!backend.rename(&name, &to).await.unwrap());
    assert_eq!(foreign.llen(name.as_str()).await.unwrap(), 1);
    assert_eq!(backend.remove(std::slice::from_ref(&name)).await.unwrap(), [false]);
    assert!(!foreign.exists(name.as_str()).await.unwrap());
    let seen = When::Unchanged(Some(Version::of(b"element")));
    for (when, stored) in [
        (seen, Stored::Refused),
        (When::Always, Stored::Kept),
        (When::Vacant, Stored::Kept),
        (When::Unchanged(None), Stored::Kept),
    ] {
        backend.remove(std::slice::from_ref(&name)).await.unwrap();
        there(&mut foreign).await;
        assert_eq!(backend.put(&[put(&name, "value", when)]).await.unwrap(), [stored], "{when:?}");
    }
    backend.remove(std::slice::from_ref(&name)).await.unwrap();
    there(&mut foreign).await;
    let start = Some(Start { value: 4, ttl: None });
    assert_eq!(backend.count(&name, 1, start).await.unwrap(), Counted::Is(4));
    backend.remove(&[name]).await.unwrap();
}

#[tokio::test]
async fn a_value_that_is_too_large_leaves_nothing_behind() {
    let backend = RedisBackend::builder(url()).max_value(20).connect().await.unwrap();
    let names = Names::new();
    let (large, old) = (vec![b'n'; 21], b"0123456789abcdef old");
    for (at, (there, when, stored)) in [
        (true, When::Always, Stored::TooLarge),
        (false, When::Always, Stored::TooLarge),
        (false, When::Vacant, Stored::TooLarge),
        (true, When::Vacant, Stored::Refused),
        (true, When::Unchanged(Some(Version::of(old))), Stored::TooLarge),
        (true, When::Unchanged(None), Stored::Refused),
    ]
    .into_iter()
    .enumerate()
    {
        let name = names.value(at);
        if there {
            keep(&backend, &name, &old[..]).await;
        }
        let items = [put(&name, large.clone(), when), put(&names.value("fits"), &old[..], When::Always)];
        assert_eq!(backend.put(&items).await.unwrap(), [stored, Stored::Kept], "{when:?}");
        let now = (stored == Stored::Refused).then_some(&old[..]);
        assert_eq!(read(&backend, &name).await.as_deref(), now, "{when:?}");
        backend.remove(&[name]).await.unwrap();
    }
    backend.remove(&[names.value("fits")]).await.unwrap();
}

#[tokio::test]
async fn a_server_without_room_leaves_nothing_behind() {
    let server = Server::start();
    let backend = RedisBackend::connect(&server.url()).await.unwrap();
    let names = Names::new();
    let [always, seen, vacant, counted] = ["always", "seen", "vacant", "counted"].map(|key| names.value(key));
    let old = b"0123456789abcdef old";
    keep(&backend, &always, &old[..]).await;
    keep(&backend, &seen, &old[..]).await;
    let () = server.say("CONFIG SET maxmemory 1").await;
    for item in [
        put(&always, "new", When::Always),
        put(&seen, "new", When::Unchanged(Some(Version::of(old)))),
        put(&vacant, "new", When::Vacant),
    ] {
        let error = backend.put(std::slice::from_ref(&item)).await.unwrap_err();
        assert!(error.to_string().contains("OOM"), "{error}");
    }
    let start = Some(Start { value: 1, ttl: None });
    let error = backend.count(&counted, 1, start).await.unwrap_err();
    assert!(error.to_string().contains("OOM"), "{error}");
    for name in [&always, &seen, &vacant, &counted] {
        assert_eq!(read(&backend, name).await, None);
    }
}

//! Other clients on the same server, and limits of the server.

use cache_values::backend::{
    Backend, Counted, Left, MemcachedBackend, MemcachedError, Stored, Version, When,
};

use crate::{keep, look, name, on, put, read, server::Server};

#[tokio::test]
async fn what_another_client_put_is_a_value_like_others() {
    let server = Server::start();
    let backend = on(&[&server]).await;
    server.say("set n 0 0 2\r\n41\r\nset t 0 100 4\r\na\0\r\n\r\n", "STORED\r\nSTORED\r\n");
    assert_eq!(look(&backend, "n").await.unwrap().left, Left::Forever);
    assert_eq!(backend.count(&name("n"), 1, None).await.unwrap(), Counted::Is(42));
    let item = look(&backend, "t").await.unwrap();
    assert_eq!(item.bytes, &b"a\0\r\n"[..]);
    assert!(matches!(item.left, Left::For(left) if left.as_secs() > 90), "{item:?}");
    assert_eq!(backend.put(&[put("t", "new", When::Vacant)]).await.unwrap(), [Stored::Refused]);
    let unchanged = When::Unchanged(Some(Version::of(b"a\0\r\n")));
    assert_eq!(backend.put(&[put("t", "new", unchanged)]).await.unwrap(), [Stored::Kept]);
    assert_eq!(backend.remove(&[name("n"), name("t")]).await.unwrap(), [true, true]);
}

/// Flags of other clients name a kind of value; here they are a deadline, long ago.
#[tokio::test]
async fn what_another_client_marked_is_nothing() {
    let server = Server::start();
    let backend = on(&[&server]).await;
    for flags in ["1", "2", "16"] {
        server.say(&format!("set p {flags} 0 6\r\npickle\r\n"), "STORED\r\n");
        assert!(look(&backend, "p").await.is_none());
        assert!(!backend.touch(&name("p"), None).await.unwrap());
        assert_eq!(backend.count(&name("p"), 1, None).await.unwrap(), Counted::Missing);
        assert_eq!(backend.put(&[put("p", "new", When::Unchanged(None))]).await.unwrap(), [Stored::Kept]);
        assert_eq!(read(&backend, "p").await.unwrap(), "new");
    }
}

#[tokio::test]
async fn what_is_too_large_leaves_nothing_old() {
    let server = Server::start();
    let backend = on(&[&server]).await;
    let large = vec![7; (1 << 20) + 1];
    for when in
        [When::Always, When::Unchanged(Some(Version::of(b"old"))), When::Unchanged(None), When::Vacant]
    {
        let is_there = matches!(when, When::Always | When::Unchanged(Some(_)));
        backend.remove(&[name("v")]).await.unwrap();
        if is_there {
            keep(&backend, "v", "old").await.unwrap();
        }
        // Among others, which are kept.
        let puts = [put("a", "1", When::Always), put("v", large.clone(), when), put("b", "2", When::Always)];
        assert_eq!(
            backend.put(&puts).await.unwrap(),
            [Stored::Kept, Stored::TooLarge, Stored::Kept],
            "{when:?}"
        );
        assert!(look(&backend, "v").await.is_none());
        assert_eq!(read(&backend, "b").await.unwrap(), "2");
    }
    keep(&backend, "v", "old").await.unwrap();
    assert_eq!(backend.put(&[put("v", large, When::Vacant)]).await.unwrap(), [Stored::Refused]);
    assert_eq!(read(&backend, "v").await.unwrap(), "old");
}

/// More than the backend was told to keep is not even sent.
#[tokio::test]
async fn what_is_larger_than_allowed_leaves_nothing_old() {
    let server = Server::start();
    let backend = MemcachedBackend::builder([server.address()]).max_value(10).connect().await.unwrap();
    for when in [When::Always, When::Unchanged(Some(Version::of(b"old")))] {
        assert_eq!(keep(&backend, "v", "old").await.unwrap(), Stored::Kept);
        assert_eq!(backend.put(&[put("v", "more than ten", when)]).await.unwrap(), [Stored::TooLarge]);
        assert!(look(&backend, "v").await.is_none());
    }
    for when in [When::Vacant, When::Unchanged(None)] {
        assert_eq!(backend.put(&[put("v", "more than ten", when)]).await.unwrap(), [Stored::TooLarge]);
    }
}

#[tokio::test]
async fn a_server_without_memory_is_an_error() {
    // It evicts nothing (-M).
    let server = Server::start_with(&["-m", "2", "-M"]);
    let backend = on(&[&server]).await;
    keep(&backend, "0", "old").await.unwrap();
    let mut refused = None;
    for at in 1..100 {
        if let Err(error) = keep(&backend, &at.to_string(), vec![7; 500_000]).await {
            refused = Some(error.to_string());
            break;
        }
    }
    let refused = refused.expect("it has 2 MB");
    assert!(refused.contains("SERVER_ERROR out of memory"), "{refused}");
    assert!(keep(&backend, "0", vec![7; 500_000]).await.is_err());
    assert!(look(&backend, "0").await.is_none(), "what was there must not be taken for the value");
}

#[tokio::test]
async fn a_server_without_versions_is_not_used_for_conditions() {
    let server = Server::start_with(&["-C"]);
    let backend = on(&[&server]).await;
    keep(&backend, "v", "old").await.unwrap();
    let error = backend.put(&[put("v", "new", When::Vacant)]).await.unwrap_err();
    assert!(error.to_string().contains("start it without `-C`"), "{error}");
}

/// Connections of a pool are kept, and no more are made than were wanted at once.
#[tokio::test]
async fn connections_are_used_again() {
    let server = Server::start();
    let backend = on(&[&server]).await;
    let total = || {
        let stats = server.say("stats\r\n", "END\r\n");
        stats.split("STAT total_connections ").nth(1).unwrap().lines().next().unwrap().parse::<u64>().unwrap()
    };
    let before = total();
    for _ in 0..20 {
        keep(&backend, "v", "1").await.unwrap();
        assert!(look(&backend, "v").await.is_some());
    }
    // The one of the second question.
    assert_eq!(total() - before, 1);
    backend.close().await;
    assert!(look(&backend, "v").await.is_some());
    assert_eq!(total() - before, 3);
}

#[tokio::test]
async fn what_is_wrong_with_servers_is_said() {
    let none: [&str; 0] = [];
    assert!(matches!(MemcachedBackend::connect(none).await, Err(MemcachedError::NoServers)));
    let password = MemcachedBackend::connect(["10.0.0.1", "memcached://me:secret@host"]).await.unwrap_err();
    assert!(matches!(password, MemcachedError::Address { number: 2, .. }));
    assert!(!format!("{password} {password:?}").contains("secret"));
    let builder = MemcachedBackend::builder(["me:secret@host"]);
    assert!(!format!("{builder:?}").contains("secret"));
    let twice = MemcachedBackend::builder(["HOST", "other", "memcached://host:11211"]).open().unwrap_err();
    assert!(matches!(twice, MemcachedError::Twice { number: 3 }));
    let mut server = Server::start();
    assert_eq!(
        format!("{:?}", on(&[&server]).await),
        format!("MemcachedBackend {{ servers: [{:?}], max_value: 67108864 }}", server.address())
    );
    server.kill();
    let gone = MemcachedBackend::connect([server.address()]).await.unwrap_err();
    assert!(matches!(&gone, MemcachedError::Unreachable(text) if text.contains(&server.address())), "{gone}");
    assert!(MemcachedBackend::builder([server.address()]).open().is_ok());
}

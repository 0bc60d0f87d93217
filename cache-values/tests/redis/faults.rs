//! What becomes of the connection, and of a call that is given up.

use cache_values::backend::{Backend, ConnectError, Counted, RedisBackend, Start, StoreError, Stored, When};

use crate::{
    Names, give_up, keep, look, put, read,
    redis_server::{
        Proxy,
        private::{Server, until},
    },
};

fn is_unreachable<T: std::fmt::Debug>(answer: &Result<T, StoreError>) -> bool {
    matches!(answer, Err(StoreError::Unreachable(_)))
}

#[tokio::test]
async fn a_server_that_is_gone_is_an_error_and_one_that_is_back_is_used() {
    let (first, second) = (Server::start(), Server::start());
    let proxy = Proxy::to("127.0.0.1", first.port);
    let backend = RedisBackend::connect(&proxy.url()).await.unwrap();
    let name = Names::new().value(1);
    keep(&backend, &name, "old").await;
    proxy.refuse();
    drop(first);
    // The first call may find the connection broken, the next one that there is no other.
    for _ in 0..2 {
        let names = std::slice::from_ref(&name);
        let got = backend.get(names, false).await;
        assert!(is_unreachable(&got), "{got:?}");
        assert!(is_unreachable(&backend.put(&[put(&name, "new", When::Vacant)]).await));
        assert!(is_unreachable(&backend.remove(names).await));
        assert!(is_unreachable(&backend.touch(&name, None).await));
        assert!(is_unreachable(&backend.count(&name, 1, None).await));
        assert!(is_unreachable(&backend.rename(&name, &name).await));
        assert!(is_unreachable(&backend.sweep("test-").await));
    }
    // Another one, which knows neither data nor scripts.
    proxy.lead_to(second.port);
    proxy.accept();
    until(async || backend.get(std::slice::from_ref(&name), false).await.is_ok()).await;
    assert_eq!(read(&backend, &name).await, None);
    assert_eq!(backend.put(&[put(&name, "new", When::Vacant)]).await.unwrap(), [Stored::Kept]);
    assert_eq!(backend.remove(&[name]).await.unwrap(), [true]);
}

#[tokio::test]
async fn a_backend_can_be_opened_before_its_server_runs() {
    let server = Server::start();
    let proxy = Proxy::to("127.0.0.1", server.port);
    proxy.refuse();
    let gone = RedisBackend::connect(&proxy.url()).await.unwrap_err();
    assert!(matches!(gone, ConnectError::Unreachable { .. }), "{gone:?}");
    let backend = RedisBackend::builder(proxy.url()).open().unwrap();
    let name = Names::new().value(1);
    assert!(is_unreachable(&backend.get(std::slice::from_ref(&name), false).await));
    proxy.accept();
    keep(&backend, &name, "value").await;
    backend.close().await;
    assert_eq!(read(&backend, &name).await.as_deref(), Some(&b"value"[..]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_forgets_its_scripts_and_is_told_again() {
    let server = Server::start();
    let backend = RedisBackend::connect(&server.url()).await.unwrap();
    let names = Names::new();
    let [known, other] = ["known", "other"].map(|key| names.value(key));
    for name in [&known, &other] {
        let () = server.say("SCRIPT FLUSH").await;
        let start = Some(Start { value: 1, ttl: None });
        assert_eq!(backend.count(name, 1, start).await.unwrap(), Counted::Is(1));
        // Some of a call's commands need no script.
        let () = server.say("SCRIPT FLUSH").await;
        let items = [
            put(name, "new", When::Vacant),
            put(name, "new", When::Always),
            put(&names.value("third"), "new", When::Unchanged(None)),
        ];
        let stored = backend.put(&items).await.unwrap();
        assert_eq!(stored, [Stored::Refused, Stored::Kept, Stored::Kept]);
        assert_eq!(look(&backend, name).await.unwrap().bytes, "new");
        let () = server.say("SCRIPT FLUSH").await;
        assert_eq!(backend.remove(&[name.clone(), names.value("third")]).await.unwrap(), [true; 2]);
    }
}

/// The server hangs, and somebody else loses patience.
#[tokio::test]
async fn a_call_that_is_given_up_does_no_harm_to_others() {
    let server = Server::start();
    let backend = RedisBackend::connect(&server.url()).await.unwrap();
    let names = Names::new();
    let [given_up, other] = ["given-up", "other"].map(|key| names.value(key));
    keep(&backend, &other, "other").await;
    server.pause();
    give_up(backend.put(&[put(&given_up, "value", When::Vacant)])).await;
    server.resume();
    assert_eq!(read(&backend, &other).await.as_deref(), Some(&b"other"[..]));
    // It had been sent, and the server takes the commands of a connection in order.
    assert_eq!(read(&backend, &given_up).await.as_deref(), Some(&b"value"[..]));
}

/// The server counts, and its answer is lost: whoever asked learns that nobody knows, and nothing is asked again.
#[tokio::test]
async fn what_was_sent_is_not_sent_again() {
    let server = Server::start();
    let proxy = Proxy::to("127.0.0.1", server.port);
    let backend = RedisBackend::connect(&proxy.url()).await.unwrap();
    let name = Names::new().value("number");
    let start = Some(Start { value: 1, ttl: None });
    proxy.silence();
    let (lost, ()) = tokio::join!(backend.count(&name, 1, start), async {
        until(async || server.say::<Option<String>>(&format!("GET {name:?}")).await.is_some()).await;
        proxy.cut();
    });
    assert!(is_unreachable(&lost), "{lost:?}");
    assert_eq!(backend.count(&name, 1, start).await.unwrap(), Counted::Is(2));
}

#[tokio::test]
async fn what_can_not_be_a_leader_is_refused() {
    let (leader, replica) = (Server::start(), Server::start());
    replica.follow(&leader).await;
    let error = RedisBackend::connect(&replica.url()).await.unwrap_err();
    assert!(matches!(error, ConnectError::Replica { .. }), "{error:?}");
    let backend = RedisBackend::connect(&leader.url()).await.unwrap();
    // It is deposed, and says so when it is written to.
    let () = leader.say(&format!("REPLICAOF 127.0.0.1 {}", replica.port)).await;
    let name = Names::new().value(1);
    let error = backend.put(&[put(&name, "value", When::Always)]).await.unwrap_err();
    assert!(error.to_string().contains("READONLY"), "{error}");
    let error = backend.get(&[name], false).await.unwrap_err();
    assert!(error.to_string().contains("is a replica"), "{error}");
}

#[test]
fn a_url_that_is_wrong_is_an_error_that_names_the_part() {
    let part = |builder: cache_values::backend::RedisBackendBuilder| match builder.open() {
        Err(ConnectError::InvalidUrl { part, .. }) => part.to_owned(),
        Err(ConnectError::UnknownParameter { name, .. }) => name,
        other => panic!("{other:?}"),
    };
    for (url, wrong) in [
        ("localhost", "scheme"),
        ("redis://localhost/first", "database"),
        ("redis+cluster://", "host"),
        ("redis+cluster://one,,two", "host"),
        ("redis+cluster://one/3", "database"),
        ("redis+cluster://one?timeout=3", "timeout"),
        ("unix+cluster:///tmp/socket", "scheme"),
        ("http+cluster://one", "scheme"),
    ] {
        assert_eq!(part(RedisBackend::builder(url)), wrong, "{url}");
    }
    let with = |url: &str, replica: &str| part(RedisBackend::builder(url).replicas([replica]));
    assert_eq!(with("redis+cluster://one", "redis://two"), "scheme");
    assert_eq!(with("redis://one", "redis+sentinel://two/shop"), "scheme");
    assert_eq!(with("redis://one", "redis+cluster://two"), "scheme");
    assert_eq!(with("redis://one", "redis://two:port"), "port");
}

#[test]
fn an_error_never_repeats_a_password() {
    for special in ["/", "?", "#", "@", ":", "[", "%", " ", "&", ",", "?protocol="] {
        let secret = format!("hunter2{special}hunter3");
        for url in [
            format!("redis://user:{secret}@localhost/0"),
            format!("redis+cluster://user:{secret}@one,two"),
            format!("redis+sentinel://user:{secret}@one,two/shop"),
        ] {
            let text = match RedisBackend::builder(&url).open() {
                Err(error) => format!("{error} {error:?}"),
                Ok(backend) => format!("{backend:?}"),
            };
            assert!(!text.contains("hunter"), "{text}");
        }
    }
}

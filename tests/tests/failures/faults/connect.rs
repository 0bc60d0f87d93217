//! Servers that can't be used: errors name what is wrong, and nothing shows a password.

use std::{error::Error, sync::Arc, time::Duration};

use cache_orm::{CachedConnection, ConnectError, RedisStore};
use tests::{Env, RedisServer, matrix, shop::store};

use super::shop::settings;

const SECRET: &str = "hunter2";

/// Everything that an error says, to users and to developers.
fn said(error: &impl Error) -> String {
    let mut text = format!("{error} {error:?}");
    let mut source = error.source();
    while let Some(below) = source {
        text.push_str(&format!(" {below} {below:?}"));
        source = below.source();
    }
    assert!(!text.contains(SECRET) && !text.contains("hunter"), "{text}");
    text
}

async fn refused(url: &str) -> String {
    said(&RedisStore::connect(url, "shop").await.expect_err("a URL that can't be used"))
}

#[tokio::test]
async fn a_malformed_url_is_told_by_its_part() {
    for (url, part) in [
        ("", "scheme"),
        ("localhost", "scheme"),
        ("http://user:hunter2@localhost", "scheme"),
        ("redis://user:hunter2@/0", "host"),
        ("redis://user:hunter2@[::1", "host"),
        ("redis://user:hunter2@localhost:port", "port"),
        ("redis://user:hunter2@localhost:65536", "port"),
        ("redis://user:hunter2/x@localhost", "port"),
        ("redis://user:hunter2@localhost/first", "database"),
        ("redis://user:hunter2@localhost/-1", "database"),
        ("redis://user:hunter2#x@localhost", "fragment"),
        ("redis://user:hunter2%ff@localhost", "password"),
        ("redis://user:hunter2@localhost?protocol=9", "protocol"),
        ("unix://hunter2", "path"),
    ] {
        let text = refused(url).await;
        assert!(text.contains(part), "{url}: {text}");
    }
}

#[tokio::test]
async fn an_unknown_parameter_is_named_with_the_known_ones() {
    let text = refused("redis://:hunter2@localhost/0?timeout=3").await;
    assert!(text.contains("\"timeout\"") && text.contains("protocol"), "{text}");
    let text = refused("redis://:pass?hunter2=@localhost/0").await;
    assert!(!text.contains("hunter2"), "{text}");
}

#[tokio::test]
async fn a_bad_namespace_is_told() {
    for namespace in ["", "my shop", "shop:1", "{shop}"] {
        let error = RedisStore::connect("redis://127.0.0.1:1/0", namespace).await.expect_err("a bad name");
        let text = said(&error);
        assert!(text.contains("namespace") && text.contains(namespace), "{text}");
    }
}

#[tokio::test]
async fn a_wrong_password_is_told_without_it() {
    let server = RedisServer::start_with(&["--requirepass", "correct-horse"]);
    let address = format!("127.0.0.1:{}", server.port());
    for (login, user) in [("", "default"), (":hunter2@", "default"), ("somebody:hunter2@", "somebody")] {
        let error = RedisStore::connect(&format!("redis://{login}{address}/0"), "shop").await;
        let error = error.expect_err("the server refuses");
        assert!(matches!(&error, ConnectError::AuthenticationFailed { .. }), "{error:?}");
        let text = said(&error);
        assert!(text.contains(&address) && text.contains(user) && text.contains("password"), "{text}");
    }
    let store = RedisStore::connect(&format!("redis://:correct-horse@{address}/0"), "shop").await;
    let shown = format!("{:?}", store.expect("the right password"));
    assert!(shown.contains(&address) && !shown.contains("correct-horse"), "{shown}");
}

#[tokio::test]
async fn an_unreachable_server_is_told_by_its_address() {
    let mut server = RedisServer::start();
    let url = format!("redis://:hunter2@127.0.0.1:{}/0", server.port());
    server.kill();
    let text = refused(&url).await;
    assert!(text.contains("unreachable") && text.contains(&format!("127.0.0.1:{}", server.port())), "{text}");
}

#[tokio::test]
async fn a_server_that_does_not_answer_is_given_up() {
    let server = RedisServer::start();
    server.pause();
    let builder = RedisStore::builder(server.url()).connect_timeout(Duration::from_millis(50));
    let error = builder.connect().await.expect_err("it hangs");
    assert!(matches!(&error, ConnectError::Unreachable { .. }), "{error:?}");
    server.resume();
}

#[tokio::test]
async fn a_replica_is_refused() {
    let master = RedisServer::start();
    let replica = RedisServer::start_with(&["--replicaof", "127.0.0.1", &master.port().to_string()]);
    let error = RedisStore::connect(&replica.url(), "shop").await.expect_err("a replica");
    assert!(matches!(&error, ConnectError::Replica { .. }), "{error:?}");
    assert!(said(&error).contains(&replica.port().to_string()));
}

#[tokio::test]
async fn a_database_that_is_not_there_is_told() {
    let server = RedisServer::start();
    let text = refused(&format!("redis://127.0.0.1:{}/99", server.port())).await;
    assert!(text.contains("out of range"), "{text}");
}

matrix! {
    stores: store;

    async fn debug_output_hides_passwords(env: Env) on [Redis] {
        let server = RedisServer::start_with(&["--requirepass", "correct-horse"]);
        let url = format!("redis://:correct-horse@127.0.0.1:{}/0", server.port());
        let builder = RedisStore::builder(&url);
        let mut shown = format!("{builder:?} {builder:#?}");
        let store = builder.connect().await.expect("the right password");
        shown.push_str(&format!("{store:?} {store:#?}"));
        let builder = settings(&env, Arc::new(store)).await;
        shown.push_str(&format!("{builder:?} {builder:#?}"));
        let db: CachedConnection = builder.build().await.expect("the cache is ready");
        let transaction = sea_orm::TransactionTrait::begin(&db).await.expect("a transaction begins");
        shown.push_str(&format!("{db:?} {db:#?} {transaction:?} {:?}", db.stats()));
        assert!(!shown.contains("correct-horse"), "{shown}");
    }
}

//! Users who may not do everything.

use cache_values::backend::{ConnectError, RedisBackend};

use crate::{contract::contract, redis_server::private::Server};

/// A server with one more user.
async fn server_with(rules: &str) -> (Server, String) {
    let server = Server::start();
    let () = server.say(&format!("ACL SETUSER app on >hunter2 {rules}")).await;
    let url = server.url().replace("redis://", "redis://app:hunter2@");
    (server, url)
}

/// The commands that the documentation lists, for keys with one prefix.
pub(crate) const NEEDED: &str = "~t* -@all +mget +get +set +unlink +type +getrange +pttl +pexpire +persist +incrby +rename \
                      +eval +evalsha +scan";

#[tokio::test(flavor = "multi_thread")]
async fn a_user_with_few_commands_keeps_the_contract() {
    let (_server, url) = server_with(NEEDED).await;
    let backend = RedisBackend::connect(&url).await.unwrap();
    contract(&backend).await;
    assert!(!format!("{backend:?} {:?}", RedisBackend::builder(url)).contains("hunter2"));
}

#[tokio::test]
async fn a_user_who_may_run_no_scripts_is_refused_with_a_remedy() {
    let (_server, url) = server_with("~* +@all -eval").await;
    let error = RedisBackend::connect(&url).await.unwrap_err();
    let text = format!("{error} {error:?}");
    assert!(matches!(error, ConnectError::Unusable { .. }), "{text}");
    assert!(text.contains("EVAL and EVALSHA") && !text.contains("hunter2"), "{text}");
}

#[tokio::test]
async fn a_wrong_password_is_refused() {
    let (_server, url) = server_with(NEEDED).await;
    let error = RedisBackend::connect(&url.replace("hunter2", "hunter3")).await.unwrap_err();
    let text = format!("{error} {error:?}");
    assert!(matches!(error, ConnectError::AuthenticationFailed { .. }), "{text}");
    assert!(!text.contains("hunter"), "{text}");
}

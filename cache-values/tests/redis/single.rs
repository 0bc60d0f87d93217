//! One server.

use cache_values::backend::RedisBackend;

use crate::{
    contract::contract,
    redis_server::{private::Server, unique, url},
    shared,
};

#[tokio::test(flavor = "multi_thread")]
async fn a_server_keeps_the_contract() {
    contract(&shared().await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_speaks_resp3_keeps_the_contract() {
    let backend = RedisBackend::connect(&format!("{}?protocol=resp3", url())).await.unwrap();
    contract(&backend).await;
}

#[tokio::test]
async fn a_server_behind_a_socket_keeps_the_contract_in_a_database_of_its_own() {
    let socket = std::env::temp_dir().join(unique());
    let server = Server::start_with(&["--unixsocket", socket.to_str().unwrap()]);
    let backend = RedisBackend::connect(&format!("unix://{}?db=3", socket.display())).await.unwrap();
    contract(&backend).await;
    assert_eq!(server.info("db0").await, "");
    assert!(server.info("db3").await.starts_with("keys="));
    let _ = std::fs::remove_file(socket);
}

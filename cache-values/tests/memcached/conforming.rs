//! The suite that every backend passes.

use std::sync::Arc;

use cache_values::{backend::MemcachedBackend, conformance};

use crate::{on, server::Server};

/// The suite puts values of 1 MiB, which is a little more than a server takes that nobody told so.
const LARGE: &[&str] = &["-I", "8m"];

#[tokio::test(flavor = "multi_thread")]
async fn one_server_conforms() {
    let server = Server::start_with(LARGE);
    let report = conformance::suite(Arc::new(on(&[&server]).await)).await;
    assert!(report.checks() > 50, "{report}");
}

#[tokio::test(flavor = "multi_thread")]
async fn three_servers_conform() {
    let servers = [(); 3].map(|()| Server::start_with(LARGE));
    let report = conformance::suite(Arc::new(on(&servers.each_ref()).await)).await;
    assert!(report.checks() > 50, "{report}");
    // Each has its share.
    for server in &servers {
        let stats = server.say("stats\r\n", "END\r\n");
        assert!(!stats.contains("STAT total_items 0\r\n"), "{stats}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_socket_conforms() {
    let server = Server::on_socket(LARGE);
    let report = conformance::suite(Arc::new(on(&[&server]).await)).await;
    assert!(report.checks() > 50, "{report}");
}

/// All that happens at once waits for the same connection.
#[tokio::test(flavor = "multi_thread")]
async fn one_connection_conforms() {
    let server = Server::start_with(LARGE);
    let backend = MemcachedBackend::builder([server.address()]).connections(1).connect().await.unwrap();
    conformance::suite(Arc::new(backend)).await;
    let stats = server.say("stats\r\n", "END\r\n");
    // But for those of calls that were dropped, and of the test's own questions.
    let connections: u64 =
        stats.split("STAT total_connections ").nth(1).unwrap().lines().next().unwrap().parse().unwrap();
    assert!(connections < 20, "{stats}");
}

//! A leader with replicas: who is asked, and what happens where one lags behind, hangs, or is gone.

use cache_values::{
    backend::{Backend, Counted, RedisBackend, When},
    name::Name,
};

use crate::{
    Names,
    contract::contract,
    give_up, keep, put, read,
    redis_server::{
        Proxy,
        private::{Server, until},
    },
};

/// A leader with two replicas, one of which hears of it through a proxy.
struct Group {
    leader: Server,
    near: Server,
    far: Server,
    between: Proxy,
}

impl Group {
    async fn start() -> Self {
        let (leader, near, far) = (Server::start(), Server::start(), Server::start());
        let between = Proxy::to("127.0.0.1", leader.port);
        near.follow(&leader).await;
        let port = between.url().rsplit_once(':').unwrap().1.replace("/0", "");
        let () = far.say(&format!("REPLICAOF 127.0.0.1 {port}")).await;
        until(async || far.info("master_link_status").await == "up").await;
        Group { leader, near, far, between }
    }

    async fn backend(&self) -> RedisBackend {
        let builder = RedisBackend::builder(self.leader.url());
        builder.replicas([self.near.url(), self.far.url()]).connect().await.unwrap()
    }
}

/// How often a server was asked for values.
async fn asked(server: &Server) -> u64 {
    let stats: redis::InfoDict = server.say("INFO commandstats").await;
    let calls = stats.get::<String>("cmdstat_mget").unwrap_or_default();
    calls.split(',').next().unwrap().replace("calls=", "").parse().unwrap_or(0)
}

/// Until the server is asked when these values are wanted.
async fn takes_part(backend: &RedisBackend, server: &Server, name: &Name) {
    until(async || {
        let before = asked(server).await;
        read(backend, name).await;
        asked(server).await > before
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_leader_with_replicas_keeps_the_contract() {
    let group = Group::start().await;
    contract(&group.backend().await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_leader_with_a_replica_that_hangs_behind_and_one_that_is_gone_keeps_the_contract() {
    let Group { leader, near, far, between } = Group::start().await;
    let backend = RedisBackend::builder(leader.url()).replicas([near.url(), far.url()]).open().unwrap();
    let name = Names::new().value(1);
    for replica in [&near, &far] {
        takes_part(&backend, replica, &name).await;
    }
    drop(near);
    between.refuse();
    contract(&backend).await;
}

#[tokio::test]
async fn values_are_read_from_replicas_in_turn_and_cells_from_the_leader() {
    let group = Group::start().await;
    let (backend, names) = (group.backend().await, Names::new());
    let (value, cell) = (names.value(1), names.cell());
    keep(&backend, &value, "value").await;
    keep(&backend, &cell, "7").await;
    for replica in [&group.near, &group.far] {
        takes_part(&backend, replica, &value).await;
    }
    let servers = [&group.leader, &group.near, &group.far];
    let calls = async || [asked(servers[0]).await, asked(servers[1]).await, asked(servers[2]).await];
    let before = calls().await;
    for _ in 0..10 {
        assert_eq!(read(&backend, &value).await.as_deref(), Some(&b"value"[..]));
    }
    let values = calls().await;
    assert_eq!(values, [before[0], before[1] + 5, before[2] + 5]);
    for _ in 0..10 {
        let items = backend.get(&[value.clone(), cell.clone(), value.clone()], false).await.unwrap();
        let bytes: Vec<_> = items.into_iter().map(|item| item.unwrap().bytes).collect();
        assert_eq!(bytes, ["value", "7", "value"]);
    }
    assert_eq!(read(&backend, &cell).await.as_deref(), Some(&b"7"[..]));
    assert_eq!(calls().await, [values[0] + 11, values[1] + 5, values[2] + 5]);
}

#[tokio::test]
async fn what_this_process_wrote_is_found_though_a_replica_lags_behind() {
    let group = Group::start().await;
    let (backend, name) = (group.backend().await, Names::new().value(1));
    let lax = RedisBackend::builder(group.leader.url()).replicas([group.far.url()]).read_your_writes(false);
    let lax = lax.connect().await.unwrap();
    keep(&backend, &name, "old").await;
    for replica in [&group.near, &group.far] {
        takes_part(&backend, replica, &name).await;
    }
    takes_part(&lax, &group.far, &name).await;

    group.between.refuse();
    until(async || group.far.info("master_link_status").await == "down").await;
    for round in 0..20 {
        keep(&backend, &name, format!("new {round}")).await;
        for _ in 0..3 {
            assert_eq!(read(&backend, &name).await.unwrap(), format!("new {round}"));
        }
    }
    // The other replica takes part all the while, and this one does not.
    let before = asked(&group.far).await;
    takes_part(&backend, &group.near, &name).await;
    assert_eq!(asked(&group.far).await, before);
    // Who does not mind gets what it has.
    assert_eq!(read(&lax, &name).await.as_deref(), Some(&b"old"[..]));

    group.between.accept();
    takes_part(&backend, &group.far, &name).await;
    assert_eq!(read(&backend, &name).await.as_deref(), Some(&b"new 19"[..]));
}

/// A write that nobody waits for any more may still be one.
#[tokio::test]
async fn a_write_that_is_given_up_is_waited_for_all_the_same() {
    let group = Group::start().await;
    let (backend, name) = (group.backend().await, Names::new().value(1));
    for replica in [&group.near, &group.far] {
        takes_part(&backend, replica, &name).await;
    }
    group.between.refuse();
    until(async || group.far.info("master_link_status").await == "down").await;
    group.leader.pause();
    give_up(backend.put(&[put(&name, "value", When::Always)])).await;
    group.leader.resume();
    // It was sent, and the leader does what comes over one connection in order.
    assert_eq!(backend.count(&Names::new().value(1), 1, None).await.unwrap(), Counted::Missing);
    let before = asked(&group.far).await;
    for _ in 0..10 {
        assert_eq!(read(&backend, &name).await.as_deref(), Some(&b"value"[..]));
    }
    assert_eq!(asked(&group.far).await, before);
}

#[tokio::test]
async fn a_replica_that_is_gone_or_hangs_is_passed_over() {
    let Group { leader, near, far, between: _between } = Group::start().await;
    let backend = RedisBackend::builder(leader.url()).replicas([near.url(), far.url()]).open().unwrap();
    let name = Names::new().value(1);
    keep(&backend, &name, "value").await;
    for replica in [&near, &far] {
        takes_part(&backend, replica, &name).await;
    }
    far.pause();
    drop(near);
    for _ in 0..10 {
        assert_eq!(read(&backend, &name).await.as_deref(), Some(&b"value"[..]));
    }
    far.resume();
    takes_part(&backend, &far, &name).await;
}

/// Somebody gave the address of a server that follows another leader, or none.
#[tokio::test]
async fn a_server_that_does_not_follow_is_asked_nothing() {
    let (leader, stranger) = (Server::start(), Server::start());
    let backend = RedisBackend::builder(leader.url()).replicas([stranger.url()]).connect().await.unwrap();
    let name = Names::new().value(1);
    // It was looked for the mark.
    let marks = async || {
        let stats: redis::InfoDict = stranger.say("INFO commandstats").await;
        stats.get::<String>("cmdstat_get").is_some()
    };
    until(async || {
        assert_eq!(read(&backend, &name).await, None);
        marks().await
    })
    .await;
    keep(&backend, &name, "value").await;
    assert_eq!(read(&backend, &name).await.as_deref(), Some(&b"value"[..]));
    assert_eq!(asked(&stranger).await, 0);
}

/// It was restarted, or a proxy leads elsewhere: what the last connection had proved says nothing.
#[tokio::test]
async fn a_replica_proves_itself_again_on_each_connection() {
    let Group { leader, near, far: other, between: _between } = Group::start().await;
    let proxy = Proxy::to("127.0.0.1", near.port);
    let backend = RedisBackend::builder(leader.url()).replicas([proxy.url()]).connect().await.unwrap();
    let name = Names::new().value(1);
    keep(&backend, &name, "value").await;
    takes_part(&backend, &near, &name).await;
    let empty = Server::start();
    proxy.lead_to(empty.port);
    for _ in 0..10 {
        assert_eq!(read(&backend, &name).await.as_deref(), Some(&b"value"[..]));
    }
    proxy.lead_to(other.port);
    takes_part(&backend, &other, &name).await;
    assert_eq!(asked(&empty).await, 0);
}

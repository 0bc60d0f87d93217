//! A cluster of three masters, each with a replica.

use std::{
    fs,
    path::{Path, PathBuf},
};

use cache_values::backend::{Backend, ConnectError, Counted, Left, RedisBackend, Start, StoreError, When};

use crate::{
    Names,
    contract::contract,
    keep, look, put, read,
    redis_server::{
        Proxy,
        private::{Server, until},
        unique,
    },
};

const SLOTS: [(u16, u16); 3] = [(0, 5460), (5461, 10922), (10923, 16383)];

/// Where the nodes write down who belongs to the cluster.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        let folder = std::env::temp_dir().join(unique());
        fs::create_dir(&folder).unwrap();
        Folder(folder)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // Nobody minds what is left in the temporary folder.
        let _ = fs::remove_dir_all(&self.0);
    }
}

struct Nodes {
    masters: Vec<Server>,
    replicas: Vec<Server>,
    /// Names a master and a replica.
    url: String,
    _folder: Folder,
}

impl Nodes {
    async fn start() -> Self {
        let folder = Folder::new();
        let masters: Vec<_> = (0..3).map(|_| node(&folder.0, &[])).collect();
        let replicas: Vec<_> = (0..3).map(|_| node(&folder.0, &[])).collect();
        for (at, (master, (first, last))) in masters.iter().zip(SLOTS).enumerate() {
            let () = master.say(&format!("CLUSTER ADDSLOTSRANGE {first} {last}")).await;
            let () = master.say(&format!("CLUSTER SET-CONFIG-EPOCH {}", at + 1)).await;
        }
        let bus: u16 = masters[0].say::<Vec<String>>("CONFIG GET cluster-port").await[1].parse().unwrap();
        for node in masters.iter().skip(1).chain(&replicas) {
            let () = node.say(&format!("CLUSTER MEET 127.0.0.1 {} {bus}", masters[0].port)).await;
        }
        let url = format!("redis+cluster://127.0.0.1:{},127.0.0.1:{}", masters[1].port, replicas[0].port);
        let nodes = Nodes { masters, replicas, url, _folder: folder };
        nodes.all_know("cluster_known_nodes:6").await;
        for (replica, master) in nodes.replicas.iter().zip(&nodes.masters) {
            let id: String = master.say("CLUSTER MYID").await;
            let () = replica.say(&format!("CLUSTER REPLICATE {id}")).await;
            until(async || replica.info("master_link_status").await == "up").await;
        }
        nodes.all_know("cluster_state:ok").await;
        for node in nodes.all() {
            until(async || {
                let known: String = node.say("CLUSTER NODES").await;
                known.matches(" slave ").count() + known.matches(",slave ").count() == 3
            })
            .await;
        }
        nodes
    }

    fn all(&self) -> impl Iterator<Item = &Server> {
        self.masters.iter().chain(&self.replicas)
    }

    async fn all_know(&self, fact: &str) {
        for node in self.all() {
            until(async || node.say::<String>("CLUSTER INFO").await.contains(fact)).await;
        }
    }
}

fn node(folder: &Path, arguments: &[&str]) -> Server {
    // Nodes talk to each other at another port, which may be as high as any.
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port().to_string();
    let file = format!("{}.conf", unique());
    let mut all = vec!["--cluster-enabled", "yes", "--cluster-node-timeout", "2000", "--cluster-port", &free];
    all.extend(["--dir", folder.to_str().unwrap(), "--cluster-config-file", &file]);
    all.extend(arguments);
    Server::start_with(&all)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cluster_keeps_the_contract_before_and_after_a_failover() {
    let nodes = Nodes::start().await;
    let backend = RedisBackend::connect(&nodes.url).await.unwrap();
    each_node_has_a_part(&backend, &nodes).await;
    items_move_between_nodes(&backend).await;
    contract(&backend).await;

    let names = Names::new();
    let all: Vec<_> = (0..100).map(|key| names.value(key)).collect();
    let items: Vec<_> = all.iter().map(|name| put(name, "value", When::Always)).collect();
    backend.put(&items).await.unwrap();
    nodes.masters[0].replicated(&nodes.replicas[0]).await;
    let () = nodes.replicas[0].say("CLUSTER FAILOVER").await;
    until(async || nodes.replicas[0].info("role").await == "master").await;
    nodes.all_know("cluster_state:ok").await;
    until(async || backend.get(&all, false).await.is_ok_and(|items| items.iter().all(Option::is_some))).await;
    contract(&backend).await;
}

async fn items_move_between_nodes(backend: &RedisBackend) {
    let names = Names::new();
    for key in 0..20 {
        let [from, to] = ["from", "to"].map(|end| names.value(format!("{key}-{end}")));
        keep(backend, &from, "value").await;
        assert!(backend.rename(&from, &to).await.unwrap());
        assert!(!backend.rename(&from, &to).await.unwrap());
        let moved = look(backend, &to).await.unwrap();
        assert_eq!((&moved.bytes[..], moved.left), (&b"value"[..], Left::Forever));
        backend.remove(&[to]).await.unwrap();
    }
}

async fn each_node_has_a_part(backend: &RedisBackend, nodes: &Nodes) {
    let names = Names::new();
    let all: Vec<_> = (0..300).map(|key| names.value(key)).collect();
    let items: Vec<_> = all.iter().map(|name| put(name, "value", When::Vacant)).collect();
    backend.put(&items).await.unwrap();
    for master in &nodes.masters {
        assert!(master.say::<usize>("DBSIZE").await > 50);
    }
    assert_eq!(backend.sweep(&names.0).await.unwrap(), 300);
    for master in &nodes.masters {
        assert_eq!(master.say::<usize>("DBSIZE").await, 0);
    }
}

#[tokio::test]
async fn a_node_alone_is_no_leader_and_a_server_alone_no_cluster() {
    let folder = Folder::new();
    let (node, server) = (node(&folder.0, &[]), Server::start());
    let error = RedisBackend::connect(&node.url()).await.unwrap_err();
    assert!(error.to_string().contains("redis+cluster://"), "{error}");
    let error =
        RedisBackend::connect(&server.url().replace("redis:", "redis+cluster:").replace("/0", "")).await;
    assert!(
        matches!(error, Err(ConnectError::Unusable { .. } | ConnectError::Unreachable { .. })),
        "{error:?}"
    );
}

#[tokio::test]
async fn where_a_node_is_gone_the_rest_goes_on() {
    let mut nodes = Nodes::start().await;
    let backend = RedisBackend::connect(&nodes.url).await.unwrap();
    let names = Names::new();
    let all: Vec<_> = (0..100).map(|key| names.value(key)).collect();
    let items: Vec<_> = all.iter().map(|name| put(name, "value", When::Always)).collect();
    backend.put(&items).await.unwrap();
    nodes.masters[2].replicated(&nodes.replicas[2]).await;
    // Its replica takes over.
    drop(nodes.masters.pop());
    until(async || nodes.replicas[2].info("role").await == "master").await;
    until(async || backend.get(&all, false).await.is_ok_and(|items| items.iter().all(Option::is_some))).await;

    nodes.masters.clear();
    nodes.replicas.clear();
    let lost = backend.get(&all, false).await;
    assert!(matches!(lost, Err(StoreError::Unreachable(_))), "{lost:?}");
    let gone = RedisBackend::connect(&nodes.url).await;
    assert!(matches!(gone, Err(ConnectError::Unreachable { .. })), "{gone:?}");
}

/// A slot moves to another node name by name: until it is there, what is not at the one is at the other.
#[tokio::test]
async fn names_are_found_while_they_move() {
    let nodes = Nodes::start().await;
    let backend = RedisBackend::connect(&nodes.url).await.unwrap();
    let name = Names::new().value("moves");
    let (from, to) = (&nodes.masters[0], &nodes.masters[1]);
    let slot: u16 = from.say(&format!("CLUSTER KEYSLOT {name:?}")).await;
    let at = SLOTS.iter().position(|(first, last)| (*first..=*last).contains(&slot)).unwrap();
    let (from, to) = if at == 1 { (to, from) } else { (&nodes.masters[at], to) };
    let [from_id, to_id]: [String; 2] = [from.say("CLUSTER MYID").await, to.say("CLUSTER MYID").await];
    let () = to.say(&format!("CLUSTER SETSLOT {slot} IMPORTING {from_id}")).await;
    let () = from.say(&format!("CLUSTER SETSLOT {slot} MIGRATING {to_id}")).await;
    let start = Some(Start { value: 1, ttl: None });
    assert_eq!(backend.count(&name, 1, start).await.unwrap(), Counted::Is(1));
    assert_eq!(backend.count(&name, 1, start).await.unwrap(), Counted::Is(2));
    assert_eq!(read(&backend, &name).await.as_deref(), Some(&b"2"[..]));
    assert_eq!(to.say::<usize>("DBSIZE").await, 1);
    for node in [to, from] {
        let () = node.say(&format!("CLUSTER SETSLOT {slot} NODE {to_id}")).await;
    }
    assert_eq!(backend.count(&name, 1, None).await.unwrap(), Counted::Is(3));
    assert_eq!(backend.remove(&[name]).await.unwrap(), [true]);
}

/// The server counts, and its answer is lost: whoever asked learns that nobody knows, and nothing is asked again.
#[tokio::test]
async fn what_was_sent_is_not_sent_again() {
    let folder = Folder::new();
    let proxy = Proxy::to("127.0.0.1", 1);
    let port = port(&proxy.url());
    let server = node(&folder.0, &["--cluster-announce-port", &port]);
    proxy.lead_to(server.port);
    let () = server.say("CLUSTER ADDSLOTSRANGE 0 16383").await;
    until(async || server.say::<String>("CLUSTER INFO").await.contains("cluster_state:ok")).await;
    let backend = RedisBackend::connect(&format!("redis+cluster://127.0.0.1:{port}")).await.unwrap();
    let name = Names::new().value("number");
    let start = Some(Start { value: 0, ttl: None });
    assert_eq!(backend.count(&name, 1, start).await.unwrap(), Counted::Is(0));
    proxy.silence();
    let number = async || server.say::<String>(&format!("GET {name:?}")).await;
    let (lost, ()) = tokio::join!(backend.count(&name, 1, start), async {
        until(async || number().await == "1").await;
        proxy.cut();
    });
    assert!(matches!(lost, Err(StoreError::Unreachable(_))), "{lost:?}");
    until(async || backend.get(std::slice::from_ref(&name), false).await.is_ok()).await;
    assert_eq!(backend.count(&name, 1, start).await.unwrap(), Counted::Is(2));
}

fn port(url: &str) -> String {
    url.rsplit_once(':').unwrap().1.replace("/0", "")
}

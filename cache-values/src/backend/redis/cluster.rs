//! A cluster: to each of its nodes what is its own, and all at once.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
};

use cache_core::{
    backend::redis::{
        error::{ConnectError, is_lost},
        server::Server,
        shared::Shared,
    },
    unpoisoned,
};
use futures_util::future::{join_all, select_ok};
use redis::{
    Cmd, ErrorKind, RedisError, RedisResult, ServerErrorKind, Value, aio::MultiplexedConnection, cmd,
};

use super::{
    pipeline::pipeline,
    slots::{SlotMap, slot},
};
use crate::name::Name;

/// A command follows a name no further.
const MOST_MOVES: usize = 5;

/// The nodes of a cluster, as far as they are known.
pub(super) struct Cluster {
    seeds: Arc<[Server]>,
    nodes: Mutex<HashMap<String, Arc<Node>>>,
    slots: Mutex<Option<Arc<SlotMap>>>,
    /// Something has moved, or does not answer.
    is_stale: AtomicBool,
    learning: tokio::sync::Mutex<()>,
}

struct Node {
    server: Server,
    connection: Shared<MultiplexedConnection>,
}

/// A command that was not done yet: which one, and where to, if a node has said so.
struct Errand {
    at: usize,
    to: Option<String>,
    /// The name is about to move there, and the node must be told that we know.
    asking: bool,
}

impl Cluster {
    /// Knows these nodes, and connects to nothing yet.
    pub(super) fn new(seeds: Arc<[Server]>) -> Self {
        Cluster {
            seeds,
            nodes: Mutex::default(),
            slots: Mutex::default(),
            is_stale: AtomicBool::new(false),
            learning: tokio::sync::Mutex::default(),
        }
    }

    /// Sends each command to the node that has its name, and again where that says that it did nothing because the name lives
    /// elsewhere now. After a lost connection nobody knows what was done, and nothing is sent again: it might count twice.
    pub(super) async fn send(&self, commands: &[(&Name, Cmd)]) -> RedisResult<Vec<RedisResult<Value>>> {
        let mut answers = vec![Err(nobody("no node has this name")); commands.len()];
        let mut errands: Vec<_> =
            (0..commands.len()).map(|at| Errand { at, to: None, asking: false }).collect();
        for _ in 0..MOST_MOVES {
            if errands.is_empty() {
                break;
            }
            let slots = self.slots().await?;
            let mut parts = BTreeMap::<String, Vec<Errand>>::new();
            for mut errand in errands.drain(..) {
                let master = || slots.master(slot(commands[errand.at].0.as_str())).map(str::to_owned);
                match errand.to.take().or_else(master) {
                    Some(node) => parts.entry(node).or_default().push(errand),
                    None => self.is_stale.store(true, Ordering::SeqCst),
                }
            }
            let parts = parts.into_iter().map(|(node, errands)| self.part(node, errands, commands));
            for (errand, answer) in join_all(parts).await.into_iter().flatten() {
                if let Some((to, asking)) = answer.as_ref().err().and_then(redirection) {
                    self.is_stale.fetch_or(!asking, Ordering::SeqCst);
                    errands.push(Errand { at: errand.at, to: Some(to), asking });
                }
                answers[errand.at] = answer;
            }
        }
        Ok(answers)
    }

    /// What one node does of it.
    async fn part(
        &self,
        node: String,
        errands: Vec<Errand>,
        commands: &[(&Name, Cmd)],
    ) -> Vec<(Errand, RedisResult<Value>)> {
        let mut asked = Vec::with_capacity(errands.len());
        for errand in &errands {
            asked.extend(errand.asking.then(|| cmd("ASKING")));
            asked.push(commands[errand.at].1.clone());
        }
        match self.ask(&self.node(&node), asked.into_iter()).await {
            Ok(answers) => {
                let mut answers = answers.into_iter();
                let mut own = |errand: &Errand| {
                    let _asking = errand.asking.then(|| answers.next());
                    answers.next().unwrap_or_else(|| Err(nobody("a question was not answered")))
                };
                errands
                    .into_iter()
                    .map(|errand| (own(&errand), errand))
                    .map(|(own, errand)| (errand, own))
                    .collect()
            }
            Err(error) => errands.into_iter().map(|errand| (errand, Err(error.clone()))).collect(),
        }
    }

    /// A node's answers. One that does not answer may have a successor.
    async fn ask(
        &self,
        node: &Arc<Node>,
        commands: impl Iterator<Item = Cmd>,
    ) -> RedisResult<Vec<RedisResult<Value>>> {
        let connection = match node.connected().await {
            Ok(connection) => connection,
            Err(error) => {
                self.is_stale.store(true, Ordering::SeqCst);
                return Err(nobody(&error.to_string()));
            }
        };
        let answers = pipeline(&connection, commands).await;
        if answers.as_ref().is_err_and(|error| is_lost(error) || error.kind() == ErrorKind::Parse) {
            node.connection.lose(&connection);
            self.is_stale.store(true, Ordering::SeqCst);
        }
        answers
    }

    /// Connections to all masters.
    pub(super) async fn masters(&self) -> RedisResult<Vec<Arc<MultiplexedConnection>>> {
        let slots = self.slots().await?;
        let nodes: Vec<_> = slots.masters().into_iter().map(|master| self.node(master)).collect();
        let connections = join_all(nodes.iter().map(Node::connected)).await;
        connections
            .into_iter()
            .map(|connection| connection.map_err(|error| nobody(&error.to_string())))
            .collect()
    }

    /// Who has which names, as far as is known: asked anew if something has moved.
    async fn slots(&self) -> RedisResult<Arc<SlotMap>> {
        let known = || unpoisoned::lock(&self.slots).clone();
        match known() {
            Some(slots) if !self.is_stale.load(Ordering::SeqCst) => return Ok(slots),
            _ => {}
        }
        let _learning = self.learning.lock().await;
        // Somebody else may have learned it meanwhile.
        match known() {
            Some(slots) if !self.is_stale.swap(false, Ordering::SeqCst) => return Ok(slots),
            _ => {}
        }
        let learned = self.learn().await.map(Arc::new);
        match &learned {
            Ok(slots) => *unpoisoned::lock(&self.slots) = Some(slots.clone()),
            Err(_) => self.is_stale.store(true, Ordering::SeqCst),
        }
        learned
    }

    /// The first node that knows is believed: a name that has moved since is followed.
    async fn learn(&self) -> RedisResult<SlotMap> {
        let known: Vec<_> = unpoisoned::lock(&self.nodes).values().cloned().collect();
        let seeds = self.seeds.iter().map(|seed| self.node(seed.address()));
        let asked = known.into_iter().chain(seeds).map(|node| Box::pin(node.slots()));
        Ok(select_ok(asked).await?.0)
    }

    /// The node at this address.
    fn node(&self, address: &str) -> Arc<Node> {
        let mut nodes = unpoisoned::lock(&self.nodes);
        let node = nodes.entry(address.to_owned()).or_insert_with(|| {
            let (host, port) = address.rsplit_once(':').unwrap_or_default();
            let server = self.seeds[0].at(host, port.parse().unwrap_or_default());
            Arc::new(Node { connection: Shared::new(address.to_owned()), server })
        });
        node.clone()
    }
}

impl Node {
    async fn connected(self: &Arc<Self>) -> Result<Arc<MultiplexedConnection>, ConnectError> {
        let this = self.clone();
        self.connection.current(|| async move { this.server.in_time(this.server.open(None)).await }).await
    }

    async fn slots(self: Arc<Self>) -> RedisResult<SlotMap> {
        let connection = self.connected().await.map_err(|error| nobody(&error.to_string()))?;
        let asked = cmd("CLUSTER").arg("SLOTS").query_async(&mut (*connection).clone()).await;
        let answer = asked.inspect_err(|error| {
            if is_lost(error) {
                self.connection.lose(&connection);
            }
        })?;
        let host = self.server.address().rsplit_once(':').unwrap_or_default().0;
        SlotMap::read(&answer, host).ok_or_else(|| nobody("the node knows no other"))
    }
}

/// Where a node sends us, and whether only for now.
fn redirection(error: &RedisError) -> Option<(String, bool)> {
    let asking = match error.kind() {
        ErrorKind::Server(ServerErrorKind::Moved) => false,
        ErrorKind::Server(ServerErrorKind::Ask) => true,
        _ => return None,
    };
    error.redirect_node().map(|(node, _)| (node.to_owned(), asking))
}

/// Nobody answered, and why.
fn nobody(reason: &str) -> RedisError {
    RedisError::from(std::io::Error::new(std::io::ErrorKind::NotConnected, reason))
}

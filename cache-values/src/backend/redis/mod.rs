//! The backend on a Redis or Valkey.

mod builder;
mod change;
mod cluster;
mod items;
mod leader;
mod pipeline;
mod place;
mod replica;
mod replicas;
mod script;
mod slots;
mod sweep;
mod wire;

use std::{fmt, sync::Arc, time::Duration};

use async_trait::async_trait;
use bytes::Bytes;
pub use cache_core::backend::ConnectError;
use redis::{ErrorKind, ServerErrorKind, Value};

pub use self::builder::RedisBackendBuilder;
use self::{
    items::life,
    leader::Leader,
    replicas::Replicas,
    script::{COUNT, REMOVE, RENAME, Script, TOUCH},
    wire::Question,
};
use super::{Backend, Capabilities, Counted, Item, Put, Start, StoreError, Stored, When, is_promise};
use crate::name::Name;

/// A cache on a Redis server (or Valkey), used by every process that connects to it: one server, a leader with replicas, the
/// master that Sentinels name, or a cluster.
///
/// Each call is one round trip: `MGET` to read, `SET` to keep without a condition, a script for everything else. All callers
/// share one connection, which is made anew after it was lost. The server is never flushed, and its keys are never listed:
/// what is under other names is left alone. Something under a name that is no string counts as nothing.
///
/// A user needs these commands for the keys with the cache's prefix: `MGET GET SET UNLINK TYPE GETRANGE PTTL PEXPIRE PERSIST
/// INCRBY RENAME EVAL EVALSHA`, in a cluster `CLUSTER SLOTS` and `ASKING`, and `SCAN` to remove what was cleared. `INFO` lets it see at once
/// that a server is a replica.
///
/// Clones share the connection.
///
/// ```no_run
/// # async fn example() -> Result<(), cache_values::backend::ConnectError> {
/// use cache_values::backend::RedisBackend;
/// let one = RedisBackend::connect("redis://127.0.0.1:6379/0").await?;
/// let replicated = RedisBackend::builder("redis://10.0.0.1/0")
///     .replicas(["redis://10.0.0.2/0", "redis://10.0.0.3/0"])
///     .connect()
///     .await?;
/// # Ok(()) }
/// ```
#[derive(Clone)]
pub struct RedisBackend {
    leader: Arc<Leader>,
    replicas: Arc<Replicas>,
    max_value: usize,
}

impl RedisBackend {
    async fn read_from_leader(&self, names: &[Name], left: bool) -> Result<Vec<Option<Item>>, StoreError> {
        if names.is_empty() {
            return Ok(Vec::new());
        }
        let wire = self.leader.wire().await?;
        let answers = self.leader.answers(&wire, &items::look(names, left, wire.most_names())).await?;
        items::seen(answers, left, names.len()).ok_or_else(|| self.leader.unexpected())
    }

    /// Values, which may come from a replica.
    async fn read_values(&self, names: &[Name], left: bool) -> Result<Vec<Option<Item>>, StoreError> {
        match self.replicas.read(&self.leader, names, left).await {
            Some(items) => Ok(items),
            None => self.read_from_leader(names, left).await,
        }
    }

    /// Moves an item to another node of a cluster. It is removed before it is put: of two that move it, one finds it.
    async fn carry(&self, from: &Name, to: &Name) -> Result<bool, StoreError> {
        let from = std::slice::from_ref(from);
        let item = self.read_from_leader(from, true).await?.pop().flatten();
        let Some(item) = item.filter(|item| !is_promise(&item.bytes)) else { return Ok(false) };
        if self.remove(from).await? != [true] {
            return Ok(false);
        }
        let put = Put { name: to.clone(), ttl: item.left.ttl(), bytes: item.bytes, when: When::Always };
        self.put(&[put]).await.map(|_| true)
    }

    /// Whether a script did to one item what it does.
    async fn did(
        &self,
        script: &'static Script,
        name: &Name,
        arguments: Vec<Bytes>,
    ) -> Result<bool, StoreError> {
        let wire = self.leader.wire().await?;
        match self.leader.run(&wire, script, std::slice::from_ref(name), arguments).await? {
            Ok(Value::Int(done)) => Ok(done == 1),
            Ok(_) => Err(self.leader.unexpected()),
            Err(error) => Err(self.leader.failed(&wire, &error)),
        }
    }
}

#[async_trait]
impl Backend for RedisBackend {
    async fn get(&self, names: &[Name], left: bool) -> Result<Vec<Option<Item>>, StoreError> {
        if self.replicas.is_empty() {
            return self.read_from_leader(names, left).await;
        }
        let (cells, values): (Vec<Name>, Vec<Name>) = names.iter().cloned().partition(Name::is_cell);
        let (cells, values) =
            tokio::join!(self.read_from_leader(&cells, left), self.read_values(&values, left));
        let (mut cells, mut values) = (cells?.into_iter(), values?.into_iter());
        let mut item = |name: &Name| if name.is_cell() { cells.next() } else { values.next() }.flatten();
        Ok(names.iter().map(&mut item).collect())
    }

    async fn put(&self, items: &[Put]) -> Result<Vec<Stored>, StoreError> {
        let wire = self.leader.wire().await?;
        let _writing = self.replicas.writing();
        let fits = |put: &Put| put.bytes.len() <= self.max_value;
        let questions: Vec<_> = items.iter().map(|put| change::put(put, fits(put))).collect();
        let answers = self.leader.ask(&wire, &questions).await?;
        let mut stored = Vec::with_capacity(items.len());
        let (mut failed, mut unkept) = (None, Vec::new());
        for (put, answer) in items.iter().zip(answers) {
            match answer {
                Ok(answer) => stored.extend(change::stored(&answer, fits(put), put.when)),
                Err(error) => {
                    failed.get_or_insert(error);
                    // Under a condition, the script has seen to it.
                    unkept.extend((put.when == When::Always).then_some(&put.name));
                }
            }
        }
        if let Some(error) = failed {
            // The server has no room, say: what was there before must not be taken for the value.
            let remove = unkept.into_iter().map(change::unlink);
            self.leader.ask(&wire, &remove.collect::<Vec<_>>()).await?;
            return Err(self.leader.failed(&wire, &error));
        }
        if stored.len() == items.len() { Ok(stored) } else { Err(self.leader.unexpected()) }
    }

    async fn remove(&self, names: &[Name]) -> Result<Vec<bool>, StoreError> {
        let wire = self.leader.wire().await?;
        let _writing = self.replicas.writing();
        let some = names.chunks(wire.most_names());
        let questions: Vec<_> = some
            .map(|names| Question::Script { script: &REMOVE, names: names.to_vec(), arguments: Vec::new() })
            .collect();
        let mut taken = Vec::with_capacity(names.len());
        for answer in self.leader.answers(&wire, &questions).await? {
            let some: Vec<bool> = redis::from_redis_value(answer).map_err(|_| self.leader.unexpected())?;
            taken.extend(some);
        }
        if taken.len() == names.len() { Ok(taken) } else { Err(self.leader.unexpected()) }
    }

    async fn touch(&self, name: &Name, ttl: Option<Duration>) -> Result<bool, StoreError> {
        let _writing = self.replicas.writing();
        self.did(&TOUCH, name, vec![life(ttl)]).await
    }

    async fn count(&self, name: &Name, by: i64, start: Option<Start>) -> Result<Counted, StoreError> {
        let wire = self.leader.wire().await?;
        let _writing = self.replicas.writing();
        let mut arguments = vec![by.to_string().into()];
        if let Some(start) = start {
            arguments.extend([start.value.to_string().into(), life(start.ttl)]);
        }
        match self.leader.run(&wire, &COUNT, std::slice::from_ref(name), arguments).await? {
            Ok(answer) => change::counted(&answer).ok_or_else(|| self.leader.unexpected()),
            Err(error) => change::uncounted(&error).ok_or_else(|| self.leader.failed(&wire, &error)),
        }
    }

    async fn rename(&self, from: &Name, to: &Name) -> Result<bool, StoreError> {
        let wire = self.leader.wire().await?;
        let _writing = self.replicas.writing();
        let names = [from.clone(), to.clone()];
        match self.leader.run(&wire, &RENAME, &names, Vec::new()).await? {
            Ok(Value::Int(moved)) => Ok(moved == 1),
            Ok(_) => Err(self.leader.unexpected()),
            Err(error) if error.kind() == ErrorKind::Server(ServerErrorKind::CrossSlot) => {
                self.carry(from, to).await
            }
            Err(error) => Err(self.leader.failed(&wire, &error)),
        }
    }

    async fn sweep(&self, stem: &str) -> Result<u64, StoreError> {
        let wire = self.leader.wire().await?;
        let _writing = self.replicas.writing();
        sweep::sweep(&wire, stem).await.map_err(|error| self.leader.failed(&wire, &error))
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities::SHARED
    }

    async fn close(&self) {
        self.leader.hang_up();
        self.replicas.hang_up();
    }
}

/// Leaves out the URLs, which may hold a password.
impl fmt::Debug for RedisBackend {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisBackend")
            .field("leader", &self.leader.address())
            .field("replicas", &self.replicas.addresses())
            .field("max_value", &self.max_value)
            .finish()
    }
}

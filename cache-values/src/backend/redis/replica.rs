//! One server that follows the leader, and how far it has come.

use std::{
    sync::{
        Arc, Mutex, OnceLock,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use cache_core::{
    backend::redis::{
        error::{ConnectError, is_lost},
        server::Server,
        shared::Shared,
    },
    unpoisoned,
};
use redis::{RedisError, RedisResult, Value, cmd};
use tokio::task::JoinHandle;

use super::{
    items::{look, seen},
    leader::Leader,
    wire::{Question, Wire},
};
use crate::{
    backend::Item,
    name::{LONGEST_PREFIX, Name},
};

/// After a failure, nobody tries again for so long.
const PAUSE: Duration = Duration::from_millis(200);

/// A replica that has not heard of a write is asked again after so long at first, and after so long at last.
const SHORTEST_WAIT: Duration = Duration::from_millis(1);
const LONGEST_WAIT: Duration = Duration::from_millis(50);

/// A mark lives so long, in milliseconds; nobody waits for one that long.
const MARK_LIFE: u64 = 60_000;
const MOST_WAITS: usize = 600;

/// A server that follows the leader.
pub(super) struct Replica {
    site: Arc<Site>,
    /// Connects and waits for the replica, if somebody has asked for it.
    task: Mutex<Option<JoinHandle<()>>>,
}

/// Where a replica is.
struct Site {
    server: Server,
    patience: Duration,
    connection: Shared<Follower>,
    /// What is written to the leader, to see it arrive here. No other replica or process uses that name.
    mark: OnceLock<Name>,
}

/// A connection to a replica. Another one may lead to another server, or to one that has lost what this one had.
pub(super) struct Follower {
    wire: Wire,
    /// So many writes of this process have arrived; none is known of at first.
    followed: AtomicU64,
}

impl Replica {
    pub(super) fn new(server: Server, patience: Duration) -> Self {
        let connection = Shared::new(server.address().to_owned());
        let site = Site { server, patience, connection, mark: OnceLock::new() };
        Replica { site: Arc::new(site), task: Mutex::default() }
    }

    pub(super) fn address(&self) -> &str {
        self.site.server.address()
    }

    /// A connection to the replica, if there is one and it has come as far as `written`.
    pub(super) fn ready(&self, written: Option<u64>) -> Option<Arc<Follower>> {
        let follower = self.site.connection.up()?;
        written.is_none_or(|written| follower.followed.load(Ordering::SeqCst) == written).then_some(follower)
    }

    /// Sees to it that the replica will be ready, without making anybody wait. The mark's name begins as that of an
    /// item: a user may be allowed no others.
    pub(super) fn prepare(&self, leader: &Arc<Leader>, written: Option<&Arc<AtomicU64>>, near: &Name) {
        let mut task = unpoisoned::lock(&self.task);
        if task.as_ref().is_some_and(|task| !task.is_finished()) {
            return;
        }
        self.site.mark.get_or_init(|| {
            let prefix = near.as_str().split(':').next().unwrap_or_default();
            let prefix = &prefix[..prefix.len().min(LONGEST_PREFIX)];
            Name::new(format!("{prefix}:replica:{:016x}", rand::random::<u64>()), true)
        });
        let (site, leader, written) = (self.site.clone(), leader.clone(), written.cloned());
        *task = Some(tokio::spawn(async move {
            if site.catch_up(&leader, written.as_deref()).await.is_err() {
                tokio::time::sleep(PAUSE).await;
            }
        }));
    }

    /// What is under these names, or nothing if the replica can't say.
    pub(super) async fn read(
        &self,
        follower: &Arc<Follower>,
        names: &[Name],
        left: bool,
    ) -> Option<Vec<Option<Item>>> {
        let questions = look(names, left, follower.wire.most_names());
        match follower.answers(&questions).await {
            Ok(answers) => seen(answers, left, names.len()),
            Err(error) => {
                self.site.failed(follower, &error);
                None
            }
        }
    }

    pub(super) fn hang_up(&self) {
        self.stop();
        self.site.connection.lose_if(|_| true);
    }

    fn stop(&self) {
        if let Some(task) = unpoisoned::lock(&self.task).take() {
            task.abort();
        }
    }
}

impl Drop for Replica {
    fn drop(&mut self) {
        self.stop();
    }
}

/// It could not be reached, or has not come far enough.
struct Behind;

impl Site {
    /// Until all has arrived that this process has written: a mark that the leader was given after the writes arrives after
    /// them, for a replica does what its leader did, in the same order.
    async fn catch_up(
        self: &Arc<Self>,
        leader: &Arc<Leader>,
        written: Option<&AtomicU64>,
    ) -> Result<(), Behind> {
        let site = self.clone();
        let connecting = self.connection.current(|| async move { site.server.in_time(site.follow()).await });
        let follower = connecting.await.map_err(|_| Behind)?;
        let Some(written) = written else { return Ok(()) };
        loop {
            let count = written.load(Ordering::SeqCst);
            if follower.followed.load(Ordering::SeqCst) == count {
                return Ok(());
            }
            self.leave_mark(leader, count).await?;
            self.see_mark(&follower, count).await?;
            follower.followed.store(count, Ordering::SeqCst);
        }
    }

    async fn follow(&self) -> Result<Follower, ConnectError> {
        let connection = self.server.open(Some(self.patience)).await?;
        Ok(Follower { wire: Wire::Server(connection), followed: AtomicU64::new(0) })
    }

    /// Over the connection of the writes, so that it comes after those that nobody waits for any more, too.
    async fn leave_mark(&self, leader: &Arc<Leader>, count: u64) -> Result<(), Behind> {
        let mark = self.mark.get().ok_or(Behind)?;
        let wire = leader.wire().await.map_err(|_| Behind)?;
        let mut set = cmd("SET");
        set.arg(mark.as_str()).arg(count).arg("PX").arg(MARK_LIFE);
        leader.answers(&wire, &[Question::Command(mark.clone(), set)]).await.map_err(|error| {
            tracing::debug!(%error, "the leader takes no mark: its replicas are not asked");
            Behind
        })?;
        Ok(())
    }

    async fn see_mark(&self, follower: &Arc<Follower>, count: u64) -> Result<(), Behind> {
        let mark = self.mark.get().ok_or(Behind)?;
        let mut get = cmd("GET");
        get.arg(mark.as_str());
        let question = [Question::Command(mark.clone(), get)];
        let mut wait = SHORTEST_WAIT;
        for _ in 0..MOST_WAITS {
            let seen = follower.answers(&question).await.and_then(|mut answers| {
                let mark = answers.pop().unwrap_or(Value::Nil);
                Ok(redis::from_redis_value::<Option<u64>>(mark)?)
            });
            let seen = seen.map_err(|error| {
                self.failed(follower, &error);
                Behind
            })?;
            if seen == Some(count) {
                return Ok(());
            }
            tokio::time::sleep(wait).await;
            wait = LONGEST_WAIT.min(wait * 2);
        }
        Err(Behind)
    }

    fn failed(&self, follower: &Arc<Follower>, error: &RedisError) {
        if is_lost(error) || error.kind() == redis::ErrorKind::Parse {
            self.connection.lose(follower);
        }
    }
}

impl Follower {
    async fn answers(&self, questions: &[Question]) -> RedisResult<Vec<Value>> {
        self.wire.ask(questions).await?.into_iter().collect()
    }
}

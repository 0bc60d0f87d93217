//! The store shared by several processes.

mod codec;
mod connect;
mod scripts;
mod session;
mod url;

use std::{fmt, sync::Arc, time::Duration};

use async_trait::async_trait;
use redis::{Cmd, FromRedisValue, Value};

pub use self::connect::ConnectError;
use self::{
    codec::{decode_entry, decode_epoch, encode_entry, encode_ttl, number},
    connect::Server,
    scripts::{SCRIPTS, Script},
    session::{Session, Sessions},
};
use crate::{
    entry::{Entry, Epoch, Token, Writer},
    key::{Address, Key, Namespace},
    store::{Claim, Grant, Reach, Sighting, Store, StoreError},
};

/// More of another database's identity is not shown.
const LONGEST_IDENTITY: usize = 1024;

/// A script works on at most so many cells, because the server does nothing else meanwhile.
const MOST_CELLS: usize = 1000;

/// A store on a Redis server (or Valkey), shared by every process that connects to it.
///
/// Each call is one command: `MGET` to look up, a script for everything else; a fence or release of more than
/// a thousand cells is several, one after the other. All callers share one connection, which is made anew after it was lost. What a server kept is left behind when it is restarted or
/// failed over, because it may have lost fences.
///
/// The server must be a standalone master, and keep fences: choose an eviction policy such as `volatile-lfu`
/// that has other keys to evict, or give it enough memory. A master that is turned into a replica must close
/// its clients' connections, as Sentinel makes it.
///
/// Clones share the connection.
///
/// ```no_run
/// # async fn example() -> Result<(), cache_core::backend::ConnectError> {
/// use cache_core::backend::RedisStore;
/// let store = RedisStore::connect("redis://127.0.0.1:6379/0", "shop").await?;
/// # Ok(()) }
/// ```
#[derive(Clone)]
pub struct RedisStore {
    sessions: Arc<Sessions>,
    namespace: Option<Namespace>,
}

/// Opens a [`RedisStore`]. See [`RedisStore::builder`].
#[derive(Clone)]
#[must_use = "nothing is opened until `connect` is called"]
pub struct RedisBuilder {
    url: String,
    namespace: Option<Namespace>,
    connect_timeout: Duration,
}

impl RedisStore {
    /// Connects to `redis://[user][:password@]host[:port][/database][?protocol=resp3]` or
    /// `unix:///path[?db=0&user=…&pass=…]`. `namespace` is the prefix of every cell: one per application and
    /// database.
    ///
    /// # Errors
    /// [`ConnectError`] names the part of the URL that is wrong, or says why the server can't be used.
    ///
    /// # Cancel safety
    /// A dropped call leaves nothing behind.
    pub async fn connect(url: &str, namespace: impl Into<String>) -> Result<Self, ConnectError> {
        let namespace = Namespace::new(namespace)?;
        RedisStore::builder(url).namespace(namespace).connect().await
    }

    /// The same, with more to choose.
    ///
    /// ```no_run
    /// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
    /// use cache_core::{backend::RedisStore, key::Namespace};
    /// use std::time::Duration;
    /// let store = RedisStore::builder("redis://127.0.0.1:6379/0")
    ///     .namespace(Namespace::new("shop")?.with_version(2))
    ///     .connect_timeout(Duration::from_secs(1))
    ///     .connect()
    ///     .await?;
    /// # Ok(()) }
    /// ```
    pub fn builder(url: impl Into<String>) -> RedisBuilder {
        RedisBuilder { url: url.into(), namespace: None, connect_timeout: Duration::from_secs(5) }
    }

    async fn session(&self) -> Result<Arc<Session>, StoreError> {
        self.sessions.current().await.map_err(|error| StoreError::Unreachable(error.to_string()))
    }

    async fn command<T: FromRedisValue>(
        &self,
        session: &Arc<Session>,
        command: Cmd,
    ) -> Result<T, StoreError> {
        let answer = command.query_async(&mut session.connection.clone()).await;
        self.sessions.judge(session, answer)
    }

    async fn script<T: FromRedisValue>(
        &self,
        session: &Arc<Session>,
        script: &Script,
        keys: &[String],
        arguments: &[&[u8]],
    ) -> Result<T, StoreError> {
        let answer = script.call(&mut session.connection.clone(), keys, arguments).await;
        self.sessions.judge(session, answer)
    }
}

impl RedisBuilder {
    /// The namespace to use where the user names none. Without one the user must.
    pub fn namespace(mut self, namespace: Namespace) -> Self {
        self.namespace = Some(namespace);
        self
    }

    /// How long an attempt to connect may take, at first and after the connection was lost. Default: 5
    /// seconds.
    pub fn connect_timeout(mut self, connect_timeout: Duration) -> Self {
        self.connect_timeout = connect_timeout;
        self
    }

    /// Opens the store.
    ///
    /// # Errors
    /// [`ConnectError`] names the part of the URL that is wrong, or says why the server can't be used.
    ///
    /// # Cancel safety
    /// A dropped call leaves nothing behind.
    pub async fn connect(self) -> Result<RedisStore, ConnectError> {
        let server = Server::new(&self.url, self.connect_timeout)?;
        let store = RedisStore { sessions: Sessions::new(server), namespace: self.namespace };
        store.sessions.current().await?;
        Ok(store)
    }
}

impl fmt::Debug for RedisStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisStore")
            .field("address", &self.sessions.address())
            .field("namespace", &self.namespace)
            .finish()
    }
}

/// Leaves out the URL, which may hold a password.
impl fmt::Debug for RedisBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisBuilder")
            .field("namespace", &self.namespace)
            .field("connect_timeout", &self.connect_timeout)
            .finish_non_exhaustive()
    }
}

impl Session {
    /// The cell's name on the server. What stands before the brace leaves the hash tag alone.
    fn key(&self, key: &Key) -> String {
        [&self.incarnation, key.as_str()].concat()
    }

    fn keys<'a>(&self, keys: impl IntoIterator<Item = &'a Key>) -> Vec<String> {
        keys.into_iter().map(|key| self.key(key)).collect()
    }
}

/// A slot and the cells that decide whether its entry is valid, in the order in which they are read.
fn cells(at: &Address) -> impl Iterator<Item = &Key> {
    [&at.slot].into_iter().chain(&at.epoch).chain(&at.presence)
}

#[async_trait]
impl Store for RedisStore {
    async fn lookup(&self, at: &Address) -> Result<Sighting, StoreError> {
        let session = self.session().await?;
        let keys = session.keys(cells(at));
        let mut command = redis::cmd("MGET");
        command.arg(&keys);
        let answer: Vec<Value> = self.command(&session, command).await?;
        if answer.len() != keys.len() {
            let (values, keys) = (answer.len(), keys.len());
            return Err(StoreError::Unexpected(format!("{values} values for {keys} keys")));
        }
        let mut answer = answer.into_iter().map(|cell| match cell {
            Value::BulkString(bytes) => Some(bytes),
            _ => None,
        });
        let entry = answer.next().flatten().and_then(decode_entry);
        let mut number = |cell: &Option<Key>| {
            let bytes = cell.as_ref().and_then(|_| answer.next())??;
            decode_epoch(&bytes)
        };
        Ok(Sighting { entry, epoch: number(&at.epoch), presence: number(&at.presence) })
    }

    async fn lease(
        &self,
        at: &Address,
        replaces: Option<Token>,
        ttl: Duration,
    ) -> Result<Option<Grant>, StoreError> {
        let session = self.session().await?;
        let (token, fresh) = (Token::random(), [Epoch::random(), Epoch::random()]);
        let replaces = replaces.map(|token| token.0.to_be_bytes());
        let flag = |cell: &Option<Key>| if cell.is_some() { b"1" } else { b"0" };
        let arguments: [&[u8]; 7] = [
            &token.0.to_be_bytes(),
            &encode_ttl(ttl),
            replaces.as_ref().map_or(&[], |token| token),
            flag(&at.epoch),
            flag(&at.presence),
            &fresh[0].0.to_be_bytes(),
            &fresh[1].0.to_be_bytes(),
        ];
        let keys = session.keys(cells(at));
        let answer: Option<(Vec<u8>, Vec<u8>)> =
            self.script(&session, &SCRIPTS.lease, &keys, &arguments).await?;
        Ok(answer.map(|(epoch, presence)| Grant {
            token,
            epoch: number(&epoch).map(Epoch),
            presence: number(&presence).map(Epoch),
        }))
    }

    async fn fill(&self, at: &Address, entry: Entry, ttl: Duration) -> Result<bool, StoreError> {
        let Some(cell) = encode_entry(&entry) else {
            self.forfeit(at, entry.token).await?;
            return Ok(false);
        };
        let session = self.session().await?;
        let epoch = entry.epoch.map(|epoch| epoch.0.to_be_bytes());
        let arguments: [&[u8]; 4] = [
            &entry.token.0.to_be_bytes(),
            &encode_ttl(ttl),
            epoch.as_ref().map_or(&[], |epoch| epoch),
            &cell,
        ];
        let keys = session.keys([&at.slot].into_iter().chain(&at.epoch));
        self.script(&session, &SCRIPTS.fill, &keys, &arguments).await
    }

    async fn forfeit(&self, at: &Address, token: Token) -> Result<(), StoreError> {
        let session = self.session().await?;
        let keys = session.keys([&at.slot]);
        self.script(&session, &SCRIPTS.forfeit, &keys, &[&token.0.to_be_bytes()]).await
    }

    /// Not atomic as a whole: if a later script fails, the marks of the earlier ones stand until they expire or
    /// are released.
    async fn fence(&self, cells: &[Key], writer: Writer, ttl: Duration) -> Result<(), StoreError> {
        if cells.is_empty() {
            return Ok(());
        }
        let session = self.session().await?;
        let arguments: [&[u8]; 2] = [&writer.0.to_be_bytes(), &encode_ttl(ttl)];
        for cells in cells.chunks(MOST_CELLS) {
            let () = self.script(&session, &SCRIPTS.fence, &session.keys(cells), &arguments).await?;
        }
        Ok(())
    }

    async fn release(&self, cells: &[Key], writer: Writer) -> Result<usize, StoreError> {
        if cells.is_empty() {
            return Ok(0);
        }
        let session = self.session().await?;
        let arguments: [&[u8]; 1] = [&writer.0.to_be_bytes()];
        let mut lost = 0;
        for cells in cells.chunks(MOST_CELLS) {
            let keys = session.keys(cells);
            lost += self.script::<usize>(&session, &SCRIPTS.release, &keys, &arguments).await?;
        }
        Ok(lost)
    }

    /// The claim outlives the server's incarnation: its cell is `{namespace}:database`.
    async fn claim(&self, namespace: &Namespace, identity: &str) -> Result<Claim, StoreError> {
        let session = self.session().await?;
        let keys = [format!("{{{namespace}}}:database")];
        let arguments = [identity.as_bytes()];
        let held: Vec<u8> = self.script(&session, &SCRIPTS.claim, &keys, &arguments).await?;
        if held == identity.as_bytes() {
            return Ok(Claim::Held);
        }
        let shown = &held[..held.len().min(LONGEST_IDENTITY)];
        Ok(Claim::Taken(String::from_utf8_lossy(shown).into_owned()))
    }

    fn default_namespace(&self) -> Option<Namespace> {
        self.namespace.clone()
    }

    fn reach(&self) -> Reach {
        Reach::Shared
    }
}

#[cfg(feature = "testing")]
#[async_trait]
impl crate::testing::Cells for RedisStore {
    async fn cell(&self, key: &Key) -> Result<crate::slot::Slot, StoreError> {
        let session = self.session().await?;
        let mut command = redis::cmd("MGET");
        command.arg(session.key(key));
        let (cell,): (Option<Vec<u8>>,) = self.command(&session, command).await?;
        Ok(cell.map(codec::decode_cell).unwrap_or_default())
    }

    async fn remove(&self, key: &Key) -> Result<(), StoreError> {
        let session = self.session().await?;
        let mut command = redis::cmd("DEL");
        command.arg(session.key(key));
        self.command(&session, command).await
    }
}

#[cfg(test)]
mod tests;

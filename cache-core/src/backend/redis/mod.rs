//! The store shared by several processes.

mod codec;
mod connect;
pub mod error;
mod incarnation;
mod scripts;
mod sentinel;
pub mod server;
mod session;
mod sessions;
pub mod shared;
pub mod url;

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    sync::Arc,
    time::{Duration, Instant},
};

use async_trait::async_trait;
use redis::{Cmd, FromRedisValue, Value};

pub use self::error::ConnectError;
use self::{
    codec::{decode_entry, decode_epoch, encode_entry, encode_ttl, number},
    incarnation::CELL,
    scripts::{SCRIPTS, Script, names},
    server::{Server, Trust},
    session::Session,
    sessions::Sessions,
};
use crate::{
    entry::{Entry, Epoch, Generation, Token, Writer},
    key::{Address, Key, Namespace, TableKeys},
    store::{
        Capabilities, Claim, FillRequest, Grant, LeaseRequest, LookupResult, LookupResults, MOST_CELLS,
        Store, StoreError,
    },
};

/// A command reads or writes no more slots than this: the server serves nobody else meanwhile.
const MOST_SLOTS: usize = 1000;

/// A script is given no more than this to store, in bytes, unless a single entry is larger.
const MOST_BYTES: usize = 4 << 20;

/// More of another database's identity is not shown.
const LONGEST_IDENTITY: usize = 1024;

/// A store on a Redis server (or Valkey), shared by every process that connects to it.
///
/// Each call is one command: `MGET` to look up, a script for everything else; a fence or release of more than
/// a thousand cells is several, one after the other. All callers share one connection, which is made anew after
/// it was lost, to whichever master Sentinel names then. No entry outlives a restart or failover of the server,
/// which may have lost fences: entries belong to one incarnation of it. A store that comes to another incarnation
/// than the one it used last invalidates its tables there before it does anything else.
///
/// The server must be a standalone master, or the master that Sentinel names, and keep fences: choose an eviction
/// policy such as `volatile-lfu` that has other keys to evict, or give it enough memory. A master that is turned
/// into a replica must close its clients' connections, as Sentinel makes it.
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
    trust: Trust,
}

impl RedisStore {
    /// Connects to the server that `url` names. `namespace` is the prefix of every cell: one per application and
    /// database.
    ///
    /// | URL | of |
    /// |---|---|
    /// | `redis://[user][:password@]host[:port][/database][?protocol=resp3]` | a server |
    /// | `redis+sentinel://[user][:password@]host[:port][,host[:port]…]/master[/database]` | the master that Sentinels at these places name; they listen on port 26379 unless a port is given. User and password are the master's; the Sentinels' own are `?sentinel_user=…&sentinel_pass=…` |
    /// | `rediss://…`, `rediss+sentinel://…` | the same, every connection over TLS. Needs the feature `redis-tls` |
    /// | `unix:///path[?db=0&user=…&pass=…]` | a server on this machine |
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
        RedisBuilder {
            url: url.into(),
            namespace: None,
            connect_timeout: Duration::from_secs(5),
            trust: Trust::default(),
        }
    }

    async fn session(&self) -> Result<Arc<Session>, StoreError> {
        self.sessions.current().await.map_err(|error| StoreError::Unreachable(error.to_string()))
    }

    /// The cells' bytes, as they stand at one instant.
    async fn read(&self, session: &Arc<Session>, cells: &[&Key]) -> Result<Vec<Option<Vec<u8>>>, StoreError> {
        let mut command = redis::cmd("MGET");
        command.arg(names(cells.iter().copied()));
        let answer: Vec<Value> = self.command(session, command).await?;
        as_many(answer.len(), cells.len())?;
        let bytes = answer.into_iter().map(|cell| match cell {
            Value::BulkString(bytes) => Some(bytes),
            _ => None,
        });
        Ok(bytes.collect())
    }

    /// Several slots with their stamps. Many share an epoch cell, and one table's all share one presence cell:
    /// each is read once.
    async fn see(&self, session: &Arc<Session>, at: &[&Address]) -> Result<Vec<LookupResult>, StoreError> {
        let slots = at.iter().map(|at| &at.slot);
        let stamps: BTreeSet<&Key> = at.iter().flat_map(|at| at.epoch.iter().chain(&at.presence)).collect();
        let cells: Vec<&Key> = slots.chain(stamps.iter().copied()).collect();
        let mut seen = self.read(session, &cells).await?;
        let numbers = seen.split_off(at.len());
        let numbers: BTreeMap<&Key, Option<Epoch>> =
            stamps.into_iter().zip(numbers.iter().map(|cell| decode_epoch(cell.as_deref()?))).collect();
        let number = |cell: &Option<Key>| numbers.get(cell.as_ref()?).copied().flatten();
        let sightings = at.iter().zip(seen).map(|(at, cell)| LookupResult {
            entry: cell.and_then(|cell| decode_entry(cell, session.incarnation)),
            epoch: number(&at.epoch),
            presence: number(&at.presence),
        });
        Ok(sightings.collect())
    }

    async fn fill_batch(
        &self,
        session: &Arc<Session>,
        filled: &[FillRequest<'_>],
    ) -> Result<Vec<bool>, StoreError> {
        let encoded = filled.iter().map(|filled| {
            let epoch = filled.entry.epoch.map_or_else(Vec::new, |epoch| epoch.0.to_be_bytes().to_vec());
            // An entry that is too long for a cell is stored as nothing, which ends its lease.
            let (cell, ttl) = match encode_entry(&filled.entry, session.incarnation) {
                Some(cell) => (cell, filled.ttl),
                None => (Vec::new(), Duration::ZERO),
            };
            (filled.entry.token.0.to_be_bytes(), encode_ttl(ttl), epoch, cell)
        });
        let encoded: Vec<_> = encoded.collect();
        let mut arguments: Vec<&[u8]> = Vec::with_capacity(encoded.len() * 5);
        for (filled, (token, ttl, epoch, cell)) in filled.iter().zip(&encoded) {
            arguments.extend::<[&[u8]; 5]>([token, ttl, flag(&filled.at.epoch), epoch, cell]);
        }
        let keys =
            names(filled.iter().flat_map(|filled| [&filled.at.slot].into_iter().chain(&filled.at.epoch)));
        let stored: Vec<bool> = self.script(session, &SCRIPTS.fill, &keys, &arguments).await?;
        as_many(stored.len(), filled.len())?;
        Ok(stored.into_iter().zip(encoded).map(|(stored, (.., cell))| stored && !cell.is_empty()).collect())
    }

    async fn command<T: FromRedisValue>(
        &self,
        session: &Arc<Session>,
        command: Cmd,
    ) -> Result<T, StoreError> {
        let answer = command.query_async(&mut session.connection.clone()).await;
        self.sessions.checked(session, answer)
    }

    async fn script<T: FromRedisValue>(
        &self,
        session: &Arc<Session>,
        script: &Script,
        keys: &[&str],
        arguments: &[&[u8]],
    ) -> Result<T, StoreError> {
        let answer = script.call(session, keys, arguments).await;
        self.sessions.checked(session, answer)
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

    /// Trusts servers whose certificate this authority signed, instead of those that the system trusts. `pem` is
    /// the content of its certificate file.
    ///
    /// ```no_run
    /// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
    /// use cache_core::backend::RedisStore;
    /// let store = RedisStore::builder("rediss://redis.internal/0")
    ///     .certificate_authority(std::fs::read("/etc/redis/ca.crt")?)
    ///     .connect()
    ///     .await?;
    /// # Ok(()) }
    /// ```
    #[cfg(feature = "redis-tls")]
    pub fn certificate_authority(mut self, pem: impl Into<Vec<u8>>) -> Self {
        self.trust = Trust::in_authority(pem.into());
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
        let server = Server::new(&self.url, self.connect_timeout, &self.trust)?;
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

/// A slot and the cells that decide whether its entry is valid, in the order in which they are read.
fn cells(at: &Address) -> impl Iterator<Item = &Key> {
    [&at.slot].into_iter().chain(&at.epoch).chain(&at.presence)
}

/// The random numbers of one wish, encoded.
struct Fresh {
    token: [u8; 8],
    replaces: Option<[u8; 8]>,
    epoch: [u8; 8],
    presence: [u8; 8],
}

impl Fresh {
    fn for_wish(wish: &LeaseRequest<'_>) -> Self {
        Fresh {
            token: Token::random().0.to_be_bytes(),
            replaces: wish.replaces.map(|token| token.0.to_be_bytes()),
            epoch: Epoch::random().0.to_be_bytes(),
            presence: Epoch::random().0.to_be_bytes(),
        }
    }
}

/// A generation as the scripts answer it.
fn as_generation(answer: Option<Vec<u8>>) -> Option<Generation> {
    answer.as_deref().and_then(number).map(Generation)
}

fn flag(cell: &Option<Key>) -> &'static [u8] {
    if cell.is_some() { b"1" } else { b"0" }
}

/// How many of these entries one script stores: the server serves nobody else meanwhile.
fn batch(filled: &[FillRequest<'_>]) -> usize {
    let mut bytes = 0;
    let fits = filled.iter().take(MOST_SLOTS).take_while(|filled| {
        bytes += filled.entry.payload.weight();
        bytes <= MOST_BYTES
    });
    fits.count().max(1)
}

fn as_many(answers: usize, questions: usize) -> Result<(), StoreError> {
    if answers == questions {
        Ok(())
    } else {
        Err(StoreError::Unexpected(format!("{answers} answers to {questions} questions")))
    }
}

#[async_trait]
impl Store for RedisStore {
    async fn lookup(&self, at: &Address) -> Result<LookupResult, StoreError> {
        let session = self.session().await?;
        let cells: Vec<_> = cells(at).collect();
        let mut seen = self.read(&session, &cells).await?.into_iter();
        let entry = seen.next().flatten().and_then(|cell| decode_entry(cell, session.incarnation));
        let mut number = |cell: &Option<Key>| {
            let bytes = cell.as_ref().and_then(|_| seen.next())??;
            decode_epoch(&bytes)
        };
        Ok(LookupResult { entry, epoch: number(&at.epoch), presence: number(&at.presence) })
    }

    async fn lookup_many(&self, at: &[&Address]) -> Result<LookupResults, StoreError> {
        let session = self.session().await?;
        let mut seen = Vec::with_capacity(at.len());
        for slots in at.chunks(MOST_SLOTS) {
            seen.extend(self.see(&session, slots).await?);
        }
        // One command sees everything at one instant.
        Ok(LookupResults { seen, at_once: at.len() <= MOST_SLOTS })
    }

    async fn lease(
        &self,
        schema: &Key,
        at: &Address,
        replaces: Option<Token>,
        ttl: Duration,
    ) -> Result<Option<Grant>, StoreError> {
        self.lease_many(schema, &[LeaseRequest { at, replaces }], ttl)
            .await
            .map(|mut grants| grants.pop().flatten())
    }

    async fn lease_many(
        &self,
        schema: &Key,
        wanted: &[LeaseRequest<'_>],
        ttl: Duration,
    ) -> Result<Vec<Option<Grant>>, StoreError> {
        let session = self.session().await?;
        let (ttl, fresh_generation) = (encode_ttl(ttl), Generation::random().0.to_be_bytes());
        let mut grants = Vec::with_capacity(wanted.len());
        for wishes in wanted.chunks(MOST_SLOTS) {
            let fresh: Vec<_> = wishes.iter().map(|wish| Fresh::for_wish(wish)).collect();
            let mut arguments: Vec<&[u8]> = vec![&ttl, &fresh_generation];
            for (wish, fresh) in wishes.iter().zip(&fresh) {
                arguments.extend::<[&[u8]; 6]>([
                    &fresh.token,
                    fresh.replaces.as_ref().map_or(&[], |token| token),
                    flag(&wish.at.epoch),
                    flag(&wish.at.presence),
                    &fresh.epoch,
                    &fresh.presence,
                ]);
            }
            let slots = wishes.iter().flat_map(|wish| cells(wish.at));
            let named = [schema].into_iter().chain(slots).map(Key::as_str);
            let keys: Vec<&str> = [CELL].into_iter().chain(named).collect();
            let (generation, answers): (Option<Vec<u8>>, Vec<Option<(Vec<u8>, Vec<u8>)>>) =
                self.script(&session, &SCRIPTS.lease, &keys, &arguments).await?;
            as_many(answers.len(), wishes.len())?;
            let generation = as_generation(generation);
            grants.extend(answers.into_iter().zip(fresh).map(|(answer, fresh)| {
                let (generation, (epoch, presence)) = (generation?, answer?);
                Some(Grant {
                    token: Token(u64::from_be_bytes(fresh.token)),
                    epoch: number(&epoch).map(Epoch),
                    presence: number(&presence).map(Epoch),
                    generation,
                })
            }));
        }
        Ok(grants)
    }

    async fn fill(&self, at: &Address, entry: Entry, ttl: Duration) -> Result<bool, StoreError> {
        self.fill_many(vec![FillRequest { at, entry, ttl }]).await.map(|stored| stored == [true])
    }

    async fn fill_many(&self, filled: Vec<FillRequest<'_>>) -> Result<Vec<bool>, StoreError> {
        let session = self.session().await?;
        let mut stored = Vec::with_capacity(filled.len());
        let mut rest = &filled[..];
        while !rest.is_empty() {
            let (now, later) = rest.split_at(batch(rest));
            stored.extend(self.fill_batch(&session, now).await?);
            rest = later;
        }
        Ok(stored)
    }

    async fn forfeit(&self, at: &Address, token: Token) -> Result<(), StoreError> {
        let session = self.session().await?;
        self.script(&session, &SCRIPTS.forfeit, &[at.slot.as_str()], &[&token.0.to_be_bytes()]).await
    }

    /// Not atomic as a whole: if a later script fails, the marks of the earlier ones stand until they expire or
    /// are released.
    async fn fence(
        &self,
        schema: &Key,
        cells: &[Key],
        writer: Writer,
        ttl: Duration,
    ) -> Result<Option<Generation>, StoreError> {
        if cells.is_empty() {
            return self.generation(schema).await;
        }
        let session = self.session().await?;
        let fresh = Generation::random().0.to_be_bytes();
        let arguments: [&[u8]; 3] = [&writer.0.to_be_bytes(), &encode_ttl(ttl), &fresh];
        let mut generation = None;
        // The server does nothing else while a script works.
        for cells in cells.chunks(MOST_CELLS) {
            let keys = names(cells.iter().chain([schema]));
            // The last answer counts: all marks stand by then.
            generation = self.script(&session, &SCRIPTS.fence, &keys, &arguments).await?;
        }
        Ok(as_generation(generation))
    }

    async fn generation(&self, schema: &Key) -> Result<Option<Generation>, StoreError> {
        let session = self.session().await?;
        let fresh = Generation::random().0.to_be_bytes();
        self.script(&session, &SCRIPTS.generation, &[schema.as_str()], &[&fresh]).await.map(as_generation)
    }

    async fn release(&self, cells: &[Key], writer: Writer) -> Result<usize, StoreError> {
        if cells.is_empty() {
            return Ok(0);
        }
        let session = self.session().await?;
        let arguments: [&[u8]; 1] = [&writer.0.to_be_bytes()];
        let mut lost = 0;
        for cells in cells.chunks(MOST_CELLS) {
            lost += self.script::<usize>(&session, &SCRIPTS.release, &names(cells), &arguments).await?;
        }
        Ok(lost)
    }

    /// The claim's cell is `{layout/namespace}:database`.
    async fn claim(&self, namespace: &Namespace, identity: &str) -> Result<Claim, StoreError> {
        let session = self.session().await?;
        let key = format!("{{{}}}:database", namespace.stem());
        let arguments = [identity.as_bytes()];
        let held: Vec<u8> = self.script(&session, &SCRIPTS.claim, &[key.as_str()], &arguments).await?;
        if held == identity.as_bytes() {
            return Ok(Claim::Held);
        }
        let shown = &held[..held.len().min(LONGEST_IDENTITY)];
        Ok(Claim::Taken(String::from_utf8_lossy(shown).into_owned()))
    }

    fn know(&self, table: &TableKeys) {
        self.sessions.know(table);
    }

    fn doubt(&self, since: Instant) {
        self.sessions.doubt(since);
    }

    fn default_namespace(&self) -> Option<Namespace> {
        self.namespace.clone()
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities::SERVER
    }
}

#[cfg(feature = "testing")]
#[async_trait]
impl crate::testing::Cells for RedisStore {
    async fn cell(&self, key: &Key) -> Result<crate::slot::Slot, StoreError> {
        let session = self.session().await?;
        let mut command = redis::cmd("MGET");
        command.arg(key.as_str());
        let (cell,): (Option<Vec<u8>>,) = self.command(&session, command).await?;
        Ok(cell.map(|cell| codec::decode_cell(cell, session.incarnation)).unwrap_or_default())
    }

    async fn remove(&self, key: &Key) -> Result<(), StoreError> {
        let session = self.session().await?;
        let mut command = redis::cmd("DEL");
        command.arg(key.as_str());
        self.command(&session, command).await
    }
}

#[cfg(test)]
mod tests;

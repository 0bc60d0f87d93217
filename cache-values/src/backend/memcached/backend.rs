//! Which server is asked what.

use std::{fmt, sync::Arc, time::Duration};

use async_trait::async_trait;
use futures_util::future::join_all;
use tokio::time::timeout;

use super::{
    change, distribution::Distribution, lifetime, put, question::Question, seen::Place, server::Server,
};
use crate::{
    backend::{Backend, Capabilities, Counted, Item, Put, Start, StoreError, Stored, When},
    name::Name,
};

/// A cache on one memcached server or several, used by every process that names the same ones.
///
/// It speaks the meta commands of memcached 1.6. Each name lives on one of the servers, which all processes find by the
/// name and the addresses alone: give all of them the same addresses, in any order. To read, and to keep without a condition,
/// takes one round trip; whatever depends on what is there takes two: one to look, and one that changes only what was seen.
///
/// # Time
///
/// memcached counts seconds. Deadlines stand beside the items, in the flags that it keeps for its clients: they are exact to the
/// millisecond if they are less than six days away, and rounded up to seconds beyond. It is the clock of each process
/// that decides: keep them in step.
///
/// # When a server is lost
///
/// Calls about names that live there fail. Where several servers are asked for values, those of the lost one are not found. No
/// name moves to another server: it would be found in two places once the server is back. A cell lives on a server as
/// everything does: when that is lost, the cache is as if it had been cleared. The same goes for a cell that memcached evicts;
/// it evicts last what is often read, as cells are.
///
/// A server that nobody could reach for a while, and that ran on, comes back with what it had: whatever could not be removed
/// meanwhile, which was an error, is found there until its time is over.
///
/// # Others on the same servers
///
/// Nothing is ever flushed or listed. What another client put under a name counts as a value, unless its flags, read as a
/// deadline, say that it is over.
///
/// Clones share the connections.
///
/// ```no_run
/// # async fn example() -> Result<(), cache_values::backend::MemcachedError> {
/// use cache_values::backend::MemcachedBackend;
/// let three = MemcachedBackend::connect(["10.0.0.1:11211", "10.0.0.2:11211", "10.0.0.3:11211"]).await?;
/// let here = MemcachedBackend::connect(["unix:/run/memcached.sock"]).await?;
/// # Ok(()) }
/// ```
#[derive(Clone)]
pub struct MemcachedBackend {
    pub(super) servers: Arc<[Server]>,
    pub(super) distribution: Arc<Distribution>,
    pub(super) server_timeout: Duration,
    pub(super) max_value: usize,
}

impl MemcachedBackend {
    fn home(&self, name: &Name) -> &Server {
        &self.servers[self.distribution.place(name.as_str())]
    }

    /// The servers on which some of these live, each with the places of those among all.
    fn homes<'a>(&self, names: impl IntoIterator<Item = &'a Name>) -> Vec<(&Server, Vec<usize>)> {
        let mut homes: Vec<(&Server, Vec<usize>)> =
            self.servers.iter().map(|server| (server, Vec::new())).collect();
        for (at, name) in names.into_iter().enumerate() {
            homes[self.distribution.place(name.as_str())].1.push(at);
        }
        homes.retain(|(_, places)| !places.is_empty());
        homes
    }

    /// Looks on one of several servers: it is not waited for longer than the others can wait.
    async fn look(
        &self,
        server: &Server,
        questions: &[Question<'_>],
        alone: bool,
    ) -> Result<Vec<Place>, StoreError> {
        let look = async {
            let mut session = server.session().await?;
            let answers = session.ask(questions).await?;
            let now = lifetime::now();
            answers.into_iter().map(|answer| Place::of(&session, answer, now)).collect()
        };
        if alone {
            return look.await;
        }
        timeout(self.server_timeout, look).await.unwrap_or_else(|_| {
            server.rest();
            Err(StoreError::TimedOut(self.server_timeout))
        })
    }
}

#[async_trait]
impl Backend for MemcachedBackend {
    async fn get(&self, names: &[Name], _: bool) -> Result<Vec<Option<Item>>, StoreError> {
        let homes = self.homes(names);
        let alone = homes.len() == 1;
        let looked = join_all(homes.iter().map(|(server, places)| async move {
            let look = |at: &usize| Question::Look { name: names[*at].as_str(), bytes: true };
            let questions: Vec<_> = places.iter().map(look).collect();
            self.look(server, &questions, alone).await
        }));
        let mut items = vec![None; names.len()];
        let (mut answered, mut failed) = (homes.is_empty(), None);
        for ((server, places), found) in homes.iter().zip(looked.await) {
            match found {
                Ok(found) => {
                    answered = true;
                    for (at, place) in places.iter().zip(found) {
                        items[*at] = place.seen.map(|seen| seen.item);
                    }
                }
                Err(error) => {
                    tracing::debug!(server = %server.address(), %error, "names on a lost server are not found");
                    failed = Some(error);
                }
            }
        }
        match failed {
            Some(error) if !answered => Err(error),
            _ => Ok(items),
        }
    }

    async fn put(&self, items: &[Put]) -> Result<Vec<Stored>, StoreError> {
        let homes = self.homes(items.iter().map(|item| &item.name));
        let put = join_all(homes.iter().map(|(server, places)| async move {
            let items: Vec<&Put> = places.iter().map(|at| &items[*at]).collect();
            put::put(&mut server.session().await?, &items, self.max_value).await
        }));
        in_order(items.len(), &homes, put.await, Stored::Refused)
    }

    async fn remove(&self, names: &[Name]) -> Result<Vec<bool>, StoreError> {
        let homes = self.homes(names);
        let removed = join_all(homes.iter().map(|(server, places)| async move {
            let names: Vec<&Name> = places.iter().map(|at| &names[*at]).collect();
            change::remove(&mut server.session().await?, &names).await
        }));
        in_order(names.len(), &homes, removed.await, false)
    }

    async fn touch(&self, name: &Name, ttl: Option<Duration>) -> Result<bool, StoreError> {
        change::touch(&mut self.home(name).session().await?, name, ttl).await
    }

    async fn count(&self, name: &Name, by: i64, start: Option<Start>) -> Result<Counted, StoreError> {
        change::count(&mut self.home(name).session().await?, name, by, start).await
    }

    /// Taken away before it is put: of two that move the same item, one finds it.
    async fn rename(&self, from: &Name, to: &Name) -> Result<bool, StoreError> {
        let taken = change::take(&mut self.home(from).session().await?, from).await?;
        let Some((bytes, ttl)) = taken else { return Ok(false) };
        let put = Put { name: to.clone(), bytes, ttl, when: When::Always };
        Ok(self.put(&[put]).await? == [Stored::Kept])
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities::SHARED
    }

    async fn close(&self) {
        self.servers.iter().for_each(Server::hang_up);
    }
}

/// What the servers said, in the order asked. Every one of them was asked to the end, whatever another one said.
fn in_order<T: Clone>(
    length: usize,
    homes: &[(&Server, Vec<usize>)],
    said: Vec<Result<Vec<T>, StoreError>>,
    nothing: T,
) -> Result<Vec<T>, StoreError> {
    let mut all = vec![nothing; length];
    for ((_, places), some) in homes.iter().zip(said) {
        for (at, one) in places.iter().zip(some?) {
            all[*at] = one;
        }
    }
    Ok(all)
}

impl fmt::Debug for MemcachedBackend {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let servers: Vec<_> = self.servers.iter().map(|server| server.address().to_string()).collect();
        f.debug_struct("MemcachedBackend")
            .field("servers", &servers)
            .field("max_value", &self.max_value)
            .finish()
    }
}

//! One session for all callers, made anew when it is lost.

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex, MutexGuard},
    time::{Duration, Instant},
};

use redis::{ErrorKind, FromRedisValue, RedisResult};

use super::{
    codec::{Incarnation, encode_ttl},
    error::{ConnectError, is_lost, reason},
    incarnation::Reign,
    scripts::{SCRIPTS, names},
    server::Server,
    session::Session,
    shared::Shared,
};
use crate::{
    entry::Writer,
    key::{Key, TableKeys},
    store::{MOST_CELLS, StoreError},
    unpoisoned,
};

/// Hands out the session and replaces it after an error that its connection does not survive.
pub(super) struct Sessions {
    server: Server,
    session: Shared<Session>,
    known: Mutex<Known>,
}

/// What a new connection is told of the earlier ones.
#[derive(Default)]
struct Known {
    /// The incarnation that was used last.
    incarnation: Option<(Reign, Incarnation)>,
    /// The cells that stand for the tables of this process.
    tables: BTreeSet<Key>,
}

impl Sessions {
    pub(super) fn new(server: Server) -> Arc<Self> {
        let session = Shared::new(server.address().to_owned());
        Arc::new(Sessions { server, session, known: Mutex::default() })
    }

    pub(super) fn address(&self) -> &str {
        self.server.address()
    }

    /// The session, connecting first if there is none.
    ///
    /// # Cancel safety
    /// The attempt to connect is a task of its own, which all callers share: callers with little time may give
    /// up and a later one finds the connection made.
    pub(super) async fn current(self: &Arc<Self>) -> Result<Arc<Session>, ConnectError> {
        let this = self.clone();
        self.session.current(|| async move { this.server.in_time(this.connect()).await }).await
    }

    /// Remembers a table's cells, to invalidate it in the next incarnation.
    pub(super) fn know(&self, table: &TableKeys) {
        self.known().tables.extend(table.whole().cloned());
    }

    /// Where the server is another incarnation than the one used last, other processes may have filled it while
    /// writes of this one were fenced elsewhere: its tables are invalidated before the connection is used.
    async fn connect(&self) -> Result<Session, ConnectError> {
        let last = self.known().incarnation;
        let session = self.server.connect(last).await?;
        let same = last.is_none_or(|(_, last)| last == session.incarnation);
        let stale: Vec<Key> = if same { Vec::new() } else { self.known().tables.iter().cloned().collect() };
        // A fence that is born expired leaves its cells empty, and those of other writers fenced.
        let arguments: [&[u8]; 2] = [&Writer::random().0.to_be_bytes(), &encode_ttl(Duration::ZERO)];
        for cells in stale.chunks(MOST_CELLS) {
            let fenced = SCRIPTS.fence.call::<()>(&session, &names(cells), &arguments).await;
            fenced.map_err(|error| self.server.refused(&error))?;
        }
        self.known().incarnation = Some((session.reign, session.incarnation));
        Ok(session)
    }

    /// Passes an answer on. After an error that says that the connection or the server's role was lost, or
    /// that answers can't be made out any more, or that the incarnation is over, the next call connects anew.
    pub(super) fn checked<T: FromRedisValue>(
        &self,
        session: &Arc<Session>,
        answer: RedisResult<T>,
    ) -> Result<T, StoreError> {
        let error = match answer {
            Ok(answer) => return Ok(answer),
            Err(error) => error,
        };
        let unreachable = is_lost(&error);
        let over = error.code() == Some("OTHERINCARNATION");
        if unreachable || over || error.kind() == ErrorKind::Parse {
            self.session.lose(session);
        }
        let reason = format!("{}: {}", self.address(), reason(&error));
        Err(if unreachable { StoreError::Unreachable(reason) } else { StoreError::Unexpected(reason) })
    }

    /// The next call connects anew, unless that has been done since. Calls that are under way keep their connection.
    pub(super) fn doubt(&self, since: Instant) {
        self.session.lose_if(|current| current.opened <= since);
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        unpoisoned::lock(&self.known)
    }
}

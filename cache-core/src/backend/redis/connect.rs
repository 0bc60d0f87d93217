//! From a server to a session with it, if it may be trusted with cells.

use std::time::Instant;

use redis::aio::MultiplexedConnection;

use super::{
    codec::Incarnation, error::ConnectError, incarnation::Reign, scripts::SCRIPTS, server::Server,
    session::Session,
};

impl Server {
    /// Connects, loads the scripts, and learns which incarnation of the server it is, before anything else is
    /// asked of it.
    ///
    /// The cell of the incarnation may have been evicted: `known` is its number, if this process knows one.
    pub(super) async fn connect(&self, known: Option<(Reign, Incarnation)>) -> Result<Session, ConnectError> {
        // The time-outs of calls are the caller's.
        let mut connection = self.open(None).await?;
        let reign = self.reign(&mut connection).await?;
        let known = known.filter(|(known, _)| *known == reign).map(|(_, incarnation)| incarnation);
        let incarnation = reign
            .incarnation(&mut connection, known)
            .await
            .map_err(|error| self.refused(&error))?
            .ok_or_else(|| self.unusable("it did not say which incarnation it is"))?;
        SCRIPTS.load(&mut connection).await.map_err(|error| self.refused(&error))?;
        Ok(Session { connection, reign, incarnation, opened: Instant::now() })
    }

    /// What it says of its reign, if it may be trusted with cells at all.
    async fn reign(&self, connection: &mut MultiplexedConnection) -> Result<Reign, ConnectError> {
        let server = self.info(connection, "server").await?;
        let replication = self.info(connection, "replication").await?;
        match replication.get::<String>("role").as_deref() {
            Some("master") => {}
            Some("slave") => {
                return Err(ConnectError::Replica { address: self.address().to_owned() });
            }
            _ => return Err(self.unusable("it does not say that it is a master")),
        }
        if server.get::<String>("redis_mode").is_some_and(|mode| mode != "standalone") {
            return Err(self.unusable(
                "it runs as a cluster or Sentinel; give a standalone server, or redis+sentinel:// and the name \
                 of its master",
            ));
        }
        Reign::of(&server, &replication).ok_or_else(|| {
            self.unusable("it does not report its run id, without which a restart goes unnoticed")
        })
    }
}

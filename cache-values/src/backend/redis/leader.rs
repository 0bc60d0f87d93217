//! Who takes writes and is asked for cells.

use std::sync::Arc;

use bytes::Bytes;
use cache_core::backend::redis::{
    error::{ConnectError, is_lost, reason},
    shared::Shared,
};
use redis::{ErrorKind, RedisError, RedisResult, ServerErrorKind, Value};

use super::{
    place::Place,
    script::Script,
    wire::{Question, Wire},
};
use crate::{backend::StoreError, name::Name};

/// A server, the master that Sentinels name, or a cluster: one connection for all callers, made anew when it is lost.
pub(super) struct Leader {
    place: Place,
    connection: Shared<Wire>,
}

impl Leader {
    pub(super) fn new(place: Place) -> Arc<Self> {
        let connection = Shared::new(place.address().to_owned());
        Arc::new(Leader { place, connection })
    }

    pub(super) fn address(&self) -> &str {
        self.place.address()
    }

    /// The connection, connecting first if there is none.
    pub(super) async fn connected(self: &Arc<Self>) -> Result<Arc<Wire>, ConnectError> {
        let this = self.clone();
        self.connection.current(|| async move { this.place.connect().await }).await
    }

    pub(super) async fn wire(self: &Arc<Self>) -> Result<Arc<Wire>, StoreError> {
        self.connected().await.map_err(|error| StoreError::Unreachable(error.to_string()))
    }

    /// The answers in the order asked, each as it came.
    pub(super) async fn ask(
        &self,
        wire: &Arc<Wire>,
        questions: &[Question],
    ) -> Result<Vec<RedisResult<Value>>, StoreError> {
        let answers = wire.ask(questions).await.map_err(|error| self.failed(wire, &error))?;
        if let Some(error) =
            answers.iter().filter_map(|answer| answer.as_ref().err()).find(|error| is_unreachable(error))
        {
            return Err(self.failed(wire, error));
        }
        Ok(answers)
    }

    /// The same; an error instead of any of them is one of the call.
    pub(super) async fn answers(
        &self,
        wire: &Arc<Wire>,
        questions: &[Question],
    ) -> Result<Vec<Value>, StoreError> {
        let answers = self.ask(wire, questions).await?;
        answers.into_iter().collect::<RedisResult<_>>().map_err(|error| self.failed(wire, &error))
    }

    /// What one script answers.
    pub(super) async fn run(
        &self,
        wire: &Arc<Wire>,
        script: &'static Script,
        names: &[Name],
        arguments: Vec<Bytes>,
    ) -> Result<RedisResult<Value>, StoreError> {
        let question = Question::Script { script, names: names.to_vec(), arguments };
        let answer = self.ask(wire, &[question]).await?.pop();
        answer.ok_or_else(|| StoreError::Unexpected("a question was not answered".to_owned()))
    }

    /// What an error means. After one that the connection does not survive, the next call connects anew.
    pub(super) fn failed(&self, wire: &Arc<Wire>, error: &RedisError) -> StoreError {
        let lost = is_unreachable(error);
        if (lost || error.kind() == ErrorKind::Parse) && wire.may_be_lost() {
            self.connection.lose(wire);
        }
        let reason = format!("{}: {}", self.address(), reason(error));
        if lost { StoreError::Unreachable(reason) } else { StoreError::Unexpected(reason) }
    }

    /// An answer that can't be made out.
    pub(super) fn unexpected(&self) -> StoreError {
        StoreError::Unexpected(format!("{}: an answer of another type", self.address()))
    }

    pub(super) fn hang_up(&self) {
        self.connection.lose_if(|_| true);
    }
}

/// Whether the server can't be reached, or the node of a cluster that has the name.
fn is_unreachable(error: &RedisError) -> bool {
    is_lost(error) || error.kind() == ErrorKind::Server(ServerErrorKind::ClusterDown)
}

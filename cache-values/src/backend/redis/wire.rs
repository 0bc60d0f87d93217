//! A connection, and how several questions go over it at once.

use bytes::Bytes;
use redis::{Cmd, ErrorKind, RedisResult, ServerErrorKind, Value, aio::MultiplexedConnection};

use super::{cluster::Cluster, pipeline::pipeline, script::Script};
use crate::name::Name;

/// One command with more names would hold up everybody else for too long.
const MOST_NAMES: usize = 1000;

/// A connection that all callers share.
pub(super) enum Wire {
    Server(MultiplexedConnection),
    /// One to each node.
    Cluster(Cluster),
}

/// What is asked.
pub(super) enum Question {
    /// Of whoever has this name.
    Command(Name, Cmd),
    Script {
        script: &'static Script,
        names: Vec<Name>,
        arguments: Vec<Bytes>,
    },
}

impl Question {
    fn name(&self) -> &Name {
        match self {
            Question::Command(name, _) => name,
            Question::Script { names, .. } => &names[0],
        }
    }

    fn command(&self) -> Cmd {
        match self {
            Question::Command(_, command) => command.clone(),
            Question::Script { script, names, arguments } => script.by_hash(names, arguments),
        }
    }

    /// For a server that does not know the script, or was made to forget it.
    fn explained(&self) -> Cmd {
        match self {
            Question::Command(_, command) => command.clone(),
            Question::Script { script, names, arguments } => script.by_code(names, arguments),
        }
    }
}

impl Wire {
    /// How many names one command may have: in a cluster each may live elsewhere.
    pub(super) fn most_names(&self) -> usize {
        match self {
            Wire::Server(_) => MOST_NAMES,
            Wire::Cluster(_) => 1,
        }
    }

    /// Whether it is lost after an error that says so. A cluster connects to its nodes anew by itself.
    pub(super) fn may_be_lost(&self) -> bool {
        matches!(self, Wire::Server(_))
    }

    /// The answers in the order asked, in one round trip.
    pub(super) async fn ask(&self, questions: &[Question]) -> RedisResult<Vec<RedisResult<Value>>> {
        let commands = questions.iter().map(|question| (question.name(), question.command()));
        let mut answers = self.send(commands.collect()).await?;
        let is_unknown = |answer: &RedisResult<Value>| {
            let error = answer.as_ref().err().map(|error| error.kind());
            error == Some(ErrorKind::Server(ServerErrorKind::NoScript))
        };
        let unknown: Vec<usize> =
            answers.iter().enumerate().filter_map(|(at, answer)| is_unknown(answer).then_some(at)).collect();
        let explained = unknown.iter().map(|&at| (questions[at].name(), questions[at].explained()));
        let explained = self.send(explained.collect()).await?;
        for (at, answer) in unknown.into_iter().zip(explained) {
            answers[at] = answer;
        }
        Ok(answers)
    }

    async fn send(&self, commands: Vec<(&Name, Cmd)>) -> RedisResult<Vec<RedisResult<Value>>> {
        match self {
            Wire::Server(connection) => {
                pipeline(connection, commands.into_iter().map(|(_, command)| command)).await
            }
            Wire::Cluster(cluster) => cluster.send(&commands).await,
        }
    }

    /// A connection to each server that has names of its own.
    pub(super) async fn masters(&self) -> RedisResult<Vec<MultiplexedConnection>> {
        match self {
            Wire::Server(connection) => Ok(vec![connection.clone()]),
            Wire::Cluster(cluster) => {
                let masters = cluster.masters().await?;
                Ok(masters.iter().map(|connection| (**connection).clone()).collect())
            }
        }
    }
}

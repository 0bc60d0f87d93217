//! Asks Sentinels which server is the master.

use std::{collections::HashMap, time::Duration};

use redis::{
    AsyncConnectionConfig, Client, ErrorKind, RedisError, RedisResult, ServerErrorKind,
    aio::MultiplexedConnection,
};
use tokio::task::JoinSet;

use super::error::{ConnectError, reason};

/// Sentinels that watch one master among others.
pub(super) struct Sentinels {
    /// Each with its address.
    pub(super) clients: Vec<(String, Client)>,
    /// What the master is called.
    pub(super) master: String,
}

/// What a Sentinel holds for the master.
struct Opinion {
    host: String,
    port: u16,
    /// Grows with every failover.
    config_epoch: u64,
}

impl Sentinels {
    /// Where the master is: the newest configuration that most of the Sentinels know, or those of them that
    /// answer within `patience`. One that is cut off from the others may still name a former master.
    pub(super) async fn master(&self, patience: Duration) -> Result<(String, u16), ConnectError> {
        let mut asked: JoinSet<_> = JoinSet::new();
        for (at, (_, client)) in self.clients.iter().enumerate() {
            let (client, name) = (client.clone(), self.master.clone());
            asked.spawn(async move { (at, ask(&client, &name).await) });
        }
        let (mut opinions, mut refusal) = (Vec::new(), None);
        let most = self.clients.len() / 2 + 1;
        let gathering = async {
            while let Some(answer) = asked.join_next().await {
                match answer {
                    Ok((_, Ok(opinion))) => opinions.push(opinion),
                    Ok((at, Err(error))) => refusal = Some(self.refused(at, &error)),
                    // It panicked or the runtime ends.
                    Err(_) => {}
                }
                if opinions.len() >= most {
                    return;
                }
            }
        };
        // Who has answered by then is enough.
        let _ = tokio::time::timeout(patience, gathering).await;
        match opinions.into_iter().max_by_key(|opinion| opinion.config_epoch) {
            Some(opinion) => Ok((opinion.host, opinion.port)),
            None => Err(refusal.unwrap_or_else(|| ConnectError::Unreachable {
                address: self.address(),
                reason: format!("no Sentinel answered within {patience:?}"),
            })),
        }
    }

    /// All of them, for an error.
    pub(super) fn address(&self) -> String {
        let places: Vec<_> = self.clients.iter().map(|(address, _)| address.as_str()).collect();
        format!("{} (Sentinel)", places.join(","))
    }

    fn refused(&self, at: usize, error: &RedisError) -> ConnectError {
        let (address, client) = &self.clients[at];
        let address = format!("{address} (Sentinel)");
        match (error.kind(), error.code()) {
            (ErrorKind::AuthenticationFailed, _) | (_, Some("NOAUTH" | "WRONGPASS")) => {
                let settings = client.get_connection_info().redis_settings();
                let user = settings.username().unwrap_or("default").to_owned();
                ConnectError::AuthenticationFailed { address, user }
            }
            (ErrorKind::Io, _) => ConnectError::Unreachable { address, reason: error.to_string() },
            (ErrorKind::Server(ServerErrorKind::ResponseError), _) => ConnectError::Unusable {
                address,
                reason: format!("{}; is {:?} the name of a master?", reason(error), self.master),
            },
            _ => ConnectError::Unusable { address, reason: reason(error) },
        }
    }
}

async fn ask(client: &Client, name: &str) -> RedisResult<Opinion> {
    let config = AsyncConnectionConfig::new().set_connection_timeout(None).set_response_timeout(None);
    let mut connection: MultiplexedConnection =
        client.get_multiplexed_async_connection_with_config(&config).await?;
    let mut question = redis::cmd("SENTINEL");
    question.arg("MASTER").arg(name);
    let answer: HashMap<String, String> = question.query_async(&mut connection).await?;
    opinion(&answer).ok_or_else(|| {
        RedisError::from((ErrorKind::UnexpectedReturnType, "a Sentinel named no place for the master"))
    })
}

fn opinion(answer: &HashMap<String, String>) -> Option<Opinion> {
    Some(Opinion {
        host: answer.get("ip").filter(|host| !host.is_empty())?.clone(),
        port: answer.get("port")?.parse().ok()?,
        config_epoch: answer.get("config-epoch").and_then(|epoch| epoch.parse().ok()).unwrap_or(0),
    })
}

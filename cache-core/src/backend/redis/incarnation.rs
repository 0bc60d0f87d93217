//! Which incarnation of a server this is: what another one kept is not believed.
//!
//! A master that was restarted or failed over may have lost fences and releases that it, or its predecessor,
//! had acknowledged. So it keeps a random number in a cell, bound to its *reign*, and every lease and entry
//! carries the number under which it was stored. A reign is told by facts of the server's own, which no
//! replication can bring or lose:
//!
//! - its run id, which changes with every start;
//! - how it was promoted last: a replica that becomes a master keeps the replication id of its predecessor,
//!   and the offset at which it left it, beside its own.
//!
//! A promoted master that has had no replica for long (`repl-backlog-ttl`) forgets its predecessor. That is no
//! promotion: the cell remembers it. A master that was never promoted has none to remember.

use rand::random;
use redis::{InfoDict, RedisResult, aio::MultiplexedConnection};
use sha2::{Digest, Sha256};

use super::codec::{Incarnation, number as read_number};

/// The cell that holds the number, for all namespaces of a server's database: number, run, promotion.
pub(super) const CELL: &str = "{cache-orm}:incarnation";

/// Asks for the number, and makes one where there is none.
pub(super) const SCRIPT: &str = include_str!("incarnation.lua");

/// A master that was never promoted, or has forgotten how.
const NEVER: [u8; 8] = [0; 8];

/// What a master says of its reign, as hashes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Reign {
    run: [u8; 8],
    promotion: [u8; 8],
}

impl Reign {
    /// From the sections `server` and `replication` of INFO. `None` if the server hides its run id.
    pub(super) fn of(server: &InfoDict, replication: &InfoDict) -> Option<Self> {
        let run: String = server.get("run_id")?;
        let predecessor: Option<String> = replication.get("master_replid2");
        let promotion = match predecessor.filter(|id| id.bytes().any(|digit| digit != b'0')) {
            Some(id) => {
                let offset: Option<String> = replication.get("second_repl_offset");
                hash(&format!("{id}:{}", offset.unwrap_or_default()))
            }
            None => NEVER,
        };
        Some(Reign { run: hash(&run), promotion })
    }

    /// The number of this reign: the one in the cell. If that was evicted or belongs to another reign, the number
    /// that this process knows for the reign, or else a fresh one.
    pub(super) async fn incarnation(
        &self,
        connection: &mut MultiplexedConnection,
        known: Option<Incarnation>,
    ) -> RedisResult<Option<Incarnation>> {
        let number = known.map_or_else(random, |known| known.0);
        let mut eval = redis::cmd("EVAL");
        eval.arg(SCRIPT).arg(1).arg(CELL);
        eval.arg(&self.run).arg(&self.promotion).arg(&number.to_be_bytes());
        let number: Vec<u8> = eval.query_async(connection).await?;
        Ok(read_number(&number).map(Incarnation))
    }
}

fn hash(text: &str) -> [u8; 8] {
    let mut first = [0; 8];
    first.copy_from_slice(&Sha256::digest(text.as_bytes())[..8]);
    first
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test")]
mod tests {
    use super::*;

    fn reign(run: &str, replication: &str) -> Reign {
        let server = InfoDict::new(&format!("run_id:{run}\r\n"));
        Reign::of(&server, &InfoDict::new(replication)).unwrap()
    }

    #[test]
    fn a_reign_ends_with_a_restart_or_a_promotion_and_not_with_its_replication_id() {
        let none = "0".repeat(40);
        let first =
            reign("a", &format!("master_replid:1\r\nmaster_replid2:{none}\r\nsecond_repl_offset:-1\r\n"));
        assert_eq!(first, reign("a", &format!("master_replid:2\r\nmaster_replid2:{none}\r\n")));
        assert_eq!(first.promotion, NEVER);
        assert_ne!(first, reign("b", ""));
        let promoted = reign("a", "master_replid:3\r\nmaster_replid2:2f\r\nsecond_repl_offset:10\r\n");
        assert_ne!(first, promoted);
        assert_ne!(promoted, reign("a", "master_replid2:2f\r\nsecond_repl_offset:11\r\n"));
        assert_ne!(promoted, reign("a", "master_replid2:3f\r\nsecond_repl_offset:10\r\n"));
    }

    #[test]
    fn a_server_without_a_run_id_has_no_reign() {
        assert_eq!(Reign::of(&InfoDict::new("redis_mode:standalone\r\n"), &InfoDict::new("")), None);
    }
}

//! Removes what nobody asks for any more, in small steps.

use redis::{Cmd, RedisResult, aio::MultiplexedConnection, cmd, from_redis_value};

use super::{pipeline::pipeline, wire::Wire};

/// So many names are looked at in one step.
const STEP: usize = 500;

/// Removes what is under names that begin with `stem`, at one server after the other. How much that was.
pub(super) async fn sweep(wire: &Wire, stem: &str) -> RedisResult<u64> {
    let mut swept = 0;
    for mut master in wire.masters().await? {
        swept += sweep_server(&mut master, stem, wire.most_names()).await?;
    }
    Ok(swept)
}

async fn sweep_server(server: &mut MultiplexedConnection, stem: &str, most_names: usize) -> RedisResult<u64> {
    let (mut swept, mut cursor) = (0, 0);
    loop {
        let (next, mut names): (u64, Vec<Vec<u8>>) = scan(stem, cursor).query_async(server).await?;
        names.retain(|name| name.starts_with(stem.as_bytes()));
        let unlink = names.chunks(most_names).map(|names| cmd("UNLINK").arg(names).clone());
        for removed in pipeline(server, unlink).await? {
            swept += from_redis_value::<u64>(removed?)?;
        }
        if next == 0 {
            return Ok(swept);
        }
        cursor = next;
    }
}

fn scan(stem: &str, cursor: u64) -> Cmd {
    let mut scan = cmd("SCAN");
    scan.arg(cursor).arg("MATCH").arg(pattern(stem)).arg("COUNT").arg(STEP);
    scan
}

/// Every name that begins so, as the server matches it.
fn pattern(stem: &str) -> String {
    let mut pattern = String::with_capacity(stem.len() + 1);
    for sign in stem.chars() {
        if "*?[]\\".contains(sign) {
            pattern.push('\\');
        }
        pattern.push(sign);
    }
    pattern + "*"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_a_meaning_in_a_pattern_stands_for_itself() {
        assert_eq!(pattern(r"a*b?[c]\:1:"), r"a\*b\?\[c\]\\:1:*");
    }
}

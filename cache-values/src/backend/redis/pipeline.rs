//! Several commands to one server.

use redis::{Cmd, ErrorKind, RedisResult, Value, aio::MultiplexedConnection};

/// The answers of one server in the order asked, in one round trip.
pub(super) async fn pipeline(
    connection: &MultiplexedConnection,
    commands: impl Iterator<Item = Cmd>,
) -> RedisResult<Vec<RedisResult<Value>>> {
    let mut pipeline = redis::pipe();
    pipeline.ignore_errors();
    commands.for_each(|command| {
        pipeline.add_command(command);
    });
    if pipeline.is_empty() {
        return Ok(Vec::new());
    }
    let answers: Vec<_> = pipeline.query_async(&mut connection.clone()).await?;
    match answers.len() == pipeline.len() {
        true => Ok(answers),
        false => Err((ErrorKind::UnexpectedReturnType, "too few or too many answers").into()),
    }
}

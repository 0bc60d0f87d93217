//! Items are kept, each under its condition.

use super::{
    answer::Answer,
    lifetime::{self, Lifetime},
    question::{Mode, Question},
    race,
    seen::Place,
    server::Server,
};
use crate::backend::{Put, StoreError, Stored, When, is_promise};

/// What memcached says of an item that does not fit into a page of its memory.
const TOO_LARGE: &str = "SERVER_ERROR object too large";

/// Keeps items on the server where they live. What became of each, in their order.
pub(super) async fn put(
    server: &Server,
    items: &[&Put],
    max_value: usize,
) -> Result<Vec<Stored>, StoreError> {
    let mut stored = vec![Stored::Refused; items.len()];
    let mut undecided: Vec<usize> = (0..items.len()).collect();
    for _ in 0..race::ATTEMPTS {
        let ready = ready(server, items, &undecided).await?;
        undecided = keep(server, items, &ready, max_value, &mut stored).await?;
        let Some(&first) = undecided.first() else { return Ok(stored) };
        // Somebody came between: what is there now decides, and a rest is as `Refused` as it began.
        debug_assert!(items[first].when != When::Always);
    }
    Err(race::lost(&items[undecided[0]].name))
}

/// Those whose condition holds, and over what they go.
async fn ready(
    server: &Server,
    items: &[&Put],
    undecided: &[usize],
) -> Result<Vec<(usize, Mode)>, StoreError> {
    let (blind, careful): (Vec<usize>, Vec<usize>) =
        undecided.iter().partition(|at| items[**at].when == When::Always);
    let look = |at: &usize| Question::Look {
        name: items[*at].name.as_str(),
        // Of a value that is in the way, nobody wants the bytes.
        bytes: matches!(items[*at].when, When::Unchanged(Some(_))),
    };
    let looks: Vec<_> = careful.iter().map(look).collect();
    let answers = server.ask(&looks).await?;
    let now = lifetime::now();
    let mut ready: Vec<_> = blind.into_iter().map(|at| (at, Mode::Anything)).collect();
    for (at, answer) in careful.into_iter().zip(answers) {
        let place = Place::of(server, answer, now)?;
        if place.suits(items[at].when) {
            ready.push((at, place.mode));
        }
    }
    // In the order given: of two with one name, the last one counts.
    ready.sort_unstable_by_key(|(at, _)| *at);
    Ok(ready)
}

/// Keeps those that are ready. Those that somebody came before.
async fn keep(
    server: &Server,
    items: &[&Put],
    ready: &[(usize, Mode)],
    max_value: usize,
    stored: &mut [Stored],
) -> Result<Vec<usize>, StoreError> {
    let now = lifetime::now();
    let question = |(at, mode): &(usize, Mode)| {
        let Put { name, bytes, ttl, .. } = items[*at];
        let name = name.as_str();
        if bytes.len() > max_value {
            let version = if let Mode::Version(version) = *mode { Some(version) } else { None };
            return Question::Remove { name, version };
        }
        let lifetime = Lifetime::new(*ttl, is_promise(bytes), now);
        Question::Keep { name, bytes, lifetime, mode: *mode }
    };
    let questions: Vec<_> = ready.iter().map(question).collect();
    let answers = server.ask(&questions).await?;
    let (mut undecided, mut unkept, mut failed) = (Vec::new(), Vec::new(), None);
    for ((&(at, mode), question), answer) in ready.iter().zip(&questions).zip(answers) {
        let removed = matches!(question, Question::Remove { .. });
        match answer {
            Answer::Here(_) | Answer::Nothing if removed => stored[at] = Stored::TooLarge,
            Answer::Here(_) => stored[at] = Stored::Kept,
            Answer::Nothing | Answer::Otherwise if mode != Mode::Anything => undecided.push(at),
            answer => {
                unkept.push(Question::Remove { name: items[at].name.as_str(), version: None });
                match &answer {
                    Answer::Failed(said) if said.starts_with(TOO_LARGE) => stored[at] = Stored::TooLarge,
                    _ => failed = Some(server.unexpected(&answer)),
                }
            }
        }
    }
    // What was there before must not be taken for the value.
    server.ask(&unkept).await?;
    failed.map_or(Ok(undecided), Err)
}

//! Items are kept, each under its condition.

use super::{
    answer::Answer,
    lifetime::{self, Lifetime},
    question::{Mode, Question},
    race,
    seen::Place,
    server::Session,
};
use crate::backend::{Put, StoreError, Stored, When, is_promise};

/// What memcached says of an item that does not fit into a page of its memory.
const TOO_LARGE: &str = "SERVER_ERROR object too large";

/// Keeps items on their server. What became of each, in their order.
pub(super) async fn put(
    session: &mut Session<'_>,
    items: &[&Put],
    max_value: usize,
) -> Result<Vec<Stored>, StoreError> {
    let mut stored = vec![Stored::Refused; items.len()];
    let mut undecided: Vec<usize> = (0..items.len()).collect();
    for _ in 0..race::ATTEMPTS {
        let ready = ready(session, items, &undecided).await?;
        undecided = keep(session, items, &ready, max_value, &mut stored).await?;
        // Of the others, what has come between decides.
        if undecided.is_empty() {
            return Ok(stored);
        }
    }
    Err(race::lost(&items[undecided[0]].name))
}

/// Those whose condition holds, and over what they go.
async fn ready(
    session: &mut Session<'_>,
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
    let answers = session.ask(&looks).await?;
    let now = lifetime::now();
    let mut ready: Vec<_> = blind.into_iter().map(|at| (at, Mode::Anything)).collect();
    for (at, answer) in careful.into_iter().zip(answers) {
        let place = Place::of(session, answer, now)?;
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
    session: &mut Session<'_>,
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
            return without(name, *mode);
        }
        let lifetime = Lifetime::new(*ttl, is_promise(bytes), now);
        Question::Keep { name, bytes, lifetime, mode: *mode }
    };
    let questions: Vec<_> = ready.iter().map(question).collect();
    let answers = session.ask(&questions).await?;
    let (mut undecided, mut unkept, mut failed) = (Vec::new(), Vec::new(), None);
    for ((&(at, mode), question), answer) in ready.iter().zip(&questions).zip(answers) {
        let was_sent = matches!(question, Question::Keep { .. });
        match answer {
            Answer::Here(_) if was_sent => stored[at] = Stored::Kept,
            Answer::Otherwise | Answer::Nothing if was_sent && mode != Mode::Anything => undecided.push(at),
            Answer::Failed(said) if was_sent && said.starts_with(TOO_LARGE) => {
                stored[at] = Stored::TooLarge;
                unkept.push(without(items[at].name.as_str(), mode));
            }
            Answer::Here(_) | Answer::Nothing | Answer::Present if !was_sent => stored[at] = Stored::TooLarge,
            Answer::Otherwise if !was_sent => undecided.push(at),
            answer => {
                failed = Some(session.misplaced(&answer));
                unkept.push(without(items[at].name.as_str(), mode));
            }
        }
    }
    // What was there before must not be taken for the value.
    session.ask(&unkept).await?;
    failed.map_or(Ok(undecided), Err)
}

/// What leaves nothing behind of what was there before.
fn without(name: &str, mode: Mode) -> Question<'_> {
    match mode {
        Mode::Anything => Question::Remove { name, version: None },
        Mode::Version(version) => Question::Remove { name, version: Some(version) },
        Mode::Nothing => Question::Nothing,
    }
}

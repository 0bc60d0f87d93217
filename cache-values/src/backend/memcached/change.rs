//! What changes one item that is there: looked at, then changed if it still is the same.

use std::time::Duration;

use super::{
    answer::Answer,
    lifetime::{self, Lifetime},
    question::{Mode, Question},
    race,
    seen::Place,
    server::Server,
};
use crate::{
    backend::{Counted, Start, StoreError, number},
    name::Name,
};

/// Below it a number is added to in one step: others can't bring it out of range between the look and the step.
const FAR_FROM_THE_END: i64 = 1 << 62;

/// Removes what is under these names. Which of them were taken.
pub(super) async fn remove(server: &Server, names: &[&Name]) -> Result<Vec<bool>, StoreError> {
    let mut taken = vec![false; names.len()];
    let mut undecided: Vec<usize> = (0..names.len()).collect();
    for _ in 0..race::ATTEMPTS {
        let look = |at: &usize| Question::Look { name: names[*at].as_str(), bytes: false };
        let answers = server.ask(&undecided.iter().map(look).collect::<Vec<_>>()).await?;
        let now = lifetime::now();
        let (mut there, mut removes) = (Vec::new(), Vec::new());
        for (at, answer) in undecided.into_iter().zip(answers) {
            let place = Place::of(server, answer, now)?;
            if let Mode::Version(version) = place.mode {
                there.push((at, place.value().is_some()));
                removes.push(Question::Remove { name: names[at].as_str(), version: Some(version) });
            }
        }
        undecided = Vec::new();
        for ((at, is_value), answer) in there.into_iter().zip(server.ask(&removes).await?) {
            match answer {
                Answer::Here(_) => taken[at] = is_value,
                Answer::Nothing => {}
                Answer::Otherwise => undecided.push(at),
                other => return Err(server.unexpected(&other)),
            }
        }
        if undecided.is_empty() {
            return Ok(taken);
        }
    }
    Err(race::lost(names[undecided[0]]))
}

/// Gives an item a new time to live.
pub(super) async fn touch(server: &Server, name: &Name, ttl: Option<Duration>) -> Result<bool, StoreError> {
    for _ in 0..race::ATTEMPTS {
        let place = Place::look(server, name, true).await?;
        let Some(seen) = place.value() else { return Ok(false) };
        let lifetime = Lifetime::new(ttl, false, lifetime::now());
        if keep(server, name, seen.bytes(), lifetime, place.mode).await? {
            return Ok(true);
        }
    }
    Err(race::lost(name))
}

/// Adds to a number.
pub(super) async fn count(
    server: &Server,
    name: &Name,
    by: i64,
    start: Option<Start>,
) -> Result<Counted, StoreError> {
    for _ in 0..race::ATTEMPTS {
        let place = Place::look(server, name, true).await?;
        let (value, lifetime) = match (place.value(), start) {
            (Some(seen), _) => {
                let Some(before) = number(seen.bytes()) else { return Ok(Counted::NoNumber) };
                let Some(value) = before.checked_add(by) else { return Ok(Counted::Overflow) };
                if before >= 0 && by >= 0 && value < FAR_FROM_THE_END {
                    match add(server, name, by.unsigned_abs()).await? {
                        Some(value) => return Ok(Counted::Is(value)),
                        None => continue,
                    }
                }
                (value, seen.rest())
            }
            (None, Some(start)) => (start.value, Lifetime::new(start.ttl, false, lifetime::now())),
            (None, None) => return Ok(Counted::Missing),
        };
        if keep(server, name, value.to_string().as_bytes(), lifetime, place.mode).await? {
            return Ok(Counted::Is(value));
        }
    }
    Err(race::lost(name))
}

/// Takes an item away. It, and the rest of its time; `None` if the name is vacant.
pub(super) async fn take(
    server: &Server,
    name: &Name,
) -> Result<Option<(bytes::Bytes, Option<Duration>)>, StoreError> {
    for _ in 0..race::ATTEMPTS {
        let place = Place::look(server, name, true).await?;
        let Some(seen) = place.value() else { return Ok(None) };
        let remove = Question::Remove { name: name.as_str(), version: Some(seen.version()) };
        match one(server, remove).await? {
            Answer::Here(_) => return Ok(Some((seen.bytes().clone(), seen.ttl()))),
            Answer::Nothing | Answer::Otherwise => {}
            other => return Err(server.unexpected(&other)),
        }
    }
    Err(race::lost(name))
}

/// The server adds by itself, and the number keeps its time. It never subtracts: a number that loses a digit would get a
/// space in its place. `None` if there is no number any more.
async fn add(server: &Server, name: &Name, by: u64) -> Result<Option<i64>, StoreError> {
    match one(server, Question::Add { name: name.as_str(), by }).await? {
        Answer::Here(found) if number(&found.bytes).is_some() => Ok(number(&found.bytes)),
        Answer::Nothing | Answer::Otherwise => Ok(None),
        // Another value took its place.
        Answer::Failed(said) if said.starts_with("CLIENT_ERROR") => Ok(None),
        other => Err(server.unexpected(&other)),
    }
}

/// False if somebody came between.
async fn keep(
    server: &Server,
    name: &Name,
    bytes: &[u8],
    lifetime: Lifetime,
    mode: Mode,
) -> Result<bool, StoreError> {
    match one(server, Question::Keep { name: name.as_str(), bytes, lifetime, mode }).await? {
        Answer::Here(_) => Ok(true),
        Answer::Nothing | Answer::Otherwise => Ok(false),
        other => Err(server.unexpected(&other)),
    }
}

async fn one(server: &Server, question: Question<'_>) -> Result<Answer, StoreError> {
    Ok(server.ask(&[question]).await?.pop().unwrap_or(Answer::Nothing))
}

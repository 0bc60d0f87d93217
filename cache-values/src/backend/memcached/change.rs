//! What changes one item that is there: looked at, then changed if it still is the same.

use std::time::Duration;

use super::{
    answer::Answer,
    lifetime::{self, Lifetime},
    question::{Mode, Question},
    race,
    seen::Place,
    server::Session,
};
use crate::{
    backend::{Counted, Start, StoreError, number},
    name::Name,
};

/// Below it a number is added to in one step: others can't bring it out of range between the look and the step.
const FAR_FROM_THE_END: i64 = 1 << 62;

/// Removes what is under these names. Which of them were taken.
pub(super) async fn remove(session: &mut Session<'_>, names: &[&Name]) -> Result<Vec<bool>, StoreError> {
    let mut taken = vec![false; names.len()];
    let mut undecided: Vec<usize> = (0..names.len()).collect();
    for _ in 0..race::ATTEMPTS {
        let look = |at: &usize| Question::Look { name: names[*at].as_str(), bytes: false };
        let answers = session.ask(&undecided.iter().map(look).collect::<Vec<_>>()).await?;
        let now = lifetime::now();
        let (mut there, mut removes) = (Vec::new(), Vec::new());
        for (at, answer) in undecided.into_iter().zip(answers) {
            let place = Place::of(session, answer, now)?;
            if let Mode::Version(version) = place.mode {
                there.push((at, place.value().is_some()));
                removes.push(Question::Remove { name: names[at].as_str(), version: Some(version) });
            }
        }
        undecided = Vec::new();
        for ((at, is_value), answer) in there.into_iter().zip(session.ask(&removes).await?) {
            match answer {
                Answer::Here(_) => taken[at] = is_value,
                Answer::Nothing => {}
                Answer::Otherwise => undecided.push(at),
                other => return Err(session.misplaced(&other)),
            }
        }
        if undecided.is_empty() {
            return Ok(taken);
        }
    }
    Err(race::lost(names[undecided[0]]))
}

/// Gives an item a new time to live.
pub(super) async fn touch(
    session: &mut Session<'_>,
    name: &Name,
    ttl: Option<Duration>,
) -> Result<bool, StoreError> {
    for _ in 0..race::ATTEMPTS {
        let place = Place::look(session, name, true).await?;
        let Some(seen) = place.value() else { return Ok(false) };
        let lifetime = Lifetime::new(ttl, false, lifetime::now());
        if keep(session, name, &seen.item.bytes, lifetime, place.mode).await? {
            return Ok(true);
        }
    }
    Err(race::lost(name))
}

/// Adds to a number.
pub(super) async fn count(
    session: &mut Session<'_>,
    name: &Name,
    by: i64,
    start: Option<Start>,
) -> Result<Counted, StoreError> {
    for _ in 0..race::ATTEMPTS {
        let place = Place::look(session, name, true).await?;
        let (value, lifetime) = match (place.value(), start) {
            (Some(seen), _) => {
                let Some(before) = number(&seen.item.bytes) else { return Ok(Counted::NoNumber) };
                let Some(value) = before.checked_add(by) else { return Ok(Counted::Overflow) };
                if before >= 0 && by >= 0 && value < FAR_FROM_THE_END {
                    match add(session, name, by.unsigned_abs()).await? {
                        Some(value) => return Ok(Counted::Is(value)),
                        None => continue,
                    }
                }
                (value, seen.rest())
            }
            (None, Some(start)) => (start.value, Lifetime::new(start.ttl, false, lifetime::now())),
            (None, None) => return Ok(Counted::Missing),
        };
        if keep(session, name, value.to_string().as_bytes(), lifetime, place.mode).await? {
            return Ok(Counted::Is(value));
        }
    }
    Err(race::lost(name))
}

/// Takes an item away. It, and the rest of its time; `None` if the name is vacant.
pub(super) async fn take(
    session: &mut Session<'_>,
    name: &Name,
) -> Result<Option<(bytes::Bytes, Option<Duration>)>, StoreError> {
    for _ in 0..race::ATTEMPTS {
        let place = Place::look(session, name, true).await?;
        let (Some(seen), Mode::Version(version)) = (place.value(), place.mode) else { return Ok(None) };
        let remove = Question::Remove { name: name.as_str(), version: Some(version) };
        match session.ask_one(remove).await? {
            Answer::Here(_) => return Ok(Some((seen.item.bytes.clone(), seen.item.left.ttl()))),
            Answer::Nothing | Answer::Otherwise => {}
            other => return Err(session.misplaced(&other)),
        }
    }
    Err(race::lost(name))
}

/// The server adds by itself, and the number keeps its time. It never subtracts: a number that loses a digit would get a
/// space in its place. `None` if there is no number any more.
async fn add(session: &mut Session<'_>, name: &Name, by: u64) -> Result<Option<i64>, StoreError> {
    match session.ask_one(Question::Add { name: name.as_str(), by }).await? {
        Answer::Here(found) if number(&found.bytes).is_some() => Ok(number(&found.bytes)),
        Answer::Nothing | Answer::Otherwise => Ok(None),
        // Another value took its place.
        Answer::Failed(said) if said.starts_with("CLIENT_ERROR") => Ok(None),
        other => Err(session.misplaced(&other)),
    }
}

/// False if somebody came between.
async fn keep(
    session: &mut Session<'_>,
    name: &Name,
    bytes: &[u8],
    lifetime: Lifetime,
    mode: Mode,
) -> Result<bool, StoreError> {
    match session.ask_one(Question::Keep { name: name.as_str(), bytes, lifetime, mode }).await? {
        Answer::Here(_) => Ok(true),
        Answer::Nothing | Answer::Otherwise => Ok(false),
        other => Err(session.misplaced(&other)),
    }
}

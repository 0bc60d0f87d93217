//! What is there, as this backend understands it.

use super::{
    answer::{Answer, Found},
    lifetime::{self, Lifetime},
    question::{Mode, Question},
    server::Session,
};
use crate::{
    backend::{Item, StoreError, When},
    name::Name,
};

/// An item whose time is not over, and where it stands.
#[derive(Debug)]
pub(super) struct Seen {
    pub(super) item: Item,
    pub(super) is_promise: bool,
    flags: u32,
}

/// What is under a name: an item, and what a change must find there to be the next one.
#[derive(Debug)]
pub(super) struct Place {
    pub(super) seen: Option<Seen>,
    pub(super) mode: Mode,
}

impl Place {
    /// From the answer to a `Look`.
    pub(super) fn of(session: &Session<'_>, answer: Answer, now: u64) -> Result<Self, StoreError> {
        match answer {
            Answer::Nothing => Ok(Place { seen: None, mode: Mode::Nothing }),
            // The servers count versions from 1.
            Answer::Here(Found { version: 0, .. }) => {
                Err(session.unexpected("it tells no versions: start it without `-C`"))
            }
            Answer::Here(found) => {
                let mode = Mode::Version(found.version);
                let Some(left) = lifetime::left(found.flags, found.seconds, now) else {
                    // It is over, and the server has not noticed.
                    return Ok(Place { seen: None, mode });
                };
                let seen = Seen {
                    is_promise: lifetime::is_promise(found.flags),
                    item: Item::new(found.bytes, left),
                    flags: found.flags,
                };
                Ok(Place { seen: Some(seen), mode })
            }
            other => Err(session.misplaced(&other)),
        }
    }

    /// Looks at one name.
    pub(super) async fn look(
        session: &mut Session<'_>,
        name: &Name,
        bytes: bool,
    ) -> Result<Self, StoreError> {
        let answer = session.ask_one(Question::Look { name: name.as_str(), bytes }).await?;
        Place::of(session, answer, lifetime::now())
    }

    /// Whether the condition holds for what is there.
    pub(super) fn suits(&self, when: When) -> bool {
        match when {
            When::Always => true,
            When::Vacant => self.value().is_none(),
            When::Unchanged(version) => self.seen.as_ref().map(|seen| seen.item.version) == version,
        }
    }

    /// What is there, unless the name is vacant.
    pub(super) fn value(&self) -> Option<&Seen> {
        self.seen.as_ref().filter(|seen| !seen.is_promise)
    }
}

impl Seen {
    /// The time of a value that takes this one's place.
    pub(super) fn rest(&self) -> Lifetime {
        Lifetime::rest(self.flags, self.item.left, lifetime::now())
    }
}

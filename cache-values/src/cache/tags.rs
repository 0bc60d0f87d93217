//! Tags: several values that are invalidated at once.
//!
//! A tag is a random number in a cell. A value is stored with the numbers of its tags, and counts while they stand.
//! Invalidating a tag changes its number: nobody needs to know which values have it.

use std::{
    collections::{BTreeSet, HashMap},
    time::Duration,
};

use bytes::Bytes;

use super::{
    Cache,
    judged::{Content, Judged, State},
};
use crate::{
    backend::{Item, Put, StoreError, Stored, When},
    envelope::TagNumber,
    error::Error,
    name::{Generation, Name},
};

/// What a tag's cell begins with: neither a number nor a promise.
const MARK: u8 = b'T';

/// How long the number of a tag is kept, from when it began. Values that are kept longer are lost then; without an end, tags
/// that nobody uses any more would stay for ever.
const LIFE: Duration = Duration::from_secs(30 * 86_400);

/// So many calls in a row may each be overtaken by another that changes the cell.
const ATTEMPTS: usize = 100;

impl Cache {
    /// Invalidates all values that were stored with this tag, in this cache's prefix and version. Costs the same however many
    /// there are. Once this has returned, no process finds them.
    ///
    /// # Errors
    /// [`Error::Backend`]: nobody knows whether they were.
    ///
    /// # Cancel safety
    /// A dropped call may or may not have invalidated them.
    pub async fn invalidate_tag(&self, tag: &str) -> Result<(), Error> {
        self.invalidate_tags(&[tag]).await
    }

    /// The same for several tags, in one call.
    ///
    /// # Errors
    /// As [`invalidate_tag`](Self::invalidate_tag).
    ///
    /// # Cancel safety
    /// As [`invalidate_tag`](Self::invalidate_tag).
    pub async fn invalidate_tags(&self, tags: &[&str]) -> Result<(), Error> {
        let put = |name: Name| Put {
            name,
            bytes: bytes(TagNumber(rand::random())),
            ttl: Some(LIFE),
            when: When::Always,
        };
        let (port, generations) = (&self.shared.port, &self.shared.generations);
        let change = |generation| async move {
            let puts: Vec<_> = tags.iter().map(|tag| put(self.naming.tag(generation, tag))).collect();
            port.put(&puts).await.map(drop)
        };
        Ok(generations.under(port, &self.naming, change).await?)
    }

    /// The numbers of these tags, which begin where there are none. To be read before what the value is made from.
    pub(super) async fn tag_numbers(
        &self,
        generation: Generation,
        tags: &[String],
    ) -> Result<Vec<(String, TagNumber)>, StoreError> {
        if tags.is_empty() || !self.shared.port.capabilities().keeps {
            return Ok(Vec::new());
        }
        let names: Vec<_> = tags.iter().map(|tag| self.naming.tag(generation, tag)).collect();
        for _ in 0..ATTEMPTS {
            let cells = self.shared.port.get(&names, false).await?;
            let missing: Vec<_> =
                names.iter().zip(&cells).filter(|(_, cell)| number(cell).is_none()).collect();
            if missing.is_empty() {
                let named = names.iter().map(|name| name.as_str().to_owned());
                return Ok(named.zip(cells.iter().filter_map(number)).collect());
            }
            let begin = |(name, cell): (&Name, &Option<Item>)| Put {
                name: name.clone(),
                bytes: bytes(TagNumber(rand::random())),
                ttl: Some(LIFE),
                when: When::Unchanged(cell.as_ref().map(|item| item.version)),
            };
            let puts: Vec<_> = missing.into_iter().map(begin).collect();
            let stored = self.shared.port.put(&puts).await?;
            if stored.contains(&Stored::TooLarge) {
                break;
            }
        }
        Err(StoreError::Unexpected("the tags could not be kept".to_owned()))
    }

    /// Takes back the values whose tags have been invalidated.
    pub(super) async fn check_tags(&self, judged: &mut [Judged]) -> Result<(), StoreError> {
        let stem = |judged: &Judged| self.naming.stem_of(judged.generation);
        let Some(stem) = judged.first().map(stem) else { return Ok(()) };
        let tags: BTreeSet<&String> = judged.iter().flat_map(tags).map(|(tag, _)| tag).collect();
        if tags.is_empty() {
            return Ok(());
        }
        // A name that is none of this generation's tags was written by somebody else: it has no number.
        let names: Vec<_> = tags.into_iter().filter_map(|tag| Name::of_tag(tag, &stem)).collect();
        let cells = self.shared.port.get(&names, false).await?;
        let numbers: HashMap<&str, TagNumber> = names
            .iter()
            .zip(&cells)
            .filter_map(|(name, cell)| Some((name.as_str(), number(cell)?)))
            .collect();
        for judged in judged {
            if !tags_stand(judged, &numbers) {
                judged.state = State::Untagged;
            }
        }
        Ok(())
    }
}

fn tags(judged: &Judged) -> &[(String, TagNumber)] {
    match &judged.state {
        State::Fresh(value) | State::Stale(value, _) => match &value.content {
            Content::Envelope(envelope) => &envelope.tags,
            Content::Number(_) => &[],
        },
        _ => &[],
    }
}

fn tags_stand(judged: &Judged, numbers: &HashMap<&str, TagNumber>) -> bool {
    tags(judged).iter().all(|(tag, number)| numbers.get(tag.as_str()) == Some(number))
}

fn bytes(number: TagNumber) -> Bytes {
    [&[MARK][..], &number.0.to_be_bytes()].concat().into()
}

fn number(cell: &Option<Item>) -> Option<TagNumber> {
    let [MARK, number @ ..] = cell.as_ref()?.bytes.as_ref() else { return None };
    Some(TagNumber(u64::from_be_bytes(number.try_into().ok()?)))
}

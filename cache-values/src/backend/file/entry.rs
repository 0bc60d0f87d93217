//! What stands in a file.
//!
//! | bytes | what |
//! |---|---|
//! | 8 | `cachval` and the version of this format |
//! | 8 | a hash of all that follows |
//! | 8 | the last millisecond of its life since 1970; all ones are for ever |
//! | 2 | the length of the name |
//! | | the name, in full: another name may have the same hash |
//! | | the value |

use std::{
    fs::File,
    io::{self, Read},
    time::{Duration, SystemTime},
};

use bytes::Bytes;
use xxhash_rust::xxh3::{Xxh3, xxh3_64};

use super::super::{Item, Left, is_promise};
use crate::name::LONGEST_NAME;

const MAGIC: &[u8; 8] = b"cachval\x01";

/// What comes before the name.
const HEAD: usize = 26;

const FOREVER: u64 = u64::MAX;

/// A file's content, read and found to be whole.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub(super) name: String,
    pub(super) expires: u64,
    pub(super) value: Bytes,
}

/// The first part of a file's content, which may be anything that follows.
pub(super) struct Header {
    pub(super) name: String,
    pub(super) expires: u64,
}

/// Milliseconds since 1970.
pub(super) fn now() -> u64 {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(0, |since| since.as_millis() as u64)
}

/// The last millisecond of what lives so long from now on.
pub(super) fn expires(ttl: Option<Duration>) -> u64 {
    ttl.map_or(FOREVER, |ttl| {
        let millis = u64::try_from(ttl.as_nanos().div_ceil(1_000_000)).unwrap_or(FOREVER);
        now().saturating_add(millis).min(FOREVER - 1)
    })
}

pub(super) fn is_over(expires: u64) -> bool {
    expires < now()
}

impl Entry {
    /// Reads a file to its end. None if it is no entry, or not all of one.
    pub(super) fn read(mut file: &File) -> io::Result<Option<Entry>> {
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes)?;
        let Some(Header { name, expires }) = Header::of(&bytes) else { return Ok(None) };
        if bytes[8..16] != xxh3_64(&bytes[16..]).to_be_bytes() {
            return Ok(None);
        }
        let value = Bytes::from(bytes).slice(HEAD + name.len()..);
        Ok(Some(Entry { name, expires, value }))
    }

    /// What a file begins with; the value follows.
    pub(super) fn head(name: &str, expires: u64, value: &[u8]) -> Vec<u8> {
        let mut head = Vec::with_capacity(HEAD + name.len());
        head.extend_from_slice(MAGIC);
        head.extend_from_slice(&[0; 8]);
        head.extend_from_slice(&expires.to_be_bytes());
        // No name is longer than 250.
        head.extend_from_slice(&(name.len() as u16).to_be_bytes());
        head.extend_from_slice(name.as_bytes());
        let mut hasher = Xxh3::new();
        hasher.update(&head[16..]);
        hasher.update(value);
        head[8..16].copy_from_slice(&hasher.digest().to_be_bytes());
        head
    }

    /// How long the file of an entry is.
    pub(super) fn length(name: &str, value: &[u8]) -> u64 {
        (HEAD + name.len() + value.len()) as u64
    }

    /// Whether it is a value or a number: neither over nor a promise.
    pub(super) fn is_occupied(&self) -> bool {
        !is_over(self.expires) && !is_promise(&self.value)
    }

    pub(super) fn item(self) -> Item {
        let left = match self.expires {
            FOREVER => Left::Forever,
            // It lives through its last millisecond.
            expires => Left::For(Duration::from_millis(expires.saturating_sub(now()).max(1))),
        };
        Item::new(self.value, left)
    }
}

impl Header {
    /// Reads as much of a file. None if it is no entry.
    pub(super) fn read(file: &File) -> io::Result<Option<Header>> {
        let mut bytes = Vec::with_capacity(HEAD + LONGEST_NAME);
        file.take((HEAD + LONGEST_NAME) as u64).read_to_end(&mut bytes)?;
        Ok(Header::of(&bytes))
    }

    fn of(bytes: &[u8]) -> Option<Header> {
        let (head, rest) = bytes.split_at_checked(HEAD)?;
        let length = u16::from_be_bytes(head[24..].try_into().ok()?);
        let name = String::from_utf8(rest.get(..usize::from(length))?.to_vec()).ok()?;
        let expires = u64::from_be_bytes(head[16..24].try_into().ok()?);
        head.starts_with(MAGIC).then_some(Header { name, expires })
    }
}

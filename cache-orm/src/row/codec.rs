//! How rows become bytes for a store outside of the process.

use bytes::Bytes;
use sea_orm::Value;

use super::{Shape, binary, json};

/// How a store outside of the process keeps rows. Programs that share a store may differ: each reads both.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Codec {
    /// Compact: about the size of the values.
    #[default]
    Binary,
    /// Text that a client of the store can read: column names, values, and the type of each value that JSON
    /// alone would not bring back exactly.
    Json,
}

/// Bytes that neither codec wrote for the entity. Never shows them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the stored rows are not in a form that this version can read")]
pub(crate) struct Malformed;

impl Codec {
    /// The rows, each as long as the shape, as bytes. `None` if a value is not carried: an enum (a captured
    /// row has it as text), an array with nulls in it, a JSON document nested deeper than 100 levels, a local
    /// time beyond the calendar, or a type whose cargo feature is off here.
    pub(crate) fn encode<'r>(
        self,
        shape: &Shape,
        rows: impl ExactSizeIterator<Item = &'r [Value]>,
    ) -> Option<Bytes> {
        match self {
            Codec::Binary => binary::encode(shape, rows),
            Codec::Json => json::encode(shape, rows),
        }
    }

    /// The rows in bytes from either codec, each as long as the shape. Takes memory in proportion to the
    /// input, whatever the input says: at most about a hundred times its length.
    ///
    /// # Errors
    /// [`Malformed`] for anything but what `encode` returns for a shape with the same columns.
    pub(crate) fn decode(bytes: &[u8], shape: &Shape) -> Result<Vec<Vec<Value>>, Malformed> {
        match bytes.first() {
            Some(&binary::VERSION) => binary::decode(bytes, shape),
            Some(&json::OPENING) => json::decode(bytes, shape),
            _ => None,
        }
        .ok_or(Malformed)
    }
}

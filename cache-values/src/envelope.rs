//! What stands around a value in a backend.
//!
//! | bytes | what |
//! |---|---|
//! | 1 | `C1`, which begins neither a number nor a promise |
//! | 1 | the number of this layout |
//! | 1 | flags |
//! | 8 | random: no other item has them |
//! | 8 | checksum of the flags and of all that follows (XXH3, 64 bits) |
//! | if flagged, 8 | milliseconds that the value is kept beyond its time |
//! | if flagged, 4 | milliseconds that it took to compute |
//! | if flagged | the key in full: its length in 4 bytes, the text |
//! | if flagged | tags: how many in 2 bytes; each, the length in 2 bytes, the text, the number of the tag in 8 |
//! | if flagged, 4 | the length of what is compressed |
//! | rest | the value, encoded, perhaps compressed (LZ4) |
//!
//! Numbers have their most significant byte first. Whatever does not parse is no value.

use std::time::Duration;

use bytes::{Buf, BufMut, Bytes};
use xxhash_rust::xxh3::xxh3_64;

use crate::{backend::PROMISE, codec::Codec};

const MAGIC: u8 = 0xc1;
const LAYOUT: u8 = 1;
/// Before the checksum: magic, layout, flags, random.
const PREAMBLE: usize = 11;

const JSON: u8 = 1;
const GRACE: u8 = 2;
const COST: u8 = 4;
const KEY: u8 = 8;
const TAGS: u8 = 16;
const PACKED: u8 = 32;
const KNOWN: u8 = JSON | GRACE | COST | KEY | TAGS | PACKED;

/// LZ4 never makes less than one byte of so many.
const MOST_PACKED: usize = 255;

/// The number of a tag.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TagNumber(pub(crate) u64);

/// A value with what is known of it.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Envelope {
    pub(crate) codec: Codec,
    /// How long the item is kept beyond the value's own time, to be served where nothing newer can be had.
    pub(crate) grace: Duration,
    /// How long it took to compute; nothing where nobody knows.
    pub(crate) cost: Duration,
    /// The key, where the item's name is a hash of it.
    pub(crate) key: Option<String>,
    pub(crate) tags: Vec<(String, TagNumber)>,
    pub(crate) payload: Bytes,
}

impl Envelope {
    /// The item. What is at least `pack_from` bytes long is compressed, if that makes it shorter.
    pub(crate) fn write(&self, pack_from: Option<usize>) -> Bytes {
        let packed = pack_from
            .filter(|from| self.payload.len() >= *from && u32::try_from(self.payload.len()).is_ok())
            .map(|_| lz4_flex::block::compress(&self.payload))
            .filter(|packed| packed.len() + 4 < self.payload.len());
        let mut out = Vec::with_capacity(64 + packed.as_ref().map_or(self.payload.len(), Vec::len));
        out.put_slice(&[MAGIC, LAYOUT, self.flags(packed.is_some())]);
        out.put_u64(rand::random());
        out.put_u64(0);
        if !self.grace.is_zero() {
            out.put_u64(self.grace.as_millis().try_into().unwrap_or(u64::MAX));
        }
        if !self.cost.is_zero() {
            out.put_u32(self.cost.as_millis().max(1).try_into().unwrap_or(u32::MAX));
        }
        if let Some(key) = &self.key {
            out.put_u32(key.len().try_into().unwrap_or(u32::MAX));
            out.put_slice(key.as_bytes());
        }
        if !self.tags.is_empty() {
            out.put_u16(self.tags.len().try_into().unwrap_or(u16::MAX));
            for (tag, number) in &self.tags {
                out.put_u16(tag.len().try_into().unwrap_or(u16::MAX));
                out.put_slice(tag.as_bytes());
                out.put_u64(number.0);
            }
        }
        match packed {
            Some(packed) => {
                out.put_u32(self.payload.len() as u32);
                out.put_slice(&packed);
            }
            None => out.put_slice(&self.payload),
        }
        let sum = checksum(&out).to_be_bytes();
        out[PREAMBLE..PREAMBLE + 8].copy_from_slice(&sum);
        out.into()
    }

    /// The value in an item, if it holds one. Nothing is unpacked to more than `longest` bytes.
    pub(crate) fn read(item: &Bytes, longest: usize) -> Option<Self> {
        let [MAGIC, LAYOUT, flags, ..] = item[..] else { return None };
        if flags & !KNOWN != 0 || item.len() < PREAMBLE + 8 {
            return None;
        }
        let mut rest = item.slice(PREAMBLE..);
        if rest.get_u64() != checksum(item) {
            return None;
        }
        let has = |flag: u8| flags & flag != 0;
        let codec = if has(JSON) { Codec::Json } else { Codec::MessagePack };
        let mut envelope = Envelope { codec, ..Envelope::default() };
        if has(GRACE) {
            envelope.grace = Duration::from_millis(rest.try_get_u64().ok()?);
        }
        if has(COST) {
            envelope.cost = Duration::from_millis(rest.try_get_u32().ok()?.into());
        }
        if has(KEY) {
            let length = rest.try_get_u32().ok()? as usize;
            envelope.key = Some(text(&mut rest, length)?);
        }
        if has(TAGS) {
            for _ in 0..rest.try_get_u16().ok()? {
                let length = rest.try_get_u16().ok()?.into();
                let tag = text(&mut rest, length)?;
                envelope.tags.push((tag, TagNumber(rest.try_get_u64().ok()?)));
            }
        }
        envelope.payload = if has(PACKED) { unpacked(rest, longest)? } else { rest };
        Some(envelope)
    }

    fn flags(&self, packed: bool) -> u8 {
        let flag = |set: bool, flag: u8| if set { flag } else { 0 };
        flag(self.codec == Codec::Json, JSON)
            | flag(!self.grace.is_zero(), GRACE)
            | flag(!self.cost.is_zero(), COST)
            | flag(self.key.is_some(), KEY)
            | flag(!self.tags.is_empty(), TAGS)
            | flag(packed, PACKED)
    }
}

/// A promise: whoever finds it knows that the value is being computed. No other has its random part.
pub(crate) fn promise() -> Bytes {
    let mut out = Vec::with_capacity(PREAMBLE);
    out.put_slice(&[PROMISE, LAYOUT, 0]);
    out.put_u64(rand::random());
    out.into()
}

fn checksum(item: &[u8]) -> u64 {
    xxh3_64(&item[PREAMBLE + 8..]) ^ u64::from(item[2]).wrapping_mul(0x9e37_79b9_7f4a_7c15)
}

fn text(rest: &mut Bytes, length: usize) -> Option<String> {
    if rest.len() < length {
        return None;
    }
    String::from_utf8(rest.split_to(length).into()).ok()
}

fn unpacked(mut rest: Bytes, longest: usize) -> Option<Bytes> {
    let length = rest.try_get_u32().ok()? as usize;
    if length > longest || length / MOST_PACKED > rest.len() {
        return None;
    }
    lz4_flex::block::decompress(&rest, length).ok().filter(|value| value.len() == length).map(Bytes::from)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test")]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::backend::{is_promise, number};

    fn envelope() -> impl Strategy<Value = Envelope> {
        let tag = ("[a-z]{0,5}", any::<u64>()).prop_map(|(tag, number)| (tag, TagNumber(number)));
        let payload = prop_oneof![
            proptest::collection::vec(any::<u8>(), 0..80),
            (any::<u8>(), 0..5000_usize).prop_map(|(byte, length)| vec![byte; length]),
        ];
        (
            any::<bool>(),
            0..1000_u64,
            0..1000_u64,
            proptest::option::of(".{0,20}"),
            proptest::collection::vec(tag, 0..3),
            payload,
        )
            .prop_map(|(json, grace, cost, key, tags, payload)| Envelope {
                codec: if json { Codec::Json } else { Codec::MessagePack },
                grace: Duration::from_millis(grace),
                cost: Duration::from_millis(cost),
                key,
                tags,
                payload: payload.into(),
            })
    }

    proptest! {
        #[test]
        fn an_envelope_survives(envelope in envelope(), pack in any::<bool>()) {
            let item = envelope.write(pack.then_some(64));
            prop_assert!(!is_promise(&item) && number(&item).is_none());
            prop_assert_eq!(Envelope::read(&item, 1 << 20), Some(envelope));
        }

        #[test]
        fn a_truncated_envelope_is_no_value(envelope in envelope(), part in 0.0..1.0_f64) {
            let item = envelope.write(Some(64));
            let cut = (item.len() as f64 * part) as usize;
            prop_assert_eq!(Envelope::read(&item.slice(..cut), 1 << 20), None);
        }

        #[test]
        fn a_changed_byte_is_no_value(envelope in envelope(), part in 0.0..1.0_f64, change in 1..=255_u8) {
            let mut item = envelope.write(Some(64)).to_vec();
            let at = (item.len() as f64 * part) as usize;
            item[at] ^= change;
            // The random part may be any.
            prop_assume!(!(3..PREAMBLE).contains(&at));
            prop_assert_eq!(Envelope::read(&item.into(), 1 << 20), None);
        }

        #[test]
        fn garbage_never_panics(garbage in proptest::collection::vec(any::<u8>(), 0..60), flags in 0..64_u8) {
            let mut item = [&[MAGIC, LAYOUT, flags][..], &[0; 16], &garbage].concat();
            let sum = checksum(&item).to_be_bytes();
            item[PREAMBLE..PREAMBLE + 8].copy_from_slice(&sum);
            let _ = Envelope::read(&item.into(), 1 << 20);
        }
    }

    #[test]
    fn a_bomb_is_not_unpacked() {
        let envelope = Envelope { payload: vec![0; 1 << 20].into(), ..Envelope::default() };
        let item = envelope.write(Some(64));
        assert!(item.len() < 8192);
        assert_eq!(Envelope::read(&item, (1 << 20) - 1), None);
        assert_eq!(Envelope::read(&item, 1 << 20), Some(envelope));
        // One that lies about its length, with a right checksum.
        let mut item = item.to_vec();
        item[PREAMBLE + 8..PREAMBLE + 12].copy_from_slice(&u32::MAX.to_be_bytes());
        let sum = checksum(&item).to_be_bytes();
        item[PREAMBLE..PREAMBLE + 8].copy_from_slice(&sum);
        assert_eq!(Envelope::read(&item.into(), usize::MAX), None);
    }
}

//! How a cell is written in Redis.
//!
//! One letter for the state, one digit for the version of this encoding, then numbers of 8 bytes, most
//! significant byte first:
//!
//! | state | bytes |
//! |---|---|
//! | filled | `F2` token, incarnation, fingerprint, flags (1 byte), epoch if flag 1, presence if flag 2, payload |
//! | leased | `L2` token, incarnation |
//! | fenced | `W1` and for each holder: writer, deadline in milliseconds on the server's clock |
//! | epoch | `E1` number |
//!
//! An empty cell is a missing key. A filled or leased cell expires with its key, a fence with its last holder,
//! an epoch when no lease has used it for a day. Whatever doesn't parse counts as empty, for a server may hold
//! anything under our names, and so do a lease and an entry of another incarnation of the server.

use std::time::Duration;

use bytes::{Buf, Bytes};

use crate::entry::{Entry, Epoch, Fingerprint, Token};

/// The number under which leases and entries are stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Incarnation(pub(super) u64);

/// A longer cell is neither written nor read. The scripts know this number too.
pub(super) const LONGEST_CELL: usize = 16 << 20;

/// A longer time to live is cut to this: ten years, far from where the server's arithmetic overflows. The
/// scripts know this number too.
pub(super) const LONGEST_TTL: Duration = Duration::from_secs(315_360_000);

const HAS_EPOCH: u8 = 1;
const HAS_PRESENCE: u8 = 2;

/// The cell of an entry, or nothing if that would be too long.
pub(super) fn encode_entry(entry: &Entry, incarnation: Incarnation) -> Option<Vec<u8>> {
    let payload = entry.payload.to_bytes();
    let mut cell = Vec::with_capacity(43 + payload.len());
    cell.extend_from_slice(b"F2");
    cell.extend_from_slice(&entry.token.0.to_be_bytes());
    cell.extend_from_slice(&incarnation.0.to_be_bytes());
    cell.extend_from_slice(&entry.fingerprint.0.to_be_bytes());
    let flag = |stamp: Option<Epoch>, flag| if stamp.is_some() { flag } else { 0 };
    cell.push(flag(entry.epoch, HAS_EPOCH) | flag(entry.presence, HAS_PRESENCE));
    for stamp in [entry.epoch, entry.presence].into_iter().flatten() {
        cell.extend_from_slice(&stamp.0.to_be_bytes());
    }
    cell.extend_from_slice(&payload);
    (cell.len() <= LONGEST_CELL).then_some(cell)
}

/// The entry in a cell, if it holds one of this incarnation.
pub(super) fn decode_entry(cell: Vec<u8>, incarnation: Incarnation) -> Option<Entry> {
    if cell.len() > LONGEST_CELL || !cell.starts_with(b"F2") {
        return None;
    }
    let mut rest = Bytes::from(cell);
    rest.advance(2);
    let token = Token(rest.try_get_u64().ok()?);
    if rest.try_get_u64().ok()? != incarnation.0 {
        return None;
    }
    let fingerprint = Fingerprint(rest.try_get_u64().ok()?);
    let flags = rest.try_get_u8().ok()?;
    if flags > HAS_EPOCH | HAS_PRESENCE {
        return None;
    }
    let mut stamp = |flag| match flags & flag {
        0 => Some(None),
        _ => rest.try_get_u64().ok().map(|number| Some(Epoch(number))),
    };
    let (epoch, presence) = (stamp(HAS_EPOCH)?, stamp(HAS_PRESENCE)?);
    Some(Entry { token, epoch, presence, fingerprint, payload: rest.into() })
}

/// The number in an epoch or presence cell, if it holds one.
pub(super) fn decode_epoch(cell: &[u8]) -> Option<Epoch> {
    cell.strip_prefix(b"E1").and_then(number).map(Epoch)
}

/// A number as the scripts hand it over.
pub(super) fn number(bytes: &[u8]) -> Option<u64> {
    bytes.try_into().ok().map(u64::from_be_bytes)
}

/// A time to live as the scripts want it.
pub(super) fn encode_ttl(ttl: Duration) -> Vec<u8> {
    ttl.min(LONGEST_TTL).as_millis().to_string().into_bytes()
}

/// Any cell.
#[cfg(feature = "testing")]
pub(super) fn decode_cell(cell: Vec<u8>, incarnation: Incarnation) -> crate::slot::Slot {
    use crate::{
        entry::Writer,
        slot::{Holder, Millis, Slot},
    };
    let holder =
        |bytes: &[u8]| Some(Holder { writer: Writer(number(&bytes[..8])?), until: number(&bytes[8..])? });
    let until = Millis::MAX;
    let leased = |cell: &[u8]| {
        let (token, kept) = cell.strip_prefix(b"L2")?.split_at_checked(8)?;
        let token = Token(number(token)?);
        (number(kept)? == incarnation.0).then_some(Slot::Leased { token, until })
    };
    let fenced = |cell: &[u8]| {
        let holders = cell.strip_prefix(b"W1").filter(|holders| holders.len() % 16 == 0)?;
        let holders: Vec<_> = holders.chunks(16).filter_map(holder).collect();
        (!holders.is_empty()).then_some(Slot::Fenced(holders))
    };
    leased(&cell)
        .or_else(|| fenced(&cell))
        .or_else(|| decode_epoch(&cell).map(Slot::Epoch))
        .or_else(|| decode_entry(cell, incarnation).map(|entry| Slot::Filled { entry, until }))
        .unwrap_or_default()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test")]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const OURS: Incarnation = Incarnation(7);

    fn entry() -> impl Strategy<Value = Entry> {
        let epoch = || proptest::option::of(any::<u64>().prop_map(Epoch));
        let payload = proptest::collection::vec(any::<u8>(), 0..40);
        (any::<u64>(), epoch(), epoch(), any::<u64>(), payload).prop_map(
            |(token, epoch, presence, fingerprint, payload)| Entry {
                token: Token(token),
                epoch,
                presence,
                fingerprint: Fingerprint(fingerprint),
                payload: Bytes::from(payload).into(),
            },
        )
    }

    proptest! {
        #[test]
        fn an_entry_survives(entry in entry()) {
            let cell = encode_entry(&entry, OURS).unwrap();
            prop_assert_eq!(decode_entry(cell.clone(), Incarnation(8)), None);
            prop_assert_eq!(decode_entry(cell, OURS), Some(entry));
        }

        #[test]
        fn a_truncated_header_is_no_entry(entry in entry(), cut in 0..43_usize) {
            let bare = Entry { payload: Bytes::new().into(), ..entry };
            let mut cell = encode_entry(&bare, OURS).unwrap();
            prop_assume!(cut < cell.len());
            cell.truncate(cut);
            prop_assert_eq!(decode_entry(cell, OURS), None);
        }

        #[test]
        fn garbage_never_panics(state in "[FLWEX][012]", rest in proptest::collection::vec(any::<u8>(), 0..40)) {
            let cell = [state.as_bytes(), &rest].concat();
            let known = [decode_entry(cell.clone(), OURS).is_some(), decode_epoch(&cell).is_some()];
            prop_assert!(known != [true, true]);
            prop_assert!(!known[0] || state == "F2");
            prop_assert!(!known[1] || (state == "E1" && rest.len() == 8));
        }
    }

    #[test]
    fn an_entry_that_is_too_long_is_neither_written_nor_read() {
        let bare = [&b"F2"[..], &[0; 8], &OURS.0.to_be_bytes(), &[0; 9]].concat();
        let mut entry = decode_entry(bare, OURS).unwrap();
        entry.payload = Bytes::from(vec![0; LONGEST_CELL]).into();
        assert_eq!(encode_entry(&entry, OURS), None);
        let mut cell = [&b"F2"[..], &[0; 8], &OURS.0.to_be_bytes()].concat();
        cell.resize(LONGEST_CELL + 1, 0);
        assert_eq!(decode_entry(cell, OURS), None);
    }
}

//! A checksum before the rows that a remote store keeps.
//!
//! A flipped bit in a number is another number: nothing else would notice. Keys need no checksum, since the
//! row that they lead to is compared with what was asked for.

use bytes::Bytes;
use cache_core::fnv;

/// The bytes of the checksum.
const LENGTH: usize = size_of::<u64>();

/// The rows behind their checksum.
pub(super) fn add(rows: &[u8]) -> Bytes {
    [&checksum(rows).to_le_bytes(), rows].concat().into()
}

/// The rows, if they are what the checksum was made of.
pub(super) fn verify(summed: &[u8]) -> Option<&[u8]> {
    let (sum, rows) = summed.split_first_chunk::<LENGTH>()?;
    (u64::from_le_bytes(*sum) == checksum(rows)).then_some(rows)
}

/// FNV-1a over words of eight bytes, the last one padded, and the length: stable across processes. Each step
/// is a bijection, so damage within one word never goes unnoticed.
fn checksum(rows: &[u8]) -> u64 {
    let (words, rest) = rows.as_chunks::<LENGTH>();
    let mut last = [0; LENGTH];
    last[..rest.len()].copy_from_slice(rest);
    let words = words.iter().chain([&last]).map(|word| u64::from_le_bytes(*word));
    fnv::continued(fnv::START, words.chain([rows.len() as u64]))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test")]
mod tests {
    use super::*;

    #[test]
    fn rows_come_back_and_damaged_ones_do_not() {
        for length in 0..40 {
            let rows: Vec<u8> = (0..length).map(|n: u8| n.wrapping_mul(7)).collect();
            let summed = add(&rows);
            assert_eq!(verify(&summed), Some(&rows[..]));
            for bit in 0..summed.len() * 8 {
                let mut damaged = summed.to_vec();
                damaged[bit / 8] ^= 1 << (bit % 8);
                assert_eq!(verify(&damaged), None, "bit {bit} of {length} bytes");
            }
            for shorter in 0..summed.len() {
                assert_eq!(verify(&summed[..shorter]), None);
            }
            assert_eq!(verify(&[&summed[..], &[0]].concat()), None);
        }
    }
}

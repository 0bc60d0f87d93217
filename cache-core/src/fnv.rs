//! FNV-1a: a hash that is the same in every process and version, as names and entries that several programs share
//! demand. (Fowler, Noll and Vo, <http://www.isthe.com/chongo/tech/comp/fnv/>.) Not for input that somebody chooses who
//! wishes for collisions.

/// Where a hash begins.
pub const START: u64 = 0xcbf2_9ce4_8422_2325;

const PRIME: u64 = 0x0100_0000_01b3;

/// Goes on with these words: bytes, in the original. Each step is a bijection.
pub fn continued(hash: u64, words: impl IntoIterator<Item = u64>) -> u64 {
    words.into_iter().fold(hash, |hash, word| (hash ^ word).wrapping_mul(PRIME))
}

/// Goes on with the bytes of a text.
pub fn continued_by_text(hash: u64, text: &str) -> u64 {
    continued(hash, text.bytes().map(u64::from))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// From the authors' own list.
    #[test]
    fn hashes_are_those_of_the_authors() {
        assert_eq!(continued_by_text(START, ""), 0xcbf2_9ce4_8422_2325);
        assert_eq!(continued_by_text(START, "a"), 0xaf63_dc4c_8601_ec8c);
        assert_eq!(continued_by_text(START, "foobar"), 0x8594_4171_f739_67e8);
    }
}

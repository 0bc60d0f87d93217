//! Which of a cluster's nodes has a name.

use redis::Value;

/// So many parts a cluster divides all names into.
const SLOTS: usize = 16384;

/// A name's slot: a hash of what stands between its first braces, or of all of it.
pub(super) fn slot(name: &str) -> usize {
    let tag = name.split_once('{').and_then(|(_, rest)| rest.split_once('}')).map(|(tag, _)| tag);
    let hashed = tag.filter(|tag| !tag.is_empty()).unwrap_or(name);
    usize::from(crc16(hashed.as_bytes())) % SLOTS
}

/// CRC-16/XMODEM.
fn crc16(bytes: &[u8]) -> u16 {
    bytes.iter().fold(0, |crc, &byte| {
        let shift = |crc: u16, _| if crc & 0x8000 == 0 { crc << 1 } else { crc << 1 ^ 0x1021 };
        (0..8).fold(crc ^ u16::from(byte) << 8, shift)
    })
}

/// Which master has which slots.
pub(super) struct SlotMap(Vec<Range>);

struct Range {
    first: usize,
    last: usize,
    master: String,
}

impl SlotMap {
    /// What a node at `host` answers to `CLUSTER SLOTS`, if it knows of any node.
    pub(super) fn read(answer: &Value, host: &str) -> Option<Self> {
        let Value::Array(ranges) = answer else { return None };
        let ranges: Vec<_> = ranges.iter().filter_map(|range| Range::read(range, host)).collect();
        (!ranges.is_empty()).then_some(SlotMap(ranges))
    }

    pub(super) fn master(&self, slot: usize) -> Option<&str> {
        let range = self.0.iter().find(|range| (range.first..=range.last).contains(&slot))?;
        Some(&range.master)
    }

    /// Each once.
    pub(super) fn masters(&self) -> Vec<&str> {
        let mut masters: Vec<_> = self.0.iter().map(|range| range.master.as_str()).collect();
        masters.sort_unstable();
        masters.dedup();
        masters
    }
}

impl Range {
    fn read(range: &Value, asked: &str) -> Option<Self> {
        let Value::Array(parts) = range else { return None };
        let [Value::Int(first), Value::Int(last), Value::Array(master), ..] = &parts[..] else { return None };
        let [host, Value::Int(port), ..] = &master[..] else { return None };
        let host = match host {
            Value::BulkString(host) => std::str::from_utf8(host).ok()?,
            _ => "",
        };
        // A node that does not know its own name is the one that was asked.
        let host = if host.is_empty() || host == "?" { asked } else { host };
        let master = format!("{host}:{port}");
        Some(Range { first: usize::try_from(*first).ok()?, last: usize::try_from(*last).ok()?, master })
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test")]
mod tests {
    use super::*;

    /// As Redis documents it, and answers to `CLUSTER KEYSLOT`.
    #[test]
    fn names_with_the_same_text_between_braces_have_one_slot() {
        assert_eq!(crc16(b"123456789"), 0x31c3);
        assert_eq!(slot("foo"), 12182);
        assert_eq!(slot("a{foo}b{bar}"), 12182);
        assert_eq!(slot("shop:1:g{:key}"), slot("shop:2:g{:key}"));
        assert_eq!(slot("foo{}{bar}"), usize::from(crc16(b"foo{}{bar}")) % SLOTS);
        assert_eq!(slot("foo{{bar}}"), usize::from(crc16(b"{bar")) % SLOTS);
        assert_eq!(slot("foo{bar"), usize::from(crc16(b"foo{bar")) % SLOTS);
    }

    fn range(first: i64, last: i64, host: Value, port: i64) -> Value {
        Value::Array(vec![Value::Int(first), Value::Int(last), Value::Array(vec![host, Value::Int(port)])])
    }

    #[test]
    fn a_map_names_the_master_of_each_slot() {
        let host = Value::BulkString(b"10.0.0.2".to_vec());
        let answer = Value::Array(vec![
            range(0, 100, Value::Nil, 7000),
            range(101, 200, host, 7001),
            range(300, 300, Value::Nil, 7000),
        ]);
        let map = SlotMap::read(&answer, "10.0.0.1").unwrap();
        assert_eq!(map.master(100), Some("10.0.0.1:7000"));
        assert_eq!(map.master(101), Some("10.0.0.2:7001"));
        assert_eq!(map.master(201), None);
        assert_eq!(map.masters(), ["10.0.0.1:7000", "10.0.0.2:7001"]);
        assert!(SlotMap::read(&Value::Array(Vec::new()), "host").is_none());
        assert!(SlotMap::read(&Value::Int(1), "host").is_none());
    }
}

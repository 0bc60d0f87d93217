//! Names of cells: canonical, injective, bounded.
//!
//! Every process that shares a store must give one row one name, so this file is the only one that
//! builds names. For a table `t` of a namespace `ns`:
//!
//! | cell | name |
//! |---|---|
//! | row slot | `{ns:t.s}:<primary key>`, `s` = hash of the key mod [`SHARDS`] |
//! | table epoch | `{ns:t.s}` for every shard `s` |
//! | all slot | `{ns:t.all}` |
//! | presence | `{ns:t.here}` |
//! | alias | `{ns:t.u}:<unique key>:<values>` |
//! | schema | `{ns}:schema`, one for the namespace |
//! | record | `{ns}:schema:<who looked>` |
//!
//! The braces are Redis Cluster's hash tag: a row and its shard's epoch live on one node.

use std::{fmt, sync::Arc};

use sha2::{Digest, Sha256};

/// Epoch cells of one table. Part of the shared naming: two processes that disagreed on it would not fence
/// each other's rows.
pub const SHARDS: u64 = 8;

/// A row key longer than this is named by its hash.
const LONGEST_PLAIN_KEY: usize = 120;

/// The name of one cell in a store. Cheap to clone.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Key(Arc<str>);

impl Key {
    /// The name as text: printable ASCII, without white space, at most a few hundred bytes long.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<String> for Key {
    fn from(name: String) -> Self {
        Key(name.into())
    }
}

impl std::borrow::Borrow<str> for Key {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Who owns a set of names in a store: a prefix and a version.
///
/// Two applications, or two databases, that share a store need two namespaces. Raise the version to leave
/// every old entry behind.
///
/// ```
/// use cache_core::key::Namespace;
/// assert_eq!(Namespace::new("shop")?.with_version(2).to_string(), "shop.2");
/// assert!(Namespace::new("").is_err());
/// # Ok::<(), cache_core::key::InvalidNamespace>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Namespace {
    prefix: String,
    version: u32,
}

/// A namespace prefix that is empty, longer than 64 bytes, or has characters other than ASCII letters,
/// digits, `_` and `-`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("namespace {0:?} is not usable: give 1 to 64 ASCII letters, digits, `_` or `-`")]
pub struct InvalidNamespace(String);

impl Namespace {
    /// A namespace with version 1.
    ///
    /// # Errors
    /// [`InvalidNamespace`] when the prefix could be confused with another part of a key.
    pub fn new(prefix: impl Into<String>) -> Result<Self, InvalidNamespace> {
        let prefix = prefix.into();
        let plain = |c: u8| c.is_ascii_alphanumeric() || c == b'_' || c == b'-';
        if prefix.is_empty() || prefix.len() > 64 || !prefix.bytes().all(plain) {
            return Err(InvalidNamespace(prefix));
        }
        Ok(Namespace { prefix, version: 1 })
    }

    /// The same prefix under another version.
    pub fn with_version(mut self, version: u32) -> Self {
        self.version = version;
        self
    }

    /// The cell that holds the schema's generation.
    pub fn schema(&self) -> Key {
        format!("{{{self}}}:schema").into()
    }

    /// Where is kept what the schema looked like to `viewer`, valid under the generation that it was seen in.
    pub fn schema_record(&self, viewer: &str) -> Address {
        let mut slot = format!("{{{self}}}:schema:");
        RowKey::default().with_text(viewer).append_bounded(&mut slot);
        Address { slot: slot.into(), epoch: Some(self.schema()), presence: None }
    }
}

impl fmt::Display for Namespace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.prefix, self.version)
    }
}

/// The canonical form of a key's values: equal for two spellings exactly when they name the same row.
///
/// Parts are tagged by their first character, so that values of different types never meet, and joined by
/// commas, which no part contains.
///
/// ```
/// use cache_core::key::RowKey;
/// let key = RowKey::default().with_integer(-3).with_text("a,b");
/// assert_eq!(key.as_str(), "-3,~a%2cb");
/// ```
#[derive(Clone, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RowKey(String);

impl RowKey {
    /// Appends an integer of any width.
    pub fn with_integer(self, value: i128) -> Self {
        self.part(|out| out.push_str(&value.to_string()))
    }

    /// Appends a truth value.
    pub fn with_bool(self, value: bool) -> Self {
        self.part(|out| out.push(if value { 't' } else { 'f' }))
    }

    /// Appends text, compared byte by byte.
    pub fn with_text(self, value: &str) -> Self {
        self.part(|out| {
            out.push('~');
            escape(value, out);
        })
    }

    /// Appends bytes.
    pub fn with_bytes(self, value: &[u8]) -> Self {
        self.part(|out| {
            out.push('x');
            hex(value, out);
        })
    }

    /// The key in full, however long: what an absent entry carries and what a hit compares.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Takes back a key that was written with [`as_str`](Self::as_str), for instance the target of an alias.
    /// Any text is accepted: a hit compares the row's own key in any case.
    pub fn from_text(text: impl Into<String>) -> Self {
        RowKey(text.into())
    }

    fn part(mut self, write: impl FnOnce(&mut String)) -> Self {
        if !self.0.is_empty() {
            self.0.push(',');
        }
        write(&mut self.0);
        self
    }

    fn shard(&self) -> u64 {
        // FNV-1a: stable across processes and versions, as the shared naming demands.
        let hash = self.0.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        });
        hash % SHARDS
    }

    /// Appends the key, or the hash of a long one: a hit compares in full, so a collision costs a miss.
    fn append_bounded(&self, out: &mut String) {
        if self.0.len() <= LONGEST_PLAIN_KEY {
            out.push_str(&self.0);
        } else {
            out.push('#');
            hex(&Sha256::digest(self.0.as_bytes())[..16], out);
        }
    }
}

impl fmt::Debug for RowKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The cells of one slot: the slot itself and the cells that decide whether its entry is valid.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address {
    /// Where the entry is.
    pub slot: Key,
    /// The epoch cell that the entry is valid under; `None` where every write fences the slot itself.
    pub epoch: Option<Key>,
    /// The presence cell that stamps absent entries; `None` where a slot is never absent.
    pub presence: Option<Key>,
}

/// The names of one table's cells, built once per table.
#[derive(Clone, Debug)]
pub struct TableKeys {
    stem: String,
    epochs: Vec<Key>,
    all: Key,
    presence: Key,
}

impl TableKeys {
    /// The cells of `table` inside `namespace`. Tables are named without their schema and without regard to
    /// case, so that every process reaches the same cells however its entities spell the name.
    pub fn new(namespace: &Namespace, table: &str) -> Self {
        let mut stem = format!("{{{namespace}:");
        escape(&table.to_lowercase(), &mut stem);
        stem.push('.');
        TableKeys {
            epochs: (0..SHARDS).map(|shard| format!("{stem}{shard}}}").into()).collect(),
            all: format!("{stem}all}}").into(),
            presence: format!("{stem}here}}").into(),
            stem,
        }
    }

    /// The schema's own: a change of it fences the schema cell as a write to a whole table fences that table's.
    pub(crate) fn of_schema(namespace: &Namespace) -> Self {
        let cell = namespace.schema();
        let stem = format!("{{{namespace}:.");
        TableKeys { stem, epochs: vec![cell.clone()], all: cell.clone(), presence: cell }
    }

    /// Where the row with this primary key is cached.
    pub fn row(&self, key: &RowKey) -> Address {
        let epoch = self.epochs[key.shard() as usize].clone();
        let mut slot = String::with_capacity(epoch.as_str().len() + 1 + key.0.len().min(LONGEST_PLAIN_KEY));
        slot.push_str(epoch.as_str());
        slot.push(':');
        key.append_bounded(&mut slot);
        Address { slot: slot.into(), epoch: Some(epoch), presence: Some(self.presence.clone()) }
    }

    /// Where the alias of a unique key is cached; `columns` names the key.
    pub fn alias(&self, columns: &str, values: &RowKey) -> Address {
        let mut slot = format!("{}u}}:", self.stem);
        escape(columns, &mut slot);
        slot.push(':');
        values.append_bounded(&mut slot);
        Address { slot: slot.into(), epoch: None, presence: Some(self.presence.clone()) }
    }

    /// Where the result of `find().all()` is cached.
    pub fn all(&self) -> Address {
        Address { slot: self.all.clone(), epoch: None, presence: None }
    }

    /// The presence cell: "which rows exist".
    pub fn presence(&self) -> &Key {
        &self.presence
    }

    /// Every cell that a write to the whole table fences: all epochs, the all slot, presence.
    pub fn whole(&self) -> impl Iterator<Item = &Key> {
        self.epochs.iter().chain([&self.all, &self.presence])
    }
}

/// Writes `text` so that it holds ASCII letters, digits and `_ - .` as they are and every other byte as `%xx`.
fn escape(text: &str, out: &mut String) {
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.') {
            out.push(byte as char);
        } else {
            out.push('%');
            hex(&[byte], out);
        }
    }
}

fn hex(bytes: &[u8], out: &mut String) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    for byte in bytes {
        out.push(DIGITS[usize::from(byte >> 4)] as char);
        out.push(DIGITS[usize::from(byte & 15)] as char);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn table() -> TableKeys {
        TableKeys::new(&Namespace::new("shop").expect("a valid prefix"), "Prod\"uct")
    }

    #[test]
    fn a_row_and_its_epoch_share_one_hash_tag() {
        let at = table().row(&RowKey::default().with_integer(42));
        let epoch = at.epoch.expect("rows have an epoch");
        assert_eq!(at.slot.as_str(), format!("{}:42", epoch.as_str()));
        assert!(epoch.as_str().starts_with("{shop.1:prod%22uct."));
    }

    #[test]
    fn a_long_key_is_named_by_its_hash() {
        let long = RowKey::default().with_text(&"x".repeat(10_000_000));
        assert!(table().row(&long).slot.as_str().len() < 100);
        assert_ne!(table().row(&long).slot, table().row(&long.clone().with_bool(true)).slot);
    }

    #[test]
    fn cells_of_a_table_never_collide_with_those_of_another() {
        let namespace = Namespace::new("shop").expect("a valid prefix");
        let dotted = TableKeys::new(&namespace, "a.all");
        let plain = TableKeys::new(&namespace, "a");
        assert!(dotted.whole().all(|cell| plain.whole().all(|other| cell != other)));
    }

    #[derive(Clone, Debug, PartialEq)]
    enum Part {
        Integer(i128),
        Bool(bool),
        Text(String),
        Bytes(Vec<u8>),
    }

    fn parts() -> impl Strategy<Value = Vec<Part>> {
        let part = prop_oneof![
            any::<i64>().prop_map(|v| Part::Integer(v.into())),
            any::<bool>().prop_map(Part::Bool),
            "[a-c,%~]{0,3}".prop_map(Part::Text),
            proptest::collection::vec(any::<u8>(), 0..3).prop_map(Part::Bytes),
        ];
        proptest::collection::vec(part, 1..4)
    }

    fn key(parts: &[Part]) -> RowKey {
        parts.iter().fold(RowKey::default(), |key, part| match part {
            Part::Integer(v) => key.with_integer(*v),
            Part::Bool(v) => key.with_bool(*v),
            Part::Text(v) => key.with_text(v),
            Part::Bytes(v) => key.with_bytes(v),
        })
    }

    proptest! {
        #[test]
        fn keys_are_injective(a in parts(), b in parts()) {
            prop_assert_eq!(a == b, key(&a) == key(&b));
        }

        #[test]
        fn cell_names_are_printable_and_bounded(text in ".{0,400}") {
            let slot = table().row(&RowKey::default().with_text(&text)).slot;
            prop_assert!(slot.as_str().len() <= 200);
            prop_assert!(slot.as_str().bytes().all(|b| b.is_ascii_graphic()));
        }
    }
}

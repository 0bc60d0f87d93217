//! Names of cells: canonical, injective, bounded.
//!
//! Every process that shares a store must give one row one name, so this file is the only one that
//! builds names. For a table `t` (`schema.table`) of a namespace, and `ns` = [`LAYOUT`]`/`namespace:
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

use crate::fnv;

/// The number of this way to name cells and to write them. Part of every name, so that two versions of this crate
/// that disagree never meet in a cell: raise it whenever either changes.
pub const LAYOUT: u32 = 2;

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

    /// What every name of a cell in this namespace begins with, after an opening brace. No prefix has a `/`, so
    /// names of two layouts are never equal.
    pub fn stem(&self) -> String {
        self.in_layout(LAYOUT)
    }

    /// The cell that holds the schema's generation.
    pub fn schema(&self) -> Key {
        format!("{{{}}}:schema", self.stem()).into()
    }

    /// Where is kept what the schema looked like to `viewer`, valid under the generation that it was seen in.
    pub fn schema_record(&self, viewer: &str) -> Address {
        let mut slot = format!("{{{}}}:schema:", self.stem());
        RowKey::default().with_text(viewer).append_bounded(&mut slot);
        Address { slot: slot.into(), epoch: Some(self.schema()), presence: None }
    }

    fn in_layout(&self, layout: u32) -> String {
        format!("{layout}/{self}")
    }
}

impl fmt::Display for Namespace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.prefix, self.version)
    }
}

/// No name of a table is longer: each of its two parts has at most 255 characters of four bytes, escaped.
const LONGEST_NAME: usize = 2 * 255 * 4 * 3 + 1;

/// The name of a table as the database's catalogue has it: one text for one table, whoever asks and by whatever
/// route, and different for two tables.
///
/// ```
/// use cache_core::key::QualifiedName;
/// assert_eq!(QualifiedName::new("public", "product").as_str(), "public.product");
/// assert_ne!(QualifiedName::new("a.b", "c"), QualifiedName::new("a", "b.c"));
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct QualifiedName(String);

impl QualifiedName {
    /// The table of a schema, both spelled as in the catalogue.
    pub fn new(schema: &str, table: &str) -> Self {
        let mut name = String::with_capacity(schema.len() + 1 + table.len());
        escape_name(schema, &mut name);
        name.push('.');
        escape_name(table, &mut name);
        QualifiedName(name)
    }

    /// Takes back a name that was written with [`as_str`](Self::as_str). `None` for a text that can't be one.
    pub fn read(text: &str) -> Option<Self> {
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'%' | b'.');
        let is_name = !text.is_empty() && text.len() <= LONGEST_NAME && text.bytes().all(allowed);
        is_name.then(|| QualifiedName(text.to_owned()))
    }

    /// `schema.table`: printable ASCII, without white space.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A table in no schema, where there are none.
impl From<&str> for QualifiedName {
    fn from(table: &str) -> Self {
        let mut name = String::with_capacity(table.len());
        escape_name(table, &mut name);
        QualifiedName(name)
    }
}

impl fmt::Display for QualifiedName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
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
        fnv::continued_by_text(fnv::START, &self.0) % SHARDS
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
    /// The cells of `table` inside `namespace`.
    pub fn new(namespace: &Namespace, table: impl Into<QualifiedName>) -> Self {
        TableKeys::with_stem(&namespace.stem(), &table.into())
    }

    fn with_stem(namespace: &str, table: &QualifiedName) -> Self {
        let stem = format!("{{{namespace}:{table}.");
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
        let stem = format!("{{{}:.", namespace.stem());
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

/// The same for a part of a name: a dot ends it.
fn escape_name(text: &str, out: &mut String) {
    for (number, part) in text.split('.').enumerate() {
        out.push_str(if number > 0 { "%2e" } else { "" });
        escape(part, out);
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
    use std::collections::HashSet;

    use super::*;
    use proptest::prelude::*;

    fn table() -> TableKeys {
        TableKeys::new(&namespace(), QualifiedName::new("public", "prod\"uct"))
    }

    fn namespace() -> Namespace {
        Namespace::new("shop").expect("a valid prefix")
    }

    #[test]
    fn a_row_and_its_epoch_share_one_hash_tag() {
        let at = table().row(&RowKey::default().with_integer(42));
        let epoch = at.epoch.expect("rows have an epoch");
        assert_eq!(at.slot.as_str(), format!("{}:42", epoch.as_str()));
        assert!(epoch.as_str().starts_with("{2/shop.1:public.prod%22uct."));
    }

    #[test]
    fn a_long_key_is_named_by_its_hash() {
        let long = RowKey::default().with_text(&"x".repeat(10_000_000));
        assert!(table().row(&long).slot.as_str().len() < 100);
        assert_ne!(table().row(&long).slot, table().row(&long.clone().with_bool(true)).slot);
    }

    #[test]
    fn cells_of_a_table_never_collide_with_those_of_another() {
        let names = [("a", "b.c"), ("a.b", "c"), ("a", "b"), ("a", "b.all"), ("A", "b"), ("", "a.b")];
        let tables = names.map(|(schema, table)| QualifiedName::new(schema, table));
        let mut cells = HashSet::new();
        for table in tables.into_iter().chain(["a.b".into(), "a".into()]) {
            let keys = TableKeys::new(&namespace(), table);
            assert!(keys.whole().all(|cell| cells.insert(cell.clone())), "{cells:?}");
        }
    }

    /// Also where the names differ in nothing but the layout, and where a prefix tries to look like one.
    #[test]
    fn two_layouts_never_read_each_others_cells() {
        let name = QualifiedName::new("public", "product");
        let mut cells = HashSet::new();
        for prefix in ["shop", "2-shop", "2"] {
            let namespace = Namespace::new(prefix).expect("a valid prefix");
            // The first layout had no number.
            let stems = [namespace.to_string(), namespace.in_layout(LAYOUT), namespace.in_layout(LAYOUT + 1)];
            for stem in stems {
                let keys = TableKeys::with_stem(&stem, &name);
                let key = RowKey::default().with_integer(7);
                let slots = [keys.row(&key).slot, keys.alias("sku", &key).slot];
                for cell in keys.whole().cloned().chain(slots) {
                    assert!(cells.insert(cell.clone()), "{cell:?} belongs to two");
                }
            }
        }
        assert!(Namespace::new("2/shop").is_err());
    }

    #[derive(Clone, Debug, PartialEq)]
    enum KeyPart {
        Integer(i128),
        Bool(bool),
        Text(String),
        Bytes(Vec<u8>),
    }

    fn parts() -> impl Strategy<Value = Vec<KeyPart>> {
        let part = prop_oneof![
            any::<i64>().prop_map(|v| KeyPart::Integer(v.into())),
            any::<bool>().prop_map(KeyPart::Bool),
            "[a-c,%~]{0,3}".prop_map(KeyPart::Text),
            proptest::collection::vec(any::<u8>(), 0..3).prop_map(KeyPart::Bytes),
        ];
        proptest::collection::vec(part, 1..4)
    }

    fn key(parts: &[KeyPart]) -> RowKey {
        parts.iter().fold(RowKey::default(), |key, part| match part {
            KeyPart::Integer(v) => key.with_integer(*v),
            KeyPart::Bool(v) => key.with_bool(*v),
            KeyPart::Text(v) => key.with_text(v),
            KeyPart::Bytes(v) => key.with_bytes(v),
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

//! Under which names a backend keeps the values of a cache, its generation and its tags.
//!
//! For a cache with prefix `p` and version `v`, in its generation `g`:
//!
//! | what | name |
//! |---|---|
//! | generation | `p:v:generation`, a cell |
//! | value or counter | `p:v:g{:key}` |
//! | value under a long key | `p:v:g{#hash}`, and the key in full beside the value, up to 4 KiB |
//! | made by a key function | `p::g{=made}`, or `p::g{#hash}` |
//! | promise beside a value | `p:v:g{!key}` |
//! | tag | `p:v:g{@tag}`, a cell |
//!
//! The generation is part of the names, so that whatever was there before `clear` is found no more: values, counters, tags.
//! The braces are Redis Cluster's hash tag: all versions of a key live on one node, and can be renamed there.

use std::{fmt, sync::Arc};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use sha2::{Digest, Sha256};

/// No name is longer: memcached's limit.
pub const LONGEST_NAME: usize = 250;

/// A prefix of more bytes, escaped, is refused.
pub(crate) const LONGEST_PREFIX: usize = 80;

/// A longer key is not kept beside its value: of 256 bits, two keys never have the same hash.
const LONGEST_KEY_BESIDE: usize = 4096;

/// The name of one item in a backend: printable ASCII without white space, at most [`LONGEST_NAME`] bytes. Cheap to clone.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Name {
    text: Arc<str>,
    is_cell: bool,
}

impl Name {
    /// A name as it stands, for the tests of a backend: the cache makes its own.
    ///
    /// # Panics
    /// If it is no name: empty, too long, or with other characters than printable ASCII.
    pub fn new(text: String, is_cell: bool) -> Self {
        assert!(is_name(&text), "{text:?} is no name");
        Name::made(text, is_cell)
    }

    fn made(text: String, is_cell: bool) -> Self {
        debug_assert!(is_name(&text), "{text:?} is no name");
        Name { text: text.into(), is_cell }
    }

    /// The name of a tag as it was stored beside a value, of a generation whose names begin with `stem`.
    pub(crate) fn of_tag(text: &str, stem: &str) -> Option<Self> {
        let within = text.strip_prefix(stem)?;
        let is_tag = (within.starts_with("{@") || within.starts_with("{#")) && within.ends_with('}');
        (is_tag && is_name(text)).then(|| Name { text: text.into(), is_cell: true })
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether it names a cell, that is a number on which the validity of values depends: small, read with every such value.
    /// Never read from a replica, and not evicted for want of room where that can be helped.
    pub fn is_cell(&self) -> bool {
        self.is_cell
    }

    /// Whether it names the cell of a generation, of which there is one for each prefix and version: losing it loses all values.
    /// The other cells are those of tags, which may be many: losing one loses its values.
    pub fn is_generation(&self) -> bool {
        self.is_cell && !self.text.ends_with('}')
    }
}

fn is_name(text: &str) -> bool {
    (1..=LONGEST_NAME).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic())
}

impl fmt::Debug for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// The generation of a cache: random, never reused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Generation(pub(crate) u64);

/// Makes a key of prefix, version and the application's key.
pub type KeyFunction = Arc<dyn Fn(&str, i64, &str) -> String + Send + Sync>;

/// How one view of a cache names what it keeps. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Naming {
    prefix: Arc<str>,
    version: i64,
    function: Option<KeyFunction>,
    /// What all names begin with that share a generation.
    stem: Arc<str>,
    /// The cell of the generation.
    cell: Name,
}

impl fmt::Debug for Naming {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Naming { prefix, version, function, .. } = self;
        let mut shown = f.debug_struct("Naming");
        shown.field("prefix", prefix).field("version", version);
        shown.field("function", &function.as_ref().map(|_| "..")).finish()
    }
}

/// A prefix that is longer than 80 bytes as it is stored.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "the key prefix is too long: give at most 80 bytes, of which each that is no ASCII letter, digit or sign counts three"
)]
pub struct PrefixTooLong;

impl Naming {
    pub(crate) fn new(
        prefix: &str,
        version: i64,
        function: Option<KeyFunction>,
    ) -> Result<Self, PrefixTooLong> {
        let escaped = escaped(prefix, ":");
        if escaped.len() > LONGEST_PREFIX {
            return Err(PrefixTooLong);
        }
        Ok(Naming::of(prefix.into(), &escaped, version, function))
    }

    fn of(prefix: Arc<str>, escaped: &str, version: i64, function: Option<KeyFunction>) -> Self {
        let stem = match function {
            // The version is the function's to use.
            Some(_) => format!("{escaped}::"),
            None => format!("{escaped}:{version}:"),
        };
        let cell = Name::made(format!("{stem}generation"), true);
        Naming { prefix, version, function, stem: stem.into(), cell }
    }

    pub(crate) fn version(&self) -> i64 {
        self.version
    }

    pub(crate) fn with_version(&self, version: i64) -> Self {
        self.changed(version, self.function.clone())
    }

    pub(crate) fn with_prefix(&self, prefix: &str) -> Result<Self, PrefixTooLong> {
        Naming::new(prefix, self.version, self.function.clone())
    }

    pub(crate) fn with_function(&self, function: KeyFunction) -> Self {
        self.changed(self.version, Some(function))
    }

    fn changed(&self, version: i64, function: Option<KeyFunction>) -> Self {
        Naming::of(self.prefix.clone(), &escaped(&self.prefix, ":"), version, function)
    }

    /// The cell of the generation.
    pub(crate) fn generation(&self) -> &Name {
        &self.cell
    }

    /// What all names of a generation begin with, but the cell itself.
    pub(crate) fn stem_of(&self, generation: Generation) -> String {
        format!("{}{}", self.stem, URL_SAFE_NO_PAD.encode(generation.0.to_be_bytes()))
    }

    /// The name of a value. Where it is a hash, the key stands in the value too: see [`stands_beside`](Self::stands_beside).
    pub(crate) fn value(&self, generation: Generation, key: &str) -> Name {
        let mark = if self.function.is_some() { '=' } else { ':' };
        self.keyed(generation, mark, key)
    }

    /// The name of a promise that stands beside the value.
    pub(crate) fn promise(&self, generation: Generation, key: &str) -> Name {
        self.keyed(generation, '!', key)
    }

    fn keyed(&self, generation: Generation, mark: char, key: &str) -> Name {
        let key = match &self.function {
            Some(function) => escaped(&function(&self.prefix, self.version, key), "#"),
            None => escaped(key, "#"),
        };
        Name::made(bounded(self.stem_of(generation), mark, &key), false)
    }

    /// The name of a tag.
    pub(crate) fn tag(&self, generation: Generation, tag: &str) -> Name {
        Name::made(bounded(self.stem_of(generation), '@', &escaped(tag, "#")), true)
    }

    /// Whether the key is kept beside the value, because its name is a hash. A very long one is told by its hash alone.
    pub(crate) fn stands_beside(name: &Name, key: &str) -> bool {
        key.len() <= LONGEST_KEY_BESIDE && name.as_str().contains("{#")
    }
}

/// The text between braces, or its hash if that would be too long.
fn bounded(stem: String, mark: char, text: &str) -> String {
    let plain = stem.len() + text.len() + 3 <= LONGEST_NAME;
    if plain {
        return format!("{stem}{{{mark}{text}}}");
    }
    let hash = Sha256::new().chain_update([mark as u8]).chain_update(text).finalize();
    format!("{stem}{{#{}}}", URL_SAFE_NO_PAD.encode(hash))
}

/// The text in printable ASCII without white space, braces or any of `marks`. Injective.
fn escaped(text: &str, marks: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        let plain = byte.is_ascii_graphic() && !b"%{}".contains(&byte) && !marks.as_bytes().contains(&byte);
        if plain {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02x}"));
        }
    }
    out
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const GENERATION: Generation = Generation(7);

    fn text() -> impl Strategy<Value = String> {
        prop_oneof!["[a1:{}%#@!= ]{0,4}", ".{0,12}", "[ab]{240,260}"]
    }

    fn naming(prefix: &str, version: i64) -> Naming {
        Naming::new(prefix, version, None).unwrap()
    }

    proptest! {
        #[test]
        fn names_are_injective(
            prefixes in ("[a1:{}%#]{0,3}", "[a1:{}%#]{0,3}"),
            versions in (0..3_i64, 0..3_i64),
            keys in (text(), text()),
        ) {
            let one = naming(&prefixes.0, versions.0);
            let two = naming(&prefixes.1, versions.1);
            let same = prefixes.0 == prefixes.1 && versions.0 == versions.1;
            prop_assert_eq!(one.generation() == two.generation(), same);
            let same = same && keys.0 == keys.1;
            prop_assert_eq!(one.value(GENERATION, &keys.0) == two.value(GENERATION, &keys.1), same);
            prop_assert_eq!(one.tag(GENERATION, &keys.0) == two.tag(GENERATION, &keys.1), same);
        }

        #[test]
        fn what_is_kept_for_one_key_has_names_of_its_own(key in text(), other in text()) {
            let naming = naming("p", 1);
            let names = [
                naming.value(GENERATION, &key),
                naming.tag(GENERATION, &other),
                naming.promise(GENERATION, &key),
                naming.generation().clone(),
            ];
            for (at, name) in names.iter().enumerate() {
                prop_assert!(names[at + 1..].iter().all(|other| other != name), "{:?}", name);
                prop_assert!(name.as_str().len() <= LONGEST_NAME);
                prop_assert!(name.as_str().bytes().all(|byte| byte.is_ascii_graphic()));
            }
            prop_assert!(names[3].is_generation() && !names[1].is_generation() && names[1].is_cell());
        }

        /// All versions of a key are on one node of a cluster.
        #[test]
        fn the_hash_tag_leaves_the_version_out(key in text(), versions in any::<(i64, i64)>()) {
            let tag = |version| {
                let name = naming("p", version).value(GENERATION, &key);
                let text = name.as_str().to_owned();
                let within = text.split_once('{').unwrap().1;
                within.split_once('}').unwrap().0.to_owned()
            };
            prop_assert!(!tag(versions.0).is_empty());
            // Of two versions whose lengths differ, one may leave no room for a key that the other has room for.
            prop_assume!(key.len() < 120 || versions.0.to_string().len() == versions.1.to_string().len());
            prop_assert_eq!(tag(versions.0), tag(versions.1));
        }
    }

    #[test]
    fn long_prefixes_are_refused() {
        assert!(Naming::new(&"x".repeat(80), i64::MIN, None).is_ok());
        assert!(Naming::new(&"x".repeat(81), 1, None).is_err());
        assert!(Naming::new(&"ä".repeat(14), 1, None).is_err());
        let longest = Naming::new(&"x".repeat(80), i64::MIN, None).unwrap();
        for key in ["", "key", &"k".repeat(1000)] {
            assert!(longest.value(GENERATION, key).as_str().len() <= LONGEST_NAME);
        }
    }
}

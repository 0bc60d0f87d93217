//! Names of cells, taken apart.

use std::fmt;

use cache_orm::Namespace;

/// A cell of a table, by its name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct CellName {
    /// What stands before the table: layout, prefix and version.
    pub stem: String,
    /// The schema as the catalogue has it.
    pub schema: String,
    /// The table as the catalogue has it.
    pub table: String,
    /// What of the table.
    pub place: Place,
}

/// Which cell of its table.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    /// The row with this canonical primary key.
    Row(String),
    /// The result of `find().all()`.
    All,
    /// The alias of a unique key: its columns, joined by commas, and its canonical values.
    Alias(String, String),
    /// The epoch of this shard.
    Epoch(String),
    /// The presence epoch.
    Presence,
}

impl CellName {
    /// Takes a name apart. `None` for a cell that is not a table's.
    pub fn read(name: &str) -> Option<Self> {
        let (tag, rest) = name.strip_prefix('{')?.split_once('}')?;
        let (stem, cell) = tag.split_once(':')?;
        let (table, kind) = cell.rsplit_once('.')?;
        let (schema, table) = table.split_once('.').unwrap_or(("", table));
        let place = match (kind, rest.strip_prefix(':')) {
            ("all", None) => Place::All,
            ("u", Some(key)) => {
                let (columns, values) = key.split_once(':')?;
                Place::Alias(unescaped(columns)?, values.to_owned())
            }
            ("here", None) => Place::Presence,
            (_, Some(key)) => Place::Row(key.to_owned()),
            (shard, None) => Place::Epoch(shard.to_owned()),
        };
        Some(CellName { stem: stem.to_owned(), schema: unescaped(schema)?, table: unescaped(table)?, place })
    }

    /// The namespace, if it has this prefix.
    pub(super) fn namespace(&self, prefix: &str) -> Option<Namespace> {
        let (found, version) = self.stem.split_once('/')?.1.rsplit_once('.')?;
        let namespace = (found == prefix).then(|| Namespace::new(prefix).ok())?;
        Some(namespace?.with_version(version.parse().ok()?))
    }
}

/// As tests speak of it: `product 1`, `all of product`, `product by sku ~A-1`.
impl fmt::Display for CellName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let table = &self.table;
        match &self.place {
            Place::Row(key) => write!(f, "{table} {key}"),
            Place::All => write!(f, "all of {table}"),
            Place::Alias(columns, values) => write!(f, "{table} by {columns} {values}"),
            Place::Epoch(shard) => write!(f, "epoch {shard} of {table}"),
            Place::Presence => write!(f, "presence of {table}"),
        }
    }
}

/// What was written with `%xx` for the bytes that names do not hold.
pub(super) fn unescaped(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, after @ ..] = rest {
        let (byte, after) = match (first, after) {
            (b'%', [high, low, after @ ..]) => (hex(&[*high, *low])?.pop()?, after),
            _ => (*first, after),
        };
        bytes.push(byte);
        rest = after;
    }
    String::from_utf8(bytes).ok()
}

/// The bytes of pairs of hexadecimal digits.
pub(super) fn hex(digits: &[u8]) -> Option<Vec<u8>> {
    let pair = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok();
    digits.chunks(2).map(pair).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use cache_core::key::{QualifiedName, RowKey, TableKeys};

    #[test]
    fn names_are_taken_apart_as_they_were_put_together() {
        let namespace = Namespace::new("shop").expect("a valid prefix").with_version(3);
        let table = TableKeys::new(&namespace, QualifiedName::new("pub.lic", "Odd \"table`"));
        let key = RowKey::default().with_integer(-3).with_text("ä,b");
        let row = table.row(&key);
        for (name, expected) in [
            (&row.slot, "Odd \"table` -3,~%c3%a4%2cb"),
            (&table.all().slot, "all of Odd \"table`"),
            (&table.alias("name,Größe", &key).slot, "Odd \"table` by name,Größe -3,~%c3%a4%2cb"),
            (table.presence(), "presence of Odd \"table`"),
        ] {
            let cell = CellName::read(name.as_str()).expect("it is a table's");
            assert_eq!(cell.to_string(), expected);
            assert_eq!(cell.schema, "pub.lic");
            assert_eq!(cell.namespace("shop"), Some(namespace.clone()));
            assert_eq!(cell.namespace("sho"), None);
        }
        let epoch = row.epoch.and_then(|epoch| CellName::read(epoch.as_str()));
        assert!(matches!(epoch.map(|cell| cell.place), Some(Place::Epoch(_))));
        for other in [namespace.schema(), namespace.schema_record("me").slot] {
            assert_eq!(CellName::read(other.as_str()), None, "{other:?}");
        }
    }
}

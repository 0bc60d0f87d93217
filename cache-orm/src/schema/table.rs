//! A table and its columns, as far as they decide what may be cached.

use std::collections::{BTreeSet, HashMap};

use cache_core::key::QualifiedName;

/// What tells tables apart here: schema and name in lower case, because a statement may spell them in any. Names of
/// databases hold no NUL.
pub(super) type Id = String;

pub(super) fn id(schema: &str, name: &str) -> Id {
    format!("{}\0{}", schema.to_lowercase(), name.to_lowercase())
}

/// A table, or what answers to a table's name.
#[derive(Debug)]
pub(crate) struct TableSchema {
    /// Whether its rows change only by statements that name it.
    pub(crate) kind: TableKind,
    /// A rollback undoes what was written to it. False for MySQL engines such as MyISAM.
    pub(crate) transactional: bool,
    /// Postgres: policies may show different rows to different users.
    pub(crate) row_security: bool,
    /// A trigger, a rewrite rule or a view's definition may carry a write of it to any other table, or
    /// change other columns of the row than the statement assigns.
    pub(crate) writes_elsewhere: bool,
    /// A read of it may change other tables: it is a view, or has a policy, that calls a function which may write.
    pub(crate) writes_when_read: bool,
    /// What its cells are named by. Its schema is a database for MySQL, and `main` for SQLite.
    pub(crate) name: QualifiedName,
    /// Other tables whose names differ from its own only in case.
    pub(super) namesakes: Vec<QualifiedName>,
    pub(super) id: Id,
    pub(super) columns: HashMap<String, Column>,
    pub(super) unique: Vec<BTreeSet<String>>,
}

impl TableSchema {
    /// A table without columns, triggers or row security, whose writes roll back.
    pub(super) fn new(schema: &str, name: &str, kind: TableKind) -> Self {
        TableSchema {
            name: QualifiedName::new(schema, name),
            namesakes: Vec::new(),
            id: id(schema, name),
            kind,
            transactional: true,
            row_security: false,
            writes_elsewhere: false,
            writes_when_read: false,
            columns: HashMap::new(),
            unique: Vec::new(),
        }
    }

    /// True for an ordinary table, the only kind that may be cached.
    pub(crate) fn is_plain(&self) -> bool {
        self.kind == TableKind::Plain
    }

    /// True if a write to it may change tables that foreign keys and inheritance don't tell: a trigger writes to any
    /// table, a view to those below it.
    pub(crate) fn carries_on(&self) -> bool {
        self.writes_elsewhere || matches!(self.kind, TableKind::Other(_))
    }

    /// Its name without the schema, in lower case.
    pub(crate) fn bare(&self) -> &str {
        self.id.split_once('\0').map_or(&self.id, |(_, name)| name)
    }

    /// Every name that a statement may mean by its own.
    pub(crate) fn names(&self) -> impl Iterator<Item = &QualifiedName> {
        [&self.name].into_iter().chain(&self.namesakes)
    }

    /// The column of this name, in whatever case. Known for plain tables.
    pub(crate) fn column(&self, name: &str) -> Option<&Column> {
        self.columns.get(&name.to_lowercase())
    }

    /// True if the database lets at most one row have given (non-null) values in `columns`, by the columns'
    /// own equality: a primary key or a unique index covers them, or some of them.
    ///
    /// What does not count: an index on expressions, on prefixes, on some of the rows, not yet valid, under
    /// another collation than the column's, or with a column that changes without being assigned.
    pub(crate) fn is_unique(&self, columns: &[impl AsRef<str>]) -> bool {
        let columns: BTreeSet<String> = columns.iter().map(|column| column.as_ref().to_lowercase()).collect();
        self.unique.iter().any(|key| key.is_subset(&columns))
    }
}

impl TableSchema {
    /// True if a key that makes rows unique holds the column: an update that assigns it may make a key appear.
    pub(crate) fn is_key_column(&self, column: &str) -> bool {
        self.unique.iter().any(|key| key.contains(&column.to_lowercase()))
    }
}

/// Whether a table's rows change only by statements that name the table, or a table that reaches it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TableKind {
    /// An ordinary table of this database.
    Plain,
    /// A table that is never cached, and why; but what a write to it reaches is known as for an ordinary one.
    Apart(&'static str),
    /// Anything else, and what it is: never cached, and a write to it may be one to anything.
    Other(&'static str),
}

/// A column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Column {
    /// How its values compare.
    pub(crate) kind: ColumnKind,
    /// It may hold NULL. True in doubt.
    pub(crate) nullable: bool,
    /// This connection's user may read it.
    pub(crate) readable: bool,
    /// Generated from other columns, or renewed by every update: it changes without being assigned.
    pub(crate) changes_by_itself: bool,
    /// Postgres: the collation that the column was given, if it is not the database's own. Two columns with two
    /// such collations can't be compared.
    pub(crate) collation: Option<u32>,
}

/// How the database compares a column's values for equality, and so which written values name a slot: the
/// values listed with each kind do; any other value (text for an integer column, say) is converted by rules
/// of the database's own and names none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ColumnKind {
    /// Integers of every width, by value. SQLite and MySQL take a truth value for 0 or 1.
    Integer,
    /// Truth values. Postgres stores nothing else. SQLite's declared `boolean` and MySQL's `tinyint(1)`,
    /// which is what SeaORM declares for `bool`, store integers: there `true` equals 1, `false` equals 0, and
    /// integers other than these may occur and equal neither.
    Bool,
    /// UUIDs, as their 16 bytes: Postgres' `uuid`, MySQL's `binary(16)`, and on SQLite a type that has
    /// `uuid` in its name, where SeaORM binds a UUID as 16 bytes, which SQLite never converts. On MySQL and
    /// SQLite a byte string of 16 bytes is the same value. Text is not.
    Uuid,
    /// Byte strings of any length, byte by byte. On MySQL and SQLite, a UUID is its 16 bytes. Text is not the
    /// same value as the bytes that spell it.
    Bytes,
    /// Text.
    Text(TextEquality),
    /// Compared in some other way, converted when stored, or not known: such a column names no slot.
    Other,
}

/// When two texts are equal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TextEquality {
    /// When their bytes are.
    Bytewise,
    /// When their bytes are, after trailing spaces (U+0020 only) are removed: MySQL's `utf8mb4_bin`.
    PaddedBytewise,
    /// By rules of a collation or type: case, accents, padding and more may not matter.
    Loose,
}

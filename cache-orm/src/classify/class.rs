//! What a text does, from the narrowest to the widest.

/// A table's name as a statement writes it: without quotes, in lower case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct TableName {
    /// What stands before it, if anything does: the schema, which is MySQL's database.
    pub(crate) schema: Option<String>,
    pub(crate) name: String,
}

impl TableName {
    pub(crate) fn new(schema: Option<&str>, name: &str) -> Self {
        TableName { schema: schema.map(str::to_lowercase), name: name.to_lowercase() }
    }

    /// For a write to nobody knows which table: no table is called this.
    pub(crate) fn of_any() -> Self {
        TableName { schema: None, name: "\0".to_owned() }
    }
}

/// A column's name, without quotes, in lower case.
pub(crate) type ColumnName = String;

/// What one SQL text does, from the narrowest to the widest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Class {
    /// Changes nothing.
    Read(ReadClass),
    /// Changes rows of these tables, and nothing else. Never empty; one table may occur several times.
    Write(Vec<TableWrite>),
    /// Changes nothing by itself, but commits the transaction that it is in: MySQL's `ANALYZE TABLE`, `FLUSH`.
    Commits,
    /// Changes the schema: anything cached may be wrong, and what was learned of the schema is old. On MySQL
    /// it commits the transaction that it is in.
    Schema,
    /// May do anything, such as change the schema or end the transaction.
    Unknown,
    /// The same, and the text shows a change of the schema.
    UnknownSchema,
    /// Controls the transaction, or changes what later statements on this connection mean; and may do
    /// anything besides. A raw COMMIT makes earlier writes visible, and so does `LOCK TABLES` on MySQL.
    Session,
}

/// How a statement reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum ReadClass {
    /// A query.
    Select,
    /// SHOW, EXPLAIN, VACUUM and others that leave every row as it is.
    Other,
    /// A query that locks rows: `FOR UPDATE`, `FOR SHARE`, `LOCK IN SHARE MODE`.
    Locking,
}

/// One table that a statement writes, and how.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct TableWrite {
    pub(crate) table: TableName,
    pub(crate) kind: WriteKind,
    /// Conditions that every affected row fulfils. Empty: any row may be affected.
    pub(crate) keys: Vec<Equality>,
    /// How the statement itself tells which rows it affects, if it can.
    pub(crate) returning: Option<Returning>,
}

impl TableWrite {
    /// A write of rows that nothing is known about.
    pub(crate) fn of_any_row(table: TableName, kind: WriteKind) -> Self {
        TableWrite { table, kind, keys: Vec::new(), returning: None }
    }
}

/// What a statement does to the rows of a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum WriteKind {
    /// Only adds rows, unless the table itself says otherwise (SQLite's `UNIQUE ON CONFLICT REPLACE`).
    Insert,
    /// Adds rows, and changes others or deletes them.
    Upsert {
        /// At least the columns that are assigned to rows that were there, where that is all that happens to
        /// them. `None`: they may be deleted, or changed in any way.
        assigned: Option<Vec<ColumnName>>,
    },
    /// Changes rows.
    Update {
        /// At least the columns that are assigned.
        assigned: Vec<ColumnName>,
    },
    /// Deletes rows.
    Delete,
    /// Deletes every row.
    Truncate {
        /// Also those of the tables that refer to this one, transitively.
        cascade: bool,
    },
}

/// A condition `column = parameter`, as the statement's values have it: before any change that it makes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Equality {
    pub(crate) column: ColumnName,
    /// Zero-based index into the statement's values.
    pub(crate) parameter: usize,
}

/// How a statement itself tells which rows it affects. Known for a text that is one UPDATE or DELETE with a
/// WHERE, or one INSERT with ON CONFLICT … DO UPDATE, of one table, on Postgres or SQLite.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Returning {
    pub(crate) columns: ReturnedColumns,
}

/// What the result of a write holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum ReturnedColumns {
    /// Nothing: `RETURNING` and columns may be appended to the text.
    None,
    /// The named columns, at these positions among others. Positions, because an alias may lie.
    At(Vec<(usize, ColumnName)>),
    /// Every column, under its own name.
    All,
}

//! The database of the model: two rows, changed only by commits.

use std::fmt;

/// One committed snapshot. A row is absent or has a value, which no two writes share, and a unique column.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Database(u8);

/// One row, or "no such row", in four bits. A single number, so that it fits a payload of one byte.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Row(u8);

pub(crate) const ROWS: [u8; 2] = [0, 1];

impl Row {
    pub(crate) const ABSENT: Row = Row(0);

    pub(crate) fn new(value: u8, unique: u8) -> Row {
        assert!(value < 7 && unique < 2, "a row has four bits");
        Row(1 + value * 2 + unique)
    }

    pub(crate) fn from_code(code: u8) -> Row {
        Row(code & 15)
    }

    pub(crate) fn code(self) -> u8 {
        self.0
    }

    pub(crate) fn value(self) -> Option<u8> {
        self.0.checked_sub(1).map(|bits| bits / 2)
    }

    pub(crate) fn unique(self) -> Option<u8> {
        self.0.checked_sub(1).map(|bits| bits % 2)
    }
}

impl fmt::Debug for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.value(), self.unique()) {
            (Some(value), Some(unique)) => write!(f, "(v{value}, u{unique})"),
            _ => f.write_str("absent"),
        }
    }
}

impl Database {
    pub(crate) fn new(rows: [Row; 2]) -> Database {
        Database(rows[0].0 | rows[1].0 << 4)
    }

    pub(crate) fn from_code(code: u8) -> Database {
        Database(code)
    }

    pub(crate) fn code(self) -> u8 {
        self.0
    }

    pub(crate) fn row(self, row: u8) -> Row {
        Row(self.0 >> (4 * row) & 15)
    }

    /// The primary key of the row with this unique value.
    pub(crate) fn find_unique(self, unique: u8) -> Option<u8> {
        ROWS.into_iter().find(|row| self.row(*row).unique() == Some(unique))
    }

    fn with(self, row: u8, new: Row) -> Database {
        let mut rows = [self.row(0), self.row(1)];
        rows[usize::from(row)] = new;
        Database::new(rows)
    }
}

/// What one writer does, in one transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Write {
    /// By primary key.
    Update(u8),
    /// By primary key, spelled otherwise than the row itself spells it.
    UpdateMisspelled(u8),
    /// Two statements by primary key.
    UpdateBoth,
    /// `UPDATE … SET …` over the whole table.
    UpdateAll,
    /// Row and unique value; the database chooses the primary key.
    Insert(u8, u8),
    /// By primary key.
    Delete(u8),
    /// By primary key; assigns the unique column.
    AssignUnique(u8, u8),
}

impl Write {
    /// The snapshot after the commit; `None` if a unique column would hold one value twice. `value` is the
    /// writer's own.
    pub(crate) fn commit(self, before: Database, value: u8) -> Option<Database> {
        let update = |database: Database, row: u8| match database.row(row).unique() {
            Some(unique) => database.with(row, Row::new(value, unique)),
            None => database,
        };
        let after = match self {
            Write::Update(row) | Write::UpdateMisspelled(row) => update(before, row),
            Write::UpdateBoth | Write::UpdateAll => update(update(before, 0), 1),
            Write::Insert(row, unique) | Write::AssignUnique(row, unique) => {
                before.with(row, Row::new(value, unique))
            }
            Write::Delete(row) => before.with(row, Row::ABSENT),
        };
        let [first, second] = ROWS.map(|row| after.row(row).unique());
        (first.is_none() || first != second).then_some(after)
    }
}

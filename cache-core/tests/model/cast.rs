//! Small casts of actors. Each is explored to the end; together they cover every kind of read and write.

use crate::{
    database::{Database, ROWS, Row, Write},
    reader::How,
    rules::Rule,
    store::Cell,
};

/// Who takes part.
#[derive(Clone, Copy)]
pub(crate) struct Cast {
    pub(crate) name: &'static str,
    /// The rows at the start; `None` is "no such row". Row 0 has the unique value 0, row 1 has 1.
    pub(crate) rows: [bool; 2],
    /// One writer each.
    pub(crate) writes: &'static [Write],
    /// One reader each.
    pub(crate) asks: &'static [Ask],
    /// Earlier calls have filled every slot.
    pub(crate) warm: bool,
    /// Rows may be absent: the presence cell takes part.
    pub(crate) absence: bool,
    /// How many entries, leases and epochs may be evicted or expire.
    pub(crate) evictions: u8,
    /// Fences may be lost while their write is undecided.
    pub(crate) fences_get_lost: bool,
    /// A call over several cells reaches them in any order, not only in that of the contract.
    pub(crate) any_order: bool,
    /// What must happen in some schedule, or the cast shows nothing.
    pub(crate) happens: &'static [How],
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ask {
    /// By primary key.
    Row(u8),
    /// By unique key.
    Unique(u8),
    /// Both rows in one call, each from its own slot.
    Both,
    /// The whole table, from the all slot.
    All,
}

impl Ask {
    /// The slot that the call looks up first; `None` if there are several.
    pub(crate) fn first_slot(self) -> Option<Cell> {
        match self {
            Ask::Row(row) => Some(Cell::Row(row)),
            Ask::Unique(unique) => Some(Cell::Alias(unique)),
            Ask::All => Some(Cell::All),
            Ask::Both => None,
        }
    }

    /// The answer that the database gives in one snapshot.
    pub(crate) fn answer(self, database: Database) -> u8 {
        match self {
            Ask::Row(row) => database.row(row).code(),
            Ask::Unique(unique) => {
                database.find_unique(unique).map_or(Row::ABSENT, |row| database.row(row)).code()
            }
            Ask::Both | Ask::All => database.code(),
        }
    }
}

impl Cast {
    pub(crate) fn database(&self) -> Database {
        let row = |row: u8| {
            if self.rows[usize::from(row)] { Row::new(0, row) } else { Row::ABSENT }
        };
        Database::new(ROWS.map(row))
    }

    pub(crate) fn ask(&self, reader: usize) -> Ask {
        self.asks[reader]
    }

    pub(crate) fn fences_the_epoch(&self) -> bool {
        self.writes.contains(&Write::UpdateAll)
    }

    /// The cells that some reader may look at.
    pub(crate) fn cells(&self) -> Vec<Cell> {
        let mut cells = Vec::new();
        for ask in self.asks {
            match ask {
                Ask::Row(row) => cells.push(Cell::Row(*row)),
                Ask::Unique(unique) => cells.extend([Cell::Row(0), Cell::Row(1), Cell::Alias(*unique)]),
                Ask::Both => cells.extend([Cell::Row(0), Cell::Row(1)]),
                Ask::All => cells.push(Cell::All),
            }
        }
        if self.fences_the_epoch() && cells.iter().any(|cell| cell.has_epoch()) {
            cells.push(Cell::Epoch);
        }
        if self.absence {
            cells.push(Cell::Presence);
        }
        cells.sort();
        cells.dedup();
        cells
    }
}

const CAST: Cast = Cast {
    name: "",
    rows: [true, true],
    writes: &[],
    asks: &[],
    warm: false,
    absence: false,
    evictions: 1,
    fences_get_lost: false,
    any_order: false,
    happens: &[],
};

const ROW: Cast = Cast {
    name: "one row, two updates",
    writes: &[Write::Update(0), Write::Update(0)],
    asks: &[Ask::Row(0), Ask::Row(0)],
    happens: &[How::Hit, How::Joined, How::Superseded],
    ..CAST
};

const BULK: Cast = Cast {
    name: "one row, an update and an update of all",
    writes: &[Write::Update(0), Write::UpdateAll],
    ..ROW
};

const WARM_BULK: Cast = Cast {
    name: "two warm rows, an update of all",
    writes: &[Write::UpdateAll],
    asks: &[Ask::Row(1), Ask::Row(0)],
    warm: true,
    evictions: 2,
    happens: &[How::Hit, How::Filled],
    ..CAST
};

const MISSPELLED: Cast = Cast {
    name: "one row, an update and one by another spelling of its key",
    writes: &[Write::Update(0), Write::UpdateMisspelled(0)],
    ..ROW
};

const ABSENT: Cast = Cast {
    name: "an absent row, an insert and a delete",
    rows: [false, false],
    writes: &[Write::Insert(0, 0), Write::Delete(0)],
    asks: &[Ask::Row(0), Ask::Row(0)],
    absence: true,
    happens: &[How::Hit, How::AbsentHit, How::Joined, How::Superseded],
    ..CAST
};

const BOTH: Cast = Cast {
    name: "both rows in one call, a transaction of two updates",
    writes: &[Write::UpdateBoth, Write::Update(1)],
    asks: &[Ask::Both, Ask::Row(0)],
    warm: true,
    happens: &[How::Hit, How::Validated, How::Loaded],
    ..CAST
};

const BOTH_BULK: Cast =
    Cast { name: "both rows in one call, an update of all", writes: &[Write::UpdateAll], ..BOTH };

const BOTH_ABSENT: Cast = Cast {
    name: "a row and an absent row in one call, an insert and an update",
    rows: [true, false],
    writes: &[Write::Insert(1, 1), Write::Update(0)],
    absence: true,
    ..BOTH
};

const ALL: Cast = Cast {
    name: "all(), an insert and an update",
    rows: [true, false],
    writes: &[Write::Insert(1, 1), Write::Update(0)],
    asks: &[Ask::All, Ask::All],
    ..ROW
};

const ALIAS: Cast = Cast {
    name: "a unique value that moves to another row, asked for twice",
    rows: [true, false],
    writes: &[Write::AssignUnique(0, 1), Write::Insert(1, 0)],
    asks: &[Ask::Unique(0), Ask::Unique(0)],
    warm: true,
    absence: true,
    happens: &[How::AliasHit, How::AbsentHit, How::Joined, How::Superseded],
    ..CAST
};

const ALIAS_AND_ROW: Cast = Cast {
    name: "a unique value that moves to another row, and the row",
    asks: &[Ask::Unique(0), Ask::Row(0)],
    happens: &[How::AliasHit, How::Hit, How::Joined, How::Superseded],
    ..ALIAS
};

const LOST: Cast = Cast {
    name: "fences get lost: an update and an update of all",
    evictions: 0,
    fences_get_lost: true,
    ..BULK
};

const ANY_ORDER: Cast = Cast {
    name: "calls reach their cells in any order: an update of all",
    writes: &[Write::UpdateAll],
    any_order: true,
    ..ROW
};

const ANY_ORDER_ABSENT: Cast = Cast {
    name: "calls reach their cells in any order: an insert",
    writes: &[Write::Insert(0, 0)],
    any_order: true,
    happens: &[How::Hit, How::AbsentHit, How::Joined],
    ..ABSENT
};

/// Explored by every run of the tests.
pub(crate) const CASTS: [Cast; 14] = [
    ROW,
    BULK,
    WARM_BULK,
    MISSPELLED,
    ABSENT,
    BOTH,
    BOTH_BULK,
    BOTH_ABSENT,
    ALL,
    ALIAS,
    ALIAS_AND_ROW,
    ANY_ORDER,
    ANY_ORDER_ABSENT,
    LOST,
];

/// Explored when the environment variable `CACHE_TEST_LONG` is set: minutes and gigabytes, in a release build.
pub(crate) const LARGE_CASTS: [Cast; 7] = [
    Cast {
        name: "one row, three updates",
        writes: &[Write::Update(0), Write::Update(0), Write::Update(0)],
        ..ROW
    },
    Cast {
        name: "one row, two updates, three readers",
        asks: &[Ask::Row(0), Ask::Row(0), Ask::Row(0)],
        ..ROW
    },
    Cast {
        name: "an absent row, an insert, a delete and an update of all",
        writes: &[Write::Insert(0, 0), Write::Delete(0), Write::UpdateAll],
        evictions: 0,
        ..ABSENT
    },
    Cast {
        name: "a row and an absent row in one call, an insert and an update of all",
        writes: &[Write::Insert(1, 1), Write::UpdateAll],
        ..BOTH_ABSENT
    },
    Cast {
        name: "a unique value and its row, cold, three readers",
        rows: [true, true],
        writes: &[Write::AssignUnique(0, 0), Write::Delete(0)],
        asks: &[Ask::Unique(0), Ask::Unique(0), Ask::Row(0)],
        warm: false,
        evictions: 0,
        ..ALIAS_AND_ROW
    },
    Cast {
        name: "calls reach their cells in any order: an update and an update of all",
        writes: &[Write::Update(0), Write::UpdateAll],
        any_order: true,
        ..ROW
    },
    Cast {
        name: "calls reach their cells in any order: an insert and an update of all",
        writes: &[Write::Insert(0, 0), Write::UpdateAll],
        any_order: true,
        evictions: 0,
        ..ABSENT
    },
];

/// The cast that needs this rule.
pub(crate) fn cast_that_needs(rule: Rule) -> Cast {
    match rule {
        Rule::LeaseBeforeLoad | Rule::FenceBeforeCommit | Rule::ManyHolders => ROW,
        Rule::ReleaseOnlyWhenOutcomeKnown | Rule::TransactionsFillNothing => ROW,
        Rule::JoinAfterAcceptedFill | Rule::FlightClosesBeforeFill => ROW,
        Rule::LostFenceEmpties => LOST,
        Rule::RandomEpochs => WARM_BULK,
        Rule::PresenceStamp | Rule::PresenceBeforeLoad | Rule::JoinedAbsenceLooksAgain => ABSENT,
        Rule::FillChecksEpoch => BULK,
        Rule::ValidateMixedReads => BOTH,
        Rule::ValidateStamps => BOTH_BULK,
        Rule::AliasVerifiesItself => ALIAS_AND_ROW,
        Rule::CanonicalKeys => MISSPELLED,
    }
}

//! How a program is printed: one step on each line.

use std::fmt;

use crate::{
    program::{Op, Program, Read, ReadMany, Step},
    tables::Row,
};

impl Read {
    /// True if it is about the whole table.
    fn is_of_table(self) -> bool {
        matches!(
            self,
            Read::All
                | Read::AllOrdered { .. }
                | Read::First
                | Read::Exists
                | Read::Count
                | Read::Paginate(_)
                | Read::Stream
                | Read::IntoJsonAll
        )
    }

    /// True if nothing but the primary key matters.
    fn is_by_key(self) -> bool {
        !matches!(
            self,
            Read::ByUnique(..)
                | Read::ByIdAnd(_)
                | Read::ByIdOr(_)
                | Read::ByColumn(_)
                | Read::CountByColumn(_)
        )
    }
}

impl fmt::Debug for Op {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Op::Read(call, row) if call.is_of_table() => write!(f, "{call:?} of {}", row.table().sql()),
            Op::Read(call, row) if call.is_by_key() => {
                write!(f, "{call:?} of {} ({})", row.table().sql(), row.key())
            }
            Op::Read(call, row) => write!(f, "{call:?} of {row:?}"),
            Op::ReadMany(
                call @ (ReadMany::IdIn(_) | ReadMany::IdInNothing | ReadMany::IdInLongList),
                rows,
            ) => {
                let keys: Vec<_> = rows.iter().map(Row::key).collect();
                write!(f, "{call:?} of {} ({})", rows[0].table().sql(), keys.join("; "))
            }
            Op::ReadMany(call, rows) => write!(f, "{call:?} of {rows:?}"),
            Op::Hop(call, rows) => write!(f, "{:?} {:?} of {rows:?}", call.how, call.relation),
            Op::Graph(call, row) => write!(f, "{call:?} of {row:?}"),
            Op::RawRead(call, row) => write!(f, "raw {call:?} of {} ({})", row.table().sql(), row.key()),
            Op::Write(call, row) => write!(f, "{call:?} {row:?}"),
            Op::WriteMany(call, rows) => write!(f, "{call:?} {rows:?}"),
            Op::Nested(call, rows) => write!(f, "{call:?} {rows:?}"),
            Op::RawWrite(call, row) => write!(f, "raw {call:?} of {row:?}"),
        }
    }
}

impl fmt::Display for Program {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let settled = if self.settled { "settled before every step" } else { "never settled" };
        writeln!(f, "{} steps, {settled}:", self.steps.len())?;
        let mut depth = 0_usize;
        for (number, step) in self.steps.iter().enumerate() {
            if matches!(step, Step::End(_)) {
                depth = depth.saturating_sub(1);
            }
            write!(f, "{number:>4}  {:indent$}", "", indent = depth * 4)?;
            match step {
                Step::Begin { process, how } => writeln!(f, "process {process}: begin ({how:?})")?,
                Step::End(end) => writeln!(f, "{end:?}")?,
                Step::Call { process, op } if depth == 0 => writeln!(f, "process {process}: {op:?}")?,
                Step::Call { op, .. } => writeln!(f, "{op:?}")?,
                Step::Beside { process, op } => writeln!(f, "beside, process {process}: {op:?}")?,
                Step::BehindTheBack { op } => writeln!(f, "behind the cache's back: {op:?}")?,
            }
            if matches!(step, Step::Begin { .. }) {
                depth += 1;
            }
        }
        Ok(())
    }
}

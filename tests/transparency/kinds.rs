//! What was run: how many calls of each kind, how many of them failed, how many were answered from the cache.

use std::{collections::BTreeMap, fmt, ops::AddAssign};

use tests::Backend;

use crate::{program::Op, tables::TableName};

/// What was called so often and never hit, or never succeeded, did not miss by chance.
const OFTEN: u64 = 20;

/// Counts by kind and table.
#[derive(Clone, Debug, Default)]
pub(crate) struct Kinds {
    pub(crate) programs: u64,
    counts: BTreeMap<(String, Option<TableName>), Count>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Count {
    calls: u64,
    failed: u64,
    hits: u64,
}

impl AddAssign for Count {
    fn add_assign(&mut self, other: Count) {
        self.calls += other.calls;
        self.failed += other.failed;
        self.hits += other.hits;
    }
}

impl Kinds {
    /// `hits` counts rows, or absences, that came from the cache.
    pub(crate) fn count(&mut self, op: &Op, failed: bool, hits: u64) {
        let count = Count { calls: 1, failed: failed.into(), hits: (hits > 0).into() };
        *self.counts.entry((op.kind(), op.table())).or_default() += count;
    }

    /// Counts a beginning or an end of a transaction.
    pub(crate) fn count_mark(&mut self, kind: String, failed: bool) {
        let count = Count { calls: 1, failed: failed.into(), hits: 0 };
        *self.counts.entry((kind, None)).or_default() += count;
    }

    pub(crate) fn add(&mut self, other: &Kinds) {
        self.programs += other.programs;
        for (kind, count) in &other.counts {
            *self.counts.entry(kind.clone()).or_default() += *count;
        }
    }

    /// Reads that the cache answers, but never did in this run, by table and over all tables.
    pub(crate) fn never_hit(&self) -> Vec<String> {
        let is_dead =
            |kind: &str, count: &Count| is_answered(kind) && count.calls >= OFTEN && count.hits == 0;
        let tables = self.counts.iter().filter(|((kind, _), count)| is_dead(kind, count));
        let tables = tables.map(|((kind, table), _)| format!("{kind} {table:?}"));
        let sums = self.sums().into_iter().filter(|(kind, count)| is_dead(kind, count));
        tables.chain(sums.map(|(kind, _)| kind.to_owned())).collect()
    }

    /// Kinds that failed each time: they prove little.
    pub(crate) fn never_succeeded(&self, backend: Backend) -> Vec<String> {
        let failed =
            self.sums().into_iter().filter(|(_, count)| count.calls >= OFTEN && count.calls == count.failed);
        let failed = failed.map(|(kind, _)| kind).filter(|kind| !fails_by_nature(kind, backend));
        failed.map(str::to_owned).collect()
    }

    /// Over all tables.
    fn sums(&self) -> BTreeMap<&str, Count> {
        let mut sums: BTreeMap<&str, Count> = BTreeMap::new();
        for ((kind, _), count) in &self.counts {
            *sums.entry(kind).or_default() += *count;
        }
        sums
    }
}

/// The reads that are documented to be answered from the cache. Those that it learns to answer belong here.
fn is_answered(kind: &str) -> bool {
    matches!(kind, "ById" | "ByUnique" | "All" | "IdIn" | "UniqueIn")
}

/// Calls that a database refuses whatever its rows.
fn fails_by_nature(kind: &str, backend: Backend) -> bool {
    match kind {
        "RawSyntaxError" | "RawNotNullViolation" | "RawUniqueViolation" => true,
        // MariaDB's UPDATE knows neither RETURNING nor WITH.
        "RawUpdateQueryAll" | "RawUpdateStreamed" | "RawDataModifyingCommonTable" => {
            backend == Backend::MySql
        }
        _ => false,
    }
}

/// A table in Markdown, one line for each kind.
impl fmt::Display for Kinds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sums = self.sums();
        let calls: u64 = sums.values().map(|count| count.calls).sum();
        writeln!(f, "{} programs, {calls} calls of {} kinds\n", self.programs, sums.len())?;
        writeln!(f, "| call | calls | failed alike | with hits |\n|---|---:|---:|---:|")?;
        for (kind, Count { calls, failed, hits }) in sums {
            writeln!(f, "| {kind} | {calls} | {failed} | {hits} |")?;
        }
        Ok(())
    }
}

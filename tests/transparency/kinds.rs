//! What was run: how many calls of each kind, how many of them failed, how many were answered from the cache.

use std::{collections::BTreeMap, fmt};

use crate::{program::Op, tables::TableName};

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

impl Kinds {
    /// `hits` counts rows, or absences, that came from the cache.
    pub(crate) fn count(&mut self, op: &Op, failed: bool, hits: u64) {
        let count = self.counts.entry((op.kind(), op.table())).or_default();
        count.calls += 1;
        count.failed += u64::from(failed);
        count.hits += u64::from(hits > 0);
    }

    pub(crate) fn add(&mut self, other: &Kinds) {
        self.programs += other.programs;
        for (kind, count) in &other.counts {
            let sum = self.counts.entry(kind.clone()).or_default();
            sum.calls += count.calls;
            sum.failed += count.failed;
            sum.hits += count.hits;
        }
    }

    /// Reads that the cache answers, but never did in this run.
    pub(crate) fn never_hit(&self) -> Vec<String> {
        let missing = self.counts.iter().filter(|((kind, _), count)| is_answered(kind) && count.hits == 0);
        missing.map(|((kind, table), _)| format!("{kind} {table:?}")).collect()
    }

    /// Kinds that failed each time: they prove nothing.
    pub(crate) fn never_succeeded(&self) -> Vec<String> {
        let mut sums: BTreeMap<&str, Count> = BTreeMap::new();
        for ((kind, _), count) in &self.counts {
            let sum = sums.entry(kind).or_default();
            sum.calls += count.calls;
            sum.failed += count.failed;
        }
        let failed = sums.into_iter().filter(|(_, count)| count.calls == count.failed);
        failed.map(|(kind, _)| kind.to_owned()).collect()
    }
}

/// True for the reads that are documented to be answered from the cache.
fn is_answered(kind: &str) -> bool {
    matches!(kind, "ById" | "ByUnique" | "All")
}

/// A table in Markdown, one line for each kind.
impl fmt::Display for Kinds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut sums: BTreeMap<&str, Count> = BTreeMap::new();
        for ((kind, _), count) in &self.counts {
            let sum = sums.entry(kind).or_default();
            sum.calls += count.calls;
            sum.failed += count.failed;
            sum.hits += count.hits;
        }
        let calls: u64 = sums.values().map(|count| count.calls).sum();
        writeln!(f, "{} programs, {calls} calls of {} kinds\n", self.programs, sums.len())?;
        writeln!(f, "| call | calls | failed alike | with hits |\n|---|---:|---:|---:|")?;
        for (kind, count) in sums {
            writeln!(f, "| {kind} | {} | {} | {} |", count.calls, count.failed, count.hits)?;
        }
        Ok(())
    }
}

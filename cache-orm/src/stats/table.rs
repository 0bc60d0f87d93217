//! Statistics as a table for a terminal.

use std::fmt;

use super::{EntityStats, Stats};

/// The columns behind the table's name.
const HEADINGS: [&str; 7] = ["hits", "absent", "misses", "ratio", "fills", "fences", "bypassed"];

impl fmt::Display for Stats {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = self.entities.keys().map(|name| name.chars().count());
        let width = names.chain(["table".len()]).max().unwrap_or_default();
        write!(f, "{:<width$}", "table")?;
        for heading in HEADINGS {
            write!(f, " {heading:>8}")?;
        }
        for (name, entity) in &self.entities {
            write!(f, "\n{name:<width$}")?;
            for cell in cells(entity) {
                write!(f, " {cell:>8}")?;
            }
        }
        for (name, entity) in &self.entities {
            for (reason, count) in &entity.bypasses {
                write!(f, "\n{name}: {count} to the database: {reason}")?;
            }
            let counts = &entity.counts;
            let troubles = [
                (counts.abandoned_fences, "fences left to expire: nobody knows how their writes ended"),
                (counts.lost_fences, "fences lost before their write was decided"),
                (counts.unfenced_writes, "writes while the store could not be reached"),
                (counts.store_errors, "failed calls to the store"),
                (counts.oversized, "rows too large to be cached"),
            ];
            for (count, trouble) in troubles.into_iter().filter(|(count, _)| *count > 0) {
                write!(f, "\n{name}: {count} {trouble}")?;
            }
        }
        for (reason, count) in &self.bypasses {
            write!(f, "\nother reads: {count} to the database: {reason}")?;
        }
        if self.unknown_writes > 0 {
            write!(f, "\nwrites that invalidated everything: {}", self.unknown_writes)?;
        }
        for (text, count) in &self.unknown_texts {
            write!(f, "\n  {count} × {text}")?;
        }
        match &self.session_changed_by {
            Some(text) => write!(f, "\nswitched off by: {text}"),
            None => Ok(()),
        }
    }
}

fn cells(entity: &EntityStats) -> [String; HEADINGS.len()] {
    let counts = &entity.counts;
    let ratio = entity.hit_ratio().map_or_else(|| "-".to_owned(), |ratio| format!("{:.1} %", ratio * 100.0));
    let bypassed: u64 = entity.bypasses.values().sum();
    [
        counts.hits.to_string(),
        counts.absent_hits.to_string(),
        counts.misses.to_string(),
        ratio,
        counts.fills.to_string(),
        counts.fences.to_string(),
        bypassed.to_string(),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::classify::reason::BypassReason;

    fn stats() -> Stats {
        let mut product = EntityStats::default();
        (product.counts.hits, product.counts.misses, product.counts.fills) = (90, 9, 9);
        product.counts.store_errors = 2;
        product.bypasses.insert(BypassReason::InTransaction, 1);
        let mut stats = Stats::default();
        stats.entities.insert("product".to_owned(), product);
        stats.entities.insert("tag".to_owned(), EntityStats::default());
        stats.unknown_writes = 1;
        stats.unknown_texts.insert("CALL refresh(?)".to_owned(), 1);
        stats
    }

    #[test]
    fn statistics_are_a_table_that_fits_a_terminal() {
        let shown = stats().to_string();
        let expected = "\
table       hits   absent   misses    ratio    fills   fences bypassed
product       90        0        9   90.0 %        9        0        1
tag            0        0        0        -        0        0        0
product: 1 to the database: inside a transaction
product: 2 failed calls to the store
writes that invalidated everything: 1
  1 × CALL refresh(?)";
        assert_eq!(shown, expected);
        assert!(shown.lines().all(|line| line.chars().count() <= 80));
    }

    #[test]
    fn statistics_are_serialised_by_the_names_of_their_fields() {
        let json = serde_json::to_value(stats()).expect("numbers and names");
        assert_eq!(json["entities"]["product"]["counts"]["hits"], 90);
        assert_eq!(json["entities"]["product"]["bypasses"]["inside a transaction"], 1);
    }
}

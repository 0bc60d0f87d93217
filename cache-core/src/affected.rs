//! What a write may change.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use crate::{
    key::{Key, RowKey},
    table::Table,
};

/// What a write may change: cells to fence, by table. Only ever grows.
#[derive(Clone, Debug)]
pub struct Affected {
    tables: BTreeMap<String, Touched>,
    max_rows: usize,
}

#[derive(Clone, Debug)]
struct Touched {
    table: Arc<Table>,
    rows: BTreeSet<Key>,
    /// The all slot and presence; or every cell that stands for the whole table.
    marks: BTreeSet<Key>,
    whole: bool,
}

impl Affected {
    /// Nothing yet. More than `max_rows` rows of one table will count as the whole table; see
    /// [`Settings::max_fenced_rows`](crate::settings::Settings::max_fenced_rows).
    pub fn nothing(max_rows: usize) -> Self {
        Affected { tables: BTreeMap::new(), max_rows }
    }

    /// Nothing that is cached can change.
    pub fn is_empty(&self) -> bool {
        self.tables.is_empty()
    }

    /// The cells, in the order of the tables' names.
    pub fn cells(&self) -> impl Iterator<Item = &Key> {
        self.tables.values().flat_map(|touched| touched.rows.iter().chain(&touched.marks))
    }

    /// The names of the tables of which any row may change.
    pub fn whole_tables(&self) -> impl Iterator<Item = &str> {
        self.tables.iter().filter(|(_, touched)| touched.whole).map(|(name, _)| name.as_str())
    }

    /// Any row of the table may change.
    pub fn is_whole(&self, table: &Table) -> bool {
        self.tables.get(table.name()).is_some_and(|touched| touched.whole)
    }

    /// One row's content changes, or the row goes.
    pub fn add_row(&mut self, table: &Arc<Table>, key: &RowKey) {
        self.add(table, [table.keys().row(key).slot], [table.keys().all().slot]);
    }

    /// Rows appear, or a unique key starts to lead to a row.
    pub fn add_presence(&mut self, table: &Arc<Table>) {
        self.add(table, [], [table.keys().presence().clone(), table.keys().all().slot]);
    }

    /// Any row of the table may change, appear or go.
    pub fn add_table(&mut self, table: &Arc<Table>) {
        let touched = self.touched(table);
        touched.whole = true;
        touched.rows.clear();
        touched.marks = table.keys().whole().cloned().collect();
    }

    /// Everything that `other` affects as well.
    pub fn merge(&mut self, other: Affected) {
        for touched in other.tables.into_values() {
            if touched.whole {
                self.add_table(&touched.table);
            } else {
                self.add(&touched.table, touched.rows, touched.marks);
            }
        }
    }

    /// What this affects and `fenced` does not.
    pub fn beyond(&self, fenced: &Affected) -> Affected {
        let mut rest = self.clone();
        for (name, touched) in &mut rest.tables {
            if let Some(known) = fenced.tables.get(name) {
                touched.rows.retain(|cell| !known.whole && !known.rows.contains(cell));
                touched.marks.retain(|cell| !known.whole && !known.marks.contains(cell));
            }
        }
        rest.tables.retain(|_, touched| !touched.rows.is_empty() || !touched.marks.is_empty());
        rest
    }

    fn add(
        &mut self,
        table: &Arc<Table>,
        rows: impl IntoIterator<Item = Key>,
        marks: impl IntoIterator<Item = Key>,
    ) {
        let max_rows = self.max_rows;
        let touched = self.touched(table);
        if touched.whole {
            return;
        }
        touched.marks.extend(marks);
        touched.rows.extend(rows);
        if touched.rows.len() > max_rows {
            self.add_table(table);
        }
    }

    fn touched(&mut self, table: &Arc<Table>) -> &mut Touched {
        self.tables.entry(table.name().to_owned()).or_insert_with(|| Touched {
            table: table.clone(),
            rows: BTreeSet::new(),
            marks: BTreeSet::new(),
            whole: false,
        })
    }

    pub(crate) fn into_parts(self) -> (Vec<Key>, Vec<Arc<Table>>) {
        let mut cells = Vec::new();
        let mut tables = Vec::new();
        for touched in self.tables.into_values() {
            cells.extend(touched.rows);
            cells.extend(touched.marks);
            tables.push(touched.table);
        }
        (cells, tables)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test")]
mod tests {
    use super::*;
    use crate::key::Namespace;

    fn table() -> Arc<Table> {
        Arc::new(Table::new(&Namespace::new("shop").unwrap(), "product".into()))
    }

    fn rows(table: &Arc<Table>, ids: std::ops::Range<i32>, max_rows: usize) -> Affected {
        let mut affected = Affected::nothing(max_rows);
        for id in ids {
            affected.add_row(table, &RowKey::default().with_integer(id.into()));
        }
        affected
    }

    fn cells(affected: &Affected) -> usize {
        affected.clone().into_parts().0.len()
    }

    #[test]
    fn more_rows_than_the_limit_are_the_whole_table() {
        let table = table();
        let mut affected = rows(&table, 0..3, 3);
        affected.merge(rows(&table, 1..3, 3));
        assert!(!affected.is_whole(&table), "a row counts once");
        assert_eq!(cells(&affected), 3 + 1);
        affected.add_presence(&table);
        assert_eq!(cells(&affected), 3 + 2);
        affected.merge(rows(&table, 3..4, 3));
        assert!(affected.is_whole(&table));
        assert_eq!(cells(&affected), 8 + 2);
        assert!(rows(&table, 0..1, 0).is_whole(&table));
    }

    #[test]
    fn what_is_fenced_already_is_left_out() {
        let table = table();
        let all = rows(&table, 0..3, 10);
        assert!(all.beyond(&all).is_empty());
        assert_eq!(cells(&all.beyond(&rows(&table, 0..1, 10))), 2);
        let mut whole = Affected::nothing(10);
        whole.add_table(&table);
        assert!(all.beyond(&whole).is_empty());
        assert_eq!(cells(&whole.beyond(&all)), 8 + 1, "the all slot is fenced");
    }
}

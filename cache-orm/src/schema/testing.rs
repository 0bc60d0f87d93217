//! What was learnt, readable from outside the crate: for tests against real servers.

use std::collections::BTreeSet;

use cache_core::key::QualifiedName;
use sea_orm::{DatabaseConnection, DbErr};

use super::{Schema, TableSchema, learn};
use crate::classify::TableName;

/// What one database said about itself.
#[derive(Debug)]
pub struct LearnedSchema(Schema);

impl LearnedSchema {
    /// Asks the database.
    ///
    /// # Errors
    /// The database's own error when a catalog can't be read.
    pub async fn learn(db: &DatabaseConnection) -> Result<Self, DbErr> {
        Ok(LearnedSchema(learn(db, &BTreeSet::new()).await?))
    }

    /// Names the database.
    pub fn identity(&self) -> &str {
        &self.0.identity
    }

    /// True if the user may not see the triggers of some table.
    pub fn triggers_hidden(&self) -> bool {
        self.0.triggers_hidden
    }

    /// The kind of a table and what is special about it, as words; `None` if there is no such table.
    pub fn table(&self, table: &str) -> Option<String> {
        let table = self.found(table)?;
        let mut words = format!("{:?}", table.kind);
        for (word, applies) in [
            (" not transactional", !table.transactional),
            (" row security", table.row_security),
            (" writes elsewhere", table.writes_elsewhere),
            (" writes when read", table.writes_when_read),
        ] {
            words.push_str(if applies { word } else { "" });
        }
        Some(words)
    }

    /// True if the bare name means the table of this schema.
    pub fn is_in(&self, schema: &str, table: &str) -> bool {
        self.found(table).is_some_and(|found| found.name == QualifiedName::new(schema, table))
    }

    /// The kind of a column and what is special about it, as words; `None` if there is no such column.
    pub fn column(&self, table: &str, column: &str) -> Option<String> {
        let column = self.found(table)?.column(column)?;
        let mut words = format!("{:?}", column.kind);
        for (word, applies) in [
            (" nullable", column.nullable),
            (" changes by itself", column.changes_by_itself),
            (" not readable", !column.readable),
        ] {
            words.push_str(if applies { word } else { "" });
        }
        Some(words)
    }

    /// True if the database lets at most one row have given values in `columns`.
    pub fn is_unique(&self, table: &str, columns: &[&str]) -> bool {
        self.found(table).is_some_and(|table| table.is_unique(columns))
    }

    /// Tables that foreign keys carry a delete to, by their last names.
    pub fn reached_by_delete(&self, table: &str) -> BTreeSet<&str> {
        self.reached(table, |schema, table| schema.reached_by_delete(table))
    }

    /// Tables that foreign keys carry an update of `columns` to.
    pub fn reached_by_update(&self, table: &str, columns: &[&str]) -> BTreeSet<&str> {
        self.reached(table, |schema, table| schema.reached_by_update(table, columns))
    }

    /// Tables that foreign keys carry a replacement of rows to.
    pub fn reached_by_replace(&self, table: &str) -> BTreeSet<&str> {
        self.reached(table, |schema, table| schema.reached_by_replace(table))
    }

    /// Tables that `TRUNCATE … CASCADE` empties as well.
    pub fn reached_by_truncate(&self, table: &str) -> BTreeSet<&str> {
        self.reached(table, |schema, table| schema.reached_by_truncate(table))
    }

    /// The table of a bare name, or of `schema.name`.
    fn found(&self, table: &str) -> Option<&TableSchema> {
        let name = match table.split_once('.') {
            Some((schema, name)) => TableName::new(Some(schema), name),
            None => TableName::new(None, table),
        };
        self.0.table(&name)
    }

    fn reached<'s>(
        &'s self,
        table: &str,
        by: impl Fn(&'s Schema, &'s TableSchema) -> Vec<Option<&'s TableSchema>>,
    ) -> BTreeSet<&'s str> {
        let reached = self.found(table).map(|table| by(&self.0, table)).unwrap_or_default();
        reached.into_iter().flatten().map(TableSchema::bare).collect()
    }
}

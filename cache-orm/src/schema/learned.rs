//! What one database says about itself, as far as the cache must know it.

use std::collections::{BTreeSet, HashMap, HashSet};

use cache_core::key::QualifiedName;

use super::{
    cascades::{Cascades, Change},
    table::{Id, TableSchema, id},
};
use crate::classify::{TableName, Writers};

/// What one database says about itself.
#[derive(Debug)]
pub(crate) struct Schema {
    /// Names the database: the same after a restart and by whatever route it is reached, different for two
    /// databases. Holds no credentials.
    ///
    /// What a bare name means is no part of it: tables are named in full.
    ///
    /// - Postgres: the cluster's system identifier and the database. A copy of the data directory keeps
    ///   the system identifier: give a restored copy a namespace of its own. Where the identifier may not be
    ///   read, the server's address and the database's number stand for it.
    /// - MySQL: the server's UUID: a statement reaches every database of a server, and they are what schemas are
    ///   elsewhere. MariaDB has no UUID: host name, port and data directory stand for it, so a container that is
    ///   given a new host name is another server.
    /// - SQLite: see [`file`](super::file). A database in memory is told apart by a random number, drawn each time it is
    ///   learnt: keep the first.
    pub(crate) identity: String,
    /// MySQL, MariaDB: the user may not see the triggers of some table, which so counts as having some.
    /// `GRANT TRIGGER` on the database makes its writes exact.
    pub(crate) triggers_hidden: bool,
    /// Queries outside of transactions see rows that are not committed: MySQL at READ UNCOMMITTED, SQLite under
    /// `PRAGMA read_uncommitted`.
    pub(crate) dirty_reads: bool,
    /// Settings of the sessions that decide how the database gives a value: another session may see another one.
    pub(crate) rendering: String,
    /// Texts that are compared byte by byte are ordered by their bytes in UTF-8: SQLite, unless its encoding is
    /// another.
    pub(crate) orders_texts_by_bytes: bool,
    /// Names that a plain read must not mention.
    pub(crate) writers: Writers,
    /// MySQL, MariaDB: procedures that are known to leave the session as it is and no transaction open, by last name
    /// in lower case.
    pub(super) quiet_procedures: HashSet<String>,
    pub(super) tables: HashMap<Id, TableSchema>,
    /// What each bare name means; `None` where that depends on how it is spelled.
    pub(super) bare: HashMap<String, Option<Id>>,
    /// Where this connection looks for a table that is named without its schema.
    pub(super) path: Vec<String>,
    pub(super) cascades: Cascades,
}

impl Schema {
    /// The table that a statement on this connection means by this name. `None`: there is none, or it is not
    /// certain which, and a write to that name may change anything.
    pub(crate) fn table(&self, name: &TableName) -> Option<&TableSchema> {
        match &name.schema {
            Some(schema) => self.tables.get(&id(schema, &name.name)),
            None => self.tables.get(self.bare.get(&name.name)?.as_ref()?),
        }
    }

    /// True if no table has this name. False also where it is not certain which one has it.
    #[cfg(feature = "hooks")]
    pub(crate) fn lacks(&self, name: &TableName) -> bool {
        match &name.schema {
            Some(schema) => !self.tables.contains_key(&id(schema, &name.name)),
            None => !self.bare.contains_key(&name.name),
        }
    }

    /// The names that a table has, or would have, which a statement calls by this name.
    pub(crate) fn candidates(&self, name: &TableName) -> Vec<QualifiedName> {
        match (self.table(name), &name.schema) {
            (Some(table), _) => vec![table.name.clone()],
            (None, Some(schema)) => vec![QualifiedName::new(schema, &name.name)],
            (None, None) => self.path.iter().map(|schema| QualifiedName::new(schema, &name.name)).collect(),
        }
    }

    /// True if calling the procedure is known to leave the session as it is, and no transaction open.
    pub(crate) fn is_quiet_procedure(&self, name: &str) -> bool {
        self.quiet_procedures.contains(name)
    }

    /// Tables whose rows are also rows of `table`, or the reverse: its partitions, what it inherits from. `None`
    /// stands for one that can't be seen.
    ///
    /// What triggers of the reached tables do comes on top: ask each for [`TableSchema::writes_elsewhere`].
    pub(crate) fn reached_by_insert(&self, table: &TableSchema) -> Vec<Option<&TableSchema>> {
        self.reached(table, [Change::Insert])
    }

    /// Tables whose rows foreign keys delete or change, transitively, when rows of `table` are deleted. May
    /// include `table` itself; `None` stands for one that can't be seen.
    ///
    /// What triggers of the reached tables do comes on top: ask each for [`TableSchema::writes_elsewhere`].
    pub(crate) fn reached_by_delete(&self, table: &TableSchema) -> Vec<Option<&TableSchema>> {
        self.reached(table, [Change::Delete])
    }

    /// Tables whose rows foreign keys change, transitively, when an update of `table` assigns `columns`. A
    /// column that the table is not known to have (a spelling of SQLite's rowid, say) counts as any.
    ///
    /// What triggers of the reached tables do comes on top: ask each for [`TableSchema::writes_elsewhere`].
    pub(crate) fn reached_by_update(
        &self,
        table: &TableSchema,
        columns: &[impl AsRef<str>],
    ) -> Vec<Option<&TableSchema>> {
        let columns: BTreeSet<String> = columns.iter().map(|column| column.as_ref().to_lowercase()).collect();
        let known = table.is_plain() && columns.iter().all(|column| table.column(column).is_some());
        self.reached(table, [Change::Update(known.then_some(&columns))])
    }

    /// Tables whose rows foreign keys change, transitively, when rows of `table` are replaced: deleted, or
    /// updated in any column.
    pub(crate) fn reached_by_replace(&self, table: &TableSchema) -> Vec<Option<&TableSchema>> {
        self.reached(table, [Change::Delete, Change::Update(None)])
    }

    /// Every table with a foreign key to `table`, transitively: what `TRUNCATE … CASCADE` empties.
    pub(crate) fn reached_by_truncate(&self, table: &TableSchema) -> Vec<Option<&TableSchema>> {
        self.reached(table, [Change::Truncate])
    }

    /// All tables.
    pub(crate) fn tables(&self) -> impl Iterator<Item = &TableSchema> {
        self.tables.values()
    }

    fn reached<'c>(
        &self,
        table: &TableSchema,
        changes: impl IntoIterator<Item = Change<'c>>,
    ) -> Vec<Option<&TableSchema>> {
        let ids: BTreeSet<&str> =
            changes.into_iter().flat_map(|change| self.cascades.from(&table.id, change)).collect();
        ids.into_iter().map(|id| self.tables.get(id)).collect()
    }
}

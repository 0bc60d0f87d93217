//! What the database says about itself: learnt once per connection pool, before anything is cached.
//!
//! An entity says what its author believes of a table. Whether a key names one row, whether a write stays
//! in its table and whether a rollback undoes it are decided by the database, so it is asked: for the tables
//! and their columns ([`table`]), for what foreign keys carry a change to ([`reach`]), and for its identity.
//! Wherever the catalog leaves a doubt, the answer is the one that caches less or invalidates more.
//!
//! What can't be seen from one connection, and so is not known here:
//! - temporary tables of other sessions, which hide a table of the same name there;
//! - tables, triggers and foreign keys created later: learn again after a schema change;
//! - on MySQL and MariaDB, the definitions of views that the user may not see (SHOW VIEW);
//! - on MySQL and MariaDB, foreign keys of tables on which the user has no privilege at all. The user can't
//!   read those tables either, but a cascade that passes through one reaches further unseen. Grant the
//!   connection's user any privilege on every table that takes part in a cascade.
//! - on MySQL and MariaDB, triggers of tables on which the user has not the TRIGGER privilege, granted to
//!   the user and not by a role: those tables count as tables with triggers, and
//!   [`Schema::triggers_hidden`] says so.

mod catalogue;
mod file;
mod mysql;
mod postgres;
mod privileges;
mod procedures;
mod reach;
mod sqlite;
mod table;
#[cfg(feature = "testing")]
pub(crate) mod testing;
mod writers;

use std::collections::{BTreeSet, HashMap, HashSet, hash_map::Entry};

use cache_core::key::QualifiedName;
use sea_orm::{ConnectionTrait, DbBackend, DbErr, Statement};

use crate::classify::{TableName, Writers};
pub(crate) use catalogue::Catalogue;
use reach::{Action, Change, ForeignKey, Reach};
pub(crate) use table::{Column, ColumnKind, Kind, Table, TextEquality};

/// Asks the database what the cache must know of it. Changes nothing, and holds no connection while it asks
/// for another.
///
/// # Errors
/// The database's own error when a catalog can't be read, and [`DbErr::Custom`] for a database that is none
/// of SQLite, Postgres, MySQL and MariaDB.
///
/// `named` are the schemas that entities name: the columns of their tables are learnt, as those of tables that a
/// bare name means.
pub(crate) async fn learn(db: &impl ConnectionTrait, named: &BTreeSet<String>) -> Result<Schema, DbErr> {
    match db.get_database_backend() {
        DbBackend::Sqlite => sqlite::learn(db).await,
        DbBackend::Postgres => postgres::learn(db, named).await,
        DbBackend::MySql => mysql::learn(db, named).await,
        other => Err(DbErr::Custom(format!("the cache does not know {}", other.as_str()))),
    }
}

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
    /// - SQLite: see [`file`]. A database in memory is told apart by a random number, drawn each time it is
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
    quiet_procedures: HashSet<String>,
    tables: HashMap<Id, Table>,
    /// What each bare name means; `None` where that depends on how it is spelled.
    bare: HashMap<String, Option<Id>>,
    /// Where this connection looks for a table that is named without its schema.
    path: Vec<String>,
    reach: Reach,
}

impl Schema {
    /// The table that a statement on this connection means by this name. `None`: there is none, or it is not
    /// certain which, and a write to that name may change anything.
    pub(crate) fn table(&self, name: &TableName) -> Option<&Table> {
        match &name.schema {
            Some(schema) => self.tables.get(&id(schema, &name.name)),
            None => self.tables.get(self.bare.get(&name.name)?.as_ref()?),
        }
    }

    /// True if no table has this name. False also where it is not certain which one has it.
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
    /// What triggers of the reached tables do comes on top: ask each for [`Table::writes_elsewhere`].
    pub(crate) fn reached_by_insert(&self, table: &Table) -> Vec<Option<&Table>> {
        self.reached(table, [Change::Insert])
    }

    /// Tables whose rows foreign keys delete or change, transitively, when rows of `table` are deleted. May
    /// include `table` itself; `None` stands for one that can't be seen.
    ///
    /// What triggers of the reached tables do comes on top: ask each for [`Table::writes_elsewhere`].
    pub(crate) fn reached_by_delete(&self, table: &Table) -> Vec<Option<&Table>> {
        self.reached(table, [Change::Delete])
    }

    /// Tables whose rows foreign keys change, transitively, when an update of `table` assigns `columns`. A
    /// column that the table is not known to have (a spelling of SQLite's rowid, say) counts as any.
    ///
    /// What triggers of the reached tables do comes on top: ask each for [`Table::writes_elsewhere`].
    pub(crate) fn reached_by_update(
        &self,
        table: &Table,
        columns: &[impl AsRef<str>],
    ) -> Vec<Option<&Table>> {
        let columns: BTreeSet<String> = columns.iter().map(|column| column.as_ref().to_lowercase()).collect();
        let known = table.is_plain() && columns.iter().all(|column| table.column(column).is_some());
        self.reached(table, [Change::Update(known.then_some(&columns))])
    }

    /// Tables whose rows foreign keys change, transitively, when rows of `table` are replaced: deleted, or
    /// updated in any column.
    pub(crate) fn reached_by_replace(&self, table: &Table) -> Vec<Option<&Table>> {
        self.reached(table, [Change::Delete, Change::Update(None)])
    }

    /// Every table with a foreign key to `table`, transitively: what `TRUNCATE … CASCADE` empties.
    pub(crate) fn reached_by_truncate(&self, table: &Table) -> Vec<Option<&Table>> {
        self.reached(table, [Change::Truncate])
    }

    /// All tables.
    pub(crate) fn tables(&self) -> impl Iterator<Item = &Table> {
        self.tables.values()
    }

    fn reached<'c>(
        &self,
        table: &Table,
        changes: impl IntoIterator<Item = Change<'c>>,
    ) -> Vec<Option<&Table>> {
        let ids: BTreeSet<&str> =
            changes.into_iter().flat_map(|change| self.reach.from(&table.id, change)).collect();
        ids.into_iter().map(|id| self.tables.get(id)).collect()
    }
}

/// What tells tables apart here: schema and name in lower case, because a statement may spell them in any. Names of
/// databases hold no NUL.
type Id = String;

fn id(schema: &str, name: &str) -> Id {
    format!("{}\0{}", schema.to_lowercase(), name.to_lowercase())
}

/// A schema while its parts come in: tables first, then columns, then keys.
#[derive(Default)]
struct Draft {
    tables: HashMap<Id, Table>,
    bare: HashMap<String, Option<Id>>,
    /// Columns of each unique index, by table and index; `None` once a part turned out not to count.
    unique: HashMap<(Id, String), Option<BTreeSet<String>>>,
    foreign_keys: HashMap<String, ForeignKey>,
    kin: Vec<(Id, Id)>,
    writers: Writers,
}

/// A table as the catalogue spells it: schema and name.
type Of<'n> = [&'n str; 2];

impl Draft {
    /// Adds a table. Of two whose names differ only in case, a statement does not say which it means: so what one of
    /// them may change elsewhere counts for both.
    fn table(&mut self, table: Table) {
        match self.tables.entry(table.id.clone()) {
            Entry::Vacant(entry) => drop(entry.insert(table)),
            Entry::Occupied(mut entry) => {
                let earlier = entry.get_mut();
                earlier.kind = Kind::Other("several tables have this name");
                earlier.writes_elsewhere |= table.writes_elsewhere;
                earlier.namesakes.push(table.name);
            }
        }
    }

    /// Says that the bare name means this table.
    fn visible(&mut self, table: Of<'_>) {
        let [schema, name] = table;
        let id = id(schema, name);
        let known = self.bare.entry(name.to_lowercase()).or_insert_with(|| Some(id.clone()));
        if known.as_ref() != Some(&id) {
            *known = None;
        }
    }

    fn column(&mut self, [schema, table]: Of<'_>, name: &str, column: Column) {
        let Some(table) = self.tables.get_mut(&id(schema, table)) else {
            return;
        };
        if table.columns.insert(name.to_lowercase(), column).is_some() && table.is_plain() {
            table.kind = Kind::Other("columns differ only in case");
        }
    }

    fn column_of(&self, [schema, table]: Of<'_>, name: &str) -> Option<&Column> {
        self.tables.get(&id(schema, table))?.column(name)
    }

    /// Adds a column of a unique index. `counts`: this part makes the column's own equality unique.
    fn unique_part(&mut self, [schema, table]: Of<'_>, index: &str, column: &str, counts: bool) {
        let set =
            self.unique.entry((id(schema, table), index.to_owned())).or_insert_with(|| Some(BTreeSet::new()));
        match set {
            Some(columns) if counts => {
                columns.insert(column.to_lowercase());
            }
            _ => *set = None,
        }
    }

    /// Adds a foreign key, or one more pair of columns to it: each is schema, table and column. An empty `parent_column` is not known.
    fn foreign_key(&mut self, key: String, child: [&str; 3], parent: [&str; 3], actions: [Action; 2]) {
        let [on_delete, on_update] = actions;
        let key = self.foreign_keys.entry(key).or_insert_with(|| ForeignKey {
            child: id(child[0], child[1]),
            child_columns: BTreeSet::new(),
            parent: id(parent[0], parent[1]),
            parent_columns: Some(BTreeSet::new()),
            on_delete,
            on_update,
        });
        key.child_columns.insert(child[2].to_lowercase());
        if let Some(columns) = &mut key.parent_columns {
            columns.insert(parent[2].to_lowercase());
        }
    }

    /// Says that a write of the table may change others.
    fn writes_elsewhere(&mut self, [schema, table]: Of<'_>) {
        if let Some(table) = self.tables.get_mut(&id(schema, table)) {
            table.writes_elsewhere = true;
        }
        self.writers.tables.insert(table.to_lowercase());
    }

    /// Says that even a read of a relation may.
    fn writes_when_read(&mut self, [schema, relation]: Of<'_>) {
        if let Some(table) = self.tables.get_mut(&id(schema, relation)) {
            (table.writes_elsewhere, table.writes_when_read) = (true, true);
        }
        self.writers.relations.insert(relation.to_lowercase());
    }

    /// Says that rows of one table are rows of the other as well.
    fn kin(&mut self, one: Of<'_>, other: Of<'_>) {
        self.kin.push((id(one[0], one[1]), id(other[0], other[1])));
    }

    fn finish(mut self, identity: String, path: Vec<String>) -> Schema {
        for ((table, _), columns) in self.unique {
            let (Some(table), Some(columns)) = (self.tables.get_mut(&table), columns) else {
                continue;
            };
            // A column that changes without being assigned would move a row to another key unseen.
            if columns.iter().all(|name| table.column(name).is_some_and(|column| !column.changes_by_itself)) {
                table.unique.push(columns);
            }
        }
        let tables = self.tables;
        let assigned_only = |key: &ForeignKey| {
            tables.get(&key.parent).filter(|parent| parent.is_plain()).is_some_and(|parent| {
                let columns = key.parent_columns.iter().flatten();
                columns.map(|name| parent.column(name)).all(|it| it.is_some_and(|c| !c.changes_by_itself))
            })
        };
        let keys = self.foreign_keys.into_values().map(|key| match assigned_only(&key) {
            true => key,
            false => ForeignKey { parent_columns: None, ..key },
        });
        let reach = Reach::new(keys, self.kin);
        Schema {
            identity,
            triggers_hidden: false,
            dirty_reads: false,
            rendering: String::new(),
            orders_texts_by_bytes: false,
            writers: self.writers,
            quiet_procedures: HashSet::new(),
            tables,
            bare: self.bare,
            path,
            reach,
        }
    }
}

/// The rows of a catalog query. It casts its `N` columns to text, since servers differ in the types they
/// give to catalogs; NULL comes as the empty text.
async fn rows<const N: usize>(db: &impl ConnectionTrait, sql: &str) -> Result<Vec<[String; N]>, DbErr> {
    let found = db.query_all_raw(Statement::from_string(db.get_database_backend(), sql)).await?;
    let mut rows = Vec::with_capacity(found.len());
    for row in found {
        let mut cells = [const { String::new() }; N];
        for (index, cell) in cells.iter_mut().enumerate() {
            *cell = row.try_get_by_index::<Option<String>>(index)?.unwrap_or_default();
        }
        rows.push(cells);
    }
    Ok(rows)
}

/// A catalog query about visible tables and those of the schemas `named`, which it calls `$named`.
fn with_named(sql: &str, named: &BTreeSet<String>) -> String {
    let texts: Vec<_> = named.iter().map(|name| format!("'{}'", name.replace('\'', "''"))).collect();
    // A name with a backslash could end the text on MySQL; no schema worth the trouble has one.
    let texts = texts.into_iter().filter(|text| !text.contains('\\')).chain(["NULL".to_owned()]);
    sql.replace("$named", &texts.collect::<Vec<_>>().join(", "))
}

/// A truth value as the catalog queries write it.
fn is(flag: &str) -> bool {
    flag == "1"
}

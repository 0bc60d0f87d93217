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
mod mysql;
mod postgres;
mod privileges;
mod reach;
mod sqlite;
mod table;
#[cfg(feature = "testing")]
pub(crate) mod testing;
mod writers;

use std::collections::{BTreeSet, HashMap};

use sea_orm::{ConnectionTrait, DatabaseConnection, DbBackend, DbErr, Statement};

use crate::classify::Writers;
pub(crate) use catalogue::Catalogue;
use reach::{Action, Change, ForeignKey, Reach};
pub(crate) use table::{Column, ColumnKind, Kind, Table, TextEquality};

/// Asks the database what the cache must know of it. Changes nothing, and holds no connection while it asks
/// for another.
///
/// # Errors
/// The database's own error when a catalog can't be read, and [`DbErr::Custom`] for a database that is none
/// of SQLite, Postgres, MySQL and MariaDB.
pub(crate) async fn learn(db: &DatabaseConnection) -> Result<Schema, DbErr> {
    match db.get_database_backend() {
        DbBackend::Sqlite => sqlite::learn(db).await,
        DbBackend::Postgres => postgres::learn(db).await,
        DbBackend::MySql => mysql::learn(db).await,
        other => Err(DbErr::Custom(format!("the cache does not know {}", other.as_str()))),
    }
}

/// What one database says about itself.
#[derive(Debug)]
pub(crate) struct Schema {
    /// Names the database: the same after a restart and by whatever route it is reached, different for two
    /// databases. Holds no credentials.
    ///
    /// - Postgres: the cluster's system identifier, database and schema. A copy of the data directory keeps
    ///   the system identifier: give a restored copy a namespace of its own. Where the identifier may not be
    ///   read, the server's address and the database's number stand for it.
    /// - MySQL: the server's UUID and the database. MariaDB has no UUID: host name, port and data directory
    ///   stand for it, so a container that is given a new host name is another database.
    /// - SQLite: the file's canonical path. A database in memory is told apart by a random number, drawn
    ///   each time it is learnt: keep the first.
    pub(crate) identity: String,
    /// MySQL, MariaDB: the user may not see the triggers of some table, which so counts as having some.
    /// `GRANT TRIGGER` on the database makes its writes exact.
    pub(crate) triggers_hidden: bool,
    /// Queries outside of transactions see rows that are not committed: MySQL at READ UNCOMMITTED, SQLite under
    /// `PRAGMA read_uncommitted`.
    pub(crate) dirty_reads: bool,
    /// Texts that are compared byte by byte are ordered by their bytes in UTF-8: SQLite, unless its encoding is
    /// another.
    pub(crate) orders_texts_by_bytes: bool,
    /// Names that a plain read must not mention.
    pub(crate) writers: Writers,
    tables: HashMap<String, Table>,
    reach: Reach,
}

impl Schema {
    /// The table that a statement on this connection means by the bare name `name`, in whatever case.
    /// `None`: there is none, and a write to that name may change anything.
    pub(crate) fn table(&self, name: &str) -> Option<&Table> {
        self.table_in(None, name)
    }

    /// The same for a name that may be qualified. `None` as well if the bare name means a table of another
    /// schema.
    pub(crate) fn table_in(&self, schema: Option<&str>, name: &str) -> Option<&Table> {
        let table = self.tables.get(&name.to_lowercase())?;
        schema.is_none_or(|schema| table.schema == schema).then_some(table)
    }

    /// Tables whose rows foreign keys delete or change, transitively, when rows of `table` are deleted. By
    /// last name in lower case; may include `table` itself.
    ///
    /// What triggers of the reached tables do comes on top: ask each for [`Table::writes_elsewhere`].
    pub(crate) fn reached_by_delete(&self, table: &str) -> BTreeSet<&str> {
        self.reach.from(&table.to_lowercase(), Change::Delete)
    }

    /// Tables whose rows foreign keys change, transitively, when an update of `table` assigns `columns`. A
    /// column that the table is not known to have (a spelling of SQLite's rowid, say) counts as any.
    ///
    /// What triggers of the reached tables do comes on top: ask each for [`Table::writes_elsewhere`].
    pub(crate) fn reached_by_update(&self, table: &str, columns: &[impl AsRef<str>]) -> BTreeSet<&str> {
        let columns: BTreeSet<String> = columns.iter().map(|column| column.as_ref().to_lowercase()).collect();
        let known = self.table(table).is_some_and(|found| {
            found.is_plain() && columns.iter().all(|column| found.column(column).is_some())
        });
        self.reach.from(&table.to_lowercase(), Change::Update(known.then_some(&columns)))
    }

    /// Tables whose rows foreign keys change, transitively, when rows of `table` are replaced: deleted, or
    /// updated in any column.
    pub(crate) fn reached_by_replace(&self, table: &str) -> BTreeSet<&str> {
        let table = table.to_lowercase();
        let mut reached = self.reach.from(&table, Change::Delete);
        reached.extend(self.reach.from(&table, Change::Update(None)));
        reached
    }

    /// The names of all tables, in lower case.
    pub(crate) fn table_names(&self) -> impl Iterator<Item = &str> {
        self.tables.keys().map(String::as_str)
    }

    /// Every table with a foreign key to `table`, transitively: what `TRUNCATE … CASCADE` empties.
    pub(crate) fn reached_by_truncate(&self, table: &str) -> BTreeSet<&str> {
        self.reach.from(&table.to_lowercase(), Change::Truncate)
    }
}

/// A schema while its parts come in: tables first, then columns, then keys.
#[derive(Default)]
struct Draft {
    tables: HashMap<String, Table>,
    /// Columns of each unique index, by table and index; `None` once a part turned out not to count.
    unique: HashMap<(String, String), Option<BTreeSet<String>>>,
    foreign_keys: HashMap<String, ForeignKey>,
    kin: Vec<(String, String)>,
    writers: Writers,
}

impl Draft {
    /// Adds a table. A name stands for the one visible table that has it; but a write may name another, in
    /// another schema, by the same last name, so what one of them may change elsewhere counts for all.
    fn table(&mut self, name: &str, table: Table) {
        let name = name.to_lowercase();
        let Some(earlier) = self.tables.remove(&name) else {
            self.tables.insert(name, table);
            return;
        };
        let writes_elsewhere = earlier.writes_elsewhere || table.writes_elsewhere;
        let mut chosen = match (earlier.visible, table.visible) {
            (true, true) => Table { kind: Kind::Other("several visible tables have this name"), ..table },
            (true, false) => earlier,
            (false, _) => table,
        };
        chosen.writes_elsewhere = writes_elsewhere;
        self.tables.insert(name, chosen);
    }

    fn column(&mut self, table: &str, name: &str, column: Column) {
        let Some(table) = self.tables.get_mut(&table.to_lowercase()) else {
            return;
        };
        if table.columns.insert(name.to_lowercase(), column).is_some() && table.is_plain() {
            table.kind = Kind::Other("columns differ only in case");
        }
    }

    fn column_of(&self, table: &str, name: &str) -> Option<&Column> {
        self.tables.get(&table.to_lowercase())?.column(name)
    }

    /// Adds a column of a unique index. `counts`: this part makes the column's own equality unique.
    fn unique_part(&mut self, table: &str, index: &str, column: &str, counts: bool) {
        let set = self
            .unique
            .entry((table.to_lowercase(), index.to_owned()))
            .or_insert_with(|| Some(BTreeSet::new()));
        match set {
            Some(columns) if counts => {
                columns.insert(column.to_lowercase());
            }
            _ => *set = None,
        }
    }

    /// Adds a foreign key, or one more pair of columns to it. An empty `parent_column` is not known.
    fn foreign_key(&mut self, id: String, child: [&str; 2], parent: [&str; 2], actions: [Action; 2]) {
        let [on_delete, on_update] = actions;
        let key = self.foreign_keys.entry(id).or_insert_with(|| ForeignKey {
            child: child[0].to_lowercase(),
            child_columns: BTreeSet::new(),
            parent: parent[0].to_lowercase(),
            parent_columns: Some(BTreeSet::new()),
            on_delete,
            on_update,
        });
        key.child_columns.insert(child[1].to_lowercase());
        if let Some(columns) = &mut key.parent_columns {
            columns.insert(parent[1].to_lowercase());
        }
    }

    /// Says that a write of the table, named in lower case, may change others.
    fn writes_elsewhere(&mut self, table: String) {
        if let Some(table) = self.tables.get_mut(&table) {
            table.writes_elsewhere = true;
        }
        self.writers.tables.insert(table);
    }

    /// Says that even a read of a relation may.
    fn writes_when_read(&mut self, relation: String) {
        if let Some(table) = self.tables.get_mut(&relation) {
            (table.writes_elsewhere, table.writes_when_read) = (true, true);
        }
        self.writers.relations.insert(relation);
    }

    /// Says that rows of one table are rows of the other as well.
    fn kin(&mut self, one: &str, other: &str) {
        self.kin.push((one.to_lowercase(), other.to_lowercase()));
    }

    fn finish(mut self, identity: String) -> Schema {
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
            orders_texts_by_bytes: false,
            writers: self.writers,
            tables,
            reach,
        }
    }
}

/// The rows of a catalog query. It casts its `N` columns to text, since servers differ in the types they
/// give to catalogs; NULL comes as the empty text.
async fn rows<const N: usize>(db: &DatabaseConnection, sql: &str) -> Result<Vec<[String; N]>, DbErr> {
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

/// A truth value as the catalog queries write it.
fn is(flag: &str) -> bool {
    flag == "1"
}

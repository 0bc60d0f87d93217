//! The table: its name, its columns, and how it is made.

use std::{fmt, str::FromStr};

use sea_orm::{ConnectionTrait, DbBackend, Statement};

use super::{
    dialect::Dialect,
    error::{DatabaseError, exists},
};

/// Databases cut longer names off, PostgreSQL's first (63); the names of the indexes are longer by some letters.
const LONGEST: usize = 48;

/// A table that keeps the entries of a cache.
///
/// | column | what it holds |
/// |---|---|
/// | `name` | the [name](crate::name::Name) of the entry: the primary key. Text, so that people can read it, compared byte by byte |
/// | `hash` | 31 bits by which entries are divided into parts when there is no room; NULL is a cell, which is never evicted |
/// | `expires` | the last millisecond of its life since 1970, by the database's clock; NULL is for ever |
/// | `used` | when it was last used, in microseconds; written once a minute at most |
/// | `value` | the bytes |
///
/// There is an index on `hash` and one on `expires`.
///
/// ```no_run
/// # async fn example(db: sea_orm::DatabaseConnection) -> Result<(), Box<dyn std::error::Error>> {
/// use cache_values::backend::database::Table;
/// let table = Table::new("cache_entries")?;
/// for statement in table.statements(db.get_database_backend())? {
///     println!("{};", statement.sql); // A dry run.
/// }
/// table.create(&db).await?;
/// # Ok(()) }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Table {
    schema: Option<String>,
    name: String,
    /// What a migration that creates it is called.
    pub(super) migration: String,
}

impl Table {
    /// The table of this name, which may be `schema.table`. Quoted wherever it stands, so any name will do.
    ///
    /// # Errors
    /// [`DatabaseError::InvalidTable`] if it is empty, too long, or has more than one dot.
    pub fn new(name: impl Into<String>) -> Result<Self, DatabaseError> {
        let name = name.into();
        let (schema, table) = match name.split_once('.') {
            Some((schema, table)) => (Some(schema), table),
            None => (None, name.as_str()),
        };
        let is_part = |part: &str| (1..=LONGEST).contains(&part.len()) && !part.contains(['.', '\0']);
        if !is_part(table) || !schema.is_none_or(is_part) {
            return Err(DatabaseError::InvalidTable { name });
        }
        let migration = format!("create_cache_table_{name}");
        Ok(Table { schema: schema.map(str::to_owned), name: table.to_owned(), migration })
    }

    /// What creates the table and its indexes, where they are not there yet.
    ///
    /// # Errors
    /// [`DatabaseError::UnknownKind`] for a kind of database that this version does not know.
    pub fn statements(&self, kind: DbBackend) -> Result<Vec<Statement>, DatabaseError> {
        let dialect = Dialect::try_from(kind)?;
        let table = self.quoted(dialect);
        // Only there can an index not be asked to be created if it does not exist.
        let (name, hash, value, indexes) = match dialect {
            Dialect::Postgres => ("VARCHAR(250) COLLATE \"C\"", "INTEGER", "BYTEA", ""),
            Dialect::Sqlite => ("TEXT", "INTEGER", "BLOB", ""),
            Dialect::MySql => (
                "VARCHAR(250) CHARACTER SET ascii COLLATE ascii_bin",
                "INTEGER",
                "LONGBLOB",
                ", INDEX (hash), INDEX (expires)",
            ),
        };
        let end = if dialect == Dialect::MySql { " ENGINE=InnoDB" } else { "" };
        let mut texts = vec![format!(
            "CREATE TABLE IF NOT EXISTS {table} (name {name} NOT NULL PRIMARY KEY, hash {hash}, expires BIGINT, \
             used BIGINT NOT NULL, value {value} NOT NULL{indexes}){end}"
        )];
        for column in ["hash", "expires"].into_iter().filter(|_| indexes.is_empty()) {
            let index = dialect.quoted(&format!("{}_{column}", self.name));
            // SQLite wants the schema before the index, PostgreSQL before the table.
            texts.push(match (dialect, &self.schema) {
                (Dialect::Sqlite, Some(schema)) => format!(
                    "CREATE INDEX IF NOT EXISTS {}.{index} ON {} ({column})",
                    dialect.quoted(schema),
                    dialect.quoted(&self.name)
                ),
                _ => format!("CREATE INDEX IF NOT EXISTS {index} ON {table} ({column})"),
            });
        }
        Ok(texts.into_iter().map(|text| Statement::from_string(kind, text)).collect())
    }

    /// Creates the table and its indexes, where they are not there yet. May be called by several processes at once.
    ///
    /// # Cancel safety
    /// What was not created yet is created by the next call.
    ///
    /// # Errors
    /// What the database says.
    pub async fn create(&self, db: &impl ConnectionTrait) -> Result<(), DatabaseError> {
        for statement in self.statements(db.get_database_backend())? {
            match db.execute_unprepared(&statement.sql).await {
                // PostgreSQL looks first and creates later, and somebody else was faster.
                Err(error) if exists(&error) => db.execute_unprepared(&statement.sql).await?,
                result => result?,
            };
        }
        Ok(())
    }

    /// The name as it stands in a statement.
    pub(super) fn quoted(&self, dialect: Dialect) -> String {
        let parts = self.schema.iter().chain([&self.name]);
        parts.map(|part| dialect.quoted(part)).collect::<Vec<_>>().join(".")
    }
}

/// The name, as [`Table::new`] takes it.
impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(schema) = &self.schema {
            write!(f, "{schema}.")?;
        }
        f.write_str(&self.name)
    }
}

impl FromStr for Table {
    type Err = DatabaseError;

    fn from_str(name: &str) -> Result<Self, DatabaseError> {
        Table::new(name)
    }
}

//! Fresh databases, one for each test.

use std::{env, fs, path::PathBuf};

use sea_orm::{
    ConnectOptions, ConnectionTrait, DatabaseConnection, DbBackend, DbErr, Statement,
    sqlx::sqlite::{SqliteJournalMode, SqliteSynchronous},
};

use crate::environment::{MYSQL_URL, POSTGRES_URL, unique_name, variable};

/// A kind of database.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Backend {
    /// A file, or the memory of this process.
    Sqlite,
    /// The server of `CACHE_TEST_POSTGRES_URL`.
    Postgres,
    /// The server of `CACHE_TEST_MYSQL_URL`: MariaDB or MySQL.
    MySql,
}

/// Every kind of database.
pub fn backends() -> [Backend; 3] {
    [Backend::Sqlite, Backend::Postgres, Backend::MySql]
}

impl From<Backend> for DbBackend {
    fn from(backend: Backend) -> Self {
        match backend {
            Backend::Sqlite => DbBackend::Sqlite,
            Backend::Postgres => DbBackend::Postgres,
            Backend::MySql => DbBackend::MySql,
        }
    }
}

/// An empty database under a name of its own.
///
/// [`close`](Self::close) removes it. A database that is only dropped (a failed test) is removed too if it
/// is a file, and stays on its server otherwise: nobody else uses its name.
#[derive(Debug)]
pub struct Database {
    backend: Backend,
    url: String,
    place: Place,
}

#[derive(Debug)]
enum Place {
    /// Removed with its `-wal` and `-shm`.
    File(PathBuf),
    /// It lives as long as its only connection.
    Memory(DatabaseConnection),
    Server {
        admin_url: String,
        name: String,
    },
}

impl Database {
    /// A new database: for SQLite a file with a write-ahead log.
    ///
    /// # Panics
    /// When the server is not there or refuses.
    pub async fn create(backend: Backend) -> Self {
        let name = unique_name();
        let variable_name = match backend {
            Backend::Sqlite => {
                let file = env::temp_dir().join(format!("{name}.sqlite"));
                let url = format!("sqlite://{}?mode=rwc", file.display());
                return Database { backend, url, place: Place::File(file) };
            }
            Backend::Postgres => POSTGRES_URL,
            Backend::MySql => MYSQL_URL,
        };
        let admin_url = variable(variable_name);
        let admin = administrator(&admin_url).await.expect("the server of the variable answers");
        admin.execute_unprepared(&format!("CREATE DATABASE {name}")).await.expect("databases may be created");
        admin.close().await.expect("an open connection can be closed");
        Database { backend, url: with_database(&admin_url, &name), place: Place::Server { admin_url, name } }
    }

    /// A new SQLite database in memory. All its connections are one.
    ///
    /// # Panics
    /// Never in practice: nothing outside this process is needed.
    pub async fn create_in_memory() -> Self {
        let url = "sqlite::memory:".to_owned();
        let mut options = ConnectOptions::new(&url);
        options.max_connections(1).sqlx_logging(false);
        let connection = sea_orm::Database::connect(options).await.expect("memory is always there");
        Database { backend: Backend::Sqlite, url, place: Place::Memory(connection) }
    }

    /// Its kind.
    pub fn backend(&self) -> Backend {
        self.backend
    }

    /// Where another process finds it. (That of a database in memory opens another, empty one.)
    pub fn url(&self) -> &str {
        &self.url
    }

    /// A new pool of up to five connections: what another process would have.
    ///
    /// # Panics
    /// When the database does not answer.
    pub async fn connect(&self) -> DatabaseConnection {
        self.connect_with(|_| {}).await
    }

    /// A new pool with changed options.
    ///
    /// # Panics
    /// When the database does not answer.
    pub async fn connect_with(&self, change: impl FnOnce(&mut ConnectOptions)) -> DatabaseConnection {
        if let Place::Memory(connection) = &self.place {
            return connection.clone();
        }
        let mut options = ConnectOptions::new(&self.url);
        options.max_connections(5).sqlx_logging(false).map_sqlx_sqlite_opts(|sqlite| {
            // Its data need not survive the machine.
            sqlite.journal_mode(SqliteJournalMode::Wal).synchronous(SqliteSynchronous::Off)
        });
        change(&mut options);
        sea_orm::Database::connect(options).await.expect("the database answers")
    }

    /// Removes the database, whoever is still connected.
    ///
    /// # Errors
    /// What the server says against it.
    pub async fn close(&self) -> Result<(), DbErr> {
        match &self.place {
            Place::File(_) => Ok(()), // Dropping it removes the files.
            Place::Memory(connection) => connection.clone().close().await,
            Place::Server { admin_url, name } => {
                let admin = administrator(admin_url).await?;
                if self.backend == Backend::Postgres {
                    admin.execute_unprepared(&format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)")).await?;
                } else {
                    end_sessions(&admin, name).await?;
                    admin.execute_unprepared(&format!("DROP DATABASE IF EXISTS {name}")).await?;
                }
                admin.close().await
            }
        }
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        if let Place::File(file) = &self.place {
            for suffix in ["", "-wal", "-shm"] {
                let mut name = file.clone().into_os_string();
                name.push(suffix);
                // Not there if nobody ever connected.
                let _ = fs::remove_file(name);
            }
        }
    }
}

async fn administrator(url: &str) -> Result<DatabaseConnection, DbErr> {
    let mut options = ConnectOptions::new(url);
    options.max_connections(1).sqlx_logging(false);
    sea_orm::Database::connect(options).await
}

/// An open transaction would make MySQL's DROP DATABASE wait for it.
async fn end_sessions(admin: &DatabaseConnection, database: &str) -> Result<(), DbErr> {
    let sessions = Statement::from_sql_and_values(
        DbBackend::MySql,
        "SELECT CAST(id AS CHAR) AS id FROM information_schema.processlist WHERE db = ?",
        [database.into()],
    );
    for session in admin.query_all_raw(sessions).await? {
        let id: String = session.try_get("", "id")?;
        // It may have ended by itself since.
        let _ = admin.execute_unprepared(&format!("KILL {id}")).await;
    }
    Ok(())
}

/// The same server, another database.
fn with_database(url: &str, name: &str) -> String {
    let (address, parameters) = url.split_once('?').map_or((url, ""), |(address, rest)| (address, rest));
    let host = address.find("://").map_or(0, |at| at + 3);
    let end = address[host..].find('/').map_or(address.len(), |at| host + at);
    let separator = if parameters.is_empty() { "" } else { "?" };
    format!("{}/{name}{separator}{parameters}", &address[..end])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_database_of_a_url_is_replaced() {
        for (url, expected) in [
            ("postgres://postgres@127.0.0.1:5432/postgres", "postgres://postgres@127.0.0.1:5432/x"),
            ("mysql://root:s%2Fecret@db", "mysql://root:s%2Fecret@db/x"),
            ("mysql://root@db/?ssl-mode=disabled", "mysql://root@db/x?ssl-mode=disabled"),
            ("postgres:///postgres?host=/run/postgresql", "postgres:///x?host=/run/postgresql"),
        ] {
            assert_eq!(with_database(url, "x"), expected);
        }
    }

    async fn count(connection: &DatabaseConnection) -> Result<usize, DbErr> {
        let all = Statement::from_string(connection.get_database_backend(), "SELECT n FROM numbers");
        connection.query_all_raw(all).await.map(|rows| rows.len())
    }

    async fn two_connections_see_one_database(database: Database) {
        let (one, other) = (database.connect().await, database.connect().await);
        one.execute_unprepared("CREATE TABLE numbers (n INT)").await.expect("a new table");
        one.execute_unprepared("INSERT INTO numbers VALUES (1), (2)").await.expect("two rows");
        assert_eq!(count(&other).await.expect("the same database"), 2);
        database.close().await.expect("it can be removed");
    }

    #[tokio::test]
    async fn two_connections_see_one_database_of_every_kind() {
        for backend in backends() {
            two_connections_see_one_database(Database::create(backend).await).await;
        }
        two_connections_see_one_database(Database::create_in_memory().await).await;
    }

    #[tokio::test]
    async fn a_database_is_removed_under_an_open_transaction() {
        use sea_orm::TransactionTrait;
        for backend in backends() {
            let database = Database::create(backend).await;
            let connection = database.connect().await;
            connection.execute_unprepared("CREATE TABLE numbers (n INT)").await.expect("a new table");
            let open = connection.begin().await.expect("a transaction");
            open.execute_unprepared("INSERT INTO numbers VALUES (1)").await.expect("a row");
            database.close().await.expect("nobody can keep it");
            if let Place::Server { admin_url, .. } = &database.place {
                let gone = ConnectOptions::new(&database.url).sqlx_logging(false).to_owned();
                assert!(sea_orm::Database::connect(gone).await.is_err());
                assert!(administrator(admin_url).await.is_ok());
            }
        }
    }

    #[tokio::test]
    async fn a_dropped_file_leaves_nothing() {
        let database = Database::create(Backend::Sqlite).await;
        let Place::File(file) = &database.place else { panic!("SQLite's database is a file") };
        let file = file.clone();
        let connection = database.connect().await;
        connection.execute_unprepared("CREATE TABLE numbers (n INT)").await.expect("a new table");
        assert!(file.exists());
        drop(database);
        let stem = file.file_name().expect("a file").to_string_lossy().into_owned();
        let left = fs::read_dir(env::temp_dir()).expect("the folder is there").flatten();
        assert!(!left.map(|entry| entry.file_name()).any(|name| name.to_string_lossy().starts_with(&stem)));
    }
}

//! The backend in a database, against each kind of database.

mod agreement;
mod cost;
mod faults;
mod replicas;
mod room;
mod table;

use std::sync::{Arc, Mutex};

use cache_values::{
    backend::{
        Backend, Item, Put, Stored, When,
        database::{DatabaseBackend, Table},
    },
    name::Name,
};
use sea_orm::{ConnectionTrait, DatabaseConnection, Statement};
use tests::Database;

/// A database with a table, and a connection beside that of the backend.
struct Place {
    database: Database,
    db: DatabaseConnection,
    table: Table,
}

impl Place {
    async fn new(kind: tests::Backend) -> Self {
        let database = Database::create(kind).await;
        let db = database.connect().await;
        let table = Table::new("cache_entries").expect("a name");
        table.create(&db).await.expect("a new table");
        Place { database, db, table }
    }

    /// Another process, as far as the database can tell.
    async fn backend(&self) -> DatabaseBackend {
        DatabaseBackend::new(self.database.connect().await, &self.table).expect("a known kind")
    }

    /// A backend that tells which statements it sends.
    async fn overheard(&self) -> (DatabaseBackend, Arc<Mutex<Vec<Statement>>>) {
        let heard = Arc::new(Mutex::new(Vec::new()));
        let mut db = self.database.connect().await;
        let ears = Arc::clone(&heard);
        db.set_metric_callback(move |info| ears.lock().expect("no panic").push(info.statement.clone()));
        (DatabaseBackend::new(db, &self.table).expect("a known kind"), heard)
    }

    async fn execute(&self, text: &str) -> u64 {
        self.db.execute_unprepared(text).await.expect(text).rows_affected()
    }

    async fn number(&self, text: &str) -> i64 {
        let statement = Statement::from_string(self.db.get_database_backend(), text);
        let row = self.db.query_one_raw(statement).await.expect(text).expect("one row");
        row.try_get_by_index(0).expect("a number")
    }

    /// How many rows there are.
    async fn rows(&self) -> i64 {
        self.number("SELECT COUNT(*) FROM cache_entries").await
    }

    async fn close(self) {
        self.database.close().await.expect("it can be removed");
    }
}

fn name(text: impl ToString) -> Name {
    Name::new(text.to_string(), false)
}

fn put(text: impl ToString, bytes: &[u8], when: When) -> Put {
    Put { name: name(text), bytes: bytes.to_vec().into(), ttl: None, when }
}

/// Puts one item, whatever is there.
async fn set(backend: &impl Backend, text: impl ToString, bytes: &[u8]) {
    assert_eq!(backend.put(&[put(text, bytes, When::Always)]).await.expect("it answers"), [Stored::Kept]);
}

async fn get(backend: &impl Backend, text: impl ToString) -> Option<Item> {
    backend.get(&[name(text)], true).await.expect("it answers").remove(0)
}
